//! Forked processes.

use csvfeed_core::process;
use pyo3::prelude::*;
use pyo3::types::IntoPyDict;

/// Registers [`after_fork`] with `os`.
pub(crate) fn register(py: Python<'_>) -> PyResult<()> {
    let hooks = [("after_in_child", wrap_pyfunction!(after_fork, py)?)].into_py_dict(py)?;
    py.import("os")?.call_method("register_at_fork", (), Some(&hooks))?;
    Ok(())
}

/// Tells the core that it runs in another process.
#[pyfunction]
fn after_fork() {
    process::update_id();
}
