//! Describes how a file is written: delimiter, quote, escape, comments, numbers and encoding.

mod encoding;
mod unquote;

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memmem};

pub use encoding::Encoding;
pub(crate) use unquote::{inside, plain, trim, unquote};

use crate::error::{Error, Kind};

/// The maximum number of source bytes that an error quotes.
const QUOTED_TEXT: usize = 120;

pub(crate) const UTF8_BOM: &[u8] = b"\xEF\xBB\xBF";

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// The byte between two fields. If it is a space, a run of spaces is one delimiter, and spaces at the ends of a
    /// line are ignored.
    pub delimiter: u8,
    /// The byte around fields that may hold delimiters and line ends; `None` if the file has no quotes.
    pub quote: Option<u8>,
    /// The byte that makes the next byte literal.
    pub escape: Option<u8>,
    /// The first byte of a comment line.
    pub comment: Option<u8>,
    /// The decimal sign: a dot or a comma.
    pub decimal: u8,
    /// The thousands separator.
    pub thousands: Option<u8>,
    /// The encoding of characters beyond ASCII.
    pub encoding: Encoding,
    /// Lines to skip before the header.
    pub skip_rows: u64,
    /// Lines to skip after the header.
    pub skip_rows_after_header: u64,
    /// Whether spaces and tabs before an opening quote are dropped.
    pub skip_initial_space: bool,
    /// Whether spaces and tabs after a closing quote are dropped.
    pub skip_final_space: bool,
    /// Whether the fields that a row lacks at its end are read as missing values.
    pub fills_short_rows: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self::new(b',', Some(b'"'))
    }
}

impl Dialect {
    /// A dialect with this delimiter and quote, without escapes or comments, and with the usual notation of numbers.
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
            skip_rows_after_header: 0,
            skip_initial_space: false,
            skip_final_space: false,
            fills_short_rows: false,
        }
    }

    /// Whether a run of delimiters counts as one.
    pub(crate) fn has_runs(self) -> bool {
        self.delimiter == b' '
    }

    /// Whether `text` contains a quote.
    pub(crate) fn quote_in(self, text: &[u8]) -> bool {
        self.quote.is_some_and(|quote| memchr(quote, text).is_some())
    }

    /// Whether `text` may contain an escape, a comment or a space next to a quote. Such text must be scanned byte by
    /// byte.
    pub(crate) fn needs_careful_scan(self, text: &[u8]) -> bool {
        self.escape.is_some_and(|escape| memchr(escape, text).is_some())
            || self.comment.is_some_and(|comment| {
                text.first() == Some(&comment) || memmem::find(text, &[b'\n', comment]).is_some()
            })
            || (self.skip_initial_space || self.skip_final_space) && self.has_space_at_quote(text)
    }

    /// Whether `text` contains a quote next to a space, or starts or ends with either, so that the other may adjoin it.
    fn has_space_at_quote(self, text: &[u8]) -> bool {
        let Some(quote) = self.quote else { return false };
        let is_either = |byte: Option<&u8>| byte.is_some_and(|&byte| byte == quote || is_space(byte));
        let beside = |at: usize| is_space(text[at - 1]) || is_space(text[at + 1]);
        let mut quotes = memchr_iter(quote, text);
        is_either(text.first()) || is_either(text.last()) || quotes.any(beside)
    }

    /// Whether a field has nothing but spaces and tabs.
    pub(crate) fn is_blank(self, field: &[u8]) -> bool {
        field.is_empty() || self.text(field).iter().all(|&byte| is_space(byte))
    }

    /// Whether a field has spaces before its opening quote.
    pub(crate) fn has_space_before_quote(self, field: &[u8]) -> bool {
        let spaces = field.iter().take_while(|&&byte| is_space(byte)).count();
        spaces > 0 && self.quote.is_some() && field.get(spaces).copied() == self.quote
    }

    /// Whether any field of a row has spaces before its opening quote.
    pub(crate) fn row_has_space_before_quote(self, row: &[u8]) -> bool {
        row.split(|&byte| byte == self.delimiter).any(|field| self.has_space_before_quote(field))
    }

    /// Whether any field of a row has spaces after its closing quote.
    pub(crate) fn row_has_space_after_quote(self, row: &[u8]) -> bool {
        let is_spaced = |field: &[u8]| {
            let spaces = field.iter().rev().take_while(|&&byte| is_space(byte)).count();
            spaces > 0 && spaces < field.len() && Some(field[field.len() - spaces - 1]) == self.quote
        };
        let row = row.strip_suffix(b"\r").unwrap_or(row);
        row.split(|&byte| byte == self.delimiter).any(is_spaced)
    }

    /// Whether the quoted field at the beginning of `text` has only spaces after its closing quote.
    fn has_space_after_quote(self, text: &[u8]) -> bool {
        let Some(quote) = self.quote else { return false };
        let mut at = 1;
        while at < text.len() && (text[at] != quote || text.get(at + 1) == Some(&quote)) {
            at += if text[at] == quote || Some(text[at]) == self.escape { 2 } else { 1 };
        }
        let after = text.get(at + 1..).unwrap_or_default();
        let spaces = after.iter().take_while(|&&byte| is_space(byte)).count();
        let ends = |byte: &u8| *byte == self.delimiter || matches!(byte, b'\r' | b'\n');
        spaces > 0 && after.get(spaces).is_none_or(ends)
    }

    /// Whether the text of a field is its bytes, without the spaces and quotes around them.
    pub(crate) fn is_literal(self) -> bool {
        self.escape.is_none() && self.encoding == Encoding::Utf8
    }

    /// The text of a field in UTF-8, without surrounding spaces and tabs, quotes and escapes.
    pub(crate) fn text(self, field: &[u8]) -> Cow<'_, [u8]> {
        self.encoding.to_utf8(unquote(field, self))
    }

    /// The error for `text`, which is at this offset of the source.
    pub(crate) fn error(self, kind: Kind, offset: u64, text: &[u8]) -> Error {
        let shown = &text[..text.len().min(QUOTED_TEXT)];
        let mut quoted = String::from_utf8_lossy(&self.encoding.to_utf8(shown.into())).into_owned();
        if shown.len() < text.len() {
            quoted.push('…');
        }
        Error { kind, offset: Some(offset), column: None, text: Some(quoted) }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// A field with wrong quotes or escapes.
#[derive(Debug)]
pub(crate) struct BadQuote {
    /// Position of the field in its text.
    pub position: usize,
    /// What is wrong.
    pub kind: Kind,
}

impl BadQuote {
    /// The error for a field of `text`. The text starts at byte `offset` (modulo 2^64) of the source.
    pub(crate) fn into_error(self, text: &[u8], offset: u64, dialect: Dialect) -> Error {
        let field = &text[self.position..];
        let line = &field[..memchr(b'\n', field).unwrap_or(field.len())];
        let text = line.strip_suffix(b"\r").unwrap_or(line);
        let kind = match self.kind {
            Kind::TextAfterQuote if dialect.has_space_after_quote(text) => Kind::SpaceAfterQuote,
            kind => kind,
        };
        dialect.error(kind, offset.wrapping_add(self.position as u64), text)
    }
}
