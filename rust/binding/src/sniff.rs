//! `sniff`: how a file seems to be written.

use std::sync::Arc;

use csvfeed_core::dialect::Encoding;
use csvfeed_core::error::Error;
use csvfeed_core::head::{self, Given, Sniffed};
use csvfeed_core::source::{CarriageReturns, Codec, Prefix, Source, Stream, Transcoding, ends_with_returns};
use pyo3::conversion::FromPyObjectOwned;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::dialect::{PyChoice, PyDialect, choices};
use crate::error::{Where, exception};
use crate::input::find_one;
use crate::options::Byte;

/// Longest row allowed.
const MAX_ROW: usize = 16 << 20;

/// How a part seems to be written, from its first bytes or all of them, and the ways to read it, the best first. `known` has
/// what the caller knows, by the names of the options.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "arguments of Python are extracted into values")]
pub(crate) fn sniff(
    py: Python<'_>,
    part: Bound<'_, PyAny>,
    known: Bound<'_, PyDict>,
) -> PyResult<(PyDialect, Vec<PyChoice>)> {
    let (origin, name) = find_one(&part)?;
    let transcoding = Transcoding::named(&known_value::<String>(&known, "encoding")?.unwrap_or_default());
    let given = given(&known)?;
    let found = py.detach(|| look(&origin.open(&name, None)?, transcoding, &given));
    let (sniffed, returns_alone) = found.map_err(|error: Error| {
        exception(py, &error, Where { path: Some(&name), offset: error.offset, ..Where::default() })
    })?;
    let Sniffed { dialect, is_named, returns, ends_empty, choices: ranked, .. } = sniffed;
    let line_end = match returns {
        _ if returns_alone => "\r",
        true => "\r\n",
        false => "\n",
    };
    Ok((PyDialect::new(dialect, is_named, line_end, ends_empty), choices(&ranked, line_end)))
}

/// What a source looks like, and whether its lines end with a carriage return alone.
fn look(source: &Arc<dyn Source>, transcoding: Transcoding, given: &Given) -> Result<(Sniffed, bool), Error> {
    let codec = Codec::of_source(&**source)?;
    let stream = Stream::with(source, codec, transcoding);
    let windows = if stream.is_some() { vec![] } else { head::elsewhere(&**source)? };
    let look = |text: &dyn Source| {
        let returns = ends_with_returns(text, MAX_ROW)?;
        let translated = CarriageReturns(text);
        let text = if returns { &translated } else { text };
        Ok((head::sniff(text, windows.clone(), given)?, returns))
    };
    match stream {
        Some(stream) => Prefix::of_stream(&stream, look),
        None => Prefix::of_source(&**source, look),
    }
}

/// What the caller knows. A key that is absent is to be found out.
fn given(known: &Bound<'_, PyDict>) -> PyResult<Given> {
    let byte = |name| Ok::<_, PyErr>(known_value::<Byte>(known, name)?.map(u8::from));
    let optional_byte = |name| Ok::<_, PyErr>(known_value::<Option<Byte>>(known, name)?.map(|byte| byte.map(u8::from)));
    Ok(Given {
        delimiter: byte("delimiter")?,
        quote: optional_byte("quote")?,
        escape: optional_byte("escape")?,
        comment: optional_byte("comment")?,
        skip_rows: known_value(known, "skip_rows")?,
        decimal: byte("decimal")?,
        thousands: optional_byte("thousands")?,
        encoding: known_value::<String>(known, "encoding")?.and_then(|name| Encoding::named(&name)),
        skip_initial_space: known_value(known, "skip_initial_space")?,
        skip_final_space: known_value(known, "skip_final_space")?,
        is_named: known_value(known, "header")?,
    })
}

fn known_value<'py, T: FromPyObjectOwned<'py>>(known: &Bound<'py, PyDict>, name: &str) -> PyResult<Option<T>> {
    known.get_item(name)?.map(|value| value.extract::<T>().map_err(Into::into)).transpose()
}
