//! Core errors to Python exceptions, and back.

use std::io;

use csvfeed_core::error::{Error, Kind};
use csvfeed_core::head::Undecided;
use csvfeed_core::table::parts::Parts;
use csvfeed_core::table::schema::OnError;
use pyo3::exceptions::{PyMemoryError, PyOSError, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::dialect::choices;

/// Where an error is.
#[derive(Clone, Copy, Default)]
pub(crate) struct Where<'a> {
    /// The name of the part.
    pub path: Option<&'a str>,
    /// The names of the columns.
    pub columns: &'a [String],
    /// The byte in the part.
    pub offset: Option<u64>,
    /// The line of that byte.
    pub line: Option<u64>,
    /// What happens to wrong rows there, which messages mention.
    pub on_error: OnError,
}

impl<'a> Where<'a> {
    /// A whole part.
    pub(crate) fn part(path: &'a str) -> Self {
        Self { path: Some(path), ..Self::default() }
    }
}

/// An exception of Python as an error of the core. `exception` turns it back.
pub(crate) fn failed(raised: PyErr) -> Error {
    io::Error::from(raised).into()
}

/// The error of a thread that stops because the interpreter is ending or its caller gave up.
pub(crate) fn gone() -> Error {
    io::Error::other("the interpreter ends, or the reading was given up").into()
}

/// The Python exception for an error.
pub(crate) fn exception(py: Python<'_>, error: &Error, place: Where<'_>) -> PyErr {
    match &error.kind {
        Kind::Io(io) => {
            // The exception of a Python object that was read.
            if let Some(raised) = io.get_ref().and_then(|inner| inner.downcast_ref::<PyErr>()) {
                return raised.clone_ref(py);
            }
            if io.raw_os_error().is_some() {
                return os_error(io, place.path);
            }
        }
        Kind::Spool { error: io, directory } => {
            if let Some(number) = io.raw_os_error() {
                let text = format!(
                    "{}: the text is kept in a temporary file, to be read in any order. TMPDIR= names a directory with \
                     more room",
                    without_number(io)
                );
                return numbered(Some(number), text, Some(directory));
            }
        }
        Kind::Threads(_) => return PyRuntimeError::new_err(error.kind.to_string()),
        Kind::Memory(_) | Kind::OutOfMemory | Kind::Window(_) => return PyMemoryError::new_err(error.kind.to_string()),
        _ => {}
    }
    csv_error(py, error, place.on_error.message(error), place).map_or_else(|failure| failure, PyErr::from_value)
}

/// The `OSError` of an operation on a path.
pub(crate) fn os_error(io: &io::Error, path: Option<&str>) -> PyErr {
    numbered(io.raw_os_error(), without_number(io), path)
}

/// The `OSError` for a number of the system. Python takes a number of Windows in another place, and finds its own for it.
fn numbered(number: Option<i32>, text: String, path: Option<&str>) -> PyErr {
    PyOSError::new_err((number, text, path.map(str::to_owned), number.filter(|_| cfg!(windows))))
}

fn without_number(io: &io::Error) -> String {
    let text = io.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

/// Whether the byte of an error is worth showing. It is not if the file cannot be read, and its lines cannot be counted.
pub(crate) fn has_place(error: &Error) -> bool {
    !matches!(
        error.kind,
        Kind::Damaged { .. } | Kind::Undecodable(_) | Kind::Archive(_) | Kind::Io(_) | Kind::Spool { .. }
    )
}

/// The line of a byte of a part, if the error has a place.
pub(crate) fn line(error: &Error, parts: &Parts, part: usize, offset: u64) -> Option<u64> {
    if has_place(error) { parts.line(part, offset) } else { None }
}

/// The `CsvError` for an error.
pub(crate) fn csv_error<'py>(
    py: Python<'py>,
    error: &Error,
    message: String,
    place: Where<'_>,
) -> PyResult<Bound<'py, PyAny>> {
    let class = py.import("csvfeed.errors")?.getattr(class_name(&error.kind))?;
    let arguments = PyDict::new(py);
    arguments.set_item("path", place.path)?;
    arguments.set_item("line", place.line)?;
    arguments.set_item("column", error.column)?;
    arguments.set_item("column_name", error.column.and_then(|column| place.columns.get(column)))?;
    arguments.set_item("byte_offset", place.offset)?;
    arguments.set_item("text", &error.text)?;
    let raised = class.call((message,), Some(&arguments))?;
    if let Kind::Undecided(undecided) = &error.kind
        && let Some(undecided) = undecided.downcast_ref::<Undecided>()
    {
        let class = class.py().import("csvfeed.dialect")?.getattr("Choice")?;
        let choices = choices(&undecided.choices, "\n").into_iter().map(|choice| class.call_method1("of", (choice,)));
        raised.setattr("choices", PyTuple::new(class.py(), choices.collect::<PyResult<Vec<_>>>()?)?)?;
    }
    Ok(raised)
}

/// The name of the exception class of `csvfeed.errors`.
fn class_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Number(_)
        | Kind::Notation(_)
        | Kind::Form(..)
        | Kind::Nul
        | Kind::MissingTarget(_)
        | Kind::Boolean(_)
        | Kind::Date(_)
        | Kind::NoSuchDate(_)
        | Kind::Zone
        | Kind::Duration(_)
        | Kind::ListLength { .. }
        | Kind::ListValue { .. }
        | Kind::ListClass { .. }
        | Kind::Class(_)
        | Kind::IntegerId(_) => "NumberError",
        Kind::RowLength { .. } | Kind::RowEnd(_) | Kind::RowTooLong { .. } => "RowLengthError",
        Kind::Encoding(..)
        | Kind::UnknownEncoding { .. }
        | Kind::Undecodable(_)
        | Kind::NotText(..)
        | Kind::NameNotUtf8
        | Kind::CategoryNotUtf8
        | Kind::IdNotUtf8 => "EncodingError",
        Kind::Undecided(_) => "DialectError",
        Kind::UnclosedQuote
        | Kind::RowsInQuotes { .. }
        | Kind::SpaceBeforeQuote
        | Kind::TextAfterQuote
        | Kind::SpaceAfterQuote
        | Kind::UnclosedEscape => "QuoteError",
        Kind::SourceChanged(_) => "SourceChangedError",
        Kind::Io(_)
        | Kind::Damaged { .. }
        | Kind::Archive(_)
        | Kind::Spool { .. }
        | Kind::Parts(_)
        | Kind::Empty(_)
        | Kind::TooFewLines(_)
        | Kind::Column(_)
        | Kind::Memory(_)
        | Kind::Simd(_)
        | Kind::LineEnds(_)
        | Kind::TooManyRejects { .. }
        | Kind::Unwritten(_)
        | Kind::OtherDelimiter(_)
        | Kind::Forked
        | Kind::ForkedObject
        | Kind::OutOfMemory
        | Kind::Window(_)
        | Kind::NoWindow { .. }
        | Kind::Threads(_)
        | Kind::Internal => "CsvError",
    }
}
