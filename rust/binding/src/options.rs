//! The options of a dataset: what `csvfeed.options` holds, in the types of the core.
//!
//! Python has checked the values before they get here. An error of this module means that Python and Rust disagree about
//! the options, except for text that is not valid Unicode.

use csvfeed_core::batch::Remainder;
use csvfeed_core::choose::classes::Ratio;
use csvfeed_core::choose::conditions::{Bounds, Wanted};
use csvfeed_core::dialect::{Dialect, Encoding};
use csvfeed_core::head::Header;
use csvfeed_core::source::Transcoding;
use csvfeed_core::table::columns::{Columns, GivenCategories, GivenDate, GivenDuration, GivenList, GivenNumbers};
use csvfeed_core::table::ids::IdKind;
use csvfeed_core::table::schema::{Column, MissingTarget, OnError, Targets};
use csvfeed_core::value::List;
use pyo3::conversion::FromPyObjectOwned;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The keys and values of the `key=value` directories of a part. An empty value is missing.
pub(crate) type Keys = Vec<(String, String)>;

/// The attributes of `csvfeed.options.Options`.
#[derive(FromPyObject)]
pub(crate) struct Options<'py> {
    /// The parts of the table: paths, bytes or objects.
    pub source: Vec<Bound<'py, PyAny>>,
    /// The name of all parts together.
    pub name: String,
    #[pyo3(from_py_with = rule)]
    pub columns: Rule,
    /// The keys of each part, if they become columns.
    pub partition_keys: Option<Vec<Keys>>,
    pub targets: PyTargets,
    /// `None` stands for all columns but targets and weights.
    #[pyo3(from_py_with = optional_columns)]
    pub features: Option<Vec<Column>>,
    pub allow_target_as_feature: bool,
    #[pyo3(from_py_with = ids)]
    pub ids: Vec<(Column, IdKind)>,
    pub values: ValueOptions,
    #[pyo3(from_py_with = header)]
    pub header: Header,
    pub dialect: DialectOptions,
    pub missing: Vec<String>,
    #[pyo3(from_py_with = missing_target)]
    pub missing_target: MissingTarget,
    #[pyo3(from_py_with = on_error)]
    pub on_error: OnError,
    pub max_rejects: Option<u64>,
    pub threads: Option<usize>,
    pub memory: Option<usize>,
}

impl<'py> Options<'py> {
    /// Converts an object of `csvfeed.options.Options`.
    pub(crate) fn of(options: &Bound<'py, PyAny>) -> PyResult<Self> {
        options.extract().map_err(|error: PyErr| original(options.py(), error))
    }
}

/// The error that a failed conversion began with. Each struct around the value wraps it once.
fn original(py: Python<'_>, mut error: PyErr) -> PyErr {
    while let Some(cause) = error.cause(py) {
        error = cause;
    }
    error
}

/// Which columns the parts of a table must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Those of the first part, or those of them that are read.
    Same,
    /// Any: the table has the columns of all parts.
    Union,
}

fn rule(value: &Bound<'_, PyAny>) -> PyResult<Rule> {
    named(value, "columns", &[("same", Rule::Same), ("union", Rule::Union)])
}

fn missing_target(value: &Bound<'_, PyAny>) -> PyResult<MissingTarget> {
    let names = [("raise", MissingTarget::Raise), ("skip", MissingTarget::Skip), ("keep", MissingTarget::Keep)];
    named(value, "missing_target", &names)
}

fn on_error(value: &Bound<'_, PyAny>) -> PyResult<OnError> {
    named(value, "on_error", &[("raise", OnError::Raise), ("skip", OnError::Skip)])
}

fn fills_short_rows(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    named(value, "short_rows", &[("raise", false), ("fill", true)])
}

/// The meaning of a name.
fn named<T: Copy>(value: &Bound<'_, PyAny>, option: &str, names: &[(&str, T)]) -> PyResult<T> {
    let given: String = value.extract()?;
    let meaning = names.iter().find(|(name, _)| *name == given).map(|(_, meaning)| *meaning);
    meaning.ok_or_else(|| PyValueError::new_err(format!("{option}={given:?}")))
}

fn header(value: &Bound<'_, PyAny>) -> PyResult<Header> {
    #[derive(FromPyObject)]
    enum PyHeader {
        Present(bool),
        Auto(#[expect(dead_code, reason = "the only string is \"auto\"")] String),
        Names(Vec<String>),
    }
    Ok(match value.extract()? {
        PyHeader::Auto(_) => Header::Auto,
        PyHeader::Present(true) => Header::Present,
        PyHeader::Present(false) => Header::Absent,
        PyHeader::Names(names) => Header::Names(names),
    })
}

/// The attributes of `csvfeed.targets.Targets` that say what is read.
#[derive(FromPyObject)]
pub(crate) struct PyTargets {
    outputs: Vec<Vec<PyColumn>>,
    weights: Vec<Option<PyColumn>>,
}

impl From<PyTargets> for Targets {
    fn from(PyTargets { outputs, weights }: PyTargets) -> Self {
        let output = |columns: Vec<PyColumn>| columns.into_iter().map(Column::from).collect();
        let weight = |column: Option<PyColumn>| column.map(Column::from);
        Self { outputs: outputs.into_iter().map(output).collect(), weights: weights.into_iter().map(weight).collect() }
    }
}

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

pub(crate) fn columns(value: &Bound<'_, PyAny>) -> PyResult<Vec<Column>> {
    Ok(optional_columns(value)?.unwrap_or_default())
}

fn optional_columns(value: &Bound<'_, PyAny>) -> PyResult<Option<Vec<Column>>> {
    let columns: Option<Vec<PyColumn>> = value.extract()?;
    Ok(columns.map(|columns| columns.into_iter().map(Column::from).collect()))
}

/// The columns that identify a row, and what their fields hold.
fn ids(value: &Bound<'_, PyAny>) -> PyResult<Vec<(Column, IdKind)>> {
    let kind = |kind: Bound<'_, PyAny>| named(&kind, "ids", &[("str", IdKind::Text), ("int", IdKind::Integer)]);
    by_column(value)?.into_iter().map(|(column, given)| Ok((column, kind(given)?))).collect()
}

/// The attributes of `csvfeed.options.ValueOptions`: how values are read that are not plain numbers.
#[derive(FromPyObject)]
pub(crate) struct ValueOptions {
    #[pyo3(from_py_with = by_column)]
    categories: Vec<(Column, PyCategories)>,
    #[pyo3(from_py_with = columns)]
    booleans: Vec<Column>,
    #[pyo3(from_py_with = by_column)]
    dates: Vec<(Column, PyDate)>,
    #[pyo3(from_py_with = numbers)]
    numbers: GivenNumbers,
    #[pyo3(from_py_with = by_column)]
    lists: Vec<(Column, PyList)>,
}

#[derive(FromPyObject)]
enum PyCategories {
    Buckets(u64),
    Auto(#[expect(dead_code, reason = "the only string is \"auto\"")] String),
    Listed(Vec<String>),
}

/// The attributes of `csvfeed.Date` or `csvfeed.Duration`.
#[derive(FromPyObject)]
enum PyDate {
    Date { parts: Vec<String>, format: Option<String>, since: Option<String> },
    Duration { unit: String, format: Option<String> },
}

/// The attributes of `csvfeed.List` or `csvfeed.MultiHot`.
#[derive(FromPyObject)]
enum PyList {
    Numbers {
        length: usize,
        #[pyo3(from_py_with = byte)]
        separator: u8,
    },
    Categories {
        categories: PyCategories,
        #[pyo3(from_py_with = byte)]
        separator: u8,
    },
}

fn numbers(value: &Bound<'_, PyAny>) -> PyResult<GivenNumbers> {
    if value.is_none() || value.is_instance_of::<PyDict>() {
        return by_column(value).map(GivenNumbers::Some);
    }
    value.extract().map(GivenNumbers::All)
}

/// The items of a dict by column, in order. `None` has no items.
fn by_column<'py, T: FromPyObjectOwned<'py>>(value: &Bound<'py, PyAny>) -> PyResult<Vec<(Column, T)>> {
    let Some(columns) = value.extract::<Option<Bound<'py, PyDict>>>()? else { return Ok(Vec::new()) };
    let item = |(column, value): (Bound<'py, PyAny>, Bound<'py, PyAny>)| {
        Ok((column.extract::<PyColumn>()?.into(), value.extract::<T>().map_err(Into::into)?))
    };
    columns.iter().map(item).collect()
}

impl From<ValueOptions> for Columns {
    fn from(options: ValueOptions) -> Self {
        let ValueOptions { categories, booleans, dates: given, numbers, lists } = options;
        let (mut dates, mut durations) = (Vec::new(), Vec::new());
        for (column, date) in given {
            match date {
                PyDate::Date { parts, format, since } => dates.push((column, GivenDate { parts, format, since })),
                PyDate::Duration { unit, format } => durations.push((column, GivenDuration { unit, format })),
            }
        }
        let categories = categories.into_iter().map(|(column, categories)| (column, categories.into())).collect();
        let lists = lists.into_iter().map(|(column, list)| (column, list.into())).collect();
        Self { categories, booleans, dates, durations, numbers, lists, ids: Vec::new() }
    }
}

impl From<PyList> for GivenList {
    fn from(list: PyList) -> Self {
        match list {
            PyList::Numbers { length, separator } => Self::Numbers(List { length, separator }),
            PyList::Categories { categories, separator } => Self::Categories(categories.into(), separator),
        }
    }
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

/// One ASCII character.
pub(crate) struct Byte(u8);

impl From<Byte> for u8 {
    fn from(byte: Byte) -> Self {
        byte.0
    }
}

impl<'py> FromPyObject<'_, 'py> for Byte {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let character: char = value.extract()?;
        let not_ascii = |_| PyValueError::new_err(format!("{character:?} is not an ASCII character"));
        u8::try_from(character).map(Self).map_err(not_ascii)
    }
}

fn byte(value: &Bound<'_, PyAny>) -> PyResult<u8> {
    value.extract().map(|Byte(byte)| byte)
}

fn optional_byte(value: &Bound<'_, PyAny>) -> PyResult<Option<u8>> {
    if value.is_none() { Ok(None) } else { byte(value).map(Some) }
}

/// A delimiter; `None` stands for "auto".
fn delimiter(value: &Bound<'_, PyAny>) -> PyResult<Option<u8>> {
    if value.extract::<&str>().is_ok_and(|given| given == "auto") { Ok(None) } else { byte(value).map(Some) }
}

/// The attributes of `csvfeed.options.DialectOptions`: how the file is written.
#[derive(FromPyObject)]
pub(crate) struct DialectOptions {
    #[pyo3(from_py_with = delimiter)]
    delimiter: Option<u8>,
    #[pyo3(from_py_with = optional_byte)]
    quote: Option<u8>,
    #[pyo3(from_py_with = optional_byte)]
    escape: Option<u8>,
    #[pyo3(from_py_with = optional_byte)]
    comment: Option<u8>,
    #[pyo3(from_py_with = byte)]
    decimal: u8,
    #[pyo3(from_py_with = optional_byte)]
    thousands: Option<u8>,
    encoding: String,
    skip_rows: u64,
    skip_rows_after_header: u64,
    /// Lines to leave out at the end of each part.
    pub skip_footer: u64,
    skip_initial_space: bool,
    skip_final_space: bool,
    #[pyo3(attribute("short_rows"), from_py_with = fills_short_rows)]
    fills_short_rows: bool,
}

impl DialectOptions {
    /// The dialect of the core, with a comma where the delimiter is to be found.
    pub(crate) fn dialect(&self) -> Dialect {
        Dialect {
            delimiter: self.delimiter.unwrap_or(b','),
            quote: self.quote,
            escape: self.escape,
            comment: self.comment,
            decimal: self.decimal,
            thousands: self.thousands,
            // The core reads UTF-16 as UTF-8, after transcoding.
            encoding: Encoding::named(&self.encoding).unwrap_or_default(),
            skip_rows: self.skip_rows,
            skip_rows_after_header: self.skip_rows_after_header,
            skip_initial_space: self.skip_initial_space,
            skip_final_space: self.skip_final_space,
            fills_short_rows: self.fills_short_rows,
        }
    }

    pub(crate) fn finds_delimiter(&self) -> bool {
        self.delimiter.is_none()
    }

    pub(crate) fn transcoding(&self) -> Transcoding {
        Transcoding::named(&self.encoding)
    }
}

/// The attributes of `csvfeed.order.Part`, `csvfeed.conditions.Where`, `csvfeed.order.Run`, `csvfeed.order.Shard`, or a class of
/// `csvfeed.choices`.
#[derive(FromPyObject)]
pub(crate) enum PyStep {
    Part {
        column: Option<PyColumn>,
        fraction: f64,
        seed: u64,
        held_out: bool,
    },
    Where {
        conditions: Vec<PyCondition>,
    },
    Run {
        start: u64,
        stop: Option<u64>,
    },
    StratifiedPart {
        stratify: PyColumn,
        fraction: f64,
        seed: u64,
        held_out: bool,
    },
    Fold {
        number: u64,
        folds: u64,
        seed: u64,
        held_out: bool,
        by: Option<PyColumn>,
        stratify: Option<PyColumn>,
    },
    Balance {
        by: PyColumn,
        ratio: PyRatio,
        oversample: bool,
        seed: u64,
    },
    #[pyo3(transparent)]
    Shard(PyShare),
}

/// The attributes of `csvfeed.conditions.Condition`.
#[derive(FromPyObject)]
pub(crate) struct PyCondition {
    pub column: PyColumn,
    pub kind: String,
    pub bounds: Vec<Bounds>,
}

/// What the column of a condition of this kind shall hold.
pub(crate) fn wanted(kind: &str, bounds: Vec<Bounds>) -> Wanted {
    let values = |bounds: Vec<Bounds>| bounds.into_iter().filter_map(|(value, _)| value);
    match kind {
        "present" => Wanted::Present,
        "absent" => Wanted::Absent,
        "numbers" => Wanted::Numbers(bounds),
        "dates" => Wanted::Dates(bounds),
        "booleans" => Wanted::Booleans(values(bounds).map(|value| value == "True").collect()),
        _ => Wanted::Texts(values(bounds).collect()),
    }
}

/// How frequent the classes are to be.
#[derive(FromPyObject)]
pub(crate) enum PyRatio {
    Least(f64),
    Shares(Vec<(String, f64)>),
}

impl From<PyRatio> for Ratio {
    fn from(ratio: PyRatio) -> Self {
        match ratio {
            PyRatio::Least(ratio) => Self::Least(ratio),
            PyRatio::Shares(shares) => Self::Shares(shares),
        }
    }
}

/// The attributes of `csvfeed.order.Shard`.
#[derive(FromPyObject)]
pub(crate) struct PyShare {
    pub worker: u64,
    pub workers: u64,
    pub batch_size: u64,
    pub drop_remainder: bool,
}

/// The attributes of `csvfeed.order.Windows`: windows over the rows.
#[derive(FromPyObject)]
pub(crate) struct PyWindows {
    /// Rows in a window.
    pub length: u64,
    /// Rows from the beginning of a window to that of the next.
    pub stride: u64,
    /// Rows from the last row of a window to that of its target.
    pub horizon: u64,
    /// The columns whose values are equal in all rows of a window.
    #[pyo3(from_py_with = columns)]
    pub by: Vec<Column>,
    /// The share of one worker.
    pub share: Option<PyShare>,
}

/// The attributes of `csvfeed.order.Lanes`: which lanes of the rows a process serves.
#[derive(Clone, Copy, FromPyObject)]
pub(crate) struct PyLanes {
    /// The first lane of this process, and the one after the last.
    pub first: u64,
    pub end: u64,
    /// The number of lanes of all processes.
    pub count: u64,
    /// Rows of a lane in a batch.
    pub rows: usize,
}

impl PyLanes {
    /// The number of lanes of this process.
    pub(crate) fn own(self) -> usize {
        (self.end - self.first) as usize
    }
}

/// What happens to the rows that do not fill a batch.
pub(crate) fn remainder(drop_remainder: bool, pad_to: Option<usize>) -> Remainder {
    match pad_to {
        Some(rows) => Remainder::Pad(rows),
        None if drop_remainder => Remainder::Drop,
        None => Remainder::Keep,
    }
}
