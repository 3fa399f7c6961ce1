//! Cuts blocks into batches.
//!
//! A batch within one block is a view of it. A batch that spans blocks is copied. `lanes` composes the batches of one
//! of several processes.

mod lanes;

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::budget::within_memory;
use crate::error::{Error, Kind, Result};
use crate::passes::row_index::changed;
use crate::pipeline::{Next, Pipeline};
use crate::rows::rejects::Tally;
use crate::rows::{Block, Pool, Widths};

pub use lanes::{Composition, LaneRows, Lanes};

/// Bytes of rows for which a batch has room before it gets them.
const MOST_EXPECTED: usize = 256 << 20;

/// Some rows of a block.
pub struct Batch {
    /// The block that holds the rows.
    pub block: Arc<Block>,
    /// The range of rows.
    pub rows: Range<usize>,
}

/// The answer to a request for the next batch.
pub enum NextBatch {
    /// The next rows.
    Batch(Batch),
    /// The batch is not ready yet: ask again.
    Pending,
    /// There are no more batches.
    End,
}

/// What to do with the last rows if they do not fill a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remainder {
    /// Yield a shorter batch.
    Keep,
    /// Drop them.
    Drop,
    /// Pad them with rows of zeros to a multiple of this number.
    Pad(usize),
}

/// Cuts blocks into batches of equal size.
pub struct Batches {
    pipeline: Pipeline<Block>,
    /// Buffers for copied batches, which may be much larger than those of blocks.
    pool: Arc<Pool>,
    widths: Widths,
    batch_size: usize,
    remainder: Remainder,
    /// The rest of the last block.
    current: Option<Batch>,
    /// The first rows of an incomplete batch.
    partial: Option<Block>,
    /// Rows to skip before the first batch.
    skipped: usize,
    /// Rows to take before the end, if the end is not that of the pipeline.
    left: Option<u64>,
    /// The rejects so far and the limit on them.
    tally: Tally,
    /// The error that ends the batches after the rows before it.
    failure: Option<Error>,
    /// Blocks since the last row. If a whole pass has none, the file yields no rows.
    blocks_without_rows: u64,
    ended: bool,
}

impl Batches {
    /// Batches of `batch_size` rows. `remainder` decides about the last one.
    #[must_use]
    pub fn new(pipeline: Pipeline<Block>, widths: Widths, batch_size: usize, remainder: Remainder) -> Self {
        Self {
            pipeline,
            pool: Pool::new(2),
            widths,
            batch_size,
            remainder,
            current: None,
            partial: None,
            skipped: 0,
            left: None,
            tally: Tally::default(),
            failure: None,
            blocks_without_rows: 0,
            ended: false,
        }
    }

    /// Only the `rows` rows after the first `skipped`.
    #[must_use]
    pub fn of(self, skipped: u64, rows: u64) -> Self {
        Self { skipped: skipped as usize, left: Some(rows), ..self }
    }

    /// Limits the number of rejects; `None` allows any number. Exceeding the limit is an error.
    #[must_use]
    pub fn allowing(self, rejects: Option<u64>) -> Self {
        Self { tally: Tally::new(rejects), ..self }
    }

    /// The number of rejected rows.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.tally.count()
    }

    /// The pipeline, if it has more rows and all rows up to the last one asked for were taken from it.
    #[must_use]
    pub fn into_rest(self) -> Option<Pipeline<Block>> {
        (self.left == Some(0) && self.skipped == 0 && !self.ended).then_some(self.pipeline)
    }

    /// The next batch, if it is ready within about `patience`. Nothing follows an error, and no batch holds a row that
    /// comes after one.
    pub fn next(&mut self, patience: Duration) -> Result<NextBatch> {
        if let Some(batch) = self.cut()? {
            return Ok(NextBatch::Batch(batch));
        }
        let deadline = Instant::now() + patience;
        while !self.ended {
            if let Some(error) = self.failure.take() {
                return self.fail(error);
            }
            if self.left == Some(0) {
                return self.last();
            }
            let mut next = self.pipeline.next(deadline.saturating_duration_since(Instant::now()));
            if let Ok(Next::Item(block)) = &mut next
                && let Some((before, error)) = self.tally.add(block.take_rejects())
            {
                block.rows = before;
                self.failure = Some(error);
            }
            match next {
                Ok(Next::Pending) => return Ok(NextBatch::Pending),
                Ok(Next::Item(block)) if block.rows > 0 => {
                    let rows = self.skipped.min(block.rows)..block.rows;
                    self.skipped -= rows.start;
                    if let Some(left) = &mut self.left {
                        match left.checked_sub(rows.len() as u64) {
                            Some(rest) => *left = rest,
                            None => return self.fail(changed()),
                        }
                    }
                    self.current = (!rows.is_empty()).then(|| Batch { block: Arc::new(block), rows });
                    self.blocks_without_rows = 0;
                }
                Ok(Next::Item(_)) if self.failure.is_some() => {}
                Ok(Next::Item(_)) => {
                    self.blocks_without_rows += 1;
                    // One more than a pass, because the last block of a pass may end with an error.
                    if self.blocks_without_rows > self.pipeline.per_pass() {
                        return self.fail(self.no_rows_error());
                    }
                }
                Ok(Next::End) => {
                    self.ended = true;
                    if self.left.is_some() {
                        return self.fail(changed());
                    }
                    if self.blocks_without_rows > 0 && self.blocks_without_rows == self.pipeline.per_pass() {
                        return self.fail(self.no_rows_error());
                    }
                    return self.last();
                }
                Err(error) => return self.fail(error),
            }
            if let Some(batch) = self.cut()? {
                return Ok(NextBatch::Batch(batch));
            }
            // Blocks may keep arriving without completing a batch: the batch is large, or rows are skipped.
            if Instant::now() >= deadline {
                return Ok(NextBatch::Pending);
            }
        }
        Ok(NextBatch::End)
    }

    /// The error for a pass without rows.
    fn no_rows_error(&self) -> Error {
        let is_wrong = "every row is left out: none is as it should be, ds.rejects tells why";
        let has_no_target = "every row is left out: none has a target";
        Kind::Empty(if self.tally.count() > 0 { is_wrong } else { has_no_target }).into()
    }

    /// Ends with an error.
    fn fail(&mut self, error: Error) -> Result<NextBatch> {
        self.ended = true;
        self.partial = None;
        Err(error)
    }

    /// The last, incomplete batch.
    fn last(&mut self) -> Result<NextBatch> {
        let Some(mut block) = self.partial.take().filter(|_| self.remainder != Remainder::Drop) else {
            return Ok(NextBatch::End);
        };
        if let Remainder::Pad(multiple) = self.remainder {
            block.pad(self.widths, block.rows.next_multiple_of(multiple))?;
        }
        let rows = 0..block.rows;
        Ok(NextBatch::Batch(Batch { block: Arc::new(block), rows }))
    }

    /// Like `cut_current`, but returns an error if there is no memory for a batch.
    fn cut(&mut self) -> Result<Option<Batch>> {
        let rows = self.batch_size;
        within_memory(|| self.cut_current()).ok_or_else(|| {
            self.ended = true;
            self.partial = None;
            Kind::Memory(rows).into()
        })
    }

    /// A whole batch if the current block completes one. Otherwise its rows go to the partial batch.
    fn cut_current(&mut self) -> Option<Batch> {
        let current = self.current.as_mut()?;
        let partial = self.partial.as_ref().map_or(0, |block| block.rows);
        let wanted = self.batch_size - partial;
        let start = current.rows.start;
        let end = current.rows.end.min(start + wanted);
        let block = Arc::clone(&current.block);
        current.rows.start = end;
        if current.rows.is_empty() {
            self.current = None;
        }
        let rows = start..end;
        if partial == 0 && rows.len() == self.batch_size {
            return Some(Batch { block, rows });
        }
        let whole = self.partial.get_or_insert_with(|| {
            // `batch_size` may exceed the length of the file; such a block grows with its rows.
            let most = MOST_EXPECTED / (4 * self.widths.total()).max(1);
            Block::expecting(&self.pool, self.widths, self.batch_size.min(most))
        });
        whole.extend_from(self.widths, &block, rows);
        if whole.rows < self.batch_size {
            return None;
        }
        let block = self.partial.take()?;
        let rows = 0..block.rows;
        Some(Batch { block: Arc::new(block), rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use crate::dialect::Dialect;
    use crate::head::{Header, read_head};
    use crate::oracle;
    use crate::passes::row_index::RowIndex;
    use crate::passes::sequential;
    use crate::simd::simd;
    use crate::source::{MemorySource, Source};
    use crate::table::Table;
    use crate::table::missing::Missing;
    use crate::table::missing::{Value, value};
    use crate::table::parts::{Lines, Parts};
    use crate::table::schema::{Column, MissingTarget, OnError, Schema, Targets};
    use proptest::prelude::*;

    const DIALECT: Dialect = Dialect::new(b',', Some(b'"'));
    const COLUMNS: usize = 4;

    /// Rows as (features, targets, weights), and the kind of error that ends them.
    type Read = (Vec<[Vec<u32>; 3]>, Option<String>);

    fn schema(missing_target: MissingTarget) -> Arc<Schema> {
        let columns = ["text", "weight", "feature", "target"].map(String::from).to_vec();
        let name = |name: &str| Column::Name(name.into());
        let features = [name("feature"), name("weight")];
        let missing = Missing::new(["NA", "-9"]);
        let weight = name("weight");
        let schema = Schema::resolve(
            columns,
            "header",
            Some(&features),
            &Targets::one(&[name("target")], Some(&weight)),
            missing,
            missing_target,
        );
        Arc::new(schema.unwrap())
    }

    /// Parses row by row, every field on the slow path.
    fn naive(text: &str, schema: &Schema) -> Read {
        let mut read = Vec::new();
        for row in oracle::rows(text.as_bytes(), DIALECT) {
            if row.len() != COLUMNS {
                return (read, Some("fields".into()));
            }
            let values = |columns: &[usize]| -> Vec<Value> {
                columns.iter().map(|&column| value(&row[column], DIALECT, &schema.missing)).collect()
            };
            let parts = [values(&schema.features), values(&schema.targets), values(&schema.weights)];
            if parts.iter().flatten().any(|value| *value == Value::Other) {
                return (read, Some("not a number".into()));
            }
            if parts[1..].iter().flatten().any(|value| *value == Value::Missing) {
                match schema.missing_target {
                    MissingTarget::Raise => return (read, Some("is missing".into())),
                    MissingTarget::Skip => continue,
                    MissingTarget::Keep => {}
                }
            }
            let bits =
                |value: &Value| if let Value::Number(number) = value { number.to_bits() } else { f32::NAN.to_bits() };
            read.push(parts.map(|part| part.iter().map(bits).collect()));
        }
        (read, None)
    }

    fn table(text: &str, schema: &Arc<Schema>) -> Table {
        let source = Arc::new(MemorySource::new(text.as_bytes().to_vec()));
        Table { parts: Parts::one(source, 0), dialect: DIALECT, schema: Arc::clone(schema), simd: simd().unwrap() }
    }

    fn start(text: &str, schema: &Arc<Schema>, budget: Budget, repeat: bool) -> Pipeline<Block> {
        sequential::read(&table(text, schema), budget, repeat).unwrap()
    }

    /// Up to `limit` batches as rows. Checks the size of each batch.
    fn read(pipeline: Pipeline<Block>, schema: &Schema, batch_size: usize, remainder: Remainder, limit: usize) -> Read {
        let widths = Widths::of(schema);
        let mut batches = Batches::new(pipeline, widths, batch_size, remainder);
        let mut rows = Vec::new();
        let mut short = false;
        for _ in 0..limit {
            let batch = loop {
                match batches.next(Duration::from_secs(5)) {
                    Ok(NextBatch::Batch(batch)) => break batch,
                    Ok(NextBatch::Pending) => {}
                    Ok(NextBatch::End) => return (rows, None),
                    Err(error) => {
                        assert!(matches!(batches.next(Duration::ZERO), Ok(NextBatch::End)), "nothing after an error");
                        return (rows, Some(error.kind.to_string()));
                    }
                }
            };
            assert!(!short, "only the last batch is short");
            short = batch.rows.len() < batch_size;
            assert!(!batch.rows.is_empty() && batch.rows.len() <= batch_size);
            assert!(!short || remainder != Remainder::Drop);
            let arrays = batch.block.arrays();
            let bits = |buffer: &crate::rows::Buffer, width: usize, row: usize| -> Vec<u32> {
                buffer.values(row * width..(row + 1) * width).iter().map(|value| value.to_bits()).collect()
            };
            rows.extend(batch.rows.map(|row| {
                [
                    bits(&arrays.features, widths.features, row),
                    bits(&arrays.targets, widths.targets, row),
                    bits(&arrays.weights, widths.weights, row),
                ]
            }));
        }
        (rows, None)
    }

    fn field() -> impl Strategy<Value = String> {
        prop_oneof![
            8 => "-?[0-9]{1,9}",
            8 => "-?[0-9]{1,4}\\.[0-9]{1,12}",
            2 => "[0-9]\\.[0-9]{18}e[+-][0-9]{2}",
            2 => "\" ?[0-9]{1,3} ?\"",
            2 => Just(" 7\t".to_owned()),
            1 => Just("-9".to_owned()),
            1 => Just("NA".to_owned()),
            1 => Just("inf".to_owned()),
        ]
    }

    fn text(bad: bool) -> impl Strategy<Value = String> {
        let text = prop_oneof!["[a-z ]{0,9}", "\"([a-z,\n\r]|\"\"){0,12}\"", "[a-z]\"[a-z]"];
        let line_end = prop_oneof![8 => Just("\n"), 2 => Just("\r\n"), 1 => Just("\n\n"), 1 => Just("\n\r\n")];
        let good = (text, field(), field(), field()).prop_map(|(a, b, c, d)| format!("{a},{b},{c},{d}"));
        let wrong = prop_oneof![Just("a,1,2".to_owned()), Just("a,1,2,3,4".to_owned()), Just("a,1,x,2".to_owned())];
        let row = prop_oneof![30 => good, u32::from(bad) => wrong];
        proptest::collection::vec((row, line_end), 1..60).prop_map(|rows| {
            let mut text: String = rows.into_iter().flat_map(|(row, end)| [row, end.to_owned()]).collect();
            if text.len().is_multiple_of(2) {
                text.truncate(text.trim_end().len());
            }
            text
        })
    }

    fn budget() -> impl Strategy<Value = Budget> {
        (1_usize..4, 1_usize..300, 1_usize..6).prop_map(|(threads, block_bytes, window)| Budget {
            threads,
            block_bytes,
            window,
            max_row: 1 << 20,
            ahead: 0,
        })
    }

    proptest! {
        #![proptest_config(crate::checks::cases(400))]

        #[test]
        fn batches_are_the_rows_of_the_file_up_to_the_first_error(
            text in text(true),
            budget in budget(),
            (multiple, groups) in (1_usize..10, 1_usize..4),
            remainder in 0..3,
            choice in 0..3,
        ) {
            let policy = [MissingTarget::Raise, MissingTarget::Skip, MissingTarget::Keep][choice as usize];
            let schema = schema(policy);
            let batch_size = multiple * groups;
            let remainder = [Remainder::Keep, Remainder::Drop, Remainder::Pad(multiple)][remainder as usize];
            let (mut expected, error) = naive(&text, &schema);
            let nothing = expected.is_empty() && error.is_none();
            if error.is_some() || remainder == Remainder::Drop {
                expected.truncate(expected.len() / batch_size * batch_size);
            } else if remainder != Remainder::Keep {
                let zeros = [vec![0; 2], vec![0], vec![0]];
                expected.resize(expected.len().next_multiple_of(multiple), zeros);
            }
            let (rows, found) = read(start(&text, &schema, budget, false), &schema, batch_size, remainder, usize::MAX);
            prop_assert_eq!(rows, expected);
            match (error, found) {
                (None, None) => {}
                (None, Some(found)) => prop_assert!(nothing && found.contains("every row is left out"), "{}", found),
                (Some(error), found) => prop_assert!(found.as_ref().is_some_and(|found| found.contains(&error)), "{found:?}"),
            }
        }

        #[test]
        fn an_endless_pass_carries_rows_over(text in text(false), budget in budget(), batch_size in 1_usize..50) {
            let schema = schema(MissingTarget::Skip);
            let (once, _) = naive(&text, &schema);
            let pipeline = start(&text, &schema, budget, true);
            let (rows, error) = read(pipeline, &schema, batch_size, Remainder::Keep, 9);
            if once.is_empty() {
                prop_assert!(error.is_some());
            } else {
                let expected: Vec<_> = once.iter().cycle().take(9 * batch_size).cloned().collect();
                prop_assert_eq!(rows, expected);
            }
        }

        #[test]
        fn counting_agrees_with_reading(text in text(false), budget in budget(), skip: bool) {
            let schema = schema(if skip { MissingTarget::Skip } else { MissingTarget::Keep });
            let (rows, _) = naive(&text, &schema);
            let row_index = RowIndex::make(&table(&text, &schema), budget, 50, || Ok::<_, Error>(())).unwrap();
            prop_assert_eq!(row_index.rows(), rows.len() as u64);
        }
    }

    #[test]
    fn the_place_of_an_error_is_that_of_the_field() {
        let text = "a,b\n1,2\n\n\"3\",4\r\n5,six\r\n";
        let source: Arc<dyn Source> = Arc::new(MemorySource::new(text.as_bytes()));
        let head = read_head(&*source, DIALECT, &Header::Auto, &Missing::default(), OnError::Raise, 1 << 20).unwrap();
        let target = [Column::Index(-1)];
        let missing = Missing::default();
        let schema = Schema::resolve(
            head.columns,
            head.reference,
            None,
            &Targets::one(&target, None),
            missing,
            MissingTarget::Raise,
        )
        .unwrap();
        for block_bytes in 1..30 {
            let budget = Budget { threads: 2, block_bytes, window: 3, max_row: 1 << 20, ahead: 0 };
            let schema = Arc::new(schema.clone());
            let parts = Parts::one(Arc::clone(&source), head.data_start);
            let table = Table { parts, ..table(text, &schema) };
            let pipeline = sequential::read(&table, budget, false).unwrap();
            let mut batches = Batches::new(pipeline, Widths::of(&schema), 1, Remainder::Keep);
            let error = loop {
                match batches.next(Duration::from_secs(5)) {
                    Ok(NextBatch::End) => panic!("the error is lost"),
                    Ok(_) => {}
                    Err(error) => break error,
                }
            };
            assert_eq!(
                (error.offset, error.column, Lines::of(&Parts::one(Arc::clone(&source), 0)).at(18)),
                (Some(18), Some(1), Some(5))
            );
            assert_eq!(error.text.as_deref(), Some("six"));
        }
    }

    #[test]
    fn dropping_an_iterator_ends_its_threads() {
        let text = "a,1,2,3\n".repeat(100_000);
        let schema = schema(MissingTarget::Raise);
        let table = table(&text, &schema);
        let watched = Arc::downgrade(&table.parts);
        let budget = Budget { threads: 3, block_bytes: 64, window: 4, max_row: 1 << 20, ahead: 0 };
        let pipeline = sequential::read(&table, budget, true).unwrap();
        drop(table);
        let mut batches = Batches::new(pipeline, Widths::of(&schema), 10, Remainder::Keep);
        assert!(matches!(batches.next(Duration::from_secs(5)), Ok(NextBatch::Batch(_))));
        drop(batches);
        assert_eq!(watched.strong_count(), 0, "no thread holds the source any more");
    }
}
