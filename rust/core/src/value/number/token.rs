//! Recognizes the word that stands for missing numbers.

use std::ops::Range;

use super::places::{Left, Places, set_bits};

/// How many bytes a token may have.
const LONGEST: usize = 8;

/// A word of up to eight bytes that means "no value", as an empty field does. By default, it is the empty field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Token {
    /// Its bytes, the last one highest. The lower ones are zero.
    pub(super) word: u64,
    /// The bits of its bytes.
    pub(super) bits: u64,
    pub(super) length: usize,
}

impl Token {
    /// The token with these bytes, if there are few enough, and if it remains another one after a plus, which may precede a
    /// number.
    pub(crate) fn new(bytes: &[u8]) -> Option<Self> {
        if matches!(bytes, [b'0'..=b'9' | b'.', ..]) {
            return None;
        }
        let mut word = [0; LONGEST];
        let start = LONGEST.checked_sub(bytes.len())?;
        word[start..].copy_from_slice(bytes);
        let bits = u64::MAX.checked_shl(8 * start as u32).unwrap_or(0);
        Some(Self { word: u64::from_le_bytes(word), bits, length: bytes.len() })
    }

    /// Whether the field at `place` is this token or empty.
    #[inline]
    pub(super) fn is_at(self, text: &[u8], place: Range<usize>) -> bool {
        let bytes = text.get(..place.end).and_then(|text| text.last_chunk());
        let is_word = |&bytes: &[u8; LONGEST]| u64::from_le_bytes(bytes) & self.bits == self.word;
        place.is_empty() || place.len() == self.length && bytes.is_some_and(is_word)
    }

    /// Takes the fields that are this token or empty out of those `left` of a block. Their values become NaN. Returns whether
    /// there were any.
    pub(super) fn take_out<const N: usize>(
        self,
        text: &[u8],
        places: Places<'_, N>,
        values: &mut [[f32; N]],
        left: &mut Left,
    ) -> bool {
        let mut found = false;
        for (at, (values, left)) in values.iter_mut().zip(left).enumerate() {
            for field in set_bits(*left) {
                if self.is_at(text, places.of(at, field)) {
                    values[field] = f32::NAN;
                    *left &= !(1 << field);
                    found = true;
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{convert, convert_with};
    use super::*;
    use crate::dialect::{Dialect, unquote};
    use crate::fields::{Fields, WINDOW};
    use crate::simd::Simd;

    proptest! {
        #![proptest_config(crate::checks::cases(1_000))]

        #[test]
        fn only_missing_fields_are_taken_out(
            fields in prop_oneof![
                prop::collection::vec("NA|-?[0-9]{1,3}\\.[0-9]{2}|", 1..300),
                prop::collection::vec("NA| NA|\"NA\"|NAN|N|A|xNA||\"\"|\\+?[0-9]{1,9}|-?0\\.[0-9]{1,18}(e-01)?|null|\\+NA|\"1\"", 1..300),
                prop::collection::vec("\"-?[0-9]{1,2}\\.[0-9]{3}\"|\"NA\"|\"null\"|NA", 1..300),
            ],
            token in "NA|null||N|a_longer_token",
        ) {
            let mut text = vec![b'A'; WINDOW];
            let (mut before, mut ends) = (vec![], vec![]);
            for field in &fields {
                before.push(text.len() as u32 - 1);
                text.extend_from_slice(field.as_bytes());
                ends.push(text.len() as u32);
                text.push(b',');
            }
            text.extend([b'N'; WINDOW]);
            let places = Fields { before: &before, ends: &ends };
            let missing = Token::new(token.as_bytes());
            prop_assert_eq!(missing.is_some(), token.len() <= LONGEST);
            let is_missing = |field: &str| {
                let word = unquote(field.as_bytes(), Dialect::default());
                word.is_empty() || *word == *token.as_bytes()
            };
            for simd in Simd::available() {
                let mut values = vec![0.0; fields.len()];
                let mut declined = vec![];
                convert(simd, &text, Some(b'"'), places, &mut values, &mut declined);
                let (mut others, mut still_declined) = (values.clone(), vec![]);
                let found =
                    convert_with(simd, &text, Some(b'"'), missing, places, &mut others, &mut still_declined);
                prop_assert!(values.iter().zip(&others).all(|(one, other)| one.to_bits() == other.to_bits()));
                let taken: Vec<_> = declined.iter().filter(|at| !still_declined.contains(at)).collect();
                prop_assert_eq!(found, !taken.is_empty());
                prop_assert!(still_declined.iter().all(|at| declined.contains(at)));
                prop_assert!(still_declined.is_sorted());
                for (at, field) in fields.iter().enumerate() {
                    let is_taken = taken.contains(&&(at as u32));
                    prop_assert!(!is_taken || is_missing(field), "{:?} {:?}", simd, field);
                    let is_bare = field.is_empty() || *field == token;
                    prop_assert!(is_taken || missing.is_none() || !is_bare, "{:?} {:?}", simd, field);
                }
            }
        }
    }
}
