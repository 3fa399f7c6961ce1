//! Fields that are one of some words.

/// The longest word that fits a register.
const SHORT: usize = 8;

/// A set of words. That a field of a few bytes is one of them is found without comparing it with each.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    /// Up to eight bytes and how many they are, each word at the place that [`place`] says or the next free one after it;
    /// the rest has a length of 0.
    short: Vec<(u64, usize)>,
    /// Longer ones.
    long: Vec<Box<[u8]>>,
}

impl Tokens {
    /// Those that are not empty.
    pub(crate) fn new<T: AsRef<[u8]>>(tokens: impl IntoIterator<Item = T>) -> Self {
        let (short, long): (Vec<Box<[u8]>>, Vec<_>) =
            tokens.into_iter().map(|token| token.as_ref().into()).partition(|token: &Box<[u8]>| token.len() <= SHORT);
        let mut table = vec![(0, 0); (4 * short.len()).next_power_of_two()];
        for token in short.iter().filter(|token| !token.is_empty()) {
            let word = word(token);
            let mut at = place(word, table.len());
            while table[at].1 != 0 {
                at = (at + 1) % table.len();
            }
            table[at] = (word, token.len());
        }
        Self { short: table, long }
    }

    /// Whether a field is one of them.
    #[inline]
    pub(crate) fn contains(&self, field: &[u8]) -> bool {
        if !(1..=SHORT).contains(&field.len()) {
            return self.long.iter().any(|token| **token == *field);
        }
        let word = word(field);
        let mut at = place(word, self.short.len());
        loop {
            let (token, length) = self.short[at];
            if length == 0 || (token == word && length == field.len()) {
                return length != 0;
            }
            at = (at + 1) % self.short.len();
        }
    }
}

/// One to eight bytes, the first in the lowest place.
#[inline]
fn word(bytes: &[u8]) -> u64 {
    let last = 8 * (bytes.len() - 1);
    // Two reads that overlap.
    if let (Some(&first), Some(&rest)) = (bytes.first_chunk(), bytes.last_chunk()) {
        u64::from(u32::from_le_bytes(first)) | u64::from(u32::from_le_bytes(rest)) << (last - 24)
    } else if let (Some(&first), Some(&rest)) = (bytes.first_chunk(), bytes.last_chunk()) {
        u64::from(u16::from_le_bytes(first)) | u64::from(u16::from_le_bytes(rest)) << (last - 8)
    } else {
        bytes[0].into()
    }
}

/// Where to look for a word first, in a table whose length is a power of two.
#[inline]
fn place(word: u64, length: usize) -> usize {
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
                prop_assert_eq!(set.contains(field.as_bytes()), !field.is_empty() && tokens.contains(field), "{:?}", field);
            }
        }
    }
}
