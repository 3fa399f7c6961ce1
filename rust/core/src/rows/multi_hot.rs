//! Columns of lists of categories. Each category of the column is a value of the row: 1 if the list has it, otherwise 0.

use std::ops::Range;
use std::result::Result;

use super::arrangement::EncodedColumn;
use super::mixed::Mixed;
use super::reading::Reading;
use crate::dialect;
use crate::error::Kind;
use crate::table::missing;
use crate::table::schema::{OnError, Schema};
use crate::value::{MultiHot, Vocabulary, is_utf8, list};

/// The longest item that an error quotes, in bytes.
const SHOWN: usize = 40;

impl Reading<'_> {
    /// Reads a column of lists of categories in the first `rows` rows.
    pub(super) fn read_multi_hot(&self, column: &EncodedColumn, lists: &MultiHot, rows: usize, mixed: &mut Mixed<'_>) {
        let (text, width) = (self.text.padded(), self.arrangement.columns.len());
        let Some(known) = lists.vocabulary() else {
            // Rows are counted before the categories are known.
            for row in 0..rows {
                column.values.iter().for_each(|&(at, _)| mixed.values[row * width + at] = 0.0);
            }
            return;
        };
        let is_literal = self.dialect.is_literal();
        for row in 0..rows {
            let place = mixed.rows.place(row, column.column);
            let plain = if is_literal { dialect::plain(text, self.dialect.quote, place) } else { None };
            let is_read =
                plain.filter(|plain| !self.schema.missing.contains_at(text, plain.clone())).is_some_and(|plain| {
                    let values = &mut mixed.values[row * width..][..width];
                    mark(column, known, values, text, plain, lists.separator)
                });
            if !is_read && !self.read_items(column, lists, known, row, mixed) && self.schema.on_error == OnError::Raise
            {
                return;
            }
        }
    }

    /// Reads the list in one row on the slow path. Returns whether it is right.
    #[inline(never)]
    fn read_items(
        &self,
        column: &EncodedColumn,
        lists: &MultiHot,
        known: &Vocabulary,
        row: usize,
        mixed: &mut Mixed<'_>,
    ) -> bool {
        let place = mixed.rows.whole(self.text.padded(), mixed.rows.place(row, column.column));
        let field = self.text.field(place.clone());
        if missing::is_missing(field, self.dialect, &self.schema.missing) {
            return column.values.iter().all(|&(at, wanted)| {
                let missing = self.schema.read_missing(wanted);
                self.put(missing, (row, at), place.clone(), mixed)
            });
        }
        if self.dialect.has_space_before_quote(field) {
            return self.put(Err(Kind::SpaceBeforeQuote), (row, column.values[0].0), place, mixed);
        }
        let (word, width) = (self.dialect.text(field), self.arrangement.columns.len());
        let values = &mut mixed.values[row * width..][..width];
        mark(column, known, values, &word, 0..word.len(), lists.separator);
        let mut targets = column.values.iter().filter(|(_, wanted)| *wanted >= self.schema.features.len());
        match self.schema.unknown_item(lists, known, &word) {
            Some(_) if !is_utf8(&word) => self.put(Err(Kind::CategoryNotUtf8), (row, column.values[0].0), place, mixed),
            Some(item) => targets.all(|&(at, wanted)| {
                let value = self.schema.read_missing(wanted).map_err(|_| not_a_class(item, known));
                self.put(value, (row, at), place.clone(), mixed)
            }),
            None => true,
        }
    }
}

/// Writes 1 for each category that a list has into the values of its row, and 0 for the others. Returns whether all items
/// of the list are known.
#[inline]
fn mark(
    column: &EncodedColumn,
    known: &Vocabulary,
    values: &mut [f32],
    text: &[u8],
    place: Range<usize>,
    separator: u8,
) -> bool {
    for copy in column.values.chunks_exact(known.count()) {
        values[copy[0].0..][..copy.len()].fill(0.0);
    }
    let mut all_known = true;
    for item in list::names(text, place, separator) {
        match known.code_at(text, item) {
            0 => all_known = false,
            code => {
                for copy in column.values.chunks_exact(known.count()) {
                    values[copy[code as usize - 1].0] = 1.0;
                }
            }
        }
    }
    all_known
}

fn not_a_class(item: &[u8], known: &Vocabulary) -> Kind {
    let item = String::from_utf8_lossy(&item[..item.len().min(SHOWN)]).into_owned();
    Kind::ListClass { item, known: known.shown() }
}

impl Schema {
    /// The first item of a list that is no category and does not mean "no value".
    fn unknown_item<'t>(&self, lists: &MultiHot, known: &Vocabulary, word: &'t [u8]) -> Option<&'t [u8]> {
        let mut items = list::names(word, 0..word.len(), lists.separator).map(|place| &word[place]);
        items.find(|item| known.code(item) == 0 && !self.missing.contains_utf8(item))
    }

    /// Whether the category at `place` is in a list, as 1 or 0. Returns `None` if the row must be skipped.
    pub(super) fn encode_multi_hot(
        &self,
        lists: &MultiHot,
        place: usize,
        word: &[u8],
        wanted: usize,
    ) -> Result<Option<f32>, Kind> {
        let Some(known) = lists.vocabulary() else { return Ok(Some(0.0)) };
        if wanted >= self.features.len()
            && let Some(item) = self.unknown_item(lists, known, word)
        {
            return self.read_missing(wanted).map_err(|_| not_a_class(item, known));
        }
        let has = |item: Range<usize>| known.code(&word[item]) as usize == place + 1;
        let is_in = list::names(word, 0..word.len(), lists.separator).any(has);
        Ok(Some(f32::from(u8::from(is_in))))
    }
}

#[cfg(test)]
mod tests {
    use super::super::parser::tests::{Found, parse};
    use super::*;
    use crate::dialect::Dialect;
    use crate::oracle;
    use crate::simd::Simd;
    use crate::table::columns::{Columns, GivenCategories, GivenList};
    use crate::table::missing::Missing;
    use crate::table::schema::{Column, MissingTarget, Targets};
    use proptest::prelude::*;

    const COMMA: Dialect = Dialect::new(b',', Some(b'"'));
    const KNOWN: [&str; 4] = ["drama", "a long category of its own", "x", "it's"];

    fn schema(order: &[usize], features: usize, policy: (MissingTarget, OnError)) -> Schema {
        let columns = ["a", "b"].map(String::from).to_vec();
        let named = |places: &[usize]| places.iter().map(|&at| Column::Index(at as i64)).collect::<Vec<_>>();
        let (wanted, targets) = (named(&order[..features]), named(&order[features..]));
        let known = GivenCategories::Listed(KNOWN.map(String::from).to_vec());
        let lists = order.contains(&0).then_some((Column::Index(0), GivenList::Categories(known, b'|')));
        let given = Columns { lists: lists.into_iter().collect(), ..Columns::default() };
        let missing = Missing::new(["NA"]);
        let schema =
            Schema::resolve(columns, "header", Some(&wanted), &Targets::one(&targets, None), missing, policy.0)
                .unwrap();
        Schema { on_error: policy.1, ..schema.with_columns(given).unwrap() }
    }

    /// Parses field by field.
    fn parse_naively(schema: &Schema, bytes: &str, order: &[usize], features: usize) -> Found {
        let (mut found, mut rejects) = (vec![], vec![]);
        let mut start = 0;
        for row in oracle::rows(bytes.as_bytes(), COMMA) {
            let row_start = start;
            let length = row.iter().map(|field| field.len() + 1).sum::<usize>();
            start += length;
            let (mut values, mut kept) = (vec![], true);
            let mut wrong: Option<usize> = None;
            for (at, &column) in order.iter().enumerate() {
                let is_feature = at < features;
                let word = String::from_utf8(dialect::unquote(&row[column], COMMA).into_owned()).unwrap();
                let word = word.strip_prefix('[').and_then(|word| word.strip_suffix(']')).unwrap_or(&word);
                let count = if column == 0 { KNOWN.len() } else { 1 };
                let items: Vec<&str> = word.split('|').map(str::trim).filter(|item| !item.is_empty()).collect();
                let is_missing = missing::is_missing(&row[column], COMMA, &schema.missing);
                let is_unknown = column == 0 && items.iter().any(|item| !KNOWN.contains(item) && *item != "NA");
                let lacks = is_missing || is_unknown && !is_feature;
                if !lacks && column == 0 {
                    values.extend(KNOWN.iter().map(|known| f32::from(u8::from(items.contains(known))).to_bits()));
                } else if !lacks {
                    match word.parse::<f32>() {
                        Ok(number) => values.push(number.to_bits()),
                        Err(_) => wrong = Some(wrong.map_or(column, |known| known.min(column))),
                    }
                } else if is_feature {
                    let missing: f32 = if column == 0 { 0.0 } else { f32::NAN };
                    values.extend(vec![missing.to_bits(); count]);
                } else if schema.missing_target == MissingTarget::Raise {
                    wrong = Some(wrong.map_or(column, |known| known.min(column)));
                } else {
                    kept &= schema.missing_target == MissingTarget::Keep;
                    values.extend(vec![f32::NAN.to_bits(); count]);
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
            let text = bytes[row_start..row_start + length - 1].to_owned();
            rejects.push((place, Some(column), text, found.len()));
        }
        (found, None, rejects)
    }

    proptest! {
        #![proptest_config(crate::checks::cases(600))]

        #[test]
        fn blocks_hold_the_categories_of_lists(
            rows in prop::collection::vec(
                (
                    "drama|drama\\|x|x \\| drama\\|\\|| it's |\"a long category of its own\\|x\"|\\[x\\|drama\\]|NA||\"\"|\
                     nothing\\|x|NA\\|x|\\||\\[\\]|X|\"x\\|\"\"y\"\"\"",
                    "1|-2\\.5|NA|x",
                ),
                1..40,
            ),
            order in prop::sample::select(vec![vec![0_usize], vec![1, 0], vec![0, 1], vec![1, 0, 0], vec![0, 0], vec![0, 1, 0]]),
            targets in 0_usize..2,
            missing_target in prop::sample::select(&[MissingTarget::Raise, MissingTarget::Skip, MissingTarget::Keep]),
            on_error in prop::sample::select(&[OnError::Raise, OnError::Skip]),
        ) {
            let text: String = rows.iter().map(|(list, number)| [list, ",", number, "\n"].concat()).collect();
            // Among the features and among the targets, a column has one place.
            let is_shared = order.iter().filter(|&&column| column == 0).count() > 1;
            let features = if is_shared { order.len() - 1 } else { (order.len() - targets).max(1) };
            let schema = schema(&order, features, (missing_target, on_error));
            let expected = parse_naively(&schema, &text, &order, features);
            for simd in Simd::available() {
                prop_assert_eq!(parse(simd, &schema, &text), expected.clone(), "{:?} {}", simd, text);
            }
        }
    }
}
