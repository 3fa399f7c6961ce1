//! Ctrl-C while the core works without the GIL.

use std::sync::{LockResult, Mutex, MutexGuard, TryLockError};
use std::time::Duration;

use csvfeed_core::error::Error;
use pyo3::prelude::*;

use crate::error::failed;

/// The longest time between two looks for a lock that another thread holds.
const LONGEST_NAP: Duration = Duration::from_millis(5);

/// Why a pass ends early.
pub(crate) enum Stop {
    /// Python raised this, for example `KeyboardInterrupt`.
    Raised(PyErr),
    Error(Error),
}

impl From<PyErr> for Stop {
    fn from(raised: PyErr) -> Self {
        Self::Raised(raised)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Stop {
    /// The same as an error of the core, which `exception` turns back into what Python raised.
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Raised(raised) => failed(raised),
            Self::Error(error) => error,
        }
    }
}

/// Runs pending signal handlers. The calling thread has released the GIL.
pub(crate) fn check_signals() -> Result<(), Stop> {
    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method is not general over the lifetime")]
    Python::attach(|py| py.check_signals()).map_err(Stop::Raised)
}

/// Locks for a thread of Python. Another one may hold the lock while it waits for a file, so the GIL is released and
/// signal handlers run meanwhile.
pub(crate) fn lock<'a, T>(py: Python<'_>, mutex: &'a Mutex<T>) -> PyResult<LockResult<MutexGuard<'a, T>>> {
    let mut nap = Duration::from_micros(20);
    loop {
        match mutex.try_lock() {
            Ok(guard) => return Ok(Ok(guard)),
            Err(TryLockError::Poisoned(poisoned)) => return Ok(Err(poisoned)),
            Err(TryLockError::WouldBlock) => py.detach(|| std::thread::sleep(nap)),
        }
        py.check_signals()?;
        nap = LONGEST_NAP.min(2 * nap);
    }
}
