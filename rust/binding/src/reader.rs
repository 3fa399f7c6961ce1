//! `Reader`: a source, what its bytes mean and which columns are wanted.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use csvfeed_core::batch::{self, Remainder};
use csvfeed_core::block::Widths;
use csvfeed_core::dialect::{Dialect, Head, Header};
use csvfeed_core::error::Error;
use csvfeed_core::parts::{self, Parts};
use csvfeed_core::pipeline::Budget;
use csvfeed_core::schema::{Column, Missing, MissingTarget, Schema};
use csvfeed_core::sequential;
use csvfeed_core::simd::simd;
use csvfeed_core::source::{self, Encoding, Handles, MemorySource, Spool, SpooledText};
use csvfeed_core::stats;
use csvfeed_core::table::Table;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::batches::Batches;
use crate::error::{Where, exception, has_place, line};
use crate::heads::{Failed, Part, Reading, text};
use crate::origin::{Failure, Origin, temporary_directory};
use crate::plan::{Plan, PyStep, Stop, check_signals};

/// Bytes of rows that a shuffle mixes, unless `memory` says otherwise. The order of an epoch depends on it, so it is the
/// same on every machine.
const SHUFFLE_MEMORY: u64 = 256 << 20;

/// What is read, what its bytes mean and which columns are wanted.
#[pyclass(frozen, module = "csvfeed._core")]
pub(crate) struct Reader {
    parts: Vec<Part>,
    /// What they are called together.
    name: String,
    encoding: Encoding,
    dialect: Dialect,
    head: Head,
    schema: Arc<Schema>,
    threads: usize,
    memory: Option<usize>,
    /// Those that are to be read in any order, once they are kept somewhere.
    texts: Mutex<Option<Vec<SpooledText>>>,
    /// What tells the content of many parts from another.
    fingerprint: OnceLock<String>,
}

/// Why the heads are not read.
enum Stopped {
    Signal(Stop),
    Failed(Failed),
}

impl From<Failed> for Stopped {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

#[derive(FromPyObject)]
pub(crate) enum PyColumn {
    Index(i64),
    Name(String),
}

impl From<PyColumn> for Column {
    fn from(column: PyColumn) -> Self {
        match column {
            PyColumn::Index(index) => Self::Index(index),
            PyColumn::Name(name) => Self::Name(name),
        }
    }
}

#[derive(FromPyObject)]
enum PyHeader {
    Present(bool),
    Names(Vec<String>),
}

#[pymethods]
impl Reader {
    /// Finds the parts, reads their heads and resolves the columns.
    #[new]
    #[pyo3(signature = (parts, *, name, target, features, weight, header, delimiter, quote, encoding, missing,
                        missing_target, threads, memory))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of CsvDataset, by name")]
    #[expect(clippy::needless_pass_by_value, reason = "arguments of Python are extracted into values")]
    fn new(
        py: Python<'_>,
        parts: Vec<Bound<'_, PyAny>>,
        name: String,
        target: Vec<PyColumn>,
        features: Option<Vec<PyColumn>>,
        weight: Option<PyColumn>,
        header: Option<PyHeader>,
        delimiter: u8,
        quote: Option<u8>,
        encoding: &str,
        missing: Vec<String>,
        missing_target: &str,
        threads: Option<usize>,
        memory: Option<usize>,
    ) -> PyResult<Self> {
        let dialect = Dialect { delimiter, quote };
        let header = match header {
            None => Header::Auto,
            Some(PyHeader::Present(true)) => Header::Present,
            Some(PyHeader::Present(false)) => Header::Absent,
            Some(PyHeader::Names(names)) => Header::Names(names),
        };
        let missing = Missing::new(missing);
        let missing_target = match missing_target {
            "raise" => MissingTarget::Raise,
            "skip" => MissingTarget::Skip,
            "keep" => MissingTarget::Keep,
            other => return Err(PyValueError::new_err(format!("missing_target={other:?}"))),
        };
        let threads = match threads {
            Some(threads) => threads,
            None => std::thread::available_parallelism()?.get(),
        };
        let max_row = Budget::new(threads, memory).max_row;

        let encoding = Encoding::named(encoding);
        let mut origins = Vec::with_capacity(parts.len());
        for part in &parts {
            let name = Origin::name(part)?;
            let origin = Origin::find(part).map_err(|failure| match failure {
                Failure::Python(error) => error,
                Failure::Core(error) => exception(py, &error, Where { path: Some(&name), ..Where::default() }),
            })?;
            origins.push((origin, name));
        }
        // Here, where Ctrl-C is obeyed by whatever waits.
        if let Some((origin, name)) = origins.first() {
            let place = Where { path: Some(name), ..Where::default() };
            origin.look(&|| false).map_err(|error| exception(py, &error, place))?;
        }
        let names: Vec<_> = origins.iter().map(|(_, name)| name.clone()).collect();
        let reading = Reading { dialect, encoding, missing: &missing, max_row, threads };
        let found = py.detach(|| reading.parts(origins, &header, || check_signals().map_err(Stopped::Signal)));
        let (head, parts) = found.map_err(|stopped| match stopped {
            Stopped::Signal(Stop::Signal(error)) => error,
            Stopped::Signal(Stop::Error(error)) => exception(py, &error, Where::default()),
            Stopped::Failed(Failed { part, error, line }) => {
                let offset = error.offset.filter(|_| has_place(&error));
                exception(py, &error, Where { path: Some(&names[part]), columns: &[], offset, line })
            }
        })?;
        let name = if let [part] = &parts[..] { part.name.clone() } else { name };
        let columns = |columns: Vec<PyColumn>| columns.into_iter().map(Column::from).collect::<Vec<_>>();
        let schema = Schema::resolve(
            head.columns.clone(),
            head.reference,
            features.map(columns).as_deref(),
            &columns(target),
            weight.map(Column::from).as_ref(),
            missing,
            missing_target,
        )
        .map_err(|error| {
            exception(py, &error, Where { path: Some(&name), columns: &head.columns, ..Where::default() })
        })?;
        Ok(Self {
            parts,
            name,
            encoding,
            dialect,
            head,
            schema: Arc::new(schema),
            threads,
            memory,
            texts: Mutex::new(None),
            fingerprint: OnceLock::new(),
        })
    }

    /// What the source is called in errors.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// The name of each column, in file order.
    #[getter]
    fn columns(&self) -> &[String] {
        &self.head.columns
    }

    /// The names of the feature columns, in the order of the features.
    #[getter]
    fn feature_names(&self) -> Vec<&str> {
        self.names(&self.schema.features)
    }

    /// The names of the target columns.
    #[getter]
    fn target_names(&self) -> Vec<&str> {
        self.names(&self.schema.targets)
    }

    /// The positions of the columns that are read: features, targets, then the weight.
    #[getter]
    fn columns_read(&self) -> Vec<usize> {
        [&self.schema.features[..], &self.schema.targets, self.schema.weight.as_slice()].concat()
    }

    /// What tells the files from later versions of themselves; `None` for bytes.
    #[getter]
    fn identity(&self) -> Option<String> {
        let identities: Vec<_> = self.parts.iter().map(|part| part.origin.identity()).collect();
        if let [identity] = &identities[..] {
            return identity.clone();
        }
        let all = identities.into_iter().map(|identity| identity.unwrap_or_default() + "\n").collect::<String>();
        source::sum(&MemorySource::new(all)).ok()
    }

    /// Whether it can only be read in this process.
    #[getter]
    fn is_of_this_process(&self) -> bool {
        self.parts.iter().any(|part| part.origin.is_of_this_process())
    }

    /// The places among the features of the columns that the argument `role` names.
    fn feature_places(&self, py: Python<'_>, columns: Vec<PyColumn>, role: &str) -> PyResult<Vec<usize>> {
        let columns: Vec<_> = columns.into_iter().map(Column::from).collect();
        self.schema.feature_places(&columns, role).map_err(|error| self.exception(py, &error, None))
    }

    /// What tells the content of the source from another, by the length, the beginning and the end of each part.
    fn fingerprint(&self, py: Python<'_>) -> PyResult<String> {
        let parts = self.open(py)?;
        if let (true, Some(known)) = (self.parts.len() > 1, self.fingerprint.get()) {
            return Ok(known.clone());
        }
        let found = py.detach(|| parts.fingerprint()).map_err(|error| self.exception(py, &error, None))?;
        Ok(self.fingerprint.get_or_init(|| found.clone()).clone())
    }

    /// An iterator over batches of `batch_size` rows; with `repeat` it begins again at the end, for ever, and rows left
    /// over at the end of a pass begin the next batch. With `pad_to` the last batch is filled up with rows of zeros to a
    /// multiple of so many, and batches have weights if they have targets. With `fill`, a value for each feature,
    /// missing ones become that.
    #[pyo3(signature = (batch_size, *, drop_remainder = false, repeat = false, pad_to = None, fill = None))]
    fn batches(
        slf: Bound<'_, Self>,
        batch_size: usize,
        drop_remainder: bool,
        repeat: bool,
        pad_to: Option<usize>,
        fill: Option<Vec<f32>>,
    ) -> PyResult<Batches> {
        let py = slf.py();
        let this = slf.get();
        let schema = this.schema(fill, pad_to.is_some());
        let widths = Widths::of(&schema);
        let table = Table { schema, ..this.table(py)? };
        let pipeline =
            sequential::read(&table, this.budget(), repeat).map_err(|error| this.exception(py, &error, None))?;
        let batches = batch::Batches::new(pipeline, widths, batch_size, remainder(drop_remainder, pad_to));
        Batches::new(slf, table.parts, batches, widths, None)
    }

    /// What goes through the rows that `steps` choose, in the order that `seed` draws, or in that of the file. With
    /// `padded` the rows have weights if they have targets. The rows are kept in the directory `cache`; `fill` says there
    /// how missing features are filled.
    #[pyo3(signature = (steps, *, seed, padded, cache, fill))]
    fn plan(
        slf: Bound<'_, Self>,
        steps: Vec<PyStep>,
        seed: Option<u64>,
        padded: bool,
        cache: Option<PathBuf>,
        fill: String,
    ) -> PyResult<Plan> {
        let py = slf.py();
        let this = slf.get();
        let steps = steps.into_iter().map(|step| step.resolve(&this.schema));
        let steps = steps.collect::<Result<_, _>>().map_err(|error| this.exception(py, &error, None))?;
        let schema = this.schema(None, padded);
        Ok(Plan::new(slf.unbind(), schema, steps, seed, cache.map(|directory| (directory, fill))))
    }
}

impl Reader {
    fn names(&self, positions: &[usize]) -> Vec<&str> {
        positions.iter().map(|&at| self.head.columns[at].as_str()).collect()
    }

    /// What is read, which must be what it was.
    pub(crate) fn table(&self, py: Python<'_>) -> PyResult<Table> {
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
        let known = |texts: &Mutex<Option<Vec<SpooledText>>>| texts.lock().map_or(None, |texts| texts.clone());
        let texts = if let Some(texts) = known(&self.texts) {
            texts
        } else {
            let streams: Vec<_> = table.parts.streams().collect();
            let texts = Spool::texts(&streams, &temporary_directory()?, check)?;
            if let Ok(mut known) = self.texts.lock() {
                *known = Some(texts.clone());
            }
            texts
        };
        Ok(Table { parts: table.parts.spooled(texts), ..table })
    }

    /// The same columns, with these values for missing features and, if need be, weights to tell padding by.
    fn schema(&self, fill: Option<Vec<f32>>, padded: bool) -> Arc<Schema> {
        let mut schema = Arc::clone(&self.schema);
        if let Some(fill) = fill {
            Arc::make_mut(&mut schema).fill = fill;
        }
        if padded && !schema.targets.is_empty() {
            Arc::make_mut(&mut schema).unit_weights = true;
        }
        schema
    }

    /// For reading in the order of the file.
    pub(crate) fn budget(&self) -> Budget {
        Budget::new(self.threads, self.memory)
    }

    /// For the stats of columns.
    pub(crate) fn budget_for_stats(&self) -> Budget {
        stats::budget(self.threads, self.memory)
    }

    /// For reading in another order: what reading takes, and what is left for the rows that are mixed.
    pub(crate) fn budget_for_shuffling(&self) -> (Budget, u64) {
        let reading = self.memory.map(|memory| memory / 8);
        let mixing = self.memory.zip(reading).map_or(SHUFFLE_MEMORY, |(memory, reading)| (memory - reading) as u64);
        (Budget { max_row: self.budget().max_row, ..Budget::new(self.threads, reading) }, mixing)
    }

    /// Opens the parts, which must be what they were.
    fn open(&self, py: Python<'_>) -> PyResult<Arc<Parts>> {
        let handles = Arc::new(Handles::default());
        let many = self.parts.len() > 1;
        let open = |(number, part): (usize, &Part)| {
            let source = part.origin.open(&part.name, many.then_some((number, &handles)));
            let source = source.map_err(|error| (number, error))?;
            let bytes = text(source, part.codec, self.encoding);
            Ok(parts::Part { bytes, data_start: part.data_start, layout: part.layout.clone() })
        };
        let parts = py.detach(|| self.parts.iter().enumerate().map(open).collect::<Result<Vec<_>, _>>());
        let parts = parts.map_err(|(number, error): (usize, Error)| {
            let place = Where { path: Some(&self.parts[number].name), ..self.somewhere() };
            exception(py, &error, place)
        })?;
        Ok(Arc::new(Parts::new(parts)))
    }

    /// Whether the threads that read it call Python.
    pub(crate) fn calls_python(&self) -> bool {
        self.parts.iter().any(|part| part.origin.calls_python())
    }

    fn somewhere(&self) -> Where<'_> {
        Where { path: Some(&self.name), columns: &self.head.columns, offset: None, line: None }
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
        // What failed is closed.
        let bytes = text(origin.open(name, None).ok()?, *codec, self.encoding);
        line(error, &Parts::new(vec![parts::Part { bytes, data_start: 0, layout: None }]), 0, offset)
    }

    pub(crate) fn stopped(&self, py: Python<'_>, stop: Stop, parts: &Parts) -> PyErr {
        match stop {
            Stop::Signal(error) => error,
            Stop::Error(error) => self.exception(py, &error, Some(parts)),
        }
    }
}

/// What becomes of the rows left over.
pub(crate) fn remainder(drop_remainder: bool, pad_to: Option<usize>) -> Remainder {
    match pad_to {
        Some(rows) => Remainder::Pad(rows),
        None if drop_remainder => Remainder::Drop,
        None => Remainder::Keep,
    }
}
