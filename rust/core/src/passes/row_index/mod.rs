//! The row index of a table: row-aligned slices of the source, and the number of rows in each.
//!
//! One pass builds a row index, several times as fast as parsing the values. With it, any row can be located and read
//! on its own, in any order. It takes 16 bytes for each slice, far less than a thousandth of the source.

mod share;

use std::ops::Range;
use std::sync::{Arc, MutexGuard};

use crate::budget::{BLOCK_BYTES, Budget, Size};
use crate::error::{Error, Kind, Result};
use crate::index;
use crate::pipeline::{Done, Jobs, Pipeline, Worker};
use crate::process::PerProcess;
use crate::rows::rejects::{self, Recording, Rejects, Tally};
use crate::rows::{Parser, Pool};
use crate::split::Splitter;
use crate::table::Table;
use crate::text::Text;
pub use share::Share;

/// The slices of a table.
#[derive(Debug)]
pub struct RowIndex {
    /// The start of each slice, then the end of the last one.
    starts: Vec<Start>,
    /// The number of rejects, and the rejects themselves unless the index comes from a cache.
    left_out: u64,
    rejects: Rejects,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Start {
    /// Byte offset.
    offset: u64,
    /// Number of rows before it.
    rows: u64,
}

/// The smallest and the largest slice size in bytes.
const FINEST: Size = Size { usual: 4 << 10, small: 32 };
const COARSEST: Size = Size { usual: 256 << 10, small: 128 };

/// How many slices one job counts, if they fit in a block.
const SLICES_IN_A_PIECE: u64 = 16;

impl RowIndex {
    /// The slice size for a source of `length` bytes that is mixed in windows of `window` bytes. A window should hold
    /// hundreds of slices from all over the source, but there should not be millions of slices.
    #[must_use]
    pub fn slice_bytes(length: u64, window: u64) -> u64 {
        (length / 4096).min(window / 256).max(length >> 20).clamp(FINEST.get() as u64, COARSEST.get() as u64)
    }

    /// Builds a row index. Stops with an error at the first reject beyond the limit. The result depends only on the
    /// table and `slice_bytes`, because orders and caches rely on it; `budget` limits threads and memory. Calls `check`
    /// several times a second and stops at the first error that it returns.
    pub fn make<E: From<Error>>(
        table: &Table,
        budget: Budget,
        slice_bytes: u64,
        check: impl FnMut() -> std::result::Result<(), E>,
    ) -> std::result::Result<Self, E> {
        let splitter = Splitter::of(table, piece_bytes(slice_bytes), budget.max_row, false).decompressing_ahead(budget);
        let mut tally = Tally::new(table.schema.max_rejects);
        let mut starts = Starts::of(table);
        SliceCounting::new(table, Arc::new(splitter), slice_bytes).run(
            budget,
            |counted: Vec<Counted>| {
                for slice in counted {
                    if let Some((_, error)) = tally.add(slice.rejects) {
                        return Err(error.into());
                    }
                    starts.add(&slice.bytes, slice.rows);
                }
                Ok(())
            },
            check,
        )?;
        Ok(Self { starts: starts.finish(), left_out: tally.count(), rejects: tally.into_found() })
    }

    /// Returns the index that this process already built for the same table, or builds one.
    pub fn remember<E: From<Error>>(
        table: &Table,
        budget: Budget,
        slice_bytes: u64,
        check: impl FnMut() -> std::result::Result<(), E>,
    ) -> std::result::Result<Arc<Self>, E> {
        let name = format!("{} {slice_bytes} {}", table.for_counting().description(), budget.max_row);
        let found = {
            let mut known = remembered();
            let at = known.iter().position(|(known, _)| *known == name);
            at.map(|at| {
                known[at..].rotate_left(1);
                Arc::clone(&known[known.len() - 1].1)
            })
        };
        // If the rejects exceed the limit, a new pass finds the one to report, which may not be remembered.
        let is_allowed = |row_index: &Arc<Self>| table.schema.max_rejects.is_none_or(|most| row_index.left_out <= most);
        if let Some(row_index) = found.filter(is_allowed) {
            return Ok(row_index);
        }
        let row_index = Arc::new(Self::make(table, budget, slice_bytes, check)?);
        let mut known = remembered();
        if known.len() == REMEMBERED_MOST {
            known.remove(0);
        }
        known.push((name, Arc::clone(&row_index)));
        Ok(row_index)
    }

    /// The number of slices.
    #[must_use]
    pub fn slices(&self) -> usize {
        self.starts.len() - 1
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows_before(self.slices())
    }

    /// The number of rows before a slice.
    #[must_use]
    pub fn rows_before(&self, slice: usize) -> u64 {
        self.starts[slice].rows
    }

    /// The number of rejected rows.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The rejects, unless the row index comes from a cache.
    #[must_use]
    pub fn rejects(&self) -> &Rejects {
        &self.rejects
    }

    /// The byte range of some slices in the source.
    #[must_use]
    pub fn bytes(&self, slices: Range<usize>) -> Range<u64> {
        self.starts[slices.start].offset..self.starts[slices.end].offset
    }

    /// The total length of the slices that have rows, in bytes.
    pub(crate) fn text_bytes(&self) -> u64 {
        let pairs = self.starts.windows(2).filter(|pair| pair[0].rows < pair[1].rows);
        pairs.map(|pair| pair[1].offset - pair[0].offset).sum()
    }

    /// The row index of some slices. Its rows keep their numbers in the table, and it knows of no rejects.
    pub(crate) fn portion(&self, slices: Range<usize>) -> Self {
        let starts = self.starts[slices.start..=slices.end].to_vec();
        Self { starts, left_out: 0, rejects: Rejects::default() }
    }

    /// Serializes the row index, without its rejects.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let starts =
            self.starts.iter().flat_map(|start| [start.offset.to_le_bytes(), start.rows.to_le_bytes()].concat());
        starts.chain(self.left_out.to_le_bytes()).collect()
    }

    /// The length of a serialized row index of so many slices.
    pub(crate) fn length_in_bytes(slices: usize) -> Option<usize> {
        slices.checked_add(1)?.checked_mul(16)?.checked_add(8)
    }

    /// Restores a serialized row index.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (words, left_out) = bytes.split_last_chunk()?;
        let (words, []) = words.as_chunks::<8>() else { return None };
        let words: Vec<_> = words.iter().map(|&word| u64::from_le_bytes(word)).collect();
        let (pairs, []) = words.as_chunks::<2>() else { return None };
        let starts: Vec<_> = pairs.iter().map(|&[offset, rows]| Start { offset, rows }).collect();
        let rises = starts.windows(2).all(|pair| pair[0].offset <= pair[1].offset && pair[0].rows <= pair[1].rows);
        let left_out = u64::from_le_bytes(*left_out);
        (rises && !starts.is_empty()).then_some(Self { starts, left_out, rejects: Rejects::default() })
    }
}

/// Collects the starts of slices.
struct Starts {
    starts: Vec<Start>,
    end: Start,
}

impl Starts {
    fn of(table: &Table) -> Self {
        Self { starts: Vec::new(), end: Start { offset: table.parts.data_start(0), rows: 0 } }
    }

    /// Adds the next slice.
    fn add(&mut self, bytes: &Range<u64>, rows: u64) {
        if bytes.start > self.end.offset {
            // Add a slice without rows between two parts, so that no read crosses the gap.
            self.starts.push(self.end);
        }
        self.starts.push(Start { offset: bytes.start, rows: self.end.rows });
        self.end = Start { offset: bytes.end, rows: self.end.rows + rows };
    }

    fn finish(mut self) -> Vec<Start> {
        self.starts.push(self.end);
        self.starts.shrink_to_fit();
        self.starts
    }
}

/// A slice and its rows.
struct Counted {
    bytes: Range<u64>,
    rows: u64,
    rejects: Rejects,
}

/// Bytes of text that one job counts.
fn piece_bytes(slice_bytes: u64) -> usize {
    slice_bytes.saturating_mul(SLICES_IN_A_PIECE).clamp(1, BLOCK_BYTES.get() as u64) as usize
}

/// Cuts each text into slices and counts their rows.
struct SliceCounting {
    table: Table,
    splitter: Arc<Splitter>,
    slice_bytes: usize,
    recording: Recording,
}

impl SliceCounting {
    fn new(table: &Table, splitter: Arc<Splitter>, slice_bytes: u64) -> Self {
        let recording = Tally::recording(table.schema.max_rejects, rejects::REMEMBERED);
        Self { table: table.for_counting(), splitter, slice_bytes: slice_bytes as usize, recording }
    }

    /// Passes the slices of each text to `take`, in order.
    fn run<E: From<Error>>(
        self,
        budget: Budget,
        take: impl FnMut(Vec<Counted>) -> std::result::Result<(), E>,
        check: impl FnMut() -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        // No more threads than have room for a text and its marks.
        let piece = piece_bytes(self.slice_bytes as u64);
        let threads = (budget.bytes() / (3 * piece)).clamp(1, budget.threads);
        let threads = self.table.parts.threads(threads);
        Pipeline::run(self, threads, budget.window)?.drain(take, check)
    }

    /// Cuts a text into slices and counts their rows, up to the first wrong row.
    fn count(&self, text: &mut Text, parser: &mut Parser, pool: &Arc<Pool>) -> Done<Vec<Counted>> {
        let Table { schema, dialect, simd, .. } = &self.table;
        let mut slices = Vec::new();
        let mut start = 0;
        let length = text.bytes().len();
        while start < length {
            // A short rest at the end of a text joins the last slice.
            let is_last = length - start <= self.slice_bytes.saturating_add(self.slice_bytes / 2);
            let row_end = || text.row_end(*simd, *dialect, start, self.slice_bytes);
            let end = if is_last { length } else { row_end() };
            let (rows, rejects, error) = text.within(start..end, |text| {
                if schema.only_counts() {
                    let (rows, error) = index::count_rows(*simd, text, *dialect);
                    (rows, Rejects::default(), error)
                } else {
                    let (mut block, error) = parser.parse(text, pool);
                    (block.rows, block.take_rejects(), error)
                }
            });
            // The last text may have one newline more than the source.
            let bytes = text.offset + start as u64..(text.offset + end as u64).min(text.end_in_source());
            slices.push(Counted { bytes, rows: rows as u64, rejects });
            if error.is_some() {
                // One of the rejects before it may exceed the limit.
                return Done { item: Some(slices), error };
            }
            start = end;
        }
        Done::with(slices)
    }

    fn parser(&self) -> Parser {
        Parser::new(&self.table.schema, self.table.dialect, self.table.simd).recording(self.recording)
    }
}

impl Jobs<Vec<Counted>> for SliceCounting {
    fn count(&self) -> u64 {
        self.splitter.texts()
    }

    fn worker(self: Arc<Self>) -> Worker<Vec<Counted>> {
        let mut parser = self.parser();
        let pool = Pool::new(1);
        let mut text = Text::default();
        Box::new(move |index| {
            let is_read = self.splitter.read(index, &mut text);
            Done::of_text(is_read, || self.count(&mut text, &mut parser, &pool))
        })
    }

    fn are_short(&self) -> bool {
        self.table.parts.are_local()
    }

    fn may_wait(&self) -> bool {
        !self.table.parts.are_local()
    }

    fn abandon(&self) {
        self.splitter.abandon();
    }
}

/// Row indexes of tables read before, the most recently used last.
static REMEMBERED: PerProcess<Vec<(String, Arc<RowIndex>)>> = PerProcess::new();
const REMEMBERED_MOST: usize = 32;

fn remembered() -> MutexGuard<'static, Vec<(String, Arc<RowIndex>)>> {
    REMEMBERED.lock()
}

impl Text {
    /// Reads a byte range that consists of whole slices.
    pub(crate) fn read(&mut self, table: &Table, bytes: Range<u64>) -> Result<()> {
        self.fill(&table.parts, table.dialect, bytes, false)
    }
}

/// The error for a table that no longer matches its row index.
pub(crate) fn changed() -> Error {
    Kind::SourceChanged("other rows than when they were counted").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::epoch::tests::table;
    use crate::table::schema::MissingTarget;
    use proptest::prelude::*;

    fn row_index(table: &Table, budget: Budget, slice_bytes: u64) -> RowIndex {
        RowIndex::make(table, budget, slice_bytes, || Ok::<_, Error>(())).unwrap()
    }

    proptest! {
        #[test]
        fn a_row_index_does_not_depend_on_how_it_was_built(
            lengths in prop::collection::vec(0_usize..90, 1..80),
            slice_bytes in prop_oneof![1_u64..200, Just(1 << 20)],
            (threads, memory) in (1_usize..9, prop::option::of(1_usize..20_000)),
        ) {
            let row = |length: &usize| format!("\"{}\n\",1,k,2\n", "t".repeat(*length));
            let text: String = lengths.iter().map(row).collect();
            let length = text.len() as u64;
            let table = table(text, MissingTarget::Raise);
            let found = row_index(&table, Budget::new(threads, memory), slice_bytes);
            prop_assert_eq!(&found.starts, &row_index(&table, Budget::new(1, None), slice_bytes).starts);
            prop_assert_eq!((found.rows(), found.bytes(0..found.slices())), (lengths.len() as u64, 0..length));
            let bytes = found.to_bytes();
            prop_assert_eq!(RowIndex::from_bytes(&bytes).unwrap().starts, found.starts);
            prop_assert!(RowIndex::from_bytes(&bytes[..bytes.len() - 1]).is_none());
        }
    }
}
