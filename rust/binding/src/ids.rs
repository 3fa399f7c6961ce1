//! The ids of the rows of a batch as numpy arrays.

use csvfeed_core::batch::Batch;
use csvfeed_core::table::ids::{Id, IdKind, integer};
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

/// An array for each id, without the rows of padding: of `str`, or of `int64`.
pub(crate) fn arrays<'py>(py: Python<'py>, ids: &[Id], batch: &Batch) -> PyResult<Bound<'py, PyTuple>> {
    let texts = batch.block.ids();
    let rows = batch.rows.start..batch.rows.end.min(texts.rows()).max(batch.rows.start);
    let array = |(number, id): (usize, &Id)| match id.kind {
        IdKind::Text => {
            // It was read as UTF-8.
            let text = |row| String::from_utf8_lossy(texts.text(row, number));
            let strings = rows.clone().map(|row| PyString::new(py, &text(row)).into_any().unbind());
            PyArray1::from_vec(py, strings.collect::<Vec<_>>()).into_any()
        }
        IdKind::Integer => {
            // It was read as an integer.
            let value = |row| integer(texts.text(row, number)).unwrap_or_default();
            PyArray1::from_vec(py, rows.clone().map(value).collect::<Vec<_>>()).into_any()
        }
    };
    PyTuple::new(py, ids.iter().enumerate().map(array).collect::<Vec<_>>())
}
