//! The categories of a column, and the lookup of a field among them.

use std::fmt::{self, Debug, Formatter};
use std::ops::Range;

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::number::Token;
use super::spread::Spread;
use super::word::{BITS, ODD, SHORT, Short, halves, joined, packed, packed_at};
use crate::literal::literal;

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
    /// A hash table of the longer words: some bits of the hash, and the code.
    long: Vec<(u32, u32)>,
    longs: usize,
    /// All words, each in a slot of its own, once no more are added.
    spread: Option<Spread>,
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
    #[must_use]
    pub fn shown(&self) -> String {
        const SHOWN: usize = 10;
        let word = |word| literal(&String::from_utf8_lossy(word));
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

    /// Gives each word a slot of its own, if it can, so that the first look decides. Which of several words comes next is
    /// unpredictable, and a wrong prediction takes longer than the rest.
    #[must_use]
    pub(crate) fn spread(mut self) -> Self {
        self.spread = Spread::of(self.count(), self.words());
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

    /// The word with this code.
    pub(crate) fn word(&self, code: u32) -> &[u8] {
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
        self.spread = None;
        if word.len() <= SHORT {
            self.shorts += 1;
            if 2 * self.shorts > self.short.len() {
                let grown = vec![Short::default(); (4 * self.shorts).next_power_of_two()];
                for old in std::mem::replace(&mut self.short, grown) {
                    place_short(&mut self.short, old);
                }
            }
            place_short(&mut self.short, Short { word: halves(packed(word)), length: word.len() as u32, code });
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

    /// The code of the word at `place`; 0 if it is unknown.
    #[inline(always)]
    pub(crate) fn code_at(&self, text: &[u8], place: Range<usize>) -> u32 {
        match (packed_at(text, &place), &self.spread) {
            (Some(word), Some(spread)) => spread.short_code(halves(word), place.len()),
            (Some(word), None) => self.short_code(word, place.len()),
            (None, _) => self.long_code_at(text, place),
        }
    }

    /// Like [`Vocabulary::code_at`], for words of more than sixteen bytes. Not inlined: the lookup of shorter ones needs all
    /// registers.
    #[inline(never)]
    fn long_code_at(&self, text: &[u8], place: Range<usize>) -> u32 {
        match &self.spread {
            Some(spread) if spread.has_long() => spread.long_code(&self.text, &text[place]),
            _ => self.long_code(&text[place]),
        }
    }

    /// The words, each in a slot of its own, if a field that consists of one of them cannot be anything else: no word begins
    /// with a quote or has spaces around it.
    pub(crate) fn literal(&self, quote: Option<u8>) -> Option<Literal<'_>> {
        let spread = self.spread.as_ref().filter(|spread| spread.is_literal(quote))?;
        Some(Literal { spread, vocabulary: self })
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
        let mut at = first_place(word, self.short.len());
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

/// The words of a vocabulary as fields have them.
#[derive(Clone, Copy)]
pub(crate) struct Literal<'a> {
    spread: &'a Spread,
    vocabulary: &'a Vocabulary,
}

impl Literal<'_> {
    /// The code of the word at `place`; 0 if it is unknown.
    #[inline(always)]
    pub(crate) fn code_at(self, text: &[u8], place: Range<usize>) -> u32 {
        match packed_at(text, &place) {
            Some(word) => self.spread.short_code(halves(word), place.len()),
            None => self.vocabulary.long_code_at(text, place),
        }
    }
}

/// Omits the words, which may be numerous.
impl Debug for Vocabulary {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        write!(to, "Vocabulary({} {})", self.count(), self.digest())
    }
}

fn place_short(table: &mut [Short], new: Short) {
    if new.code != 0 {
        let mut at = first_place(new.word, table.len());
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

/// The first slot to probe for a short word. The table length must be a power of two.
#[inline]
fn first_place(word: [u64; 2], length: usize) -> usize {
    (joined(word).wrapping_mul(ODD) >> 32) as usize & length.wrapping_sub(1)
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
                for vocabulary in [&vocabulary, &spread] {
                    prop_assert_eq!(vocabulary.code_at(text.as_bytes(), 1..1 + field.len()), expected, "{:?}", field);
                }
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
