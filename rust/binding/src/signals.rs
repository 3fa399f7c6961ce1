//! Ctrl-C while the core works without the GIL.

use csvfeed_core::error::Error;
use pyo3::prelude::*;

use crate::error::failed;

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
