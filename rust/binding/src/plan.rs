//! `Plan`: which rows a dataset has, and in which order its epochs yield them.

use std::borrow::Cow;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use csvfeed_core::batch::{self, Composition, LaneRows, Lanes};
use csvfeed_core::choose::Step;
use csvfeed_core::epoch::portion::Portion;
use csvfeed_core::epoch::selection::Selection;
use csvfeed_core::epoch::windows;
use csvfeed_core::epoch::{Mixing, Rows, in_order, shuffled, shuffled_windows};
use csvfeed_core::error::{Error, Kind};
use csvfeed_core::pipeline::Pipeline;
use csvfeed_core::process::PerProcess;
use csvfeed_core::rows::{Block, Widths};
use csvfeed_core::stats::{Moments, stats};
use csvfeed_core::table::Table;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::sync::MutexExt;

use crate::batches::{Batches, EpochEnd, Flow};
use crate::choice::{Choice, Known, Lane};
use crate::options::{PyLanes, remainder};
use crate::rejects::{self, Rejects};
use crate::signals::{check_signals, lock};
use crate::threads::{Ends, Taken, let_go, watch};
use crate::vocabularies::with_vocabularies;

/// Which rows a dataset has, and in which order its epochs yield them.
#[pyclass(frozen, module = "csvfeed._core")]
pub(crate) struct Plan {
    choice: Choice,
    seed: Option<u64>,
    /// Where the rows are, once a pass has found them.
    known: PerProcess<Option<Known>>,
    /// The rows up to the last conditions, with all rejects.
    rejecting: PerProcess<Option<Arc<Selection>>>,
    /// The parts of the table that have the rows, if these are a portion.
    portion: Option<Range<usize>>,
    prepared: Arc<Mutex<Option<Prepared>>>,
}

/// An epoch that has not begun, and pipelines that already work on it.
struct Prepared {
    epoch: u64,
    pipelines: Pipelines,
}

/// The pipeline of each lane; `None` for a lane without rows.
type Pipelines = Vec<Option<Pipeline<Block>>>;

/// Where an epoch begins.
#[derive(Clone, Copy)]
struct Beginning {
    epoch: u64,
    /// Rows to skip in each lane.
    first_row: u64,
}

/// The fields of `csvfeed.portions.Portion`.
type PyPortion = (u64, u64, Cow<'static, [u8]>);

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
    /// The number of rows, or of windows, in an epoch. The first call reads the source once.
    fn rows(&self, py: Python<'_>) -> PyResult<u64> {
        let table = self.table(py)?;
        Ok(self.known(py, &table, false)?.rows())
    }

    /// Warns once if rows of the source are left out as wrong. The first call reads the source once.
    fn warn_of_rejects(&self, py: Python<'_>) -> PyResult<()> {
        self.rows(py)?;
        rejects::warn(py, &self.choice.input, self.left_out(py))
    }

    /// Statistics of each value that is read: features, targets, then the weights. Each call reads the rows once.
    fn stats(&self, py: Python<'_>) -> PyResult<Vec<PyColumnStats>> {
        let mut table = self.table(py)?;
        let mut selection = None;
        if !self.choice.steps.is_empty() {
            selection = Some(self.known(py, &table, true)?.selection);
            table = self.choice.input.spooled(py, table)?;
        }
        table.schema = with_vocabularies(py, &self.choice.input, table.schema)?;
        let budget = self.choice.input.budget_for_stats();
        let found = py.detach(|| stats(&table, selection, budget, check_signals));
        let columns = found.map_err(|stop| self.choice.input.stopped(py, stop, &table.parts))?;
        Ok(columns.iter().map(PyColumnStats::from).collect())
    }

    /// How many rows are left out as wrong for each reason, and the first of them, with those that the conditions cannot
    /// compare. The first call reads the source.
    fn rejects<'py>(&self, py: Python<'py>) -> PyResult<Rejects<'py>> {
        let Some((table, selection)) = self.rejecting(py)? else { return Ok((Vec::new(), Vec::new())) };
        rejects::shown(py, &self.choice.input, &table, selection.rejects())
    }

    /// Writes these rows to a file, and returns how many they are.
    fn write_rejects(&self, py: Python<'_>, path: PathBuf) -> PyResult<u64> {
        let found = self.rejecting(py)?;
        let (table, selection) = found.unzip();
        let table = table.map(|table| self.choice.input.spooled(py, table)).transpose()?;
        rejects::write_with(py, &self.choice.input, table.as_ref(), path, |table, names, out| {
            let selection = selection.as_ref().ok_or_else(|| Error::from(Kind::Internal))?;
            selection.write_rejects(table, names, self.choice.input.budget(), out, check_signals)
        })
    }

    /// Cuts the rows, in file order, into portions with about `size` bytes of text at most. Of each portion it returns the
    /// number of rows, the bytes of text, and what `portion` takes. The first call reads the source once.
    fn portions(&self, py: Python<'_>, size: u64) -> PyResult<Vec<PyPortion>> {
        let table = self.table(py)?;
        let selection = self.known(py, &table, false)?.selection;
        let described = |Portion { slices, rows, text_bytes, .. }| {
            (rows, text_bytes, Cow::Owned(selection.portion_to_bytes(slices)))
        };
        Ok(py.detach(|| selection.portions(&table.parts, size).into_iter().map(described).collect()))
    }

    /// A plan of the rows of a portion that `portions` of an equal plan returned.
    #[expect(clippy::needless_pass_by_value, reason = "arguments of Python are extracted into values")]
    fn portion(&self, py: Python<'_>, portion: PyBackedBytes) -> PyResult<Self> {
        let table = self.table(py)?;
        let changed = || Kind::SourceChanged("these are not its portions").into();
        let selection = Selection::portion_from_bytes(&portion, &self.choice.steps).ok_or_else(changed);
        let selection = selection.map_err(|error| self.choice.input.exception(py, &error, None))?;
        let bytes = selection.row_index().bytes(0..selection.row_index().slices());
        let part = |place| table.parts.place(place).0;
        let parts = part(bytes.start)..part(bytes.end.saturating_sub(1)) + 1;
        let lanes = vec![Lane { selection: Arc::clone(&selection), windows: None, cache: None }];
        let known = PerProcess::with(Some(Known { selection, windows: None, lanes }));
        let (input, schema) = (Arc::clone(&self.choice.input), Arc::clone(&self.choice.schema));
        let steps = self.choice.steps.clone();
        let choice = Choice { input, schema, steps, windows: None, lanes: None, cache: None };
        let (rejecting, prepared) = (PerProcess::new(), Arc::default());
        Ok(Self { choice, seed: None, known, rejecting, portion: Some(parts), prepared })
    }

    /// An iterator over the batches of an epoch, beginning at one of its rows. `fill` is called for the values of missing
    /// features, unless the cache has them. With lanes `batch_size` counts the rows of this process, a multiple of those of
    /// a global batch, and `first_row` counts the rows of all processes. With `ids` each batch is `(ids, arrays)`, and the
    /// rows come from the source: a cache has no ids.
    #[pyo3(signature = (batch_size, *, epoch, first_row, drop_remainder, pad_to, fill, ids = false))]
    #[expect(clippy::too_many_arguments, reason = "each has its name in Python")]
    fn batches(
        slf: Bound<'_, Self>,
        batch_size: usize,
        epoch: u64,
        first_row: u64,
        drop_remainder: bool,
        pad_to: Option<usize>,
        fill: &Bound<'_, PyAny>,
        ids: bool,
    ) -> PyResult<Batches> {
        let py = slf.py();
        let this = slf.get();
        // First, since a change of the source makes a prepared epoch useless.
        let mut table = this.table(py)?;
        let known = this.known(py, &table, true)?;
        if ids || known.filling().is_none() {
            table = match this.portion.clone() {
                Some(parts) => this.choice.input.spooled_in(py, table, parts)?,
                None => this.choice.input.spooled(py, table)?,
            };
        }
        let parts = Arc::clone(&table.parts);
        this.require_rows(py, &known)?;
        table.schema = with_vocabularies(py, &this.choice.input, table.schema)?;
        if ids {
            Arc::make_mut(&mut table.schema).ids.are_kept = true;
        }
        let global = known.rows();
        let composition =
            this.choice.lanes.map(|lanes| lanes.composition(global, batch_size, first_row, pad_to.is_some()));
        let first_row = this.choice.lanes.map_or(first_row, |lanes| first_row / lanes.count);
        let begins = Beginning { epoch, first_row };
        // A prepared epoch has no ids.
        let prepared = if ids { None } else { this.take_prepared(py, begins, &known) };
        let begun = match prepared {
            Some(prepared) => prepared,
            None => this.start(py, table, known, begins, batch_size, fill)?,
        };
        let widths = this.widths();
        let flow = if let Some(composition) = composition {
            Flow::Lanes(Lanes::new(begun, composition, widths))
        } else {
            let whole = begun.into_iter().flatten().next();
            let LaneRows { pipeline, skipped, rows } = whole.expect("rows that are not distributed are one lane");
            let remainder = remainder(drop_remainder, pad_to);
            let batches = batch::Batches::new(pipeline, widths, batch_size, remainder).of(skipped, rows);
            Flow::Whole(Box::new(batches))
        };
        let input = Arc::clone(&this.choice.input);
        let length = this.choice.windows.as_ref().map(|windows| windows.shape.length as usize);
        let kept = if ids { this.choice.schema.ids.columns.clone() } else { Vec::new() };
        let epoch_end = Box::new(PlannedEpoch { plan: slf.unbind(), epoch, goes_on: !ids });
        Ok(Batches::new(py, input, parts, flow, widths, length, Some(epoch_end))?.with_ids(&kept))
    }
}

impl PyLanes {
    /// How the lanes make batches of `batch_size` rows of this process, out of `global` rows of all processes.
    fn composition(self, global: u64, batch_size: usize, first_row: u64, pads: bool) -> Composition {
        let whole = self.count * self.rows as u64;
        let batches = if pads { global.div_ceil(whole) } else { global / whole };
        let together = batch_size / (self.rows * self.own());
        Composition { rows: self.rows, together, batches: batches.saturating_sub(first_row / whole) }
    }
}

impl Plan {
    pub(crate) fn new(choice: Choice, seed: Option<u64>) -> Self {
        let (known, rejecting, prepared) = (PerProcess::new(), PerProcess::new(), Arc::default());
        Self { choice, seed, known, rejecting, portion: None, prepared }
    }

    /// The values of a row, or of a window.
    fn widths(&self) -> Widths {
        let row = Widths::of(&self.choice.schema);
        self.choice.windows.as_ref().map_or(row, |windows| windows.shape.widths(row))
    }

    /// The table, which must be unchanged.
    fn table(&self, py: Python<'_>) -> PyResult<Table> {
        Ok(Table { schema: Arc::clone(&self.choice.schema), ..self.choice.input.table(py)? })
    }

    /// Where the rows are. The first call finds out. `anywhere` says that the rows will be read in any order: then
    /// compressed files are decompressed once, into temporary files.
    fn known(&self, py: Python<'_>, table: &Table, anywhere: bool) -> PyResult<Known> {
        let lost = |_| self.choice.input.exception(py, &Kind::Internal.into(), None);
        let mut known = lock(py, self.known.mutex())?.map_err(lost)?;
        if let Some(known) = &*known {
            return Ok(known.clone());
        }
        let found = py.detach(|| self.choice.find(table, anywhere));
        let found = found.map_err(|stop| self.choice.input.stopped(py, stop, &table.parts))?;
        *known = Some(found.clone());
        // A warning runs code of the user.
        drop(known);
        self.warn_of_returns(py, &found)?;
        Ok(found)
    }

    /// Warns once if rows of one key are not together, so that windows are lost. One process of several does.
    fn warn_of_returns(&self, py: Python<'_>, known: &Known) -> PyResult<()> {
        let Some(windows) = known.windows.as_ref().filter(|windows| windows.returns() > 0) else { return Ok(()) };
        let input = &self.choice.input;
        // Without any window there will be an error.
        if windows.count() == 0 || !self.choice.is_first() || !input.takes_warning_of_returns() {
            return Ok(());
        }
        let (returns, name) = (windows.returns(), &input.name);
        let times = if returns == 1 { "once" } else { &*format!("{returns} times") };
        let by: Vec<_> = self.choice.key_names().iter().map(|name| format!("{name:?}")).collect();
        let by = by.join(", ");
        let message = format!(
            "rows of one key do not stand together in {name}: a key in {by} comes again after another one {times}, and no \
             window goes on from its rows before. To have all windows, sort the file by {by}, then by time"
        );
        py.import("csvfeed.errors")?.call_method1("warn", (message,))?;
        Ok(())
    }

    /// Fails if there is no row, or no window.
    fn require_rows(&self, py: Python<'_>, known: &Known) -> PyResult<()> {
        if let Some(windows) = known.windows.as_ref().filter(|windows| windows.count() == 0)
            && known.selection.rows() > 0
        {
            let (needed, longest) = (windows.shape().reach().saturating_add(1), windows.longest_run());
            let kind = if longest < needed {
                Kind::NoWindow { needed, longest, by: self.choice.key_names() }
            } else {
                Kind::Empty("no window is left: other workers have them all")
            };
            return Err(self.choice.input.exception(py, &kind.into(), None));
        }
        let what = match known.selection.rows() {
            0 if known.selection.left_out() > 0 => "no row is left: ds.rejects tells of those that are wrong",
            0 => "no row is left: none has a target, or none is in the part that was asked for",
            _ => return Ok(()),
        };
        Err(self.choice.input.exception(py, &Kind::Empty(what).into(), None))
    }

    /// What was prepared for this epoch, if anything. Pipelines for another epoch are dropped.
    fn take_prepared(&self, py: Python<'_>, begins: Beginning, known: &Known) -> Option<Vec<Option<LaneRows>>> {
        let prepared = self.prepared.lock_py_attached(py).map_or(None, |mut prepared| prepared.take())?;
        let is_own = prepared.pipelines.iter().flatten().all(Pipeline::is_of_this_process);
        if prepared.epoch != begins.epoch || begins.first_row != 0 || !is_own {
            let_go(prepared.pipelines);
            return None;
        }
        let lanes = prepared.pipelines.into_iter().zip(&known.lanes);
        let begun = |(pipeline, lane): (Option<_>, &Lane)| {
            pipeline.map(|pipeline| LaneRows { pipeline, skipped: 0, rows: lane.rows() })
        };
        Some(lanes.map(begun).collect())
    }

    /// Starts the pipeline of each lane that has rows.
    fn start(
        &self,
        py: Python<'_>,
        mut table: Table,
        known: Known,
        begins: Beginning,
        batch_size: usize,
        fill: &Bound<'_, PyAny>,
    ) -> PyResult<Vec<Option<LaneRows>>> {
        let filling = match known.filling() {
            Some(filling) => Some(filling),
            None => fill.call0()?.extract()?,
        };
        if let Some(filling) = filling {
            Arc::make_mut(&mut table.schema).fill = filling;
        }
        let is_distributed = self.choice.lanes.is_some();
        let start = |lane: Lane| {
            let has_rows = lane.rows() > begins.first_row || !is_distributed;
            has_rows.then(|| self.start_lane(table.clone(), lane, begins, batch_size)).transpose()
        };
        let started: Result<_, Error> = known.lanes.into_iter().map(start).collect();
        started.map_err(|error| self.choice.input.exception(py, &error, None))
    }

    /// Starts the pipeline of a lane. All lanes of this process have batches of `batch_size` rows together.
    fn start_lane(&self, table: Table, lane: Lane, begins: Beginning, batch_size: usize) -> Result<LaneRows, Error> {
        let Beginning { epoch, first_row } = begins;
        let left = lane.rows().saturating_sub(first_row);
        let cache = lane.cache.filter(|_| !table.schema.ids.are_kept);
        // A shuffle goes on with the next epoch.
        let whole = first_row == 0 || self.seed.is_some();
        let (own, count) = self.choice.lanes.map_or((1, 1), |lanes| (lanes.own(), lanes.count));
        let budgets = self.choice.input.budgets(own, count);
        let mixing = |seed| Mixing { seed, memory: budgets.mixing };
        let (pipeline, skipped) = if let Some(windows) = lane.windows {
            let rows = Rows::of_windows(table, lane.selection, cache, whole, Arc::clone(&windows));
            let batch_size = batch_size / own;
            match self.seed {
                None => (windows::in_order(rows, windows, budgets.in_order, batch_size, first_row)?, 0),
                Some(seed) => shuffled_windows(rows, budgets.shuffled, mixing(seed), batch_size, epoch, first_row)?,
            }
        } else {
            let rows = Rows::new(table, lane.selection, cache, whole);
            match self.seed {
                None => in_order(rows, budgets.in_order, first_row)?,
                Some(seed) => shuffled(rows, budgets.shuffled, mixing(seed), epoch, first_row)?,
            }
        };
        Ok(LaneRows { pipeline, skipped, rows: left })
    }

    /// The table without a limit to its rejects, and the rows up to the last conditions. `None` if no row is left out.
    fn rejecting(&self, py: Python<'_>) -> PyResult<Option<(Table, Arc<Selection>)>> {
        let Some(table) = rejects::skipping_table(py, &self.choice.input)? else { return Ok(None) };
        let lost = |_| self.choice.input.exception(py, &Kind::Internal.into(), None);
        let mut known = lock(py, self.rejecting.mutex())?.map_err(lost)?;
        if let Some(selection) = &*known {
            return Ok(Some((table, Arc::clone(selection))));
        }
        let is_last = |step: &Step| matches!(step, Step::Where(_));
        let end = self.choice.steps.iter().rposition(is_last).map_or(0, |last| last + 1);
        let found = py.detach(|| self.choice.select(&table, &self.choice.steps[..end], true));
        let found = found.map_err(|stop| self.choice.input.stopped(py, stop, &table.parts))?;
        *known = Some(Arc::clone(&found));
        Ok(Some((table, found)))
    }

    /// How many rows of the whole source are left out as wrong. 0 before a pass has found out.
    fn left_out(&self, py: Python<'_>) -> u64 {
        let known = self.known.mutex().lock_py_attached(py);
        known.ok().and_then(|known| Some(known.as_ref()?.selection.left_out())).unwrap_or(0)
    }

    /// Whether there is a pipeline for each lane with rows.
    fn goes_on(&self, py: Python<'_>, rest: &Pipelines) -> bool {
        let known = self.known.mutex().lock_py_attached(py);
        known.is_ok_and(|known| {
            let lanes = known.iter().flat_map(|known| &known.lanes);
            lanes.zip(rest).all(|(lane, rest)| rest.is_some() || lane.rows() == 0)
        })
    }

    /// Keeps the pipelines for their next epoch.
    fn prepare(&self, py: Python<'_>, next: Prepared) -> PyResult<()> {
        let Ok(mut prepared) = self.prepared.lock_py_attached(py) else { return Ok(()) };
        let before = prepared.replace(next);
        drop(prepared);
        let_go(before.map(|before| before.pipelines));
        if self.choice.input.calls_python() {
            watch(py, &(Arc::clone(&self.prepared) as Arc<dyn Ends>))?;
        }
        Ok(())
    }

    /// Warns if a cache could not be written.
    fn warn_of_cache(&self, py: Python<'_>) -> PyResult<()> {
        let known = self.known.mutex().lock_py_attached(py).ok().and_then(|known| known.clone());
        let caches = known.iter().flat_map(|known| &known.lanes).filter_map(|lane| lane.cache.as_ref());
        // Each cache tells it once.
        let failures: Vec<_> = caches.filter_map(|cache| cache.failure()).collect();
        if let Some(failure) = failures.first() {
            let message = format!("the cache could not be written, so the file is read again each epoch: {failure}");
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

/// An epoch of a plan.
struct PlannedEpoch {
    plan: Py<Plan>,
    epoch: u64,
    /// Whether the next epoch may go on with its pipelines.
    goes_on: bool,
}

impl EpochEnd for PlannedEpoch {
    fn end(&self, py: Python<'_>, rest: Vec<Option<Pipeline<Block>>>) -> PyResult<u64> {
        let plan = self.plan.get();
        if self.goes_on && plan.seed.is_some() && plan.goes_on(py, &rest) {
            plan.prepare(py, Prepared { epoch: self.epoch + 1, pipelines: rest })?;
        } else {
            let_go(rest);
        }
        plan.warn_of_cache(py)?;
        Ok(plan.left_out(py))
    }
}
