//! The texts of ids, which travel with their rows.

use std::ops::Range;

use super::reading::{Reading, WrongField};
use crate::budget::out_of_memory;
use crate::error::Kind;
use crate::index::Rows;
use crate::table::ids::Id;
use crate::table::schema::OnError;

/// The texts of the ids of some rows, row by row.
#[derive(Debug, Default)]
pub struct IdTexts {
    /// Texts of a row. 0 if there are none.
    width: usize,
    bytes: Vec<u8>,
    /// The end of each text in `bytes`.
    ends: Vec<usize>,
}

impl IdTexts {
    /// The number of rows that have ids. Rows of padding have none, and come last.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.ends.len().checked_div(self.width).unwrap_or(0)
    }

    /// The text of an id of a row, in UTF-8.
    ///
    /// # Panics
    ///
    /// If there is no such row or id.
    #[must_use]
    pub fn text(&self, row: usize, number: usize) -> &[u8] {
        assert!(number < self.width);
        let at = row * self.width + number;
        &self.bytes[self.start(at)..self.ends[at]]
    }

    fn start(&self, at: usize) -> usize {
        at.checked_sub(1).map_or(0, |before| self.ends[before])
    }

    fn clear(&mut self, width: usize) {
        self.width = width;
        self.bytes.clear();
        self.ends.clear();
    }

    fn push(&mut self, text: &[u8]) {
        self.reserve(text.len(), 1);
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
    }

    /// Makes room for more texts. Ends the job on this thread if there is no memory.
    fn reserve(&mut self, bytes: usize, texts: usize) {
        if self.bytes.try_reserve(bytes).is_err() || self.ends.try_reserve(texts).is_err() {
            out_of_memory();
        }
    }

    /// Appends the texts of some rows, as far as they have ids.
    pub(super) fn extend_from(&mut self, other: &Self, rows: Range<usize>) {
        let end = rows.end.min(other.rows());
        if rows.start >= end {
            return;
        }
        self.width = other.width;
        let texts = rows.start * other.width..end * other.width;
        let (from, to) = (other.start(texts.start), other.ends[texts.end - 1]);
        self.reserve(to - from, texts.len());
        let before = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes[from..to]);
        self.ends.extend(other.ends[texts].iter().map(|end| end - from + before));
    }
}

impl Reading<'_> {
    /// Reads the ids of some rows, up to the first wrong one if errors are raised.
    pub(super) fn read_ids(&self, rows: Rows<'_>, texts: &mut IdTexts, wrong: &mut Vec<WrongField>) {
        let ids = &self.schema.ids.columns;
        texts.clear(ids.len());
        for row in 0..rows.count() {
            for (number, id) in ids.iter().enumerate() {
                let text = self.key(rows, row, id.column);
                texts.push(&text);
                let Err((kind, place)) = self.check_id(rows, row, *id, &text) else { continue };
                wrong.push(WrongField { row, at: self.arrangement.place_of_id(number), place, kind });
                if self.schema.on_error == OnError::Raise {
                    return;
                }
            }
        }
    }

    /// What is wrong with an id, and where it is.
    fn check_id(&self, rows: Rows<'_>, row: usize, id: Id, text: &[u8]) -> Result<(), (Kind, Range<usize>)> {
        let Some(field) = self.field_of(id.column) else {
            // The path of the part has it.
            let start = rows.line(self.text.padded(), row).start;
            return self.schema.check_id(id, text).map_err(|kind| (kind, start..start));
        };
        let place = rows.whole(self.text.padded(), rows.place(row, field));
        if self.dialect.has_space_before_quote(self.text.field(place.clone())) {
            return Err((Kind::SpaceBeforeQuote, place));
        }
        self.schema.check_id(id, text).map_err(|kind| (kind, place))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::dialect::Dialect;
    use crate::oracle;
    use crate::rows::rejects::Recording;
    use crate::rows::{Block, Parser, Pool, Widths};
    use crate::simd::Simd;
    use crate::source::MemorySource;
    use crate::split::Splitter;
    use crate::table::ids::IdKind;
    use crate::table::missing::Missing;
    use crate::table::schema::{Column, MissingTarget, Schema, Targets};
    use crate::text::Text;
    use proptest::prelude::*;

    const COMMA: Dialect = Dialect::new(b',', Some(b'"'));

    fn schema(order: &[usize], on_error: OnError) -> Schema {
        let columns = ["a", "b", "c", "d"].map(String::from).to_vec();
        let at = |column: usize| Column::Index(order[column] as i64);
        let targets = Targets::one(&[at(1)], None);
        let features = [at(0)];
        let schema =
            Schema::resolve(columns, "header", Some(&features), &targets, Missing::new(["NA"]), MissingTarget::Skip);
        let mut schema = schema.unwrap().with_ids(&[(at(2), IdKind::Text), (at(3), IdKind::Integer)], false).unwrap();
        schema.ids.are_kept = true;
        Schema { on_error, ..schema }
    }

    /// The rows, and the column of the wrong field that ends them.
    fn parse(simd: Simd, schema: &Schema, bytes: &str) -> (Block, Option<usize>) {
        let splitter = Splitter::new(simd, Arc::new(MemorySource::new(bytes.to_owned())), COMMA, 0, 1 << 20, 1 << 20);
        let mut text = Text::default();
        assert!(splitter.read(0, &mut text).unwrap());
        let recording = Recording { most: usize::MAX, rows: true };
        let (block, error) =
            Parser::new(&Arc::new(schema.clone()), COMMA, simd).recording(recording).parse(&text, &Pool::new(1));
        (block, error.map(|error| error.column.unwrap()))
    }

    /// The value of each kept row and its ids, and the column of the first wrong field that ends them.
    type Found = (Vec<(u32, String, String)>, Option<usize>);

    fn found(block: &Block) -> Vec<(u32, String, String)> {
        let text = |row, number| String::from_utf8(block.ids().text(row, number).to_vec()).unwrap();
        let value = |row| block.arrays().features.values(row..row + 1)[0].to_bits();
        (0..block.rows).map(|row| (value(row), text(row, 0), text(row, 1))).collect()
    }

    fn parse_naively(order: &[usize], on_error: OnError, bytes: &str) -> Found {
        let mut kept = vec![];
        for row in oracle::rows(bytes.as_bytes(), COMMA) {
            let inside = |column: usize| {
                let field = String::from_utf8(row[order[column]].clone()).unwrap();
                let inside = field.strip_prefix('"').and_then(|field| field.strip_suffix('"')).map(str::to_owned);
                inside.map_or(field, |inside| inside.replace("\"\"", "\"")).trim_matches([' ', '\t']).to_owned()
            };
            let number = |column: usize| match &*inside(column) {
                "" | "NA" => Some(f32::NAN),
                text => text.parse::<f32>().ok(),
            };
            let (value, target, order_id) = (number(0), number(1), inside(3).parse::<i64>().is_ok());
            let mut wrong: Vec<_> = [(0, value.is_none()), (1, target.is_none()), (3, !order_id)]
                .iter()
                .filter(|(_, is_wrong)| *is_wrong)
                .map(|&(at, _)| order[at])
                .collect();
            wrong.sort_unstable();
            match (wrong.first(), value, target) {
                (Some(&column), ..) if on_error == OnError::Raise => return (kept, Some(column)),
                (None, Some(value), Some(target)) if !target.is_nan() => {
                    kept.push((value.to_bits(), inside(2), inside(3)));
                }
                _ => {}
            }
        }
        (kept, None)
    }

    proptest! {
        #![proptest_config(crate::checks::cases(400))]

        #[test]
        fn ids_are_those_of_the_rows_that_are_kept(
            rows in prop::collection::vec((
                "1|2\\.5|-3|NA|x",
                "1|2|NA|\"3\"|y",
                "Ann|\"Bob, \"\"B\"\"\"| é |\"two\nlines\"||NA",
                "7|\"16777217\"| -5 |9007199254740993|x|1\\.5|",
            ), 1..40),
            order in Just([0_usize, 1, 2, 3]).prop_shuffle(),
            on_error in prop::sample::select(&[OnError::Raise, OnError::Skip]),
        ) {
            let text: String = rows
                .iter()
                .map(|(value, target, name, number)| {
                    let mut fields = [""; 4];
                    for (&at, field) in order.iter().zip([value, target, name, number]) {
                        fields[at] = field;
                    }
                    fields.join(",") + "\n"
                })
                .collect();
            let expected = parse_naively(&order, on_error, &text);
            let schema = schema(&order, on_error);
            for simd in Simd::available() {
                let (block, error) = parse(simd, &schema, &text);
                prop_assert_eq!(block.ids().rows(), block.rows);
                prop_assert_eq!((found(&block), error), expected.clone(), "{:?} {:?}", simd, text);
            }
        }

        #[test]
        fn ids_stay_with_their_rows_on_the_way(
            rows in 1_usize..30,
            cuts in prop::collection::vec((0_usize..30, 0_usize..30), 1..5),
            picked in prop::collection::vec((0_u32..2, 0_u32..30), 0..40),
        ) {
            let line = |row: usize| format!("{row},0,n{row}{},{row}\n", "x".repeat(row % 4));
            let text = (0..rows).map(line).collect::<Vec<_>>().concat();
            let schema = schema(&[0, 1, 2, 3], OnError::Raise);
            let widths = Widths::of(&schema);
            let is_right = |(value, name, number): &(u32, String, String)| {
                let row = f32::from_bits(*value) as usize;
                *number == row.to_string() && *name == format!("n{row}{}", "x".repeat(row % 4))
            };
            let (block, _) = parse(Simd::Portable, &schema, &text);
            let pool = Pool::new(1);
            let mut joined = Block::with_capacity(&pool, widths, 0);
            for (one, other) in cuts {
                joined.extend_from(widths, &block, one.min(other).min(rows)..one.max(other).min(rows));
            }
            prop_assert!(found(&joined).iter().all(is_right));
            prop_assert_eq!(joined.ids().rows(), joined.rows);
            let blocks = [&block, &joined];
            let picked: Vec<_> =
                picked.into_iter().filter(|&(at, row)| (row as usize) < blocks[at as usize].rows).collect();
            let mut gathered = Block::gather(&pool, widths, &blocks, &picked);
            prop_assert!(found(&gathered).iter().all(is_right));
            let before = gathered.rows;
            gathered.pad(widths, before + 3).unwrap();
            prop_assert_eq!(gathered.ids().rows(), before);
        }
    }
}
