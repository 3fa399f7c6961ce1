//! Parses booleans.

use std::ops::Range;

use super::word::packed_at;

/// OR-ing this into ASCII letters makes them lower case.
const SMALL: u64 = 0x2020_2020_2020_2020;

/// Parses the word at `place` as a boolean, in any case.
#[inline]
pub(crate) fn boolean_at(text: &[u8], place: &Range<usize>) -> Option<bool> {
    const fn word(bytes: [u8; 8]) -> u64 {
        u64::from_le_bytes(bytes)
    }
    const TRUE: u64 = word(*b"true\0\0\0\0");
    const YES: u64 = word(*b"yes\0\0\0\0\0");
    const ON: u64 = word(*b"on\0\0\0\0\0\0");
    const T: u64 = b't' as u64;
    const Y: u64 = b'y' as u64;
    const FALSE: u64 = word(*b"false\0\0\0");
    const NO: u64 = word(*b"no\0\0\0\0\0\0");
    const OFF: u64 = word(*b"off\0\0\0\0\0");
    const F: u64 = b'f' as u64;
    const N: u64 = b'n' as u64;
    const ONE: u64 = b'1' as u64;
    const ZERO: u64 = b'0' as u64;
    if place.len() > 8 {
        return None;
    }
    let word = packed_at(text, place)? as u64;
    match (place.len(), word) {
        (0, _) => return None,
        (1, ONE) => return Some(true),
        (1, ZERO) => return Some(false),
        _ => {}
    }
    // Only a letter and its capital are mapped to that letter.
    match word | SMALL >> (64 - 8 * place.len()) {
        TRUE | YES | ON | T | Y => Some(true),
        FALSE | NO | OFF | F | N => Some(false),
        _ => None,
    }
}

/// Parses a word as a boolean.
pub(crate) fn boolean(word: &[u8]) -> Option<bool> {
    boolean_at(word, &(0..word.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TRUE: [&str; 6] = ["1", "t", "y", "on", "yes", "true"];
    const FALSE: [&str; 6] = ["0", "f", "n", "no", "off", "false"];

    fn naive(word: &str) -> Option<bool> {
        let small = word.to_ascii_lowercase();
        let is = |words: [&str; 6]| words.contains(&&*small);
        is(TRUE).then_some(true).or(is(FALSE).then_some(false))
    }

    proptest! {
        #![proptest_config(crate::checks::cases(4000))]

        #[test]
        fn words_mean_true_or_false_in_any_case(
            word in "(?i)true|yes|t|y|on|false|no|f|n|off|[01]|[a-z]{0,9}|[\0\x10\x11oO0nNtT1]{0,3}|true.|fals",
            after in "[a-z,]{0,9}",
        ) {
            prop_assert_eq!(boolean(word.as_bytes()), naive(&word), "{:?}", word);
            let text = format!(",{word}{after}");
            prop_assert_eq!(boolean_at(text.as_bytes(), &(1..1 + word.len())), naive(&word), "{:?} {:?}", word, after);
        }
    }
}
