//! Fields of a group that are not plain numbers, read one by one in place.

use std::ops::Range;
use std::sync::Arc;

use super::arrangement::EncodedColumn;
use super::mixed::Mixed;
use super::reading::{Reading, WrongField};
use crate::dialect;
use crate::dialect::UTF8_BOM;
use crate::error::Kind;
use crate::table::missing;
use crate::table::schema::{OnError, Schema};
use crate::value::{
    Buckets, Categories, ValueEncoding, Vocabulary, boolean, boolean_at, bucket, date, is_utf8, is_utf8_at,
};

impl Reading<'_> {
    /// Reads the encoded columns.
    pub(super) fn read_encoded(&self, mixed: &mut Mixed<'_>) {
        for column in &self.arrangement.encoded {
            let mut rows = mixed.rows.count();
            if self.schema.on_error == OnError::Raise
                && let Some(first) = mixed.wrong.iter().min_by_key(|wrong| (wrong.row, wrong.at))
            {
                // Only what precedes the first error counts, including columns before it in its row.
                rows = first.row + usize::from(column.values[0].0 < first.at);
            }
            self.read_column(column, rows, mixed);
        }
    }

    /// Reads a column in the first `rows` rows.
    fn read_column(&self, column: &EncodedColumn, rows: usize, mixed: &mut Mixed<'_>) {
        let Self { schema, text, .. } = *self;
        let bytes = text.padded();
        let is_missing = |place: &Range<usize>| schema.missing.contains_at(bytes, place.clone());
        let same = |value: &f32, (): &()| *value;
        let numbered = |place: &f32, before_first: &f32| place - before_first;
        // If a column is both a feature and a target, both use the same categories.
        let Some(encoding) = schema.encoding(column.values[0].1) else { return };
        match encoding {
            ValueEncoding::Category(categories) | ValueEncoding::Class(categories) => match categories {
                Categories::Listed(vocabulary) | Categories::Found(vocabulary) => {
                    // Categories and missing tokens are disjoint.
                    let code = |place| Some(vocabulary.code_at(bytes, place)).filter(|&code| code > 0);
                    let code = |place| code(place).map(|code| code as f32);
                    let mut pending = std::mem::take(&mut mixed.rewritten.pending);
                    self.read_words(column, vocabulary, rows, mixed, &mut pending);
                    let others = pending.iter().copied();
                    self.read_fields(column, others, mixed, code, ValueEncoding::before_first, numbered);
                    mixed.rewritten.pending = pending;
                }
                Categories::Hashed(buckets) => {
                    let buckets = Buckets::new(*buckets);
                    let bucket = |place| bucket(&bytes[place], buckets);
                    // The fast path handles plain fields only. A quote at the start of such a field follows a space.
                    let is_quote = |place: &Range<usize>| Some(bytes[place.start]) == self.dialect.quote;
                    let is_marked = |place: &Range<usize>| bytes[place.clone()].starts_with(UTF8_BOM);
                    let is_plain = |place: &Range<usize>| {
                        !is_missing(place) && !is_quote(place) && !is_marked(place) && is_utf8_at(bytes, place)
                    };
                    let bucket = |place| is_plain(&place).then(|| bucket(place));
                    self.read_fields(column, 0..rows, mixed, bucket, ValueEncoding::before_first, numbered);
                }
                Categories::Unread => self.read_fields(column, 0..rows, mixed, |_| None, |_| (), same),
            },
            ValueEncoding::Boolean => {
                let number = |place| boolean_at(bytes, &place).map(|is_true| f32::from(u8::from(is_true)));
                let number = |place| (!is_missing(&place)).then(|| number(place))?;
                self.read_fields(column, 0..rows, mixed, number, |_| (), same);
            }
            ValueEncoding::Date(date, _) => {
                let moment = |place| date.read(&bytes[place]).ok();
                // Usually no missing token has a digit.
                let has_digits = schema.missing.has_digits();
                let is_date = |place: &Range<usize>| !has_digits && bytes[place.start].is_ascii_digit();
                let moment = |place| (is_date(&place) || !is_missing(&place)).then(|| moment(place))?;
                let value = |moment: &date::Moment, encoding: &&ValueEncoding| match encoding {
                    ValueEncoding::Date(date, part) => date.part(moment, *part),
                    _ => f32::NAN,
                };
                let mut pending = std::mem::take(&mut mixed.rewritten.pending);
                self.read_alike(column, date, rows, mixed, &mut pending);
                self.read_fields(column, pending.iter().copied(), mixed, moment, |encoding| encoding, value);
                mixed.rewritten.pending = pending;
            }
            ValueEncoding::Duration(duration) => {
                let length = |place| duration.read(&bytes[place]).ok().map(|nanos| duration.value(nanos));
                let length = |place| (!is_missing(&place)).then(|| length(place))?;
                self.read_fields(column, 0..rows, mixed, length, |_| (), same);
            }
            ValueEncoding::Number(forms) => self.read_forms(column, *forms, rows, mixed),
            ValueEncoding::List(list, _) => self.read_lists(column, *list, rows, mixed),
            ValueEncoding::MultiHot(lists, _) => self.read_multi_hot(column, lists, rows, mixed),
        }
    }

    /// Reads the fields of a column in some rows. `fast_path` parses most of them, and `value` converts its result with what
    /// `prepare` takes from the encoding.
    #[inline(always)]
    fn read_fields<'a, T, E>(
        &'a self,
        column: &EncodedColumn,
        rows: impl Iterator<Item = usize>,
        mixed: &mut Mixed<'_>,
        fast_path: impl Fn(Range<usize>) -> Option<T>,
        prepare: impl Fn(&'a ValueEncoding) -> E,
        value: impl Fn(&T, &E) -> f32,
    ) {
        let (bytes, quote) = (self.text.padded(), self.dialect.quote);
        let width = self.arrangement.columns.len();
        let is_literal = self.dialect.is_literal();
        let encodings: Vec<_> = column
            .values
            .iter()
            .filter_map(|&(at, wanted)| Some((at, prepare(self.schema.encoding(wanted)?))))
            .collect();
        for row in rows {
            let place = mixed.rows.place(row, column.column);
            let plain = if is_literal { dialect::plain(bytes, quote, place) } else { None };
            if let Some(found) = plain.and_then(&fast_path) {
                if let [(at, encoding)] = &encodings[..] {
                    mixed.values[row * width + at] = value(&found, encoding);
                    continue;
                }
                let values = &mut mixed.values[row * width..][..width];
                for (at, encoding) in &encodings {
                    values[*at] = value(&found, encoding);
                }
            } else if !self.read_row(column, row, mixed) {
                return;
            }
        }
    }

    /// Reads the fields of a column in some rows on the slow path. Stops at the first error unless wrong rows are skipped.
    pub(super) fn read_rows(&self, column: &EncodedColumn, rows: &[usize], mixed: &mut Mixed<'_>) {
        for &row in rows {
            if !self.read_row(column, row, mixed) {
                return;
            }
        }
    }

    /// Reads the field of a column in one row on the slow path. Returns whether to go on with the next row.
    #[inline(never)]
    fn read_row(&self, column: &EncodedColumn, row: usize, mixed: &mut Mixed<'_>) -> bool {
        let width = self.arrangement.columns.len();
        let place = mixed.rows.whole(self.text.padded(), mixed.rows.place(row, column.column));
        for &(at, wanted) in &column.values {
            let Some(encoding) = self.schema.encoding(wanted) else { continue };
            match self.encode_carefully(self.text.field(place.clone()), wanted, encoding) {
                Ok(Some(value)) => mixed.values[row * width + at] = value,
                Ok(None) => mixed.skipped.push(row),
                Err(kind) => {
                    mixed.wrong.push(WrongField { row, at, place, kind });
                    return self.schema.on_error == OnError::Skip;
                }
            }
        }
        true
    }

    /// Encodes any field. `wanted` is its position among the features, targets and weight of its row. Returns `None` if
    /// the row must be skipped.
    fn encode_carefully(
        &self,
        field: &[u8],
        wanted: usize,
        encoding: &ValueEncoding,
    ) -> std::result::Result<Option<f32>, Kind> {
        if missing::is_missing(field, self.dialect, &self.schema.missing) {
            return self.schema.read_missing(wanted);
        }
        if self.dialect.has_space_before_quote(field) {
            return Err(Kind::SpaceBeforeQuote);
        }
        let word = self.dialect.text(field);
        match encoding {
            ValueEncoding::Number(forms) => self.schema.read_form(*forms, &word, wanted, self.dialect),
            encoding => self.schema.encode(&word, wanted, encoding),
        }
    }
}

impl Schema {
    /// Encodes a word. `wanted` is its position among the features, targets and weight of its row.
    pub(super) fn encode(
        &self,
        word: &[u8],
        wanted: usize,
        encoding: &ValueEncoding,
    ) -> std::result::Result<Option<f32>, Kind> {
        let value = match encoding {
            ValueEncoding::Category(categories) | ValueEncoding::Class(categories) => match categories {
                Categories::Listed(vocabulary) | Categories::Found(vocabulary) => match vocabulary.code(word) {
                    // What is found is UTF-8, because the categories are.
                    0 if !is_utf8(word) => return Err(Kind::CategoryNotUtf8),
                    0 if matches!(encoding, ValueEncoding::Class(_)) => return self.unknown_class(wanted, vocabulary),
                    place => encoding.numbered(place as f32),
                },
                Categories::Hashed(_) if !is_utf8(word) => return Err(Kind::CategoryNotUtf8),
                Categories::Hashed(buckets) => encoding.numbered(bucket(word, Buckets::new(*buckets))),
                // Rows are counted before the categories are known. The value does not matter then.
                Categories::Unread => 0.0,
            },
            ValueEncoding::Boolean => match boolean(word) {
                Some(is_true) => f32::from(u8::from(is_true)),
                None => return Err(Kind::Boolean(self.quoted_name(self.wanted()[wanted]))),
            },
            ValueEncoding::Date(date, part) => match date.read(word) {
                Ok(moment) => date.part(&moment, *part),
                Err(wrong) => return Err(date.error(wrong, word)),
            },
            ValueEncoding::Duration(duration) => match duration.read(word) {
                Ok(nanos) => duration.value(nanos),
                Err(wrong) => return Err(duration.error(wrong)),
            },
            ValueEncoding::MultiHot(lists, place) => return self.encode_multi_hot(lists, *place, word, wanted),
            // `read_form` and `read_list_value` handle these, because they need the dialect and may be missing.
            ValueEncoding::Number(_) | ValueEncoding::List(..) => return Err(Kind::Internal),
        };
        Ok(Some(value))
    }

    /// A target outside its classes is treated like a missing target.
    fn unknown_class(&self, wanted: usize, classes: &Arc<Vocabulary>) -> std::result::Result<Option<f32>, Kind> {
        self.read_missing(wanted).map_err(|_| Kind::Class(classes.shown()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::parser::tests::{Found, parse};
    use super::*;
    use crate::dialect::Dialect;
    use crate::oracle;
    use crate::simd::Simd;
    use crate::table::columns::{Columns, GivenCategories, GivenDate};
    use crate::table::missing::Missing;
    use crate::table::missing::Value;
    use crate::table::schema::{Column, MissingTarget, Targets};
    use proptest::prelude::*;

    const COMMA: Dialect = Dialect::new(b',', Some(b'"'));
    const LISTED: [&str; 4] = ["UA", "a long category", "a\"b", "a\"\"b"];

    /// The fields of each column: categories, hashed categories, booleans, dates, numbers.
    const FIELDS: [&str; 5] = [
        "UA| UA |\"UA\"|\"a long category\"|\"a\"\"b\"|\"a\"\"\"\"b\"|ua||NA|\" \"|unknown|é",
        "x|yy|\"a \"\"long\"\" one\"|\"x\"| x|NA|",
        "true|False| yes|\"NO\"|1|0|On|off|NA||\"y\"",
        "2013-01-31|2013-02-28 05:06:07| 20131231T2359|\"2013-12-31 00:00:00Z\"|NA||\" \"|9999-12-31",
        "1|-2\\.5|NA|| 4|\"5\"",
    ];
    const PARTS: [&str; 3] = ["days", "hour", "dayofyear"];

    /// The schema, and for each value its column and its part of a date.
    fn schema(order: &[usize], features: usize, missing_target: MissingTarget, fill: Vec<f32>) -> Schema {
        let columns = ["a", "b", "c", "d", "e"].map(String::from).to_vec();
        let named = |places: &[usize]| places.iter().map(|&at| Column::Index(at as i64)).collect::<Vec<_>>();
        // A target has one part.
        let is_target = |column| order[features..].contains(&column);
        let is_read = |column: usize| order.contains(&column);
        let parts = if is_target(3) { &PARTS[..1] } else { &PARTS };
        let listed = GivenCategories::Listed(LISTED.map(String::from).to_vec());
        let date = GivenDate { parts: parts.iter().copied().map(String::from).collect(), format: None, since: None };
        let given = Columns {
            categories: [(0, listed), (1, GivenCategories::Buckets(7))]
                .into_iter()
                .filter(|(at, _)| is_read(*at))
                .map(|(at, given)| (Column::Index(at as i64), given))
                .collect(),
            booleans: named(&[2]).into_iter().filter(|_| is_read(2)).collect(),
            dates: is_read(3).then_some((Column::Index(3), date)).into_iter().collect(),
            ..Columns::default()
        };
        let (wanted, targets) = (named(&order[..features]), named(&order[features..]));
        let missing = Missing::new(["NA", "9999-12-31"]);
        let schema =
            Schema::resolve(columns, "header", Some(&wanted), &Targets::one(&targets, None), missing, missing_target)
                .unwrap();
        Schema { fill, ..schema.with_columns(given).unwrap() }
    }

    /// Parses field by field, without any of the optimizations.
    fn parse_naively(schema: &Schema, bytes: &str) -> Found {
        let (mut found, mut rejects) = (vec![], vec![]);
        let mut start = 0;
        for line in bytes.split_inclusive('\n') {
            let row_start = start;
            start += line.len();
            let row = oracle::rows(line.as_bytes(), COMMA).pop().unwrap();
            let (mut values, mut kept) = (vec![], true);
            let mut wrong: Option<usize> = None;
            for (wanted, column) in schema.wanted().into_iter().enumerate() {
                let is_feature = wanted < schema.features.len();
                let text = dialect::unquote(&row[column], COMMA).into_owned();
                let word = String::from_utf8(text.clone()).unwrap();
                let is_missing = ["", "NA", "9999-12-31"].contains(&&*word);
                let value = if is_missing {
                    kept &= is_feature || schema.missing_target != MissingTarget::Skip;
                    let usual = if is_feature && column < 2 { 0.0 } else { f32::NAN };
                    let refused = !is_feature && schema.missing_target == MissingTarget::Raise;
                    (!refused).then(|| schema.fill.get(wanted).copied().unwrap_or(usual))
                } else {
                    // Codes start at 1 because 0 means unknown; classes start at 0.
                    let first = usize::from(is_feature);
                    match column {
                        0 => match LISTED.iter().position(|known| *known == word) {
                            None if !is_feature => {
                                kept &= schema.missing_target != MissingTarget::Skip;
                                let is_refused = schema.missing_target == MissingTarget::Raise;
                                (!is_refused).then(|| schema.fill.get(wanted).copied().unwrap_or(f32::NAN))
                            }
                            at => Some(at.map_or(0.0, |at| (first + at) as f32)),
                        },
                        1 => Some((first as u64 + xxhash_rust::xxh3::xxh3_64(&text) % 7) as f32),
                        2 => match word.to_lowercase().as_str() {
                            "true" | "yes" | "1" | "on" | "y" => Some(1.0),
                            "false" | "no" | "0" | "off" => Some(0.0),
                            _ => None,
                        },
                        3 => match (schema.encoding(wanted), date::iso(&text)) {
                            (Some(ValueEncoding::Date(date, part)), Ok(moment)) => Some(date.part(&moment, *part)),
                            _ => None,
                        },
                        _ => match missing::value(&row[column], COMMA, &schema.missing) {
                            Value::Number(number) => Some(number),
                            _ => None,
                        },
                    }
                };
                match value {
                    Some(value) => values.push(value.to_bits()),
                    None => wrong = Some(wrong.map_or(column, |known| known.min(column))),
                }
            }
            if let Some(column) = wrong {
                let place = row_start + row[..column].iter().map(|field| field.len() + 1).sum::<usize>();
                if schema.on_error == OnError::Raise {
                    return (found, Some((place, Some(column))), rejects);
                }
                rejects.push((place, Some(column), line.trim_end().to_owned(), found.len()));
                continue;
            }
            found.extend(kept.then_some(values));
        }
        (found, None, rejects)
    }

    proptest! {
        #![proptest_config(crate::checks::cases(600))]

        #[test]
        fn blocks_hold_the_values_of_encoded_fields(
            rows in prop::collection::vec(FIELDS, 1..40),
            wrong in prop::collection::vec((0_usize..160, "x|1\\.2\\.3|2013-02-30|20131|nope"), 0..3),
            order in Just([0_usize, 1, 2, 3, 4]).prop_shuffle(),
            (features, targets) in (1_usize..5, 0_usize..3),
            is_shared in any::<bool>(),
            missing_target in prop::sample::select(&[MissingTarget::Raise, MissingTarget::Skip, MissingTarget::Keep]),
            on_error in prop::sample::select(&[OnError::Raise, OnError::Skip]),
            fill in prop::collection::vec(prop_oneof![Just(f32::NAN), -9.0_f32..9.0], 0..=4),
        ) {
            let mut rows = rows;
            for (at, wrong) in wrong {
                if let Some(row) = rows.get_mut(at / 5) {
                    row[at % 5] = wrong;
                }
            }
            let text: String = rows.iter().map(|row| row.join(",") + "\n").collect();
            let mut wanted = order[..(features + targets).min(5)].to_vec();
            if is_shared && wanted.len() > features {
                // A column that is both a feature and a target.
                wanted[features] = wanted[0];
            }
            let schema = schema(&wanted, features, missing_target, fill);
            let schema = Schema { on_error, ..schema };
            let expected = parse_naively(&schema, &text);
            for simd in Simd::available() {
                prop_assert_eq!(parse(simd, &schema, &text), expected.clone(), "{:?}", simd);
            }
        }
    }
}
