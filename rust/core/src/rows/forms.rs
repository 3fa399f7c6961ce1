//! Columns with numbers in other forms. The most common forms are read where they stand; the others are rewritten to the
//! usual notation and parsed together.

use std::result::Result;

use super::arrangement::EncodedColumn;
use super::mixed::{Mixed, Rewritten};
use super::reading::Reading;
use crate::dialect;
use crate::dialect::{Dialect, Encoding};
use crate::error::Kind;
use crate::fields::{Fields, WINDOW};
use crate::table::schema::Schema;
use crate::value::number::{self, Form, Forms};

impl Reading<'_> {
    /// Reads a column of numbers in the given forms, in the first `rows` rows.
    pub(super) fn read_forms(&self, column: &EncodedColumn, forms: Forms, rows: usize, mixed: &mut Mixed<'_>) {
        let mut pending = std::mem::take(&mut mixed.rewritten.pending);
        pending.clear();
        if self.dialect.escape.is_none() && !self.schema.missing.has_digits() {
            self.read_in_place(column, forms, rows, mixed, &mut pending);
        } else {
            pending.extend(0..rows);
        }
        if !pending.is_empty() {
            self.rewrite(column, forms, &pending, mixed);
        }
        mixed.rewritten.pending = pending;
    }

    /// Reads the fields in the most common forms, none of which can be missing. Adds the other rows to `pending`. Inlined,
    /// it would take registers from other encodings.
    #[inline(never)]
    fn read_in_place(
        &self,
        column: &EncodedColumn,
        forms: Forms,
        rows: usize,
        mixed: &mut Mixed<'_>,
        pending: &mut Vec<usize>,
    ) {
        let (text, dialect) = (self.text.padded(), self.dialect);
        let places = mixed.rows.column(column.column).take(rows);
        let width = self.arrangement.columns.len();
        for (row, (place, values)) in places.zip(mixed.values.chunks_exact_mut(width)).enumerate() {
            match forms.read_in_place(text, place, dialect) {
                Some(value) => column.values.iter().for_each(|&(at, _)| values[at] = value),
                None => pending.push(row),
            }
        }
    }

    /// Rewrites the fields of a column in some rows to the usual notation and reads them.
    fn rewrite(&self, column: &EncodedColumn, forms: Forms, rows: &[usize], mixed: &mut Mixed<'_>) {
        let (bytes, quote) = (self.text.padded(), self.dialect.quote);
        let width = self.arrangement.columns.len();
        let is_required = column.values.iter().any(|&(_, wanted)| wanted >= self.schema.features.len());
        let may_be_missing = self.schema.missing.has_digits();
        let put = |values: &mut [f32], row: usize, value: f32| {
            column.values.iter().for_each(|&(at, _)| values[row * width + at] = value);
        };
        mixed.rewritten.start();
        for &row in rows {
            let place = mixed.rows.place(row, column.column);
            let plain = if self.dialect.escape.is_none() { dialect::plain(bytes, quote, place) } else { None };
            let Some(plain) = plain else {
                mixed.rewritten.careful.push(row);
                continue;
            };
            let is_missing = || self.schema.missing.contains_at(bytes, plain.clone());
            let start = mixed.rewritten.text.len();
            let form = if may_be_missing && is_missing() {
                None
            } else {
                forms.rewrite(&bytes[plain.clone()], self.dialect, &mut mixed.rewritten.text)
            };
            match form {
                Some(Form::Text) => mixed.rewritten.take(row, start),
                Some(Form::Value(value)) => put(mixed.values, row, value),
                None if !is_required && is_missing() => {
                    for &(at, wanted) in &column.values {
                        mixed.values[row * width + at] = self.schema.missing_value(wanted);
                    }
                }
                None => mixed.rewritten.careful.push(row),
            }
        }
        let Rewritten { text, before, ends, rows: of, values, declined, .. } = &mut *mixed.rewritten;
        text.resize(text.len() + WINDOW, b'\n');
        values.resize(of.len(), 0.0);
        number::convert(self.simd, text, None, Fields { before, ends }, values, declined);
        for (&row, &value) in of.iter().zip(&*values) {
            put(mixed.values, row, value);
        }
        let mut careful = std::mem::take(&mut mixed.rewritten.careful);
        careful.extend(mixed.rewritten.declined.iter().map(|&at| mixed.rewritten.rows[at as usize]));
        careful.sort_unstable();
        self.read_rows(column, &careful, mixed);
        mixed.rewritten.careful = careful;
    }
}

impl Schema {
    /// Parses a UTF-8 word as a number in the given forms. Returns `None` if its row must be skipped.
    pub(super) fn read_form(
        &self,
        forms: Forms,
        word: &[u8],
        wanted: usize,
        dialect: Dialect,
    ) -> Result<Option<f32>, Kind> {
        let dialect = Dialect { encoding: Encoding::Utf8, ..dialect };
        match forms.parse(word, dialect) {
            // A form of NaN is missing if the word "nan" is.
            Some(value) if value.is_nan() && self.missing.contains_word("nan") => self.read_missing(wanted),
            Some(value) => Ok(Some(value)),
            None => Err(self.no_form(forms, word, self.wanted()[wanted], dialect, Self::advice)),
        }
    }

    /// The error for a UTF-8 word that should be a number in the given forms. `advice` tells of the word and its column.
    pub(super) fn no_form(
        &self,
        forms: Forms,
        word: &[u8],
        column: usize,
        dialect: Dialect,
        advice: impl Fn(&Self, &[u8], usize) -> String,
    ) -> Kind {
        let dialect = Dialect { encoding: Encoding::Utf8, ..dialect };
        if word.contains(&0) {
            return Kind::Nul;
        }
        match number::other_notation(word, dialect, forms, &self.quoted_name(column)) {
            Some(notation) => Kind::Notation(notation),
            None => Kind::Form(forms.names().join(", "), advice(self, word, column)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parser::tests::{Found, parse};
    use super::*;
    use crate::simd::Simd;
    use crate::table::columns::Columns;
    use crate::table::columns::GivenNumbers;
    use crate::table::missing::Missing;
    use crate::table::missing::{self, Value};
    use crate::table::schema::{Column, MissingTarget, OnError, Targets};
    use proptest::prelude::*;

    const NAMES: [&str; 3] = ["percent", "currency", "msvc"];

    fn schema(order: &[usize], features: usize, tokens: &[&str], policy: (MissingTarget, OnError)) -> Schema {
        let columns = ["a", "b", "c"].map(String::from).to_vec();
        let named = |places: &[usize]| places.iter().map(|&at| Column::Index(at as i64)).collect::<Vec<_>>();
        let (wanted, targets) = (named(&order[..features]), named(&order[features..]));
        let all = NAMES.map(String::from).to_vec();
        let forms = order.iter().filter(|&&at| at < 2).map(|&at| (Column::Index(at as i64), all.clone())).collect();
        let given = Columns { numbers: GivenNumbers::Some(forms), ..Columns::default() };
        let missing = Missing::new(tokens);
        let schema =
            Schema::resolve(columns, "header", Some(&wanted), &Targets::one(&targets, None), missing, policy.0)
                .unwrap();
        Schema { on_error: policy.1, ..schema.with_columns(given).unwrap() }
    }

    /// Parses field by field.
    fn parse_naively(schema: &Schema, bytes: &str, tokens: &[&str]) -> Found {
        let forms = Forms::named(&NAMES).unwrap();
        let (mut found, mut rejects) = (vec![], vec![]);
        let mut start = 0;
        for line in bytes.split_inclusive('\n') {
            let row_start = start;
            start += line.len();
            let row: Vec<&str> = line.trim_end().split(',').collect();
            let (mut values, mut kept) = (vec![], true);
            let mut wrong: Option<usize> = None;
            for (wanted, column) in schema.wanted().into_iter().enumerate() {
                let word = row[column].trim().trim_matches('"').trim();
                let number = match column {
                    2 => match missing::value(row[2].as_bytes(), Dialect::default(), &Missing::new([""; 0])) {
                        Value::Number(number) => Some(number),
                        _ => None,
                    },
                    _ => forms.parse(word.as_bytes(), Dialect::default()),
                };
                let is_nan_word = column < 2 && word.contains("#QNAN") && tokens.contains(&"nan");
                let is_missing = word.is_empty() || tokens.contains(&word) || is_nan_word;
                let is_feature = wanted < schema.features.len();
                let value = if !is_missing {
                    number
                } else if is_feature || schema.missing_target != MissingTarget::Raise {
                    kept &= is_feature || schema.missing_target == MissingTarget::Keep;
                    Some(f32::NAN)
                } else {
                    None
                };
                match value {
                    Some(value) => values.push(value.to_bits()),
                    None => wrong = Some(wrong.map_or(column, |known| known.min(column))),
                }
            }
            let Some(column) = wrong else {
                found.extend(kept.then_some(values));
                continue;
            };
            let place = row_start + row[..column].iter().map(|field| field.len() + 1).sum::<usize>();
            if schema.on_error == OnError::Raise {
                return (found, Some((place, Some(column))), rejects);
            }
            rejects.push((place, Some(column), line.trim_end().to_owned(), found.len()));
        }
        (found, None, rejects)
    }

    proptest! {
        #![proptest_config(crate::checks::cases(400))]

        #[test]
        fn blocks_hold_the_values_of_the_forms(
            rows in prop::collection::vec(
                ["5%|12\\.25 %|-7\\.50%|\"7%\"|NA|| 1%|\\$3|1\\.#QNAN|0%|12345\\.678%", "\\(5\\.5\\)|\\$-7|-\\$3|\\(\\$4\\)|NA|8 EUR| €9|6%|\"\"|-1\\.#INF|€1e2|\\$12345678\\.25", "1|-2\\.5|NA|4"],
                1..40,
            ),
            wrong in prop::collection::vec((0_usize..120, "x|5|%|1\\.2\\.3%"), 0..4),
            order in Just([0_usize, 1, 2]).prop_shuffle(),
            (features, targets) in (1_usize..3, 0_usize..2),
            missing_target in prop::sample::select(&[MissingTarget::Raise, MissingTarget::Skip, MissingTarget::Keep]),
            on_error in prop::sample::select(&[OnError::Raise, OnError::Skip]),
            more in prop::sample::subsequence(vec!["nan", "0%", "5.5"], 0..=3),
        ) {
            let mut rows = rows;
            for (at, wrong) in wrong {
                if let Some(row) = rows.get_mut(at / 3) {
                    row[at % 3] = wrong;
                }
            }
            let text: String = rows.iter().map(|row| row.join(",") + "\n").collect();
            let tokens: Vec<&str> = [&["NA"], &more[..]].concat();
            let schema = schema(&order[..features + targets], features, &tokens, (missing_target, on_error));
            let expected = parse_naively(&schema, &text, &tokens);
            for simd in Simd::available() {
                prop_assert_eq!(parse(simd, &schema, &text), expected.clone(), "{:?} {}", simd, text);
            }
        }
    }
}
