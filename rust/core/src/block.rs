//! Stage 5: a parsed block: the rows of one text, in row-major buffers.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError};

use crate::dialect::Dialect;
use crate::error::{Error, Kind, Result};
use crate::index::{self, Index};
use crate::number::{self, Value};
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
}

impl<'a> Parser<'a> {
    pub(crate) fn new(schema: &'a Schema, dialect: Dialect) -> Self {
        Self { schema, dialect, index: Index::default() }
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
        let features = block.parts.features.values_mut();
        let targets = block.parts.targets.values_mut();
        let weights = block.parts.weights.values_mut();
        let mut rows = 0;
        for marks in self.index.marks_by_row(columns) {
            let row = Row { text, marks, schema, dialect: self.dialect };
            let read = row.read(
                &mut features[rows * widths.features..][..widths.features],
                &mut targets[rows * widths.targets..][..widths.targets],
                &mut weights[rows * widths.weights..][..widths.weights],
            );
            match read {
                Ok(kept) => rows += usize::from(kept),
                Err(error) => {
                    block.rows = rows;
                    return (block, Some(error));
                }
            }
        }
        block.rows = rows;
        (block, bad_row)
    }
}

/// One row of a text.
struct Row<'a> {
    text: &'a Text,
    marks: &'a [u32],
    schema: &'a Schema,
    dialect: Dialect,
}

impl Row<'_> {
    /// Converts the wanted fields; `false` when the row is to be left out.
    #[inline]
    fn read(&self, features: &mut [f32], targets: &mut [f32], weights: &mut [f32]) -> Result<bool> {
        for (value, &column) in features.iter_mut().zip(&self.schema.features) {
            *value = match self.number(column) {
                Some(number) => number,
                None => self.careful(column)?.unwrap_or(f32::NAN),
            };
        }
        let targets = targets.iter_mut().zip(&self.schema.targets).map(|place| (place, "target"));
        let weights = weights.iter_mut().zip(&self.schema.weight).map(|place| (place, "weight"));
        for ((value, &column), role) in targets.chain(weights) {
            *value = match self.number(column) {
                Some(number) => number,
                None => match self.required(column, role)? {
                    Some(number) => number,
                    None => return Ok(false),
                },
            };
        }
        Ok(true)
    }

    /// The plain number in a column; `None` when it takes more care to tell.
    #[inline]
    fn number(&self, column: usize) -> Option<f32> {
        let (start, end) = self.field(column);
        let number = number::parse(self.text.padded(), start, end)?;
        if self.schema.missing.may_be(number) { None } else { Some(number) }
    }

    /// Where the field of a column starts and ends, in the padded text.
    #[inline]
    fn field(&self, column: usize) -> (usize, usize) {
        let bytes = self.text.padded();
        let (start, end) = (self.marks[column] as usize + 1, self.marks[column + 1] as usize);
        let carriage_return = column + 2 == self.marks.len() && end > start && bytes[end - 1] == b'\r';
        (start, end - usize::from(carriage_return))
    }

    /// The number in a column, or `None` when it is missing.
    #[cold]
    fn careful(&self, column: usize) -> Result<Option<f32>> {
        let (start, end) = self.field(column);
        let field = &self.text.padded()[start..end];
        match number::value(field, self.dialect.quote, &self.schema.missing) {
            Value::Number(number) => Ok(Some(number)),
            Value::Missing => Ok(None),
            Value::Other if field.contains(&0) => Err(self.error(column, Kind::Nul)),
            Value::Other => Err(self.error(column, Kind::Number)),
        }
    }

    /// The number in a target or weight column, or `None` when the row is to be left out for want of it.
    #[cold]
    fn required(&self, column: usize, role: &'static str) -> Result<Option<f32>> {
        match (self.careful(column)?, self.schema.missing_target) {
            (Some(number), _) => Ok(Some(number)),
            (None, MissingTarget::Skip) => Ok(None),
            (None, MissingTarget::Keep) => Ok(Some(f32::NAN)),
            (None, MissingTarget::Raise) => Err(self.error(column, Kind::MissingTarget(role))),
        }
    }

    fn error(&self, column: usize, kind: Kind) -> Error {
        let (start, end) = self.field(column);
        let offset = self.text.offset + (start - number::WINDOW) as u64;
        Error::at(kind, offset, &self.text.padded()[start..end]).in_column(column)
    }
}
