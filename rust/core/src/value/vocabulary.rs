//! The categories of a column, and the lookup of a field among them.

use std::fmt::{self, Debug, Formatter};
use std::ops::Range;

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::number::Token;

/// The longest word that fits in a register, in bytes.
const SHORT: usize = 16;

/// The bits of so many bytes, the first one lowest.
const BITS: [u128; SHORT + 1] = {
    let mut bits = [0; SHORT + 1];
    let mut length = 1;
    while length <= SHORT {
        bits[length] = bits[length - 1] << 8 | 0xFF;
        length += 1;
    }
    bits
};

/// Distinct words in insertion order. The code of a word is its position, counted from 1.
#[derive(Clone, Default)]
pub struct Vocabulary {
    /// The words, concatenated, and the end of each.
    text: Vec<u8>,
    ends: Vec<usize>,
    /// A hash table of the words of up to sixteen bytes, with linear probing. Its length is a power of two and at least
    /// twice the number of its words.
    short: Vec<Short>,
    shorts: usize,
    /// What the hash of a short word is multiplied with.
    factor: Factor,
    /// Whether each short word has the slot of its hash, so that no other slot must be looked at.
    is_spread: bool,
    /// A hash table of the longer words: some bits of the hash, and the code.
    long: Vec<(u32, u32)>,
    longs: usize,
}

/// A short word: its bytes, the first one lowest, its length and its code. Code 0 marks a free slot.
#[derive(Clone, Copy, Default)]
struct Short {
    word: [u64; 2],
    length: u32,
    code: u32,
}

impl Short {
    #[inline(always)]
    fn is(&self, [low, high]: [u64; 2], length: usize) -> bool {
        (self.word[0] ^ low) | (self.word[1] ^ high) | (u64::from(self.length) ^ length as u64) == 0
    }
}

/// An odd number that scatters the hashes of short words.
#[derive(Clone, Copy)]
struct Factor(u64);

impl Default for Factor {
    fn default() -> Self {
        Self(0x9E37_79B9_7F4A_7C15)
    }
}

/// The word of up to sixteen bytes that was found last.
pub(crate) struct Latest {
    word: u128,
    /// The bits of its bytes.
    bits: u128,
    length: usize,
    code: u32,
}

impl Latest {
    /// No word.
    pub(crate) const NONE: Self = Self { word: 0, bits: 0, length: usize::MAX, code: 0 };

    /// The empty word, as one that has this code.
    pub(crate) fn empty(code: u32) -> Self {
        Self { word: 0, bits: 0, length: 0, code }
    }

    /// The word, if it is one and has at most eight bytes.
    pub(crate) fn token(&self) -> Option<Token> {
        Token::new(self.word.to_le_bytes().get(..self.length)?)
    }

    #[inline(always)]
    pub(crate) fn stands_at(&self, text: &[u8], place: &Range<usize>) -> bool {
        let bytes = text.get(place.start..).and_then(|text| text.first_chunk());
        bytes.is_some_and(|&bytes| place.len() == self.length && u128::from_le_bytes(bytes) & self.bits == self.word)
    }
}

impl Vocabulary {
    /// The first words for a message, and the number of words if there are more.
    pub(crate) fn shown(&self) -> String {
        const SHOWN: usize = 10;
        let word = |word| format!("{:?}", String::from_utf8_lossy(word));
        let shown = self.words().take(SHOWN).map(word).collect::<Vec<_>>().join(", ");
        if self.count() > SHOWN { format!("{shown}, … ({} in all)", self.count()) } else { shown }
    }

    /// A vocabulary of these words, without duplicates.
    pub fn new<T: AsRef<[u8]>>(words: impl IntoIterator<Item = T>) -> Self {
        let mut vocabulary = Self::default();
        for word in words {
            vocabulary.add(word.as_ref());
        }
        vocabulary.spread()
    }

    /// Looks for a hash that gives each short word a slot of its own, so that the first look decides. Which of several
    /// words comes next is unpredictable, and a wrong prediction takes longer than the rest.
    #[must_use]
    pub(crate) fn spread(self) -> Self {
        const TRIES: u64 = 64;
        const MOST_SLOTS: usize = 1 << 10;
        let words: Vec<Short> = self.short.iter().copied().filter(|short| short.code != 0).collect();
        let mut slots = self.short.len();
        while (1..=MOST_SLOTS).contains(&slots) {
            for number in 0..TRIES {
                let factor = Factor(Factor::default().0.wrapping_mul(2 * number + 1));
                let mut table = vec![Short::default(); slots];
                let is_alone = |short: &Short| {
                    let slot = &mut table[first_place(short.word, factor, slots)];
                    let is_free = slot.code == 0;
                    *slot = *short;
                    is_free
                };
                if words.iter().all(is_alone) {
                    return Self { short: table, factor, is_spread: true, ..self };
                }
            }
            slots *= 2;
        }
        self
    }

    /// The number of words.
    #[must_use]
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// The total length of the words in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The words in order of their codes.
    pub fn words(&self) -> impl Iterator<Item = &[u8]> {
        (1..=self.count()).map(|code| self.word(code as u32))
    }

    fn word(&self, code: u32) -> &[u8] {
        let at = code as usize - 1;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[at]]
    }

    /// A short digest of the words.
    #[must_use]
    pub fn digest(&self) -> String {
        let lengths: Vec<u8> = self.ends.iter().flat_map(|&end| (end as u64).to_le_bytes()).collect();
        format!("{:032x}{:032x}", xxh3_128(&self.text), xxh3_128(&lengths))
    }

    /// Appends a word. Returns `false` if it already exists.
    pub fn add(&mut self, word: &[u8]) -> bool {
        if self.code(word) != 0 {
            return false;
        }
        self.text.extend_from_slice(word);
        self.ends.push(self.text.len());
        let code = self.count() as u32;
        if word.len() <= SHORT {
            self.is_spread = false;
            self.shorts += 1;
            if 2 * self.shorts > self.short.len() {
                let grown = vec![Short::default(); (4 * self.shorts).next_power_of_two()];
                for old in std::mem::replace(&mut self.short, grown) {
                    place_short(&mut self.short, self.factor, old);
                }
            }
            place_short(
                &mut self.short,
                self.factor,
                Short { word: halves(packed(word)), length: word.len() as u32, code },
            );
        } else {
            self.longs += 1;
            if 2 * self.longs > self.long.len() {
                self.long = vec![(0, 0); (4 * self.longs).next_power_of_two()];
                for code in (1..code).filter(|&code| self.word(code).len() > SHORT).collect::<Vec<_>>() {
                    let hash = xxh3_64(self.word(code));
                    place_long(&mut self.long, hash, code);
                }
            }
            place_long(&mut self.long, xxh3_64(word), code);
        }
        true
    }

    /// The code of a word; 0 if it is unknown.
    #[must_use]
    pub fn code(&self, word: &[u8]) -> u32 {
        if word.len() <= SHORT { self.short_code(packed(word), word.len()) } else { self.long_code(word) }
    }

    /// The code of the word at `place`.
    #[inline(always)]
    pub(crate) fn code_at(&self, text: &[u8], place: Range<usize>) -> u32 {
        let Some(word) = packed_at(text, &place) else { return self.long_code(&text[place]) };
        let at = first_place(halves(word), self.factor, self.short.len());
        match self.short.get(at) {
            Some(first) if first.is(halves(word), place.len()) => first.code,
            Some(first) if self.is_spread || first.code == 0 => 0,
            _ => self.short_code(word, place.len()),
        }
    }

    /// Like [`Vocabulary::code_at`], but compares the word with the latest one before it looks it up.
    #[inline]
    pub(crate) fn code_again(&self, text: &[u8], place: Range<usize>, latest: &mut Latest) -> u32 {
        if latest.stands_at(text, &place) {
            return latest.code;
        }
        let code = self.code_at(text, place.clone());
        if let (true, Some(word)) = (code != 0, packed_at(text, &place)) {
            *latest = Latest { word, bits: BITS[place.len()], length: place.len(), code };
        }
        code
    }

    #[inline(never)]
    fn short_code(&self, word: u128, length: usize) -> u32 {
        if self.short.is_empty() {
            return 0;
        }
        let word = halves(word);
        let mut at = first_place(word, self.factor, self.short.len());
        loop {
            let found = &self.short[at];
            if found.code == 0 || found.is(word, length) {
                return found.code;
            }
            at = (at + 1) & (self.short.len() - 1);
        }
    }

    fn long_code(&self, word: &[u8]) -> u32 {
        if self.long.is_empty() {
            return 0;
        }
        let hash = xxh3_64(word);
        let mut at = hash as usize & (self.long.len() - 1);
        loop {
            let (tag, code) = self.long[at];
            if code == 0 || (tag == (hash >> 32) as u32 && self.word(code) == word) {
                return code;
            }
            at = (at + 1) & (self.long.len() - 1);
        }
    }
}

/// Omits the words, which may be numerous.
impl Debug for Vocabulary {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        write!(to, "Vocabulary({} {})", self.count(), self.digest())
    }
}

fn place_short(table: &mut [Short], factor: Factor, new: Short) {
    if new.code != 0 {
        let mut at = first_place(new.word, factor, table.len());
        while table[at].code != 0 {
            at = (at + 1) & (table.len() - 1);
        }
        table[at] = new;
    }
}

fn place_long(table: &mut [(u32, u32)], hash: u64, code: u32) {
    let mut at = hash as usize & (table.len() - 1);
    while table[at].1 != 0 {
        at = (at + 1) & (table.len() - 1);
    }
    table[at] = ((hash >> 32) as u32, code);
}

/// The word at `place`, the first byte lowest, if it has up to sixteen bytes.
#[inline]
pub(super) fn packed_at(text: &[u8], place: &Range<usize>) -> Option<u128> {
    let bits = BITS.get(place.len())?;
    Some(match text[place.start..].first_chunk() {
        Some(&bytes) => u128::from_le_bytes(bytes) & bits,
        None => packed(&text[place.clone()]),
    })
}

/// Up to sixteen bytes, the first one lowest.
fn packed(bytes: &[u8]) -> u128 {
    bytes.iter().rev().fold(0, |word, &byte| word << 8 | u128::from(byte))
}

fn halves(word: u128) -> [u64; 2] {
    [word as u64, (word >> 64) as u64]
}

/// The first slot to probe for a short word. The table length must be a power of two.
#[inline]
fn first_place([low, high]: [u64; 2], factor: Factor, length: usize) -> usize {
    let hash = (low ^ high.rotate_left(23)).wrapping_mul(factor.0);
    (hash >> 32) as usize & length.wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_code_of_a_word_is_its_place(
            words in prop::collection::vec("[ab\0é]{0,3}|[ab\0é]{0,20}", 0..60),
            fields in prop::collection::vec("[ab\0é]{0,3}|[ab\0é]{0,20}", 0..100),
        ) {
            let mut known: Vec<&String> = vec![];
            let spread = Vocabulary::new(&words);
            let mut vocabulary = Vocabulary::default();
            for word in &words {
                let is_new = !known.contains(&word);
                prop_assert_eq!(vocabulary.add(word.as_bytes()), is_new);
                known.extend(is_new.then_some(word));
            }
            prop_assert!(vocabulary.words().eq(known.iter().map(|word| word.as_bytes())));
            let mut latest = Latest::NONE;
            for field in fields.iter().chain(&words) {
                let expected = known.iter().position(|word| *word == field).map_or(0, |at| at as u32 + 1);
                prop_assert_eq!(vocabulary.code(field.as_bytes()), expected, "{:?}", field);
                prop_assert_eq!(spread.code(field.as_bytes()), expected, "{:?}", field);
                let text = format!("a{field}b\0a,bbbbbbbbbbbbb");
                prop_assert_eq!(vocabulary.code_at(text.as_bytes(), 1..1 + field.len()), expected, "{:?}", field);
                for end in [text.len(), 1 + field.len()] {
                    let code = vocabulary.code_again(&text.as_bytes()[..end], 1..1 + field.len(), &mut latest);
                    prop_assert_eq!(code, expected, "{:?}", field);
                }
            }
        }

        #[test]
        fn other_words_have_another_digest(
            one in prop::collection::vec("[ab]{0,3}", 0..5),
            other in prop::collection::vec("[ab]{0,3}", 0..5),
        ) {
            let (one, other) = (Vocabulary::new(&one), Vocabulary::new(&other));
            prop_assert_eq!(one.words().eq(other.words()), one.digest() == other.digest());
        }
    }
}
