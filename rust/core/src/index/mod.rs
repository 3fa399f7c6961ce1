//! Indexes a text: finds the end of each field, row by row.
//!
//! Most texts take a fast path, one for each instruction set. Texts with escapes, comments, runs of spaces or wrong quotes
//! are scanned byte by byte.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod bare;
mod careful;
mod chunks;
mod count;
mod lists;
mod marks;
mod masks;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "x86_64")]
mod pick;
mod portable;
mod quoted;
mod quotes;
mod row_ends;
mod rows;
mod scan;
#[cfg(test)]
pub(crate) mod tests;

use std::ops::Range;

use careful::Row;
pub(crate) use careful::{Careful, Event, Machine};
pub(crate) use chunks::{Instructions, Scan};
pub(crate) use count::count_rows;
pub(crate) use lists::ListIndex;
use marks::Marks;
pub(crate) use masks::{Masks, Special};
pub(crate) use quotes::{Last, Quotes, State};
pub use rows::Rows;
pub(crate) use scan::scan;

use crate::dialect::{BadQuote, Dialect};
use crate::error::{Error, Kind};
use crate::fields::WINDOW;
use crate::simd::Simd;
use crate::text::Text;

/// The index of one text. Positions refer to [`Text::padded`].
#[derive(Default)]
pub struct Index {
    /// The end of each field, preceded by one mark before the first field. Each field starts one byte after the mark
    /// before it.
    marks: Marks,
    /// Like `marks`, but with the position of the carriage return where a row ends with CRLF. Empty if no row does.
    /// After the careful scan, and if the marks are bare, only this tells where fields end, and `marks` where they start.
    trimmed: Marks,
    /// The quote, if the marks leave out the quotes around fields.
    bare: Option<u8>,
    /// Why the marks of the next text with quotes include those around fields.
    kept_quotes: KeptQuotes,
    /// The rows, as runs without gaps in `marks`.
    runs: Vec<Run>,
    /// Whether wrong rows are skipped as long as their end is known.
    skips_bad_rows: bool,
    /// The skipped rows.
    bad_rows: Vec<BadRow>,
    /// At least the number of newlines inside quotes.
    quoted_newlines: usize,
    /// Whether each row of the text ends with a delimiter.
    ends_empty: bool,
}

/// Why marks include the quotes around fields.
#[derive(Default)]
struct KeptQuotes {
    /// The latest text with quotes had others as well, or rows that bare marks do not suit.
    has_others: bool,
    /// The fields that are read have none, and it takes less time to include them.
    are_unread: bool,
}

/// Consecutive rows without a blank line between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    /// The mark before the first field.
    before: usize,
    rows: usize,
}

impl Index {
    /// An index that skips wrong rows if `skips_bad_rows` is set. An unclosed quote remains an error, because the end
    /// of its row is unknown.
    #[must_use]
    pub fn skipping_bad_rows(skips_bad_rows: bool) -> Self {
        Self { skips_bad_rows, ..Self::default() }
    }

    /// Sets whether the marks always include the quotes around fields. It takes less time to include them, and more to leave
    /// them out later.
    pub(crate) fn keep_quotes(&mut self, are_unread: bool) {
        self.kept_quotes.are_unread = are_unread;
    }

    /// Finds the fields of a text whose rows have `columns` fields each. At the first wrong row that is not skipped,
    /// indexes the rows before it and returns the error.
    pub fn fill(
        &mut self,
        simd: Simd,
        text: &Text,
        dialect: Dialect,
        columns: usize,
        reference: &'static str,
    ) -> Option<Error> {
        self.ends_empty = text.layout().is_some_and(|layout| layout.ends_empty);
        let wrong = self.find_rows(simd, text, dialect, columns, reference);
        if self.ends_empty {
            let bad_row = self.check_row_ends(text.padded(), columns, dialect);
            // This row precedes the one that ended the index.
            if let Some(bad_row) = bad_row {
                let offset = text.offset.wrapping_sub(WINDOW as u64);
                return Some(bad_row.error(text.padded(), offset, columns, reference, dialect));
            }
        }
        wrong
    }

    /// Like [`Index::fill`], but does not check the last field of a row.
    fn find_rows(
        &mut self,
        simd: Simd,
        text: &Text,
        dialect: Dialect,
        columns: usize,
        reference: &'static str,
    ) -> Option<Error> {
        if text.needs_careful_scan() || dialect.has_runs() {
            return self.fill_carefully(text, dialect, columns, reference);
        }
        let bytes = text.padded();
        let end = bytes.len() - WINDOW;
        self.start();
        let quoted = Special::of(dialect).filter(|_| text.has_quotes());
        if let Some(special) = quoted
            && self.fill_bare(simd, bytes, special, columns)
        {
            return None;
        }
        let marks = &mut self.marks;
        let found = if let Some(special) = quoted {
            quoted::fill(simd, &bytes[..end], special, marks)
        } else {
            let line_ends = plain_marks(simd, &bytes[..end], dialect.delimiter, columns, marks);
            Some(quoted::Found { line_ends, is_bare: true, quoted_newlines: 0 })
        };
        // Wrong quotes: the careful scan keeps the rows before them and finds the error.
        let Some(quoted::Found { line_ends, is_bare, quoted_newlines }) = found else {
            return self.fill_carefully(text, dialect, columns, reference);
        };
        self.quoted_newlines = quoted_newlines;
        let bad_row = self.find_runs(bytes, columns, &line_ends);
        if quoted.is_some() {
            self.kept_quotes.has_others =
                !is_bare || self.runs.len() > 1 || bad_row.is_some() || !self.bad_rows.is_empty();
        }
        let is_short = |bad: &BadRow| (bad.found as usize) < columns;
        if dialect.fills_short_rows && (bad_row.as_ref().is_some_and(is_short) || self.bad_rows.iter().any(is_short)) {
            return self.fill_carefully(text, dialect, columns, reference);
        }
        if line_ends.returns {
            self.trim(bytes, columns);
        }
        let offset = text.offset.wrapping_sub(WINDOW as u64);
        bad_row.map(|bad| bad.error(bytes, offset, columns, reference, dialect))
    }

    /// Like `find_rows`, but scans any text byte by byte.
    fn fill_carefully(
        &mut self,
        text: &Text,
        dialect: Dialect,
        columns: usize,
        reference: &'static str,
    ) -> Option<Error> {
        let padded = text.padded();
        let bytes = &padded[..padded.len() - WINDOW];
        let offset = text.offset.wrapping_sub(WINDOW as u64);
        self.start();
        self.marks.clear();
        self.trimmed.push(WINDOW as u32 - 1);
        let mut careful = Careful::new(dialect, bytes, WINDOW).skipping_bad_rows(self.skips_bad_rows);
        let mut run = Run { before: 0, rows: 0 };
        let wrong = loop {
            let before = self.marks.len();
            let row = careful.next_row(|field| {
                self.marks.push(field.start as u32 - 1);
                self.trimmed.push(field.end as u32);
            });
            let mut found = self.marks.len() - before;
            if dialect.fills_short_rows && matches!(row, Ok(Some(Row { stray: None, .. }))) {
                // Empty fields at the end of the last one.
                while found < columns {
                    let end = self.trimmed[self.trimmed.len() - 1];
                    self.marks.push(end - 1);
                    self.trimmed.push(end);
                    found += 1;
                }
            }
            match row {
                Ok(Some(row)) if found == columns && row.stray.is_none() => run.rows += 1,
                Ok(Some(row)) => {
                    let (start, end) = (row.start as u32, row.newline as u32);
                    let stray = row.stray.map(|stray| stray as u32);
                    let bad = BadRow { start, end, found: found as u32, stray, ends_empty: self.ends_empty };
                    if !self.skips_bad_rows {
                        break Some(bad.error(padded, offset, columns, reference, dialect));
                    }
                    self.bad_rows.push(bad);
                    self.runs.extend((run.rows > 0).then_some(run));
                    run = Run { before: self.marks.len(), rows: 0 };
                }
                Ok(None) => break None,
                Err(bad) => break Some(bad.into_error(bytes, offset, dialect)),
            }
        };
        self.runs.extend((run.rows > 0).then_some(run));
        if text.has_quotes() {
            let row_ends = self.rows() + self.bad_rows.len();
            self.quoted_newlines = memchr::memchr_iter(b'\n', bytes).count() - row_ends;
        }
        wrong
    }

    /// Starts over with the mark before the first field.
    fn start(&mut self) {
        self.runs.clear();
        self.bad_rows.clear();
        self.quoted_newlines = 0;
        self.trimmed.clear();
        self.bare = None;
        self.marks.clear();
        self.marks.push(WINDOW as u32 - 1);
    }

    /// The skipped rows.
    #[must_use]
    pub fn bad_rows(&self) -> &[BadRow] {
        &self.bad_rows
    }

    /// At least the number of newlines inside quotes.
    pub(crate) fn quoted_newlines(&self) -> usize {
        self.quoted_newlines
    }

    /// Leaves out all rows from `position` on.
    pub(crate) fn end_before(&mut self, padded: &[u8], columns: usize, position: usize) {
        let starts = |rows: Rows<'_>| (0..rows.count()).filter(|&row| rows.line(padded, row).start < position).count();
        let mut kept = self.groups(columns, usize::MAX).map(starts).sum::<usize>();
        for run in &mut self.runs {
            run.rows = run.rows.min(kept);
            kept -= run.rows;
        }
        self.runs.retain(|run| run.rows > 0);
        self.bad_rows.retain(|bad| (bad.start as usize) < position);
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.runs.iter().map(|run| run.rows).sum()
    }

    /// The rows in groups of at most `size`, in file order.
    pub fn groups(&self, columns: usize, size: usize) -> impl Iterator<Item = Rows<'_>> {
        let ends = if self.trimmed.is_empty() { &*self.marks } else { &*self.trimmed };
        self.runs.iter().flat_map(move |run| {
            (0..run.rows).step_by(size).map(move |first| {
                let count = (run.rows - first).min(size);
                let before = run.before + first * columns;
                let fields = count * columns;
                let (marks, ends) = (&self.marks[before..][..fields], &ends[before + 1..][..fields]);
                Rows { marks, ends, columns, bare: self.bare }
            })
        })
    }

    /// Groups the marks into rows of `columns` fields without blank lines, up to the first wrong row that is not
    /// skipped. `line_ends` describes the newlines among the marks.
    fn find_runs(&mut self, bytes: &[u8], columns: usize, line_ends: &LineEnds) -> Option<BadRow> {
        let is_newline = |mark: u32| bytes[mark as usize] == b'\n';
        // The common case: exactly every `columns`-th mark is a newline.
        let rows = (self.marks.len() - 1) / columns;
        let in_step = |ends: &LineEnds| {
            ends.in_step || self.marks[1..].chunks_exact(columns).all(|row| is_newline(row[columns - 1]))
        };
        let regular =
            columns > 1 && self.marks.len() == 1 + rows * columns && line_ends.newlines == rows && in_step(line_ends);
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
                let (start, end, found) = (start as u32, newline as u32, found as u32);
                let bad = BadRow { start, end, found, stray: None, ends_empty: self.ends_empty };
                if !self.skips_bad_rows {
                    return Some(bad);
                }
                self.bad_rows.push(bad);
                run = Run { before: before + length + 1, rows: 0 };
            }
            before += length + 1;
        }
        self.runs.extend((run.rows > 0).then_some(run));
        None
    }

    /// Excludes the carriage return before the newline from the last field of each row.
    fn trim(&mut self, bytes: &[u8], columns: usize) {
        let last_marks = self.runs.iter().flat_map(|run| (1..=run.rows).map(|row| run.before + row * columns));
        for mark in last_marks {
            let end = self.marks[mark];
            if bytes[end as usize - 1] == b'\r' && self.marks[mark - 1] + 1 < end {
                if self.trimmed.is_empty() {
                    self.trimmed.copy(&self.marks);
                }
                self.trimmed.filled()[mark] -= 1;
            }
        }
    }
}

/// Messages about the end of a row, in files whose rows end with a delimiter.
const VALUE_AT_END: &str = "a value stands after the last delimiter, and the first rows end with that delimiter: header=[...] \
                            can name one more column";
const VALUE_AT_END_OF_NAMED: &str = "a value stands after the last delimiter, and the first rows end with that delimiter: \
                                     header=[...] with skip_rows=1 can name one more column";
const NO_DELIMITER_AT_END: &str = "the row does not end with a delimiter as the first rows do: is the file cut off here, or a \
                                   field missing?";

/// A row with a wrong number of fields, with text after a closing quote, or with a value after its last delimiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadRow {
    start: u32,
    /// The position of its newline.
    end: u32,
    /// The number of its fields.
    found: u32,
    /// The start of the field with text after its closing quote.
    stray: Option<u32>,
    /// Whether rows should end with a delimiter. The expected number of fields then counts the empty one after it.
    ends_empty: bool,
}

impl BadRow {
    /// Its range in [`Text::padded`], without the line end.
    #[must_use]
    pub fn place(&self, padded: &[u8]) -> Range<usize> {
        let (start, end) = (self.start as usize, self.end as usize);
        start..end - usize::from(end > start && padded[end - 1] == b'\r')
    }

    /// What is wrong with it, in a few words.
    pub(crate) fn reason(self, columns: usize, reference: &'static str) -> &'static str {
        self.kind(columns, reference, b"", Dialect::default()).reason()
    }

    fn kind(self, columns: usize, reference: &'static str, row: &[u8], dialect: Dialect) -> Kind {
        if self.stray.is_some() {
            return Kind::TextAfterQuote;
        }
        let mut found = self.found as usize;
        let mut columns = columns;
        if self.ends_empty {
            let has_delimiter = row.last() == Some(&dialect.delimiter);
            columns -= 1;
            match found {
                _ if found == columns + 1 => {
                    let is_named = reference.starts_with("header") && reference != "header= given";
                    return Kind::RowEnd(if is_named { VALUE_AT_END_OF_NAMED } else { VALUE_AT_END });
                }
                _ if found == columns && !has_delimiter => return Kind::RowEnd(NO_DELIMITER_AT_END),
                _ => found -= usize::from(has_delimiter),
            }
        }
        let advice = match found {
            _ if memchr::memchr(b'\r', row).is_some() => {
                ": are the line ends mixed? A CR alone, as it has one, ends no line here"
            }
            _ if !dialect.skip_initial_space && dialect.row_has_space_before_quote(row) => {
                ": a space stands before a quote, which opens no field there, and skip_initial_space=True reads it"
            }
            1 => ": is the delimiter another one, or the file cut off here?",
            found if found < columns => ": is the file cut off here?",
            found if found == columns + 1 && row.last() == Some(&dialect.delimiter) => {
                ": it ends with a delimiter, which begins one more field, and not all rows end so. header=[...] with \
                 skip_rows=1 can name that field, too"
            }
            _ => ": is a delimiter in a field that is not quoted?",
        };
        Kind::RowLength { found, expected: columns, reference, advice }
    }

    /// Its error. The first byte of `padded` has offset `offset` (modulo 2^64) in the source.
    #[must_use]
    pub fn error(self, padded: &[u8], offset: u64, columns: usize, reference: &'static str, dialect: Dialect) -> Error {
        let row = self.place(padded);
        let kind = self.kind(columns, reference, &padded[row.clone()], dialect);
        match self.stray {
            Some(stray) => {
                let bad = BadQuote { position: stray as usize, kind };
                bad.into_error(&padded[..self.end as usize], offset, dialect)
            }
            None => dialect.error(kind, offset.wrapping_add(row.start as u64), &padded[row]),
        }
    }
}

/// The line ends of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LineEnds {
    /// The number of newlines.
    newlines: usize,
    /// Whether there is a carriage return.
    returns: bool,
    /// Whether the newlines are already known to be exactly the marks that end a row.
    in_step: bool,
}

/// The marks of a text without quotes.
#[cfg_attr(
    not(target_arch = "x86_64"),
    expect(unused_variables, reason = "AVX-512 alone asks how many columns there are")
)]
fn plain_marks(simd: Simd, bytes: &[u8], delimiter: u8, columns: usize, marks: &mut Marks) -> LineEnds {
    match simd {
        #[cfg(target_arch = "x86_64")]
        Simd::Avx512(avx512) => avx512::fill(avx512, bytes, delimiter, columns, marks),
        #[cfg(target_arch = "x86_64")]
        Simd::Avx2(avx2) => avx2::fill(avx2, bytes, delimiter, marks),
        #[cfg(target_arch = "aarch64")]
        Simd::Neon(neon) => neon::fill(neon, bytes, delimiter, marks),
        Simd::Portable => portable::fill(bytes, delimiter, marks),
    }
}
