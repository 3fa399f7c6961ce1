//! The selected rows of a table: parts, runs, shards and lanes of it, and rows that meet conditions. They are decided row by
//! row, and identical in every run.

use std::ops::Range;
use std::sync::Arc;

use crate::choose::conditions::Conditions;
use crate::choose::fold::{Cursor as FoldCursor, Fold};
use crate::choose::neighbours::Neighbours;
use crate::choose::part::{Cursor as PartCursor, Part};
use crate::choose::run::{Cursor as RunCursor, Run};
use crate::choose::shard::{Cursor as ShardCursor, Shard};
use crate::choose::strata::{Cursor as ClassesCursor, Keys, Strata};
use crate::choose::{Chooser, Cursor, Key, Step};
use crate::error::Result;
use crate::passes::row_index::{RowIndex, changed};
use crate::pipeline::Done;
use crate::rows::rejects::{Recording, Rejects};
use crate::rows::{Block, Parser, Pool};
use crate::table::Table;
use crate::text::Text;

/// Bytes of text in a stripe of a shard.
pub(super) const STRIPE_BYTES: u64 = 4 << 20;

/// A step whose rows have been counted.
#[derive(Clone)]
pub(super) enum Known {
    Part(Part),
    /// A step that the fields of each row decide, with the number of rows that it leaves before each slice, and in total.
    Read {
        by: ByFields,
        before: Arc<[u64]>,
    },
    Fold(Fold),
    /// A draw of the rows of each class, with the same numbers.
    Classes {
        keys: Keys,
        strata: Arc<Strata>,
        before: Arc<[u64]>,
    },
    Shard(Shard),
    Run(Run),
}

impl Known {
    /// Whether it may keep all rows of many slices.
    fn may_keep_all(&self) -> bool {
        matches!(self, Self::Run(_) | Self::Read { by: ByFields::Where(_), .. })
    }
}

/// How the fields of a row decide.
#[derive(Clone)]
pub(super) enum ByFields {
    Key(Key),
    Where(Arc<Conditions>),
}

/// What a pass finds out about a step.
pub(super) struct Learned {
    /// How often the rows of each class are drawn, if the step is by class.
    pub strata: Option<Strata>,
    /// The number of selected rows before each slice, and in total.
    pub before: Vec<u64>,
}

/// The selected rows.
#[derive(Clone)]
pub struct Selection {
    pub(super) row_index: Arc<RowIndex>,
    pub(super) steps: Vec<Known>,
    /// The number of selected rows before each slice, and in total.
    pub(super) before: Vec<u64>,
    /// The number of rejects: those of the row index, and rows that conditions cannot compare.
    pub(super) left_out: u64,
    /// These rejects, if a pass has just found them.
    pub(super) rejects: Option<Arc<Rejects>>,
}

/// What the steps of a portion need to know of the whole table.
pub(super) struct Whole {
    /// The number of rows before each step.
    pub rows_before: Vec<u64>,
    /// Bytes of text in a row on average.
    pub row_bytes: u64,
}

impl Selection {
    /// Selects rows. `learn` returns what only a pass tells about a step, given its place. If the row index is that of a
    /// portion, `whole` says what the steps need to know of the table.
    pub(super) fn of<E>(
        row_index: Arc<RowIndex>,
        steps: &[Step],
        whole: Option<&Whole>,
        mut learn: impl FnMut(&Arc<Self>, usize, &Step) -> std::result::Result<Learned, E>,
    ) -> std::result::Result<Arc<Self>, E> {
        let before = (0..=row_index.slices()).map(|slice| row_index.rows_before(slice)).collect();
        let left_out = row_index.left_out();
        let mut selection = Self { row_index, steps: Vec::new(), before, left_out, rejects: None };
        let mut drawn = 0;
        for (place, step) in steps.iter().enumerate() {
            let total = whole.map_or_else(|| selection.rows(), |whole| whole.rows_before[place]);
            let step = step.in_place(drawn);
            drawn += u64::from(step.is_drawn());
            let mut learn = |selection: &Arc<Self>| learn(selection, place, &step);
            let known = match step {
                Step::Part { fraction, seed, held_out } => Known::Part(Part::new(total, fraction, seed, held_out)),
                Step::Shard { index, count, batch_size, drop_remainder } => {
                    let row_bytes = whole.map_or_else(|| selection.row_bytes(), |whole| whole.row_bytes);
                    let stripe = STRIPE_BYTES / row_bytes;
                    Known::Shard(Shard::new(total, (index, count), stripe, batch_size, drop_remainder))
                }
                Step::Run(ref ranks) => Known::Run(Run::new(ranks.clone())),
                Step::Lane { number, count } => Known::Run(Run::lane(total, number, count)),
                Step::Fold { number, count, seed, held_out } => {
                    Known::Fold(Fold::new(total, (number, count), seed, held_out))
                }
                Step::Key { column, fraction, seed, held_out } => {
                    selection.counted(ByFields::Key(Key::new(column, fraction, seed, held_out)), learn)?
                }
                Step::KeyFold { column, number, count, seed, held_out } => {
                    selection.counted(ByFields::Key(Key::fold(column, (number, count), seed, held_out)), learn)?
                }
                Step::Classes { column, seed, .. } => {
                    let Learned { strata, before } = learn(&Arc::new(selection.clone()))?;
                    let strata = strata.expect("what is learned of a step by class").into();
                    Known::Classes { keys: Keys::new(column, seed), strata, before: before.into() }
                }
                Step::Where(ref conditions) => selection.counted(ByFields::Where(Arc::clone(conditions)), learn)?,
            };
            selection.add(known);
        }
        Ok(Arc::new(selection))
    }

    /// A step that reads fields, with the rows that `learn` finds.
    fn counted<E>(
        &self,
        by: ByFields,
        learn: impl FnOnce(&Arc<Self>) -> std::result::Result<Learned, E>,
    ) -> std::result::Result<Known, E> {
        // The rows of this step are unknown yet. Count those before each slice with the step in its place.
        let mut counting = self.clone();
        counting.steps.push(Known::Read { by: by.clone(), before: Arc::default() });
        let before = learn(&Arc::new(counting))?.before.into();
        Ok(Known::Read { by, before })
    }

    /// Adds a step, and counts the rows that it leaves.
    fn add(&mut self, step: Known) {
        self.steps.push(step);
        self.before = (0..=self.row_index.slices())
            .map(|slice| self.ranks(slice).last().expect("each step has a rank after it"))
            .collect();
    }

    /// One of `count` lanes of the selected rows.
    #[must_use]
    pub fn lane(&self, number: u64, count: u64) -> Arc<Self> {
        let mut lane = self.clone();
        lane.add(Known::Run(Run::lane(self.rows(), number, count)));
        Arc::new(lane)
    }

    /// Serializes the selection: the row index, what passes found out about the steps, and the number of rejects. No pass is
    /// needed to restore it.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.row_index.to_bytes();
        self.write_learned(0..self.row_index.slices(), &mut bytes);
        bytes.extend(self.left_out.to_le_bytes());
        bytes
    }

    /// Serializes what passes found out about the steps, as far as it concerns some slices.
    pub(super) fn write_learned(&self, slices: Range<usize>, bytes: &mut Vec<u8>) {
        for step in &self.steps {
            let before = match step {
                Known::Classes { strata, before, .. } => {
                    strata.write(bytes);
                    before
                }
                Known::Read { before, .. } => before,
                _ => continue,
            };
            bytes.extend(before[slices.start..=slices.end].iter().flat_map(|rows| rows.to_le_bytes()));
        }
    }

    /// Restores a selection for the same steps.
    pub(crate) fn from_bytes(bytes: &[u8], slices: usize, steps: &[Step]) -> Option<Arc<Self>> {
        let (row_index, mut learned) = bytes.split_at_checked(RowIndex::length_in_bytes(slices)?)?;
        let row_index = Arc::new(RowIndex::from_bytes(row_index)?);
        let selection =
            Self::of(row_index, steps, None, |_, _, step| Learned::read(step, slices, &mut learned).ok_or(()));
        let left_out = u64::from_le_bytes(learned.try_into().ok()?);
        Some(Arc::new(Self { left_out, ..Arc::unwrap_or_clone(selection.ok()?) }))
    }

    /// Bytes of text in a row of the table on average.
    pub(super) fn row_bytes(&self) -> u64 {
        (self.row_index.text_bytes() / self.row_index.rows().max(1)).max(1)
    }

    /// The number of selected rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.before[self.before.len() - 1]
    }

    /// Whether a row may be selected more than once.
    pub(super) fn repeats(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Known::Classes { strata, .. } if strata.repeats()))
    }

    /// The number of selected rows before a slice.
    #[must_use]
    pub fn rows_before(&self, slice: usize) -> u64 {
        self.before[slice]
    }

    /// The number of rejected rows.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The rejects, unless the selection or its row index comes from elsewhere.
    #[must_use]
    pub fn rejects(&self) -> &Rejects {
        self.rejects.as_deref().unwrap_or_else(|| self.row_index.rejects())
    }

    /// The row index.
    #[must_use]
    pub fn row_index(&self) -> &Arc<RowIndex> {
        &self.row_index
    }

    /// The last slice that begins at or before a selected row.
    #[must_use]
    pub fn slice_of(&self, row: u64) -> usize {
        self.before.partition_point(|&before| before <= row).saturating_sub(1).min(self.row_index.slices())
    }

    /// The rank of a slice's first row within each step, and finally among the selected rows.
    pub(super) fn ranks(&self, slice: usize) -> impl Iterator<Item = u64> {
        let first = self.row_index.rows_before(slice);
        std::iter::once(first).chain(self.steps.iter().scan(first, move |rank, step| {
            *rank = match step {
                Known::Part(part) => part.before(*rank),
                Known::Shard(shard) => shard.before(*rank),
                Known::Run(run) => run.before(*rank),
                Known::Fold(fold) => fold.before(*rank),
                // The rank is not used before the rows are counted.
                Known::Read { before, .. } | Known::Classes { before, .. } => before.get(slice).copied().unwrap_or(0),
            };
            Some(*rank)
        }))
    }

    /// The chooser for the rows of some slices; `None` if all rows are selected.
    pub(crate) fn chooser(&self, slices: Range<usize>) -> Option<Chooser<'_>> {
        let count = (self.before[slices.end] - self.before[slices.start]) as usize;
        // Where a step keeps all rows, nothing is left to choose.
        let may_keep_all = self.steps.iter().any(Known::may_keep_all);
        let ends: Vec<u64> = may_keep_all.then(|| self.ranks(slices.end)).into_iter().flatten().collect();
        let starts: Vec<u64> = self.ranks(slices.start).collect();
        let keeps_all = |at: usize| may_keep_all && ends[at] - starts[at] == ends[at + 1] - starts[at + 1];
        let choosing = self.steps.iter().zip(&starts).enumerate().filter(|(at, _)| !keeps_all(*at));
        let cursors = choosing.map(|(_, (step, &rank))| match step {
            Known::Part(part) => Cursor::Part(PartCursor::new(part, rank)),
            Known::Shard(shard) => Cursor::Shard(ShardCursor::new(shard, rank)),
            Known::Run(run) => Cursor::Run(RunCursor::new(run, rank)),
            Known::Read { by: ByFields::Key(key), .. } => Cursor::Key(*key),
            Known::Read { by: ByFields::Where(conditions), .. } => Cursor::Where(conditions),
            Known::Fold(fold) => Cursor::Fold(FoldCursor::new(fold, rank)),
            Known::Classes { keys, strata, .. } => Cursor::Classes(ClassesCursor::new(strata, keys, rank)),
        });
        let cursors: Vec<_> = cursors.collect();
        (!cursors.is_empty()).then(|| Chooser::new(cursors, count))
    }
}

impl Learned {
    /// Takes what a pass found out about a step from the beginning of the bytes.
    pub(super) fn read(step: &Step, slices: usize, bytes: &mut &[u8]) -> Option<Self> {
        let is_by_class = matches!(step, Step::Classes { .. });
        let strata = if is_by_class { Some(Strata::read(bytes)?) } else { None };
        let (rows, rest) = bytes.split_at_checked(8 * (slices + 1))?;
        *bytes = rest;
        Some(Self { strata, before: rows.as_chunks().0.iter().map(|&rows| u64::from_le_bytes(rows)).collect() })
    }
}

/// Reads the selected rows of slices. Each thread has one.
pub(crate) struct Reader {
    table: Table,
    selection: Arc<Selection>,
    parser: Parser,
    text: Text,
}

impl Reader {
    pub(crate) fn new(table: &Table, selection: &Arc<Selection>) -> Self {
        let parser = Parser::new(&table.schema, table.dialect, table.simd);
        Self { table: table.clone(), selection: Arc::clone(selection), parser, text: Text::default() }
    }

    /// Sets which rejects are recorded.
    pub(super) fn recording(self, recording: Recording) -> Self {
        Self { parser: self.parser.recording(recording), ..self }
    }

    /// Reads the selected rows of consecutive slices up to the first wrong row, and returns its error.
    pub(crate) fn read(&mut self, slices: Range<usize>, pool: &Arc<Pool>) -> Done<Block> {
        let bytes = self.selection.row_index.bytes(slices.clone());
        if let Err(error) = self.text.read(&self.table, bytes) {
            return Done::failed(error);
        }
        let mut chooser = self.selection.chooser(slices);
        let (block, error) = self.parser.parse_chosen(&self.text, pool, chooser.as_mut());
        Done { item: Some(block), error }
    }

    /// Which of the selected rows of consecutive slices follow one another, with the same key in the columns `by`.
    pub(super) fn neighbours(&mut self, slices: Range<usize>, by: &[usize], pool: &Arc<Pool>) -> Result<Neighbours> {
        self.text.read(&self.table, self.selection.row_index.bytes(slices.clone()))?;
        let chooser = self.selection.chooser(slices).unwrap_or_else(|| Chooser::new(Vec::new(), 0));
        let mut chooser = chooser.noting(by);
        let (_, error) = self.parser.parse_chosen(&self.text, pool, Some(&mut chooser));
        error.map_or_else(|| Ok(chooser.into_neighbours()), Err)
    }

    /// Passes the selected rows of consecutive slices, as they come before one more step, through a cursor.
    pub(super) fn pass<'a>(
        &'a mut self,
        slices: Range<usize>,
        cursor: Cursor<'a>,
        pool: &Arc<Pool>,
    ) -> Result<Cursor<'a>> {
        self.text.read(&self.table, self.selection.row_index.bytes(slices.clone()))?;
        let chooser = self.selection.chooser(slices.clone()).unwrap_or_else(|| {
            let count = self.selection.before[slices.end] - self.selection.before[slices.start];
            Chooser::new(Vec::new(), count as usize)
        });
        let mut chooser = chooser.then(cursor);
        let (_, error) = self.parser.parse_chosen(&self.text, pool, Some(&mut chooser));
        error.map_or_else(|| Ok(chooser.into_last().expect("the one that was added")), Err)
    }

    /// Like [`Reader::read`], but returns an error if the number of rows differs from the count.
    pub(crate) fn read_counted(&mut self, slices: Range<usize>, pool: &Arc<Pool>) -> Done<Block> {
        let counted = self.selection.rows_before(slices.end) - self.selection.rows_before(slices.start);
        let done = self.read(slices, pool);
        match &done.item {
            Some(block) if done.error.is_none() && block.rows as u64 != counted => Done::failed(changed()),
            _ => done,
        }
    }
}
