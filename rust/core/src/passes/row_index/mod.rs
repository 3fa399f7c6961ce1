//! The row index of a table: row-aligned slices of the source, and the number of rows in each.
//!
//! One pass builds a row index, several times as fast as parsing the values. With it, any row can be located and read
//! on its own, in any order. It takes 16 bytes for each slice, far less than a thousandth of the source.

mod counting;
mod share;

use std::ops::Range;
use std::sync::Arc;

use super::vocabulary::Collected;
use crate::budget::{Budget, Size};
use crate::error::{Error, Kind, Result};
use crate::rows::rejects::{Rejects, Tally};
use crate::split::Splitter;
use crate::table::Table;
use crate::table::parts::Parts;
use crate::text::Text;
use crate::value::Vocabulary;
pub(crate) use counting::{Aim, Purpose};
use counting::{Counted, Seen, SliceCounting, piece_bytes};
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
        // Rows that a pass counts for their own sake are not given up.
        let found = find(table, Aim::rows(None), budget, slice_bytes, check)?;
        found.row_index.ok_or_else(|| Error::from(Kind::Internal).into())
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

    /// Whether a slice is the gap between two parts.
    pub(crate) fn is_gap(&self, slice: usize, parts: &Parts) -> bool {
        let end = self.starts[slice + 1].offset;
        self.rows_before(slice) == self.rows_before(slice + 1) && end == parts.data_start(parts.place(end).0)
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

/// What a pass found. What it was not for may be missing.
pub(crate) struct Found {
    pub row_index: Option<RowIndex>,
    /// In the order of the columns that were sought.
    pub vocabularies: Option<Vec<Arc<Vocabulary>>>,
}

/// Goes over the rows of a table once. See [`RowIndex::make`].
pub(crate) fn find<E: From<Error>>(
    table: &Table,
    aim: Aim,
    budget: Budget,
    slice_bytes: u64,
    check: impl FnMut() -> std::result::Result<(), E>,
) -> std::result::Result<Found, E> {
    let splitter = Splitter::of(table, piece_bytes(slice_bytes), budget.max_row, false).decompressing_ahead(budget);
    let purpose = aim.purpose;
    // Whoever needs only vocabularies does not mind how many rows are rejected.
    let allowed = table.schema.max_rejects.filter(|_| purpose == Purpose::Rows);
    let mut rows = aim.counts.then(|| (Tally::new(allowed), Starts::of(table)));
    let mut words = aim.search.as_ref().map(Collected::new);
    let take = |Seen { slices, words: new }| {
        rows = rows.take().filter(|_| slices.is_some());
        if let Some((tally, starts)) = &mut rows {
            for slice in slices.into_iter().flatten() {
                if let Some((_, error)) = tally.add(slice.rejects) {
                    return Err(error.into());
                }
                starts.add(&slice.bytes, slice.rows);
            }
        }
        words = match words.take().zip(new).map(|(words, new)| words.and(table, &new)) {
            Some(Err(error)) if purpose == Purpose::Vocabularies => return Err(error.into()),
            words => words.and_then(Result::ok),
        };
        Ok(())
    };
    SliceCounting::new(table, Arc::new(splitter), slice_bytes, aim).run(budget, take, check)?;
    let row_index = rows.map(|(tally, starts)| RowIndex {
        starts: starts.finish(),
        left_out: tally.count(),
        rejects: tally.into_found(),
    });
    Ok(Found { row_index, vocabularies: words.map(Collected::finish) })
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

    /// Adds the next slice, unless it is empty.
    fn add(&mut self, bytes: &Range<u64>, rows: u64) {
        if bytes.is_empty() {
            return;
        }
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
