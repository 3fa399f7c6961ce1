//! A text to a block.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::{Block, Pool, Widths};
use crate::dialect::Dialect;
use crate::error::{Error, Kind, Result};
use crate::index::{self, Index, Rows};
use crate::number::{self, Value, WINDOW};
use crate::parts::Layout;
use crate::schema::{MissingTarget, Schema};
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
    names: Vec<usize>,
    /// For each of them, its place among a row's features, targets and weight, one after the other.
    places: Vec<usize>,
    /// Which of them make up the features, the targets and the weight: runs of neighbours.
    pub(super) parts: [Vec<Range<usize>>; 3],
}

impl Arrangement {
    /// `layout` says where the columns of the schema are, if not in its order.
    fn of(schema: &Schema, layout: Option<&Layout>) -> Self {
        let roles = [&schema.features[..], &schema.targets, schema.weight.as_slice()];
        let wanted = roles.concat();
        let position = |place: usize| layout.map_or(wanted[place], |layout| layout[wanted[place]]);
        let mut places: Vec<usize> = (0..wanted.len()).collect();
        places.sort_by_key(|&place| position(place));
        let columns = places.iter().map(|&place| position(place)).collect();
        let names = places.iter().map(|&place| wanted[place]).collect();
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
        Self { columns, names, places, parts }
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
}

impl<'a> Parser<'a> {
    /// For texts of that schema and dialect, with those instructions.
    #[must_use]
    pub fn new(schema: &'a Schema, dialect: Dialect, simd: Simd) -> Self {
        let arrangement = Arrangement::of(schema, None);
        Self { schema, dialect, simd, arrangement, layout: None, index: Index::default(), group: Group::default() }
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

    /// The rows of a text up to the first that is wrong, and what is wrong with that one.
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
        let reading = Reading { schema, dialect: self.dialect, simd: self.simd, arrangement: &self.arrangement, text };
        let mut groups = self.index.groups(columns, (GROUP / self.arrangement.columns.len().max(1)).max(1));
        let bad_field = groups.find_map(|rows| self.group.convert(&reading, rows, chooser.as_mut(), &mut block).err());
        (block, bad_field.or(bad_row))
    }
}

/// What is read, and how.
struct Reading<'a> {
    schema: &'a Schema,
    dialect: Dialect,
    simd: Simd,
    arrangement: &'a Arrangement,
    text: &'a Text,
}

/// The buffers that a group of rows passes through.
#[derive(Default)]
struct Group {
    /// Where the wanted fields start and end, unless they are all there are.
    before: Vec<u32>,
    ends: Vec<u32>,
    values: Vec<f32>,
    /// The fields that are not plain numbers.
    declined: Vec<u32>,
    /// The rows that are chosen, unless all are, and their marks and ends.
    chosen: Vec<usize>,
    chosen_marks: Vec<u32>,
    chosen_ends: Vec<u32>,
    /// The rows that are left out for want of a target or weight, or because they are not chosen.
    left_out: Vec<usize>,
}

impl Group {
    /// Appends a group of rows, up to the first that is wrong.
    fn convert(
        &mut self,
        reading: &Reading<'_>,
        all: Rows<'_>,
        mut chooser: Option<&mut Chooser<'_>>,
        block: &mut Block,
    ) -> Result<()> {
        let Reading { schema, simd, arrangement, text, .. } = *reading;
        let key = |row, column| reading.key(all, row, column);
        // Where rows without a target do not count, that has to be known before the others are chosen among.
        let choose_first = schema.missing_target != MissingTarget::Skip;
        let mut rows = all;
        if let Some(chooser) = chooser.take_if(|_| choose_first) {
            self.chosen.clear();
            self.chosen.extend(0..all.count());
            chooser.choose(&mut self.chosen, key);
            if self.chosen.len() < all.count() {
                rows = all.only(&self.chosen, &mut self.chosen_marks, &mut self.chosen_ends);
            }
        }
        let width = arrangement.columns.len();
        if width == 0 {
            block.rows += rows.count();
            return Ok(());
        }
        let as_they_stand = arrangement.columns.iter().copied().eq(0..schema.columns.len());
        let fields = if as_they_stand {
            rows.fields()
        } else {
            rows.pick(simd, &arrangement.columns, &mut self.before, &mut self.ends)
        };
        let count = rows.count() * width;
        if self.values.len() < count {
            self.values.resize(count, 0.0);
        }
        let values = &mut self.values[..count];
        self.declined.clear();
        number::convert(simd, text.padded(), reading.dialect.quote, fields, values, &mut self.declined);
        if schema.missing.has_numbers() {
            let tokens = values.iter().enumerate().filter(|(_, value)| schema.missing.may_be(**value));
            self.declined.extend(tokens.map(|(at, _)| at as u32));
            self.declined.sort_unstable();
        }
        self.left_out.clear();
        let mut error = None;
        let mut kept = rows.count();
        let mut row = 0;
        for &at in &self.declined {
            let at = at as usize;
            // They are in order, and often many: a division for each would take longer than the rest.
            while at >= (row + 1) * width {
                row += 1;
            }
            let place = fields.place(at);
            let wanted = at - row * width;
            let (column, wanted) = (arrangement.names[wanted], arrangement.places[wanted]);
            if wanted < schema.features.len() && reading.is_missing(place.clone()) {
                // A missing feature is one, whatever else is.
                values[at] = schema.missing_value(wanted);
                continue;
            }
            match reading.read_with_care(place, column, wanted) {
                Ok(Some(value)) => values[at] = value,
                Ok(None) => self.left_out.push(row),
                Err(wrong) => {
                    kept = row;
                    error = Some(wrong);
                    break;
                }
            }
        }
        if let Some(chooser) = chooser {
            self.chosen.clear();
            let mut without_target = self.left_out.iter().peekable();
            // A row may be there more than once: for its target and its weight.
            self.chosen.extend((0..kept).filter(|row| {
                let counts = without_target.peek() != Some(&row);
                while without_target.next_if_eq(&row).is_some() {}
                counts
            }));
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

impl Reading<'_> {
    /// What a column holds in one of the rows, without what is around it.
    fn key(&self, rows: Rows<'_>, row: usize, column: usize) -> Cow<'_, [u8]> {
        let column = self.text.layout().map_or(column, |layout| layout[column]);
        number::unquote(&self.text.padded()[rows.place(row, column)], self.dialect.quote)
    }

    /// Whether a field is seen to be missing at first sight.
    #[inline]
    fn is_missing(&self, place: Range<usize>) -> bool {
        let text = self.text.padded();
        // What is quoted takes more than one look.
        self.dialect.quote != Some(text[place.start]) && self.schema.missing.contains_at(text, place)
    }

    /// The value of a field that is not a plain number, `wanted` being its place among the features, targets and weight
    /// of its row; `None` when its row is to be left out.
    #[cold]
    fn read_with_care(&self, place: Range<usize>, column: usize, wanted: usize) -> Result<Option<f32>> {
        let field = &self.text.padded()[place.clone()];
        let targets = self.schema.features.len()..;
        let filled = self.schema.missing_value(wanted);
        let wrong = match number::value(field, self.dialect.quote, &self.schema.missing) {
            Value::Number(number) => return Ok(Some(number)),
            Value::Missing if !targets.contains(&wanted) => return Ok(Some(filled)),
            Value::Missing => match self.schema.missing_target {
                MissingTarget::Keep => return Ok(Some(filled)),
                MissingTarget::Skip => return Ok(None),
                MissingTarget::Raise if self.schema.weight == Some(column) => Kind::MissingTarget("weight"),
                MissingTarget::Raise => Kind::MissingTarget("target"),
            },
            Value::Other if field.contains(&0) => Kind::Nul,
            Value::Other => Kind::Number,
        };
        let offset = self.text.offset + (place.start - WINDOW) as u64;
        Err(Error::at(wrong, offset, field).in_column(column))
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle;
    use crate::schema::Missing;
    use crate::source::MemorySource;
    use crate::split::Splitter;
    use proptest::prelude::*;

    const COMMA: Dialect = Dialect { delimiter: b',', quote: Some(b'"') };

    /// A field of each kind.
    const FIELD: &str = "1|-2\\.5|1e5|9|0\\.12345678901234567|-7\\.25e-01|\\+3| 4|\"5\"|NA|nan|\"\"||6";

    /// The values of each row, features first, and where the first wrong field or row is.
    type Found = (Vec<Vec<u32>>, Option<(usize, Option<usize>)>);

    fn parse(simd: Simd, schema: &Schema, bytes: &str) -> Found {
        let splitter = Splitter::new(simd, Arc::new(MemorySource::new(bytes.to_owned())), COMMA, 0, 1 << 20, 1 << 20);
        let mut text = Text::default();
        assert!(splitter.read(0, &mut text).unwrap());
        let (block, error) = Parser::new(schema, COMMA, simd).parse(&text, &Pool::new(1));
        let Widths { features, targets, weights } = Widths::of(schema);
        let parts =
            [(&block.parts.features, features), (&block.parts.targets, targets), (&block.parts.weights, weights)];
        let values = |row: usize| {
            let parts = parts.iter().flat_map(|(part, width)| part.values(row * width..(row + 1) * width));
            parts.map(|value| value.to_bits()).collect()
        };
        ((0..block.rows).map(values).collect(), error.map(|error| (error.offset.unwrap() as usize, error.column)))
    }

    /// The same, field by field.
    fn parse_naively(schema: &Schema, bytes: &str) -> Found {
        let wanted = [&schema.features[..], &schema.targets, schema.weight.as_slice()].concat();
        let mut found = vec![];
        let mut start = 0;
        for line in bytes.split_inclusive('\n') {
            let row_start = start;
            start += line.len();
            let Some(row) = oracle::rows(line.as_bytes(), COMMA).pop() else { continue };
            if row.len() != schema.columns.len() {
                return (found, Some((row_start, None)));
            }
            let (mut values, mut kept) = (vec![0; wanted.len()], true);
            // Of several wrong fields in a row, the first in the file counts.
            let mut order: Vec<_> = wanted.iter().copied().enumerate().collect();
            order.sort_by_key(|&(_, column)| column);
            for (at, column) in order {
                let is_feature = at < schema.features.len();
                let place = row_start + row[..column].iter().map(|field| field.len() + 1).sum::<usize>();
                match (number::value(&row[column], COMMA.quote, &schema.missing), schema.missing_target) {
                    (Value::Number(number), _) => values[at] = number.to_bits(),
                    (Value::Missing, MissingTarget::Skip) if !is_feature => kept = false,
                    (Value::Missing, mode) if is_feature || mode == MissingTarget::Keep => {
                        values[at] = schema.fill.get(at).unwrap_or(&f32::NAN).to_bits();
                    }
                    _ => return (found, Some((place, Some(column)))),
                }
            }
            if schema.unit_weights && schema.weight.is_none() {
                values.push(1_f32.to_bits());
            }
            found.extend(kept.then_some(values));
        }
        (found, None)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn blocks_hold_what_the_fields_say(
            rows in prop::collection::vec(
                (prop::collection::vec(FIELD, 4), "\n|\r\n|\n\n"),
                1..40,
            ),
            wrong in prop::option::of((0_usize..160, "x|1\\.2\\.3|1,2|\0")),
            // A column may be a feature and a target at once, as in an autoencoder.
            order in prop_oneof![Just([0_usize, 1, 2, 3]).prop_shuffle(), prop::array::uniform4(0_usize..4)],
            (features, targets, weight) in (1_usize..3, 0_usize..3, any::<bool>()),
            missing_target in prop::sample::select(&[MissingTarget::Raise, MissingTarget::Skip, MissingTarget::Keep]),
            token in prop::option::of(Just("9")),
            unit_weights: bool,
            fill in prop::collection::vec(prop_oneof![Just(f32::NAN), -9.0_f32..9.0], 0..=4),
        ) {
            let mut rows = rows;
            if let Some((at, wrong)) = wrong
                && let Some((row, _)) = rows.get_mut(at / 4)
            {
                row[at % 4] = wrong;
            }
            let text: String = rows.iter().map(|(row, end)| row.join(",") + end).collect();
            let schema = Schema {
                columns: ["a", "b", "c", "d"].map(String::from).to_vec(),
                reference: "header",
                features: order[..features].to_vec(),
                targets: order[features..features + targets].to_vec(),
                weight: (weight && targets > 0 && features + targets < 4).then_some(order[3]),
                missing: Missing::new(["NA"].into_iter().chain(token)),
                missing_target,
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
