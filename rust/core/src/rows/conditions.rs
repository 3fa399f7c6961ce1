//! Finds the rows of a group that meet conditions, before their other columns are read.

use std::ops::Range;

use super::constant::PATHS;
use super::reading::{Incomparable, Reading};
use crate::choose::conditions::{Condition, Conditions, Test};
use crate::dialect::{self, Dialect, Encoding};
use crate::error::Kind;
use crate::index::Rows;
use crate::literal::literal;
use crate::table::missing::{self, Value};
use crate::table::parts::Place;
use crate::table::schema::Schema;
use crate::value::number::{self, Forms, Notation, Plain};
use crate::value::vocabulary::Latest;
use crate::value::{boolean, boolean_at, is_utf8, is_utf8_at};

/// The buffers for comparing the fields of a group of rows, reused from group to group.
#[derive(Default)]
pub(super) struct Comparing {
    before: Vec<u32>,
    ends: Vec<u32>,
    values: Vec<f32>,
    declined: Vec<u32>,
    /// The rows whose field one of the conditions cannot compare, with the number of the condition. They stay until
    /// another condition rules them out.
    doubtful: Vec<(usize, usize)>,
    /// The fields that decide that a row is wrong, row by row.
    pub(super) wrong: Vec<Incomparable>,
}

impl Comparing {
    /// Keeps the rows that pass a test. Those that became doubtful since there were `known` of them stay, too.
    fn keep(&self, rows: &mut Vec<usize>, known: usize, test: impl Fn(usize) -> bool) {
        let mut kept = 0;
        for at in 0..rows.len() {
            let row = rows[at];
            // Without a branch, because the outcome is unpredictable.
            rows[kept] = row;
            kept += usize::from(test(row));
        }
        rows.truncate(kept);
        if self.doubtful.len() > known {
            rows.extend(self.doubtful[known..].iter().map(|(row, _)| row));
            rows.sort_unstable();
        }
    }
}

impl Reading<'_> {
    /// Keeps those of the rows that meet all conditions. A row is wrong if a condition cannot compare its field, and no
    /// other one rules it out.
    pub(super) fn meet(
        &self,
        conditions: &Conditions,
        all: Rows<'_>,
        rows: &mut Vec<usize>,
        plain: Option<&mut Plain>,
        comparing: &mut Comparing,
    ) {
        self.rule_out(conditions, all, rows, plain, comparing);
        if !comparing.doubtful.is_empty() {
            self.find_wrong(conditions, all, rows, comparing);
        }
    }

    /// Keeps those of the rows that meet all conditions, or would if none of their fields were wrong.
    pub(super) fn rule_out(
        &self,
        conditions: &Conditions,
        all: Rows<'_>,
        rows: &mut Vec<usize>,
        mut plain: Option<&mut Plain>,
        comparing: &mut Comparing,
    ) {
        comparing.doubtful.clear();
        for (number, condition) in conditions.list().iter().enumerate() {
            if rows.is_empty() {
                break;
            }
            let field = match self.text.layout().map(|layout| &layout.places[condition.column]) {
                None => condition.column,
                Some(Place::Field(field)) => *field,
                Some(place) => {
                    match self.schema.constant_meets(&condition.test, place) {
                        Some(true) => {}
                        Some(false) => rows.clear(),
                        None => comparing.doubtful.extend(rows.iter().map(|&row| (row, number))),
                    }
                    continue;
                }
            };
            let known = comparing.doubtful.len();
            match &condition.test {
                Test::Number(intervals) => {
                    self.read_numbers((all, field), rows, number, plain.as_deref_mut(), comparing);
                    comparing.keep(rows, known, |row| intervals.hold(comparing.values[row]));
                }
                Test::Exact { exact, rounded } => {
                    self.read_numbers((all, field), rows, number, plain.as_deref_mut(), comparing);
                    let exactly = |row| {
                        let text = dialect::unquote(self.text.field(all.place(row, field)), self.dialect);
                        Notation::of(self.dialect).parse_f64(&text).is_some_and(|value| exact.hold(value))
                    };
                    let holds = |row| rounded.hold_inside(comparing.values[row]).unwrap_or_else(|| exactly(row));
                    comparing.keep(rows, known, holds);
                }
                test => rows.retain(|&row| {
                    let place = all.place(row, field);
                    let met = self.meets_at(test, place.clone()).or_else(|| self.meets(test, self.text.field(place)));
                    met.unwrap_or_else(|| {
                        comparing.doubtful.push((row, number));
                        true
                    })
                }),
            }
        }
    }

    /// Reads a column as plain numbers. Missing ones become NaN, and so do those that are none, which become doubtful.
    fn read_numbers(
        &self,
        (all, field): (Rows<'_>, usize),
        rows: &[usize],
        condition: usize,
        plain: Option<&mut Plain>,
        comparing: &mut Comparing,
    ) {
        let Comparing { before, ends, values, declined, doubtful, .. } = comparing;
        let Self { schema, dialect, text, .. } = *self;
        let fields = all.pick(self.simd, &[field], before, ends);
        values.clear();
        values.resize(all.count(), 0.0);
        declined.clear();
        let (bytes, places) = plain.map_or((text.padded(), fields), |plain| plain.fields(dialect.quote, fields));
        number::convert(self.simd, bytes, dialect.quote, places, values, declined);
        if schema.missing.has_numbers() {
            let tokens = values.iter().enumerate().filter(|(_, value)| schema.missing.may_be(**value));
            declined.extend(tokens.map(|(at, _)| at as u32));
            declined.sort_unstable();
        }
        let mut latest = Latest::NONE;
        for &at in &*declined {
            let row = at as usize;
            let place = fields.place(row);
            values[row] = f32::NAN;
            if self.is_missing(place.clone(), &mut latest) || rows.binary_search(&row).is_err() {
                continue;
            }
            match missing::value(text.field(place), dialect, &schema.missing) {
                Value::Number(number) => values[row] = number,
                Value::Missing => {}
                Value::Other => doubtful.push((row, condition)),
            }
        }
    }

    /// Whether the raw field at `place` meets a test; `None` if that needs a closer look.
    #[inline]
    fn meets_at(&self, test: &Test, place: Range<usize>) -> Option<bool> {
        let Self { schema, dialect, .. } = *self;
        if !dialect.is_literal() {
            return None;
        }
        let bytes = self.text.padded();
        let is_quoted = Some(bytes[place.start]) == dialect.quote;
        let plain = dialect::plain(bytes, dialect.quote, place)?;
        let is_missing = || schema.missing.contains_at(bytes, plain.clone());
        // A quote after a space opens no field.
        let is_strange = || !is_quoted && Some(bytes[plain.start]) == dialect.quote;
        match test {
            // No word is missing.
            Test::Text(words) => {
                let met = words.code_at(bytes, plain.clone()) != 0;
                (met || !is_strange() && is_utf8_at(bytes, &plain)).then_some(met)
            }
            Test::Presence { is_wanted, forms } if *forms == Forms::default() => Some(is_missing() != *is_wanted),
            _ if is_missing() => Some(test.is_met_by_missing()),
            Test::Boolean(accepted) => boolean_at(bytes, &plain).map(|value| accepted[usize::from(value)]),
            Test::Date(date, intervals) => date.read(&bytes[plain]).ok().map(|moment| intervals.hold(moment.nanos())),
            Test::Duration(duration, intervals) => {
                duration.read(&bytes[plain]).ok().map(|nanos| intervals.hold(duration.value(nanos)))
            }
            _ => None,
        }
    }

    /// Whether any field meets a test; `None` if it cannot be compared.
    fn meets(&self, test: &Test, field: &[u8]) -> Option<bool> {
        if missing::is_missing(field, self.dialect, &self.schema.missing) {
            return Some(test.is_met_by_missing());
        }
        let is_presence = matches!(test, Test::Presence { .. });
        if !is_presence && self.dialect.has_space_before_quote(field) {
            return None;
        }
        self.schema.word_meets(test, &self.dialect.text(field), self.dialect)
    }

    /// Takes the doubtful rows that are left out of `rows`, and says what is wrong with them.
    #[cold]
    fn find_wrong(&self, conditions: &Conditions, all: Rows<'_>, rows: &mut Vec<usize>, comparing: &mut Comparing) {
        let Comparing { doubtful, wrong, .. } = comparing;
        doubtful.retain(|(row, _)| rows.binary_search(row).is_ok());
        // Of several wrong fields in a row, the first in the file counts.
        doubtful.sort_by_key(|&(row, number)| (row, conditions.list()[number].column));
        doubtful.dedup_by_key(|(row, _)| *row);
        rows.retain(|row| doubtful.binary_search_by_key(row, |(row, _)| *row).is_err());
        let whole = |row, field| all.whole(self.text.padded(), all.place(row, field));
        wrong.extend(doubtful.iter().map(|&(row, number)| {
            let condition = &conditions.list()[number];
            let (place, kind) = match self.text.layout().map(|layout| &layout.places[condition.column]) {
                Some(Place::Value(value)) => {
                    let start = all.line(self.text.padded(), row).start;
                    (start..start, self.why_not(condition, value.as_bytes()))
                }
                Some(Place::Field(field)) => self.wrong_at(condition, whole(row, *field)),
                _ => self.wrong_at(condition, whole(row, condition.column)),
            };
            Incomparable { row, column: condition.column, place, kind }
        }));
        // An earlier step may have found others.
        wrong.sort_by_key(|wrong| wrong.row);
    }

    fn wrong_at(&self, condition: &Condition, place: Range<usize>) -> (Range<usize>, Kind) {
        (place.clone(), self.why_not(condition, self.text.field(place)))
    }

    /// Why a field cannot be compared.
    fn why_not(&self, condition: &Condition, field: &[u8]) -> Kind {
        let Self { schema, dialect, .. } = *self;
        if dialect.has_space_before_quote(field) {
            return Kind::SpaceBeforeQuote;
        }
        let word = dialect.text(field);
        match &condition.test {
            Test::Boolean(_) => Kind::Boolean(schema.quoted_name(condition.column)),
            Test::Date(date, _) => date.read(&word).map_or_else(|wrong| date.error(wrong, &word), |_| Kind::Internal),
            Test::Duration(duration, _) => {
                duration.read(&word).map_or_else(|wrong| duration.error(wrong), |_| Kind::Internal)
            }
            Test::Form(forms, _) => schema.no_form(*forms, &word, condition.column, dialect, Schema::comparing),
            Test::Number(_) | Test::Exact { .. } => self.no_number(field, condition.column, Schema::comparing),
            Test::Text(_) => Kind::CategoryNotUtf8,
            Test::Presence { .. } => Kind::Internal,
        }
    }
}

impl Schema {
    /// Whether the value that a column has in every row of a part meets a test; `None` if it cannot be compared.
    fn constant_meets(&self, test: &Test, place: &Place) -> Option<bool> {
        let Place::Value(value) = place else { return Some(test.is_met_by_missing()) };
        let word = value.trim_matches([' ', '\t']);
        if self.missing.contains_word(word) {
            return Some(test.is_met_by_missing());
        }
        self.word_meets(test, word.as_bytes(), PATHS)
    }

    /// Whether a word that is not missing meets a test; `None` if it cannot be compared.
    fn word_meets(&self, test: &Test, word: &[u8], dialect: Dialect) -> Option<bool> {
        let dialect = Dialect { encoding: Encoding::Utf8, ..dialect };
        match test {
            Test::Presence { is_wanted, forms } => {
                // A form of NaN is missing if the word "nan" is.
                let is_nan = || forms.parse(word, dialect).is_some_and(f32::is_nan);
                let is_missing = *forms != Forms::default() && self.missing.contains_word("nan") && is_nan();
                Some(is_missing != *is_wanted)
            }
            Test::Text(words) => match words.code(word) {
                0 => is_utf8(word).then_some(false),
                _ => Some(true),
            },
            Test::Boolean(accepted) => boolean(word).map(|value| accepted[usize::from(value)]),
            Test::Date(date, intervals) => date.read(word).ok().map(|moment| intervals.hold(moment.nanos())),
            Test::Duration(duration, intervals) => {
                duration.read(word).ok().map(|nanos| intervals.hold(duration.value(nanos)))
            }
            Test::Form(forms, intervals) => forms.parse(word, dialect).map(|value| intervals.hold(value)),
            Test::Number(intervals) => Notation::of(dialect).parse(word).map(|value| intervals.hold(value)),
            Test::Exact { exact, .. } => Notation::of(dialect).parse_f64(word).map(|value| exact.hold(value)),
        }
    }

    /// Advice about a word that should be a number, because it is compared with numbers.
    fn comparing(&self, word: &[u8], column: usize) -> String {
        const SHOWN: usize = 40;
        let token = match std::str::from_utf8(word) {
            Ok(word) if word.len() <= SHOWN => literal(word),
            _ => "...".to_owned(),
        };
        format!(
            "where() compares column {} with numbers. If it is a mistake, correct the line, or leave such rows out with \
             on_error=\"skip\". If it means no value, add it with missing=[*csvfeed.MISSING, {token}]",
            self.quoted_name(column)
        )
    }
}

#[cfg(test)]
mod tests;
