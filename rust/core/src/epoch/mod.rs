//! The rows of a selection in the order of an epoch: file order, or a new order each time.

pub mod cache;
mod counting;
mod in_order;
pub mod portion;
mod selecting;
pub mod selection;
mod shuffled;
mod strata;
mod units;
pub mod windows;

use std::ops::Range;
use std::sync::Arc;

pub(crate) use in_order::InOrder;
pub use in_order::in_order;
pub use shuffled::{Mixing, shuffled, shuffled_windows};

use crate::choose::windows::Windows;
use crate::pipeline::Done;
use crate::rows::{Block, Pool, Widths};
use crate::table::Table;
use cache::{Cache, Writer};
use selection::{Reader, Selection};

/// The rows of a selection, readable slice by slice in any order.
#[derive(Clone)]
pub struct Rows {
    table: Table,
    selection: Arc<Selection>,
    cache: Option<Arc<Cache>>,
    /// Stores the rows while the cache is being written.
    writer: Option<Arc<Writer>>,
    /// The windows for which the rows are read, if for any.
    windows: Option<Arc<Windows>>,
}

impl Rows {
    /// The rows of a table, read from `cache` where possible. If the cache has no file and the epoch will read all rows
    /// (`whole`), writes the file.
    #[must_use]
    pub fn new(table: Table, selection: Arc<Selection>, cache: Option<Arc<Cache>>, whole: bool) -> Self {
        Self { table, selection, cache, writer: None, windows: None }.writing(whole)
    }

    /// Like [`Rows::new`], but only the rows that windows need.
    #[must_use]
    pub fn of_windows(
        table: Table,
        selection: Arc<Selection>,
        cache: Option<Arc<Cache>>,
        whole: bool,
        windows: Arc<Windows>,
    ) -> Self {
        Self { table, selection, cache, writer: None, windows: Some(windows) }.writing(whole)
    }

    /// Writes the cache if it has no file and all rows will be read.
    fn writing(mut self, whole: bool) -> Self {
        if let Some(cache) = self.cache.as_ref().filter(|_| whole) {
            self.writer = cache.begin(&self.selection, &self.table.schema.fill, |slice| self.needs(slice));
        }
        self
    }

    /// Whether the rows of a slice are read at all.
    fn needs(&self, slice: usize) -> bool {
        let rows = self.selection.rows_before(slice)..self.selection.rows_before(slice + 1);
        self.windows.as_ref().is_none_or(|windows| windows.need(rows))
    }

    fn reader(&self) -> RowReader {
        RowReader { rows: self.clone(), text: Reader::new(&self.table, &self.selection) }
    }

    /// Bytes of text in a slice.
    fn text_bytes(&self, slice: usize) -> u64 {
        let bytes = self.selection.row_index().bytes(slice..slice + 1);
        bytes.end - bytes.start
    }

    /// Bytes of the values of a slice.
    fn value_bytes(&self, slice: usize) -> u64 {
        4 * Widths::of(&self.table.schema).total() as u64 * self.count(slice..slice + 1)
    }

    /// How many rows, or windows, begin in some slices.
    fn items(&self, slices: Range<usize>) -> u64 {
        match &self.windows {
            None => self.count(slices),
            Some(windows) => {
                let before = |slice| windows.before(self.selection.rows_before(slice));
                before(slices.end) - before(slices.start)
            }
        }
    }

    /// How many rows, or windows, there are.
    fn all_items(&self) -> u64 {
        self.windows.as_ref().map_or_else(|| self.selection.rows(), |windows| windows.count())
    }

    fn count(&self, slices: Range<usize>) -> u64 {
        self.selection.rows_before(slices.end) - self.selection.rows_before(slices.start)
    }
}

/// Reads slices. Each thread has one.
struct RowReader {
    rows: Rows,
    text: Reader,
}

impl RowReader {
    /// Reads consecutive slices up to the first wrong row, and returns its error.
    fn read(&mut self, slices: Range<usize>, pool: &Arc<Pool>) -> Done<Block> {
        let Rows { selection, cache, writer, .. } = &self.rows;
        if let Some(block) = cache.as_ref().and_then(|cache| cache.read(selection, slices.clone(), pool)) {
            return Done::with(block);
        }
        let done = self.text.read_counted(slices.clone(), pool);
        if let (Some(writer), Some(block), None) = (writer, &done.item, &done.error) {
            writer.write(selection, slices, block);
        }
        done
    }
}

#[cfg(test)]
pub(crate) mod tests;
