//! Rows with one more field than the header has names: they start with an index, or end with a delimiter.

use std::collections::HashSet;

use super::lines::{first_row, read_row};
use crate::dialect::Dialect;
use crate::error::Result;
use crate::index::Careful;
use crate::source::Source;
use crate::table::missing::{self, Missing};

/// Most rows to look at, and most bytes of them.
pub(super) const MOST_ROWS: usize = 256;
const MOST_BYTES: u64 = 1 << 20;

/// If wrong rows are skipped, how many rows must end with a delimiter for each one that does not.
const MUCH_MORE: usize = 8;

/// To find an index, first fields must differ among this many rows, each of at most this many bytes.
const INDEX_ROWS: usize = 64;
const INDEX_BYTES: usize = 1 << 16;

/// How to treat the field after the last delimiter of each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// It is a column.
    Kept,
    /// It is not a column: every row ends with a delimiter, including the first.
    Dropped,
    /// It is not a column: the rows end with a delimiter, but the names do not.
    Added,
}

/// What the rows have in addition to the named columns.
pub(super) struct Body {
    /// Whether the first column is an index without a name.
    pub has_index: bool,
    pub last: Last,
}

/// The first rows after a place, up to the first wrong one.
pub(super) struct FirstRows<'a> {
    source: &'a dyn Source,
    dialect: Dialect,
    start: u64,
    offset: u64,
    max_row: usize,
    count: usize,
    /// Whether the file ended.
    is_at_end: bool,
}

impl<'a> FirstRows<'a> {
    pub(super) fn new(source: &'a dyn Source, dialect: Dialect, start: u64, max_row: usize) -> Self {
        Self { source, dialect, start, offset: start, max_row, count: 0, is_at_end: false }
    }

    /// Calls `look` with the text and the fields of the next row. Returns `None` if there are no more rows to look at.
    fn next<T>(&mut self, look: impl FnOnce(&[u8], &[&[u8]]) -> T) -> Result<Option<T>> {
        if self.count == MOST_ROWS || self.offset - self.start > MOST_BYTES {
            return Ok(None);
        }
        let Some(start) = first_row(self.source, self.dialect, self.offset)? else {
            self.is_at_end = true;
            return Ok(None);
        };
        // Errors in this row are reported when it is read.
        let Ok((text, length)) = read_row(self.source, self.dialect, start, self.max_row) else { return Ok(None) };
        let mut fields = Vec::new();
        if Careful::new(self.dialect, &text, 0).next_row(|field| fields.push(&text[field])).is_err() {
            return Ok(None);
        }
        self.count += 1;
        self.offset = start + length as u64;
        Ok(Some(look(&text, &fields)))
    }
}

/// Counts how rows end.
pub(super) struct Ends {
    dialect: Dialect,
    /// The number of fields of a row that ends with a delimiter, including the empty one.
    width: usize,
    /// Rows that end with a delimiter, rows that have a value in that field, and rows without that field.
    ended: usize,
    with_value: usize,
    without: usize,
    /// How to treat the last field if it is not a column.
    last: Last,
    /// Whether wrong rows are skipped.
    skips: bool,
}

impl Ends {
    /// For rows of `columns` columns that may end with a delimiter.
    pub(super) fn added(columns: usize, dialect: Dialect, skips: bool) -> Self {
        Self { dialect, width: columns + 1, ended: 0, with_value: 0, without: 0, last: Last::Added, skips }
    }

    /// For rows like the first, if it ends with a delimiter.
    pub(super) fn dropped(first: &[&[u8]], dialect: Dialect, skips: bool) -> Option<Self> {
        let ends = Self { last: Last::Dropped, ..Self::added(first.len() - 1, dialect, skips) };
        (first.len() > 1 && dialect.is_blank(first[first.len() - 1])).then_some(ends)
    }

    /// How to treat the last field of the rows.
    pub(super) fn find(mut self, mut rows: FirstRows<'_>) -> Result<Last> {
        while self.is_open() && rows.next(|_, fields| self.add(fields))?.is_some() {}
        Ok(if self.is_empty(rows.is_at_end) { self.last } else { Last::Kept })
    }

    fn add(&mut self, fields: &[&[u8]]) {
        let is_blank = fields.last().is_some_and(|last| self.dialect.is_blank(last));
        self.ended += usize::from(fields.len() == self.width && is_blank);
        self.with_value += usize::from(fields.len() == self.width && !is_blank);
        self.without += usize::from(fields.len() + 1 == self.width);
    }

    /// Whether more rows could still show that the last field is always empty.
    fn is_open(&self) -> bool {
        self.with_value == 0 && (self.without == 0 || self.allows_others() || self.skips)
    }

    /// Whether the last field is empty in every row that has it, and so is not a column.
    ///
    /// `is_whole` tells whether the rows are the whole file. If wrong rows are skipped, a few rows that end with a
    /// delimiter may be the wrong ones, and right ones may follow.
    fn is_empty(&self, is_whole: bool) -> bool {
        let is_usual = if self.skips {
            let is_known = self.ended >= MUCH_MORE || (is_whole && self.without == 0);
            is_known && (self.allows_others() || self.ended > MUCH_MORE * self.without)
        } else {
            self.without == 0 || self.allows_others()
        };
        self.ended > 0 && self.with_value == 0 && is_usual
    }

    /// Whether rows without the field are no evidence: they are filled up, or wrong in either case.
    fn allows_others(&self) -> bool {
        self.last == Last::Dropped || self.dialect.fills_short_rows
    }
}

/// Checks whether the first field of each row is a row name, as R writes it.
struct Index {
    /// The number of fields of a row with a row name.
    width: usize,
    /// The distinct first fields.
    seen: HashSet<Vec<u8>>,
    is_possible: bool,
    /// Whether some row has a value in the last field, and in the one before it.
    has_last: bool,
    has_last_but_one: bool,
}

impl Index {
    fn add(&mut self, text: &[u8], fields: &[&[u8]], dialect: Dialect, missing: &Missing) {
        if !self.is_open() {
            return;
        }
        let is_missing = |field: &[u8]| missing::is_missing(field, dialect, missing);
        let [first, .., last] = *fields else {
            self.is_possible = false;
            return;
        };
        self.has_last |= !is_missing(last);
        self.has_last_but_one |= fields.len() > 2 && !is_missing(fields[fields.len() - 2]);
        self.is_possible = text.len() <= INDEX_BYTES
            && fields.len() == self.width
            && !is_missing(first)
            && self.seen.insert(dialect.text(first).into_owned());
    }

    fn is_open(&self) -> bool {
        self.is_possible && self.seen.len() < INDEX_ROWS
    }

    /// `has_last` tells whether the last column has a value.
    fn is_found(&self, has_last: bool) -> bool {
        // A single row may just be too long.
        self.is_possible && self.seen.len() > 1 && has_last
    }
}

/// Finds what the rows after a header have in addition to the named columns.
pub(super) fn after_names(names: &[&[u8]], mut rows: FirstRows<'_>, missing: &Missing, skips: bool) -> Result<Body> {
    let dialect = rows.dialect;
    let width = names.len();
    let mut index =
        Index { width: width + 1, seen: HashSet::new(), is_possible: true, has_last: false, has_last_but_one: false };
    let dropped = Ends::dropped(names, dialect, false);
    let is_dropped = dropped.is_some();
    let mut ends = dropped.unwrap_or_else(|| Ends::added(width, dialect, skips));
    // The same counts if the rows start with an index.
    let mut ends_after_index = Ends { last: Last::Dropped, ..Ends::added(width, dialect, false) };
    while index.is_open() || ends.is_open() {
        let row = rows.next(|text, fields| {
            index.add(text, fields, dialect, missing);
            ends.add(fields);
            ends_after_index.add(fields);
        })?;
        if row.is_none() {
            break;
        }
    }
    if is_dropped && ends_after_index.is_empty(rows.is_at_end) && index.is_found(index.has_last_but_one) {
        return Ok(Body { has_index: true, last: Last::Dropped });
    }
    // Rows of which only some end with a delimiter may be too long: R would write NA there.
    let has_index = index.is_found(index.has_last) && ends_after_index.ended == 0;
    // A header without rows may end with a delimiter, too.
    let is_empty = ends.is_empty(rows.is_at_end) || is_dropped && rows.count == 0;
    let last = if is_empty && !has_index { ends.last } else { Last::Kept };
    Ok(Body { has_index, last })
}
