//! Dialects on their way to Python.

use csvfeed_core::dialect::Dialect;
use csvfeed_core::head::Choice;
use pyo3::prelude::*;

/// The fields of `csvfeed.Dialect` that the core knows, by name.
#[derive(IntoPyObject)]
#[expect(clippy::struct_excessive_bools, reason = "the fields of the class in Python")]
pub(crate) struct PyDialect {
    delimiter: char,
    quote: Option<char>,
    escape: Option<char>,
    comment: Option<char>,
    decimal: char,
    thousands: Option<char>,
    encoding: &'static str,
    header: bool,
    skip_rows: u64,
    line_end: &'static str,
    skip_initial_space: bool,
    skip_final_space: bool,
    trailing_delimiter: bool,
}

impl PyDialect {
    pub(crate) fn new(dialect: Dialect, header: bool, line_end: &'static str, trailing_delimiter: bool) -> Self {
        Self {
            delimiter: dialect.delimiter.into(),
            quote: dialect.quote.map(char::from),
            escape: dialect.escape.map(char::from),
            comment: dialect.comment.map(char::from),
            decimal: dialect.decimal.into(),
            thousands: dialect.thousands.map(char::from),
            encoding: dialect.encoding.name(),
            header,
            skip_rows: dialect.skip_rows,
            line_end,
            skip_initial_space: dialect.skip_initial_space,
            skip_final_space: dialect.skip_final_space,
            trailing_delimiter,
        }
    }
}

/// One way to read a file: the fields of `csvfeed.dialect.Choice`.
#[derive(IntoPyObject)]
pub(crate) struct PyChoice {
    dialect: PyDialect,
    score: f64,
    names: Option<Vec<String>>,
    rows: Vec<Vec<String>>,
}

/// All ways to read a file, the best first.
pub(crate) fn choices(choices: &[Choice], line_end: &'static str) -> Vec<PyChoice> {
    let choice = |choice: &Choice| PyChoice {
        dialect: PyDialect::new(choice.dialect, choice.is_named, line_end, choice.ends_empty),
        score: choice.score,
        names: choice.names.clone(),
        rows: choice.rows.clone(),
    };
    choices.iter().map(choice).collect()
}
