//! Forked processes.

use csvfeed_core::process;
use pyo3::prelude::*;
use pyo3::types::IntoPyDict;

/// Registers [`after_fork`] with `os`, if processes can fork.
pub(crate) fn register(py: Python<'_>) -> PyResult<()> {
    if let Some(register) = py.import("os")?.getattr_opt("register_at_fork")? {
        let hooks = [("after_in_child", wrap_pyfunction!(after_fork, py)?)].into_py_dict(py)?;
        register.call((), Some(&hooks))?;
    }
    Ok(())
}

/// Tells the core that it runs in another process.
#[pyfunction]
fn after_fork() {
    process::update_id();
}
