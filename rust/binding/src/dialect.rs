//! How a file is written, as Python has it.

use csvfeed_core::dialect::{self, Dialect, Sniffed};
use pyo3::prelude::*;

use crate::error::{Where, exception};

/// Delimiter, quote, escape, comment, decimal, thousands, encoding, header, `skip_rows` and line end, as Python has them.
pub(crate) type PyDialect =
    (char, Option<char>, Option<char>, Option<char>, char, Option<char>, &'static str, bool, u64, &'static str);

pub(crate) fn written(dialect: Dialect, is_named: bool, returns: bool) -> PyDialect {
    let Dialect { delimiter, quote, escape, comment, decimal, thousands, encoding, skip_rows } = dialect;
    (
        delimiter.into(),
        quote.map(char::from),
        escape.map(char::from),
        comment.map(char::from),
        decimal.into(),
        thousands.map(char::from),
        encoding.name(),
        is_named,
        skip_rows,
        if returns { "\r\n" } else { "\n" },
    )
}

/// How a file seems to be written of which these are the first bytes, or all.
#[pyfunction]
pub(crate) fn sniff(py: Python<'_>, sample: &[u8], whole: bool, name: &str) -> PyResult<PyDialect> {
    let Sniffed { dialect, is_named, returns } = py
        .detach(|| dialect::sniff(sample, whole))
        .map_err(|error| exception(py, &error, Where { path: Some(name), offset: error.offset, ..Where::default() }))?;
    Ok(written(dialect, is_named, returns))
}
