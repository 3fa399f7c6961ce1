//! Some rows as text, the beginning of a file, and what single texts would be read as.

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;

use csvfeed_core::error::{Error, Kind};
use csvfeed_core::passes::sample::{self, Reading, Wanted};
use csvfeed_core::source::Transcoding;
use pyo3::exceptions::{PyBaseException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::{Where, exception, os_error};
use crate::input::{Input, find_one};
use crate::signals::{Stop, check_signals};

/// Some rows of a table as text.
#[derive(IntoPyObject)]
pub(crate) struct PySample {
    rows: Vec<Vec<String>>,
    /// How many of the rows come first in the file.
    first: usize,
    /// Some of the wrong rows, each with the number of `rows` before it.
    wrong: Vec<(usize, Vec<String>)>,
    wrong_count: u64,
    /// Whether these are all rows.
    is_whole: bool,
    /// What ended the reading early.
    error: Option<Py<PyBaseException>>,
}

pub(crate) fn take(py: Python<'_>, input: &Input, wanted: Wanted) -> PyResult<PySample> {
    let table = input.table(py)?;
    let found = py.detach(|| sample::sample(&table, wanted, check_signals));
    let found = found.map_err(|stop: Stop| input.stopped(py, stop, &table.parts))?;
    let exception = |error: Error| input.exception(py, &error, Some(&table.parts)).into_value(py);
    Ok(PySample {
        rows: found.rows,
        first: found.first,
        wrong: found.wrong,
        wrong_count: found.wrong_count,
        is_whole: found.is_whole,
        error: found.error.map(exception),
    })
}

/// Writes the first part as text to a file, up to about `most` bytes of whole rows. Returns whether that is all of it.
pub(crate) fn copy(py: Python<'_>, input: &Input, path: PathBuf, most: u64) -> PyResult<bool> {
    let table = input.table(py)?;
    let name = path.display().to_string();
    let copied = py.detach(|| -> Result<bool, Stop> {
        let file = File::create(path).map_err(|error| Stop::Error(Kind::Unwritten(error).into()))?;
        sample::copy(&table, most, &mut BufWriter::new(file), check_signals)
    });
    copied.map_err(|stop| match stop {
        Stop::Error(Error { kind: Kind::Unwritten(io), .. }) => os_error(&io, Some(&name)),
        stop => input.stopped(py, stop, &table.parts),
    })
}

/// The values of texts that are read as `kind`. `None` for a text that cannot be read so.
pub(crate) fn values(input: &Input, texts: &[String], kind: &str, format: Option<&str>) -> PyResult<Vec<Option<f32>>> {
    let reading = match kind {
        "number" => Reading::Number,
        "boolean" => Reading::Boolean,
        "date" => Reading::date(format).map_err(PyValueError::new_err)?,
        "duration" => Reading::Duration,
        other => Reading::form(other).ok_or_else(|| PyValueError::new_err(format!("kind={other:?}")))?,
    };
    Ok(texts.iter().map(|text| reading.value(text, input.dialect)).collect())
}

/// The first bytes of the decompressed text of a part, and whether these are all.
#[pyfunction]
pub(crate) fn beginning<'py>(
    part: &Bound<'py, PyAny>,
    encoding: &str,
    length: usize,
) -> PyResult<(Bound<'py, PyBytes>, bool)> {
    let py = part.py();
    let (origin, name) = find_one(part)?;
    let transcoding = Transcoding::named(encoding);
    let read = || sample::beginning(&origin.open(&name, None)?, transcoding, length);
    let (bytes, is_whole) = py.detach(read).map_err(|error| exception(py, &error, Where::part(&name)))?;
    Ok((PyBytes::new(py, &bytes), is_whole))
}
