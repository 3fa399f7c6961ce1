//! The end of the interpreter: threads that call Python must have ended before.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, TryLockError, Weak};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// How long somebody who has to end is waited for. A daemon thread may be at it, which nobody can help.
const PATIENCE: Duration = Duration::from_secs(1);

/// Something with threads.
pub(crate) trait Ends: Send + Sync {
    /// Ends them.
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

/// What has threads that call Python, and the process that has them.
static LIVE: Mutex<Vec<(u32, Weak<dyn Ends>)>> = Mutex::new(Vec::new());

/// Whether the interpreter ends, so that no thread of ours may run Python any more: it would be stopped in the middle.
static ENDED: AtomicBool = AtomicBool::new(false);

/// The thread that ends it.
static ENDER: OnceLock<ThreadId> = OnceLock::new();

/// Threads that run Python right now.
static INSIDE: AtomicUsize = AtomicUsize::new(0);

/// Asks to be told of the end before everybody else who asks later: what they do at the end may still read.
pub(crate) fn register(py: Python<'_>) -> PyResult<()> {
    py.import("atexit")?.call_method1("register", (wrap_pyfunction!(end, py)?,))?;
    Ok(())
}

/// Ends the threads of `ends` before the interpreter goes, if it is still there.
pub(crate) fn watch(py: Python<'_>, ends: &Arc<dyn Ends>) -> PyResult<()> {
    let mut live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
    if !ENDED.load(Ordering::SeqCst) {
        live.retain(|(_, one)| one.strong_count() > 0);
        live.push((std::process::id(), Arc::downgrade(ends)));
        return Ok(());
    }
    drop(live);
    py.detach(|| ends.end());
    check(py)
}

/// Refuses to go on when the interpreter ends. Of threads that it leaves behind nobody takes an error: like all others that
/// run Python, they stand still.
pub(crate) fn check(py: Python<'_>) -> PyResult<()> {
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

/// Runs Python in a thread of ours, or nothing once the interpreter ends.
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
