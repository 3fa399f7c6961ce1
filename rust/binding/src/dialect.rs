//! How a file is written, as Python has it.

use csvfeed_core::dialect::{self, Dialect, Sniffed};
use csvfeed_core::source::{MemorySource, ends_with_returns};
use pyo3::prelude::*;

use crate::error::{Where, exception};

/// Delimiter, quote, escape, comment, decimal, thousands, encoding, header, `skip_rows`, line end, `skip_initial_space` and
/// `skip_final_space`, as Python has them.
pub(crate) type PyDialect = (
    char,
    Option<char>,
    Option<char>,
    Option<char>,
    char,
    Option<char>,
    &'static str,
    bool,
    u64,
    &'static str,
    bool,
    bool,
);

pub(crate) fn written(dialect: Dialect, is_named: bool, line_end: &'static str) -> PyDialect {
    let Dialect { delimiter, quote, escape, comment, decimal, thousands, encoding, skip_rows, .. } = dialect;
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
        line_end,
        dialect.skip_initial_space,
        dialect.skip_final_space,
    )
}

/// How a file seems to be written of which these are the first bytes, or all.
#[pyfunction]
pub(crate) fn sniff(py: Python<'_>, sample: &[u8], whole: bool, name: &str) -> PyResult<PyDialect> {
    let source = MemorySource::new(sample);
    let is_alone = ends_with_returns(&source, sample.len()).unwrap_or_default();
    let lines =
        is_alone.then(|| sample.iter().map(|&byte| if byte == b'\r' { b'\n' } else { byte }).collect::<Vec<_>>());
    let sample = lines.as_deref().unwrap_or(sample);
    let Sniffed { dialect, is_named, returns } = py
        .detach(|| dialect::sniff(sample, whole))
        .map_err(|error| exception(py, &error, Where { path: Some(name), offset: error.offset, ..Where::default() }))?;
    let line_end = match returns {
        _ if is_alone => "\r",
        true => "\r\n",
        false => "\n",
    };
    Ok(written(dialect, is_named, line_end))
}
