//! What the bytes mean: delimiter, quote, escape, comments, numbers and encoding.

mod encoding;
mod undecided;

use std::borrow::Cow;

use memchr::{memchr, memmem};

pub use encoding::Encoding;
pub use undecided::{Choice, Undecided};

use crate::error::{Error, Kind};
use crate::number;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// The byte between two fields. Of spaces a run is one, and those at the beginning and the end of a line are none.
    pub delimiter: u8,
    /// The byte around a field that may hold delimiters and line ends; `None` when no byte means that.
    pub quote: Option<u8>,
    /// The byte before one that stands for itself, whatever it is.
    pub escape: Option<u8>,
    /// The first byte of a line that is left out.
    pub comment: Option<u8>,
    /// The byte before the digits below one: a dot or a comma.
    pub decimal: u8,
    /// The byte between groups of three digits.
    pub thousands: Option<u8>,
    /// How characters beyond ASCII are written.
    pub encoding: Encoding,
    /// Lines before the header, whatever they hold.
    pub skip_rows: u64,
}

impl Default for Dialect {
    fn default() -> Self {
        Self::new(b',', Some(b'"'))
    }
}

impl Dialect {
    /// One that is told by delimiter and quote, without escapes and comments, with numbers as programs write them.
    #[must_use]
    pub const fn new(delimiter: u8, quote: Option<u8>) -> Self {
        Self {
            delimiter,
            quote,
            escape: None,
            comment: None,
            decimal: b'.',
            thousands: None,
            encoding: Encoding::Utf8,
            skip_rows: 0,
        }
    }

    /// Whether runs of delimiters are one.
    pub(crate) fn has_runs(self) -> bool {
        self.delimiter == b' '
    }

    /// Whether there is a quote in `text`.
    pub(crate) fn quote_in(self, text: &[u8]) -> bool {
        self.quote.is_some_and(|quote| memchr(quote, text).is_some())
    }

    /// Whether there may be an escape or a comment in `text`, so that it has to be read byte by byte.
    pub(crate) fn takes_care(self, text: &[u8]) -> bool {
        self.escape.is_some_and(|escape| memchr(escape, text).is_some())
            || self.comment.is_some_and(|comment| {
                text.first() == Some(&comment) || memmem::find(text, &[b'\n', comment]).is_some()
            })
    }

    /// Whether a field says what its bytes are, without the spaces and the quotes around it.
    pub(crate) fn is_literal(self) -> bool {
        self.escape.is_none() && self.encoding == Encoding::Utf8
    }

    /// What a field says: without the spaces and tabs around it and what quotes and escapes it, in UTF-8.
    pub(crate) fn text(self, field: &[u8]) -> Cow<'_, [u8]> {
        self.encoding.to_utf8(number::unquote(field, self))
    }

    /// The error for `text`, which stands at a place of the source.
    pub(crate) fn error(self, kind: Kind, offset: u64, text: &[u8]) -> Error {
        Error::at(kind, offset, text, self.encoding)
    }
}

/// A field whose quotes or escapes are wrong.
#[derive(Debug)]
pub(crate) struct BadQuote {
    /// Position of the field in its text.
    pub position: usize,
    /// What is wrong.
    pub kind: Kind,
}

impl BadQuote {
    /// The error for a field of `text`, which starts at byte `offset` (modulo 2^64) of the source.
    pub(crate) fn into_error(self, text: &[u8], offset: u64, dialect: Dialect) -> Error {
        let field = &text[self.position..];
        let line = &field[..memchr(b'\n', field).unwrap_or(field.len())];
        let text = line.strip_suffix(b"\r").unwrap_or(line);
        dialect.error(self.kind, offset.wrapping_add(self.position as u64), text)
    }
}
