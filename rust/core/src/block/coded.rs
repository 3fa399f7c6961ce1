//! The fields of a group that are no numbers: each read from its place.

use std::ops::Range;

use super::parser::{Arrangement, Reading};
use crate::code::{Categories, Code, boolean, bucket, date};
use crate::error::{Error, Kind, Result};
use crate::index::Rows;
use crate::number;
use crate::schema::Schema;

/// A column whose fields are no numbers.
pub(super) struct Coded {
    column: usize,
    /// What its fields become: places in a row of the arrangement, and among features, targets and weight.
    values: Vec<(usize, usize)>,
}

impl Coded {
    /// Those among the columns of an arrangement, in the order of the file.
    pub(super) fn of(schema: &Schema, columns: &[usize], places: &[usize]) -> Vec<Self> {
        let mut coded: Vec<Self> = vec![];
        for (at, (&column, &wanted)) in columns.iter().zip(places).enumerate() {
            if schema.code(wanted).is_none() {
                continue;
            }
            match coded.last_mut().filter(|last| last.column == column) {
                Some(last) => last.values.push((at, wanted)),
                None => coded.push(Self { column, values: vec![(at, wanted)] }),
            }
        }
        coded
    }
}

/// A group of rows on its way into a block.
pub(super) struct Mixed<'a> {
    pub(super) rows: Rows<'a>,
    /// All values, row by row; those of numbers are there already.
    pub(super) values: &'a mut [f32],
    /// The rows that are left out, in no order.
    pub(super) left_out: &'a mut Vec<usize>,
    /// How many rows there are before the first that is wrong.
    pub(super) kept: usize,
    /// The first wrong field in it.
    pub(super) error: Option<Error>,
}

impl Reading<'_> {
    /// Reads what is no number.
    pub(super) fn read_codes(&self, mixed: &mut Mixed<'_>) {
        let Arrangement { coded, .. } = self.arrangement;
        let left_out = mixed.left_out.len();
        for column in coded {
            // Of several wrong fields in a row, the first counts.
            let is_before = mixed.error.as_ref().and_then(|error| error.column).is_some_and(|at| column.column < at);
            let rows = mixed.kept + usize::from(is_before);
            if let Some((row, error)) = self.read_column(column, rows, mixed) {
                (mixed.kept, mixed.error) = (row, Some(error));
            }
        }
        if mixed.left_out.len() > left_out {
            mixed.left_out.sort_unstable();
        }
        let kept = mixed.left_out.partition_point(|&row| row < mixed.kept);
        mixed.left_out.truncate(kept);
    }

    /// Reads a column of so many rows, up to the first that is wrong.
    fn read_column(&self, column: &Coded, rows: usize, mixed: &mut Mixed<'_>) -> Option<(usize, Error)> {
        let Self { schema, text, .. } = *self;
        let bytes = text.padded();
        let is_missing = |place: &Range<usize>| schema.missing.contains_at(bytes, place.clone());
        let same = |value: &f32, _: &Code| *value;
        match schema.code(column.values[0].1)? {
            Code::Category(Categories::Listed(vocabulary)) => {
                // No category is a missing token.
                let code = |place| Some(vocabulary.code_at(bytes, place)).filter(|&code| code > 0);
                self.read_fields(column, rows, mixed, |place| code(place).map(|code| code as f32), same)
            }
            Code::Category(Categories::Hashed(buckets)) => {
                let bucket = |place| bucket(&bytes[place], *buckets);
                self.read_fields(column, rows, mixed, |place| (!is_missing(&place)).then(|| bucket(place)), same)
            }
            Code::Category(Categories::Unread) => self.read_fields(column, rows, mixed, |_| None, same),
            Code::Boolean => {
                let number = |place| boolean(&bytes[place]).map(|is_true| f32::from(u8::from(is_true)));
                self.read_fields(column, rows, mixed, |place| (!is_missing(&place)).then(|| number(place))?, same)
            }
            Code::Date(date, _) => {
                let moment = |place| date.read(&bytes[place]).ok();
                let value = |moment: &date::Moment, code: &Code| match code {
                    Code::Date(date, part) => date.part(moment, *part),
                    _ => f32::NAN,
                };
                self.read_fields(column, rows, mixed, |place| (!is_missing(&place)).then(|| moment(place))?, value)
            }
        }
    }

    /// Reads the fields of a column: `quickly` understands most, and `value` says what becomes of those.
    #[inline(always)]
    fn read_fields<T>(
        &self,
        column: &Coded,
        rows: usize,
        mixed: &mut Mixed<'_>,
        quickly: impl Fn(Range<usize>) -> Option<T>,
        value: impl Fn(&T, &Code) -> f32,
    ) -> Option<(usize, Error)> {
        let (bytes, quote) = (self.text.padded(), self.dialect.quote);
        let width = self.arrangement.columns.len();
        let codes: Vec<_> =
            column.values.iter().filter_map(|&(at, wanted)| Some((at, wanted, self.schema.code(wanted)?))).collect();
        for (row, values) in mixed.values.chunks_exact_mut(width).take(rows).enumerate() {
            let place = mixed.rows.place(row, column.column);
            if let Some(found) = number::plain(bytes, quote, place.clone()).and_then(&quickly) {
                for &(at, _, code) in &codes {
                    values[at] = value(&found, code);
                }
                continue;
            }
            for &(at, wanted, code) in &codes {
                match self.read_code_with_care(place.clone(), column.column, wanted, code) {
                    Ok(Some(value)) => values[at] = value,
                    Ok(None) => mixed.left_out.push(row),
                    Err(error) => return Some((row, error)),
                }
            }
        }
        None
    }

    /// What any field is read as, `wanted` being its place among the features, targets and weight of its row; `None` when
    /// its row is to be left out.
    fn read_code_with_care(
        &self,
        place: Range<usize>,
        column: usize,
        wanted: usize,
        code: &Code,
    ) -> Result<Option<f32>> {
        let field = &self.text.padded()[place.clone()];
        let word = number::unquote(field, self.dialect.quote);
        let is_feature = wanted < self.schema.features.len();
        let found = if self.schema.missing.contains(&word) {
            self.missing(column, wanted)
        } else {
            let value = match code {
                Code::Category(Categories::Listed(vocabulary)) => match vocabulary.code(&word) {
                    0 if !is_feature => Err(Kind::Category),
                    code => Ok(code as f32),
                },
                Code::Category(Categories::Hashed(buckets)) => Ok(bucket(&word, *buckets)),
                // Rows are counted before the categories are known; which one it is does not matter then.
                Code::Category(Categories::Unread) if is_feature => Err(Kind::Internal),
                Code::Category(Categories::Unread) => Ok(0.0),
                Code::Boolean => boolean(&word).map(|is_true| f32::from(u8::from(is_true))).ok_or(Kind::Boolean),
                Code::Date(date, part) => match date.read(&word) {
                    Ok(moment) => Ok(date.part(&moment, *part)),
                    Err(date::Wrong::Form) => Err(Kind::Date(date.expected())),
                    Err(date::Wrong::Value) => Err(Kind::NoSuchDate),
                },
            };
            value.map(Some)
        };
        found.map_err(|kind| self.wrong(kind, place, column))
    }
}
