//! Tokens that mean "no value".

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::dialect::{Dialect, Encoding, trim, unquote};
use crate::value::Vocabulary;
use crate::value::number::Notation;
use crate::value::vocabulary::Latest;

/// The tokens that are read as missing by default. An empty field is always missing.
pub const MISSING: [&str; 17] = [
    "NA", "N/A", "n/a", "#N/A", "#N/A N/A", "#NA", "<NA>", "NaN", "nan", "NAN", "-NaN", "-nan", "NULL", "null", "None",
    "?", "\\N",
];

/// The tokens that mean "no value".
#[derive(Clone, Debug)]
pub struct Missing {
    tokens: Vocabulary,
    /// The values of the tokens that are numbers. The fast path parses such a field before it compares tokens.
    numbers: Vec<f32>,
    /// Whether a token contains a digit and may therefore be a number in some form.
    has_digits: bool,
    encoding: Encoding,
    /// The first field that has the value of such a token, and is written differently.
    spelling: Arc<OnceLock<Box<[u8]>>>,
}

impl Missing {
    /// The encoding of the fields that are compared with the tokens.
    pub(crate) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// These tokens and the empty field.
    pub fn new<T: AsRef<str>>(tokens: impl IntoIterator<Item = T>) -> Self {
        Self::of(tokens, Dialect::default())
    }

    /// These tokens as a file in the given dialect writes them.
    pub fn of<T: AsRef<str>>(tokens: impl IntoIterator<Item = T>, dialect: Dialect) -> Self {
        // A token that the encoding cannot represent cannot occur in the file.
        let bytes = |token: T| dialect.encoding.bytes_of(token.as_ref().trim());
        let tokens: Vec<Box<[u8]>> = tokens.into_iter().filter_map(bytes).collect();
        let notation = Notation::of(dialect);
        let numbers = tokens.iter().filter_map(|token| notation.parse(token)).filter(|n| !n.is_nan());
        let has_digits = tokens.iter().any(|token| token.iter().any(u8::is_ascii_digit));
        let (numbers, tokens) = (numbers.collect(), Vocabulary::new(&tokens));
        Self { numbers, tokens, has_digits, encoding: dialect.encoding, spelling: Arc::default() }
    }

    /// Whether `field`, stripped of quotes and surrounding spaces, means "no value".
    pub(crate) fn contains(&self, field: &[u8]) -> bool {
        field.is_empty() || self.tokens.code(field) != 0
    }

    /// Whether a word means "no value" once it is encoded like the file.
    pub(crate) fn contains_word(&self, word: &str) -> bool {
        self.encoding.bytes_of(word).is_some_and(|field| self.contains(&field))
    }

    /// The same for a word in UTF-8.
    pub(crate) fn contains_utf8(&self, word: &[u8]) -> bool {
        std::str::from_utf8(word).is_ok_and(|word| self.contains_word(word))
    }

    /// Whether the raw field at `place` is empty or equals a token.
    #[inline]
    pub(crate) fn contains_at(&self, text: &[u8], place: Range<usize>) -> bool {
        place.is_empty() || self.tokens.code_at(text, place) != 0
    }

    /// The same, with the latest token that was found at a place.
    #[inline]
    pub(crate) fn contains_again(&self, text: &[u8], place: Range<usize>, latest: &mut Latest) -> bool {
        if place.is_empty() {
            *latest = Latest::empty(u32::MAX);
            return true;
        }
        self.tokens.code_again(text, place, latest) != 0
    }

    /// Whether some tokens are numbers.
    pub(crate) fn has_numbers(&self) -> bool {
        !self.numbers.is_empty()
    }

    /// Whether some tokens may be numbers in one of the forms.
    pub(crate) fn has_digits(&self) -> bool {
        self.has_digits
    }

    /// Whether a field with this value may be a missing token, so that its text must be compared.
    pub(crate) fn may_be(&self, value: f32) -> bool {
        self.numbers.contains(&value)
    }

    /// The first field so far that has the value of a token, but another text, and so is a number.
    #[must_use]
    pub fn spelling(&self) -> Option<&[u8]> {
        self.spelling.get().map(|field| &**field)
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
    /// Text that is not a number.
    Other,
}

/// Reads any field the slow, careful way.
#[must_use]
pub fn value(field: &[u8], dialect: Dialect, missing: &Missing) -> Value {
    if is_missing(field, dialect, missing) {
        return Value::Missing;
    }
    let text = unquote(field, dialect);
    let Some(number) = Notation::of(dialect).parse(&text) else { return Value::Other };
    if missing.may_be(number) {
        missing.spelling.get_or_init(|| (&*text).into());
    }
    Value::Number(number)
}

/// Whether a field means "no value".
pub(crate) fn is_missing(field: &[u8], dialect: Dialect, missing: &Missing) -> bool {
    // A token is usually written without quotes, and an escape in it is usually literal.
    let is_quoted = field.first().copied() == dialect.quote;
    !is_quoted && missing.contains(if dialect.escape.is_some() { trim(field) } else { field })
        || missing.contains(&unquote(field, dialect))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(field: &str) -> Value {
        value(field.as_bytes(), Dialect::default(), &Missing::default())
    }

    #[test]
    fn the_grammar_is_enforced() {
        for good in
            ["1", "+1", "-1.", ".5", "1.5e3", "1E-3", "1e+05", "00012", " 1\t", "\"1\"", "\" 1 \"", "inf", "-INFINITY"]
        {
            assert!(matches!(read(good), Value::Number(_)), "{good}");
        }
        for bad in [
            ".",
            "-",
            "+-1",
            "e5",
            "1e",
            "1e+",
            "1.2.3",
            "1_000",
            "0x10",
            "1 2",
            "1,5",
            "infi",
            " \"1\"",
            "1\0",
            "\"1\"\"2\"",
            "½",
            "1f",
        ] {
            assert_eq!(read(bad), Value::Other, "{bad}");
        }
    }

    #[test]
    fn missing_is_the_empty_field_and_the_tokens() {
        for missing in ["", "  ", "\"\"", "\" \"", "NA", " NA ", "\"NA\"", "null", "NaN"] {
            assert_eq!(read(missing), Value::Missing, "{missing}");
        }
        assert!(
            matches!(value(b"nan", Dialect::new(b',', None), &Missing::new::<&str>([])), Value::Number(n) if n.is_nan())
        );
        assert_eq!(value(b"NA", Dialect::new(b',', None), &Missing::new::<&str>([])), Value::Other);
    }
}
