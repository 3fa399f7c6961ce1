//! The bytes that a text with quotes is made of, as masks, in 64-byte steps.

use crate::dialect::Dialect;

/// One bit for each byte of a chunk, the first byte's the lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Masks {
    /// Delimiters and newlines.
    pub ends: u64,
    /// Newlines.
    pub newlines: u64,
    /// Quotes.
    pub quotes: u64,
    /// Carriage returns.
    pub returns: u64,
}

impl Masks {
    /// The first `count` bytes alone.
    pub(super) fn first(self, count: usize) -> Self {
        let kept = (1 << count) - 1;
        Self {
            ends: self.ends & kept,
            newlines: self.newlines & kept,
            quotes: self.quotes & kept,
            returns: self.returns & kept,
        }
    }
}

/// The bytes that make fields and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Special {
    pub delimiter: u8,
    pub quote: u8,
}

impl Special {
    /// Those of a dialect, if it has quotes.
    pub(crate) fn of(dialect: Dialect) -> Option<Self> {
        dialect.quote.map(|quote| Self { delimiter: dialect.delimiter, quote })
    }
}
