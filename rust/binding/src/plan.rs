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

use crate::batches::{Batches, EpochEnd};
use crate::input::Input;
use crate::options::{PyStep, remainder};
use crate::rejects;
use crate::signals::{Stop, check_signals};
use crate::threads::{Ends, Taken, let_go, watch};
use crate::vocabularies::with_vocabularies;

/// Which rows a dataset has, and in which order its epochs yield them.
#[pyclass(frozen, module = "csvfeed._core")]
pub(crate) struct Plan {
    input: Arc<Input>,
    schema: Arc<Schema>,
    steps: Vec<Step>,
    seed: Option<u64>,
    cache: Option<CacheOptions>,
    /// Where the rows are, once a pass has found them.
    known: PerProcess<Option<Known>>,
    prepared: Arc<Mutex<Option<Prepared>>>,
}

/// Where the parsed rows are kept.
pub(crate) struct CacheOptions {
    pub directory: PathBuf,
    /// A description of what missing features become.
    pub fill: String,
}

/// An epoch that has not begun, and a pipeline that already works on it.
struct Prepared {
    epoch: u64,
    pipeline: Pipeline<Block>,
}

#[derive(Clone)]
struct Known {
    selection: Arc<Selection>,
    cache: Option<Arc<Cache>>,
}

/// The pipeline of an epoch, and how many of its rows to skip.
struct Started {
    pipeline: Pipeline<Block>,
    skipped: u64,
}

/// The fields of `csvfeed.ColumnStats`.
#[derive(IntoPyObject)]
struct PyColumnStats {
    count: u64,
    missing: u64,
    mean: f64,
    std: f64,
    min: f64,
    max: f64,
}

impl From<&Moments> for PyColumnStats {
    fn from(column: &Moments) -> Self {
        Self {
            count: column.count,
            missing: column.missing,
            mean: column.mean(),
            std: column.std(),
            min: column.min().into(),
            max: column.max().into(),
        }
    }
}

#[pymethods]
impl Plan {
    /// The number of rows in an epoch. The first call reads the source once.
    fn rows(&self, py: Python<'_>) -> PyResult<u64> {
        let table = self.table(py)?;
        Ok(self.known(py, &table, false)?.selection.rows())
    }

    /// Warns once if rows of the source are left out as wrong. The first call reads the source once.
    fn warn_of_rejects(&self, py: Python<'_>) -> PyResult<()> {
        self.rows(py)?;
        rejects::warn(py, &self.input, self.left_out(py))
    }

    /// Statistics of each value that is read: features, targets, then the weight. Each call reads the rows once.
    fn stats(&self, py: Python<'_>) -> PyResult<Vec<PyColumnStats>> {
        let mut table = self.table(py)?;
        let mut selection = None;
        if !self.steps.is_empty() {
            selection = Some(self.known(py, &table, true)?.selection);
            table = self.input.spooled(py, table)?;
        }
        table.schema = with_vocabularies(py, &self.input, table.schema)?;
        let budget = self.input.budget_for_stats();
        let found = py.detach(|| stats(&table, selection, budget, check_signals));
        let columns = found.map_err(|stop| self.input.stopped(py, stop, &table.parts))?;
        Ok(columns.iter().map(PyColumnStats::from).collect())
    }

    /// An iterator over the batches of an epoch, beginning at one of its rows. `fill` is called for the values of missing
    /// features, unless the cache has them.
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
        // First, since a change of the source makes a prepared epoch useless.
        let mut table = this.table(py)?;
        let known = this.known(py, &table, true)?;
        if known.filling().is_none() {
            table = this.input.spooled(py, table)?;
        }
        let parts = Arc::clone(&table.parts);
        let rows = this.require_rows(py, &known)?;
        table.schema = with_vocabularies(py, &this.input, table.schema)?;
        let Started { pipeline, skipped } = match this.take_prepared(py, epoch, first_row) {
            Some(pipeline) => Started { pipeline, skipped: 0 },
            None => this.start(py, table, known, epoch, first_row, fill)?,
        };
        let widths = Widths::of(&this.schema);
        let batches = batch::Batches::new(pipeline, widths, batch_size, remainder(drop_remainder, pad_to))
            .of(skipped, rows.saturating_sub(first_row));
        let input = Arc::clone(&this.input);
        Batches::new(py, input, parts, batches, widths, Some(Box::new(PlannedEpoch { plan: slf.unbind(), epoch })))
    }
}

impl Plan {
    pub(crate) fn new(
        input: Arc<Input>,
        schema: Arc<Schema>,
        steps: Vec<PyStep>,
        seed: Option<u64>,
        cache: Option<CacheOptions>,
    ) -> Result<Self, Error> {
        let steps = steps.into_iter().map(|given| step(&input, given)).collect::<Result<_, _>>()?;
        Ok(Self { input, schema, steps, seed, cache, known: PerProcess::new(), prepared: Arc::default() })
    }

    /// The table, which must be unchanged.
    fn table(&self, py: Python<'_>) -> PyResult<Table> {
        Ok(Table { schema: Arc::clone(&self.schema), ..self.input.table(py)? })
    }

    /// Where the rows are. The first call finds out. `anywhere` says that the rows will be read in any order: then
    /// compressed files are decompressed once, into temporary files.
    fn known(&self, py: Python<'_>, table: &Table, anywhere: bool) -> PyResult<Known> {
        let lost = |_| self.input.exception(py, &Kind::Internal.into(), None);
        let mut known = self.known.mutex().lock_py_attached(py).map_err(lost)?;
        if let Some(known) = &*known {
            return Ok(known.clone());
        }
        let found = py.detach(|| self.find(table, anywhere));
        let found = found.map_err(|stop| self.input.stopped(py, stop, &table.parts))?;
        *known = Some(found.clone());
        Ok(found)
    }

    /// Finds out where the rows are: the cache may know, or else a pass over the source tells.
    fn find(&self, table: &Table, anywhere: bool) -> Result<Known, Stop> {
        let steps = &self.steps;
        let slice_bytes = self.input.slice_bytes(table);
        let mut cache = None;
        if let Some(CacheOptions { directory, fill }) = &self.cache {
            let key = format!("{} {steps:?} {slice_bytes} {fill}", table.description());
            let (opened, selection) = Cache::open(directory, &key, Widths::of(&self.schema), steps);
            cache = Some(opened);
            if let Some(selection) = selection {
                return Ok(Known { selection, cache });
            }
        }
        let is_by_key = steps.iter().any(|step| matches!(step, Step::Key { .. }));
        let table = if anywhere || is_by_key { &self.input.texts_of(table.clone(), check_signals)? } else { table };
        let budget = self.input.budget();
        let row_index = RowIndex::remember(table, budget, slice_bytes, check_signals)?;
        let selection = Selection::make(table, row_index, steps, budget, check_signals)?;
        Ok(Known { selection, cache })
    }

    /// The number of rows, which must not be 0.
    fn require_rows(&self, py: Python<'_>, known: &Known) -> PyResult<u64> {
        let what = match known.selection.rows() {
            0 if known.selection.row_index().left_out() > 0 => {
                "no row is left: ds.rejects tells of those that are wrong"
            }
            0 => "no row is left: none has a target, or none is in the part that was asked for",
            rows => return Ok(rows),
        };
        Err(self.input.exception(py, &Kind::Empty(what).into(), None))
    }

    /// The pipeline that was prepared for this epoch, if there is one. A pipeline for another epoch is dropped.
    fn take_prepared(&self, py: Python<'_>, epoch: u64, first_row: u64) -> Option<Pipeline<Block>> {
        let prepared = self.prepared.lock_py_attached(py).map_or(None, |mut prepared| prepared.take())?;
        if prepared.epoch == epoch && first_row == 0 && prepared.pipeline.is_of_this_process() {
            return Some(prepared.pipeline);
        }
        let_go(prepared.pipeline);
        None
    }

    fn start(
        &self,
        py: Python<'_>,
        mut table: Table,
        known: Known,
        epoch: u64,
        first_row: u64,
        fill: &Bound<'_, PyAny>,
    ) -> PyResult<Started> {
        let filling = match known.filling() {
            Some(filling) => Some(filling),
            None => fill.call0()?.extract()?,
        };
        if let Some(filling) = filling {
            Arc::make_mut(&mut table.schema).fill = filling;
        }
        // A shuffle goes on with the next epoch.
        let whole = first_row == 0 || self.seed.is_some();
        let rows = Rows::new(table, known.selection, known.cache, whole);
        let started = match self.seed {
            None => in_order(rows, self.input.budget(), first_row),
            Some(seed) => {
                let (budget, memory) = self.input.budget_for_shuffling();
                shuffled(rows, budget, Mixing { seed, memory }, epoch, first_row)
            }
        };
        let (pipeline, skipped) = started.map_err(|error| self.input.exception(py, &error, None))?;
        Ok(Started { pipeline, skipped })
    }

    /// How many rows of the whole source are left out as wrong. 0 before a pass has found out.
    fn left_out(&self, py: Python<'_>) -> u64 {
        let known = self.known.mutex().lock_py_attached(py);
        known.ok().and_then(|known| Some(known.as_ref()?.selection.row_index().left_out())).unwrap_or(0)
    }

    /// Keeps a pipeline for its next epoch.
    fn prepare(&self, py: Python<'_>, next: Prepared) -> PyResult<()> {
        let Ok(mut prepared) = self.prepared.lock_py_attached(py) else { return Ok(()) };
        let before = prepared.replace(next);
        drop(prepared);
        let_go(before.map(|before| before.pipeline));
        if self.input.calls_python() {
            watch(py, &(Arc::clone(&self.prepared) as Arc<dyn Ends>))?;
        }
        Ok(())
    }

    /// Warns if the cache could not be written.
    fn warn_of_cache(&self, py: Python<'_>) -> PyResult<()> {
        let cache = self.known.mutex().lock_py_attached(py).ok().and_then(|known| known.as_ref()?.cache.clone());
        if let Some(failure) = cache.and_then(|cache| cache.failure()) {
            let message = format!("the cache could not be written, so the file is read again each epoch: {failure}");
            py.import("csvfeed.errors")?.call_method1("warn", (message,))?;
        }
        Ok(())
    }
}

impl Known {
    /// The values of missing features that the cache was written with.
    fn filling(&self) -> Option<Vec<f32>> {
        self.cache.as_ref().and_then(|cache| cache.filling())
    }
}

impl Drop for Plan {
    fn drop(&mut self) {
        let_go(Taken(Arc::clone(&self.prepared)));
    }
}

/// An epoch of a plan.
struct PlannedEpoch {
    plan: Py<Plan>,
    epoch: u64,
}

impl EpochEnd for PlannedEpoch {
    fn end(&self, py: Python<'_>, rest: Option<Pipeline<Block>>) -> PyResult<u64> {
        let plan = self.plan.get();
        if let (Some(pipeline), Some(_)) = (rest, plan.seed) {
            plan.prepare(py, Prepared { epoch: self.epoch + 1, pipeline })?;
        }
        plan.warn_of_cache(py)?;
        Ok(plan.left_out(py))
    }
}

fn step(input: &Input, step: PyStep) -> Result<Step, Error> {
    Ok(match step {
        PyStep::Part { column: None, fraction, seed, held_out } => Step::Part { fraction, seed, held_out },
        PyStep::Part { column: Some(column), fraction, seed, held_out } => {
            Step::Key { column: input.key_column(&Column::from(column))?, fraction, seed, held_out }
        }
        PyStep::Shard { worker, workers, batch_size, drop_remainder } => {
            Step::Shard { index: worker, count: workers, batch_size, drop_remainder }
        }
    })
}
