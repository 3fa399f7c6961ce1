//! Where in a table its rows are: row-aligned slices of the source, and how many rows each has.
//!
//! One pass, several times as fast as reading the values, makes an outline; with it any row can be found, read by
//! itself and counted, in any order. It takes 16 bytes a slice, which is a small fraction of a thousandth of the source.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::block::{Parser, Pool};
use crate::error::{Error, Kind, Result};
use crate::index;
use crate::pipeline::{BLOCK_BYTES, Budget, Done, Jobs, Pipeline};
use crate::split::{Splitter, Text};
use crate::table::Table;

/// The slices of a table.
#[derive(Debug, PartialEq)]
pub struct Outline {
    /// Where each slice begins, and after the last where it ends.
    starts: Vec<Start>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Start {
    /// Byte offset.
    offset: u64,
    /// Rows before it.
    rows: u64,
}

/// The finest and the coarsest slices, in bytes; tiny in debug builds, as blocks are.
const FINEST: u64 = if cfg!(debug_assertions) { 32 } else { 4 << 10 };
const COARSEST: u64 = if cfg!(debug_assertions) { 128 } else { 256 << 10 };

/// Slices that are counted as one job, if that is not more than a block.
const SLICES_IN_A_PIECE: u64 = 16;

impl Outline {
    /// Bytes in a slice of a source of `length` bytes, of which windows of `window` bytes are to be mixed: a window should
    /// hold hundreds of slices from all over the source, and there should not be millions.
    #[must_use]
    pub fn slice_bytes(length: u64, window: u64) -> u64 {
        (length / 4096).min(window / 256).max(length >> 20).clamp(FINEST, COARSEST)
    }

    /// Makes one. It depends on the table and `slice_bytes` alone, since orders and caches are made of it; `budget` says
    /// how many threads may take how much memory. Calls `check` several times a second; an error that it returns ends the
    /// pass.
    pub fn make<E: From<Error>>(
        table: &Table,
        budget: Budget,
        slice_bytes: u64,
        check: impl FnMut() -> std::result::Result<(), E>,
    ) -> std::result::Result<Self, E> {
        let piece = slice_bytes.saturating_mul(SLICES_IN_A_PIECE).clamp(1, BLOCK_BYTES as u64) as usize;
        // No more than have room for a text and its marks.
        let threads = (budget.bytes() / (3 * piece)).clamp(1, budget.threads);
        let splitter = Splitter::of(table, piece, budget.max_row, false);
        let jobs = Outlining { table: table.for_counting(), splitter, slice_bytes: slice_bytes as usize };
        let mut starts = Vec::new();
        let mut end = Start { offset: table.parts.data_start(0), rows: 0 };
        Pipeline::run(jobs, table.parts.threads(threads), budget.window)?.drain(
            |counted: Vec<Counted>| {
                for slice in counted {
                    if slice.bytes.start > end.offset {
                        // Between two parts there is a slice without rows, so that none is read across.
                        starts.push(end);
                    }
                    starts.push(Start { offset: slice.bytes.start, rows: end.rows });
                    end = Start { offset: slice.bytes.end, rows: end.rows + slice.rows };
                }
            },
            check,
        )?;
        starts.push(end);
        starts.shrink_to_fit();
        Ok(Self { starts })
    }

    /// The one that was made of the same table before in this process, or a new one.
    pub fn remember<E: From<Error>>(
        table: &Table,
        budget: Budget,
        slice_bytes: u64,
        check: impl FnMut() -> std::result::Result<(), E>,
    ) -> std::result::Result<Arc<Self>, E> {
        let name = format!("{} {slice_bytes} {}", table.for_counting().description(), budget.max_row);
        {
            let mut known = remembered();
            if let Some(at) = known.iter().position(|(known, _)| *known == name) {
                known[at..].rotate_left(1);
                return Ok(Arc::clone(&known[known.len() - 1].1));
            }
        }
        let outline = Arc::new(Self::make(table, budget, slice_bytes, check)?);
        let mut known = remembered();
        if known.len() == REMEMBERED_MOST {
            known.remove(0);
        }
        known.push((name, Arc::clone(&outline)));
        Ok(outline)
    }

    /// How many slices there are.
    #[must_use]
    pub fn slices(&self) -> usize {
        self.starts.len() - 1
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows_before(self.slices())
    }

    /// How many rows there are before a slice.
    #[must_use]
    pub fn rows_before(&self, slice: usize) -> u64 {
        self.starts[slice].rows
    }

    /// Where some slices are in the source.
    #[must_use]
    pub fn bytes(&self, slices: Range<usize>) -> Range<u64> {
        self.starts[slices.start].offset..self.starts[slices.end].offset
    }

    /// How many bytes the slices that have rows take.
    pub(crate) fn text_bytes(&self) -> u64 {
        let pairs = self.starts.windows(2).filter(|pair| pair[0].rows < pair[1].rows);
        pairs.map(|pair| pair[1].offset - pair[0].offset).sum()
    }

    /// As bytes, for keeping.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.starts.iter().flat_map(|start| [start.offset.to_le_bytes(), start.rows.to_le_bytes()].concat()).collect()
    }

    /// From such bytes.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (words, []) = bytes.as_chunks::<16>() else { return None };
        let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
        let starts: Vec<_> =
            words.iter().map(|word| Start { offset: number(&word[..8]), rows: number(&word[8..]) }).collect();
        let rises = starts.windows(2).all(|pair| pair[0].offset <= pair[1].offset && pair[0].rows <= pair[1].rows);
        (rises && !starts.is_empty()).then_some(Self { starts })
    }
}

/// A slice and its rows.
struct Counted {
    bytes: Range<u64>,
    rows: u64,
}

/// Cuts each text into slices and counts their rows.
struct Outlining {
    table: Table,
    splitter: Splitter,
    slice_bytes: usize,
}

impl Jobs<Vec<Counted>> for Outlining {
    fn count(&self) -> u64 {
        self.splitter.texts()
    }

    fn worker(&self) -> Box<dyn FnMut(u64) -> Option<Done<Vec<Counted>>> + '_> {
        let Table { schema, dialect, simd, .. } = &self.table;
        let mut parser = Parser::new(schema, *dialect, *simd);
        let pool = Pool::new(1);
        let mut text = Text::default();
        let mut count = move |text: &Text| {
            if schema.only_counts() {
                index::count_rows(*simd, text, *dialect)
            } else {
                let (block, error) = parser.parse(text, &pool);
                (block.rows, error)
            }
        };
        Box::new(move |index| {
            match self.splitter.read(index, &mut text) {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Done::failed(error)),
            }
            let mut slices = Vec::new();
            let mut start = 0;
            let length = text.bytes().len();
            while start < length {
                // What is left over at the end of a text does not become a slice of a few rows.
                let is_last = length - start <= self.slice_bytes.saturating_add(self.slice_bytes / 2);
                let row_end = || text.row_end(self.splitter.simd(), *dialect, start, self.slice_bytes);
                let end = if is_last { length } else { row_end() };
                let (rows, error) = text.within(start..end, &mut count);
                if let Some(error) = error {
                    return Some(Done::failed(error));
                }
                // The last may have a newline more than the source.
                let bytes = text.offset + start as u64..(text.offset + end as u64).min(text.end_in_source());
                slices.push(Counted { bytes, rows: rows as u64 });
                start = end;
            }
            Some(Done::with(slices))
        })
    }

    fn abandon(&self) {
        self.splitter.abandon();
    }
}

/// Outlines of sources that were read before, the one used last at the end.
static REMEMBERED: Mutex<Vec<(String, Arc<Outline>)>> = Mutex::new(Vec::new());
const REMEMBERED_MOST: usize = 32;

fn remembered() -> MutexGuard<'static, Vec<(String, Arc<Outline>)>> {
    REMEMBERED.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Text {
    /// Reads some slices of a table, by themselves.
    pub(crate) fn read(&mut self, table: &Table, bytes: Range<u64>) -> Result<()> {
        self.fill(&table.parts, table.dialect, bytes)
    }
}

/// The error for a table that is not what its outline says.
pub(crate) fn changed() -> Error {
    Kind::SourceChanged("other rows than when they were counted").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::epoch::tests::table;
    use crate::schema::MissingTarget;
    use proptest::prelude::*;

    fn outline(table: &Table, budget: Budget, slice_bytes: u64) -> Outline {
        Outline::make(table, budget, slice_bytes, || Ok::<_, Error>(())).unwrap()
    }

    proptest! {
        #[test]
        fn an_outline_does_not_depend_on_how_it_was_made(
            lengths in prop::collection::vec(0_usize..90, 1..80),
            slice_bytes in prop_oneof![1_u64..200, Just(1 << 20)],
            (threads, memory) in (1_usize..9, prop::option::of(1_usize..20_000)),
        ) {
            let row = |length: &usize| format!("\"{}\n\",1,k,2\n", "t".repeat(*length));
            let text: String = lengths.iter().map(row).collect();
            let length = text.len() as u64;
            let table = table(text, MissingTarget::Raise);
            let found = outline(&table, Budget::new(threads, memory), slice_bytes);
            prop_assert_eq!(&found, &outline(&table, Budget::new(1, None), slice_bytes));
            prop_assert_eq!((found.rows(), found.bytes(0..found.slices())), (lengths.len() as u64, 0..length));
            let bytes = found.to_bytes();
            prop_assert_eq!(Outline::from_bytes(&bytes), Some(found));
            prop_assert_eq!(Outline::from_bytes(&bytes[..bytes.len() - 1]), None);
        }
    }
}
