//! `Reader`: a source, what its bytes mean and which columns are wanted.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use csvfeed_core::batch::{self, Remainder};
use csvfeed_core::block::Widths;
use csvfeed_core::code::Code;
use csvfeed_core::dialect::{Dialect, Head, Header, read_head};
use csvfeed_core::error::Error;
use csvfeed_core::pipeline::Budget;
use csvfeed_core::schema::{Column, Missing, MissingTarget, Schema};
use csvfeed_core::sequential;
use csvfeed_core::simd::simd;
use csvfeed_core::source::{self, FileIdentity, FileSource, MemorySource, Source};
use csvfeed_core::stats;
use csvfeed_core::table::Table;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::sync::MutexExt;
use pyo3::types::PyBytes;

use crate::batches::Batches;
use crate::columns::{Found, PyColumns, PyVocabularies, columns as coded_columns, from_python, to_python};
use crate::error::exception;
use crate::plan::{Plan, PyStep};

/// Bytes of rows that a shuffle mixes, unless `memory` says otherwise. The order of an epoch depends on it, so it is the
/// same on every machine.
const SHUFFLE_MEMORY: u64 = 256 << 20;

/// What is read, without an open handle.
enum Origin {
    File { path: PathBuf, identity: FileIdentity },
    Memory(Arc<MemorySource<PyBackedBytes>>),
}

/// A source, what its bytes mean and which columns are wanted.
#[pyclass(frozen, module = "csvfeed._core")]
pub(crate) struct Reader {
    origin: Origin,
    name: String,
    dialect: Dialect,
    head: Head,
    schema: Arc<Schema>,
    threads: usize,
    memory: Option<usize>,
    /// The categories that are in the source, once they were asked for.
    pub(crate) found: Mutex<Option<Found>>,
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
    /// Opens the source, reads its head and resolves the columns.
    #[new]
    #[pyo3(signature = (source, *, target, features, weight, coded, header, delimiter, quote, missing, missing_target, threads,
                        memory))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of CsvDataset, by name")]
    fn new(
        source: &Bound<'_, PyAny>,
        target: Vec<PyColumn>,
        features: Option<Vec<PyColumn>>,
        weight: Option<PyColumn>,
        coded: PyColumns,
        header: Option<PyHeader>,
        delimiter: u8,
        quote: Option<u8>,
        missing: Vec<String>,
        missing_target: &str,
        threads: Option<usize>,
        memory: Option<usize>,
    ) -> PyResult<Self> {
        let py = source.py();
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

        let name;
        let opened: Arc<dyn Source>;
        let origin = if source.is_instance_of::<PyBytes>() {
            name = "<bytes>".to_owned();
            let memory = Arc::new(MemorySource::new(source.extract::<PyBackedBytes>()?));
            opened = Arc::clone(&memory) as Arc<dyn Source>;
            Origin::Memory(memory)
        } else {
            let path: PathBuf = source.extract()?;
            name = path.display().to_string();
            let file = FileSource::open(&path).map_err(|error| exception(py, &error, Some(&name), &[], None))?;
            let identity = file.identity();
            opened = Arc::new(file);
            Origin::File { path, identity }
        };
        let head = py
            .detach(|| read_head(&*opened, dialect, &header, &missing, max_row))
            .map_err(|error| exception(py, &error, Some(&name), &[], Some(&*opened)))?;
        let coded = coded_columns(coded);
        if header == Header::Auto {
            coded
                .check_header(&head, &missing)
                .map_err(|error| exception(py, &error, Some(&name), &head.columns, None))?;
        }
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
        .and_then(|schema| schema.with_columns(coded))
        .map_err(|error| exception(py, &error, Some(&name), &head.columns, None))?;
        Ok(Self { origin, name, dialect, head, schema: Arc::new(schema), threads, memory, found: Mutex::default() })
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

    /// The names of the features: of their columns and, if they are parts of dates, of these.
    #[getter]
    fn feature_names(&self) -> Vec<String> {
        let Schema { features, .. } = &*self.schema;
        (0..features.len()).map(|wanted| self.schema.name(wanted)).collect()
    }

    /// The names of the targets.
    #[getter]
    fn target_names(&self) -> Vec<String> {
        let Schema { features, targets, .. } = &*self.schema;
        (features.len()..features.len() + targets.len()).map(|wanted| self.schema.name(wanted)).collect()
    }

    /// The positions of the columns of the values that are read: features, targets, then the weight.
    #[getter]
    fn columns_read(&self) -> Vec<usize> {
        self.schema.wanted()
    }

    /// The names of the same values.
    #[getter]
    fn names_read(&self) -> Vec<String> {
        (0..self.schema.wanted().len()).map(|wanted| self.schema.name(wanted)).collect()
    }

    /// What these values are: "number", "category", "boolean" or "date".
    #[getter]
    fn kinds(&self) -> Vec<&'static str> {
        (0..self.schema.wanted().len()).map(|wanted| self.schema.code(wanted).map_or("number", Code::kind)).collect()
    }

    /// The categories of each column that has a vocabulary, in the order of their codes. For those that are still to be
    /// found this reads the source once.
    fn vocabularies(&self, py: Python<'_>) -> PyResult<PyVocabularies> {
        let known = self.with_vocabularies(py, Arc::clone(&self.schema))?.vocabularies();
        Ok(to_python(known.iter().map(|(column, vocabulary)| (column, vocabulary))))
    }

    /// What tells the categories of each column from others; this too.
    fn vocabulary_digests(&self, py: Python<'_>) -> PyResult<Vec<(usize, String)>> {
        let known = self.with_vocabularies(py, Arc::clone(&self.schema))?.vocabularies();
        Ok(known.iter().map(|(column, vocabulary)| (*column, vocabulary.digest())).collect())
    }

    /// The categories that were found in the source, if they were.
    fn found_vocabularies(&self, py: Python<'_>) -> Option<PyVocabularies> {
        self.found.lock_py_attached(py).ok()?.as_ref().map(to_python)
    }

    /// Takes over what was found in the same source.
    fn recall_vocabularies(&self, py: Python<'_>, found: PyVocabularies) {
        if let Ok(mut known) = self.found.lock_py_attached(py) {
            *known = Some(from_python(found));
        }
    }

    /// What tells the file from a later version of itself; `None` for bytes.
    #[getter]
    fn identity(&self) -> Option<(u64, u64, u64, i64, i64)> {
        match &self.origin {
            Origin::File { identity, .. } => Some(identity.numbers()),
            Origin::Memory(_) => None,
        }
    }

    /// The places among the features of the columns that the argument `role` names.
    fn feature_places(&self, py: Python<'_>, columns: Vec<PyColumn>, role: &str) -> PyResult<Vec<Vec<usize>>> {
        let columns: Vec<_> = columns.into_iter().map(Column::from).collect();
        self.schema.feature_places(&columns, role).map_err(|error| self.exception(py, &error, None))
    }

    /// What tells the content of the source from another, by its length, its beginning and its end.
    fn fingerprint(&self, py: Python<'_>) -> PyResult<String> {
        let source = self.open(py)?;
        py.detach(|| source::fingerprint(&*source)).map_err(|error| self.exception(py, &error, None))
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
        let schema = this.with_vocabularies(py, this.schema(fill, pad_to.is_some()))?;
        let widths = Widths::of(&schema);
        let table = Table { schema, ..this.table(py)? };
        let pipeline =
            sequential::read(&table, this.budget(), repeat).map_err(|error| this.exception(py, &error, None))?;
        let batches = batch::Batches::new(pipeline, widths, batch_size, remainder(drop_remainder, pad_to));
        Batches::new(slf, table.source, batches, widths, None)
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
    /// What is read, which must be what it was.
    pub(crate) fn table(&self, py: Python<'_>) -> PyResult<Table> {
        let simd = simd().map_err(|error| self.exception(py, &error, None))?;
        let (dialect, data_start) = (self.dialect, self.head.data_start);
        Ok(Table { source: self.open(py)?, dialect, data_start, schema: Arc::clone(&self.schema), simd })
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

    /// Opens the source, which must be what it was.
    fn open(&self, py: Python<'_>) -> PyResult<Arc<dyn Source>> {
        match &self.origin {
            Origin::Memory(memory) => Ok(Arc::clone(memory) as Arc<dyn Source>),
            Origin::File { path, identity } => FileSource::reopen(path, *identity)
                .map(|file| Arc::new(file) as Arc<dyn Source>)
                .map_err(|error| self.exception(py, &error, None)),
        }
    }

    pub(crate) fn exception(&self, py: Python<'_>, error: &Error, source: Option<&dyn Source>) -> PyErr {
        exception(py, error, Some(&self.name), &self.head.columns, source)
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
