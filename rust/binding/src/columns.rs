//! Columns that hold no numbers, as Python names them.

use std::collections::HashMap;
use std::sync::Arc;

use csvfeed_core::passes::vocabulary::find_vocabularies;
use csvfeed_core::table::Table;
use csvfeed_core::table::columns::{Columns, GivenCategories, GivenDate};
use csvfeed_core::table::columns::{GivenDuration, GivenNumbers};
use csvfeed_core::table::schema::{Column, Schema};
use csvfeed_core::value::Vocabulary;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;

use crate::plan::check_signals;
use crate::reader::Reader;

/// A column, by index or name.
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

/// The categories of a column.
#[derive(FromPyObject)]
pub(crate) enum PyCategories {
    Buckets(u64),
    Auto(#[expect(dead_code, reason = "there is only one such word")] String),
    Listed(Vec<String>),
}

impl From<PyCategories> for GivenCategories {
    fn from(categories: PyCategories) -> Self {
        match categories {
            PyCategories::Buckets(buckets) => Self::Buckets(buckets),
            PyCategories::Auto(_) => Self::Auto,
            PyCategories::Listed(words) => Self::Listed(words),
        }
    }
}

/// The dates of a column: parts, format, since.
type PyDate = (Vec<String>, Option<String>, Option<String>);

/// The names of the forms of numbers: of all columns, or of some.
#[derive(FromPyObject)]
pub(crate) enum PyNumbers {
    All(Vec<String>),
    Some(Vec<(PyColumn, Vec<String>)>),
}

impl From<PyNumbers> for GivenNumbers {
    fn from(numbers: PyNumbers) -> Self {
        match numbers {
            PyNumbers::All(names) => Self::All(names),
            PyNumbers::Some(columns) => {
                Self::Some(columns.into_iter().map(|(column, names)| (column.into(), names)).collect())
            }
        }
    }
}

/// The durations of a column: unit, format.
type PyDuration = (String, Option<String>);

/// What the columns hold that hold no plain numbers: categories, booleans, dates, durations, other numbers.
pub(crate) type PyColumns =
    (Vec<(PyColumn, PyCategories)>, Vec<PyColumn>, Vec<(PyColumn, PyDate)>, Vec<(PyColumn, PyDuration)>, PyNumbers);

pub(crate) fn columns((categories, booleans, dates, durations, numbers): PyColumns) -> Columns {
    let date = |(parts, format, since)| GivenDate { parts, format, since };
    Columns {
        categories: categories.into_iter().map(|(column, given)| (column.into(), given.into())).collect(),
        booleans: booleans.into_iter().map(Column::from).collect(),
        dates: dates.into_iter().map(|(column, given)| (column.into(), date(given))).collect(),
        durations: durations
            .into_iter()
            .map(|(column, (unit, format))| (column.into(), GivenDuration { unit, format }))
            .collect(),
        numbers: numbers.into(),
    }
}

/// Vocabularies that were found in the file, by the position of the column.
pub(crate) type Vocabularies = HashMap<usize, Arc<Vocabulary>>;

/// Vocabularies as Python has them: the position of a column, and its categories in the order of their codes.
pub(crate) type PyVocabularies = Vec<(usize, Vec<String>)>;

pub(crate) fn to_python<'a>(found: impl IntoIterator<Item = (&'a usize, &'a Arc<Vocabulary>)>) -> PyVocabularies {
    let words = |found: &Vocabulary| found.words().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    found.into_iter().map(|(column, vocabulary)| (*column, words(vocabulary))).collect()
}

pub(crate) fn from_python(found: PyVocabularies) -> Vocabularies {
    found.into_iter().map(|(column, words)| (column, Arc::new(Vocabulary::new(words)))).collect()
}

impl Reader {
    /// A schema with the categories that are in the source. The first time this reads the source once.
    pub(crate) fn with_vocabularies(&self, py: Python<'_>, schema: Arc<Schema>) -> PyResult<Arc<Schema>> {
        let columns = schema.unread();
        if columns.is_empty() {
            return Ok(schema);
        }
        let lost = |_| self.exception(py, &csvfeed_core::error::Kind::Internal.into(), None);
        let mut found = self.found.mutex().lock_py_attached(py).map_err(lost)?;
        if found.as_ref().is_none_or(|found: &Vocabularies| columns.iter().any(|column| !found.contains_key(column))) {
            let table: Table = self.table(py)?;
            let new = py.detach(|| find_vocabularies(&table, &columns, self.budget(), check_signals));
            let new = new.map_err(|stop| self.stopped(py, stop, &table.parts))?;
            *found = Some(columns.into_iter().zip(new).collect());
        }
        let Some(found) = &*found else { return Ok(schema) };
        Ok(Arc::new(Arc::unwrap_or_clone(schema).with_vocabularies(found)))
    }
}
