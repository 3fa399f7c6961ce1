//! `Reader`: a source, what its bytes mean and which columns are wanted.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use csvfeed_core::batch;
use csvfeed_core::budget::Budget;
use csvfeed_core::dialect::{self, Dialect};
use csvfeed_core::error::{Error, Kind};
use csvfeed_core::head::{Head, Header};
use csvfeed_core::passes::row_index::RowIndex;
use csvfeed_core::passes::sample::{Wanted as WantedSample, means_nothing};
use csvfeed_core::passes::sequential;
use csvfeed_core::process::PerProcess;
use csvfeed_core::rows::Widths;
use csvfeed_core::source::{self, MemorySource, SpooledText, Transcoding};
use csvfeed_core::stats;
use csvfeed_core::table::Table;
use csvfeed_core::table::missing::Missing;
use csvfeed_core::table::parts::Place;
use csvfeed_core::table::schema::{Column, MissingTarget, OnError, Schema};
use csvfeed_core::value::ValueEncoding;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;

use crate::batches::{Batches, remainder};
use crate::columns::{
    PyColumn, PyColumns, PyVocabularies, Vocabularies, columns as coded_columns, from_python, to_python,
};
use crate::dialect::{PyDialect, written};
use crate::error::{Where, exception, has_place};
use crate::exit;
use crate::heads::{Failed, Part, Reading};
use crate::layouts::{Ending, Keys, Layouts, Refused, Rule, Wanted};
use crate::origin::{Failure, Origin};
use crate::plan::{Plan, PyStep, Stop, check_signals};
use crate::rejects::Rejects;
use crate::sample::PySample;

/// Bytes of rows that a shuffle mixes, unless `memory` says otherwise. The order of an epoch depends on it, so it is the
/// same on every machine.
const SHUFFLE_MEMORY: u64 = 256 << 20;

/// What is read, what its bytes mean and which columns are wanted.
#[pyclass(frozen, module = "csvfeed._core")]
pub(crate) struct Reader {
    pub(crate) parts: Vec<Part>,
    /// The part that says what the columns are called.
    leader: usize,
    rule: Rule,
    ending: Ending,
    /// What they are called together.
    pub(crate) name: String,
    pub(crate) dialect: Dialect,
    pub(crate) head: Head,
    pub(crate) schema: Arc<Schema>,
    threads: usize,
    memory: Option<usize>,
    /// Those that are to be read in any order, once they are kept somewhere.
    pub(crate) texts: PerProcess<Option<Vec<SpooledText>>>,
    /// What tells the content of many parts from another.
    fingerprint: OnceLock<(String, Option<String>)>,
    /// The categories that are in the source, once they were asked for.
    pub(crate) found: PerProcess<Option<Vocabularies>>,
    /// Whether it was told that rows were left out.
    pub(crate) has_warned: AtomicBool,
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
enum PyHeader {
    Present(bool),
    Names(Vec<String>),
}

impl PyHeader {
    /// What `header=` means; `None` stands for "auto".
    fn resolve(given: Option<Self>) -> Header {
        match given {
            None => Header::Auto,
            Some(Self::Present(true)) => Header::Present,
            Some(Self::Present(false)) => Header::Absent,
            Some(Self::Names(names)) => Header::Names(names),
        }
    }
}

/// What `missing_target=` means.
fn missing_target_named(name: &str) -> PyResult<MissingTarget> {
    match name {
        "raise" => Ok(MissingTarget::Raise),
        "skip" => Ok(MissingTarget::Skip),
        "keep" => Ok(MissingTarget::Keep),
        other => Err(PyValueError::new_err(format!("missing_target={other:?}"))),
    }
}

/// What `on_error=` means.
fn on_error_named(name: &str) -> PyResult<OnError> {
    match name {
        "raise" => Ok(OnError::Raise),
        "skip" => Ok(OnError::Skip),
        other => Err(PyValueError::new_err(format!("on_error={other:?}"))),
    }
}

#[pymethods]
impl Reader {
    /// Finds the parts, reads their heads and resolves the columns.
    #[new]
    #[pyo3(signature = (parts, *, name, columns, partitions, target, features, weight, allow_target_as_feature, coded, header, delimiter,
                        quote, escape, comment, skip_rows, skip_rows_after_header, skip_footer, skip_initial_space,
                        skip_final_space, short_rows, decimal, thousands, encoding, missing, missing_target, on_error,
                        max_rejects, threads, memory))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of CsvDataset, by name")]
    #[expect(clippy::needless_pass_by_value, reason = "arguments of Python are extracted into values")]
    fn new(
        py: Python<'_>,
        parts: Vec<Bound<'_, PyAny>>,
        name: String,
        columns: &str,
        partitions: Option<Vec<Keys>>,
        target: Vec<PyColumn>,
        features: Option<Vec<PyColumn>>,
        weight: Option<PyColumn>,
        allow_target_as_feature: bool,
        coded: PyColumns,
        header: Option<PyHeader>,
        delimiter: Option<u8>,
        quote: Option<u8>,
        escape: Option<u8>,
        comment: Option<u8>,
        skip_rows: u64,
        skip_rows_after_header: u64,
        skip_footer: u64,
        skip_initial_space: bool,
        skip_final_space: bool,
        short_rows: &str,
        decimal: u8,
        thousands: Option<u8>,
        encoding: &str,
        missing: Vec<String>,
        missing_target: &str,
        on_error: &str,
        max_rejects: Option<u64>,
        threads: Option<usize>,
        memory: Option<usize>,
    ) -> PyResult<Self> {
        let dialect = Dialect {
            delimiter: delimiter.unwrap_or(b','),
            quote,
            escape,
            comment,
            decimal,
            thousands,
            // What is neither is UTF-8 by the time that it is read.
            encoding: dialect::Encoding::named(encoding).unwrap_or_default(),
            skip_rows,
            skip_rows_after_header,
            skip_initial_space,
            skip_final_space,
            fills_short_rows: short_rows == "fill",
        };
        let header = PyHeader::resolve(header);
        let missing = Missing::of(missing, dialect);
        let missing_target = missing_target_named(missing_target)?;
        let on_error = on_error_named(on_error)?;
        let threads = match threads {
            Some(threads) => threads,
            None => std::thread::available_parallelism()?.get(),
        };
        let max_row = Budget::new(threads, memory).max_row;

        let transcoding = Transcoding::named(encoding);
        let origins = find_origins(py, &parts)?;
        let names: Vec<_> = origins.iter().map(|(_, name)| name.clone()).collect();
        let finds_delimiter = delimiter.is_none();
        let reading = Reading {
            dialect,
            finds_delimiter,
            transcoding,
            missing: &missing,
            on_error,
            skip_footer,
            max_row,
            threads,
        };
        let found = py.detach(|| reading.heads(origins, &header, || check_signals().map_err(Stopped::Signal)));
        let failed = |Failed { part, error, line }, columns: &[String]| {
            let offset = error.offset.filter(|_| has_place(&error));
            exception(py, &error, Where { path: Some(&names[part]), columns, offset, line, on_error })
        };
        let heads = found.map_err(|stopped| match stopped {
            Stopped::Signal(Stop::Signal(error)) => error,
            Stopped::Signal(Stop::Error(error)) => exception(py, &error, Where::default()),
            Stopped::Failed(stopped) => failed(stopped, &[]),
        })?;
        let name = if let [name] = &names[..] { name.clone() } else { name };
        let (mut head, dialect) = (heads.head.clone(), heads.dialect);
        let coded = coded_columns(coded);
        if header == Header::Auto && head.is_named {
            let place = Where { path: Some(&name), columns: &head.columns, ..Where::default() };
            coded.check_header(&head.columns, dialect, &missing).map_err(|error| exception(py, &error, place))?;
        }
        let rule = if columns == "union" { Rule::Union } else { Rule::Same };
        let layouts = Layouts::new(heads, rule, partitions).map_err(|stopped| failed(stopped, &[]))?;
        head.columns.clone_from(&layouts.columns);
        let (ending, leader) = (layouts.ending(), layouts.leader);
        let to_columns = |columns: Vec<PyColumn>| columns.into_iter().map(Column::from).collect::<Vec<_>>();
        let wanted = Wanted {
            features: features.map(to_columns),
            targets: to_columns(target),
            weight: weight.map(Column::from),
            coded,
            allow_target_as_feature,
        };
        let (mut schema, parts) =
            layouts.resolve(wanted, missing, missing_target).map_err(|refused| match refused {
                Refused::Table(error) => {
                    exception(py, &error, Where { path: Some(&name), columns: &head.columns, ..Where::default() })
                }
                Refused::Part(stopped) => failed(stopped, &head.columns),
            })?;
        schema.on_error = on_error;
        schema.max_rejects = max_rejects;
        Ok(Self {
            parts,
            leader,
            rule,
            ending,
            name,
            dialect,
            head,
            schema: Arc::new(schema),
            threads,
            memory,
            texts: PerProcess::new(),
            fingerprint: OnceLock::new(),
            found: PerProcess::new(),
            has_warned: AtomicBool::new(false),
        })
    }

    /// What the source is called in errors.
    #[getter]
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The name of each column, in file order.
    #[getter]
    fn columns(&self) -> &[String] {
        &self.head.columns
    }

    /// How the file is written.
    #[getter]
    fn dialect(&self) -> PyDialect {
        let line_end = match self.head.returns {
            _ if self.parts[self.leader].unpacking.returns => "\r",
            true => "\r\n",
            false => "\n",
        };
        written(self.dialect, self.head.is_named, line_end, self.head.ends_empty())
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

    /// What these values are: "number", "category", "boolean", "date" or "duration".
    #[getter]
    fn kinds(&self) -> Vec<&'static str> {
        (0..self.schema.wanted().len())
            .map(|wanted| self.schema.encoding(wanted).map_or("number", ValueEncoding::kind))
            .collect()
    }

    /// How many codes, or classes of a target, each of these values has that is a category. For those that are still to be found this
    /// reads the source once.
    fn num_codes(&self, py: Python<'_>) -> PyResult<Vec<Option<u64>>> {
        let schema = self.with_vocabularies(py, Arc::clone(&self.schema))?;
        Ok((0..schema.wanted().len()).map(|wanted| schema.encoding(wanted).and_then(ValueEncoding::count)).collect())
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
        self.found.mutex().lock_py_attached(py).ok()?.as_ref().map(to_python)
    }

    /// Takes over what was found in the same source.
    fn recall_vocabularies(&self, py: Python<'_>, found: PyVocabularies) {
        if let Ok(mut known) = self.found.mutex().lock_py_attached(py) {
            *known = Some(from_python(found));
        }
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
    fn feature_places(&self, py: Python<'_>, columns: Vec<PyColumn>, role: &str) -> PyResult<Vec<Vec<usize>>> {
        let columns: Vec<_> = columns.into_iter().map(Column::from).collect();
        let places = columns.iter().try_for_each(|column| self.ending.check(column, role));
        let places = places.and_then(|()| self.schema.feature_places(&columns, role));
        places.map_err(|error| self.exception(py, &error, None))
    }

    /// What tells the content of the source from another: by the length, the beginning and the end of each part, and, unless
    /// some are far away, by pieces from all over.
    fn fingerprint(&self, py: Python<'_>) -> PyResult<(String, Option<String>)> {
        let parts = self.open(py)?;
        if let (true, Some(known)) = (self.parts.len() > 1, self.fingerprint.get()) {
            return Ok(known.clone());
        }
        let found = py.detach(|| Ok((parts.fingerprint()?, parts.samples()?)));
        let found = found.map_err(|error: Error| self.exception(py, &error, None))?;
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
        let schema = this.with_vocabularies(py, this.schema(fill, pad_to.is_some()))?;
        let widths = Widths::of(&schema);
        let table = Table { schema, ..this.table(py)? };
        let pipeline =
            sequential::read(&table, this.budget(), repeat).map_err(|error| this.exception(py, &error, None))?;
        let batches = batch::Batches::new(pipeline, widths, batch_size, remainder(drop_remainder, pad_to))
            .allowing(table.schema.max_rejects);
        Batches::new(slf, table.parts, batches, widths, None)
    }

    /// The rows that are left out as wrong: how many for each reason, and the first of them. The first time this reads the
    /// source once.
    fn rejects<'py>(&self, py: Python<'py>) -> PyResult<Rejects<'py>> {
        self.find_rejects(py)
    }

    /// Writes those rows to a file, and says how many there are.
    fn write_rejects(&self, py: Python<'_>, path: PathBuf) -> PyResult<u64> {
        self.write_all_rejects(py, path)
    }

    /// The text of the first `rows` rows, or of fewer once their fields have `plenty` of bytes, and of some rows at so many
    /// further `places` of files that can be read anywhere.
    #[pyo3(signature = (rows, *, plenty, places))]
    fn sample(&self, py: Python<'_>, rows: usize, plenty: u64, places: u64) -> PyResult<PySample> {
        self.take_sample(py, WantedSample { rows, bytes: plenty, places })
    }

    /// Whether the files hold the text as it is: not compressed, in no encoding of two bytes, with a newline after each line.
    #[getter]
    fn is_plain(&self) -> bool {
        self.parts.iter().all(|part| part.unpacking.is_plain())
    }

    /// Writes the first part as text to a file, up to about `most` bytes of whole rows, and says whether that is all of it.
    fn copy_text(&self, py: Python<'_>, path: PathBuf, most: u64) -> PyResult<bool> {
        self.copy_to(py, path, most)
    }

    /// What fields with these texts are as a "number", a "boolean" or a "date", in days since 1970; `None` if they cannot
    /// be read so.
    #[pyo3(signature = (texts, kind, date_format = None))]
    #[expect(clippy::needless_pass_by_value, reason = "arguments of Python are extracted into values")]
    fn values(&self, texts: Vec<String>, kind: &str, date_format: Option<&str>) -> PyResult<Vec<Option<f32>>> {
        self.read_texts(&texts, kind, date_format)
    }

    /// Whether fields with these texts have no value.
    #[expect(clippy::needless_pass_by_value, reason = "arguments of Python are extracted into values")]
    fn are_missing(&self, texts: Vec<String>) -> Vec<bool> {
        texts.iter().map(|text| means_nothing(text, &self.schema.missing)).collect()
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
        let steps = steps.into_iter().map(|step| step.resolve(this));
        let steps = steps.collect::<Result<_, _>>().map_err(|error| this.exception(py, &error, None))?;
        let schema = this.schema(None, padded);
        Ok(Plan::new(slf.unbind(), schema, steps, seed, cache.map(|directory| (directory, fill))))
    }
}

/// Where the bytes of some parts come from, and what they are called.
fn find_origins(py: Python<'_>, parts: &[Bound<'_, PyAny>]) -> PyResult<Vec<(Origin, String)>> {
    let mut origins = Vec::with_capacity(parts.len());
    for part in parts {
        let name = Origin::name(part)?;
        let origin = Origin::find(part).map_err(|failure| match failure {
            Failure::Python(error) => error,
            Failure::Core(error) => exception(py, &error, Where { path: Some(&name), ..Where::default() }),
        })?;
        origins.push((origin, name));
    }
    if origins.iter().any(|(origin, _)| origin.calls_python()) {
        exit::check(py)?;
    }
    // Here, where Ctrl-C is obeyed by whatever waits.
    if let Some((origin, name)) = origins.first() {
        let place = Where { path: Some(name), ..Where::default() };
        origin.look(&drop, &|| false).map_err(|error| exception(py, &error, place))?;
    }
    Ok(origins)
}

impl Reader {
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

    /// The position of a column that rows are told apart by. All files must have it, unless the table is their union.
    pub(crate) fn key_column(&self, column: &Column) -> Result<usize, Error> {
        self.ending.check(column, "by")?;
        let at = self.schema.position(column, "by")?;
        let is_absent = |part: &&Part| part.layout.as_ref().is_some_and(|layout| layout.places[at] == Place::Absent);
        match self.parts.iter().find(is_absent).filter(|_| self.rule == Rule::Same) {
            None => Ok(at),
            Some(part) => Err(Kind::Column(format!(
                "by= names column {:?}, which {} lacks: columns=\"union\" takes it for empty there",
                self.head.columns[at], part.name
            ))
            .into()),
        }
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

    /// Whether the threads that read it call Python.
    pub(crate) fn calls_python(&self) -> bool {
        self.parts.iter().any(|part| part.origin.calls_python())
    }

    /// Bytes in a slice of the row index.
    pub(crate) fn slice_bytes(&self, table: &Table) -> u64 {
        RowIndex::slice_bytes(table.parts.likely_length(), self.budget_for_shuffling().1)
    }
}
