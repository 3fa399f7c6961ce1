//! Rows in a quoted field: a stray quote opened it, and the next one, many rows later, closed it.
//!
//! A quoted field may have any number of lines. So only a field whose lines are like rows of the table is wrong: with as many
//! fields, and with numbers where the table has them.

use std::ops::Range;

use memchr::memchr_iter;

use super::arrangement::Arrangement;
use crate::dialect::{BadQuote, Dialect};
use crate::error::{Error, Kind};
use crate::fields::WINDOW;
use crate::index::{Careful, Index};
use crate::table::missing::{self, Value};
use crate::table::parts::Place;
use crate::table::schema::Schema;
use crate::text::Text;

/// The fewest line ends of a field whose lines may be rows: with numbers in them, and with none, where more lines could be
/// like rows by chance.
const LINES: usize = 11;
const LINES_WITHOUT_NUMBERS: usize = 50;

/// One line in so many may be unlike a row.
const OTHERS: usize = 10;

/// By so many, lines unlike rows may be ahead of those like them. Most texts have more among their first lines.
const FIRST: usize = 1;

/// What rows look like.
pub(super) struct Likeness<'a> {
    pub(super) schema: &'a Schema,
    pub(super) dialect: Dialect,
    pub(super) arrangement: &'a Arrangement,
}

impl Likeness<'_> {
    /// Ends the rows of an index before the first with rows in a quoted field, and returns the error of that row.
    pub(super) fn end_before_swallowed(&self, index: &mut Index, text: &Text) -> Option<Error> {
        if index.quoted_newlines() < LINES || self.arrangement.fields < 2 || self.dialect.has_runs() {
            return None;
        }
        let bytes = text.padded();
        let rows = index.groups(self.arrangement.fields, usize::MAX);
        let rows = rows.flat_map(|rows| (0..rows.count()).map(move |row| rows.line(bytes, row)));
        let wrong = index.bad_rows().iter().map(|bad| bad.place(bytes));
        let found = rows.filter_map(|row| self.field_of_rows(bytes, row));
        let found = found.chain(wrong.filter_map(|row| self.field_of_rows(bytes, row)));
        let (row, number, field) = found.min_by_key(|(row, ..)| *row)?;
        index.end_before(bytes, self.arrangement.fields, row);
        let lines = 1 + memchr_iter(b'\n', &bytes[field.clone()]).count();
        let bad = BadQuote { position: field.start, kind: Kind::RowsInQuotes { lines } };
        let error = bad.into_error(bytes, text.offset.wrapping_sub(WINDOW as u64), self.dialect);
        let column = match text.layout() {
            None => (number < self.schema.columns.len()).then_some(number),
            Some(layout) => layout.places.iter().position(|place| matches!(place, Place::Field(at) if *at == number)),
        };
        Some(Error { column, ..error })
    }

    /// The start of a row, and the number and the place of its quoted field with rows in it.
    fn field_of_rows(&self, bytes: &[u8], row: Range<usize>) -> Option<(usize, usize, Range<usize>)> {
        if row.len() < LINES * self.arrangement.fields || !self.holds_rows(&bytes[row.clone()]) {
            return None;
        }
        let (mut number, mut longest, mut most) = (0, None, LINES - 1);
        let end = row.end + memchr::memchr(b'\n', &bytes[row.end..])? + 1;
        let mut careful = Careful::new(self.dialect, &bytes[..end], row.start).skipping_bad_rows(true);
        let _ = careful.next_row(|field| {
            let newlines = memchr_iter(b'\n', &bytes[field.clone()]).count();
            if newlines > most && Some(bytes[field.start]) == self.dialect.quote {
                (longest, most) = (Some((number, field)), newlines);
            }
            number += 1;
        });
        let (number, field) = longest?;
        Some((row.start, number, field))
    }

    /// Whether the lines of a row, without the first and the last, are like rows.
    fn holds_rows(&self, row: &[u8]) -> bool {
        let mut newlines = memchr_iter(b'\n', row);
        let Some(first) = newlines.next() else { return false };
        let (mut start, mut like, mut unlike) = (first + 1, 0, 0);
        for newline in newlines {
            if self.is_like_row(&row[start..newline]) {
                like += 1;
            } else {
                unlike += 1;
            }
            if unlike > like + FIRST {
                return false;
            }
            start = newline + 1;
        }
        let needed = if self.arrangement.number_columns.is_empty() { LINES_WITHOUT_NUMBERS } else { LINES };
        1 + like + unlike >= needed && unlike <= (like + unlike) / OTHERS
    }

    /// Whether a line has as many fields as a row, with numbers where a row has them.
    fn is_like_row(&self, line: &[u8]) -> bool {
        let Arrangement { fields, number_columns, .. } = self.arrangement;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if memchr_iter(self.dialect.delimiter, line).count() != fields - 1 {
            return false;
        }
        let mut numbers = 0;
        let mut values = line.split(|&byte| byte == self.dialect.delimiter).enumerate();
        values.all(|(at, field)| {
            number_columns.binary_search(&at).is_err()
                || match missing::value(field, self.dialect, &self.schema.missing) {
                    Value::Number(_) => {
                        numbers += 1;
                        true
                    }
                    Value::Missing => true,
                    Value::Other => false,
                }
        }) && (numbers > 0 || number_columns.is_empty())
    }
}
