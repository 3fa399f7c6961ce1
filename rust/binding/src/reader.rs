//! `Reader`: a source, what its bytes mean and which columns are wanted.

use std::path::PathBuf;
use std::sync::Arc;

use csvfeed_core::batch::{self, Remainder};
use csvfeed_core::block::Widths;
use csvfeed_core::dialect::{Dialect, Head, Header, read_head};
use csvfeed_core::error::Error;
use csvfeed_core::pipeline::{Budget, Pipeline, count_rows};
use csvfeed_core::schema::{Column, Missing, MissingTarget, Schema};
use csvfeed_core::source::{FileIdentity, FileSource, MemorySource, Source};
use csvfeed_core::stats::{self, Moments};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::batches::Batches;
use crate::error::exception;

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
    budget: Budget,
    stats_budget: Budget,
}

/// What a column holds: count, missing, mean, std, min, max.
type ColumnStats = (u64, u64, f64, f64, f64, f64);

#[derive(FromPyObject)]
enum PyColumn {
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
    #[pyo3(signature = (source, *, target, features, weight, header, delimiter, quote, missing, missing_target, threads,
                        memory))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of CsvDataset, by name")]
    fn new(
        source: &Bound<'_, PyAny>,
        target: Vec<PyColumn>,
        features: Option<Vec<PyColumn>>,
        weight: Option<PyColumn>,
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
        let budget = Budget::new(threads, memory);
        let stats_budget = stats::budget(threads, memory);

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
            .detach(|| read_head(&*opened, dialect, &header, &missing, budget.max_row))
            .map_err(|error| exception(py, &error, Some(&name), &[], Some(&*opened)))?;
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
        .map_err(|error| exception(py, &error, Some(&name), &head.columns, None))?;
        Ok(Self { origin, name, dialect, head, schema: Arc::new(schema), budget, stats_budget })
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

    /// What tells the file from a later version of itself; `None` for bytes.
    #[getter]
    fn identity(&self) -> Option<(u64, u64, u64, i64, i64)> {
        match &self.origin {
            Origin::File { identity, .. } => Some(identity.numbers()),
            Origin::Memory(_) => None,
        }
    }

    /// The places among the features of the columns that the argument `role` names.
    fn feature_places(&self, py: Python<'_>, columns: Vec<PyColumn>, role: &str) -> PyResult<Vec<usize>> {
        let columns: Vec<_> = columns.into_iter().map(Column::from).collect();
        self.schema.feature_places(&columns, role).map_err(|error| self.exception(py, &error, None))
    }

    /// How many rows a pass yields. This reads the source once.
    fn count_rows(&self, py: Python<'_>) -> PyResult<u64> {
        let source = self.open(py)?;
        let counted = py.detach(|| {
            let source = Arc::clone(&source);
            count_rows(source, self.dialect, self.head.data_start, &self.schema, self.budget, check_signals)
        });
        counted.map_err(|stop| self.stopped(py, stop, &*source))
    }

    /// What each column that is read holds: features, targets, then the weight. This reads the source once.
    fn stats(&self, py: Python<'_>) -> PyResult<Vec<ColumnStats>> {
        let source = self.open(py)?;
        let found = py.detach(|| {
            let source = Arc::clone(&source);
            let budget = self.stats_budget;
            stats::stats(source, self.dialect, self.head.data_start, &self.schema, budget, check_signals)
        });
        let columns = found.map_err(|stop| self.stopped(py, stop, &*source))?;
        let stats = |column: &Moments| {
            let (min, max) = (column.min().into(), column.max().into());
            (column.count, column.missing, column.mean(), column.std(), min, max)
        };
        Ok(columns.iter().map(stats).collect())
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
        let source = this.open(py)?;
        let mut schema = Arc::clone(&this.schema);
        if let Some(fill) = fill {
            Arc::make_mut(&mut schema).fill = fill;
        }
        if pad_to.is_some() && !schema.targets.is_empty() {
            Arc::make_mut(&mut schema).unit_weights = true;
        }
        let remainder = match pad_to {
            Some(rows) => Remainder::Pad(rows),
            None if drop_remainder => Remainder::Drop,
            None => Remainder::Keep,
        };
        let pipeline = Pipeline::start(
            Arc::clone(&source),
            this.dialect,
            this.head.data_start,
            Arc::clone(&schema),
            this.budget,
            repeat,
        )
        .map_err(|error| this.exception(py, &error, None))?;
        let widths = Widths::of(&schema);
        let batches = batch::Batches::new(pipeline, widths, batch_size, remainder);
        Ok(Batches::new(slf.unbind(), source, batches, widths))
    }
}

impl Reader {
    fn names(&self, positions: &[usize]) -> Vec<&str> {
        positions.iter().map(|&at| self.head.columns[at].as_str()).collect()
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

    fn stopped(&self, py: Python<'_>, stop: Stop, source: &dyn Source) -> PyErr {
        match stop {
            Stop::Signal(error) => error,
            Stop::Error(error) => self.exception(py, &error, Some(source)),
        }
    }

    pub(crate) fn exception(&self, py: Python<'_>, error: &Error, source: Option<&dyn Source>) -> PyErr {
        exception(py, error, Some(&self.name), &self.head.columns, source)
    }
}

/// Looks for Ctrl-C from a thread that has let go of the GIL.
fn check_signals() -> Result<(), Stop> {
    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method is not general over the lifetime")]
    Python::attach(|py| py.check_signals()).map_err(Stop::Signal)
}

/// What ends a pass early.
enum Stop {
    Signal(PyErr),
    Error(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}
