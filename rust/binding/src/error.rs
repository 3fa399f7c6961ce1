//! Core errors to Python exceptions.

use csvfeed_core::error::{Error, Kind};
use csvfeed_core::source::Source;
use pyo3::exceptions::{PyMemoryError, PyOSError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The Python exception for an error in the source called `path`; each of the others tells more about its place.
pub(crate) fn exception(
    py: Python<'_>,
    error: &Error,
    path: Option<&str>,
    columns: &[String],
    source: Option<&dyn Source>,
) -> PyErr {
    if let Kind::Io(io) = &error.kind
        && let Some(number) = io.raw_os_error()
    {
        let text = io.to_string();
        let text = text.split(" (os error").next().unwrap_or_default().to_owned();
        return PyOSError::new_err((number, text, path.map(str::to_owned)));
    }
    if let Kind::Memory(_) = error.kind {
        return PyMemoryError::new_err(error.kind.to_string());
    }
    let line = source.and_then(|source| py.detach(|| error.line(source)));
    build(py, error, path, columns, line).unwrap_or_else(|failure| failure)
}

fn build(py: Python<'_>, error: &Error, path: Option<&str>, columns: &[String], line: Option<u64>) -> PyResult<PyErr> {
    let class = py.import("csvfeed.errors")?.getattr(match error.kind {
        Kind::Number(_)
        | Kind::Nul
        | Kind::MissingTarget(_)
        | Kind::Boolean
        | Kind::Date(_)
        | Kind::NoSuchDate
        | Kind::Category => "NumberError",
        Kind::RowLength { .. } | Kind::RowTooLong { .. } => "RowLengthError",
        Kind::Encoding(_) | Kind::NotText(..) | Kind::NameNotUtf8 | Kind::CategoryNotUtf8 => "EncodingError",
        Kind::UnclosedQuote | Kind::TextAfterQuote => "QuoteError",
        Kind::SourceChanged(_) => "SourceChangedError",
        Kind::Io(_)
        | Kind::Empty(_)
        | Kind::Column(_)
        | Kind::Memory(_)
        | Kind::Simd(_)
        | Kind::LineEnds
        | Kind::Forked
        | Kind::Internal => "CsvError",
    })?;
    let place = PyDict::new(py);
    place.set_item("path", path)?;
    place.set_item("line", line)?;
    place.set_item("column", error.column)?;
    place.set_item("column_name", error.column.and_then(|column| columns.get(column)))?;
    place.set_item("byte_offset", error.offset)?;
    place.set_item("text", &error.text)?;
    Ok(PyErr::from_value(class.call((error.kind.to_string(),), Some(&place))?))
}
