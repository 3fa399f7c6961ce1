//! Which rows are wanted: parts by row or by key, and shards. Arithmetic alone; nothing here reads.

pub(crate) mod part;
pub(crate) mod shard;

use std::borrow::Cow;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::random::Random;

/// A step in choosing rows; each chooses among those that the step before it left.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A random part of the rows, or the rest.
    Part {
        /// How many of all rows are held out.
        fraction: f64,
        /// What they are drawn with, together with the place of the step.
        seed: u64,
        /// Whether those held out are meant, or the others.
        held_out: bool,
    },
    /// The rows of a random part of the keys that a column holds, or the rest.
    Key {
        /// Position of the column.
        column: usize,
        /// How many of all keys are held out.
        fraction: f64,
        /// What they are drawn with.
        seed: u64,
        /// Whether those held out are meant, or the others.
        held_out: bool,
    },
    /// The share of one of several workers, all of which have equally many batches.
    Shard {
        /// Which of them, from 0.
        index: u64,
        /// How many there are.
        count: u64,
        /// Rows in a batch.
        batch_size: u64,
        /// Whether a batch that is not full is dropped.
        drop_remainder: bool,
    },
}

impl Step {
    /// The same with a seed of its own for its place among the steps: else a key that one step holds out would be held out
    /// by the next one with the same seed as well.
    pub(crate) fn in_place(&self, place: u64) -> Self {
        let mut step = self.clone();
        if let (Self::Part { seed, .. } | Self::Key { seed, .. }, 1..) = (&mut step, place) {
            *seed = Random::new(*seed, &[place]).next();
        }
        step
    }
}

/// The rows whose key is held out, or the others.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    pub(crate) column: usize,
    threshold: u64,
    seed: u64,
    held_out: bool,
}

impl Key {
    pub(crate) fn new(column: usize, fraction: f64, seed: u64, held_out: bool) -> Self {
        Self { column, threshold: (fraction * 2_f64.powi(64)) as u64, seed, held_out }
    }

    pub(crate) fn holds(self, key: &[u8]) -> bool {
        (xxh3_64_with_seed(key, self.seed) < self.threshold) == self.held_out
    }
}

/// Goes through the rows of a table in order and says which are wanted.
pub(crate) struct Chooser<'a> {
    cursors: Vec<Cursor<'a>>,
    count: usize,
}

/// Goes through the rows of one step.
pub(crate) enum Cursor<'a> {
    Part(part::Cursor<'a>),
    Shard(shard::Cursor<'a>),
    Key(Key),
}

impl<'a> Chooser<'a> {
    /// With a cursor for each step; `count` is how many rows it is going to want.
    pub(crate) fn new(cursors: Vec<Cursor<'a>>, count: usize) -> Self {
        Self { cursors, count }
    }

    /// How many rows it is going to want, as far as that is known.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Leaves of the next rows those that are wanted; `key` gives what a column holds in one of them.
    pub(crate) fn choose<'t>(&mut self, rows: &mut Vec<usize>, key: impl Fn(usize, usize) -> Cow<'t, [u8]>) {
        for cursor in &mut self.cursors {
            match cursor {
                Cursor::Part(part) => part.choose(rows),
                Cursor::Shard(shard) => rows.retain(|_| shard.next()),
                Cursor::Key(by) => rows.retain(|&row| by.holds(&key(row, by.column))),
            }
        }
    }
}
