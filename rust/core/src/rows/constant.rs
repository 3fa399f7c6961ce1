//! Columns without a field in a part. Their value comes from the path of the part, or is missing.

use std::result::Result;

use super::mixed::Mixed;
use super::reading::{Reading, WrongField};
use crate::dialect::{Dialect, Encoding};
use crate::error::Kind;
use crate::literal::literal;
use crate::table::missing::Missing;
use crate::table::missing::{self, Value};
use crate::table::parts::Place;
use crate::table::schema::{MissingTarget, OnError, Schema};
use crate::value::date::iso;
use crate::value::{Duration, ValueEncoding, boolean};

/// The notation of numbers in paths, whatever the dialect of the files.
pub(super) const PATHS: Dialect = Dialect::new(b'/', None);

impl Schema {
    /// The value of a column in every row of a part. `wanted` is its position among the features, targets and weight of
    /// a row. Returns `None` if the rows must be skipped.
    pub fn constant(&self, place: &Place, wanted: usize) -> Result<Option<f32>, Kind> {
        let Place::Value(value) = place else { return self.read_missing(wanted) };
        let word = value.trim_matches([' ', '\t']);
        if self.missing.contains_word(word) {
            return self.read_missing(wanted);
        }
        if let Some(ValueEncoding::Number(forms)) = self.encoding(wanted) {
            return self.read_form(*forms, word.as_bytes(), wanted, PATHS);
        }
        if let Some(ValueEncoding::List(list, place)) = self.encoding(wanted) {
            let word = word.as_bytes();
            let values = self.split_list(*list, word, self.wanted()[wanted])?;
            return self.read_list_value(&word[values[*place].clone()], *place, wanted, PATHS);
        }
        if let Some(encoding) = self.encoding(wanted) {
            return self.encode(word.as_bytes(), wanted, encoding);
        }
        match missing::value(word.as_bytes(), PATHS, &Missing::new([""; 0])) {
            Value::Number(number) => Ok(Some(number)),
            Value::Missing | Value::Other => Err(Kind::Number(self.advice(word.as_bytes(), self.wanted()[wanted]))),
        }
    }

    /// The value that replaces a missing value; `None` if its row must be skipped.
    pub(super) fn read_missing(&self, wanted: usize) -> Result<Option<f32>, Kind> {
        let filled = Ok(Some(self.missing_value(wanted)));
        let Some(target) = wanted.checked_sub(self.features.len()) else { return filled };
        match self.missing_target {
            MissingTarget::Keep => filled,
            MissingTarget::Skip => Ok(None),
            MissingTarget::Raise if target >= self.targets.len() => Err(Kind::MissingTarget("weight")),
            MissingTarget::Raise => Err(Kind::MissingTarget("target")),
        }
    }

    /// Advice about a word that should be a number.
    pub(super) fn advice(&self, word: &[u8], column: usize) -> String {
        const SHOWN: usize = 40;
        let name = self.quoted_name(column);
        if self.columns[column].as_bytes() == word {
            return "The row seems to be the header again: if several files were put together, on_error=\"skip\" leaves it \
                    out"
                .to_owned();
        }
        if self.missing.encoding() == Encoding::Latin1
            && let Some(code) = std::str::from_utf8(word).ok().and_then(Encoding::only_cp1252)
        {
            return format!(
                "Its byte 0x{:X} is {} in windows-1252 and no character of latin-1: the file may be encoding=\"windows-1252\"",
                code as u32,
                literal(&Encoding::Cp1252.character(code as u8).to_string())
            );
        }
        if word.split(u8::is_ascii_whitespace).count() > 3 {
            return format!(
                "If the column holds free text, leave it out with features=: csvfeed's batches hold only numbers. \
                 categories={{{name}: \"auto\"}} reads as codes what takes a few different values"
            );
        }
        let token = match std::str::from_utf8(word) {
            Ok(word) if word.len() <= SHOWN => literal(word),
            _ => "...".to_owned(),
        };
        if word.strip_prefix(b"-").unwrap_or(word).starts_with(b"1.#") {
            return format!(
                "Older C libraries of Microsoft write infinity and NaN so: missing=[*csvfeed.MISSING, {token}] reads it as \
                 missing"
            );
        }
        let what = if boolean(word).is_some() {
            format!("holds booleans, booleans=[{name}] reads them")
        } else if let Ok(moment) = iso(word) {
            let hour = if moment.is_midnight() { "" } else { ", \"hour\"" };
            format!("holds dates, dates={{{name}: [\"month\", \"weekday\"{hour}]}} reads their parts")
        } else if Duration::default().read(word).is_ok() {
            format!("holds durations, dates={{{name}: csvfeed.Duration()}} reads them as seconds")
        } else {
            format!("is text, categories={{{name}: \"auto\"}} reads it as codes")
        };
        format!(
            "If it is a mistake, correct the line, or leave such rows out with on_error=\"skip\". If the column {what}; \
             features= leaves the column out. If it means no value, add it with missing=[*csvfeed.MISSING, {token}]"
        )
    }
}

impl Reading<'_> {
    /// Writes the values of columns without fields into every row.
    pub(super) fn fill_constants(&self, mixed: &mut Mixed<'_>) {
        let width = self.arrangement.columns.len();
        for constant in &self.arrangement.constants {
            let at = constant.at;
            match constant.value {
                Ok(Some(value)) => mixed.values.chunks_exact_mut(width).for_each(|row| row[at] = value),
                Ok(None) => mixed.skipped.extend(0..mixed.rows.count()),
                Err(()) => self.record_wrong_constant(at, mixed),
            }
        }
    }

    /// Records that every row is wrong, or only the first if errors are raised.
    #[cold]
    fn record_wrong_constant(&self, at: usize, mixed: &mut Mixed<'_>) {
        let (column, wanted) = (self.arrangement.names[at], self.arrangement.places[at]);
        let place = self.text.layout().map_or(&Place::Absent, |layout| &layout.places[column]);
        let count = if self.schema.on_error == OnError::Raise { 1 } else { mixed.rows.count() };
        for row in 0..count {
            if let Err(kind) = self.schema.constant(place, wanted) {
                let start = mixed.rows.line(self.text.padded(), row).start;
                mixed.wrong.push(WrongField { row, at, place: start..start, kind });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::parser::tests::parse;
    use super::*;
    use crate::rows::rejects::Recording;
    use crate::rows::{Parser, Pool, Widths};
    use crate::simd::Simd;
    use crate::source::MemorySource;
    use crate::split::Splitter;
    use crate::table::Table;
    use crate::table::columns::{Columns, GivenCategories};
    use crate::table::parts::{Bytes, Part, PartColumns, Parts};
    use crate::table::schema::{Column, Targets};
    use crate::text::Text;
    use proptest::prelude::*;

    const COMMA: Dialect = Dialect::new(b',', Some(b'"'));

    /// The values of the rows, whether an error ends them, and how many kept rows precede each rejected row.
    type Found = (Vec<Vec<u32>>, bool, Vec<usize>);

    /// Reads a part that lacks some of the columns.
    fn parse_part(simd: Simd, schema: &Schema, text: &str, layout: PartColumns) -> Found {
        let bytes = Bytes::Source(Arc::new(MemorySource::new(text.to_owned())));
        let parts = Arc::new(Parts::new(vec![Part { bytes, data_start: 0, layout: Some(Arc::new(layout)) }]));
        let schema = Arc::new(schema.clone());
        let table = Table { parts, dialect: COMMA, schema: Arc::clone(&schema), simd };
        let splitter = Splitter::of(&table, 1 << 20, 1 << 20, false);
        let mut text = Text::default();
        assert!(splitter.read(0, &mut text).unwrap());
        let recording = Recording { most: usize::MAX, rows: true };
        let (block, error) = Parser::new(&schema, COMMA, simd).recording(recording).parse(&text, &Pool::new(1));
        let widths = Widths::of(&schema);
        let row = |row: usize| {
            let values = block.values(widths, row..row + 1).into_iter().flatten();
            values.map(|value| value.to_bits()).collect()
        };
        let rejects = block.rejects().list().iter().map(|reject| reject.before).collect();
        ((0..block.rows).map(row).collect(), error.is_some(), rejects)
    }

    fn schema(order: &[usize], features: usize, missing_target: MissingTarget, on_error: OnError) -> Schema {
        let columns = ["a", "b", "c", "d"].map(String::from).to_vec();
        let named = |places: &[usize]| places.iter().map(|&at| Column::Index(at as i64)).collect::<Vec<_>>();
        let (wanted, targets) = (named(&order[..features]), named(&order[features..]));
        let listed = GivenCategories::Listed(vec!["u".to_owned(), "v".to_owned()]);
        let categories = order.contains(&2).then_some((Column::Index(2), listed)).into_iter().collect();
        let booleans = named(&[3]).into_iter().filter(|_| order.contains(&3)).collect();
        let given = Columns { categories, booleans, ..Columns::default() };
        let missing = Missing::new(["NA"]);
        let schema =
            Schema::resolve(columns, "header", Some(&wanted), &Targets::one(&targets, None), missing, missing_target)
                .unwrap();
        Schema { on_error, ..schema.with_columns(given).unwrap() }
    }

    proptest! {
        #![proptest_config(crate::checks::cases(500))]

        /// A column without fields reads like a column that repeats the same text in every row.
        #[test]
        fn a_constant_equals_a_column_of_equal_fields(
            rows in prop::collection::vec(["1|2\\.5|NA||x", "7|-3|NA", "u|v|NA||w", "1|no|NA|maybe"], 1..40),
            places in prop::array::uniform4(prop::option::of("1|2\\.5|NA||x|u|v|no")),
            order in Just([0_usize, 1, 2, 3]).prop_shuffle(),
            fields in Just([0_usize, 1, 2, 3]).prop_shuffle(),
            (features, targets) in (1_usize..4, 0_usize..2),
            missing_target in prop::sample::select(&[MissingTarget::Raise, MissingTarget::Skip, MissingTarget::Keep]),
            on_error in prop::sample::select(&[OnError::Raise, OnError::Skip]),
        ) {
            let schema = schema(&order[..features + targets], features, missing_target, on_error);
            // A part has at least one field.
            let in_fields: Vec<usize> = fields.into_iter().filter(|&column| column == 0 || places[column].is_none()).collect();
            let place = |column: usize| match in_fields.iter().position(|&field| field == column) {
                Some(field) => Place::Field(field),
                None => match places[column].as_deref() {
                    None | Some("") => Place::Absent,
                    Some(value) => Place::Value(value.to_owned()),
                },
            };
            let layout = PartColumns { places: (0..4).map(place).collect(), fields: in_fields.len(), ends_empty: false };
            let whole = |row: &[String; 4]| {
                let field = |column: usize| match place(column) {
                    Place::Field(_) => row[column].clone(),
                    Place::Value(value) => value,
                    Place::Absent => String::new(),
                };
                (0..4).map(field).collect::<Vec<_>>().join(",") + "\n"
            };
            // A row with a single empty field would be a blank line.
            let part = |row: &[String; 4]| {
                let field = |&column: &usize| if row[column].is_empty() { "NA" } else { &*row[column] };
                in_fields.iter().map(field).collect::<Vec<_>>().join(",") + "\n"
            };
            let (whole, part): (String, String) = (rows.iter().map(whole).collect(), rows.iter().map(part).collect());
            for simd in Simd::available() {
                let (values, wrong, rejects) = parse(simd, &schema, &whole);
                let expected = (values, wrong.is_some(), rejects.iter().map(|reject| reject.3).collect());
                prop_assert_eq!(parse_part(simd, &schema, &part, layout.clone()), expected, "{}", part);
            }
        }
    }
}
