//! `Batches`: the iterator that passes batches to Python as numpy arrays.

use std::slice;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use csvfeed_core::batch::{self, Batch, Lanes, NextBatch};
use csvfeed_core::error::{Error, Kind};
use csvfeed_core::pipeline::Pipeline;
use csvfeed_core::process;
use csvfeed_core::rows::{Block, Buffer, Widths};
use csvfeed_core::table::ids::Id;
use csvfeed_core::table::parts::Parts;
use numpy::ndarray::ArrayViewMut;
use numpy::{Ix1, Ix2, Ix3, PyArray};
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::PyTuple;

use crate::ids;
use crate::input::Input;
use crate::rejects;
use crate::signals::lock;
use crate::threads::{Ends, Taken, check_exit, let_go, watch};

/// Time between two looks for Ctrl-C while no block is ready.
const PATIENCE: Duration = Duration::from_millis(50);

/// An iterator over the batches of one pass, or of endless passes.
#[pyclass(frozen, module = "csvfeed._core")]
pub(crate) struct Batches {
    input: Arc<Input>,
    parts: Arc<Parts>,
    /// `None` once the iterator has ended.
    inner: Arc<Mutex<Option<Flow>>>,
    widths: Widths,
    /// The number of rows in a window, if these are windows.
    length: Option<usize>,
    /// The ids that batches have beside their values.
    ids: Vec<Id>,
    epoch_end: Option<Box<dyn EpochEnd>>,
    progress: Py<Progress>,
    /// The owner of the batch before, if its block has more rows.
    owner: Mutex<Option<Py<Owner>>>,
    /// The process that reads. A forked process inherits the locks as they were, and must not wait for them.
    process: u32,
    calls_python: bool,
}

/// What happens when the last batch of an epoch has been taken.
pub(crate) trait EpochEnd: Send + Sync {
    /// Takes back the pipeline of each lane that goes on. Returns how many rows of the whole source are left out as wrong.
    fn end(&self, py: Python<'_>, rest: Vec<Option<Pipeline<Block>>>) -> PyResult<u64>;
}

/// Where the batches come from.
pub(crate) enum Flow {
    /// All rows of the dataset.
    Whole(Box<batch::Batches>),
    /// The lanes of this process.
    Lanes(Lanes),
}

impl Flow {
    fn next(&mut self, patience: Duration) -> Result<NextBatch, Error> {
        match self {
            Self::Whole(batches) => batches.next(patience),
            Self::Lanes(lanes) => lanes.next(patience),
        }
    }

    /// How many rows of the pass were left out as wrong. The plan knows it for lanes.
    fn left_out(&self) -> u64 {
        if let Self::Whole(batches) = self { batches.left_out() } else { 0 }
    }

    fn into_rest(self) -> Vec<Option<Pipeline<Block>>> {
        match self {
            Self::Whole(batches) => vec![batches.into_rest()],
            Self::Lanes(lanes) => lanes.into_rest(),
        }
    }
}

/// How far an iterator has got. It outlives the iterator.
#[pyclass(frozen, module = "csvfeed._core")]
#[derive(Default)]
pub(crate) struct Progress {
    yielded: AtomicU64,
    ended: AtomicBool,
}

#[pymethods]
impl Progress {
    /// How many batches the iterator has yielded.
    #[getter]
    fn yielded(&self) -> u64 {
        self.yielded.load(Ordering::Relaxed)
    }

    /// Whether the iterator has raised `StopIteration`.
    #[getter]
    fn ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }
}

/// Keeps the rows of arrays alive.
#[pyclass(frozen, module = "csvfeed._core")]
struct Owner(Arc<Block>);

impl Owner {
    /// The owner of a batch's rows. Small batches of one block share it, which saves a fifth of the time of each.
    fn of<'py>(py: Python<'py>, last: &Mutex<Option<Py<Self>>>, batch: &Batch) -> PyResult<Bound<'py, Self>> {
        let Batch { block, rows } = batch;
        let mut last = last.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        let owner = match last.take() {
            Some(owner) if Arc::ptr_eq(&owner.get().0, block) => owner.into_bound(py),
            _ => Bound::new(py, Self(Arc::clone(block)))?,
        };
        // After the last batch of a block, its buffers are free as soon as the caller drops the arrays.
        *last = (rows.end < block.rows).then(|| owner.clone().unbind());
        Ok(owner)
    }
}

impl Batches {
    pub(crate) fn new(
        py: Python<'_>,
        input: Arc<Input>,
        parts: Arc<Parts>,
        flow: Flow,
        widths: Widths,
        length: Option<usize>,
        epoch_end: Option<Box<dyn EpochEnd>>,
    ) -> PyResult<Self> {
        let progress = Py::new(py, Progress::default())?;
        let inner = Arc::new(Mutex::new(Some(flow)));
        let calls_python = input.calls_python();
        if calls_python {
            watch(py, &(Arc::clone(&inner) as Arc<dyn Ends>))?;
        }
        let owner = Mutex::default();
        let process = process::id();
        let ids = Vec::new();
        Ok(Self { input, parts, inner, widths, length, ids, epoch_end, progress, owner, process, calls_python })
    }

    /// The same batches, each as `(ids, arrays)`. Their blocks keep the ids.
    pub(crate) fn with_ids(mut self, ids: &[Id]) -> Self {
        self.ids = ids.to_vec();
        self
    }
}

#[pymethods]
impl Batches {
    /// How far the iterator has got.
    #[getter]
    fn progress(&self, py: Python<'_>) -> Py<Progress> {
        self.progress.clone_ref(py)
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        if self.process != process::id() {
            return Err(self.input.exception(py, &Kind::Forked.into(), None));
        }
        py.check_signals()?;
        loop {
            let lost = |_| self.input.exception(py, &Kind::Internal.into(), None);
            let mut guard = lock(py, &self.inner)?.map_err(lost)?;
            let Some(batches) = &mut *guard else {
                drop(guard);
                return self.check_ended(py).map(|()| None);
            };
            // Without a wait, so that a block that is ready costs no release of the GIL.
            let mut found = batches.next(Duration::ZERO);
            if matches!(found, Ok(NextBatch::Pending)) {
                found = py.detach(|| batches.next(PATIENCE));
            }
            match found {
                Ok(NextBatch::Batch(batch)) => {
                    self.progress.get().yielded.fetch_add(1, Ordering::Relaxed);
                    return self.found(py, batch).map(Some);
                }
                Ok(NextBatch::End) => return self.end(py, guard).map(|()| None),
                Ok(NextBatch::Pending) => {}
                Err(error) => return Err(self.failed(py, guard, &error)),
            }
            // A signal handler may ask for a batch, too.
            drop(guard);
            // Only here: an exception of a signal handler would lose a batch that was found.
            py.check_signals()?;
        }
    }
}

impl Drop for Batches {
    fn drop(&mut self) {
        let inner = Arc::clone(&self.inner);
        if self.process == process::id() {
            let_go(Taken(inner));
        } else {
            // A forked process has none of the threads.
            std::mem::forget(inner);
        }
    }
}

/// The lock of the batches while `__next__` runs.
type Guard<'a> = MutexGuard<'a, Option<Flow>>;

impl Batches {
    /// Ends the iterator: stops the threads, ends the epoch, and warns of rows that were left out and of values that are hardly meant.
    fn end(&self, py: Python<'_>, mut guard: Guard<'_>) -> PyResult<()> {
        self.progress.get().ended.store(true, Ordering::Relaxed);
        let ended = guard.take();
        let mut left_out = ended.as_ref().map_or(0, Flow::left_out);
        // Without the GIL, since the threads that end here may wait for it.
        let rest = py.detach(|| ended.map_or_else(Vec::new, Flow::into_rest));
        // A warning may run code of the caller that asks for a batch.
        drop(guard);
        if let Some(epoch) = &self.epoch_end {
            // An epoch may read less than the source, and its plan knows the whole source.
            left_out = epoch.end(py, rest)?;
        }
        rejects::warn(py, &self.input, left_out)?;
        self.input.warn_of_values(py)
    }

    /// Fails if the end of the interpreter, rather than the last batch, ended the iterator.
    fn check_ended(&self, py: Python<'_>) -> PyResult<()> {
        if self.calls_python && !self.progress.get().ended() { check_exit(py) } else { Ok(()) }
    }

    /// The exception for an error in place of a batch.
    fn failed(&self, py: Python<'_>, guard: Guard<'_>, error: &Error) -> PyErr {
        if self.calls_python {
            drop(guard);
            if let Err(exit) = check_exit(py) {
                return exit;
            }
        }
        self.input.exception(py, error, Some(&self.parts))
    }

    /// What Python gets of a batch.
    fn found<'py>(&self, py: Python<'py>, batch: Batch) -> PyResult<Bound<'py, PyTuple>> {
        if self.ids.is_empty() {
            return self.arrays(py, batch);
        }
        let ids = ids::arrays(py, &self.ids, &batch)?;
        PyTuple::new(py, [ids, self.arrays(py, batch)?])
    }

    fn arrays<'py>(&self, py: Python<'py>, batch: Batch) -> PyResult<Bound<'py, PyTuple>> {
        let owner = Owner::of(py, &self.owner, &batch)?.into_any();
        let Batch { block, rows } = batch;
        let arrays = block.arrays();
        let Widths { features, targets, weights } = self.widths;
        let values = arrays.features.address_of(rows.start * features);
        // SAFETY: the block holds `rows.end` rows of `features` values, and nobody changes them before Python has them.
        self.input.look_for_categories(unsafe { slice::from_raw_parts(values, rows.len() * features) });
        let matrix = |buffer: &Buffer, width: usize| {
            let values = buffer.address_of(rows.start * width);
            // SAFETY: the block holds `rows.end` rows of `width` values, and nobody reads these rows again.
            let view = unsafe { ArrayViewMut::from_shape_ptr(Ix2(rows.len(), width), values) };
            // SAFETY: the owner keeps the block alive.
            unsafe { PyArray::borrow_from_array(&view, owner.clone()) }.into_any()
        };
        let vector = |buffer: &Buffer| {
            let values = buffer.address_of(rows.start);
            // SAFETY: the block holds `rows.end` rows of one value, and nobody reads these rows again.
            let view = unsafe { ArrayViewMut::from_shape_ptr(Ix1(rows.len()), values) };
            // SAFETY: the owner keeps the block alive.
            unsafe { PyArray::borrow_from_array(&view, owner.clone()) }.into_any()
        };
        let x = match self.length {
            None => matrix(&arrays.features, features),
            Some(length) => {
                let values = arrays.features.address_of(rows.start * features);
                let shape = Ix3(rows.len(), length, features / length);
                // SAFETY: the block holds `rows.end` rows of `features` values, `length` times as many as a row of the
                // table has, and nobody reads these rows again.
                let view = unsafe { ArrayViewMut::from_shape_ptr(shape, values) };
                // SAFETY: the owner keeps the block alive.
                unsafe { PyArray::borrow_from_array(&view, owner.clone()) }.into_any()
            }
        };
        if targets == 0 {
            return PyTuple::new(py, [x]);
        }
        let y = if targets == 1 { vector(&arrays.targets) } else { matrix(&arrays.targets, targets) };
        match weights {
            0 => PyTuple::new(py, [x, y]),
            1 => PyTuple::new(py, [x, y, vector(&arrays.weights)]),
            _ => PyTuple::new(py, [x, y, matrix(&arrays.weights, weights)]),
        }
    }
}
