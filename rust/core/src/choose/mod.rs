//! Chooses rows: random parts, parts by key, by conditions, runs, folds, parts and samples of classes, shards and lanes, and
//! windows over them. Mixes rows of several tables. It only computes and reads nothing.

pub mod classes;
pub mod conditions;
pub(crate) mod fold;
pub mod interleave;
pub(crate) mod intervals;
pub(crate) mod neighbours;
pub(crate) mod part;
pub(crate) mod run;
pub(crate) mod shard;
pub(crate) mod strata;
pub mod windows;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::random::Random;
use classes::Draw;
use conditions::Conditions;
use neighbours::Neighbours;

/// A step in choosing rows. Each step chooses among the rows that the previous step left.
#[derive(Clone, Debug)]
pub enum Step {
    /// A random part of the rows, or the rest.
    Part {
        /// The fraction of rows that are held out.
        fraction: f64,
        /// The seed. The place of the step is mixed in.
        seed: u64,
        /// Whether to choose the held-out rows or the others.
        held_out: bool,
    },
    /// The rows of a random part of a column's keys, or the rest.
    Key {
        /// Position of the column.
        column: usize,
        /// The fraction of keys that are held out.
        fraction: f64,
        /// The seed.
        seed: u64,
        /// Whether to choose the held-out rows or the others.
        held_out: bool,
    },
    /// The rows that meet conditions.
    Where(Arc<Conditions>),
    /// The rows from one place to before another, counted from 0.
    Run(Range<u64>),
    /// One of several folds of the rows, or the rest.
    Fold {
        /// The fold, from 0.
        number: u64,
        /// The number of folds.
        count: u64,
        /// The seed.
        seed: u64,
        /// Whether to choose the fold or the rest.
        held_out: bool,
    },
    /// The rows of one of several folds of a column's keys, or the rest.
    KeyFold {
        /// Position of the column.
        column: usize,
        /// The fold, from 0.
        number: u64,
        /// The number of folds.
        count: u64,
        /// The seed.
        seed: u64,
        /// Whether to choose the fold or the rest.
        held_out: bool,
    },
    /// An exact number of the rows of each class. A row may be repeated.
    Classes {
        /// Position of the column whose text is the class.
        column: usize,
        /// How many rows of each class.
        draw: Draw,
        /// The seed.
        seed: u64,
    },
    /// The shard of one worker. All workers get the same number of batches.
    Shard {
        /// The worker, from 0.
        index: u64,
        /// The number of workers.
        count: u64,
        /// Rows in a batch.
        batch_size: u64,
        /// Whether an incomplete batch is dropped.
        drop_remainder: bool,
    },
    /// One of several equal, contiguous lanes.
    Lane {
        /// The lane, from 0.
        number: u64,
        /// The number of lanes.
        count: u64,
    },
}

impl Step {
    /// Whether it draws rows or keys by a seed.
    pub(crate) fn is_drawn(&self) -> bool {
        matches!(
            self,
            Self::Part { .. } | Self::Key { .. } | Self::Fold { .. } | Self::KeyFold { .. } | Self::Classes { .. }
        )
    }

    /// This step with a seed derived from its place among the steps that draw. Otherwise two steps with the same seed
    /// would hold out the same keys.
    pub(crate) fn in_place(&self, place: u64) -> Self {
        let mut step = self.clone();
        if let (
            Self::Part { seed, .. }
            | Self::Key { seed, .. }
            | Self::Fold { seed, .. }
            | Self::KeyFold { seed, .. }
            | Self::Classes { seed, .. },
            1..,
        ) = (&mut step, place)
        {
            *seed = Random::new(*seed, &[place]).next();
        }
        step
    }

    /// Whether only a pass over the rows tells which ones are chosen.
    #[must_use]
    pub fn needs_pass(&self) -> bool {
        matches!(self, Self::Key { .. } | Self::KeyFold { .. } | Self::Classes { .. } | Self::Where(_))
    }
}

/// The rows whose key is held out, or the others.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    pub(crate) column: usize,
    hashes: Hashes,
    seed: u64,
    held_out: bool,
}

/// The hashes of the keys that are held out.
#[derive(Clone, Copy)]
enum Hashes {
    Below(u64),
    Fold { number: u64, count: u64 },
}

impl Key {
    pub(crate) fn new(column: usize, fraction: f64, seed: u64, held_out: bool) -> Self {
        Self { column, hashes: Hashes::Below((fraction * 2_f64.powi(64)) as u64), seed, held_out }
    }

    /// Those of a fold.
    pub(crate) fn fold(column: usize, (number, count): (u64, u64), seed: u64, held_out: bool) -> Self {
        Self { column, hashes: Hashes::Fold { number, count }, seed, held_out }
    }

    pub(crate) fn holds(self, key: &[u8]) -> bool {
        let hash = xxh3_64_with_seed(key, self.seed);
        let is_held = match self.hashes {
            Hashes::Below(limit) => hash < limit,
            Hashes::Fold { number, count } => ((u128::from(hash) * u128::from(count)) >> 64) as u64 == number,
        };
        is_held == self.held_out
    }
}

/// Goes through the rows of a table in order and chooses.
pub(crate) struct Chooser<'a> {
    cursors: Vec<Cursor<'a>>,
    count: usize,
    /// Takes note of the rows that follow one another, if that is wanted.
    neighbours: Option<Neighbours>,
}

/// Goes through the rows of one step.
pub(crate) enum Cursor<'a> {
    Part(part::Cursor<'a>),
    Shard(shard::Cursor<'a>),
    Run(run::Cursor<'a>),
    Key(Key),
    Fold(fold::Cursor<'a>),
    Classes(strata::Cursor<'a>),
    /// Keeps all rows and takes note of their classes.
    Counting(strata::Counting),
    /// Keeps all rows and takes note of their keys.
    Seeking(strata::Seeking<'a>),
    Where(&'a Conditions),
}

/// The fields of a group of rows, as far as choosing asks for them.
pub(crate) trait GroupFields {
    /// The text of a column in a row.
    fn key(&self, row: usize, column: usize) -> Cow<'_, [u8]>;

    /// Keeps those of the rows that meet the conditions.
    fn meet(&mut self, conditions: &Conditions, rows: &mut Vec<usize>);

    /// Keeps those of the rows that may meet the conditions: some of their fields may be wrong.
    fn rule_out(&mut self, conditions: &Conditions, rows: &mut Vec<usize>);
}

impl<'a> Chooser<'a> {
    /// Combines a cursor for each step. `count` is the number of rows that will be chosen.
    pub(crate) fn new(cursors: Vec<Cursor<'a>>, count: usize) -> Self {
        Self { cursors, count, neighbours: None }
    }

    /// Takes note of which rows follow one another, with the same key in the columns `by`.
    pub(crate) fn noting(self, by: &[usize]) -> Self {
        Self { neighbours: Some(Neighbours::new(by)), ..self }
    }

    /// Adds a cursor for one more step.
    pub(crate) fn then(mut self, cursor: Cursor<'a>) -> Self {
        self.cursors.push(cursor);
        self
    }

    /// The cursor of the last step, once it went through the rows.
    pub(crate) fn into_last(mut self) -> Option<Cursor<'a>> {
        self.cursors.pop()
    }

    /// Whether a row may be chosen more than once.
    pub(crate) fn repeats(&self) -> bool {
        self.cursors.iter().any(|cursor| matches!(cursor, Cursor::Classes(classes) if classes.repeats()))
    }

    /// What was noted of the rows so far.
    pub(crate) fn into_neighbours(self) -> Neighbours {
        self.neighbours.unwrap_or_default()
    }

    /// The number of rows that will be chosen, if known.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Passes over a row that is left out.
    pub(crate) fn pass_over(&mut self) {
        if let Some(neighbours) = &mut self.neighbours {
            neighbours.part();
        }
    }

    /// Whether fields are compared as plain numbers.
    pub(crate) fn compares_plain_numbers(&self) -> bool {
        let compares =
            |cursor: &Cursor<'_>| matches!(cursor, Cursor::Where(conditions) if conditions.have_plain_numbers());
        self.cursors.iter().any(compares)
    }

    /// Whether conditions come first. They rule rows out whose place among the others does not matter.
    pub(crate) fn begins_with_conditions(&self) -> bool {
        matches!(self.cursors.first(), Some(Cursor::Where(_)))
    }

    /// Keeps those of the next rows that the first conditions may let pass. It does not go on to further rows.
    pub(crate) fn rule_out(&self, rows: &mut Vec<usize>, fields: &mut impl GroupFields) {
        if let Some(Cursor::Where(conditions)) = self.cursors.first() {
            fields.rule_out(conditions, rows);
        }
    }

    /// Keeps the chosen ones of the next `count` rows, of which `rows` remain, in their order. A row that is chosen several
    /// times is there as often.
    pub(crate) fn choose(&mut self, rows: &mut Vec<usize>, count: usize, fields: &mut impl GroupFields) {
        for cursor in &mut self.cursors {
            match cursor {
                Cursor::Part(part) => part.choose(rows),
                Cursor::Shard(shard) => rows.retain(|_| shard.next()),
                Cursor::Run(run) => rows.retain(|_| run.next()),
                Cursor::Key(by) => rows.retain(|&row| by.holds(&fields.key(row, by.column))),
                Cursor::Where(conditions) => fields.meet(conditions, rows),
                Cursor::Fold(fold) => rows.retain(|_| fold.next()),
                Cursor::Classes(classes) => classes.choose(rows, |row, column| fields.key(row, column)),
                Cursor::Counting(counting) => counting.count(rows, |row, column| fields.key(row, column)),
                Cursor::Seeking(seeking) => seeking.look(rows, |row, column| fields.key(row, column)),
            }
        }
        if let Some(neighbours) = &mut self.neighbours {
            neighbours.note(rows, count, |row, column| fields.key(row, column));
        }
    }
}
