//! Core errors to Python exceptions.

use csvfeed_core::error::{Error, Kind};
use csvfeed_core::parts::Parts;
use pyo3::exceptions::{PyMemoryError, PyOSError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Where an error is.
#[derive(Clone, Copy, Default)]
pub(crate) struct Where<'a> {
    /// What the part is called.
    pub path: Option<&'a str>,
    /// The names of the columns.
    pub columns: &'a [String],
    /// Byte of the part, and its line.
    pub offset: Option<u64>,
    pub line: Option<u64>,
}

/// The Python exception for an error.
pub(crate) fn exception(py: Python<'_>, error: &Error, place: Where<'_>) -> PyErr {
    let with_number = |io: &std::io::Error, path: Option<&str>| {
        let number = io.raw_os_error()?;
        let text = io.to_string();
        let text = text.split(" (os error").next().unwrap_or_default().to_owned();
        Some((number, text, path.map(str::to_owned)))
    };
    match &error.kind {
        Kind::Io(io) => {
            // What an object of Python raised.
            if let Some(raised) = io.get_ref().and_then(|inner| inner.downcast_ref::<PyErr>()) {
                return raised.clone_ref(py);
            }
            if let Some(arguments) = with_number(io, place.path) {
                return PyOSError::new_err(arguments);
            }
        }
        Kind::Spool { error: io, directory } => {
            if let Some((number, text, _)) = with_number(io, None) {
                let text = format!(
                    "{text}: the text is kept in a temporary file, to be read in any order. TMPDIR= names a directory \
                     with more room"
                );
                return PyOSError::new_err((number, text, directory.clone()));
            }
        }
        Kind::Memory(_) => return PyMemoryError::new_err(error.kind.to_string()),
        _ => {}
    }
    build(py, error, place).unwrap_or_else(|failure| failure)
}

/// Whether the byte where an error is says anything about it: whoever cannot read a file cannot count its lines.
pub(crate) fn has_place(error: &Error) -> bool {
    !matches!(
        error.kind,
        Kind::Damaged { .. } | Kind::Undecodable(_) | Kind::Archive(_) | Kind::Io(_) | Kind::Spool { .. }
    )
}

/// The line of a byte of a part, if it says anything about the error.
pub(crate) fn line(error: &Error, parts: &Parts, part: usize, offset: u64) -> Option<u64> {
    if has_place(error) { parts.line(part, offset) } else { None }
}

fn build(py: Python<'_>, error: &Error, place: Where<'_>) -> PyResult<PyErr> {
    let class = py.import("csvfeed.errors")?.getattr(match error.kind {
        Kind::Number | Kind::Nul | Kind::MissingTarget(_) => "NumberError",
        Kind::RowLength { .. } | Kind::RowTooLong { .. } => "RowLengthError",
        Kind::Encoding(..) | Kind::Undecodable(_) | Kind::NotText(..) | Kind::NameNotUtf8 => "EncodingError",
        Kind::UnclosedQuote | Kind::TextAfterQuote => "QuoteError",
        Kind::SourceChanged(_) => "SourceChangedError",
        Kind::Io(_)
        | Kind::Damaged { .. }
        | Kind::Archive(_)
        | Kind::Spool { .. }
        | Kind::Parts(_)
        | Kind::Empty(_)
        | Kind::Column(_)
        | Kind::Memory(_)
        | Kind::Simd(_)
        | Kind::LineEnds
        | Kind::Forked
        | Kind::Internal => "CsvError",
    })?;
    let arguments = PyDict::new(py);
    arguments.set_item("path", place.path)?;
    arguments.set_item("line", place.line)?;
    arguments.set_item("column", error.column)?;
    arguments.set_item("column_name", error.column.and_then(|column| place.columns.get(column)))?;
    arguments.set_item("byte_offset", place.offset)?;
    arguments.set_item("text", &error.text)?;
    Ok(PyErr::from_value(class.call((error.kind.to_string(),), Some(&arguments))?))
}
