//! Conditions on the fields of a row.
//!
//! A column is compared as it is read: the float32 of a number, the moment of a date, the text of a category. A column
//! that is not read is compared as the caller's values are: numbers in float64, dates in ISO 8601, anything else as text.

use std::sync::Arc;

use super::intervals::Intervals;
use crate::dialect::{self, Dialect};
use crate::error::Result;
use crate::table::schema::{Schema, wrong};
use crate::value::number::{Forms, parse_exact};
use crate::value::{Date, Duration, ValueEncoding, Vocabulary};

/// The lowest and the highest value, as text. `None` is open.
pub type Bounds = (Option<String>, Option<String>);

/// What a column shall hold, as the caller says it.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// Any value.
    Present,
    /// No value.
    Absent,
    /// A number within some bounds.
    Numbers(Vec<Bounds>),
    /// A date within some bounds.
    Dates(Vec<Bounds>),
    /// One of these texts.
    Texts(Vec<String>),
    /// One of these truth values.
    Booleans(Vec<bool>),
}

/// Conditions that must all hold. A missing field meets none but that it is missing.
#[derive(Clone, Debug)]
pub struct Conditions(Vec<Condition>);

/// A condition on the field of a column.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    /// Position of the column.
    pub(crate) column: usize,
    pub(crate) test: Test,
}

/// How a field is compared.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    /// Whether it is missing. A number in one of the forms may be NaN, and so be missing.
    Presence { is_wanted: bool, forms: Forms },
    /// Its text.
    Text(Vocabulary),
    /// Its truth value: whether false and true are accepted.
    Boolean([bool; 2]),
    /// Its moment, in nanoseconds since 1970.
    Date(Arc<Date>, Intervals<i128>),
    /// Its length, in the unit of the column.
    Duration(Duration, Intervals<f32>),
    /// The number that it is in one of the forms.
    Form(Forms, Intervals<f32>),
    /// The plain number as it is read.
    Number(Intervals<f32>),
    /// The plain number in float64. A float32 is enough unless it lies at the end of an interval, rounded likewise.
    Exact { exact: Intervals<f64>, rounded: Intervals<f32> },
}

impl Test {
    /// Whether a missing field meets it.
    pub(crate) fn is_met_by_missing(&self) -> bool {
        matches!(self, Self::Presence { is_wanted: false, .. })
    }
}

impl Conditions {
    /// Conditions on columns, given by their positions.
    pub fn new(given: Vec<(usize, Wanted)>, schema: &Schema) -> Result<Self> {
        let condition = |(column, wanted)| Ok(Condition { column, test: Column { schema, column }.test(wanted)? });
        given.into_iter().map(condition).collect::<Result<_>>().map(Self)
    }

    /// These and other conditions.
    #[must_use]
    pub fn and(&self, others: Self) -> Self {
        Self(self.0.iter().cloned().chain(others.0).collect())
    }

    pub(crate) fn list(&self) -> &[Condition] {
        &self.0
    }

    /// Whether some columns are compared as plain numbers.
    pub(crate) fn have_plain_numbers(&self) -> bool {
        self.0.iter().any(|condition| matches!(condition.test, Test::Number(_) | Test::Exact { .. }))
    }
}

/// A column of a schema.
#[derive(Clone, Copy)]
struct Column<'a> {
    schema: &'a Schema,
    column: usize,
}

impl Column<'_> {
    fn test(self, wanted: Wanted) -> Result<Test> {
        let place = self.schema.wanted().into_iter().position(|column| column == self.column);
        let encoding = place.and_then(|place| self.schema.encoding(place));
        let forms = match encoding {
            Some(ValueEncoding::Number(forms)) => *forms,
            None if place.is_none() => self.schema.forms,
            _ => Forms::default(),
        };
        match (encoding, wanted) {
            (_, Wanted::Present) => Ok(Test::Presence { is_wanted: true, forms }),
            (_, Wanted::Absent) => Ok(Test::Presence { is_wanted: false, forms }),
            (Some(ValueEncoding::Category(_) | ValueEncoding::Class(_)), Wanted::Texts(words)) => self.words(&words),
            (Some(ValueEncoding::Category(_) | ValueEncoding::Class(_)), Wanted::Numbers(bounds)) => {
                match bounds.iter().map(whole_number).collect::<Option<Vec<_>>>() {
                    Some(words) => self.words(&words),
                    None => self.refuse(&Wanted::Numbers(bounds), "text", TEXT),
                }
            }
            (Some(ValueEncoding::Category(_) | ValueEncoding::Class(_)), wanted) => self.refuse(&wanted, "text", TEXT),
            (Some(ValueEncoding::Date(date, _)), wanted) => match wanted {
                Wanted::Dates(bounds) => self.dates(Arc::clone(date), &bounds),
                Wanted::Texts(words) => self.dates(Arc::clone(date), &points(words)),
                wanted => self.refuse(&wanted, "dates", "give dates, as in (\"2013-01-31\", None)"),
            },
            (Some(ValueEncoding::Duration(duration)), Wanted::Numbers(bounds)) => {
                Ok(Test::Duration(*duration, self.numbers(&bounds)?))
            }
            (Some(ValueEncoding::Duration(_)), wanted) => {
                self.refuse(&wanted, "durations", "give numbers, in the unit of the column")
            }
            (Some(ValueEncoding::Boolean), Wanted::Booleans(accepted)) => Ok(booleans(&accepted)),
            (Some(ValueEncoding::Boolean), wanted) => self.refuse(&wanted, "booleans", "give True or False"),
            (Some(ValueEncoding::List(..) | ValueEncoding::MultiHot(..)), wanted) => {
                self.refuse(&wanted, "lists", "only csvfeed.PRESENT and csvfeed.ABSENT go with a list")
            }
            (_, Wanted::Numbers(bounds)) if forms != Forms::default() => Ok(Test::Form(forms, self.numbers(&bounds)?)),
            (_, Wanted::Numbers(bounds)) if place.is_some() => Ok(Test::Number(self.numbers(&bounds)?)),
            (_, wanted) if place.is_some() => {
                self.refuse(&wanted, "numbers", "give a range, as in (0, 100), or a list of numbers")
            }
            (_, Wanted::Numbers(bounds)) => {
                let read = |text: &str| text.parse().ok();
                Ok(Test::Exact {
                    exact: self.intervals(&bounds, f64::NEG_INFINITY, f64::INFINITY, read)?,
                    rounded: self.numbers(&bounds)?,
                })
            }
            (_, Wanted::Dates(bounds)) => self.dates(Arc::default(), &bounds),
            (_, Wanted::Texts(words)) => self.words(&words),
            (_, Wanted::Booleans(accepted)) => Ok(booleans(&accepted)),
        }
    }

    /// The words, none of which may be missing.
    fn words(self, words: &[String]) -> Result<Test> {
        let Self { schema, column } = self;
        let mut known = Vocabulary::default();
        for word in words {
            // The word as a field would hold it.
            let bare = dialect::unquote(word.as_bytes(), Dialect::new(b',', None));
            if bare.is_empty() || schema.missing.contains_word(word.trim_matches([' ', '\t'])) {
                return Err(wrong(format!(
                    "where() on column {:?} (index {column}): {word:?} is read as no value, which csvfeed.ABSENT asks for",
                    schema.columns[column]
                )));
            }
            known.add(&bare);
        }
        Ok(Test::Text(known.spread()))
    }

    fn dates(self, date: Arc<Date>, bounds: &[Bounds]) -> Result<Test> {
        let mut found = Vec::with_capacity(bounds.len());
        for (low, high) in bounds {
            // A day as a bound is meant as a whole.
            let span = |text: &str| date.span(text).map_err(|what| self.wrong(&what));
            let start = low.as_deref().map_or(Ok(i128::MIN), |text| span(text).map(|(start, _)| start))?;
            let end = high.as_deref().map_or(Ok(i128::MAX), |text| span(text).map(|(_, end)| end))?;
            found.push(self.interval(start, end, (low.as_deref(), high.as_deref()))?);
        }
        Ok(Test::Date(date, Intervals::new(found)))
    }

    fn numbers(self, bounds: &[Bounds]) -> Result<Intervals<f32>> {
        self.intervals(bounds, f32::NEG_INFINITY, f32::INFINITY, |text| parse_exact(text.as_bytes()))
    }

    fn intervals<T: PartialOrd + Copy>(
        self,
        bounds: &[Bounds],
        least: T,
        most: T,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Intervals<T>> {
        let number = |text: &str| read(text).ok_or_else(|| self.wrong(&format!("{text:?} is no number")));
        let interval = |(low, high): &Bounds| {
            let start = low.as_deref().map_or(Ok(least), number)?;
            let end = high.as_deref().map_or(Ok(most), number)?;
            self.interval(start, end, (low.as_deref(), high.as_deref()))
        };
        bounds.iter().map(interval).collect::<Result<_>>().map(Intervals::new)
    }

    /// An interval, given its ends as values and as texts.
    fn interval<T: PartialOrd>(self, start: T, end: T, (low, high): (Option<&str>, Option<&str>)) -> Result<(T, T)> {
        if start <= end {
            return Ok((start, end));
        }
        Err(self.wrong(&format!("no value is from {} to {}", low.unwrap_or_default(), high.unwrap_or_default())))
    }

    fn wrong(self, what: &str) -> crate::error::Error {
        wrong(format!("where() on column {:?} (index {}): {what}", self.schema.columns[self.column], self.column))
    }

    fn refuse<T>(self, wanted: &Wanted, read_as: &str, advice: &str) -> Result<T> {
        let with = match wanted {
            Wanted::Numbers(_) => "numbers",
            Wanted::Dates(_) => "dates",
            Wanted::Texts(_) => "text",
            Wanted::Booleans(_) => "truth values",
            Wanted::Present | Wanted::Absent => "no value",
        };
        Err(wrong(format!(
            "where() compares column {:?} (index {}) with {with}, and it is read as {read_as}: {advice}",
            self.schema.columns[self.column], self.column
        )))
    }
}

const TEXT: &str = "give a text or a list of texts, as the file has them";

fn booleans(accepted: &[bool]) -> Test {
    Test::Boolean([false, true].map(|value| accepted.contains(&value)))
}

/// Each value by itself.
fn points(texts: Vec<String>) -> Vec<Bounds> {
    texts.into_iter().map(|text| (Some(text.clone()), Some(text))).collect()
}

/// The text of a single whole number.
fn whole_number((low, high): &Bounds) -> Option<String> {
    let text = low.as_ref().filter(|_| low == high)?;
    text.strip_prefix('-').unwrap_or(text).bytes().all(|byte| byte.is_ascii_digit()).then(|| text.clone())
}
