//! Counts the rows of a text without parsing fields.

use memchr::{memchr, memchr_iter, memmem};

use super::careful::Careful;
use super::chunks::{Instructions, Scan};
use super::masks::{Masks, Special};
use super::quotes::{FieldEnds, Quotes, State};
use super::scan::scan;
use crate::dialect::Dialect;
use crate::error::Error;
use crate::simd::Simd;
use crate::text::Text;

/// Counts the rows of a text. If a quoted field is wrong, counts the rows before it and returns the error.
pub(crate) fn count_rows(simd: Simd, text: &Text, dialect: Dialect) -> (usize, Option<Error>) {
    if text.needs_careful_scan() || dialect.has_runs() {
        return count_carefully(text, dialect);
    }
    let bytes = text.bytes();
    let Some(special) = Special::of(dialect).filter(|_| text.has_quotes()) else { return (count_plain(bytes), None) };
    if let Some(rows) = count_quoted(simd, bytes, special) {
        return (rows, None);
    }
    count_carefully(text, dialect)
}

/// Counts the rows of a text without quotes.
fn count_plain(bytes: &[u8]) -> usize {
    let lines = memchr_iter(b'\n', bytes).count();
    let may_have_blank_lines = is_blank_line_first(bytes)
        || memmem::find(bytes, b"\n\n").is_some()
        || (memchr(b'\r', bytes).is_some() && memmem::find(bytes, b"\n\r\n").is_some());
    if may_have_blank_lines { count_filled(bytes) } else { lines }
}

fn is_blank_line_first(bytes: &[u8]) -> bool {
    matches!(bytes, [b'\n', ..] | [b'\r', b'\n', ..])
}

/// Counts the lines that are not blank.
fn count_filled(bytes: &[u8]) -> usize {
    let mut rows = 0;
    let mut start = 0;
    for newline in memchr_iter(b'\n', bytes) {
        rows += usize::from(!matches!(bytes[start..newline], [] | [b'\r']));
        start = newline + 1;
    }
    rows
}

/// Counts the rows of a text with quotes. Returns `None` if a field has wrong quotes.
pub(super) fn count_quoted(simd: Simd, bytes: &[u8], special: Special) -> Option<usize> {
    let counting = Counting {
        quotes: Quotes::new(State::FieldStart),
        field_ends: FieldEnds::default(),
        line_start: 1,
        lone_return: 0,
        rows: 0,
    };
    let Counting { quotes, field_ends, rows, .. } = scan(simd, bytes, special, counting);
    (field_ends.are_valid() && !quotes.is_inside()).then_some(rows)
}

/// Counts the newlines outside quotes that end more than a blank line.
struct Counting {
    quotes: Quotes,
    field_ends: FieldEnds,
    /// 1 if the next byte is the first of its line.
    line_start: u64,
    /// 1 if the previous byte is a carriage return and was the first of its line.
    lone_return: u64,
    rows: usize,
}

impl Scan for Counting {
    #[inline(always)]
    fn look<I: Instructions>(&mut self, instructions: I, _: usize, masks: Masks) {
        let followed = self.quotes.follow(instructions, &masks);
        self.field_ends.check(&masks, followed);
        let newlines = followed.ends & masks.newlines;
        let line_starts = newlines << 1 | self.line_start;
        let lone_returns = masks.returns & line_starts;
        // Leaves out the newlines of blank lines.
        let filled = newlines & !(line_starts | lone_returns << 1 | self.lone_return);
        (self.line_start, self.lone_return) = (newlines >> 63, lone_returns >> 63);
        self.rows += filled.count_ones() as usize;
    }
}

/// Counts the rows before the first field with wrong quotes, byte by byte.
fn count_carefully(text: &Text, dialect: Dialect) -> (usize, Option<Error>) {
    let bytes = text.bytes();
    let mut careful = Careful::new(dialect, bytes, 0);
    let mut rows = 0;
    loop {
        match careful.next_row(|_| {}) {
            Ok(Some(_)) => rows += 1,
            Ok(None) => return (rows, None),
            Err(bad) => return (rows, Some(bad.into_error(bytes, text.offset, dialect))),
        }
    }
}
