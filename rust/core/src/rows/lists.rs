//! Columns of lists of numbers. The values of all lists of a group are found first, and then converted together.

use std::borrow::Cow;
use std::ops::Range;
use std::result::Result;

use memchr::{memchr, memchr2};

use super::arrangement::EncodedColumn;
use super::mixed::{Lists, Mixed};
use super::reading::{Reading, WrongField};
use crate::dialect::{self, Dialect};
use crate::error::Kind;
use crate::fields::Fields;
use crate::literal::literal;
use crate::table::missing::{self, Value};
use crate::table::schema::{OnError, Schema};
use crate::value::number::{self, parse_exact};
use crate::value::{List, list};

/// The longest value that an error quotes, in bytes.
const SHOWN: usize = 40;

impl Reading<'_> {
    /// Reads a column of lists in the first `rows` rows.
    pub(super) fn read_lists(&self, column: &EncodedColumn, list: List, rows: usize, mixed: &mut Mixed<'_>) {
        let mut lists = std::mem::take(mixed.lists);
        self.find_lists(column, list, rows, mixed, &mut lists);
        let Lists { before, ends, rows: of, values, declined, careful, .. } = &mut lists;
        let count = of.len() * list.length;
        let fields = Fields { before: &before[..count], ends: &ends[..count] };
        let text = self.text.padded();
        values.resize(count, 0.0);
        declined.clear();
        let (bytes, places) = match &mut mixed.plain {
            Some(plain) => plain.fields(None, fields),
            None => (text, fields),
        };
        number::convert(self.simd, bytes, None, places, values, declined);
        let width = self.arrangement.columns.len();
        for (&row, values) in of.iter().zip(values.chunks_exact(list.length)) {
            for copy in column.values.chunks_exact(list.length) {
                mixed.values[row * width + copy[0].0..][..list.length].copy_from_slice(values);
            }
        }
        if self.schema.missing.has_numbers() {
            let tokens = values.iter().enumerate().filter(|(_, value)| self.schema.missing.may_be(**value));
            careful.extend(tokens.map(|(at, _)| of[at / list.length]));
        }
        let mut pending = None;
        for &at in &*declined {
            let (number, at_in_list) = (at as usize / list.length, at as usize % list.length);
            let row = of[number];
            if pending == Some(row) {
                continue;
            }
            let place = dialect::inside(text, None, fields.place(at as usize));
            // A run of spaces is one separator, so nothing is between two of them.
            let is_value = !place.is_empty() || list.separator != b' ';
            if !is_value || !self.schema.missing.contains_at(text, place) {
                careful.push(row);
                pending = Some(row);
                continue;
            }
            for copy in column.values.chunks_exact(list.length) {
                let (at, wanted) = copy[at_in_list];
                let field = mixed.rows.whole(text, mixed.rows.place(row, column.column));
                self.put(self.schema.read_missing(wanted), (row, at), field, mixed);
            }
        }
        careful.sort_unstable();
        careful.dedup();
        for &row in &*careful {
            if !self.read_list(column, list, row, mixed) && self.schema.on_error == OnError::Raise {
                break;
            }
        }
        *mixed.lists = lists;
    }

    /// Finds the values of the lists in the first `rows` rows.
    fn find_lists(&self, column: &EncodedColumn, list: List, rows: usize, mixed: &Mixed<'_>, lists: &mut Lists) {
        let Lists { index, before, ends, rows: of, careful, .. } = lists;
        of.clear();
        careful.clear();
        if rows == 0 {
            return;
        }
        // They keep their length, so that their tails are initialized only once.
        if before.len() < rows * list.length {
            before.resize(rows * list.length, 0);
            ends.resize(rows * list.length, 0);
        }
        let text = self.text.padded();
        let place = |row: usize| mixed.rows.place(row, column.column);
        index.fill(self.simd, text, place(0).start..place(rows - 1).end, list.separator);
        for (row, place) in mixed.rows.column(column.column).take(rows).enumerate() {
            let places = (&mut *before, &mut *ends, of.len() * list.length);
            let found = self
                .plain_list(place, list)
                .is_some_and(|place| index.find(text, list::inside(text, place), list, places));
            (if found { &mut *of } else { &mut *careful }).push(row);
        }
    }

    /// The text of a field without its quotes. `None` if it has quotes, escapes or line ends that need a closer look.
    #[inline]
    fn plain_list(&self, place: Range<usize>, list: List) -> Option<Range<usize>> {
        let text = self.text.padded();
        let field = &text[place.clone()];
        if self.dialect.escape.is_some_and(|escape| memchr(escape, field).is_some()) {
            return None;
        }
        match (self.dialect.quote, field) {
            (Some(quote), [opening, inside @ .., closing]) if [*opening, *closing] == [quote; 2] => {
                let is_plain = if list.separator == b' ' {
                    memchr(quote, inside).is_none()
                } else {
                    memchr2(quote, b'\n', inside).is_none()
                };
                is_plain.then_some(place.start + 1..place.end - 1)
            }
            (Some(quote), [first, ..]) if *first == quote => None,
            // The quotes around it may have been left out.
            (Some(_), field) if self.text.has_quotes() && list.separator != b' ' && memchr(b'\n', field).is_some() => {
                None
            }
            _ => Some(place),
        }
    }

    /// Reads the list in one row on the slow path. Returns whether it is right.
    #[inline(never)]
    fn read_list(&self, column: &EncodedColumn, list: List, row: usize, mixed: &mut Mixed<'_>) -> bool {
        let place = mixed.rows.whole(self.text.padded(), mixed.rows.place(row, column.column));
        let field = self.text.field(place.clone());
        if missing::is_missing(field, self.dialect, &self.schema.missing) {
            return column.values.iter().all(|&(at, wanted)| {
                let missing = self.schema.read_missing(wanted);
                self.put(missing, (row, at), place.clone(), mixed)
            });
        }
        let first = (row, column.values[0].0);
        if self.dialect.has_space_before_quote(field) {
            return self.put(Err(Kind::SpaceBeforeQuote), first, place, mixed);
        }
        let word: Cow<'_, [u8]> = self.dialect.text(field);
        let values = match self.schema.split_list(list, &word, self.arrangement.names[first.1]) {
            Ok(values) => values,
            Err(kind) => return self.put(Err(kind), first, place, mixed),
        };
        let bare = Dialect { quote: None, escape: None, ..self.dialect };
        values.into_iter().enumerate().all(|(at_in_list, range)| {
            column.values.chunks_exact(list.length).all(|copy| {
                let (at, wanted) = copy[at_in_list];
                let value = self.schema.read_list_value(&word[range.clone()], at_in_list, wanted, bare);
                self.put(value, (row, at), place.clone(), mixed)
            })
        })
    }

    /// Puts a value into a row, at its place in the arrangement. Returns whether it is right.
    pub(super) fn put(
        &self,
        value: Result<Option<f32>, Kind>,
        (row, at): (usize, usize),
        place: Range<usize>,
        mixed: &mut Mixed<'_>,
    ) -> bool {
        match value {
            Ok(Some(value)) => mixed.values[row * self.arrangement.columns.len() + at] = value,
            Ok(None) if mixed.skipped.last() == Some(&row) => {}
            Ok(None) => mixed.skipped.push(row),
            Err(kind) => {
                mixed.wrong.push(WrongField { row, at, place, kind });
                return false;
            }
        }
        true
    }
}

impl Schema {
    /// The places of the values of a list in the UTF-8 text of a field.
    pub(super) fn split_list(&self, list: List, word: &[u8], column: usize) -> Result<Vec<Range<usize>>, Kind> {
        let values: Vec<_> = list::items(word, 0..word.len(), list.separator).collect();
        let (found, expected) = (values.len(), list.length);
        if found == expected {
            return Ok(values);
        }
        let others = b" ,;|/:\t".iter().filter(|&&other| other != list.separator);
        let count = |separator: u8| list::items(word, 0..word.len(), separator).count();
        let advice = match others.copied().find(|&other| count(other) == expected && expected > 1) {
            Some(other) => format!(
                ": lists={{{}: csvfeed.List({expected}, separator={:?})}} finds as many",
                self.quoted_name(column),
                char::from(other).to_string()
            ),
            None if found > 1 && values.iter().all(|place| self.may_be_number(&word[place.clone()])) => {
                let separator = match list.separator {
                    b' ' => String::new(),
                    other => format!(", separator={:?}", char::from(other).to_string()),
                };
                format!(
                    ": if all lists have as many, lists={{{}: csvfeed.List({found}{separator})}} says so",
                    self.quoted_name(column)
                )
            }
            None => String::new(),
        };
        Err(Kind::ListLength { found, expected, advice })
    }

    /// Whether a value of a list is a number without quotes, or means that there is none.
    fn may_be_number(&self, value: &[u8]) -> bool {
        let bare = Dialect::new(b',', None);
        !matches!(missing::value(value, bare, &self.missing), Value::Other)
    }

    /// Reads a value of a list. `place` is its place in the list. Returns `None` if the row must be skipped.
    pub(super) fn read_list_value(
        &self,
        value: &[u8],
        place: usize,
        wanted: usize,
        dialect: Dialect,
    ) -> Result<Option<f32>, Kind> {
        match missing::value(value, dialect, &self.missing) {
            Value::Number(number) => Ok(Some(number)),
            Value::Missing => self.read_missing(wanted),
            Value::Other => {
                let shown = String::from_utf8_lossy(&value[..value.len().min(SHOWN)]).into_owned();
                let is_separated =
                    |last: u8, number| matches!(last, b',' | b';' | b'|') && parse_exact(number).is_some();
                let advice = match value.split_last() {
                    Some((&last, number)) if is_separated(last, number) => format!(
                        "If that separates the values, separator={:?} of csvfeed.List says so",
                        char::from(last).to_string()
                    ),
                    _ => format!(
                        "If it is a mistake, correct the line, or leave such rows out with on_error=\"skip\". If it means \
                         no value, add it with missing=[*csvfeed.MISSING, {}]",
                        literal(&shown)
                    ),
                };
                Err(Kind::ListValue { value: shown, place, advice })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parser::tests::{Found, parse};
    use super::*;
    use crate::oracle;
    use crate::simd::Simd;
    use crate::table::columns::{Columns, GivenList};
    use crate::table::missing::Missing;
    use crate::table::schema::{Column, MissingTarget, Targets};
    use proptest::prelude::*;

    const COMMA: Dialect = Dialect::new(b',', Some(b'"'));

    /// The fields of each column: lists of three values with spaces, lists of two with commas or semicolons, numbers.
    const FIELDS: [&str; 3] = [
        "0 255 13|7 8 9|1 2 3|\\[1 -2\\.5 1e3\\]|\\( 1   2 3 \\)| 4 5  6|\"7 8 9\"|\"[1 2\n 3]\"|NA||\"\"|1 NA 3|9 9 9|\
         0\\.12345678901234567 1\\.5 2\\.25|12345678901 1 2|1\t2 3",
        "1;2|\\[1\\.5; 2\\.5\\]|\"\\( -1 ;2\\)\"|NA|;|3;|NA;4| 5; 6 |9;9",
        "1|-2\\.5|NA||9",
    ];
    const LISTS: [List; 2] = [List { length: 3, separator: b' ' }, List { length: 2, separator: b';' }];

    fn schema(order: &[usize], features: usize, tokens: &[&str], policy: (MissingTarget, OnError)) -> Schema {
        let columns = ["a", "b", "c"].map(String::from).to_vec();
        let named = |places: &[usize]| places.iter().map(|&at| Column::Index(at as i64)).collect::<Vec<_>>();
        let (wanted, targets) = (named(&order[..features]), named(&order[features..]));
        let lists = LISTS.iter().enumerate().filter(|(at, _)| order.contains(at));
        let lists = lists.map(|(at, &list)| (Column::Index(at as i64), GivenList::Numbers(list))).collect();
        let missing = Missing::new(tokens);
        let schema =
            Schema::resolve(columns, "header", Some(&wanted), &Targets::one(&targets, None), missing, policy.0)
                .unwrap();
        Schema { on_error: policy.1, ..schema.with_columns(Columns { lists, ..Columns::default() }).unwrap() }
    }

    /// The texts of the values of a field.
    fn values(field: &str, list: List) -> Vec<&str> {
        let bare = |text: &'_ str, from, to| Some(text.strip_prefix(from)?.strip_suffix(to)?.len());
        let mut text = field.trim();
        if bare(text, '[', ']').or_else(|| bare(text, '(', ')')).is_some() {
            text = text[1..text.len() - 1].trim();
        }
        match list.separator {
            _ if text.is_empty() => vec![],
            b' ' => text.split_whitespace().collect(),
            separator => text.split(char::from(separator)).map(str::trim).collect(),
        }
    }

    /// Parses field by field and value by value.
    fn parse_naively(schema: &Schema, bytes: &str) -> Found {
        let (mut found, mut rejects) = (vec![], vec![]);
        let mut start = 0;
        for row in oracle::rows(bytes.as_bytes(), COMMA) {
            let row_start = start;
            let length = row.iter().map(|field| field.len() + 1).sum::<usize>();
            start += length;
            let (mut read, mut kept) = (vec![], true);
            let mut wrong: Option<usize> = None;
            let wanted = schema.wanted();
            let mut at = 0;
            while at < wanted.len() {
                let column = wanted[at];
                let word = String::from_utf8(dialect::unquote(&row[column], COMMA).into_owned()).unwrap();
                let count = LISTS.get(column).map_or(1, |list| list.length);
                let texts = match LISTS.get(column) {
                    _ if missing::is_missing(&row[column], COMMA, &schema.missing) => vec![""; count],
                    Some(list) => values(&word, *list),
                    None => vec![&*word],
                };
                let bare = Dialect::new(b',', None);
                let texts = if texts.len() == count { texts } else { vec!["x"; count] };
                for (place, text) in texts.into_iter().enumerate() {
                    let value = match missing::value(text.as_bytes(), bare, &schema.missing) {
                        Value::Number(number) => Some(number),
                        Value::Missing if at + place < schema.features.len() => {
                            Some(schema.fill.get(at + place).copied().unwrap_or(f32::NAN))
                        }
                        Value::Missing if schema.missing_target != MissingTarget::Raise => {
                            kept &= schema.missing_target == MissingTarget::Keep;
                            Some(schema.fill.get(at + place).copied().unwrap_or(f32::NAN))
                        }
                        _ => None,
                    };
                    match value {
                        Some(value) => read.push(value.to_bits()),
                        None => wrong = Some(wrong.map_or(column, |known| known.min(column))),
                    }
                }
                at += count;
            }
            let Some(column) = wrong else {
                found.extend(kept.then_some(read));
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
        fn blocks_hold_the_values_of_lists(
            rows in prop::collection::vec(FIELDS, 1..40),
            wrong in prop::collection::vec((0_usize..120, "x|1 2|1 2 3 4|1 x 3|1;|1;x|;;|\\[1 2 3|\\[\\]|1  2"), 0..4),
            order in Just([0_usize, 1, 2]).prop_shuffle(),
            (features, targets) in (1_usize..3, 0_usize..2),
            is_shared in any::<bool>(),
            missing_target in prop::sample::select(&[MissingTarget::Raise, MissingTarget::Skip, MissingTarget::Keep]),
            on_error in prop::sample::select(&[OnError::Raise, OnError::Skip]),
            more in prop::sample::subsequence(vec!["9", "2", "1e3"], 0..=2),
            fill in prop::collection::vec(prop_oneof![Just(f32::NAN), -9.0_f32..9.0], 0..=4),
        ) {
            let mut rows = rows;
            for (at, wrong) in wrong {
                if let Some(row) = rows.get_mut(at / 3) {
                    row[at % 3] = wrong;
                }
            }
            let text: String = rows.iter().map(|row| row.join(",") + "\n").collect();
            let tokens: Vec<&str> = [&["NA"], &more[..]].concat();
            let mut order = order[..features + targets].to_vec();
            if is_shared && targets > 0 {
                // A column that is both a feature and a target.
                order[features] = order[0];
            }
            let schema = schema(&order, features, &tokens, (missing_target, on_error));
            let schema = Schema { fill, ..schema };
            let expected = parse_naively(&schema, &text);
            for simd in Simd::available() {
                prop_assert_eq!(parse(simd, &schema, &text), expected.clone(), "{:?} {}", simd, text);
            }
        }

        /// Long lists cross many chunks of the index.
        #[test]
        fn long_lists_hold_their_values(
            values in prop::collection::vec(prop_oneof![(0_u32..256).prop_map(|n| n.to_string()), any::<f32>().prop_map(|n| format!("{n:?}"))], 1..300),
            separator in prop::sample::select(vec![" ", "  ", ";", "; ", "\t", "|", " ,"]),
            [in_brackets, is_last] in any::<[bool; 2]>(),
        ) {
            let joined = values.join(separator);
            let joined = if in_brackets { format!("[{joined}]") } else { joined };
            let joined = if separator.contains(',') { format!("\"{joined}\"") } else { joined };
            let text = if is_last { format!("1,{joined}\n2,{joined}\n") } else { format!("{joined},1\n{joined},2\n") };
            let byte = separator.trim_matches(' ').bytes().next().unwrap_or(b' ');
            let list = List { length: values.len(), separator: byte };
            let columns = ["a", "b"].map(String::from).to_vec();
            let missing = Missing::new(["NA"]);
            let schema = Schema::resolve(columns, "header", None, &Targets::default(), missing, MissingTarget::Raise);
            let lists = vec![(Column::Index(i64::from(is_last)), GivenList::Numbers(list))];
            let schema = schema.unwrap().with_columns(Columns { lists, ..Columns::default() }).unwrap();
            let values: Vec<f32> = values.iter().map(|value| value.parse().unwrap()).collect();
            let row = |number: f32| {
                let row = if is_last { [&[number], &values[..]].concat() } else { [&values[..], &[number]].concat() };
                row.into_iter().map(f32::to_bits).collect::<Vec<_>>()
            };
            for simd in Simd::available() {
                let (found, error, _) = parse(simd, &schema, &text);
                prop_assert_eq!(error, None);
                let is_nan = |bits: &u32| f32::from_bits(*bits).is_nan();
                for (found, expected) in found.iter().zip([row(1.0), row(2.0)]) {
                    prop_assert_eq!(found.len(), expected.len());
                    let same = found.iter().zip(&expected).all(|(one, other)| one == other || is_nan(one) && is_nan(other));
                    prop_assert!(same, "{:?} {}", simd, text);
                }
            }
        }
    }

    #[test]
    fn wrong_lists_are_refused_with_a_reason() {
        let message = |list: List, field: &str| {
            let columns = vec!["a".to_owned()];
            let schema =
                Schema::resolve(columns, "header", None, &Targets::default(), Missing::default(), MissingTarget::Raise)
                    .unwrap();
            let lists = vec![(Column::Index(0), GivenList::Numbers(list))];
            let schema = schema.with_columns(Columns { lists, ..Columns::default() }).unwrap();
            let word = field.as_bytes();
            let read = schema.split_list(list, word, 0).and_then(|values| {
                let read = |(at, place): (usize, Range<usize>)| {
                    schema.read_list_value(&word[place], at, at, Dialect::new(b',', None))
                };
                values.into_iter().enumerate().try_for_each(|value| read(value).map(drop))
            });
            read.unwrap_err().to_string()
        };
        let space = |length| List { length, separator: b' ' };
        assert_eq!(
            message(space(3), "1 2"),
            "the list has 2 values where lists= says 3: if all lists have as many, lists={\"a\": csvfeed.List(2)} says so"
        );
        let found = message(List { length: 3, separator: b'|' }, "1|2");
        assert!(found.ends_with("lists={\"a\": csvfeed.List(2, separator=\"|\")} says so"), "{found}");
        assert_eq!(message(space(3), "1 x"), "the list has 2 values where lists= says 3");
        assert_eq!(message(space(3), "1"), "the list has 1 value where lists= says 3");
        let found = message(space(3), "1|2|3");
        assert!(found.ends_with("says 3: lists={\"a\": csvfeed.List(3, separator=\"|\")} finds as many"), "{found}");
        let found = message(space(2), "1 x");
        assert!(found.starts_with("value 1 of the list, counted from 0, is \"x\", which is not a number. If it is"));
        let found = message(space(2), "[1, 2]");
        assert!(found.starts_with("value 0 of the list, counted from 0, is \"1,\", which is not a number. If that"));
    }
}
