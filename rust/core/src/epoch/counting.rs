//! Passes over the slices of a selection: one counts the rows that a step leaves whose decisions take fields, another one
//! writes the rejects.

use std::io::Write;
use std::sync::Arc;

use super::selection::{ByFields, Known, Reader, Selection};
use crate::budget::Budget;
use crate::error::Error;
use crate::passes::rejects::Report;
use crate::pipeline::{Done, Jobs, Pipeline, Worker};
use crate::rows::Pool;
use crate::rows::rejects::{self, Recording, Rejects, Tally};
use crate::table::Table;
use crate::table::schema::OnError;

/// What counting finds.
pub(super) struct Found {
    /// The number of selected rows before each slice, and in total.
    pub before: Vec<u64>,
    /// The rejects of the table, and rows that conditions cannot compare, if there may be any.
    pub rejects: Option<Rejects>,
}

/// Counts the selected rows by reading them. The last step has not been counted yet.
pub(super) fn count<E: From<Error>>(
    table: &Table,
    selection: &Arc<Selection>,
    budget: Budget,
    check: impl FnMut() -> std::result::Result<(), E>,
) -> std::result::Result<Found, E> {
    let has_conditions = matches!(selection.steps.last(), Some(Known::Read { by: ByFields::Where(_), .. }));
    let rejects = has_conditions && table.schema.on_error == OnError::Skip;
    let allowed = table.schema.max_rejects;
    let recording = rejects.then(|| Tally::recording(allowed, rejects::REMEMBERED));
    let jobs = Counting { table: table.for_counting(), selection: Arc::clone(selection), recording };
    let mut tally = Tally::new(allowed);
    let mut before = Vec::with_capacity(selection.row_index().slices() + 1);
    let mut rows = 0;
    Pipeline::run(jobs, budget.threads, budget.window)?.drain(
        |counted: Counted| {
            before.push(rows);
            rows += counted.rows;
            tally.add(counted.rejects).filter(|_| rejects).map_or(Ok(()), |(_, error)| Err(error.into()))
        },
        check,
    )?;
    before.push(rows);
    Ok(Found { before, rejects: rejects.then(|| tally.into_found()) })
}

impl Selection {
    /// Writes the rejects of the table, and the rows that conditions cannot compare, as rows of CSV in UTF-8. Returns
    /// their number. `names` are the names of the parts. Calls `check` several times a second and stops at the first
    /// error that it returns.
    pub fn write_rejects<E: From<Error>>(
        self: &Arc<Self>,
        table: &Table,
        names: &[&str],
        budget: Budget,
        out: &mut impl Write,
        check: impl FnMut() -> std::result::Result<(), E>,
    ) -> std::result::Result<u64, E> {
        let recording = Some(Recording { most: usize::MAX, rows: true });
        let jobs = Counting { table: table.for_counting(), selection: Arc::clone(self), recording };
        let mut report = Report::begin(out, table, names)?;
        let mut slice = 0;
        Pipeline::run(jobs, budget.threads, budget.window)?.drain(
            |counted: Counted| {
                slice += 1;
                Ok(report.add(&counted.rejects, self.row_index().bytes(slice - 1..slice).end)?)
            },
            check,
        )?;
        Ok(report.end()?)
    }
}

/// What a slice has.
#[derive(Default)]
struct Counted {
    rows: u64,
    rejects: Rejects,
}

/// Counts the selected rows of each slice.
struct Counting {
    table: Table,
    selection: Arc<Selection>,
    /// Which rejects are recorded, if they are wanted.
    recording: Option<Recording>,
}

impl Counting {
    /// Whether a slice has nothing to read.
    fn passes_over(&self, slice: usize) -> bool {
        if self.recording.is_some() {
            return self.selection.row_index().is_gap(slice, &self.table.parts);
        }
        self.selection.rows_before(slice) == self.selection.rows_before(slice + 1)
    }
}

impl Jobs<Counted> for Counting {
    fn count(&self) -> u64 {
        self.selection.row_index().slices() as u64
    }

    fn worker(self: Arc<Self>) -> Worker<Counted> {
        let recording = self.recording.unwrap_or_default();
        let mut reader = Reader::new(&self.table, &self.selection).recording(recording);
        let pool = Pool::new(1);
        Box::new(move |index| {
            let slice = index as usize;
            if self.passes_over(slice) {
                return Some(Done::with(Counted::default()));
            }
            let Done { item, error } = reader.read(slice..slice + 1, &pool);
            Some(match (item, error) {
                (Some(mut block), None) => {
                    Done::with(Counted { rows: block.rows as u64, rejects: block.take_rejects() })
                }
                (None, None) => Done::with(Counted::default()),
                (_, Some(error)) => Done::failed(error),
            })
        })
    }

    fn are_short(&self) -> bool {
        self.table.parts.are_local()
    }

    fn abandon(&self) {
        self.table.parts.abandon();
    }
}
