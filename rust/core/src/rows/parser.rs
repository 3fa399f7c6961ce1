//! Parses a text into a block.

use std::sync::Arc;

use super::arrangement::Arrangement;
use super::group::Group;
use super::reading::Reading;
use super::rejects::Recording;
use super::swallowed::Likeness;
use super::{Block, Pool, Widths};
use crate::budget::Size;
use crate::choose::Chooser;
use crate::dialect::Dialect;
use crate::error::Error;
use crate::index::{self, BadRow, Index, Rows};
use crate::simd::Simd;
use crate::table::parts::Layout;
use crate::table::schema::{OnError, Schema};
use crate::text::Text;
use crate::value::number::{Notation, Plain};

/// How many fields are converted together, unless a single row has more: few enough for their values to stay in L1.
const GROUP: Size = Size { usual: 4096, small: 16 };

/// Parses texts into blocks. Each thread has one.
pub struct Parser {
    schema: Arc<Schema>,
    dialect: Dialect,
    simd: Simd,
    arrangement: Arrangement,
    /// The layout of the previous text, if its columns are not in the order of the schema.
    layout: Option<Layout>,
    index: Index,
    group: Group,
    recording: Recording,
    notation: Notation,
    plain: Plain,
}

impl Parser {
    /// A parser for texts of this schema and dialect.
    #[must_use]
    pub fn new(schema: &Arc<Schema>, dialect: Dialect, simd: Simd) -> Self {
        Self {
            schema: Arc::clone(schema),
            dialect,
            simd,
            arrangement: Arrangement::of(schema, None),
            layout: None,
            index: Index::skipping_bad_rows(schema.on_error == OnError::Skip),
            group: Group::default(),
            recording: Recording::default(),
            notation: Notation::of(dialect),
            plain: Plain::default(),
        }
    }

    /// Adapts the arrangement to the layout of a text.
    fn follow(&mut self, layout: Option<&Layout>) {
        let is_same = match (&self.layout, layout) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        };
        if !is_same {
            self.arrangement = Arrangement::of(&self.schema, layout);
            self.layout = layout.cloned();
        }
    }

    /// Sets which rejects are recorded.
    pub(crate) fn recording(self, recording: Recording) -> Self {
        Self { recording, ..self }
    }

    /// Parses a text up to the first wrong row that is not skipped, and returns the error of that row.
    pub fn parse(&mut self, text: &Text, pool: &Arc<Pool>) -> (Block, Option<Error>) {
        self.parse_chosen(text, pool, None)
    }

    /// Like [`Parser::parse`], but only for the chosen rows.
    pub(crate) fn parse_chosen(
        &mut self,
        text: &Text,
        pool: &Arc<Pool>,
        mut chooser: Option<&mut Chooser<'_>>,
    ) -> (Block, Option<Error>) {
        let widths = Widths::of(&self.schema);
        if self.schema.only_counts() && chooser.is_none() {
            let (rows, error) = index::count_rows(self.simd, text, self.dialect);
            let mut block = Block::with_capacity(pool, widths, 0);
            block.rows = rows;
            return (block, error);
        }
        self.follow(text.layout());
        let bad_row = self.fill_index(text);
        let schema = &*self.schema;
        let room = chooser.as_ref().map_or(self.index.rows(), |chooser| chooser.count());
        let mut block = Block::with_capacity(pool, widths, room);
        let reading = Reading {
            schema,
            dialect: self.dialect,
            simd: self.simd,
            arrangement: &self.arrangement,
            text,
            recording: self.recording,
        };
        let mut plain = None;
        let compares = chooser.as_ref().is_some_and(|chooser| chooser.compares_plain_numbers());
        if !self.notation.is_plain() && (compares || !self.arrangement.columns.is_empty()) {
            self.plain.fill(text.padded(), self.notation);
            plain = Some(&mut self.plain);
        }
        let mut passed_over = self.index.bad_rows().iter().peekable();
        let group_rows = (GROUP.get() / self.arrangement.columns.len().max(1)).max(1);
        for rows in self.index.groups(self.arrangement.fields, group_rows) {
            while let Some(bad) = passed_over.next_if(|bad| bad.place(text.padded()).start < rows.start(text.padded()))
            {
                pass_over(*bad, &reading, chooser.as_deref_mut(), &mut block);
            }
            let converted =
                self.group.convert(&reading, rows, plain.as_deref_mut(), chooser.as_deref_mut(), &mut block);
            if let Err(bad_field) = converted {
                return (block, Some(bad_field));
            }
        }
        for bad in passed_over {
            pass_over(*bad, &reading, chooser.as_deref_mut(), &mut block);
        }
        (block, bad_row)
    }

    /// Finds the fields of a text. Leaves out the quotes around them if fields that are read have any: if those of the
    /// previous text had.
    fn fill_index(&mut self, text: &Text) -> Option<Error> {
        let Arrangement { fields, columns, .. } = &self.arrangement;
        let bad_row = self.index.fill(self.simd, text, self.dialect, *fields, self.schema.reference);
        let rows = self.index.groups(*fields, 1).next();
        if let Some(rows) = rows.filter(|_| text.has_quotes()) {
            let bytes = text.padded();
            let first_byte = |column| bytes[rows.whole(bytes, rows.place(0, column)).start];
            let mut present = columns.iter().filter(|column| *column < fields);
            let is_any_quoted = present.any(|&column| Some(first_byte(column)) == self.dialect.quote);
            self.index.keep_quotes(!is_any_quoted);
        }
        let likeness = Likeness { schema: &self.schema, dialect: self.dialect, arrangement: &self.arrangement };
        likeness.end_before_swallowed(&mut self.index, text).or(bad_row)
    }

    /// Finds the rows of a text without reading their values, up to the first with wrong quotes or fields that is not
    /// skipped. Returns the number of rows and the error of that row.
    pub(crate) fn find_rows(&mut self, text: &Text) -> (usize, Option<Error>) {
        self.follow(text.layout());
        let bad_row = self.fill_index(text);
        (self.index.rows(), bad_row)
    }

    /// The rows of the latest text, unless its rows were only counted.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Rows<'_>> {
        self.index.groups(self.arrangement.fields, usize::MAX)
    }
}

/// Rejects a row with another number of fields, or with a wrong quote.
fn pass_over(bad: BadRow, reading: &Reading<'_>, chooser: Option<&mut Chooser<'_>>, block: &mut Block) {
    reading.record_row(bad, block);
    if let Some(chooser) = chooser {
        chooser.pass_over();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::oracle;
    use crate::rows::rejects::Reject;
    use crate::source::MemorySource;
    use crate::split::Splitter;
    use crate::table::ids::Ids;
    use crate::table::missing::Missing;
    use crate::table::missing::{self, Value};
    use crate::table::schema::MissingTarget;
    use crate::value::number::Forms;
    use proptest::prelude::*;

    const COMMA: Dialect = Dialect::new(b',', Some(b'"'));

    /// One field of each kind.
    const FIELD: &str = "1|-2\\.5|1e5|9|0\\.12345678901234567|-7\\.25e-01|\\+3| 4|\"5\"|NA|nan|\"\"||6";

    /// The values of each row, features first; the place of the first error, if it ends the rows; and for each reject
    /// its place, its row and the number of rows before it.
    pub(in super::super) type Found =
        (Vec<Vec<u32>>, Option<(usize, Option<usize>)>, Vec<(usize, Option<usize>, String, usize)>);

    pub(in super::super) fn parse(simd: Simd, schema: &Schema, bytes: &str) -> Found {
        let splitter = Splitter::new(simd, Arc::new(MemorySource::new(bytes.to_owned())), COMMA, 0, 1 << 20, 1 << 20);
        let mut text = Text::default();
        assert!(splitter.read(0, &mut text).unwrap());
        let recording = Recording { most: usize::MAX, rows: true };
        let (block, error) =
            Parser::new(&Arc::new(schema.clone()), COMMA, simd).recording(recording).parse(&text, &Pool::new(1));
        let widths = Widths::of(schema);
        let values = |row: usize| {
            let values = block.values(widths, row..row + 1).into_iter().flatten();
            values.map(|value| value.to_bits()).collect()
        };
        let place = |error: &Error| (error.offset.unwrap() as usize, error.column);
        let note = |reject: &Reject| {
            let (offset, column) = place(&reject.error);
            (offset, column, String::from_utf8(reject.row.clone()).unwrap(), reject.before)
        };
        let rejects: Vec<_> = block.rejects().list().iter().map(note).collect();
        assert_eq!(block.rejects().count(), rejects.len() as u64);
        ((0..block.rows).map(values).collect(), error.as_ref().map(place), rejects)
    }

    /// The same result, field by field.
    fn parse_naively(schema: &Schema, bytes: &str) -> Found {
        let wanted = [&schema.features[..], &schema.targets, &schema.weights].concat();
        let mut found = vec![];
        let mut rejects = vec![];
        let mut start = 0;
        for line in bytes.split_inclusive('\n') {
            let row_start = start;
            start += line.len();
            let Some(row) = oracle::rows(line.as_bytes(), COMMA).pop() else { continue };
            let place = |column: usize| row_start + row[..column].iter().map(|field| field.len() + 1).sum::<usize>();
            let (mut values, mut kept) = (vec![0; wanted.len()], true);
            let stray = row.iter().position(|field| field.starts_with(b"\"") && !field.ends_with(b"\""));
            let mut wrong = if let Some(column) = stray {
                Some((place(column), None))
            } else {
                (row.len() != schema.columns.len()).then_some((row_start, None))
            };
            // Of several wrong fields in a row, the first in the file counts.
            let mut order: Vec<_> = wanted.iter().copied().enumerate().collect();
            order.sort_by_key(|&(_, column)| column);
            for (at, column) in order {
                if wrong.is_some() {
                    break;
                }
                let is_feature = at < schema.features.len();
                match (missing::value(&row[column], COMMA, &schema.missing), schema.missing_target) {
                    (Value::Number(number), _) => values[at] = number.to_bits(),
                    (Value::Missing, MissingTarget::Skip) if !is_feature => kept = false,
                    (Value::Missing, mode) if is_feature || mode == MissingTarget::Keep => {
                        values[at] = schema.fill.get(at).unwrap_or(&f32::NAN).to_bits();
                    }
                    _ => wrong = Some((place(column), Some(column))),
                }
            }
            match (wrong, schema.on_error) {
                (Some(wrong), OnError::Raise) => return (found, Some(wrong), rejects),
                (Some((offset, column)), OnError::Skip) => {
                    rejects.push((offset, column, line.trim_end_matches(['\r', '\n']).to_owned(), found.len()));
                    continue;
                }
                (None, _) => {}
            }
            if schema.unit_weights {
                values.push(1_f32.to_bits());
            }
            found.extend(kept.then_some(values));
        }
        (found, None, rejects)
    }

    proptest! {
        #![proptest_config(crate::checks::cases(400))]

        #[test]
        fn blocks_hold_the_values_of_the_fields(
            rows in prop::collection::vec(
                (prop::collection::vec(FIELD, 4), "\n|\r\n|\n\n"),
                1..40,
            ),
            wrong in prop::collection::vec((0_usize..160, "x|1\\.2\\.3|1,2|\0|\"1\"x"), 0..8),
            // A column may be a feature and a target at once, as in an autoencoder.
            order in prop_oneof![Just([0_usize, 1, 2, 3]).prop_shuffle(), prop::array::uniform4(0_usize..4)],
            (features, targets) in (1_usize..3, 0_usize..3),
            weights in prop::collection::vec(0_usize..4, 0..4),
            missing_target in prop::sample::select(&[MissingTarget::Raise, MissingTarget::Skip, MissingTarget::Keep]),
            on_error in prop::sample::select(&[OnError::Raise, OnError::Skip]),
            token in prop::option::of(Just("9")),
            unit_weights: bool,
            fill in prop::collection::vec(prop_oneof![Just(f32::NAN), Just(f32::from_bits(0x7FC0_0001)), -9.0_f32..9.0], 0..=4),
        ) {
            let mut rows = rows;
            for (at, wrong) in wrong {
                if let Some((row, _)) = rows.get_mut(at / 4) {
                    row[at % 4] = wrong;
                }
            }
            let text: String = rows.iter().map(|(row, end)| row.join(",") + end).collect();
            let schema = Schema {
                columns: ["a", "b", "c", "d"].map(String::from).to_vec(),
                reference: "header",
                features: order[..features].to_vec(),
                targets: order[features..features + targets].to_vec(),
                weights: if targets > 0 { weights } else { vec![] },
                encodings: vec![],
                forms: Forms::default(),
                missing: Missing::new(["NA"].into_iter().chain(token)),
                missing_target,
                on_error,
                max_rejects: None,
                fill,
                unit_weights,
                ids: Ids::default(),
            };
            let whole = Schema { features: vec![0, 1, 2], targets: vec![3], weights: vec![], ..schema.clone() };
            for simd in Simd::available() {
                prop_assert_eq!(parse(simd, &schema, &text), parse_naively(&schema, &text), "{:?}", simd);
                prop_assert_eq!(parse(simd, &whole, &text), parse_naively(&whole, &text), "{:?}", simd);
            }
        }
    }
}
