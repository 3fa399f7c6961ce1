//! Two passes that tell which rows of each class are drawn: one counts the classes, one finds the keys.

use std::sync::Arc;

use super::selection::{Learned, Reader, Selection};
use crate::budget::Budget;
use crate::choose::classes::{Census, Classes, Draw, MOST_CLASSES};
use crate::choose::strata::{Counting, Keys, Search, Seeking, Seen};
use crate::choose::{Cursor, Step};
use crate::error::{Error, Kind, Result};
use crate::passes::row_index::changed;
use crate::pipeline::{Done, Jobs, Pipeline, Worker};
use crate::process::PerProcess;
use crate::rows::Pool;
use crate::table::Table;

/// How far from its expected place a key is sought, in standard deviations. Of a billion keys, two are further
/// away; then another pass looks further.
const SPREAD: f64 = 6.0;

/// Finds out which of the selected rows `draw` draws, and how many of them come before each slice. `before` are the steps
/// that selected the rows. Calls `check` several times a second and stops at the first error that it returns.
pub(super) fn find<E: From<Error>>(
    table: &Table,
    selection: &Arc<Selection>,
    before: &[Step],
    keys: &Keys,
    draw: &Draw,
    budget: Budget,
    mut check: impl FnMut() -> std::result::Result<(), E>,
) -> std::result::Result<Learned, E> {
    let classes = classes(table, selection, before, keys.column, budget, &mut check)?;
    let refused = |message| Error::from(Kind::Column(message)).in_column(keys.column);
    let mut spread = SPREAD;
    loop {
        let search = Arc::new(Search::new(keys.clone(), &classes, draw, spread).map_err(refused)?);
        let mut sought = search.sought();
        let jobs = Passing::new(table, selection, Arc::new(SeekingKeys(Arc::clone(&search))));
        Pipeline::run(jobs, budget.threads, budget.window)?.drain(
            |seen: Seen| {
                if seen.has_unknown {
                    return Err(changed().into());
                }
                sought.add(&seen);
                Ok(())
            },
            &mut check,
        )?;
        if let Some((strata, drawn)) = search.finish(sought) {
            let mut rows = 0;
            let before = std::iter::once(0).chain(drawn.into_iter().map(|drawn| {
                rows += drawn;
                rows
            }));
            return Ok(Learned { strata: Some(strata), before: before.collect() });
        }
        if search.is_complete() {
            return Err(changed().into());
        }
        spread *= 8.0;
    }
}

/// The classes of the selected rows. This process remembers them.
fn classes<E: From<Error>>(
    table: &Table,
    selection: &Arc<Selection>,
    before: &[Step],
    column: usize,
    budget: Budget,
    check: impl FnMut() -> std::result::Result<(), E>,
) -> std::result::Result<Arc<Classes>, E> {
    let name = format!("{} {before:?} {column}", table.for_counting().description());
    if let Some(classes) = remembered(&name) {
        return Ok(classes);
    }
    let mut census = Census::default();
    let jobs = Passing::new(table, selection, Arc::new(CountingClasses { column }));
    Pipeline::run(jobs, budget.threads, budget.window)?.drain(
        |counted: Census| {
            census.merge(&counted);
            if census.count() > MOST_CLASSES { Err(too_many(table, column).into()) } else { Ok(()) }
        },
        check,
    )?;
    let missing = &table.schema.missing;
    let is_missing = |text: &[u8]| std::str::from_utf8(text).is_ok_and(|text| missing.contains_word(text));
    let classes = Arc::new(Classes::of(&census, is_missing));
    let mut known = REMEMBERED.lock();
    if known.len() == REMEMBERED_MOST {
        known.remove(0);
    }
    known.push((name, Arc::clone(&classes)));
    Ok(classes)
}

fn too_many(table: &Table, column: usize) -> Error {
    let name = table.schema.quoted_name(column);
    let message = format!(
        "the column has more than {MOST_CLASSES} different values, so it holds no classes: rows with the same value of \
         {name} stay together with by={name} of split() and folds()"
    );
    Error::from(Kind::Column(message)).in_column(column)
}

/// Classes of tables, the most recently used last.
static REMEMBERED: PerProcess<Vec<(String, Arc<Classes>)>> = PerProcess::new();
const REMEMBERED_MOST: usize = 16;

fn remembered(name: &str) -> Option<Arc<Classes>> {
    let mut known = REMEMBERED.lock();
    let at = known.iter().position(|(of, _)| of == name)?;
    known[at..].rotate_left(1);
    known.last().map(|(_, classes)| Arc::clone(classes))
}

/// What a pass finds out about the rows of each slice.
trait Finding: Send + Sync + 'static {
    type Found: Default + Send + 'static;

    /// A cursor that finds it, given the number of selected rows before the slice.
    fn cursor(&self, rank: u64) -> Cursor<'_>;

    /// What the cursor has found.
    fn found(cursor: Cursor<'_>) -> Option<Self::Found>;
}

/// The rows of each class.
struct CountingClasses {
    column: usize,
}

impl Finding for CountingClasses {
    type Found = Census;

    fn cursor(&self, _: u64) -> Cursor<'_> {
        Cursor::Counting(Counting::new(self.column))
    }

    fn found(cursor: Cursor<'_>) -> Option<Census> {
        if let Cursor::Counting(counting) = cursor { Some(counting.census) } else { None }
    }
}

/// The keys at which a draw begins and ends.
struct SeekingKeys(Arc<Search>);

impl Finding for SeekingKeys {
    type Found = Seen;

    fn cursor(&self, rank: u64) -> Cursor<'_> {
        Cursor::Seeking(Seeking::new(&self.0, rank))
    }

    fn found(cursor: Cursor<'_>) -> Option<Seen> {
        if let Cursor::Seeking(seeking) = cursor { Some(seeking.seen) } else { None }
    }
}

/// Passes the selected rows of each slice through a cursor.
struct Passing<F> {
    table: Table,
    selection: Arc<Selection>,
    finding: Arc<F>,
}

impl<F: Finding> Passing<F> {
    fn new(table: &Table, selection: &Arc<Selection>, finding: Arc<F>) -> Self {
        Self { table: table.for_counting(), selection: Arc::clone(selection), finding }
    }

    fn look(&self, reader: &mut Reader, slice: usize, pool: &Arc<Pool>) -> Result<F::Found> {
        let rank = self.selection.rows_before(slice);
        if rank == self.selection.rows_before(slice + 1) {
            return Ok(F::Found::default());
        }
        let cursor = reader.pass(slice..slice + 1, self.finding.cursor(rank), pool)?;
        F::found(cursor).ok_or_else(|| Kind::Internal.into())
    }
}

impl<F: Finding> Jobs<F::Found> for Passing<F> {
    fn count(&self) -> u64 {
        self.selection.row_index().slices() as u64
    }

    fn worker(self: Arc<Self>) -> Worker<F::Found> {
        let mut reader = Reader::new(&self.table, &self.selection);
        let pool = Pool::new(1);
        Box::new(move |index| {
            Some(match self.look(&mut reader, index as usize, &pool) {
                Ok(found) => Done::with(found),
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
