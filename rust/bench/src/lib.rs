//! What the benchmarks of csvfeed-core share: tables, and what takes them through a stage or all of them.

pub mod tables;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use csvfeed_core::batch::{Batches, NextBatch, Remainder};
use csvfeed_core::budget::Budget;
use csvfeed_core::dialect::Dialect;
use csvfeed_core::index::Index;
use csvfeed_core::passes::sequential;
use csvfeed_core::rows::Widths;
use csvfeed_core::simd::Simd;
use csvfeed_core::source::MemorySource;
use csvfeed_core::split::Splitter;
use csvfeed_core::table::Table;
use csvfeed_core::text::Text;
use csvfeed_core::value::number::convert;

/// How the tables are written.
pub const DIALECT: Dialect = Dialect::new(b',', Some(b'"'));
/// Bytes of text in a block, as in a release build.
pub const BLOCK_BYTES: usize = 256 << 10;
/// How many fields are converted together, as in a block.
pub const GROUP: usize = 4096;

/// The text in the middle of a file, as a thread reads it.
///
/// # Panics
///
/// If it has none.
#[must_use]
pub fn text_of(bytes: &str) -> Text {
    let source = Arc::new(MemorySource::new(bytes.to_owned()));
    let splitter = Splitter::new(Simd::Portable, source, DIALECT, 0, BLOCK_BYTES, 1 << 20);
    let mut text = Text::default();
    for index in 0..=splitter.texts() / 2 {
        assert!(splitter.read(index, &mut text).expect("no row is long"));
    }
    text
}

/// Converts all fields of a text to numbers, group by group.
pub fn convert_all(
    simd: Simd,
    text: &Text,
    index: &Index,
    columns: usize,
    values: &mut [f32],
    declined: &mut Vec<u32>,
) {
    for rows in index.groups(columns, GROUP / columns) {
        declined.clear();
        convert(simd, text.padded(), DIALECT.quote, rows.fields(), &mut values[..rows.count() * columns], declined);
        black_box(&mut *values);
    }
}

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
