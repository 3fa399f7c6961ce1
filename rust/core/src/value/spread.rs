//! Words in hash tables without collisions.

use super::word::{ODD, SHORT, Short, halves, joined, packed};

/// The most words that are spread.
const MOST: usize = 1 << 14;

/// How many hashes are tried, and for each how many slots for the words of a bucket.
const TRIES: u64 = 8;
const MOST_SLOTS_TRIED: usize = 1 << 10;

/// The words of a vocabulary, each in a slot of its own.
#[derive(Clone)]
pub(super) struct Spread {
    /// The words of up to sixteen bytes.
    short: Table<Short>,
    /// The others, if it could be done.
    long: Option<Table<Long>>,
    /// The first bytes of words, one bit for each.
    firsts: [u64; 4],
    /// Whether spaces begin or end a word.
    has_spaces: bool,
}

/// The place of a longer word in the text of its vocabulary, and its code. Code 0 marks a free slot.
#[derive(Clone, Copy, Default)]
struct Long {
    start: u32,
    length: u32,
    code: u32,
}

impl Spread {
    /// The `count` words of a vocabulary, in the order of their codes. `None` if there are too many, or if some differ too
    /// little.
    pub(super) fn of<'a>(count: usize, words: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        if count > MOST {
            return None;
        }
        let (mut short, mut long) = (vec![], vec![]);
        let (mut firsts, mut has_spaces, mut start) = ([0; 4], false, 0_u32);
        for (code, word) in (1..).zip(words) {
            if let [first, ..] = word {
                firsts[usize::from(first >> 6)] |= 1 << (first & 63);
            }
            let is_space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
            has_spaces |= is_space(word.first()) || is_space(word.last());
            if word.len() <= SHORT {
                let halves = halves(packed(word));
                short.push((joined(halves), Short { word: halves, length: word.len() as u32, code }));
            } else {
                long.push((key(word), Long { start, length: word.len() as u32, code }));
            }
            start = start.checked_add(u32::try_from(word.len()).ok()?)?;
        }
        Some(Self { short: Table::of(&short)?, long: Table::of(&long), firsts, has_spaces })
    }

    /// Whether no word begins with a quote or has spaces around it.
    pub(super) fn is_literal(&self, quote: Option<u8>) -> bool {
        let begins = |byte: u8| self.firsts[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1;
        !self.has_spaces && !quote.is_some_and(begins)
    }

    #[inline(always)]
    pub(super) fn short_code(&self, word: [u64; 2], length: usize) -> u32 {
        let slot = self.short.slot(joined(word));
        if slot.is(word, length) { slot.code } else { 0 }
    }

    #[inline]
    pub(super) fn has_long(&self) -> bool {
        self.long.is_some()
    }

    /// The code of a word of more than sixteen bytes. `text` is that of the vocabulary.
    pub(super) fn long_code(&self, text: &[u8], word: &[u8]) -> u32 {
        let Some(table) = &self.long else { return 0 };
        let Long { start, length, code } = *table.slot(key(word));
        if code != 0 && length as usize == word.len() && is_same(&text[start as usize..][..word.len()], word) {
            code
        } else {
            0
        }
    }
}

/// Whether two words of the same length, more than sixteen bytes, are the same.
#[inline]
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let last = |word: &[u8]| word.last_chunk::<SHORT>().copied();
    // Both ends overlap, so that all compared pieces have the same size.
    last(one) == last(other) && one.as_chunks::<SHORT>().0 == other.as_chunks::<SHORT>().0
}

/// The first and the last sixteen bytes of a word, and those in its middle, in one integer.
#[inline(always)]
fn key(word: &[u8]) -> u64 {
    let half = |bytes: Option<&[u8; SHORT]>| bytes.map_or(0, |&bytes| joined(halves(u128::from_le_bytes(bytes))));
    let middle = word.get(word.len() / 2 - SHORT / 2..).and_then(|word| word.first_chunk());
    let [first, middle, last] = [word.first_chunk(), middle, word.last_chunk()].map(half);
    (first ^ middle.rotate_left(37)).wrapping_mul(ODD) ^ last.wrapping_add(word.len() as u64)
}

/// A hash table without collisions. Hashes fall into buckets of about two. All that are in a bucket move to other slots by
/// the same displacement, which is chosen such that these are free.
#[derive(Clone)]
struct Table<T> {
    factor: u64,
    displacements: Box<[u32]>,
    slots: Box<[T]>,
}

impl<T: Copy + Default> Table<T> {
    /// `None` if some keys are the same, or no good hash was found.
    fn of(entries: &[(u64, T)]) -> Option<Self> {
        let least = entries.len().next_power_of_two();
        let sizes = [least, 2 * least, 4 * least];
        sizes.iter().find_map(|&slots| {
            (0..TRIES).find_map(|number| Self::with(ODD.wrapping_mul(2 * number + 1), slots, entries))
        })
    }

    fn with(factor: u64, slots: usize, entries: &[(u64, T)]) -> Option<Self> {
        let buckets = (entries.len() / 2).next_power_of_two();
        let hashes = entries.iter().map(|(key, entry)| (key.wrapping_mul(factor), entry));
        let mut hashes: Vec<_> = hashes.map(|(hash, entry)| (bucket(hash, buckets), hash, entry)).collect();
        hashes.sort_unstable_by_key(|&(bucket, hash, _)| (bucket, hash));
        let mut groups: Vec<_> = hashes.chunk_by(|one, next| one.0 == next.0).collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
        let mut displacements = vec![0; buckets];
        let mut table = vec![T::default(); slots];
        let mut is_taken = vec![false; slots];
        // No slot before this one is free.
        let mut first_free = 0;
        for group in groups {
            let place = |hash: u64, displacement: u32| displaced(hash, displacement, slots);
            let is_alone = |at: usize| group[..at].iter().all(|one| place(one.1, 0) != place(group[at].1, 0));
            if !(0..group.len()).all(is_alone) {
                return None;
            }
            while is_taken[first_free] {
                first_free += 1;
            }
            // The first hash moves from one free slot to the next.
            let free = (first_free..slots).filter(|&slot| !is_taken[slot]).take(MOST_SLOTS_TRIED);
            let mut displacement = free.map(|slot| (slot ^ place(group[0].1, 0)) as u32);
            let displacement =
                displacement.find(|&displacement| group.iter().all(|one| !is_taken[place(one.1, displacement)]))?;
            for &(bucket, hash, &entry) in group {
                displacements[bucket] = displacement;
                let slot = place(hash, displacement);
                (table[slot], is_taken[slot]) = (entry, true);
            }
        }
        Some(Self { factor, displacements: displacements.into(), slots: table.into() })
    }

    /// The slot in which the entry with this key is, if it is there.
    #[inline(always)]
    fn slot(&self, key: u64) -> &T {
        let hash = key.wrapping_mul(self.factor);
        let displacement = self.displacements[bucket(hash, self.displacements.len())];
        &self.slots[displaced(hash, displacement, self.slots.len())]
    }
}

#[inline(always)]
fn bucket(hash: u64, buckets: usize) -> usize {
    (hash >> 48) as usize & (buckets - 1)
}

#[inline(always)]
fn displaced(hash: u64, displacement: u32, slots: usize) -> usize {
    ((hash >> 24) as u32 ^ displacement) as usize & (slots - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::vocabulary::Vocabulary;

    #[test]
    fn many_words_have_a_slot_each() {
        for count in [1, 2, 3, 10, 100, 1_000, 4_096] {
            let words: Vec<String> = (0..count)
                .map(|number| {
                    if number % 3 == 0 {
                        format!("a word with the number {number}, among others")
                    } else {
                        format!("w{number}")
                    }
                })
                .collect();
            let vocabulary = Vocabulary::new(&words);
            let spread = Spread::of(words.len(), words.iter().map(String::as_bytes)).expect("words that differ");
            assert!(spread.has_long());
            assert!(spread.is_literal(Some(b'"')) && (count == 1 || !spread.is_literal(Some(b'w'))));
            for (code, word) in (1..).zip(&words) {
                assert_eq!(vocabulary.code_at(word.as_bytes(), 0..word.len()), code);
                let other = word.replace("number", "nomber").replace('w', "v");
                assert_eq!(vocabulary.code_at(other.as_bytes(), 0..other.len()), 0);
            }
        }
    }

    #[test]
    fn words_with_spaces_around_them_are_told() {
        for (word, is_literal) in [("a b", true), (" a", false), ("a\t", false), ("\"a\"", false), ("", true)] {
            assert_eq!(Vocabulary::new([word]).literal(Some(b'"')).is_some(), is_literal, "{word:?}");
        }
    }
}
