//! How many rows a text has, without looking at their fields.

use memchr::{memchr, memchr_iter, memmem};

use crate::dialect::Dialect;
use crate::error::Error;
use crate::number::WINDOW;
use crate::split::Text;

/// Counts the rows of a text; those before the error, if a quoted field is wrong.
pub(crate) fn count_rows(text: &Text, dialect: Dialect) -> (usize, Option<Error>) {
    if text.has_quotes() {
        return count_quoted(text, dialect);
    }
    let bytes = text.bytes();
    let lines = memchr_iter(b'\n', bytes).count();
    let may_have_blank_lines = is_blank_line_first(bytes)
        || memmem::find(bytes, b"\n\n").is_some()
        || (memchr(b'\r', bytes).is_some() && memmem::find(bytes, b"\n\r\n").is_some());
    (if may_have_blank_lines { count_filled(bytes) } else { lines }, None)
}

fn is_blank_line_first(bytes: &[u8]) -> bool {
    matches!(bytes, [b'\n', ..] | [b'\r', b'\n', ..])
}

/// The lines that are not blank, one by one.
fn count_filled(bytes: &[u8]) -> usize {
    let mut rows = 0;
    let mut start = 0;
    for newline in memchr_iter(b'\n', bytes) {
        rows += usize::from(!matches!(bytes[start..newline], [] | [b'\r']));
        start = newline + 1;
    }
    rows
}

/// The rows of a text with quotes, field by field.
fn count_quoted(text: &Text, dialect: Dialect) -> (usize, Option<Error>) {
    let padded = text.padded();
    let bytes = &padded[..padded.len() - WINDOW];
    let mut rows = 0;
    let (mut field, mut row) = (WINDOW, WINDOW);
    while field < bytes.len() {
        let end = match dialect.field_end(bytes, field) {
            Ok(end) => end,
            Err(bad) => return (rows, Some(bad.into_error(bytes, text.offset.wrapping_sub(WINDOW as u64)))),
        };
        field = end + 1;
        if bytes[end] == b'\n' {
            rows += usize::from(!matches!(bytes[row..end], [] | [b'\r']));
            row = field;
        }
    }
    (rows, None)
}
