//! Exceptions that say in which part and line an error is.

use csvfeed_core::error::Error;
use csvfeed_core::table::parts::{self, Parts};
use pyo3::prelude::*;

use super::part::Part;
use super::table::Input;
use crate::error::{Where, exception, has_place, line};
use crate::signals::Stop;

/// Most bytes of a remote file to fetch again to count lines.
const COUNTED_FROM_AFAR: u64 = 64 << 20;

impl Input {
    /// The name of a part in errors.
    pub(crate) fn part_name(&self, part: usize) -> &str {
        &self.parts[part].name
    }

    /// The place of an error of the whole table.
    pub(super) fn somewhere(&self) -> Where<'_> {
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
        let Part { origin, name, unpacking, .. } = &self.parts[part];
        if !origin.calls_python() {
            return line(error, parts, part, offset);
        }
        // The source that failed is abandoned, so the bytes up to the error are fetched again.
        if origin.is_far() && offset > COUNTED_FROM_AFAR {
            return None;
        }
        let bytes = unpacking.text(origin.open(name, None).ok()?);
        line(error, &Parts::new(vec![parts::Part { bytes, data_start: 0, layout: None }]), 0, offset)
    }

    /// The exception for a pass over `parts` that ended early.
    pub(crate) fn stopped(&self, py: Python<'_>, stop: Stop, parts: &Parts) -> PyErr {
        match stop {
            Stop::Raised(raised) => raised,
            Stop::Error(error) => self.exception(py, &error, Some(parts)),
        }
    }
}
