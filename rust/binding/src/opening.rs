//! The table that a reader reads, opened for a pass.

use std::sync::Arc;

use csvfeed_core::error::Error;
use csvfeed_core::simd::simd;
use csvfeed_core::source::{Handles, Spool};
use csvfeed_core::table::Table;
use csvfeed_core::table::parts::{self, Parts};
use pyo3::prelude::*;

use crate::error::{Where, exception};
use crate::exit;
use crate::heads::Part;
use crate::origin::temporary_directory;
use crate::plan::{Stop, check_signals};
use crate::reader::Reader;

impl Reader {
    /// What is read, which must be what it was.
    pub(crate) fn table(&self, py: Python<'_>) -> PyResult<Table> {
        if self.calls_python() {
            exit::check(py)?;
        }
        let simd = simd().map_err(|error| self.exception(py, &error, None))?;
        Ok(Table { parts: self.open(py)?, dialect: self.dialect, schema: Arc::clone(&self.schema), simd })
    }

    /// The same table, to be read at any place.
    pub(crate) fn spooled(&self, py: Python<'_>, table: Table) -> PyResult<Table> {
        let parts = Arc::clone(&table.parts);
        py.detach(|| self.texts_of(table, check_signals)).map_err(|stop: Stop| self.stopped(py, stop, &parts))
    }

    /// The same, without the GIL; an error that `check` returns ends the work.
    pub(crate) fn texts_of<E: From<Error> + Send>(
        &self,
        table: Table,
        check: impl FnMut() -> Result<(), E>,
    ) -> Result<Table, E> {
        if !table.parts.has_streams() {
            return Ok(table);
        }
        let known = self.texts.lock().clone();
        let texts = if let Some(texts) = known {
            texts
        } else {
            let streams: Vec<_> = table.parts.streams().collect();
            let texts = Spool::texts(&streams, &temporary_directory()?, check)?;
            *self.texts.lock() = Some(texts.clone());
            texts
        };
        Ok(Table { parts: table.parts.spooled(texts), ..table })
    }

    /// Opens the parts, which must be what they were.
    pub(crate) fn open(&self, py: Python<'_>) -> PyResult<Arc<Parts>> {
        let handles = Handles::new();
        let many = self.parts.len() > 1;
        let open = |(number, part): (usize, &Part)| {
            let source = part.origin.open(&part.name, many.then_some((number, &handles)));
            let source = source.map_err(|error| (number, error))?;
            let bytes = part.unpacking.text(source);
            Ok(parts::Part { bytes, data_start: part.data_start, layout: part.layout.clone() })
        };
        let parts = py.detach(|| self.parts.iter().enumerate().map(open).collect::<Result<Vec<_>, _>>());
        let parts = parts.map_err(|(number, error): (usize, Error)| {
            let place = Where { path: Some(&self.parts[number].name), ..self.somewhere() };
            exception(py, &error, place)
        })?;
        Ok(Arc::new(Parts::new(parts)))
    }
}
