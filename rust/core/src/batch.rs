//! Stage 7: blocks to batches.
//!
//! A batch that lies in one block is a view of it; one that straddles blocks is copied together.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::block::{Block, Pool, Widths};
use crate::error::{Kind, Result};
use crate::pipeline::{Next, Pipeline};

/// Some rows of a block.
pub struct Batch {
    /// The block that holds them.
    pub block: Arc<Block>,
    /// Which of its rows they are.
    pub rows: Range<usize>,
}

/// What the consumer finds when it asks for the next batch.
pub enum NextBatch {
    /// The next rows.
    Batch(Batch),
    /// It is not ready yet: ask again.
    Pending,
    /// There are no more.
    End,
}

/// Cuts blocks into batches of equal size.
pub struct Batches {
    pipeline: Pipeline,
    /// Buffers of copied batches, kept apart from the blocks' since they may be much larger.
    pool: Arc<Pool>,
    widths: Widths,
    batch_size: usize,
    drop_remainder: bool,
    /// What is left of the last block.
    current: Option<Batch>,
    /// The first rows of a batch whose last rows have not arrived.
    partial: Option<Block>,
    /// Blocks since the last row: a whole pass of them is a file without a row to give.
    fruitless: u64,
    ended: bool,
}

impl Batches {
    /// Batches of `batch_size` rows. The last one may have fewer, unless `drop_remainder`.
    #[must_use]
    pub fn new(pipeline: Pipeline, widths: Widths, batch_size: usize, drop_remainder: bool) -> Self {
        Self {
            pipeline,
            pool: Pool::new(2),
            widths,
            batch_size,
            drop_remainder,
            current: None,
            partial: None,
            fruitless: 0,
            ended: false,
        }
    }

    /// The next batch, waiting up to `patience` for each block it needs. After an error there is nothing more, and no
    /// batch ever holds a row that comes after one.
    pub fn next(&mut self, patience: Duration) -> Result<NextBatch> {
        loop {
            if let Some(batch) = self.cut_current() {
                return Ok(NextBatch::Batch(batch));
            }
            if self.ended {
                return Ok(NextBatch::End);
            }
            match self.pipeline.next(patience) {
                Ok(Next::Pending) => return Ok(NextBatch::Pending),
                Ok(Next::Block(block)) if block.rows > 0 => {
                    let rows = 0..block.rows;
                    self.current = Some(Batch { block, rows });
                    self.fruitless = 0;
                }
                Ok(Next::Block(_)) => {
                    self.fruitless += 1;
                    if self.fruitless >= self.pipeline.blocks_in_a_pass() {
                        self.ended = true;
                        return Err(Kind::Empty("every row is left out: none has a target").into());
                    }
                }
                Ok(Next::End) => {
                    self.ended = true;
                    if let Some(block) = self.partial.take().filter(|_| !self.drop_remainder) {
                        let rows = 0..block.rows;
                        return Ok(NextBatch::Batch(Batch { block: Arc::new(block), rows }));
                    }
                }
                Err(error) => {
                    self.ended = true;
                    self.partial = None;
                    return Err(error);
                }
            }
        }
    }

    /// A whole batch, if the current block completes one; else its rows go to the partial batch.
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
            // It grows with its rows: a batch size may be larger than the file.
            Block::with_capacity(&self.pool, self.widths, 0)
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
