//! Core errors to Python exceptions.

use std::io;

use csvfeed_core::error::{Error, Kind};
use csvfeed_core::schema::OnError;
use csvfeed_core::source::Source;
use pyo3::exceptions::{PyMemoryError, PyOSError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The Python exception for an error in the source called `path`, with what is to become of others there; the rest tells
/// more about its place.
pub(crate) fn exception(
    py: Python<'_>,
    error: &Error,
    on_error: OnError,
    path: Option<&str>,
    columns: &[String],
    source: Option<&dyn Source>,
) -> PyErr {
    if let Kind::Io(io) = &error.kind
        && io.raw_os_error().is_some()
    {
        return os_error(io, path);
    }
    if let Kind::Memory(_) = error.kind {
        return PyMemoryError::new_err(error.kind.to_string());
    }
    let line = source.and_then(|source| py.detach(|| error.line(source)));
    let message = error.message(on_error);
    csv_error(py, error, message, path, columns, line).map_or_else(|failure| failure, PyErr::from_value)
}

/// What the operating system said about a path.
pub(crate) fn os_error(io: &io::Error, path: Option<&str>) -> PyErr {
    let text = io.to_string();
    let text = text.split(" (os error").next().unwrap_or_default().to_owned();
    PyOSError::new_err((io.raw_os_error(), text, path.map(str::to_owned)))
}

/// The `CsvError` for an error on a line.
pub(crate) fn csv_error<'py>(
    py: Python<'py>,
    error: &Error,
    message: String,
    path: Option<&str>,
    columns: &[String],
    line: Option<u64>,
) -> PyResult<Bound<'py, PyAny>> {
    let class = py.import("csvfeed.errors")?.getattr(match error.kind {
        Kind::Number | Kind::Nul | Kind::MissingTarget(_) => "NumberError",
        Kind::RowLength { .. } | Kind::RowTooLong { .. } => "RowLengthError",
        Kind::Encoding(_) | Kind::NotText(..) | Kind::NameNotUtf8 => "EncodingError",
        Kind::UnclosedQuote | Kind::TextAfterQuote => "QuoteError",
        Kind::SourceChanged(_) => "SourceChangedError",
        Kind::Io(_)
        | Kind::Empty(_)
        | Kind::Column(_)
        | Kind::Memory(_)
        | Kind::Simd(_)
        | Kind::LineEnds
        | Kind::TooManyRejects { .. }
        | Kind::Unwritten(_)
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
    class.call((message,), Some(&place))
}
