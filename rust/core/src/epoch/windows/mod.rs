//! Windows over the rows of a selection: a pass that finds them, and their epochs.

mod in_order;

use std::sync::Arc;

pub use in_order::in_order;

use super::selection::{Reader, STRIPE_BYTES, Selection};
use crate::budget::Budget;
use crate::choose::neighbours::{Neighbours, Runs};
use crate::choose::windows::{Shape, Windows};
use crate::error::Error;
use crate::passes::row_index::RowIndex;
use crate::pipeline::{Done, Jobs, Pipeline, Worker};
use crate::rows::{Pool, Widths};
use crate::table::Table;
use crate::table::parts::Parts;

/// One worker's share of the windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The worker, from 0.
    pub index: u64,
    /// The number of workers.
    pub count: u64,
    /// Windows in a batch.
    pub batch_size: u64,
    /// Whether an incomplete batch is dropped.
    pub drop_remainder: bool,
}

impl Selection {
    /// Finds the windows over the selected rows. No window goes from one part of the table to the next, past a row that
    /// is not selected or was left out, or from one key in the columns `by` to another. Unless parts are all that can end
    /// a run, this reads the table; it calls `check` several times a second and stops at the first error that it returns.
    pub fn windows<E: From<Error>>(
        self: &Arc<Self>,
        table: &Table,
        shape: Shape,
        by: &[usize],
        budget: Budget,
        check: impl FnMut() -> std::result::Result<(), E>,
    ) -> std::result::Result<Windows, E> {
        let mut windows = Windows::new(shape);
        let mut runs = Runs::new(|run| windows.add(run));
        if needs_pass(table, self, by) {
            let jobs = Finding::new(table, self, by, budget.block_bytes as u64);
            Pipeline::run(jobs, budget.threads, budget.window)?.drain(
                |found: Found| {
                    if found.begins_part {
                        runs.part();
                    }
                    runs.add(found.neighbours);
                    Ok(())
                },
                check,
            )?;
        } else {
            for Texts { slices: (start, end), .. } in texts(&self.row_index, &table.parts, u64::MAX) {
                runs.part();
                runs.add(Neighbours::of_rows(self.before[end] - self.before[start]));
            }
        }
        let returns = runs.finish();
        windows.note_returns(returns);
        Ok(windows)
    }

    /// One worker's share of the windows over the selected rows.
    #[must_use]
    pub fn share_of(&self, windows: &Windows, share: Share) -> Windows {
        let Share { index, count, batch_size, drop_remainder } = share;
        windows.shard((index, count), STRIPE_BYTES / self.row_bytes(), batch_size, drop_remainder)
    }
}

/// Whether only reading tells which rows follow one another.
#[must_use]
pub fn needs_pass(table: &Table, selection: &Selection, by: &[usize]) -> bool {
    !by.is_empty() || !selection.steps.is_empty() || table.schema.may_skip_rows()
}

/// Consecutive slices of one part.
struct Texts {
    slices: (usize, usize),
    begins_part: bool,
}

/// All slices that may have rows, by part, with at most `bytes` of text together unless one slice has more.
fn texts(row_index: &RowIndex, parts: &Parts, bytes: u64) -> Vec<Texts> {
    let mut found: Vec<Texts> = Vec::new();
    let mut last_part = None;
    for slice in 0..row_index.slices() {
        if row_index.is_gap(slice, parts) {
            continue;
        }
        let range = row_index.bytes(slice..slice + 1);
        let (part, _) = parts.place(range.start);
        let begins_part = last_part != Some(part);
        last_part = Some(part);
        match found.last_mut().filter(|texts| !begins_part && texts.slices.1 == slice) {
            Some(texts) if range.end - row_index.bytes(texts.slices.0..slice).start <= bytes => texts.slices.1 += 1,
            _ => found.push(Texts { slices: (slice, slice + 1), begins_part }),
        }
    }
    found
}

/// The rows of a text that follow one another.
struct Found {
    begins_part: bool,
    neighbours: Neighbours,
}

/// Finds the rows that follow one another in each text.
struct Finding {
    table: Table,
    selection: Arc<Selection>,
    by: Vec<usize>,
    texts: Vec<Texts>,
}

impl Finding {
    fn new(table: &Table, selection: &Arc<Selection>, by: &[usize], block_bytes: u64) -> Self {
        let texts = texts(&selection.row_index, &table.parts, block_bytes);
        Self { table: table.for_counting(), selection: Arc::clone(selection), by: by.to_vec(), texts }
    }
}

impl Jobs<Found> for Finding {
    fn count(&self) -> u64 {
        self.texts.len() as u64
    }

    fn worker(self: Arc<Self>) -> Worker<Found> {
        let mut reader = Reader::new(&self.table, &self.selection);
        let pool = Pool::new(1);
        Box::new(move |index| {
            let Texts { slices: (start, end), begins_part } = self.texts[index as usize];
            Some(match reader.neighbours(start..end, &self.by, &pool) {
                Ok(neighbours) => Done::with(Found { begins_part, neighbours }),
                Err(error) => Done::failed(error),
            })
        })
    }

    fn are_short(&self) -> bool {
        self.table.parts.are_local()
    }

    fn may_wait(&self) -> bool {
        !self.table.parts.are_local()
    }

    fn abandon(&self) {
        self.table.parts.abandon();
    }
}

/// How many windows one job copies: whole batches where that is possible within `bytes`, so that a batch is a view.
pub(crate) fn windows_in_a_block(widths: Widths, batch_size: usize, budget: Budget) -> u64 {
    let window = 4 * widths.total().max(1);
    let batch = window.saturating_mul(batch_size);
    let windows = if batch <= budget.block_bytes {
        budget.block_bytes / batch * batch_size
    } else if batch <= MOST_BATCH.saturating_mul(budget.block_bytes) {
        batch_size
    } else {
        budget.block_bytes / window
    };
    windows.max(1) as u64
}

/// A batch of at most so many blocks is made by one job.
const MOST_BATCH: usize = 16;
