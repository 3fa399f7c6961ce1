//! The end of the interpreter: threads that call Python must have ended before.

use std::sync::{Arc, Mutex, Once, PoisonError, TryLockError, Weak};
use std::time::{Duration, Instant};

use pyo3::prelude::*;

/// Something with threads.
pub(crate) trait Ends: Send + Sync {
    /// Ends them.
    fn end(&self);
}

impl<T: Send> Ends for Mutex<Option<T>> {
    fn end(&self) {
        // A daemon thread may be waiting with it, which nobody can help.
        const PATIENCE: Duration = Duration::from_secs(1);
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

/// What has threads that call Python.
static LIVE: Mutex<Vec<Weak<dyn Ends>>> = Mutex::new(Vec::new());

/// Ends the threads of `ends` before the interpreter goes, if it is still there.
pub(crate) fn watch(py: Python<'_>, ends: &Arc<dyn Ends>) -> PyResult<()> {
    static REGISTERED: Once = Once::new();
    let mut live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
    live.retain(|one| one.strong_count() > 0);
    live.push(Arc::downgrade(ends));
    drop(live);
    if !REGISTERED.is_completed() {
        py.import("atexit")?.call_method1("register", (wrap_pyfunction!(end, py)?,))?;
        REGISTERED.call_once(|| {});
    }
    Ok(())
}

#[pyfunction]
fn end(py: Python<'_>) {
    py.detach(|| {
        let live = std::mem::take(&mut *LIVE.lock().unwrap_or_else(PoisonError::into_inner));
        live.iter().filter_map(Weak::upgrade).for_each(|one| one.end());
    });
}
