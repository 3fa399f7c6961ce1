//! Stage 3: a text to field marks: where each field ends, row by row.

mod portable;

use crate::dialect::{BadQuote, Dialect};
use crate::error::{Error, Kind};
use crate::number::{Fields, GROUP, WINDOW};
use crate::split::Text;

/// The marks of one text. Positions are those of [`Text::padded`].
#[derive(Default)]
pub(crate) struct Index {
    /// Where each field ends, after one mark before the first field. Each field starts after the mark before it.
    marks: Vec<u32>,
    /// The rows, in runs that lie without a gap in `marks`.
    runs: Vec<Run>,
}

/// Rows that follow each other without a blank line between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    /// The mark before the first field.
    before: usize,
    rows: usize,
}

impl Index {
    /// Finds the fields of a text whose rows have `columns` fields each. When a row is wrong, the rows before it are
    /// indexed and the error says what is wrong with it.
    pub(crate) fn fill(
        &mut self,
        text: &Text,
        dialect: Dialect,
        columns: usize,
        reference: &'static str,
    ) -> Option<Error> {
        let bytes = text.padded();
        self.marks.clear();
        self.marks.push(WINDOW as u32 - 1);
        self.runs.clear();
        let end = bytes.len() - WINDOW;
        let bad_quote = if text.has_quotes() {
            quoted_marks(&bytes[..end], dialect, &mut self.marks).err()
        } else {
            portable::marks(&bytes[..end], dialect.delimiter, &mut self.marks);
            None
        };
        let bad_row = self.find_runs(bytes, columns, text.has_quotes());
        let offset = text.offset.wrapping_sub(WINDOW as u64);
        if let Some(bad) = bad_row {
            return Some(bad.into_error(bytes, offset, columns, reference));
        }
        bad_quote.map(|bad| bad.into_error(&bytes[..end], offset))
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.runs.iter().map(|run| run.rows).sum()
    }

    /// The rows in groups of at most [`GROUP`], in file order.
    pub(crate) fn groups(&self, columns: usize) -> impl Iterator<Item = Rows<'_>> {
        self.runs.iter().flat_map(move |run| {
            let marks = &self.marks[run.before..=run.before + run.rows * columns];
            (0..run.rows).step_by(GROUP).map(move |first| {
                let rows = (run.rows - first).min(GROUP);
                Rows { marks: &marks[first * columns..=(first + rows) * columns], columns }
            })
        })
    }

    /// Groups the marks into rows of `columns` fields, leaving blank lines out, up to the first row that has another
    /// number of fields.
    fn find_runs(&mut self, bytes: &[u8], columns: usize, has_quotes: bool) -> Option<BadRow> {
        let is_newline = |mark: u32| bytes[mark as usize] == b'\n';
        // The common case: every `columns`-th mark is a newline, and there are no others.
        let rows = (self.marks.len() - 1) / columns;
        let newlines = || memchr::memchr_iter(b'\n', &bytes[WINDOW..bytes.len() - WINDOW]).count();
        let regular = columns > 1
            && !has_quotes
            && self.marks.len() == 1 + rows * columns
            && self.marks[1..].chunks_exact(columns).all(|row| is_newline(row[columns - 1]))
            && newlines() == rows;
        if regular {
            self.runs.push(Run { before: 0, rows });
            return None;
        }
        let mut before = 0;
        let mut run = Run { before, rows: 0 };
        while let Some(length) = self.marks[before + 1..].iter().position(|&mark| is_newline(mark)) {
            let found = length + 1;
            let start = self.marks[before] as usize + 1;
            let newline = self.marks[before + found] as usize;
            let blank = found == 1 && matches!(bytes[start..newline], [] | [b'\r']);
            if blank {
                self.runs.extend((run.rows > 0).then_some(run));
                run = Run { before: before + 1, rows: 0 };
            } else if found == columns {
                run.rows += 1;
            } else {
                self.runs.extend((run.rows > 0).then_some(run));
                return Some(BadRow { start, found, end: newline });
            }
            before += found;
        }
        self.runs.extend((run.rows > 0).then_some(run));
        None
    }
}

/// Some rows of a text: the mark before their first field, then where each field ends.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    marks: &'a [u32],
    columns: usize,
}

impl Rows<'_> {
    /// How many rows there are.
    pub(crate) fn count(self) -> usize {
        (self.marks.len() - 1) / self.columns
    }

    /// The fields of one column. A carriage return before a newline belongs to no field.
    pub(crate) fn fields(self, text: &[u8], column: usize, fields: &mut Fields) {
        fields.count = self.count().min(GROUP);
        let marks = &self.marks[column..];
        for row in 0..fields.count {
            let before = row * self.columns;
            fields.starts[row] = marks[before] + 1;
            fields.ends[row] = marks[before + 1];
        }
        if column + 1 == self.columns {
            for (end, start) in fields.ends.iter_mut().zip(fields.starts).take(fields.count) {
                *end -= u32::from(*end > start && text[*end as usize - 1] == b'\r');
            }
        }
    }
}

/// A row with a wrong number of fields.
struct BadRow {
    start: usize,
    end: usize,
    found: usize,
}

impl BadRow {
    fn into_error(self, bytes: &[u8], offset: u64, columns: usize, reference: &'static str) -> Error {
        let advice = match self.found {
            1 => ": is the delimiter another one, or the file cut off here?",
            found if found < columns => ": is the file cut off here?",
            _ => ": is a delimiter in a field that is not quoted?",
        };
        let kind = Kind::RowLength { found: self.found, expected: columns, reference, advice };
        let row = &bytes[self.start..self.end];
        Error::at(kind, offset.wrapping_add(self.start as u64), row.strip_suffix(b"\r").unwrap_or(row))
    }
}

/// The marks of a text with quotes, field by field.
fn quoted_marks(bytes: &[u8], dialect: Dialect, marks: &mut Vec<u32>) -> std::result::Result<(), BadQuote> {
    let mut start = WINDOW;
    while start < bytes.len() {
        let end = dialect.field_end(bytes, start)?;
        marks.push(end as u32);
        start = end + 1;
    }
    Ok(())
}

/// Counts the rows of a text without looking at their fields.
pub(crate) fn count_rows(text: &Text, dialect: Dialect) -> (usize, Option<Error>) {
    let bytes = text.bytes();
    if text.has_quotes() {
        let bytes = text.padded();
        let end = bytes.len() - WINDOW;
        let mut rows = 0;
        let (mut start, mut row) = (WINDOW, WINDOW);
        while start < end {
            match dialect.field_end(&bytes[..end], start) {
                Ok(field_end) => {
                    start = field_end + 1;
                    if bytes[field_end] == b'\n' {
                        rows += usize::from(!matches!(bytes[row..field_end], [] | [b'\r']));
                        row = start;
                    }
                }
                Err(bad) => {
                    return (rows, Some(bad.into_error(&bytes[..end], text.offset.wrapping_sub(WINDOW as u64))));
                }
            }
        }
        return (rows, None);
    }
    let mut rows = 0;
    let mut row = 0;
    for newline in memchr::memchr_iter(b'\n', bytes) {
        rows += usize::from(!matches!(bytes[row..newline], [] | [b'\r']));
        row = newline + 1;
    }
    (rows, None)
}
