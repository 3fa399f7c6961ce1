//! The rows that were left out as wrong, for Python.

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use csvfeed_core::error::{Error, Kind};
use csvfeed_core::passes::rejects;
use csvfeed_core::passes::row_index::RowIndex;
use csvfeed_core::table::Table;
use csvfeed_core::table::schema::OnError;
use pyo3::prelude::*;

use crate::error::{Where, csv_error, os_error};
use crate::plan::{Stop, check_signals};
use crate::reader::Reader;

/// How many there are for each reason, and the first of them: the reason and the exception.
pub(crate) type Rejects<'py> = (Vec<(&'static str, u64)>, Vec<(&'static str, Bound<'py, PyAny>)>);

impl Reader {
    /// The rows of the whole source that are left out, for which it is read once if it was not before.
    pub(crate) fn find_rejects<'py>(&self, py: Python<'py>) -> PyResult<Rejects<'py>> {
        let Some(table) = self.skipping_table(py)? else { return Ok((Vec::new(), Vec::new())) };
        let slice_bytes = self.slice_bytes(&table);
        let row_index = py.detach(|| RowIndex::remember(&table, self.budget(), slice_bytes, check_signals));
        let row_index = row_index.map_err(|stop| self.stopped(py, stop, &table.parts))?;
        let first = row_index.rejects().list();
        let lines = py.detach(|| row_index.rejects().lines(&table.parts, check_signals));
        let lines = lines.map_err(|stop| self.stopped(py, stop, &table.parts))?;
        let first = first.iter().zip(lines).map(|(reject, &line)| {
            let Error { kind, offset, .. } = &reject.error;
            let (part, offset) = offset.map(|offset| table.parts.place(offset)).unzip();
            let path = part.map(|part| self.part_name(part));
            let line = Some(line);
            let place = Where { path, columns: &table.schema.columns, offset, line, on_error: OnError::Skip };
            Ok((kind.reason(), csv_error(py, &reject.error, kind.to_string(), place)?))
        });
        Ok((row_index.rejects().reasons().to_vec(), first.collect::<PyResult<_>>()?))
    }

    /// Writes them to a file, and says how many there are.
    pub(crate) fn write_all_rejects(&self, py: Python<'_>, path: PathBuf) -> PyResult<u64> {
        let name = path.display().to_string();
        let failed = |error: &Error| match &error.kind {
            Kind::Unwritten(io) => Some(os_error(io, Some(&name))),
            _ => None,
        };
        let table = self.skipping_table(py)?;
        let written = py.detach(|| -> Result<u64, Stop> {
            let unwritten = |error| Stop::Error(Kind::Unwritten(error).into());
            let mut out = BufWriter::new(File::create(path).map_err(unwritten)?);
            match &table {
                Some(table) => {
                    let names: Vec<_> = (0..table.parts.count()).map(|part| self.part_name(part)).collect();
                    rejects::write(table, &names, self.budget(), &mut out, check_signals)
                }
                None => rejects::write_none(&mut out).map_err(Stop::Error),
            }
        });
        written.map_err(|stop| match stop {
            Stop::Error(error) => {
                failed(&error).unwrap_or_else(|| self.exception(py, &error, table.as_ref().map(|table| &*table.parts)))
            }
            Stop::Signal(error) => error,
        })
    }

    /// What is read, if rows are left out, with no limit to them.
    fn skipping_table(&self, py: Python<'_>) -> PyResult<Option<Table>> {
        let mut table = self.table(py)?;
        Arc::make_mut(&mut table.schema).max_rejects = None;
        Ok((table.schema.on_error == OnError::Skip).then_some(table))
    }

    /// Warns once that rows were left out.
    pub(crate) fn warn_of(&self, py: Python<'_>, left_out: u64) -> PyResult<()> {
        if left_out == 0 || self.has_warned.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let (rows, were) = if left_out == 1 { ("row", "was") } else { ("rows", "were") };
        let name = self.name();
        let message = format!("{left_out} {rows} of {name} {were} left out: ds.rejects tells which");
        py.import("csvfeed.errors")?.call_method1("warn", (message,))?;
        Ok(())
    }
}
