//! `Plan`: which rows a dataset has, and in which order its epochs yield them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use csvfeed_core::batch;
use csvfeed_core::choose::Step;
use csvfeed_core::epoch::cache::Cache;
use csvfeed_core::epoch::selection::Selection;
use csvfeed_core::epoch::{Mixing, Rows, in_order, shuffled};
use csvfeed_core::error::{Error, Kind};
use csvfeed_core::passes::row_index::RowIndex;
use csvfeed_core::pipeline::Pipeline;
use csvfeed_core::process::PerProcess;
use csvfeed_core::rows::{Block, Widths};
use csvfeed_core::stats::{Moments, stats};
use csvfeed_core::table::Table;
use csvfeed_core::table::schema::{Column, Schema};
use pyo3::prelude::*;
use pyo3::sync::MutexExt;

use crate::batches::{Batches, Taken, let_go, remainder};
use crate::columns::PyColumn;
use crate::exit::{Ends, watch};
use crate::reader::Reader;

/// Which rows a dataset has, and in which order its epochs yield them.
#[pyclass(frozen, module = "csvfeed._core")]
pub(crate) struct Plan {
    reader: Py<Reader>,
    schema: Arc<Schema>,
    steps: Vec<Step>,
    seed: Option<u64>,
    /// The directory of the cache, and how missing features are filled there.
    cache: Option<(PathBuf, String)>,
    /// Where the rows are, once that was asked for.
    known: PerProcess<Option<Known>>,
    /// A pipeline that goes on with that epoch.
    prepared: Arc<Mutex<Option<Prepared>>>,
}

/// An epoch, and the pipeline that goes on with it.
type Prepared = (u64, Pipeline<Block>);

#[derive(Clone)]
struct Known {
    selection: Arc<Selection>,
    cache: Option<Arc<Cache>>,
}

/// What a column holds: count, missing, mean, std, min, max.
type ColumnStats = (u64, u64, f64, f64, f64, f64);

/// A step as Python names it.
pub(crate) enum PyStep {
    Part { fraction: f64, seed: u64, held_out: bool },
    Key { column: PyColumn, fraction: f64, seed: u64, held_out: bool },
    Shard { index: u64, count: u64, batch_size: u64, drop_remainder: bool },
}

impl<'py> FromPyObject<'_, 'py> for PyStep {
    type Error = PyErr;

    fn extract(step: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok((index, count, batch_size, drop_remainder)) = step.extract() {
            return Ok(Self::Shard { index, count, batch_size, drop_remainder });
        }
        let (column, fraction, seed, held_out) = step.extract::<(Option<PyColumn>, f64, u64, bool)>()?;
        Ok(match column {
            Some(column) => Self::Key { column, fraction, seed, held_out },
            None => Self::Part { fraction, seed, held_out },
        })
    }
}

impl PyStep {
    pub(crate) fn resolve(self, reader: &Reader) -> Result<Step, Error> {
        Ok(match self {
            Self::Part { fraction, seed, held_out } => Step::Part { fraction, seed, held_out },
            Self::Key { column, fraction, seed, held_out } => {
                Step::Key { column: reader.key_column(&Column::from(column))?, fraction, seed, held_out }
            }
            Self::Shard { index, count, batch_size, drop_remainder } => {
                Step::Shard { index, count, batch_size, drop_remainder }
            }
        })
    }
}

#[pymethods]
impl Plan {
    /// How many rows an epoch has. The first time this reads the source once.
    fn rows(&self, py: Python<'_>) -> PyResult<u64> {
        let table = self.table(py)?;
        Ok(self.known(py, &table, false)?.selection.rows())
    }

    /// Warns, unless that was done, if rows of the source are left out as wrong. The first time this reads the source once.
    fn warn_of_rejects(&self, py: Python<'_>) -> PyResult<()> {
        self.rows(py)?;
        self.reader.get().warn_of(py, self.left_out(py))
    }

    /// What each column that is read holds: features, targets, then the weight. This reads the rows once.
    fn stats(&self, py: Python<'_>) -> PyResult<Vec<ColumnStats>> {
        let mut table = self.table(py)?;
        let mut selection = None;
        if !self.steps.is_empty() {
            selection = Some(self.known(py, &table, true)?.selection);
            table = self.reader.get().spooled(py, table)?;
        }
        table.schema = self.reader.get().with_vocabularies(py, table.schema)?;
        let budget = self.reader.get().budget_for_stats();
        let found = py.detach(|| stats(&table, selection, budget, check_signals));
        let columns = found.map_err(|stop| self.stopped(py, stop, &table))?;
        let stats = |column: &Moments| {
            let (min, max) = (column.min().into(), column.max().into());
            (column.count, column.missing, column.mean(), column.std(), min, max)
        };
        Ok(columns.iter().map(stats).collect())
    }

    /// An iterator over the batches of an epoch, from a row of it on. `fill` is called for the values of missing features,
    /// unless the cache has them.
    #[pyo3(signature = (batch_size, *, epoch, first_row, drop_remainder, pad_to, fill))]
    fn batches(
        slf: Bound<'_, Self>,
        batch_size: usize,
        epoch: u64,
        first_row: u64,
        drop_remainder: bool,
        pad_to: Option<usize>,
        fill: &Bound<'_, PyAny>,
    ) -> PyResult<Batches> {
        let py = slf.py();
        let this = slf.get();
        let reader = this.reader.get();
        // Whatever was prepared is of no use if the source is not what it was.
        let mut table = this.table(py)?;
        let known = this.known(py, &table, true)?;
        if known.cache.as_ref().and_then(|cache| cache.filling()).is_none() {
            table = reader.spooled(py, table)?;
        }
        let parts = Arc::clone(&table.parts);
        let rows = known.selection.rows();
        if rows == 0 {
            let what = if known.selection.row_index().left_out() > 0 {
                "no row is left: ds.rejects tells of those that are wrong"
            } else {
                "no row is left: none has a target, or none is in the part that was asked for"
            };
            return Err(reader.exception(py, &Kind::Empty(what).into(), None));
        }
        table.schema = reader.with_vocabularies(py, table.schema)?;
        let prepared = this.prepared.lock_py_attached(py).map_or(None, |mut prepared| prepared.take());
        let (prepared, other): (Option<_>, _) = match prepared {
            Some((next, pipeline)) if next == epoch && first_row == 0 && pipeline.is_of_this_process() => {
                (Some(pipeline), None)
            }
            other => (None, other),
        };
        let_go(other);
        let (pipeline, skipped) = if let Some(pipeline) = prepared {
            (pipeline, 0)
        } else {
            let cached = known.cache.as_ref().and_then(|cache| cache.filling());
            let filling =
                cached.map_or_else(|| fill.call0()?.extract::<Option<Vec<f32>>>(), |filling| Ok(Some(filling)))?;
            if let Some(filling) = filling {
                Arc::make_mut(&mut table.schema).fill = filling;
            }
            this.start(table, known, epoch, first_row).map_err(|error| reader.exception(py, &error, None))?
        };
        let widths = Widths::of(&this.schema);
        let batches = batch::Batches::new(pipeline, widths, batch_size, remainder(drop_remainder, pad_to))
            .of(skipped, rows.saturating_sub(first_row));
        let reader = this.reader.bind(py).clone();
        Batches::new(reader, parts, batches, widths, Some((slf.unbind(), epoch)))
    }
}

impl Plan {
    pub(crate) fn new(
        reader: Py<Reader>,
        schema: Arc<Schema>,
        steps: Vec<Step>,
        seed: Option<u64>,
        cache: Option<(PathBuf, String)>,
    ) -> Self {
        Self { reader, schema, steps, seed, cache, known: PerProcess::new(), prepared: Arc::default() }
    }

    /// What is read, which must be what it was.
    fn table(&self, py: Python<'_>) -> PyResult<Table> {
        Ok(Table { schema: Arc::clone(&self.schema), ..self.reader.get().table(py)? })
    }

    /// Where the rows are. If they are going to be read `anywhere`, what is compressed is decompressed but once.
    fn known(&self, py: Python<'_>, table: &Table, anywhere: bool) -> PyResult<Known> {
        let reader = self.reader.get();
        let lost = |_| reader.exception(py, &Kind::Internal.into(), None);
        let mut known = self.known.mutex().lock_py_attached(py).map_err(lost)?;
        if let Some(known) = &*known {
            return Ok(known.clone());
        }
        let budget = reader.budget();
        let slice_bytes = reader.slice_bytes(table);
        let steps = &self.steps;
        let found = py.detach(|| -> Result<_, Stop> {
            let mut cache = None;
            if let Some((directory, fill)) = &self.cache {
                let key = format!("{} {steps:?} {slice_bytes} {fill}", table.description());
                let (opened, selection) = Cache::open(directory, &key, Widths::of(&self.schema), steps);
                cache = Some(opened);
                if let Some(selection) = selection {
                    return Ok(Known { selection, cache });
                }
            }
            let is_by_key = steps.iter().any(|step| matches!(step, Step::Key { .. }));
            let table = if anywhere || is_by_key { &reader.texts_of(table.clone(), check_signals)? } else { table };
            let row_index = RowIndex::remember(table, budget, slice_bytes, check_signals)?;
            let selection = Selection::make(table, row_index, steps, budget, check_signals)?;
            Ok(Known { selection, cache })
        });
        let found = found.map_err(|stop| self.stopped(py, stop, table))?;
        *known = Some(found.clone());
        Ok(found)
    }

    fn stopped(&self, py: Python<'_>, stop: Stop, table: &Table) -> PyErr {
        self.reader.get().stopped(py, stop, &table.parts)
    }

    /// How many rows of the whole source are left out as wrong, if that was asked for.
    pub(crate) fn left_out(&self, py: Python<'_>) -> u64 {
        let known = self.known.mutex().lock_py_attached(py);
        known.ok().and_then(|known| Some(known.as_ref()?.selection.row_index().left_out())).unwrap_or(0)
    }

    fn start(&self, table: Table, known: Known, epoch: u64, first_row: u64) -> Result<(Pipeline<Block>, u64), Error> {
        let reader = self.reader.get();
        // A shuffle goes on with the next epoch.
        let whole = first_row == 0 || self.seed.is_some();
        let rows = Rows::new(table, known.selection, known.cache, whole);
        match self.seed {
            None => in_order(rows, reader.budget(), first_row),
            Some(seed) => {
                let (budget, memory) = reader.budget_for_shuffling();
                shuffled(rows, budget, Mixing { seed, memory }, epoch, first_row)
            }
        }
    }

    /// Takes back a pipeline whose epoch has ended, and tells what is to be told about it.
    pub(crate) fn end(&self, py: Python<'_>, epoch: u64, rest: Option<Pipeline<Block>>) -> PyResult<()> {
        if let (Some(pipeline), Some(_), Ok(mut prepared)) = (rest, self.seed, self.prepared.lock_py_attached(py)) {
            let before = prepared.replace((epoch + 1, pipeline));
            drop(prepared);
            let_go(before);
            if self.reader.get().calls_python() {
                watch(py, &(Arc::clone(&self.prepared) as Arc<dyn Ends>))?;
            }
        }
        let cache = self.known.mutex().lock_py_attached(py).ok().and_then(|known| known.as_ref()?.cache.clone());
        if let Some(failure) = cache.and_then(|cache| cache.failure()) {
            let message =
                format!("the cache could not be written, so that the file is read again each epoch: {failure}");
            py.import("csvfeed.errors")?.call_method1("warn", (message,))?;
        }
        Ok(())
    }
}

impl Drop for Plan {
    fn drop(&mut self) {
        let_go(Taken(Arc::clone(&self.prepared)));
    }
}

/// Looks for Ctrl-C from a thread that has let go of the GIL.
pub(crate) fn check_signals() -> Result<(), Stop> {
    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method is not general over the lifetime")]
    Python::attach(|py| py.check_signals()).map_err(Stop::Signal)
}

/// What ends a pass early.
pub(crate) enum Stop {
    Signal(PyErr),
    Error(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}
