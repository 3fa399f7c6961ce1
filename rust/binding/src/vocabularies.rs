//! The categories of columns: found in the source by a pass, and on their way to Python and back.

use std::sync::Arc;

use csvfeed_core::error::Kind;
use csvfeed_core::passes::survey;
use csvfeed_core::table::columns::Vocabularies;
use csvfeed_core::table::schema::Schema;
use csvfeed_core::value::Vocabulary;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;

use crate::input::Input;
use crate::signals::{check_signals, lock};

/// Vocabularies in Python: the position of each column, and its categories in the order of their codes.
pub(crate) type PyVocabularies = Vec<(usize, Vec<String>)>;

pub(crate) fn to_python<'a>(found: impl IntoIterator<Item = (&'a usize, &'a Arc<Vocabulary>)>) -> PyVocabularies {
    let words = |found: &Vocabulary| found.words().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    found.into_iter().map(|(column, vocabulary)| (*column, words(vocabulary))).collect()
}

/// The vocabularies that a pass has found so far.
pub(crate) fn found(py: Python<'_>, input: &Input) -> PyResult<Option<PyVocabularies>> {
    let found = lock(py, input.vocabularies().mutex())?;
    Ok(found.ok().and_then(|found| found.as_ref().map(to_python)))
}

/// Takes over what was found in the same source.
pub(crate) fn recall(py: Python<'_>, input: &Input, found: PyVocabularies) {
    if let Ok(mut known) = input.vocabularies().mutex().lock_py_attached(py) {
        let vocabulary = |(column, words)| (column, Arc::new(Vocabulary::new(words)));
        *known = Some(found.into_iter().map(vocabulary).collect());
    }
}

/// Keeps what a pass for something else has found, unless another thread is just finding it.
pub(crate) fn keep(input: &Input, found: Vocabularies) {
    if let Ok(mut known) = input.vocabularies().mutex().try_lock()
        && !found.is_empty()
    {
        known.get_or_insert_default().extend(found);
    }
}

/// The schema with a value for each category of lists that the source tells. Reads the source once if there are any.
pub(crate) fn with_lists(py: Python<'_>, input: &Input) -> PyResult<Arc<Schema>> {
    let schema = Arc::clone(&input.schema);
    if !schema.has_unread_lists() {
        return Ok(schema);
    }
    with_vocabularies(py, input, Arc::clone(&schema))?;
    let lost = |_| input.exception(py, &Kind::Internal.into(), None);
    let found = lock(py, input.vocabularies().mutex())?.map_err(lost)?.clone().unwrap_or_default();
    let schema = Arc::unwrap_or_clone(schema).with_lists(&found);
    schema.map(Arc::new).map_err(|error| input.exception(py, &error, None))
}

/// The schema with the vocabularies of the source. The first call reads the source once.
pub(crate) fn with_vocabularies(py: Python<'_>, input: &Input, schema: Arc<Schema>) -> PyResult<Arc<Schema>> {
    let columns = schema.unread();
    if columns.is_empty() {
        return Ok(schema);
    }
    let lost = |_| input.exception(py, &Kind::Internal.into(), None);
    let mut found = lock(py, input.vocabularies().mutex())?.map_err(lost)?;
    if found.as_ref().is_none_or(|found: &Vocabularies| columns.iter().any(|column| !found.contains_key(column))) {
        let table = input.table(py)?;
        let slice_bytes = input.slice_bytes(&table);
        let new = py.detach(|| survey::vocabularies(&table, &columns, input.budget(), slice_bytes, check_signals));
        *found = Some(new.map_err(|stop| input.stopped(py, stop, &table.parts))?);
    }
    let Some(found) = &*found else { return Ok(schema) };
    Ok(Arc::new(Arc::unwrap_or_clone(schema).with_vocabularies(found)))
}
