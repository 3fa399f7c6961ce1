//! How a file is written, as Python has it; `sniff`.

use csvfeed_core::dialect::{Dialect, Encoding};
use csvfeed_core::error::Error;
use csvfeed_core::head::Choice;
use csvfeed_core::head::{self, Given, Sniffed};
use csvfeed_core::source::{CarriageReturns, Codec, Prefix, Source, Stream, Transcoding, ends_with_returns};
use pyo3::conversion::FromPyObjectOwned;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::{Where, exception};
use crate::origin::{Failure, Origin};

/// Longest row allowed.
const MAX_ROW: usize = 16 << 20;

/// A dialect as Python has it: the fields of `csvfeed.Dialect` by name.
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

/// A dialect, how likely it is, the names of the columns and the first rows.
pub(crate) type PyChoice = (PyDialect, f64, Option<Vec<String>>, Vec<Vec<String>>);

pub(crate) fn written(dialect: Dialect, header: bool, line_end: &'static str, trailing_delimiter: bool) -> PyDialect {
    let Dialect { delimiter, quote, escape, comment, decimal, thousands, encoding, skip_rows, .. } = dialect;
    PyDialect {
        delimiter: delimiter.into(),
        quote: quote.map(char::from),
        escape: escape.map(char::from),
        comment: comment.map(char::from),
        decimal: decimal.into(),
        thousands: thousands.map(char::from),
        encoding: encoding.name(),
        header,
        skip_rows,
        line_end,
        skip_initial_space: dialect.skip_initial_space,
        skip_final_space: dialect.skip_final_space,
        trailing_delimiter,
    }
}

pub(crate) fn choices(choices: &[Choice], line_end: &'static str) -> Vec<PyChoice> {
    let choice = |choice: &Choice| {
        let dialect = written(choice.dialect, choice.is_named, line_end, choice.ends_empty);
        (dialect, choice.score, choice.names.clone(), choice.rows.clone())
    };
    choices.iter().map(choice).collect()
}

/// What is known of how a file is written, by the names of the arguments: what is absent is to be found out.
fn given(known: &Bound<'_, PyDict>) -> PyResult<Given> {
    fn of<'py, T: FromPyObjectOwned<'py>>(known: &Bound<'py, PyDict>, name: &str) -> PyResult<Option<T>> {
        let value = known.get_item(name)?;
        value.map(|value| value.extract::<T>().map_err(Into::into)).transpose()
    }
    Ok(Given {
        delimiter: of(known, "delimiter")?,
        quote: of(known, "quote")?,
        escape: of(known, "escape")?,
        comment: of(known, "comment")?,
        skip_rows: of(known, "skip_rows")?,
        decimal: of(known, "decimal")?,
        thousands: of(known, "thousands")?,
        encoding: of::<String>(known, "encoding")?.and_then(|name| Encoding::named(&name)),
        skip_initial_space: of(known, "skip_initial_space")?,
        skip_final_space: of(known, "skip_final_space")?,
        is_named: of(known, "header")?,
    })
}

/// How a part seems to be written of which these are the first bytes, or all; and the ways of reading it that were
/// considered, the likeliest first.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "arguments of Python are extracted into values")]
pub(crate) fn sniff(
    py: Python<'_>,
    part: Bound<'_, PyAny>,
    known: Bound<'_, PyDict>,
) -> PyResult<(PyDialect, Vec<PyChoice>)> {
    let name = Origin::name(&part)?;
    let place = |error: &Error| Where { path: Some(&name), offset: error.offset, ..Where::default() };
    let origin = Origin::find(&part).map_err(|failure| match failure {
        Failure::Python(error) => error,
        Failure::Core(error) => exception(py, &error, place(&error)),
    })?;
    origin.look(&drop, &|| false).map_err(|error| exception(py, &error, place(&error)))?;
    let transcoding = known.get_item("encoding")?.map(|name| name.extract::<String>()).transpose()?;
    let transcoding = Transcoding::named(&transcoding.unwrap_or_default());
    let given = given(&known)?;
    let look = || {
        let source = origin.open(&name, None)?;
        let codec = Codec::of_source(&*source)?;
        let stream = Stream::with(&source, codec, transcoding);
        let windows = if stream.is_some() { vec![] } else { head::elsewhere(&*source)? };
        let look = |text: &dyn Source| {
            let returns = ends_with_returns(text, MAX_ROW)?;
            let translated = CarriageReturns(text);
            let text = if returns { &translated } else { text };
            Ok((head::sniff(text, windows.clone(), &given)?, returns))
        };
        match stream {
            Some(stream) => Prefix::of_stream(&stream, look),
            None => Prefix::of_source(&*source, look),
        }
    };
    let found = py.detach(look).map_err(|error: Error| exception(py, &error, place(&error)))?;
    let (Sniffed { dialect, is_named, returns, ends_empty, choices: ranked, .. }, is_alone) = found;
    let line_end = match returns {
        _ if is_alone => "\r",
        true => "\r\n",
        false => "\n",
    };
    Ok((written(dialect, is_named, line_end, ends_empty), choices(&ranked, line_end)))
}
