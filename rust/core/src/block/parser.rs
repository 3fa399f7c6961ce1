//! A text to a block.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::coded::{Coded, Mixed};
use super::{Block, Pool, Widths};
use crate::code::{Categories, Code, boolean, date::iso};
use crate::dialect::Dialect;
use crate::error::{Error, Kind, Result};
use crate::index::{self, BadRow, Index, Rows};
use crate::number::{self, Notation, Plain, Value, WINDOW};
use crate::parts::Layout;
use crate::rejects::{Noting, Reject};
use crate::schema::{MissingTarget, OnError, Schema};
use crate::selection::Chooser;
use crate::simd::Simd;
use crate::split::Text;

/// Fields that are converted together, as long as a row has no more: few enough for their values to stay in L1; tiny in
/// debug builds, as blocks are.
const GROUP: usize = if cfg!(debug_assertions) { 16 } else { 4096 };

/// Which columns are read, and where their values go.
pub(super) struct Arrangement {
    /// The columns, in the order of the file, so that fields are converted where they stand if all are wanted.
    pub(super) columns: Vec<usize>,
    /// What they are in the schema, where the file has them in another order.
    pub(super) names: Vec<usize>,
    /// For each of them, its place among a row's features, targets and weight, one after the other.
    places: Vec<usize>,
    /// Which of them make up the features, the targets and the weight: runs of neighbours.
    pub(super) parts: [Vec<Range<usize>>; 3],
    /// Which of them are numbers, and the columns of these.
    numbers: Vec<usize>,
    number_columns: Vec<usize>,
    /// The others.
    pub(super) coded: Vec<Coded>,
}

impl Arrangement {
    /// `layout` says where the columns of the schema are, if not in its order.
    fn of(schema: &Schema, layout: Option<&Layout>) -> Self {
        let roles = [&schema.features[..], &schema.targets, schema.weight.as_slice()];
        let wanted = schema.wanted();
        let position = |place: usize| layout.map_or(wanted[place], |layout| layout[wanted[place]]);
        let mut places: Vec<usize> = (0..wanted.len()).collect();
        places.sort_by_key(|&place| position(place));
        let columns: Vec<usize> = places.iter().map(|&place| position(place)).collect();
        let names = places.iter().map(|&place| wanted[place]).collect();
        let numbers: Vec<usize> = (0..places.len()).filter(|&at| schema.code(places[at]).is_none()).collect();
        let number_columns = numbers.iter().map(|&at| columns[at]).collect();
        let coded = Coded::of(schema, &columns, &places);
        let mut found_at = vec![0; places.len()];
        for (at, &place) in places.iter().enumerate() {
            found_at[place] = at;
        }
        let mut rest = &found_at[..];
        let parts = roles.map(|role| {
            let part;
            (part, rest) = rest.split_at(role.len());
            part.chunk_by(|one, next| one + 1 == *next).map(|run| run[0]..run[0] + run.len()).collect()
        });
        Self { columns, names, places, parts, numbers, number_columns, coded }
    }
}

/// Turns texts into blocks; one for each thread.
pub struct Parser<'a> {
    schema: &'a Schema,
    dialect: Dialect,
    simd: Simd,
    arrangement: Arrangement,
    /// Where the columns of the text before were, if not in the order of the schema.
    layout: Option<Layout>,
    index: Index,
    group: Group,
    noting: Noting,
    notation: Notation,
    plain: Plain,
}

impl<'a> Parser<'a> {
    /// For texts of that schema and dialect, with those instructions.
    #[must_use]
    pub fn new(schema: &'a Schema, dialect: Dialect, simd: Simd) -> Self {
        Self {
            schema,
            dialect,
            simd,
            arrangement: Arrangement::of(schema, None),
            layout: None,
            index: Index::passing_over(schema.on_error == OnError::Skip),
            group: Group::default(),
            noting: Noting::default(),
            notation: Notation::of(dialect),
            plain: Plain::default(),
        }
    }

    /// Goes by where the columns of a text are.
    fn follow(&mut self, layout: Option<&Layout>) {
        let is_same = match (&self.layout, layout) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        };
        if !is_same {
            self.arrangement = Arrangement::of(self.schema, layout);
            self.layout = layout.cloned();
        }
    }

    /// The same, which notes some of the rows that are left out as wrong.
    pub(crate) fn noting(self, noting: Noting) -> Self {
        Self { noting, ..self }
    }

    /// The rows of a text up to the first that is wrong and not left out, and what is wrong with that one.
    pub fn parse(&mut self, text: &Text, pool: &Arc<Pool>) -> (Block, Option<Error>) {
        self.parse_chosen(text, pool, None)
    }

    /// The same of the rows that are chosen.
    pub(crate) fn parse_chosen(
        &mut self,
        text: &Text,
        pool: &Arc<Pool>,
        mut chooser: Option<Chooser<'_>>,
    ) -> (Block, Option<Error>) {
        let schema = self.schema;
        let widths = Widths::of(schema);
        if schema.only_counts() && chooser.is_none() {
            let (rows, error) = index::count_rows(self.simd, text, self.dialect);
            let mut block = Block::with_capacity(pool, widths, 0);
            block.rows = rows;
            return (block, error);
        }
        self.follow(text.layout());
        let columns = schema.columns.len();
        let bad_row = self.index.fill(self.simd, text, self.dialect, columns, schema.reference);
        let room = chooser.as_ref().map_or(self.index.rows(), Chooser::count);
        let mut block = Block::with_capacity(pool, widths, room);
        let reading = Reading {
            schema,
            dialect: self.dialect,
            simd: self.simd,
            arrangement: &self.arrangement,
            text,
            noting: self.noting,
        };
        let mut plain = None;
        if !self.notation.is_plain() && !self.arrangement.columns.is_empty() {
            self.plain.fill(text.padded(), self.notation);
            plain = Some(&mut self.plain);
        }
        let mut passed_over = self.index.bad_rows().iter().peekable();
        let group_rows = (GROUP / self.arrangement.columns.len().max(1)).max(1);
        for rows in self.index.groups(columns, group_rows) {
            while let Some(bad) = passed_over.next_if(|bad| bad.place(text.padded()).start < rows.start()) {
                reading.note_row(*bad, &mut block);
            }
            let converted = self.group.convert(&reading, rows, plain.as_deref_mut(), chooser.as_mut(), &mut block);
            if let Err(bad_field) = converted {
                return (block, Some(bad_field));
            }
        }
        passed_over.for_each(|bad| reading.note_row(*bad, &mut block));
        (block, bad_row)
    }
}

/// What is read, and how.
pub(super) struct Reading<'a> {
    pub(super) schema: &'a Schema,
    pub(super) dialect: Dialect,
    simd: Simd,
    pub(super) arrangement: &'a Arrangement,
    pub(super) text: &'a Text,
    noting: Noting,
}

/// The buffers that a group of rows passes through.
#[derive(Default)]
struct Group {
    /// Where the wanted numbers start and end, unless they are all there is.
    before: Vec<u32>,
    ends: Vec<u32>,
    values: Vec<f32>,
    /// The same values and, between them, what is read of columns that hold no numbers.
    mixed: Vec<f32>,
    /// The fields that are not plain numbers.
    declined: Vec<u32>,
    /// The rows that are chosen, unless all are, and their marks and ends.
    chosen: Vec<usize>,
    chosen_marks: Vec<u32>,
    chosen_ends: Vec<u32>,
    /// The fields that are not what they should be: of a row at most one for each way of reading.
    wrong: Vec<WrongField>,
    /// The rows that are left out as wrong, for want of a target or weight, or because they are not chosen.
    left_out: Vec<usize>,
}

/// A field that is not what its column is read as.
pub(super) struct WrongField {
    pub(super) row: usize,
    /// Its place among the columns of the arrangement.
    pub(super) at: usize,
    pub(super) place: Range<usize>,
    pub(super) kind: Kind,
}

impl Group {
    /// Appends a group of rows, up to the first that is wrong and not left out.
    fn convert(
        &mut self,
        reading: &Reading<'_>,
        all: Rows<'_>,
        plain: Option<&mut Plain>,
        mut chooser: Option<&mut Chooser<'_>>,
        block: &mut Block,
    ) -> Result<()> {
        let Reading { schema, simd, arrangement, text, .. } = *reading;
        let key = |row, column| reading.key(all, row, column);
        let width = arrangement.columns.len();
        // Where some rows do not count, that has to be known before the others are chosen among.
        let choose_first = !schema.leaves_out() || width == 0;
        let mut rows = all;
        if let Some(chooser) = chooser.take_if(|_| choose_first) {
            self.chosen.clear();
            self.chosen.extend(0..all.count());
            chooser.choose(&mut self.chosen, key);
            if self.chosen.len() < all.count() {
                rows = all.only(&self.chosen, &mut self.chosen_marks, &mut self.chosen_ends);
            }
        }
        if width == 0 {
            block.rows += rows.count();
            return Ok(());
        }
        let numbers = arrangement.numbers.len();
        let as_they_stand = arrangement.number_columns.iter().copied().eq(0..schema.columns.len());
        let fields = if as_they_stand {
            rows.fields()
        } else {
            rows.pick(simd, &arrangement.number_columns, &mut self.before, &mut self.ends)
        };
        let count = rows.count() * numbers;
        if self.values.len() < count {
            self.values.resize(count, 0.0);
        }
        let values = &mut self.values[..count];
        self.declined.clear();
        let quote = reading.dialect.quote;
        let (bytes, places) = plain.map_or((text.padded(), fields), |plain| plain.fields(quote, fields));
        number::convert(simd, bytes, quote, places, values, &mut self.declined);
        if schema.missing.has_numbers() {
            let tokens = values.iter().enumerate().filter(|(_, value)| schema.missing.may_be(**value));
            self.declined.extend(tokens.map(|(at, _)| at as u32));
            self.declined.sort_unstable();
        }
        self.left_out.clear();
        self.wrong.clear();
        let mut row = 0;
        let mut rejected = None;
        for &at in &self.declined {
            let at = at as usize;
            // They are in order, and often many: a division for each would take longer than the rest.
            while at >= (row + 1) * numbers {
                row += 1;
            }
            if rejected == Some(row) {
                continue;
            }
            let place = fields.place(at);
            let at_column = arrangement.numbers[at - row * numbers];
            let (column, wanted) = (arrangement.names[at_column], arrangement.places[at_column]);
            if wanted < schema.features.len() && reading.is_missing(place.clone()) {
                // A missing feature is one, whatever else is.
                values[at] = schema.missing_value(wanted);
                continue;
            }
            match reading.read_with_care(place.clone(), column, wanted) {
                Ok(Some(value)) => values[at] = value,
                Ok(None) => leave_out(row, &mut self.left_out),
                Err(kind) => {
                    self.wrong.push(WrongField { row, at: at_column, place, kind });
                    if schema.on_error == OnError::Raise {
                        break;
                    }
                    // What else is wrong with it does not matter.
                    rejected = Some(row);
                }
            }
        }
        if !arrangement.coded.is_empty() {
            self.mixed.resize(rows.count() * width, 0.0);
            if numbers > 0 {
                for (mixed, numbers) in self.mixed.chunks_exact_mut(width).zip(values.chunks_exact(numbers)) {
                    arrangement.numbers.iter().zip(numbers).for_each(|(&at, &number)| mixed[at] = number);
                }
            }
            let (left_out, wrong) = (&mut self.left_out, &mut self.wrong);
            reading.read_codes(&mut Mixed { rows, values: &mut self.mixed, left_out, wrong });
        }
        let (kept, error) = settle(&mut self.wrong, &mut self.left_out, reading, rows, block);
        let values = if arrangement.coded.is_empty() { &self.values } else { &self.mixed };
        if let Some(chooser) = chooser {
            self.chosen.clear();
            let mut left_out = self.left_out.iter().peekable();
            self.chosen.extend((0..kept).filter(|row| left_out.next_if_eq(&row).is_none()));
            chooser.choose(&mut self.chosen, key);
            let mut chosen = self.chosen.iter().peekable();
            self.left_out.clear();
            self.left_out.extend((0..kept).filter(|row| chosen.next_if_eq(&row).is_none()));
        }
        let widths = Widths::of(schema);
        let mut first = 0;
        for &row in self.left_out.iter().chain([&kept]) {
            block.extend(widths, arrangement, &values[first.min(row) * width..row * width]);
            first = row + 1;
        }
        error.map_or(Ok(()), Err)
    }
}

/// Leaves the rows out that are wrong, and notes them; or says how many come before the first of them, and what is wrong
/// with it.
fn settle(
    wrong: &mut Vec<WrongField>,
    left_out: &mut Vec<usize>,
    reading: &Reading<'_>,
    rows: Rows<'_>,
    block: &mut Block,
) -> (usize, Option<Error>) {
    let Reading { schema, arrangement, .. } = *reading;
    let mut error = None;
    let mut kept = rows.count();
    if !wrong.is_empty() {
        // Of several in a row, the first counts; but what is found in the file lacks a category only where something else
        // is wrong with the row.
        let is_found = |wrong: &WrongField| {
            let code = schema.code(arrangement.places[wrong.at]);
            matches!((&wrong.kind, code), (Kind::Category, Some(Code::Category(Categories::Found(_)))))
        };
        wrong.sort_by_key(|wrong| (wrong.row, is_found(wrong), wrong.at));
        wrong.dedup_by_key(|wrong| wrong.row);
        if schema.on_error == OnError::Raise {
            let WrongField { row, at, place, kind } = wrong.swap_remove(0);
            kept = row;
            error = Some(reading.wrong_field(kind, place, arrangement.names[at]));
            left_out.retain(|&row| row < kept);
        } else {
            left_out.extend(wrong.iter().map(|wrong| wrong.row));
        }
    }
    if !wrong.is_empty() || !arrangement.coded.is_empty() {
        left_out.sort_unstable();
        left_out.dedup();
    }
    if schema.on_error == OnError::Skip {
        for wrong in wrong.drain(..) {
            let row = wrong.row;
            let before = block.rows + row - left_out.partition_point(|&left_out| left_out < row);
            reading.note_field(wrong, rows.line(row), before, block);
        }
    }
    (kept, error)
}

/// Appends the row, which may lack both its target and its weight, to those that are left out.
fn leave_out(row: usize, left_out: &mut Vec<usize>) {
    if left_out.last() != Some(&row) {
        left_out.push(row);
    }
}

impl Reading<'_> {
    /// What a column says in one of the rows.
    fn key(&self, rows: Rows<'_>, row: usize, column: usize) -> Cow<'_, [u8]> {
        let column = self.text.layout().map_or(column, |layout| layout[column]);
        self.dialect.text(&self.text.padded()[rows.place(row, column)])
    }

    /// Whether a field is seen to be missing at first sight.
    #[inline]
    fn is_missing(&self, place: Range<usize>) -> bool {
        let text = self.text.padded();
        // What is quoted takes more than one look.
        self.dialect.quote != Some(text[place.start]) && self.schema.missing.contains_at(text, place)
    }

    /// The value of a field that is not a plain number, `wanted` being its place among the features, targets and weight
    /// of its row; `None` when its row is to be left out, and what is wrong when it has none.
    #[cold]
    fn read_with_care(
        &self,
        place: Range<usize>,
        column: usize,
        wanted: usize,
    ) -> std::result::Result<Option<f32>, Kind> {
        let field = &self.text.padded()[place];
        match number::value(field, self.dialect, &self.schema.missing) {
            Value::Number(number) => Ok(Some(number)),
            Value::Missing => self.missing(column, wanted),
            Value::Other if field.contains(&0) => Err(Kind::Nul),
            Value::Other => Err(match number::other_notation(field, self.dialect) {
                Some(notation) => Kind::Notation(notation),
                None => Kind::Number(self.advice(field, column)),
            }),
        }
    }

    /// What a missing value becomes; `None` when its row is to be left out.
    pub(super) fn missing(&self, column: usize, wanted: usize) -> std::result::Result<Option<f32>, Kind> {
        let filled = Ok(Some(self.schema.missing_value(wanted)));
        if wanted < self.schema.features.len() {
            return filled;
        }
        match self.schema.missing_target {
            MissingTarget::Keep => filled,
            MissingTarget::Skip => Ok(None),
            MissingTarget::Raise if self.schema.weight == Some(column) => Err(Kind::MissingTarget("weight")),
            MissingTarget::Raise => Err(Kind::MissingTarget("target")),
        }
    }

    /// What to do about a field that should be a number and is none.
    fn advice(&self, field: &[u8], column: usize) -> String {
        const SHOWN: usize = 40;
        let word = self.dialect.text(field);
        let name = self.schema.quoted_name(column);
        let what = if boolean(&word).is_some() {
            format!("holds booleans, booleans=[{name}] reads them")
        } else if iso(&word).is_ok() {
            format!("holds dates, dates={{{name}: [\"month\", \"weekday\", \"hour\"]}} reads their parts")
        } else {
            format!("is text, categories={{{name}: \"auto\"}} reads it as codes")
        };
        let token = match std::str::from_utf8(&word) {
            Ok(word) if word.len() <= SHOWN => format!("{word:?}"),
            _ => "...".to_owned(),
        };
        format!(
            "If the column {what}, and features= leaves it out; if this means no value, add it with \
             missing=[*csvfeed.MISSING, {token}]"
        )
    }

    /// The error for a field.
    fn wrong_field(&self, kind: Kind, place: Range<usize>, column: usize) -> Error {
        let offset = self.text.offset + (place.start - WINDOW) as u64;
        self.dialect.error(kind, offset, &self.text.padded()[place]).in_column(column)
    }

    /// Notes a row that is left out for one of its fields, with so many rows of the block before it.
    #[cold]
    fn note_field(&self, wrong: WrongField, row: Range<usize>, before: usize, block: &mut Block) {
        let WrongField { at, place, kind, .. } = wrong;
        block.rejects.add(self.noting, kind.reason(), || {
            let error = self.wrong_field(kind, place, self.arrangement.names[at]);
            Reject { error, row: self.text_of(row), before }
        });
    }

    /// Notes a row that was passed over, which comes after those of the block.
    #[cold]
    fn note_row(&self, bad: BadRow, block: &mut Block) {
        let padded = self.text.padded();
        let (columns, reference) = (self.schema.columns.len(), self.schema.reference);
        let before = block.rows;
        block.rejects.add(self.noting, bad.reason(columns, reference), || {
            let offset = self.text.offset.wrapping_sub(WINDOW as u64);
            Reject {
                error: bad.error(padded, offset, columns, reference, self.dialect),
                row: self.text_of(bad.place(padded)),
                before,
            }
        });
    }

    /// The text of a row, if that is to be noted, with the delimiters at either end of its line that are none.
    fn text_of(&self, row: Range<usize>) -> Vec<u8> {
        if !self.noting.rows {
            return Vec::new();
        }
        let (padded, Range { mut start, mut end }) = (self.text.padded(), row);
        if self.dialect.has_runs() {
            start -= padded[WINDOW..start].iter().rev().take_while(|&&byte| byte == b' ').count();
            end += padded[end..].iter().take_while(|&&byte| byte == b' ').count();
        }
        padded[start..end].to_vec()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::oracle;
    use crate::schema::Missing;
    use crate::source::MemorySource;
    use crate::split::Splitter;
    use proptest::prelude::*;

    const COMMA: Dialect = Dialect::new(b',', Some(b'"'));

    /// A field of each kind.
    const FIELD: &str = "1|-2\\.5|1e5|9|0\\.12345678901234567|-7\\.25e-01|\\+3| 4|\"5\"|NA|nan|\"\"||6";

    /// The values of each row, features first; where the first wrong field or row is that ends them; and the same of each
    /// that was left out, with its row and the rows before it.
    pub(in super::super) type Found =
        (Vec<Vec<u32>>, Option<(usize, Option<usize>)>, Vec<(usize, Option<usize>, String, usize)>);

    pub(in super::super) fn parse(simd: Simd, schema: &Schema, bytes: &str) -> Found {
        let splitter = Splitter::new(simd, Arc::new(MemorySource::new(bytes.to_owned())), COMMA, 0, 1 << 20, 1 << 20);
        let mut text = Text::default();
        assert!(splitter.read(0, &mut text).unwrap());
        let noting = Noting { most: usize::MAX, rows: true };
        let (block, error) = Parser::new(schema, COMMA, simd).noting(noting).parse(&text, &Pool::new(1));
        let Widths { features, targets, weights } = Widths::of(schema);
        let parts =
            [(&block.parts.features, features), (&block.parts.targets, targets), (&block.parts.weights, weights)];
        let values = |row: usize| {
            let parts = parts.iter().flat_map(|(part, width)| part.values(row * width..(row + 1) * width));
            parts.map(|value| value.to_bits()).collect()
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

    /// The same, field by field.
    fn parse_naively(schema: &Schema, bytes: &str) -> Found {
        let wanted = [&schema.features[..], &schema.targets, schema.weight.as_slice()].concat();
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
                match (number::value(&row[column], COMMA, &schema.missing), schema.missing_target) {
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
            if schema.unit_weights && schema.weight.is_none() {
                values.push(1_f32.to_bits());
            }
            found.extend(kept.then_some(values));
        }
        (found, None, rejects)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn blocks_hold_what_the_fields_say(
            rows in prop::collection::vec(
                (prop::collection::vec(FIELD, 4), "\n|\r\n|\n\n"),
                1..40,
            ),
            wrong in prop::collection::vec((0_usize..160, "x|1\\.2\\.3|1,2|\0|\"1\"x"), 0..8),
            // A column may be a feature and a target at once, as in an autoencoder.
            order in prop_oneof![Just([0_usize, 1, 2, 3]).prop_shuffle(), prop::array::uniform4(0_usize..4)],
            (features, targets, weight) in (1_usize..3, 0_usize..3, any::<bool>()),
            missing_target in prop::sample::select(&[MissingTarget::Raise, MissingTarget::Skip, MissingTarget::Keep]),
            on_error in prop::sample::select(&[OnError::Raise, OnError::Skip]),
            token in prop::option::of(Just("9")),
            unit_weights: bool,
            fill in prop::collection::vec(prop_oneof![Just(f32::NAN), -9.0_f32..9.0], 0..=4),
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
                weight: (weight && targets > 0 && features + targets < 4).then_some(order[3]),
                codes: vec![],
                missing: Missing::new(["NA"].into_iter().chain(token)),
                missing_target,
                on_error,
                max_rejects: None,
                fill,
                unit_weights,
            };
            let whole = Schema { features: vec![0, 1, 2], targets: vec![3], weight: None, ..schema.clone() };
            for simd in Simd::available() {
                prop_assert_eq!(parse(simd, &schema, &text), parse_naively(&schema, &text), "{:?}", simd);
                prop_assert_eq!(parse(simd, &whole, &text), parse_naively(&whole, &text), "{:?}", simd);
            }
        }
    }
}
