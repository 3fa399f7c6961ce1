//! Which fields hold no value.

use std::ops::Range;

use crate::dialect::{Dialect, Encoding, trim, unquote};
use crate::value::Vocabulary;
use crate::value::number::Notation;

/// The tokens read as missing unless others are given; the empty field always is.
pub const MISSING: [&str; 17] = [
    "NA", "N/A", "n/a", "#N/A", "#N/A N/A", "#NA", "<NA>", "NaN", "nan", "NAN", "-NaN", "-nan", "NULL", "null", "None",
    "?", "\\N",
];

/// The tokens that mean "no value".
#[derive(Clone, Debug)]
pub struct Missing {
    tokens: Vocabulary,
    /// The values of those tokens that are numbers, which the fast path would take at their word.
    numbers: Vec<f32>,
    /// Whether one of the tokens has a digit, so that it may be a number in some form.
    has_digits: bool,
    encoding: Encoding,
}

impl Missing {
    /// These tokens, and the empty field.
    pub fn new<T: AsRef<str>>(tokens: impl IntoIterator<Item = T>) -> Self {
        Self::of(tokens, Dialect::default())
    }

    /// The same as a file of that dialect writes them.
    pub fn of<T: AsRef<str>>(tokens: impl IntoIterator<Item = T>, dialect: Dialect) -> Self {
        // What cannot be written cannot stand in the file.
        let bytes = |token: T| dialect.encoding.bytes_of(token.as_ref().trim());
        let tokens: Vec<Box<[u8]>> = tokens.into_iter().filter_map(bytes).collect();
        let notation = Notation::of(dialect);
        let numbers = tokens.iter().filter_map(|token| notation.parse(token)).filter(|n| !n.is_nan());
        let has_digits = tokens.iter().any(|token| token.iter().any(u8::is_ascii_digit));
        Self { numbers: numbers.collect(), tokens: Vocabulary::new(&tokens), has_digits, encoding: dialect.encoding }
    }

    /// Whether `field`, without its quotes and the spaces around it, means "no value".
    pub(crate) fn contains(&self, field: &[u8]) -> bool {
        field.is_empty() || self.tokens.code(field) != 0
    }

    /// The same of a word that is not written yet.
    pub(crate) fn contains_word(&self, word: &str) -> bool {
        self.encoding.bytes_of(word).is_some_and(|field| self.contains(&field))
    }

    /// Whether the field at `place` is empty or one of the tokens as it stands.
    #[inline]
    pub(crate) fn contains_at(&self, text: &[u8], place: Range<usize>) -> bool {
        place.is_empty() || self.tokens.code_at(text, place) != 0
    }

    /// Whether some tokens are numbers.
    pub(crate) fn has_numbers(&self) -> bool {
        !self.numbers.is_empty()
    }

    /// Whether some tokens may be numbers in one of the forms that columns may have.
    pub(crate) fn has_digits(&self) -> bool {
        self.has_digits
    }

    /// Whether a field of this value may be a missing token, so that its text has to be looked at.
    pub(crate) fn may_be(&self, value: f32) -> bool {
        self.numbers.contains(&value)
    }
}

impl Default for Missing {
    fn default() -> Self {
        Self::new(MISSING)
    }
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A number.
    Number(f32),
    /// No value.
    Missing,
    /// Neither.
    Other,
}

/// The value of any field, read with care instead of haste.
pub fn value(field: &[u8], dialect: Dialect, missing: &Missing) -> Value {
    if is_missing(field, dialect, missing) {
        return Value::Missing;
    }
    Notation::of(dialect).parse(&unquote(field, dialect)).map_or(Value::Other, Value::Number)
}

/// Whether a field means "no value".
pub(crate) fn is_missing(field: &[u8], dialect: Dialect, missing: &Missing) -> bool {
    // Most often a token stands by itself, and one with an escape as it is written.
    let is_quoted = field.first().copied() == dialect.quote;
    !is_quoted && missing.contains(if dialect.escape.is_some() { trim(field) } else { field })
        || missing.contains(&unquote(field, dialect))
}
