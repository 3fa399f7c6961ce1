//! Stage 5: a parsed block: the rows of one text, in row-major buffers.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError};

use crate::dialect::Dialect;
use crate::error::{Error, Kind, Result};
use crate::index::{self, Index, Rows};
use crate::number::{self, Fields, GROUP, Value, WINDOW};
use crate::schema::{MissingTarget, Schema};
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
    fn layout(capacity: usize) -> Layout {
        Layout::array::<f32>(capacity)
            .and_then(|layout| layout.align_to(64))
            .expect("a buffer within the address space")
    }

    /// Room for at least `length` values, of which the first `filled` stay.
    fn reserve(&mut self, length: usize, filled: usize) {
        if length <= self.capacity {
            return;
        }
        let capacity = length.max(2 * self.capacity);
        let layout = Self::layout(capacity);
        // SAFETY: the layout is not empty, since `length` is above a capacity.
        let start = unsafe { alloc_zeroed(layout) };
        let Some(start) = NonNull::new(start.cast()) else { handle_alloc_error(layout) };
        let mut grown = Self { start, capacity };
        grown.values_mut()[..filled].copy_from_slice(self.values(0..filled));
        *self = grown;
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
            // SAFETY: allocated in `reserve` with the same layout.
            unsafe { dealloc(self.start.as_ptr().cast(), Self::layout(self.capacity)) }
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
    /// Sample weights, one a row, if there is a weight column.
    pub weights: Buffer,
}

/// How many values a row has in each part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widths {
    /// Feature columns.
    pub features: usize,
    /// Target columns.
    pub targets: usize,
    /// 1 with a weight column, else 0.
    pub weights: usize,
}

impl Widths {
    /// The widths that a schema asks for.
    #[must_use]
    pub fn of(schema: &Schema) -> Self {
        let weights = usize::from(schema.weight.is_some());
        Self { features: schema.features.len(), targets: schema.targets.len(), weights }
    }
}

/// Rows in memory. Once nobody looks at them, their buffers go back to the pool they came from.
pub struct Block {
    /// How many rows.
    pub rows: usize,
    parts: Parts,
    pool: Arc<Pool>,
}

impl Block {
    /// An empty block with room for `rows` rows.
    pub(crate) fn with_capacity(pool: &Arc<Pool>, widths: Widths, rows: usize) -> Self {
        let mut block = Self { rows: 0, parts: pool.take(), pool: Arc::clone(pool) };
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

    /// Appends a row that stands further down in the buffers.
    fn pull_up(&mut self, widths: Widths, row: usize) {
        let to = self.rows;
        let copy = |buffer: &mut Buffer, width: usize| {
            buffer.values_mut().copy_within(row * width..(row + 1) * width, to * width);
        };
        copy(&mut self.parts.features, widths.features);
        copy(&mut self.parts.targets, widths.targets);
        copy(&mut self.parts.weights, widths.weights);
        self.rows += 1;
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
        self.pool.put(std::mem::take(&mut self.parts));
    }
}

/// Buffers that wait to be used again, so that a long pass touches the same few pages.
pub struct Pool {
    free: Mutex<Vec<Parts>>,
    limit: usize,
}

impl Pool {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { free: Mutex::default(), limit })
    }

    fn take(&self) -> Parts {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn put(&self, parts: Parts) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < self.limit {
            free.push(parts);
        }
    }
}

/// Turns texts into blocks; one for each thread.
pub(crate) struct Parser<'a> {
    schema: &'a Schema,
    dialect: Dialect,
    index: Index,
    fields: Fields,
    values: [f32; GROUP],
}

impl<'a> Parser<'a> {
    pub(crate) fn new(schema: &'a Schema, dialect: Dialect) -> Self {
        let fields = Fields { starts: [0; GROUP], ends: [0; GROUP], count: 0 };
        Self { schema, dialect, index: Index::default(), fields, values: [0.0; GROUP] }
    }

    /// The rows of a text up to the first that is wrong, and what is wrong with that one.
    pub(crate) fn parse(&mut self, text: &Text, pool: &Arc<Pool>) -> (Block, Option<Error>) {
        let schema = self.schema;
        let widths = Widths::of(schema);
        if schema.only_counts() {
            let (rows, error) = index::count_rows(text, self.dialect);
            let mut block = Block::with_capacity(pool, widths, 0);
            block.rows = rows;
            return (block, error);
        }
        let columns = schema.columns.len();
        let bad_row = self.index.fill(text, self.dialect, columns, schema.reference);
        let mut block = Block::with_capacity(pool, widths, self.index.rows());
        let index = std::mem::take(&mut self.index);
        let bad_field = index.groups(columns).find_map(|rows| self.convert(text, rows, &mut block).err());
        self.index = index;
        (block, bad_field.or(bad_row))
    }

    /// Appends a group of rows, column by column, up to the first that is wrong.
    fn convert(&mut self, text: &Text, rows: Rows<'_>, block: &mut Block) -> Result<()> {
        let schema = self.schema;
        let mut outcome = Outcome { rows: rows.count(), left_out: 0, error: None };
        let Parts { features, targets, weights } = &mut block.parts;
        let parts: [(&mut Buffer, &[usize], Role); 3] = [
            (features, &schema.features, Role::Feature),
            (targets, &schema.targets, Role::Target),
            (weights, schema.weight.as_slice(), Role::Weight),
        ];
        for (buffer, columns, role) in parts {
            let width = columns.len();
            let places = &mut buffer.values_mut()[block.rows * width..];
            for (at, &column) in columns.iter().enumerate() {
                rows.fields(text.padded(), column, &mut self.fields);
                let mut declined = number::convert(text.padded(), &self.fields, &mut self.values);
                declined |= self.tokens_among_numbers();
                while declined != 0 {
                    let row = declined.trailing_zeros() as usize;
                    declined &= declined - 1;
                    self.read_with_care(text, row, column, role, &mut outcome);
                }
                for row in 0..outcome.rows.min(GROUP) {
                    places[row * width + at] = self.values[row];
                }
            }
        }
        let kept = outcome.rows;
        if outcome.left_out & low_bits(kept) == 0 {
            block.rows += kept;
        } else {
            let first = block.rows;
            for row in (0..kept).filter(|row| outcome.left_out >> row & 1 == 0) {
                block.pull_up(Widths::of(schema), first + row);
            }
        }
        outcome.error.map_or(Ok(()), Err)
    }

    /// One bit for each value that the fast path read as a number and that may be a missing token.
    fn tokens_among_numbers(&self) -> u64 {
        if !self.schema.missing.has_numbers() {
            return 0;
        }
        let values = self.values.iter().take(self.fields.count).enumerate();
        values.fold(0, |found, (row, &value)| found | u64::from(self.schema.missing.may_be(value)) << row)
    }

    /// Reads a field that is not a plain number.
    #[cold]
    fn read_with_care(&mut self, text: &Text, row: usize, column: usize, role: Role, outcome: &mut Outcome) {
        if row >= outcome.rows {
            return;
        }
        let place = self.fields.starts[row] as usize..self.fields.ends[row] as usize;
        let field = &text.padded()[place.clone()];
        let wrong = match number::value(field, self.dialect.quote, &self.schema.missing) {
            Value::Number(number) => {
                self.values[row] = number;
                return;
            }
            Value::Missing => {
                self.values[row] = f32::NAN;
                match (role, self.schema.missing_target) {
                    (Role::Feature, _) | (_, MissingTarget::Keep) => return,
                    (_, MissingTarget::Skip) => {
                        outcome.left_out |= 1 << row;
                        return;
                    }
                    (Role::Target, MissingTarget::Raise) => Kind::MissingTarget("target"),
                    (Role::Weight, MissingTarget::Raise) => Kind::MissingTarget("weight"),
                }
            }
            Value::Other if field.contains(&0) => Kind::Nul,
            Value::Other => Kind::Number,
        };
        let offset = text.offset + (place.start - WINDOW) as u64;
        outcome.rows = row;
        outcome.error = Some(Error::at(wrong, offset, field).in_column(column));
    }
}

#[derive(Clone, Copy)]
enum Role {
    Feature,
    Target,
    Weight,
}

/// What became of a group of rows.
struct Outcome {
    /// Rows before the first that is wrong.
    rows: usize,
    /// One bit for each row that is to be left out for want of a target or weight.
    left_out: u64,
    /// What is wrong with row `rows`.
    error: Option<Error>,
}

/// A mask of the lowest `count` bits.
fn low_bits(count: usize) -> u64 {
    if count == 64 { u64::MAX } else { (1 << count) - 1 }
}
