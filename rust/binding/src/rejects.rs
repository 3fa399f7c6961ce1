//! The rows that are left out as wrong.

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::sync::Arc;

use csvfeed_core::error::{Error, Kind};
use csvfeed_core::passes::{rejects, survey};
use csvfeed_core::rows::rejects::Rejects as CoreRejects;
use csvfeed_core::table::Table;
use csvfeed_core::table::schema::OnError;
use pyo3::prelude::*;

use crate::error::{Where, csv_error, os_error};
use crate::input::Input;
use crate::signals::{Stop, check_signals};
use crate::vocabularies;

/// How many rows are left out for each reason, and the first of these rows: the reason and the exception.
pub(crate) type Rejects<'py> = (Vec<(&'static str, u64)>, Vec<(&'static str, Bound<'py, PyAny>)>);

/// The rows of the whole source that are left out. The first call reads the source once.
pub(crate) fn find<'py>(py: Python<'py>, input: &Input) -> PyResult<Rejects<'py>> {
    let Some(table) = skipping_table(py, input)? else { return Ok((Vec::new(), Vec::new())) };
    let slice_bytes = input.slice_bytes(&table);
    let found = py.detach(|| survey::row_index(&table, input.budget(), slice_bytes, check_signals));
    let (row_index, found) = found.map_err(|stop| input.stopped(py, stop, &table.parts))?;
    vocabularies::keep(input, found);
    shown(py, input, &table, row_index.rejects())
}

/// Rejects of a table, as Python sees them.
pub(crate) fn shown<'py>(
    py: Python<'py>,
    input: &Input,
    table: &Table,
    rejects: &CoreRejects,
) -> PyResult<Rejects<'py>> {
    let first = rejects.list();
    let lines = py.detach(|| rejects.lines(&table.parts, check_signals));
    let lines = lines.map_err(|stop| input.stopped(py, stop, &table.parts))?;
    let first = first.iter().zip(lines).map(|(reject, &line)| {
        let Error { kind, offset, .. } = &reject.error;
        let (part, offset) = offset.map(|offset| table.parts.place(offset)).unzip();
        let path = part.map(|part| input.part_name(part));
        let line = Some(line);
        let place = Where { path, columns: &table.schema.columns, offset, line, on_error: OnError::Skip };
        Ok((kind.reason(), csv_error(py, &reject.error, kind.to_string(), place)?))
    });
    Ok((rejects.reasons().to_vec(), first.collect::<PyResult<_>>()?))
}

/// Writes these rows to a file and returns how many they are.
pub(crate) fn write(py: Python<'_>, input: &Input, path: PathBuf) -> PyResult<u64> {
    let table = skipping_table(py, input)?;
    write_with(py, input, table.as_ref(), path, |table, names, out| {
        rejects::write(table, names, input.budget(), out, check_signals)
    })
}

/// Lets `write` write the rejects of a table, given the names of its parts. No table has none.
pub(crate) fn write_with(
    py: Python<'_>,
    input: &Input,
    table: Option<&Table>,
    path: PathBuf,
    write: impl FnOnce(&Table, &[&str], &mut BufWriter<File>) -> Result<u64, Stop> + Send,
) -> PyResult<u64> {
    let name = path.display().to_string();
    let written = py.detach(|| -> Result<u64, Stop> {
        let unwritten = |error| Stop::Error(Kind::Unwritten(error).into());
        let mut out = BufWriter::new(File::create(path).map_err(unwritten)?);
        match table {
            Some(table) => {
                let names: Vec<_> = (0..table.parts.count()).map(|part| input.part_name(part)).collect();
                write(table, &names, &mut out)
            }
            None => rejects::write_none(&mut out).map_err(Stop::Error),
        }
    });
    written.map_err(|stop| match stop {
        Stop::Raised(raised) => raised,
        Stop::Error(Error { kind: Kind::Unwritten(io), .. }) => os_error(&io, Some(&name)),
        Stop::Error(error) => input.exception(py, &error, table.map(|table| &*table.parts)),
    })
}

/// The table without a limit to its rejects. `None` if no row is left out.
pub(crate) fn skipping_table(py: Python<'_>, input: &Input) -> PyResult<Option<Table>> {
    let mut table = input.table(py)?;
    Arc::make_mut(&mut table.schema).max_rejects = None;
    Ok((table.schema.on_error == OnError::Skip).then_some(table))
}

/// Warns once that rows were left out.
pub(crate) fn warn(py: Python<'_>, input: &Input, left_out: u64) -> PyResult<()> {
    if left_out == 0 || !input.takes_warning() {
        return Ok(());
    }
    let (rows, were) = if left_out == 1 { ("row", "was") } else { ("rows", "were") };
    let name = &input.name;
    let message = format!("{left_out} {rows} of {name} {were} left out: ds.rejects tells which");
    py.import("csvfeed.errors")?.call_method1("warn", (message,))?;
    Ok(())
}
