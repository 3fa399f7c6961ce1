//! Rows in file order.

use std::sync::Arc;

use super::Rows;
use crate::budget::Budget;
use crate::error::Result;
use crate::pipeline::{Jobs, Pipeline, Worker};
use crate::rows::{Block, Pool};

/// Reads runs of slices one after another.
pub(crate) struct InOrder {
    rows: Rows,
    /// Ranges of consecutive slices that are read together.
    runs: Vec<(u32, u32)>,
    pool: Arc<Pool>,
}

/// Starts at the slice that holds row `first_row`. The second value is the number of rows of that slice before it.
pub fn in_order(rows: Rows, budget: Budget, first_row: u64) -> Result<(Pipeline<Block>, u64)> {
    let first = rows.selection.slice_of(first_row);
    let skipped = first_row.saturating_sub(rows.selection.rows_before(first));
    let jobs = InOrder::new(rows, budget, first);
    Ok((Pipeline::run(jobs, budget.threads, budget.window)?, skipped))
}

impl InOrder {
    /// Starts at slice `first`.
    pub(crate) fn new(rows: Rows, budget: Budget, first: usize) -> Self {
        let runs = runs(&rows, first, budget.block_bytes as u64);
        Self { rows, runs, pool: Pool::new(budget.window) }
    }
}

/// The slices from `first` on that have rows, in runs that take about `bytes` to read.
pub(super) fn runs(rows: &Rows, first: usize, bytes: u64) -> Vec<(u32, u32)> {
    // Values usually take far less space than their text, and with short runs the threads mostly wake one another. The
    // values of a block may take twice as much memory as its text.
    let is_cached = rows.cache.as_ref().is_some_and(|cache| cache.is_complete());
    let bytes = if is_cached { 2 * bytes } else { bytes };
    let repeats = rows.selection.repeats();
    let mut runs: Vec<(u32, u32)> = Vec::new();
    let mut size = 0;
    for slice in first..rows.selection.row_index().slices() {
        if rows.count(slice..slice + 1) == 0 || !rows.needs(slice) {
            continue;
        }
        let more = match (is_cached, repeats) {
            (true, _) => rows.value_bytes(slice),
            (false, true) => rows.text_bytes(slice).max(rows.value_bytes(slice) / 2),
            (false, false) => rows.text_bytes(slice),
        };
        if let Some(run) = runs.last_mut().filter(|run| run.1 as usize == slice && size + more <= bytes) {
            run.1 += 1;
            size += more;
        } else {
            runs.push((slice as u32, slice as u32 + 1));
            size = more;
        }
    }
    runs
}

impl Jobs<Block> for InOrder {
    fn count(&self) -> u64 {
        self.runs.len() as u64
    }

    fn worker(self: Arc<Self>) -> Worker<Block> {
        let mut reader = self.rows.reader();
        Box::new(move |index| {
            let (start, end) = self.runs[index as usize];
            Some(reader.read(start as usize..end as usize, &self.pool))
        })
    }

    fn are_short(&self) -> bool {
        self.rows.table.parts.are_local()
    }

    fn may_wait(&self) -> bool {
        !self.rows.table.parts.are_local()
    }

    fn abandon(&self) {
        self.rows.table.parts.abandon();
    }
}
