//! From the options of a dataset to its input: find the parts, read their headers, resolve the columns.

use csvfeed_core::budget::Budget;
use csvfeed_core::error::Error;
use csvfeed_core::head::Header;
use csvfeed_core::table::columns::Columns;
use csvfeed_core::table::missing::Missing;
use csvfeed_core::table::schema::{Column, OnError, Targets};
use pyo3::prelude::*;

use super::headers::{Failed, HeaderReader, Headers, Stopped};
use super::layouts::{Layouts, Refused, Wanted};
use super::origin::Origin;
use super::table::{Input, Memo};
use crate::error::{Where, exception, has_place};
use crate::options::Options;
use crate::signals::Stop;
use crate::threads;

/// Finds the parts, reads their headers and resolves the columns.
pub(crate) fn find(py: Python<'_>, mut options: Options<'_>) -> PyResult<Input> {
    let threads = match options.threads {
        Some(threads) => threads,
        None => std::thread::available_parallelism()?.get(),
    };
    let missing = Missing::of(std::mem::take(&mut options.missing), options.dialect.dialect());
    let origins = find_origins(py, &options.source)?;
    let parts = origins.iter().map(|(_, name)| name.clone()).collect();
    let mut names = Names { parts, table: options.name.clone(), on_error: options.on_error };
    let headers = read_headers(py, &options, origins, &names, &missing, threads)?;
    if let [name] = &names.parts[..] {
        names.table.clone_from(name);
    }
    let (mut head, dialect) = (headers.head.clone(), headers.dialect);
    let coded = Columns { ids: options.ids, ..Columns::from(options.values) };
    let targets: Targets = options.targets.into();
    if options.header == Header::Auto && head.is_named {
        let read = by_index(options.features.as_deref(), &targets);
        let checked = coded.check_header(&head.columns, read.as_deref(), dialect, &missing);
        checked.map_err(|error| names.exception(py, &error, &head.columns))?;
    }
    let layouts = Layouts::new(headers, options.columns, options.partition_keys);
    let layouts = layouts.map_err(|failed| names.exception_of_part(py, failed, &[]))?;
    head.columns.clone_from(&layouts.columns);
    let (ending, leader) = (layouts.ending(), layouts.leader);
    let wanted =
        Wanted { features: options.features, targets, coded, allow_target_as_feature: options.allow_target_as_feature };
    let resolved = layouts.resolve(wanted, missing, options.missing_target);
    let (mut schema, parts) = resolved.map_err(|refused| match refused {
        Refused::Table(error) => names.exception(py, &error, &head.columns),
        Refused::Part(failed) => names.exception_of_part(py, failed, &head.columns),
    })?;
    schema.on_error = options.on_error;
    schema.max_rejects = options.max_rejects;
    Ok(Input {
        parts,
        leader,
        rule: options.columns,
        ending,
        name: names.table,
        dialect,
        head,
        schema: schema.into(),
        threads,
        memory: options.memory,
        memo: Memo::default(),
    })
}

/// What errors need before there is an input that could word them.
struct Names {
    parts: Vec<String>,
    table: String,
    on_error: OnError,
}

impl Names {
    /// The exception for an error of the whole table.
    fn exception(&self, py: Python<'_>, error: &Error, columns: &[String]) -> PyErr {
        exception(py, error, Where { path: Some(&self.table), columns, ..Where::default() })
    }

    /// The exception for an error of a part.
    fn exception_of_part(&self, py: Python<'_>, failed: Failed, columns: &[String]) -> PyErr {
        let Failed { part, error, line } = failed;
        let offset = error.offset.filter(|_| has_place(&error));
        let place = Where { path: Some(&self.parts[part]), columns, offset, line, on_error: self.on_error };
        exception(py, &error, place)
    }
}

/// Where the bytes of the parts come from, and the names of the parts.
fn find_origins(py: Python<'_>, parts: &[Bound<'_, PyAny>]) -> PyResult<Vec<(Origin, String)>> {
    let origins = parts.iter().map(find_part).collect::<PyResult<Vec<_>>>()?;
    if origins.iter().any(|(origin, _)| origin.calls_python()) {
        threads::check_exit(py)?;
    }
    // On this thread, so that Ctrl-C interrupts whatever waits.
    if let Some((origin, name)) = origins.first() {
        look(py, origin, name)?;
    }
    Ok(origins)
}

fn find_part(part: &Bound<'_, PyAny>) -> PyResult<(Origin, String)> {
    let name = Origin::name(part)?;
    let origin = Origin::find(part).map_err(|stop| match stop {
        Stop::Raised(raised) => raised,
        Stop::Error(error) => exception(part.py(), &error, Where::part(&name)),
    })?;
    Ok((origin, name))
}

/// Opens an object of `csvfeed.source.Origin`, to see what it is.
fn look(py: Python<'_>, origin: &Origin, name: &str) -> PyResult<()> {
    origin.look(&drop, &|| false).map_err(|error| exception(py, &error, Where::part(name)))
}

/// A part on its own, ready to be opened, and its name.
pub(crate) fn find_one(part: &Bound<'_, PyAny>) -> PyResult<(Origin, String)> {
    let (origin, name) = find_part(part)?;
    look(part.py(), &origin, &name)?;
    Ok((origin, name))
}

fn read_headers(
    py: Python<'_>,
    options: &Options<'_>,
    origins: Vec<(Origin, String)>,
    names: &Names,
    missing: &Missing,
    threads: usize,
) -> PyResult<Headers> {
    let reader = HeaderReader {
        dialect: options.dialect.dialect(),
        finds_delimiter: options.dialect.finds_delimiter(),
        transcoding: options.dialect.transcoding(),
        missing,
        on_error: options.on_error,
        skip_footer: options.dialect.skip_footer,
        max_row: Budget::new(threads, options.memory).max_row,
        threads,
    };
    let header = &options.header;
    py.detach(|| reader.read_all(origins, header)).map_err(|stopped| match stopped {
        Stopped::Signal(Stop::Raised(raised)) => raised,
        Stopped::Signal(Stop::Error(error)) => exception(py, &error, Where::default()),
        Stopped::Part(failed) => names.exception_of_part(py, failed, &[]),
    })
}

/// The columns that are read, if all are given by index. A single one, which nobody trains on, looks at the file or counts
/// its rows.
fn by_index(features: Option<&[Column]>, targets: &Targets) -> Option<Vec<i64>> {
    let outputs = targets.outputs.iter().flatten().chain(targets.weights.iter().flatten());
    let index = |column: &Column| if let Column::Index(at) = column { Some(*at) } else { None };
    let read: Option<Vec<i64>> = features?.iter().chain(outputs).map(index).collect();
    read.filter(|read| read.len() > 1)
}
