//! Stage 5: a parsed block: the rows of one text, in row-major buffers.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::borrow::Cow;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::ThreadId;

use crate::dialect::Dialect;
use crate::error::{Error, Kind, Result};
use crate::index::{self, Index, Rows};
use crate::number::{self, Value, WINDOW};
use crate::schema::{MissingTarget, Schema};
use crate::selection::Chooser;
use crate::simd::Simd;
use crate::split::Text;

/// Values of float32, the first on a 64-byte boundary, so that frameworks that borrow aligned arrays can.
pub struct Buffer {
    start: NonNull<f32>,
    capacity: usize,
}

// SAFETY: the buffer owns its memory, and only `&mut` methods write to it.
unsafe impl Send for Buffer {}
// SAFETY: as above.
unsafe impl Sync for Buffer {}

impl Default for Buffer {
    fn default() -> Self {
        Self { start: NonNull::dangling(), capacity: 0 }
    }
}

impl Buffer {
    fn layout(capacity: usize) -> Option<Layout> {
        Layout::array::<f32>(capacity).and_then(|layout| layout.align_to(64)).ok()
    }

    /// Room for at least `length` values, of which the first `filled` stay.
    fn reserve(&mut self, length: usize, filled: usize) {
        if !self.try_reserve(length, filled) {
            handle_alloc_error(Self::layout(length).expect("a buffer within the address space"));
        }
    }

    /// The same, or `false` when there is no memory for it.
    fn try_reserve(&mut self, length: usize, filled: usize) -> bool {
        if length <= self.capacity {
            return true;
        }
        let capacity = length.max(self.capacity + self.capacity / 4);
        let Some(layout) = Self::layout(capacity) else { return false };
        // SAFETY: the layout is not empty, since `length` is above a capacity.
        let start = unsafe { alloc_zeroed(layout) };
        let Some(start) = NonNull::new(start.cast()) else { return false };
        let mut grown = Self { start, capacity };
        grown.values_mut()[..filled].copy_from_slice(self.values(0..filled));
        *self = grown;
        true
    }

    /// Some of the values.
    ///
    /// # Panics
    ///
    /// When the range is not within the buffer.
    #[must_use]
    pub fn values(&self, range: Range<usize>) -> &[f32] {
        assert!(range.start <= range.end && range.end <= self.capacity);
        // SAFETY: the range was checked, and all values up to the capacity were initialised when they were allocated.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().add(range.start), range.len()) }
    }

    fn values_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `values`; the borrow is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.capacity) }
    }

    /// The address of value `at`, for handing the values from there on to somebody who may write to them; they must
    /// not be read here any more.
    ///
    /// # Panics
    ///
    /// When the place is not within the buffer.
    #[must_use]
    pub fn address_of(&self, at: usize) -> *mut f32 {
        assert!(at <= self.capacity);
        self.start.as_ptr().wrapping_add(at)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.capacity > 0 {
            let layout = Self::layout(self.capacity).expect("the layout of an allocation");
            // SAFETY: allocated in `try_reserve` with the same layout.
            unsafe { dealloc(self.start.as_ptr().cast(), layout) }
        }
    }
}

/// The values of some rows, each part row-major.
#[derive(Default)]
pub struct Parts {
    /// Features, `rows * features` values.
    pub features: Buffer,
    /// Targets, `rows * targets` values.
    pub targets: Buffer,
    /// Sample weights, one a row, if there are any.
    pub weights: Buffer,
}

/// How many values a row has in each part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widths {
    /// Feature columns.
    pub features: usize,
    /// Target columns.
    pub targets: usize,
    /// 1 with a weight column or with unit weights, else 0.
    pub weights: usize,
}

impl Widths {
    /// The widths that a schema asks for.
    #[must_use]
    pub fn of(schema: &Schema) -> Self {
        let weights = usize::from(schema.weight.is_some() || schema.unit_weights);
        Self { features: schema.features.len(), targets: schema.targets.len(), weights }
    }
}

/// Rows in memory. Once nobody looks at them, their buffers go back to the pool they came from.
pub struct Block {
    /// How many rows.
    pub rows: usize,
    parts: Parts,
    pool: Arc<Pool>,
    /// In whose cache the buffers are.
    maker: ThreadId,
}

impl Block {
    /// An empty block with room for `rows` rows.
    pub(crate) fn with_capacity(pool: &Arc<Pool>, widths: Widths, rows: usize) -> Self {
        let maker = std::thread::current().id();
        let mut block = Self { rows: 0, parts: pool.take(maker), pool: Arc::clone(pool), maker };
        block.reserve(widths, rows);
        block
    }

    /// The values.
    #[must_use]
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    fn reserve(&mut self, widths: Widths, rows: usize) {
        self.parts.features.reserve(rows * widths.features, self.rows * widths.features);
        self.parts.targets.reserve(rows * widths.targets, self.rows * widths.targets);
        self.parts.weights.reserve(rows * widths.weights, self.rows * widths.weights);
    }

    /// Appends rows whose values stand together, in the order of the file.
    fn extend(&mut self, widths: Widths, arrangement: &Arrangement, values: &[f32]) {
        let width = arrangement.columns.len();
        let rows = values.len() / width;
        self.reserve(widths, self.rows + rows);
        let Parts { features, targets, weights } = &mut self.parts;
        if widths.weights > 0 && arrangement.parts[2].is_empty() {
            weights.values_mut()[self.rows..][..rows].fill(1.0);
        }
        for (buffer, runs) in [features, targets, weights].into_iter().zip(&arrangement.parts) {
            let taken: usize = runs.iter().map(Range::len).sum();
            let places = &mut buffer.values_mut()[self.rows * taken..][..rows * taken];
            match runs[..] {
                [] => {}
                // Rows of two are short enough for their two values to be worth a loop each, made for them.
                [Range { start: 0, .. }] if width == 2 && taken == 1 => {
                    for (place, &[first, _]) in places.iter_mut().zip(values.as_chunks().0) {
                        *place = first;
                    }
                }
                [_] if width == 2 && taken == 1 => {
                    for (place, &[_, second]) in places.iter_mut().zip(values.as_chunks().0) {
                        *place = second;
                    }
                }
                [Range { start, .. }] if taken == 1 => {
                    for (place, row) in places.iter_mut().zip(values.chunks_exact(width)) {
                        *place = row[start];
                    }
                }
                _ => {
                    for (places, row) in places.chunks_exact_mut(taken).zip(values.chunks_exact(width)) {
                        let mut rest = places;
                        for run in runs {
                            let (place, after) = rest.split_at_mut(run.len());
                            place.copy_from_slice(&row[run.clone()]);
                            rest = after;
                        }
                    }
                }
            }
        }
        self.rows += rows;
    }

    /// Rows from several blocks: each place names a block and a row of it.
    pub(crate) fn gather(pool: &Arc<Pool>, widths: Widths, blocks: &[&Self], places: &[(u32, u32)]) -> Self {
        let mut block = Self::with_capacity(pool, widths, places.len());
        let fill = |to: &mut Buffer, part: fn(&Parts) -> &Buffer, width: usize| {
            if width == 0 {
                return;
            }
            let from: Vec<&[f32]> =
                blocks.iter().map(|block| part(&block.parts).values(0..block.rows * width)).collect();
            let values = &mut to.values_mut()[..places.len() * width];
            if width == 1 {
                for (value, &(block, row)) in values.iter_mut().zip(places) {
                    *value = from[block as usize][row as usize];
                }
            } else {
                for (values, &(block, row)) in values.chunks_exact_mut(width).zip(places) {
                    values.copy_from_slice(&from[block as usize][row as usize * width..][..width]);
                }
            }
        };
        fill(&mut block.parts.features, |parts| &parts.features, widths.features);
        fill(&mut block.parts.targets, |parts| &parts.targets, widths.targets);
        fill(&mut block.parts.weights, |parts| &parts.weights, widths.weights);
        block.rows = places.len();
        block
    }

    /// A block of so many rows, whose values `read` fills in, part by part.
    pub(crate) fn filled<E>(
        pool: &Arc<Pool>,
        widths: Widths,
        rows: usize,
        mut read: impl FnMut(&mut [f32]) -> std::result::Result<(), E>,
    ) -> std::result::Result<Self, E> {
        let mut block = Self::with_capacity(pool, widths, rows);
        read(&mut block.parts.features.values_mut()[..rows * widths.features])?;
        read(&mut block.parts.targets.values_mut()[..rows * widths.targets])?;
        read(&mut block.parts.weights.values_mut()[..rows * widths.weights])?;
        block.rows = rows;
        Ok(block)
    }

    /// The values of some rows, part by part.
    pub(crate) fn part_values(&self, widths: Widths, rows: Range<usize>) -> [&[f32]; 3] {
        let Parts { features, targets, weights } = &self.parts;
        [(features, widths.features), (targets, widths.targets), (weights, widths.weights)]
            .map(|(part, width)| part.values(rows.start * width..rows.end * width))
    }

    /// Appends rows of zeros until there are `rows`.
    pub(crate) fn pad(&mut self, widths: Widths, rows: usize) -> Result<()> {
        let Parts { features, targets, weights } = &mut self.parts;
        for (buffer, width) in [(features, widths.features), (targets, widths.targets), (weights, widths.weights)] {
            let filled = self.rows * width;
            let length = rows.checked_mul(width).filter(|&length| buffer.try_reserve(length, filled));
            let length = length.ok_or(Kind::Memory(rows))?;
            buffer.values_mut()[filled..length].fill(0.0);
        }
        self.rows = rows;
        Ok(())
    }

    /// Appends rows of another block.
    pub(crate) fn extend_from(&mut self, widths: Widths, other: &Self, rows: Range<usize>) {
        self.reserve(widths, self.rows + rows.len());
        let at = self.rows;
        let copy = |to: &mut Buffer, from: &Buffer, width: usize| {
            let from = from.values(rows.start * width..rows.end * width);
            to.values_mut()[at * width..][..from.len()].copy_from_slice(from);
        };
        copy(&mut self.parts.features, &other.parts.features, widths.features);
        copy(&mut self.parts.targets, &other.parts.targets, widths.targets);
        copy(&mut self.parts.weights, &other.parts.weights, widths.weights);
        self.rows += rows.len();
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.pool.put(self.maker, std::mem::take(&mut self.parts));
    }
}

/// Buffers that wait to be used again, so that a long pass touches the same few pages.
pub struct Pool {
    /// With the thread that used them last, the latest at the end.
    free: Mutex<Vec<(ThreadId, Parts)>>,
    limit: usize,
}

impl Pool {
    /// A pool that keeps at most `limit` blocks' buffers.
    #[must_use]
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { free: Mutex::default(), limit })
    }

    /// Buffers that are still in the cache of this thread's core, if there are any.
    fn take(&self, maker: ThreadId) -> Parts {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let own = free.iter().rposition(|(last, _)| *last == maker);
        let found = own.or(free.len().checked_sub(1)).map(|at| free.remove(at));
        found.map_or_else(Parts::default, |(_, parts)| parts)
    }

    fn put(&self, maker: ThreadId, parts: Parts) {
        // Not at any price: a process forked while a thread held the lock would wait for ever.
        if let Ok(mut free) = self.free.try_lock()
            && free.len() < self.limit
        {
            free.push((maker, parts));
        }
    }
}

/// Fields that are converted together, as long as a row has no more: few enough for their values to stay in L1; tiny in
/// debug builds, as blocks are.
const GROUP: usize = if cfg!(debug_assertions) { 16 } else { 4096 };

/// Which columns are read, and where their values go.
struct Arrangement {
    /// The columns, in the order of the file, so that fields are converted where they stand if all are wanted.
    columns: Vec<usize>,
    /// For each of them, its place among a row's features, targets and weight, one after the other.
    places: Vec<usize>,
    /// Which of them make up the features, the targets and the weight: runs of neighbours.
    parts: [Vec<Range<usize>>; 3],
}

impl Arrangement {
    fn of(schema: &Schema) -> Self {
        let roles = [&schema.features[..], &schema.targets, schema.weight.as_slice()];
        let wanted = roles.concat();
        let mut places: Vec<usize> = (0..wanted.len()).collect();
        places.sort_by_key(|&place| wanted[place]);
        let columns = places.iter().map(|&place| wanted[place]).collect();
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
        Self { columns, places, parts }
    }
}

/// Turns texts into blocks; one for each thread.
pub struct Parser<'a> {
    schema: &'a Schema,
    dialect: Dialect,
    simd: Simd,
    arrangement: Arrangement,
    index: Index,
    group: Group,
}

impl<'a> Parser<'a> {
    /// For texts of that schema and dialect, with those instructions.
    #[must_use]
    pub fn new(schema: &'a Schema, dialect: Dialect, simd: Simd) -> Self {
        let arrangement = Arrangement::of(schema);
        Self { schema, dialect, simd, arrangement, index: Index::default(), group: Group::default() }
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
        let wants = |chooser: &mut Chooser<'_>, row| chooser.wants(|column| reading.key(all, row, column));
        // Where rows without a target do not count, that has to be known before the others are chosen among.
        let choose_first = schema.missing_target != MissingTarget::Skip;
        let mut rows = all;
        if let Some(chooser) = chooser.take_if(|_| choose_first) {
            self.chosen.clear();
            self.chosen.extend((0..all.count()).filter(|&row| wants(chooser, row)));
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
            let (column, wanted) = (arrangement.columns[wanted], arrangement.places[wanted]);
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
            let mut without_target = std::mem::take(&mut self.left_out).into_iter().peekable();
            for row in 0..kept {
                let mut counts = true;
                while without_target.next_if_eq(&row).is_some() {
                    counts = false;
                }
                if !counts || !wants(chooser, row) {
                    self.left_out.push(row);
                }
            }
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
