//! `Reader`: the input of a dataset, as Python sees it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use csvfeed_core::batch;
use csvfeed_core::passes::sample::{Wanted as WantedSample, means_nothing};
use csvfeed_core::passes::sequential;
use csvfeed_core::rows::Widths;
use csvfeed_core::table::Table;
use csvfeed_core::table::schema::Column;
use csvfeed_core::value::ValueEncoding;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::batches::{Batches, Flow};
use crate::choice::{CacheOptions, Choice};
use crate::dialect::PyDialect;
use crate::input::{Input, find};
use crate::options::{Options, PyColumn, PyLanes, PyStep, PyWindows, columns, remainder};
use crate::plan::Plan;
use crate::rejects::{self, Rejects};
use crate::sample::{self, PySample};
use crate::shares;
use crate::vocabularies::{self, PyVocabularies, with_vocabularies};

/// The input of a dataset: its files, their dialect, and the columns to read.
#[pyclass(frozen, module = "csvfeed._core")]
pub(crate) struct Reader(Arc<Input>);

#[pymethods]
impl Reader {
    /// Finds the parts, reads their headers and resolves the columns. If lists have categories that the source tells, it
    /// is read once for them, unless they are among those that were `found` in the source of an identity.
    #[new]
    #[pyo3(signature = (options, found = None))]
    fn new(options: &Bound<'_, PyAny>, found: Option<(Option<String>, PyVocabularies)>) -> PyResult<Self> {
        let py = options.py();
        let mut input = find(py, Options::of(options)?)?;
        if let Some((identity, found)) = found
            && identity == input.identity()
        {
            vocabularies::recall(py, &input, found);
        }
        input.schema = vocabularies::with_lists(py, &input)?;
        Ok(Self(Arc::new(input)))
    }

    /// The name of the source in errors.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// The name of each column, in file order.
    #[getter]
    fn columns(&self) -> &[String] {
        &self.0.head.columns
    }

    /// How the file is written.
    #[getter]
    fn dialect(&self) -> PyDialect {
        let head = &self.0.head;
        PyDialect::new(self.0.dialect, head.is_named, self.0.line_end(), head.ends_empty())
    }

    /// The names of the features. A part of a date and a value of a list have names of their own.
    #[getter]
    fn feature_names(&self) -> Vec<String> {
        let mut names = self.0.schema.names();
        names.truncate(self.0.schema.features.len());
        names
    }

    /// The names of the targets.
    #[getter]
    fn target_names(&self) -> Vec<String> {
        let schema = &self.0.schema;
        schema.names().into_iter().skip(schema.features.len()).take(schema.targets.len()).collect()
    }

    /// How many features, targets and weights a row has, unless padding adds a weight.
    #[getter]
    fn widths(&self) -> (usize, usize, usize) {
        let Widths { features, targets, weights } = Widths::of(&self.0.schema);
        (features, targets, weights)
    }

    /// The position of the column of each value that is read: features, targets, then the weights.
    #[getter]
    fn columns_read(&self) -> Vec<usize> {
        self.0.schema.wanted()
    }

    /// The position of each column of ids.
    #[getter]
    fn ids(&self) -> Vec<usize> {
        self.0.schema.ids.columns.iter().map(|id| id.column).collect()
    }

    /// The names of the same values.
    #[getter]
    fn names_read(&self) -> Vec<String> {
        self.0.schema.names()
    }

    /// The kinds of the same values, as `ValueEncoding::kind` names them.
    #[getter]
    fn kinds(&self) -> Vec<&'static str> {
        let schema = &self.0.schema;
        (0..schema.wanted().len()).map(|wanted| schema.encoding(wanted).map_or("number", ValueEncoding::kind)).collect()
    }

    /// The number of values that a list becomes in each column of lists that is read, by the position of the column.
    #[getter]
    fn list_lengths(&self) -> HashMap<usize, usize> {
        self.0.schema.list_lengths()
    }

    /// The number of codes of each of these values that is a category, or of classes of a target. May read the source
    /// once, to find the categories.
    fn num_codes(&self, py: Python<'_>) -> PyResult<Vec<Option<u64>>> {
        let schema = with_vocabularies(py, &self.0, Arc::clone(&self.0.schema))?;
        Ok((0..schema.wanted().len()).map(|wanted| schema.encoding(wanted).and_then(ValueEncoding::count)).collect())
    }

    /// The categories of each column that has a vocabulary, in the order of their codes. May read the source once.
    fn vocabularies(&self, py: Python<'_>) -> PyResult<PyVocabularies> {
        let known = with_vocabularies(py, &self.0, Arc::clone(&self.0.schema))?.vocabularies();
        Ok(vocabularies::to_python(known.iter().map(|(column, vocabulary)| (column, vocabulary))))
    }

    /// A digest of the categories of each of these columns. May read the source once.
    fn vocabulary_digests(&self, py: Python<'_>) -> PyResult<Vec<(usize, String)>> {
        let known = with_vocabularies(py, &self.0, Arc::clone(&self.0.schema))?.vocabularies();
        Ok(known.iter().map(|(column, vocabulary)| (*column, vocabulary.digest())).collect())
    }

    /// The same without reading the source: `None` for a column whose categories the source tells.
    fn given_vocabulary_digests(&self) -> Vec<(usize, Option<String>)> {
        let schema = &self.0.schema;
        let given = schema.vocabularies().into_iter().map(|(column, vocabulary)| (column, Some(vocabulary.digest())));
        given.chain(schema.unread().into_iter().map(|column| (column, None))).collect()
    }

    /// The categories that a pass has found in the source so far.
    fn found_vocabularies(&self, py: Python<'_>) -> PyResult<Option<PyVocabularies>> {
        vocabularies::found(py, &self.0)
    }

    /// Takes over what was found in the same source.
    fn recall_vocabularies(&self, py: Python<'_>, found: PyVocabularies) {
        vocabularies::recall(py, &self.0, found);
    }

    /// A string that changes when a file changes. `None` for bytes.
    #[getter]
    fn identity(&self) -> Option<String> {
        self.0.identity()
    }

    /// Whether only this process can read the source.
    #[getter]
    fn is_of_this_process(&self) -> bool {
        self.0.is_of_this_process()
    }

    /// The places among the features of the columns that the argument `role` names.
    #[expect(clippy::needless_pass_by_value, reason = "arguments of Python are extracted into values")]
    fn feature_places(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = columns)] columns: Vec<Column>,
        role: &str,
    ) -> PyResult<Vec<Vec<usize>>> {
        self.0.feature_places(&columns, role).map_err(|error| self.0.exception(py, &error, None))
    }

    /// The position in the file of a column that the argument `role` names.
    fn position(&self, py: Python<'_>, column: PyColumn, role: &str) -> PyResult<usize> {
        self.0.position(&column.into(), role).map_err(|error| self.0.exception(py, &error, None))
    }

    /// Two digests that tell the content from other content: of the ends of each part, and of pieces from all over, unless
    /// some part is remote.
    fn fingerprint(&self, py: Python<'_>) -> PyResult<(String, Option<String>)> {
        self.0.fingerprint(py)
    }

    /// What process `index` of `count` can count alone: its share of the row index.
    fn count_share(&self, py: Python<'_>, index: u64, count: u64) -> PyResult<Vec<u8>> {
        shares::count(py, &self.0, (index, count))
    }

    /// The complete share of process `index`, given what each of them counted alone.
    #[expect(clippy::needless_pass_by_value, reason = "arguments of Python are extracted into values")]
    fn complete_share(&self, py: Python<'_>, index: usize, shares: Vec<PyBackedBytes>) -> PyResult<Vec<u8>> {
        shares::complete(py, &self.0, index, &shares)
    }

    /// Takes over the row index that all complete shares make.
    #[expect(clippy::needless_pass_by_value, reason = "arguments of Python are extracted into values")]
    fn join_shares(&self, py: Python<'_>, shares: Vec<PyBackedBytes>) -> PyResult<()> {
        shares::join(py, &self.0, &shares)
    }

    /// The row index that several processes found together, serialized.
    fn shared_row_index(&self) -> Option<Vec<u8>> {
        shares::to_bytes(&self.0)
    }

    /// Takes over a serialized row index of the same source.
    #[expect(clippy::needless_pass_by_value, reason = "arguments of Python are extracted into values")]
    fn recall_row_index(&self, row_index: PyBackedBytes) {
        shares::recall(&self.0, &row_index);
    }

    /// An iterator over batches of `batch_size` rows. With `repeat` it begins again at the end, for ever, and rows left
    /// over at the end of a pass begin the next batch. With `pad_to` rows of zeros fill the last batch up to a multiple of
    /// that number, and batches with targets have weights. `fill` has a value for the missing values of each feature. With
    /// `ids` each batch is `(ids, arrays)`.
    #[pyo3(signature = (batch_size, *, drop_remainder = false, repeat = false, pad_to = None, fill = None, ids = false))]
    #[expect(clippy::too_many_arguments, reason = "each has its name in Python")]
    fn batches(
        &self,
        py: Python<'_>,
        batch_size: usize,
        drop_remainder: bool,
        repeat: bool,
        pad_to: Option<usize>,
        fill: Option<Vec<f32>>,
        ids: bool,
    ) -> PyResult<Batches> {
        let input = &self.0;
        let mut schema = with_vocabularies(py, input, input.schema(fill, pad_to.is_some()))?;
        if ids {
            Arc::make_mut(&mut schema).ids.are_kept = true;
        }
        let widths = Widths::of(&schema);
        let table = Table { schema, ..input.table(py)? };
        let pipeline = sequential::read(&table, input.budget(), repeat);
        let pipeline = pipeline.map_err(|error| input.exception(py, &error, None))?;
        let batches = batch::Batches::new(pipeline, widths, batch_size, remainder(drop_remainder, pad_to))
            .allowing(table.schema.max_rejects);
        let kept = if ids { &input.schema.ids.columns[..] } else { &[] };
        let batches =
            Batches::new(py, Arc::clone(input), table.parts, Flow::Whole(Box::new(batches)), widths, None, None)?;
        Ok(batches.with_ids(kept))
    }

    /// How many rows are left out as wrong for each reason, and the first of them. The first call reads the source once.
    fn rejects<'py>(&self, py: Python<'py>) -> PyResult<Rejects<'py>> {
        rejects::find(py, &self.0)
    }

    /// Warns once if given categories had no value in the rows that were read, or if numbers have the value of a missing
    /// token.
    fn warn_of_values(&self, py: Python<'_>) -> PyResult<()> {
        self.0.warn_of_values(py)
    }

    /// Writes the rows that are left out as wrong to a file, and returns how many they are.
    fn write_rejects(&self, py: Python<'_>, path: PathBuf) -> PyResult<u64> {
        rejects::write(py, &self.0, path)
    }

    /// The text of the first `rows` rows, or of fewer once their fields have `plenty` of bytes, and of some rows at so many
    /// further `places` of files that can be read at any offset.
    #[pyo3(signature = (rows, *, plenty, places))]
    fn sample(&self, py: Python<'_>, rows: usize, plenty: u64, places: u64) -> PyResult<PySample> {
        sample::take(py, &self.0, WantedSample { rows, bytes: plenty, places })
    }

    /// Whether the bytes of the files are their text: not compressed, no two-byte encoding, a newline after each line.
    #[getter]
    fn is_plain(&self) -> bool {
        self.0.is_plain()
    }

    /// Writes the first part as text to a file, up to about `most` bytes of whole rows. Returns whether that is all of it.
    fn copy_text(&self, py: Python<'_>, path: PathBuf, most: u64) -> PyResult<bool> {
        sample::copy(py, &self.0, path, most)
    }

    /// The values of these texts as a "number", a "boolean", a "duration", a "date" in days since 1970, or a form of
    /// numbers. `None` for a text that cannot be read so.
    #[pyo3(signature = (texts, kind, date_format = None))]
    #[expect(clippy::needless_pass_by_value, reason = "arguments of Python are extracted into values")]
    fn values(&self, texts: Vec<String>, kind: &str, date_format: Option<&str>) -> PyResult<Vec<Option<f32>>> {
        sample::values(&self.0, &texts, kind, date_format)
    }

    /// Whether each of these texts is missing.
    #[expect(clippy::needless_pass_by_value, reason = "arguments of Python are extracted into values")]
    fn are_missing(&self, texts: Vec<String>) -> Vec<bool> {
        texts.iter().map(|text| means_nothing(text, &self.0.schema.missing)).collect()
    }

    /// A plan of the rows that `steps` choose, in the order that `seed` draws, or in file order. With `padded` rows with
    /// targets have weights. With `windows` the epochs have windows over these rows. The rows are kept in the directory `cache`, where `fill` describes how missing features are
    /// filled. With `lanes` the epochs have the rows of these lanes only.
    #[pyo3(signature = (steps, *, windows, lanes, seed, padded, cache, fill))]
    #[expect(clippy::too_many_arguments, reason = "each has its name in Python")]
    fn plan(
        &self,
        py: Python<'_>,
        steps: Vec<PyStep>,
        windows: Option<PyWindows>,
        lanes: Option<PyLanes>,
        seed: Option<u64>,
        padded: bool,
        cache: Option<PathBuf>,
        fill: String,
    ) -> PyResult<Plan> {
        let cache = cache.map(|directory| CacheOptions { directory, fill });
        let choice = Choice::new(Arc::clone(&self.0), self.0.schema(None, padded), steps, windows, lanes, cache);
        Ok(Plan::new(choice.map_err(|error| self.0.exception(py, &error, None))?, seed))
    }
}
