//! The rows of a selection in the order of an epoch: file order, or a new order each time.

pub mod cache;
mod in_order;
pub mod portion;
pub mod selection;
mod shuffled;

use std::ops::Range;
use std::sync::Arc;

pub(crate) use in_order::InOrder;
pub use in_order::in_order;
pub use shuffled::{Mixing, shuffled};

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
}

impl Rows {
    /// The rows of a table, read from `cache` where possible. If the cache has no file and the epoch will read all rows
    /// (`whole`), writes the file.
    #[must_use]
    pub fn new(table: Table, selection: Arc<Selection>, cache: Option<Arc<Cache>>, whole: bool) -> Self {
        let writer = cache.as_ref().filter(|_| whole).and_then(|cache| cache.begin(&selection, &table.schema.fill));
        Self { table, selection, cache, writer }
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
