//! Bitmasks of the special bytes of a text, in 64-byte chunks.

use crate::dialect::Dialect;

/// Bitmasks of a chunk. The lowest bit stands for the first byte.
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
    /// The masks of the first `count` bytes only.
    #[inline(always)]
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

/// The bytes that delimit and quote fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Special {
    pub delimiter: u8,
    pub quote: u8,
}

impl Special {
    /// The special bytes of a dialect, if it has quotes.
    pub(crate) fn of(dialect: Dialect) -> Option<Self> {
        dialect.quote.map(|quote| Self { delimiter: dialect.delimiter, quote })
    }
}
