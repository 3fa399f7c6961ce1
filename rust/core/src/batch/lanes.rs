//! Composes the batches of a process from its lanes.
//!
//! A global batch holds equally many rows of each lane, lane after lane. A process has some of the lanes, and its part
//! of the batch is their rows. Which rows those are does not depend on how the lanes are distributed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Batch, Batches, NextBatch, Remainder};
use crate::budget::within_memory;
use crate::error::{Kind, Result};
use crate::pipeline::Pipeline;
use crate::rows::{Block, Pool, Widths};

/// How many rows of each lane compose a batch, and how many batches there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Composition {
    /// Rows of one lane in a batch.
    pub rows: usize,
    /// How many batches are handed over together, one after another in one block.
    pub together: usize,
    /// The number of batches. Rows of a lane that are left over are dropped. Rows that a lane lacks are padded.
    pub batches: u64,
}

/// Batches from one or more lanes.
pub struct Lanes {
    all: Vec<Lane>,
    composition: Composition,
    widths: Widths,
    pool: Arc<Pool>,
}

/// What is to be read of a lane.
pub struct LaneRows {
    /// Yields its rows.
    pub pipeline: Pipeline<Block>,
    /// The number of rows to skip first.
    pub skipped: u64,
    /// The number of rows to take then.
    pub rows: u64,
}

/// The rows of one lane.
struct Lane {
    /// `None` for a lane without rows.
    batches: Option<Batches>,
    next: Rows,
}

/// The rows of a lane in the next batch.
enum Rows {
    Unread,
    Read(Batch),
    /// The lane has ended.
    None,
}

impl Lanes {
    /// Takes what is to be read of each lane: nothing of a lane without rows.
    #[must_use]
    pub fn new(lanes: Vec<Option<LaneRows>>, composition: Composition, widths: Widths) -> Self {
        let size = composition.rows.saturating_mul(composition.together);
        let lane = |begun: Option<LaneRows>| Lane {
            batches: begun.map(|LaneRows { pipeline, skipped, rows }| {
                Batches::new(pipeline, widths, size, Remainder::Keep).of(skipped, rows)
            }),
            next: Rows::Unread,
        };
        Self { all: lanes.into_iter().map(lane).collect(), composition, widths, pool: Pool::new(2) }
    }

    /// The pipelines of the lanes that have more rows, as [`Batches::into_rest`] returns them.
    #[must_use]
    pub fn into_rest(self) -> Vec<Option<Pipeline<Block>>> {
        self.all.into_iter().map(|lane| lane.batches.and_then(Batches::into_rest)).collect()
    }

    /// The next batch, if it is ready within about `patience`. The first error of any lane ends all of them.
    pub fn next(&mut self, patience: Duration) -> Result<NextBatch> {
        let deadline = Instant::now() + patience;
        if self.composition.batches == 0 {
            return self.drain(deadline);
        }
        for lane in &mut self.all {
            if !lane.read(deadline)? {
                return Ok(NextBatch::Pending);
            }
        }
        let batches = self.composition.batches.min(self.composition.together as u64);
        self.composition.batches -= batches;
        let rows = self.all.len().saturating_mul(self.composition.rows).saturating_mul(batches as usize);
        within_memory(|| self.join(batches as usize)).unwrap_or_else(|| Err(Kind::Memory(rows).into()))
    }

    /// Takes the rows that no batch has, so that the pipelines are at the end of their lanes.
    fn drain(&mut self, deadline: Instant) -> Result<NextBatch> {
        for lane in &mut self.all {
            loop {
                if !lane.read(deadline)? {
                    return Ok(NextBatch::Pending);
                }
                if matches!(lane.next, Rows::None) {
                    break;
                }
                lane.next = Rows::Unread;
            }
        }
        Ok(NextBatch::End)
    }

    /// Puts the rows of the lanes together.
    fn join(&mut self, batches: usize) -> Result<NextBatch> {
        let share = self.composition.rows;
        let found: Vec<_> = self.all.iter_mut().map(Lane::take).collect();
        if let [Some(batch)] = &found[..]
            && batch.rows.len() >= share * batches
        {
            let rows = batch.rows.start..batch.rows.start + share * batches;
            return Ok(NextBatch::Batch(Batch { block: Arc::clone(&batch.block), rows }));
        }
        let mut whole = Block::with_capacity(&self.pool, self.widths, found.len() * share * batches);
        for number in 0..batches {
            for batch in &found {
                let end = whole.rows + share;
                if let Some(Batch { block, rows }) = batch {
                    let start = rows.end.min(rows.start + number * share);
                    whole.extend_from(self.widths, block, start..rows.end.min(start + share));
                }
                if whole.rows < end {
                    whole.pad(self.widths, end)?;
                }
            }
        }
        let rows = 0..whole.rows;
        Ok(NextBatch::Batch(Batch { block: Arc::new(whole), rows }))
    }
}

impl Lane {
    /// Reads the lane's rows of the next batch. Returns whether they are there.
    fn read(&mut self, deadline: Instant) -> Result<bool> {
        if !matches!(self.next, Rows::Unread) {
            return Ok(true);
        }
        let patience = deadline.saturating_duration_since(Instant::now());
        let next = self.batches.as_mut().map_or(Ok(NextBatch::End), |batches| batches.next(patience));
        self.next = match next? {
            NextBatch::Batch(batch) => Rows::Read(batch),
            NextBatch::End => Rows::None,
            NextBatch::Pending => return Ok(false),
        };
        Ok(true)
    }

    /// Takes the rows that were read. A lane that has ended stays so.
    fn take(&mut self) -> Option<Batch> {
        match std::mem::replace(&mut self.next, Rows::Unread) {
            Rows::Read(batch) => Some(batch),
            Rows::Unread | Rows::None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use crate::choose::Step;
    use crate::epoch::selection::Selection;
    use crate::epoch::tests::{select, table};
    use crate::epoch::{self, Mixing, in_order, shuffled};
    use crate::table::schema::MissingTarget;
    use proptest::prelude::*;

    const WIDTHS: Widths = Widths { features: 1, targets: 1, weights: 0 };

    /// A dataset of the numbers from 1 to `rows` in lanes.
    struct Dataset {
        rows: u64,
        lanes: u64,
        /// Rows of a lane in a batch.
        share: usize,
        pads: bool,
        slice_bytes: u64,
        budget: Budget,
        mixing: Option<Mixing>,
    }

    impl Dataset {
        fn batches(&self) -> u64 {
            let size = self.lanes * self.share as u64;
            if self.pads { self.rows.div_ceil(size) } else { self.rows / size }
        }

        /// The batches of a process, from a batch of epoch 3 on, and those of epoch 4 if that one goes on. A row of zeros is
        /// a padded one.
        fn read(&self, (process, processes): (u64, u64), together: usize, from: u64) -> Vec<Vec<u32>> {
            let written: Vec<_> = (1..=self.rows).map(|row| format!("a,{row},k,{row}\n")).collect();
            let table = table(written.concat(), MissingTarget::Raise);
            let selection = select(&table, self.budget, self.slice_bytes, &[]);
            let own = self.lanes / processes;
            let first = from * self.share as u64;
            let lane = |number| {
                let lane = selection.lane(number, self.lanes);
                let bytes = lane.to_bytes();
                let steps = [Step::Lane { number, count: self.lanes }];
                let again = Selection::from_bytes(&bytes, lane.row_index().slices(), &steps);
                let rows = again.unwrap().rows();
                assert_eq!(rows, lane.rows());
                (rows > first).then(|| {
                    let all = epoch::Rows::new(table.clone(), lane, None, true);
                    let (pipeline, skipped) = match self.mixing {
                        None => in_order(all, self.budget, first),
                        Some(mixing) => shuffled(all, self.budget, mixing, 3, first),
                    }
                    .unwrap();
                    LaneRows { pipeline, skipped, rows: rows - first }
                })
            };
            let lanes = (process * own..(process + 1) * own).map(lane).collect();
            let batches = self.batches();
            let composition = Composition { rows: self.share, together, batches: batches - from };
            let mut found = Vec::new();
            let lanes = take(Lanes::new(lanes, composition, WIDTHS), &mut found);
            let rest = lanes.into_rest();
            if self.mixing.is_some() && rest.iter().all(Option::is_some) {
                let rows = |number| selection.lane(process * own + number, self.lanes).rows();
                let next = rest
                    .into_iter()
                    .zip(0..)
                    .map(|(rest, number)| rest.map(|pipeline| LaneRows { pipeline, skipped: 0, rows: rows(number) }));
                let composition = Composition { rows: self.share, together, batches };
                take(Lanes::new(next.collect(), composition, WIDTHS), &mut found);
            }
            let size = own as usize * self.share;
            found.iter().flat_map(|rows| rows.chunks(size)).map(<[u32]>::to_vec).collect()
        }
    }

    fn take(mut lanes: Lanes, found: &mut Vec<Vec<u32>>) -> Lanes {
        loop {
            match lanes.next(Duration::from_secs(5)).unwrap() {
                NextBatch::Batch(Batch { block, rows }) => {
                    let features = block.arrays().features.values(rows.clone());
                    assert_eq!(features, block.arrays().targets.values(rows));
                    found.push(features.iter().map(|&value| value as u32).collect());
                }
                NextBatch::Pending => panic!("nothing for five seconds"),
                NextBatch::End => return lanes,
            }
        }
    }

    proptest! {
        #![proptest_config(crate::checks::cases(150))]

        #[test]
        fn global_batches_do_not_depend_on_the_processes(
            rows in 1_u64..120,
            (processes, own, share) in (1_u64..5, 1_u64..4, 1_usize..6),
            together in 1_usize..4,
            (pads, slice_bytes, threads) in (any::<bool>(), 20_u64..200, 1_usize..3),
            mixing in prop::option::of((0_u64..3, 0_u64..900)),
            from in 0.0_f64..1.0,
        ) {
            let budget = Budget { threads, block_bytes: 100, window: 3, max_row: 1 << 20, ahead: 0 };
            let mixing = mixing.map(|(seed, memory)| Mixing { seed, memory });
            let dataset = Dataset { rows, lanes: processes * own, share, pads, slice_bytes, budget, mixing };
            let parts: Vec<_> = (0..processes).map(|process| dataset.read((process, processes), together, 0)).collect();
            let alone = dataset.read((0, 1), 1, 0);
            let batches = dataset.batches() as usize;
            let epochs = parts.iter().map(Vec::len).min().unwrap();
            prop_assert!(epochs >= batches && alone.len() >= batches);
            for (step, global) in alone.iter().enumerate().take(epochs) {
                let joined: Vec<u32> = parts.iter().flat_map(|part| part[step].iter().copied()).collect();
                prop_assert_eq!(&joined, global, "step {}", step);
                for (lane, rows) in global.chunks(share).enumerate() {
                    if mixing.is_none() && rows[0] > 0 {
                        // In order, a lane's rows follow one another.
                        prop_assert!(rows.windows(2).all(|pair| pair[1] == pair[0] + 1 || pair[1] == 0));
                        prop_assert!(step == 0 || rows[0] == alone[step - 1][lane * share] + share as u32);
                    }
                }
            }
            let mut once: Vec<u32> = alone[..batches].concat();
            once.retain(|&row| row > 0);
            once.sort_unstable();
            let expected = if pads { rows } else { batches as u64 * dataset.lanes * share as u64 };
            prop_assert_eq!(once.len() as u64, expected, "each row once");
            once.dedup();
            prop_assert_eq!(once.len() as u64, expected);
            // An epoch that begins in the middle has the rest of the whole one.
            let from = (batches as f64 * from) as u64;
            let rest = dataset.read((0, processes), together, from);
            let end = rest.len().min(parts[0].len() - from as usize);
            prop_assert_eq!(&rest[..end], &parts[0][from as usize..from as usize + end]);
        }
    }
}
