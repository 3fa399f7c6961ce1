//! Threads of ours that call Python, and the end of the interpreter, before which they must end.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, TryLockError, Weak};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use csvfeed_core::error::Error;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::error::{failed, gone};

/// Longest wait for a thread to end. A daemon thread may hold it up for ever.
const PATIENCE: Duration = Duration::from_secs(1);

/// Something with threads.
pub(crate) trait Ends: Send + Sync {
    /// Ends its threads.
    fn end(&self);
}

impl<T: Send> Ends for Mutex<Option<T>> {
    fn end(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let taken = match self.try_lock() {
                Ok(mut guard) => guard.take(),
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().take(),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(1));
                    continue;
                }
                Err(TryLockError::WouldBlock) => None,
            };
            return drop(taken);
        }
    }
}

/// What has threads that call Python, each with its process.
static LIVE: Mutex<Vec<(u32, Weak<dyn Ends>)>> = Mutex::new(Vec::new());

/// Whether the interpreter is ending. From then on no thread of ours may run Python: it would be stopped in the middle.
static ENDED: AtomicBool = AtomicBool::new(false);

/// The thread that ends it.
static ENDER: OnceLock<ThreadId> = OnceLock::new();

/// Threads that run Python right now.
static INSIDE: AtomicUsize = AtomicUsize::new(0);

/// Registers `end` with `atexit`. Functions that are registered later run earlier, so they may still read.
pub(crate) fn register(py: Python<'_>) -> PyResult<()> {
    py.import("atexit")?.call_method1("register", (wrap_pyfunction!(end, py)?,))?;
    Ok(())
}

/// Makes sure that the threads of `ends` end before the interpreter does.
pub(crate) fn watch(py: Python<'_>, ends: &Arc<dyn Ends>) -> PyResult<()> {
    let mut live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
    if !ENDED.load(Ordering::SeqCst) {
        live.retain(|(_, one)| one.strong_count() > 0);
        live.push((std::process::id(), Arc::downgrade(ends)));
        return Ok(());
    }
    drop(live);
    py.detach(|| ends.end());
    check_exit(py)
}

/// Fails if the interpreter is ending. Other threads than the one that ends it are parked for ever, as the interpreter does
/// with all threads that call Python by then.
pub(crate) fn check_exit(py: Python<'_>) -> PyResult<()> {
    if !ENDED.load(Ordering::SeqCst) {
        return Ok(());
    }
    if is_ender() {
        let message = "the interpreter ends: from here on csvfeed reads paths and bytes alone. Import csvfeed before \
                       atexit.register() to read something else in a function that is called at the end";
        return Err(PyRuntimeError::new_err(message));
    }
    py.detach(|| {
        loop {
            std::thread::park();
        }
    })
}

fn is_ender() -> bool {
    ENDER.get() == Some(&std::thread::current().id())
}

/// Runs Python in a thread of ours. `None` once the interpreter is ending.
pub(crate) fn enter<R>(run: impl FnOnce(Python<'_>) -> R) -> Option<R> {
    struct Inside;
    impl Drop for Inside {
        fn drop(&mut self) {
            INSIDE.fetch_sub(1, Ordering::SeqCst);
        }
    }
    INSIDE.fetch_add(1, Ordering::SeqCst);
    let _inside = Inside;
    if ENDED.load(Ordering::SeqCst) && !is_ender() { None } else { Python::try_attach(run) }
}

/// Calls Python from a thread of ours.
pub(crate) fn call<R>(run: impl FnOnce(Python<'_>) -> PyResult<R>) -> Result<R, Error> {
    enter(run).ok_or_else(gone)?.map_err(failed)
}

/// Ends the threads that call Python, at the end of the interpreter.
#[pyfunction]
fn end(py: Python<'_>) {
    py.detach(|| {
        ENDER.get_or_init(|| std::thread::current().id());
        let mut live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
        ENDED.store(true, Ordering::SeqCst);
        let all = std::mem::take(&mut *live);
        drop(live);
        let own = all.iter().filter(|(process, _)| *process == std::process::id());
        own.filter_map(|(_, one)| one.upgrade()).for_each(|one| one.end());
        let deadline = Instant::now() + PATIENCE;
        while INSIDE.load(Ordering::SeqCst) > 0 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
}

/// Takes the value with it when it is dropped.
pub(crate) struct Taken<T>(pub(crate) Arc<Mutex<Option<T>>>);

impl<T> Drop for Taken<T> {
    fn drop(&mut self) {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(taken);
    }
}

/// Drops a value that has threads, without the GIL, since the threads may wait for it.
pub(crate) fn let_go<T: Send>(threads: T) {
    let mut threads = Some(threads);
    // Without an interpreter the threads cannot be waited for.
    Python::try_attach(|py| py.detach(|| drop(threads.take())));
    std::mem::forget(threads);
}
