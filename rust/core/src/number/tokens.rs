//! Fields that are one of some words.

use std::ops::Range;

/// The longest word that fits a register.
const SHORT: usize = 8;

/// A set of words. That a field of a few bytes is one of them is found without comparing it with each.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    /// Up to eight bytes and how many they are, each word at the place that [`first_place`] says or the next free one after it;
    /// the rest has a length of 0.
    short: Vec<(u64, usize)>,
    /// Longer ones.
    long: Vec<Box<[u8]>>,
}

impl Tokens {
    /// Those that are not empty.
    pub(crate) fn new<T: AsRef<[u8]>>(tokens: impl IntoIterator<Item = T>) -> Self {
        let tokens = tokens.into_iter().map(|token| Box::<[u8]>::from(token.as_ref()));
        let (short, long): (Vec<Box<[u8]>>, Vec<_>) = tokens.partition(|token| token.len() <= SHORT);
        let mut table = vec![(0, 0); (4 * short.len()).next_power_of_two()];
        for token in short.iter().filter(|token| !token.is_empty()) {
            let word = word(token);
            let mut at = first_place(word, table.len());
            while table[at].1 != 0 {
                at = (at + 1) % table.len();
            }
            table[at] = (word, token.len());
        }
        Self { short: table, long }
    }

    /// Whether a field is one of them.
    pub(crate) fn contains(&self, field: &[u8]) -> bool {
        self.contains_at(field, 0..field.len())
    }

    /// Whether the field at `place` is one of them.
    #[inline]
    pub(crate) fn contains_at(&self, text: &[u8], place: Range<usize>) -> bool {
        let length = place.len();
        if !(1..=SHORT).contains(&length) {
            return self.long.iter().any(|token| **token == text[place.clone()]);
        }
        let word = match text[place.start..].first_chunk() {
            Some(&bytes) => u64::from_le_bytes(bytes) & u64::MAX >> (64 - 8 * length),
            None => word(&text[place]),
        };
        let mut at = first_place(word, self.short.len());
        loop {
            let (token, token_length) = self.short[at];
            if token_length == 0 || (token == word && token_length == length) {
                return token_length != 0;
            }
            at = (at + 1) % self.short.len();
        }
    }
}

/// Up to eight bytes, the first in the lowest place.
fn word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

/// Where to look for a word first, in a table whose length is a power of two.
#[inline]
fn first_place(word: u64, length: usize) -> usize {
    (word.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize & (length - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_in_the_set_is_found_and_nothing_else(
            tokens in prop::collection::vec("[ab\0]{0,10}", 0..12),
            fields in prop::collection::vec("[ab\0]{0,10}", 0..100),
        ) {
            let set = Tokens::new(&tokens);
            for field in fields.iter().chain(&tokens) {
                let expected = !field.is_empty() && tokens.contains(field);
                prop_assert_eq!(set.contains(field.as_bytes()), expected, "{:?}", field);
                let text = format!("a{field}b\0a,bbbbb");
                prop_assert_eq!(set.contains_at(text.as_bytes(), 1..1 + field.len()), expected, "{:?}", field);
            }
        }
    }
}
