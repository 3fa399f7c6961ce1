//! Open the table for a pass.

use std::ops::Range;
use std::sync::Arc;

use csvfeed_core::error::Error;
use csvfeed_core::simd::simd;
use csvfeed_core::source::{Handles, Spool};
use csvfeed_core::table::Table;
use csvfeed_core::table::parts::{self, Parts};
use pyo3::prelude::*;

use super::origin::temporary_directory;
use super::part::Part;
use super::table::Input;
use crate::error::{Where, exception};
use crate::signals::{Stop, check_signals};
use crate::threads;

impl Input {
    /// The table. Its files must be unchanged.
    pub(crate) fn table(&self, py: Python<'_>) -> PyResult<Table> {
        if self.calls_python() {
            threads::check_exit(py)?;
        }
        let simd = simd().map_err(|error| self.exception(py, &error, None))?;
        Ok(Table { parts: self.open(py)?, dialect: self.dialect, schema: Arc::clone(&self.schema), simd })
    }

    /// The same table, readable at any place: compressed parts are decompressed into temporary files.
    pub(crate) fn spooled(&self, py: Python<'_>, table: Table) -> PyResult<Table> {
        let parts = Arc::clone(&table.parts);
        py.detach(|| self.texts_of(table, check_signals)).map_err(|stop: Stop| self.stopped(py, stop, &parts))
    }

    /// The same, but readable at any place of some parts alone.
    pub(crate) fn spooled_in(&self, py: Python<'_>, table: Table, wanted: Range<usize>) -> PyResult<Table> {
        let parts = Arc::clone(&table.parts);
        let spooled = || -> Result<Table, Stop> {
            let streams: Vec<_> = parts.streams_in(wanted.clone()).collect();
            if streams.is_empty() {
                return Ok(table);
            }
            let texts = Spool::texts(&streams, &temporary_directory()?, check_signals)?;
            Ok(Table { parts: parts.spooled_in(wanted, texts), ..table })
        };
        py.detach(spooled).map_err(|stop| self.stopped(py, stop, &parts))
    }

    /// The same, for a thread without the GIL. An error of `check` ends the work.
    pub(crate) fn texts_of<E: From<Error> + Send>(
        &self,
        table: Table,
        check: impl FnMut() -> Result<(), E>,
    ) -> Result<Table, E> {
        if !table.parts.has_streams() {
            return Ok(table);
        }
        let known = self.memo.texts.lock().clone();
        let texts = if let Some(texts) = known {
            texts
        } else {
            let streams: Vec<_> = table.parts.streams().collect();
            let texts = Spool::texts(&streams, &temporary_directory()?, check)?;
            *self.memo.texts.lock() = Some(texts.clone());
            texts
        };
        Ok(Table { parts: table.parts.spooled(texts), ..table })
    }

    /// Opens the parts. Their files must be unchanged.
    fn open(&self, py: Python<'_>) -> PyResult<Arc<Parts>> {
        // Asking for the limit of open files takes as long as reading a small file.
        let handles = (self.parts.len() > 1).then(Handles::new);
        let open = |(number, part): (usize, &Part)| {
            let source = part.origin.open(&part.name, handles.as_ref().map(|handles| (number, handles)));
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
    /// What tells the content from other content: a sum over the length, the beginning and the end of each part and,
    /// unless some part is remote, a sum over pieces from all over.
    pub(crate) fn fingerprint(&self, py: Python<'_>) -> PyResult<(String, Option<String>)> {
        let parts = self.open(py)?;
        if let (true, Some(known)) = (self.parts.len() > 1, self.memo.fingerprint.get()) {
            return Ok(known.clone());
        }
        let found = py.detach(|| Ok((parts.fingerprint()?, parts.samples()?)));
        let found = found.map_err(|error: Error| self.exception(py, &error, None))?;
        Ok(self.memo.fingerprint.get_or_init(|| found.clone()).clone())
    }
}
