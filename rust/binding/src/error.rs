//! Core errors to Python exceptions.

use std::io;

use csvfeed_core::error::{Error, Kind};
use csvfeed_core::parts::{self, Parts};
use csvfeed_core::schema::OnError;
use pyo3::exceptions::{PyMemoryError, PyOSError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::heads::{Part, text};
use crate::plan::Stop;
use crate::reader::Reader;

/// Bytes that are fetched once more to say which line an error is in.
const COUNTED_FROM_AFAR: u64 = 64 << 20;

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
    /// What becomes of wrong rows there.
    pub on_error: OnError,
}

/// The Python exception for an error.
pub(crate) fn exception(py: Python<'_>, error: &Error, place: Where<'_>) -> PyErr {
    match &error.kind {
        Kind::Io(io) => {
            // What an object of Python raised.
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
                return PyOSError::new_err((number, text, directory.clone()));
            }
        }
        Kind::Memory(_) => return PyMemoryError::new_err(error.kind.to_string()),
        _ => {}
    }
    csv_error(py, error, error.message(place.on_error), place).map_or_else(|failure| failure, PyErr::from_value)
}

/// What the operating system said about a path.
pub(crate) fn os_error(io: &io::Error, path: Option<&str>) -> PyErr {
    PyOSError::new_err((io.raw_os_error(), without_number(io), path.map(str::to_owned)))
}

fn without_number(io: &io::Error) -> String {
    let text = io.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
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

/// The `CsvError` for an error.
pub(crate) fn csv_error<'py>(
    py: Python<'py>,
    error: &Error,
    message: String,
    place: Where<'_>,
) -> PyResult<Bound<'py, PyAny>> {
    let class = py.import("csvfeed.errors")?.getattr(match error.kind {
        Kind::Number(_)
        | Kind::Notation(_)
        | Kind::Nul
        | Kind::MissingTarget(_)
        | Kind::Boolean
        | Kind::Date(_)
        | Kind::NoSuchDate
        | Kind::Category => "NumberError",
        Kind::RowLength { .. } | Kind::RowTooLong { .. } => "RowLengthError",
        Kind::Encoding(..) | Kind::Undecodable(_) | Kind::NotText(..) | Kind::NameNotUtf8 | Kind::CategoryNotUtf8 => {
            "EncodingError"
        }
        Kind::UnclosedQuote | Kind::TextAfterQuote | Kind::UnclosedEscape => "QuoteError",
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
        | Kind::TooManyRejects { .. }
        | Kind::Unwritten(_)
        | Kind::OtherDelimiter(_)
        | Kind::Delimiter(_)
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
    class.call((message,), Some(&arguments))
}

impl Reader {
    /// What a part is called in errors.
    pub(crate) fn part_name(&self, part: usize) -> &str {
        &self.parts[part].name
    }

    pub(crate) fn somewhere(&self) -> Where<'_> {
        let on_error = self.schema.on_error;
        Where { path: Some(&self.name), columns: &self.head.columns, offset: None, line: None, on_error }
    }

    /// The exception for an error, at its place in `parts`.
    pub(crate) fn exception(&self, py: Python<'_>, error: &Error, parts: Option<&Parts>) -> PyErr {
        let mut place = self.somewhere();
        if let (Some(parts), Some(offset)) = (parts, error.offset) {
            let (part, offset) = parts.place(offset);
            place.path = Some(&self.parts[part].name);
            place.line = py.detach(|| self.line(error, parts, part, offset));
            place.offset = has_place(error).then_some(offset);
        }
        exception(py, error, place)
    }

    /// The line of a byte of a part.
    fn line(&self, error: &Error, parts: &Parts, part: usize, offset: u64) -> Option<u64> {
        let Part { origin, name, codec, .. } = &self.parts[part];
        if !origin.is_far() {
            return line(error, parts, part, offset);
        }
        // What failed is closed, and the way from its beginning may be long.
        if offset > COUNTED_FROM_AFAR {
            return None;
        }
        let bytes = text(origin.open(name, None).ok()?, *codec, self.transcoding);
        line(error, &Parts::new(vec![parts::Part { bytes, data_start: 0, layout: None }]), 0, offset)
    }

    /// Why a pass over some parts ended early.
    pub(crate) fn stopped(&self, py: Python<'_>, stop: Stop, parts: &Parts) -> PyErr {
        match stop {
            Stop::Signal(error) => error,
            Stop::Error(error) => self.exception(py, &error, Some(parts)),
        }
    }
}
