//! The categories of columns: found in the source by a pass, and on their way to Python and back.

use std::sync::Arc;

use csvfeed_core::error::Kind;
use csvfeed_core::passes::vocabulary::find_vocabularies;
use csvfeed_core::table::schema::Schema;
use csvfeed_core::value::Vocabulary;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;

use crate::input::{Input, Vocabularies};
use crate::signals::check_signals;

/// Vocabularies in Python: the position of each column, and its categories in the order of their codes.
pub(crate) type PyVocabularies = Vec<(usize, Vec<String>)>;

pub(crate) fn to_python<'a>(found: impl IntoIterator<Item = (&'a usize, &'a Arc<Vocabulary>)>) -> PyVocabularies {
    let words = |found: &Vocabulary| found.words().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    found.into_iter().map(|(column, vocabulary)| (*column, words(vocabulary))).collect()
}

/// The vocabularies that a pass has found so far.
pub(crate) fn found(py: Python<'_>, input: &Input) -> Option<PyVocabularies> {
    input.vocabularies().mutex().lock_py_attached(py).ok()?.as_ref().map(to_python)
}

/// Takes over what was found in the same source.
pub(crate) fn recall(py: Python<'_>, input: &Input, found: PyVocabularies) {
    if let Ok(mut known) = input.vocabularies().mutex().lock_py_attached(py) {
        let vocabulary = |(column, words)| (column, Arc::new(Vocabulary::new(words)));
        *known = Some(found.into_iter().map(vocabulary).collect());
    }
}

/// The schema with the vocabularies of the source. The first call reads the source once.
pub(crate) fn with_vocabularies(py: Python<'_>, input: &Input, schema: Arc<Schema>) -> PyResult<Arc<Schema>> {
    let columns = schema.unread();
    if columns.is_empty() {
        return Ok(schema);
    }
    let lost = |_| input.exception(py, &Kind::Internal.into(), None);
    let mut found = input.vocabularies().mutex().lock_py_attached(py).map_err(lost)?;
    if found.as_ref().is_none_or(|found: &Vocabularies| columns.iter().any(|column| !found.contains_key(column))) {
        let table = input.table(py)?;
        let new = py.detach(|| find_vocabularies(&table, &columns, input.budget(), check_signals));
        let new = new.map_err(|stop| input.stopped(py, stop, &table.parts))?;
        *found = Some(columns.into_iter().zip(new).collect());
    }
    let Some(found) = &*found else { return Ok(schema) };
    Ok(Arc::new(Arc::unwrap_or_clone(schema).with_vocabularies(found)))
}
