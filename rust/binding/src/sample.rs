//! Some rows as text, for what looks at a table before it is read, and the beginning of a file.

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;

use csvfeed_core::error::{Error, Kind};
use csvfeed_core::passes::sample::{self, Reading, Sample, Wanted};
use csvfeed_core::source::Transcoding;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::{Where, exception, os_error};
use crate::origin::{Failure, Origin};
use crate::plan::{Stop, check_signals};
use crate::reader::Reader;

/// Rows of text; how many of them come first in the file; some of those that are wrong, each with the number of rows before
/// it, and how many there are; whether these are all; and what ended the reading.
pub(crate) type PySample =
    (Vec<Vec<String>>, usize, Vec<(usize, Vec<String>)>, u64, bool, Option<Py<pyo3::exceptions::PyBaseException>>);

impl Reader {
    pub(crate) fn take_sample(&self, py: Python<'_>, wanted: Wanted) -> PyResult<PySample> {
        let table = self.table(py)?;
        let found = py.detach(|| sample::sample(&table, wanted, check_signals));
        let Sample { rows, first, wrong, wrong_count, is_whole, error } =
            found.map_err(|stop: Stop| self.stopped(py, stop, &table.parts))?;
        let error = error.map(|error| self.exception(py, &error, Some(&table.parts)).into_value(py));
        Ok((rows, first, wrong, wrong_count, is_whole, error))
    }

    pub(crate) fn copy_to(&self, py: Python<'_>, path: PathBuf, most: u64) -> PyResult<bool> {
        let table = self.table(py)?;
        let name = path.display().to_string();
        let copied = py.detach(|| -> Result<bool, Stop> {
            let file = File::create(path).map_err(|error| Stop::Error(Kind::Unwritten(error).into()))?;
            sample::copy(&table, most, &mut BufWriter::new(file), check_signals)
        });
        copied.map_err(|stop| match stop {
            Stop::Error(Error { kind: Kind::Unwritten(io), .. }) => os_error(&io, Some(&name)),
            stop => self.stopped(py, stop, &table.parts),
        })
    }

    pub(crate) fn read_texts(&self, texts: &[String], kind: &str, format: Option<&str>) -> PyResult<Vec<Option<f32>>> {
        let reading = match kind {
            "number" => Reading::Number,
            "boolean" => Reading::Boolean,
            "date" => Reading::date(format).map_err(PyValueError::new_err)?,
            "duration" => Reading::Duration,
            other => Reading::form(other).ok_or_else(|| PyValueError::new_err(format!("kind={other:?}")))?,
        };
        Ok(texts.iter().map(|text| reading.value(text, self.dialect)).collect())
    }
}

/// The first bytes of the text of a part, without what compresses it, and whether these are all.
#[pyfunction]
pub(crate) fn beginning<'py>(
    part: &Bound<'py, PyAny>,
    encoding: &str,
    length: usize,
) -> PyResult<(Bound<'py, PyBytes>, bool)> {
    let py = part.py();
    let name = Origin::name(part)?;
    let wrong = |error: &Error| exception(py, error, Where { path: Some(&name), ..Where::default() });
    let origin = Origin::find(part).map_err(|failure| match failure {
        Failure::Python(error) => error,
        Failure::Core(error) => wrong(&error),
    })?;
    origin.look(&drop, &|| false).map_err(|error| wrong(&error))?;
    let transcoding = Transcoding::named(encoding);
    let read = || sample::beginning(&origin.open(&name, None)?, transcoding, length);
    let (bytes, is_whole) = py.detach(read).map_err(|error| wrong(&error))?;
    Ok((PyBytes::new(py, &bytes), is_whole))
}
