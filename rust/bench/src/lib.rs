//! What the benchmarks of csvfeed-core share: to read a whole table into batches.

use std::hint::black_box;
use std::time::Duration;

use csvfeed_core::batch::{Batches, NextBatch, Remainder};
use csvfeed_core::budget::Budget;
use csvfeed_core::passes::sequential;
use csvfeed_core::rows::Widths;
use csvfeed_core::table::Table;

/// Reads all rows of a table in batches of 4,096 and returns their number.
///
/// # Panics
///
/// If the table has an error, or threads cannot be started.
#[must_use]
pub fn read(table: &Table, budget: Budget) -> usize {
    let pipeline = sequential::read(table, budget, false).expect("threads");
    let mut batches = Batches::new(pipeline, Widths::of(&table.schema), 4096, Remainder::Keep);
    let mut rows = 0;
    loop {
        match batches.next(Duration::from_secs(1)).expect("rows without an error") {
            NextBatch::Batch(batch) => rows += black_box(batch).rows.len(),
            NextBatch::Pending => {}
            NextBatch::End => return rows,
        }
    }
}
