//! `Batches`: the iterator that hands core batches to Python as numpy arrays.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use csvfeed_core::batch::{self, Batch, NextBatch, Remainder};
use csvfeed_core::error::Kind;
use csvfeed_core::rows::{Block, Buffer, Widths};
use csvfeed_core::table::parts::Parts;
use numpy::ndarray::ArrayViewMut;
use numpy::{Ix1, Ix2, PyArray};
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::PyTuple;

use crate::exit::{Ends, check, watch};
use crate::plan::Plan;
use crate::reader::Reader;

/// How long a wait for the next block may last before Ctrl-C is looked for.
const PATIENCE: Duration = Duration::from_millis(50);

/// An iterator over the batches of one pass, or of endless passes.
#[pyclass(frozen, module = "csvfeed._core")]
pub(crate) struct Batches {
    reader: Py<Reader>,
    parts: Arc<Parts>,
    /// Nothing once they have ended.
    inner: Arc<Mutex<Option<batch::Batches>>>,
    widths: Widths,
    /// What they follow, and the number of their epoch.
    plan: Option<(Py<Plan>, u64)>,
    progress: Py<Progress>,
    /// The process that reads: a fork inherits the locks as they were.
    process: u32,
    calls_python: bool,
}

/// How far an iterator has got, which outlives it.
#[pyclass(frozen, module = "csvfeed._core")]
#[derive(Default)]
pub(crate) struct Progress {
    yielded: AtomicU64,
    ended: AtomicBool,
}

#[pymethods]
impl Progress {
    /// How many batches it has yielded.
    #[getter]
    fn yielded(&self) -> u64 {
        self.yielded.load(Ordering::Relaxed)
    }

    /// Whether there are no more, which is known once they have been asked for.
    #[getter]
    fn ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }
}

/// Keeps the rows of an array alive.
#[pyclass(frozen, module = "csvfeed._core")]
struct Owner(#[expect(dead_code, reason = "held for its lifetime")] Arc<Block>);

impl Batches {
    pub(crate) fn new(
        reader: Bound<'_, Reader>,
        parts: Arc<Parts>,
        batches: batch::Batches,
        widths: Widths,
        plan: Option<(Py<Plan>, u64)>,
    ) -> PyResult<Self> {
        let progress = Py::new(reader.py(), Progress::default())?;
        let inner = Arc::new(Mutex::new(Some(batches)));
        let calls_python = reader.get().calls_python();
        if calls_python {
            watch(reader.py(), &(Arc::clone(&inner) as Arc<dyn Ends>))?;
        }
        let process = std::process::id();
        Ok(Self { reader: reader.unbind(), parts, inner, widths, plan, progress, process, calls_python })
    }
}

#[pymethods]
impl Batches {
    /// How far it has got.
    #[getter]
    fn progress(&self, py: Python<'_>) -> Py<Progress> {
        self.progress.clone_ref(py)
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        if self.process != std::process::id() {
            return Err(self.reader.get().exception(py, &Kind::Forked.into(), None));
        }
        let Ok(mut guard) = self.inner.lock_py_attached(py) else { return Ok(None) };
        let Some(batches) = &mut *guard else {
            drop(guard);
            if self.calls_python && !self.progress.get().ended() {
                // It did not end by itself.
                check(py)?;
            }
            return Ok(None);
        };
        py.check_signals()?;
        // A block already here costs neither a wait nor a release of the GIL.
        let mut found = batches.next(Duration::ZERO);
        loop {
            match found {
                Ok(NextBatch::Batch(batch)) => {
                    self.progress.get().yielded.fetch_add(1, Ordering::Relaxed);
                    return self.arrays(py, batch).map(Some);
                }
                Ok(NextBatch::End) => {
                    self.progress.get().ended.store(true, Ordering::Relaxed);
                    let left_out = batches.left_out();
                    let ended = guard.take();
                    // The threads that end here may be waiting for the GIL.
                    let rest = py.detach(|| ended.and_then(batch::Batches::into_rest));
                    // Telling something may run code of the caller, who may ask for a batch.
                    drop(guard);
                    if let Some((plan, epoch)) = &self.plan {
                        plan.get().end(py, *epoch, rest)?;
                    }
                    // A plan may read less than the source, and knows of all of it.
                    let left_out = self.plan.as_ref().map_or(left_out, |(plan, _)| plan.get().left_out(py));
                    self.reader.get().warn_of(py, left_out)?;
                    return Ok(None);
                }
                Ok(NextBatch::Pending) => {}
                Err(error) => {
                    if self.calls_python {
                        drop(guard);
                        check(py)?;
                    }
                    return Err(self.reader.get().exception(py, &error, Some(&self.parts)));
                }
            }
            found = py.detach(|| batches.next(PATIENCE));
            if matches!(found, Ok(NextBatch::Pending)) {
                // With anything else a signal waits for the next call: what was found would be lost.
                py.check_signals()?;
            }
        }
    }
}

impl Drop for Batches {
    fn drop(&mut self) {
        let inner = Arc::clone(&self.inner);
        if self.process == std::process::id() {
            let_go(Taken(inner));
        } else {
            // There is nobody to stop.
            std::mem::forget(inner);
        }
    }
}

/// Takes with it what it holds.
pub(crate) struct Taken<T>(pub(crate) Arc<Mutex<Option<T>>>);

impl<T> Drop for Taken<T> {
    fn drop(&mut self) {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(taken);
    }
}

/// Drops what has threads, which may be waiting for the GIL.
pub(crate) fn let_go<T: Send>(threads: T) {
    let mut threads = Some(threads);
    // Nothing can be waited for any more when there is no interpreter.
    Python::try_attach(|py| py.detach(|| drop(threads.take())));
    std::mem::forget(threads);
}

impl Batches {
    fn arrays<'py>(&self, py: Python<'py>, batch: Batch) -> PyResult<Bound<'py, PyTuple>> {
        let Batch { block, rows } = batch;
        let owner = Bound::new(py, Owner(Arc::clone(&block)))?.into_any();
        let arrays = block.arrays();
        let Widths { features, targets, weights } = self.widths;
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
        let x = matrix(&arrays.features, features);
        if targets == 0 {
            return PyTuple::new(py, [x]);
        }
        let y = if targets == 1 { vector(&arrays.targets) } else { matrix(&arrays.targets, targets) };
        if weights == 0 {
            return PyTuple::new(py, [x, y]);
        }
        PyTuple::new(py, [x, y, vector(&arrays.weights)])
    }
}

/// What becomes of the rows left over.
pub(crate) fn remainder(drop_remainder: bool, pad_to: Option<usize>) -> Remainder {
    match pad_to {
        Some(rows) => Remainder::Pad(rows),
        None if drop_remainder => Remainder::Drop,
        None => Remainder::Keep,
    }
}
