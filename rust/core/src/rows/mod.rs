//! Converts the fields of a text into a block: float32 rows in row-major buffers, and the rejects among them.

mod arrangement;
mod buffer;
mod categories;
mod conditions;
mod constant;
mod dates;
mod encoded;
mod forms;
mod group;
mod ids;
mod lists;
mod mixed;
mod multi_hot;
mod parser;
mod reading;
pub mod rejects;
mod swallowed;
mod windows;

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::ThreadId;

use arrangement::Arrangement;
pub use buffer::Buffer;
pub use ids::IdTexts;
pub use parser::Parser;

pub use crate::table::roles::Widths;

use crate::error::{Kind, Result};
use crate::table::roles::PerRole;
use rejects::Rejects;

/// The values of some rows: a row-major array for each role.
pub type Arrays = PerRole<Buffer>;

/// Parsed rows. When a block is dropped, its buffers return to their pool.
pub struct Block {
    /// The number of rows.
    pub rows: usize,
    arrays: Arrays,
    /// The rejected rows among these.
    rejects: Rejects,
    /// The ids of the rows, if they are kept.
    ids: IdTexts,
    pool: Arc<Pool>,
    /// The thread whose core probably has the buffers in its cache.
    maker: ThreadId,
}

impl Block {
    /// An empty block with room for `rows` rows.
    pub(crate) fn with_capacity(pool: &Arc<Pool>, widths: Widths, rows: usize) -> Self {
        let mut block = Self::empty(pool);
        block.reserve(widths, rows);
        block
    }

    /// An empty block, with room for `rows` rows if there is memory for them. Rows that it never gets cost nothing.
    pub(crate) fn expecting(pool: &Arc<Pool>, widths: Widths, rows: usize) -> Self {
        let mut block = Self::empty(pool);
        for (buffer, width) in block.arrays.as_mut().zip(widths) {
            buffer.try_reserve(rows * width, 0);
        }
        block
    }

    fn empty(pool: &Arc<Pool>) -> Self {
        let maker = std::thread::current().id();
        let (arrays, rejects, ids) = (pool.take(maker), Rejects::default(), IdTexts::default());
        Self { rows: 0, arrays, rejects, ids, pool: Arc::clone(pool), maker }
    }

    /// The values of each role.
    #[must_use]
    pub fn arrays(&self) -> &Arrays {
        &self.arrays
    }

    /// The rejected rows among these.
    #[must_use]
    pub fn rejects(&self) -> &Rejects {
        &self.rejects
    }

    /// The ids of the rows, if they are kept.
    #[must_use]
    pub fn ids(&self) -> &IdTexts {
        &self.ids
    }

    /// Takes the rejects out of the block.
    pub(crate) fn take_rejects(&mut self) -> Rejects {
        std::mem::take(&mut self.rejects)
    }

    fn reserve(&mut self, widths: Widths, rows: usize) {
        for (buffer, width) in self.arrays.as_mut().zip(widths) {
            buffer.reserve(rows * width, self.rows * width);
        }
    }

    /// Appends rows whose values are contiguous and in file order.
    fn extend(&mut self, widths: Widths, arrangement: &Arrangement, values: &[f32]) {
        let width = arrangement.columns.len();
        let rows = values.len() / width;
        self.reserve(widths, self.rows + rows);
        let own: usize = arrangement.runs.weights.iter().map(Range::len).sum();
        if widths.weights > own {
            let weights = self.rows * widths.weights..(self.rows + rows) * widths.weights;
            self.arrays.weights.values_mut()[weights].fill(1.0);
        }
        for ((buffer, runs), taken) in self.arrays.as_mut().zip(arrangement.runs.as_ref()).zip(widths) {
            let places = &mut buffer.values_mut()[self.rows * taken..][..rows * taken];
            match runs[..] {
                [] => {}
                // Two values a row are so few that a specialized loop for each is worthwhile.
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

    /// Collects rows from several blocks: each place names a block and a row in it.
    pub(crate) fn gather(pool: &Arc<Pool>, widths: Widths, blocks: &[&Self], places: &[(u32, u32)]) -> Self {
        let mut block = Self::with_capacity(pool, widths, places.len());
        let fill = |to: &mut Buffer, array: fn(&Arrays) -> &Buffer, width: usize| {
            if width == 0 {
                return;
            }
            let from: Vec<&[f32]> =
                blocks.iter().map(|block| array(&block.arrays).values(0..block.rows * width)).collect();
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
        fill(&mut block.arrays.features, |arrays| &arrays.features, widths.features);
        fill(&mut block.arrays.targets, |arrays| &arrays.targets, widths.targets);
        fill(&mut block.arrays.weights, |arrays| &arrays.weights, widths.weights);
        if blocks.iter().any(|block| block.ids.rows() > 0) {
            for &(from, row) in places {
                block.ids.extend_from(&blocks[from as usize].ids, row as usize..row as usize + 1);
            }
        }
        block.rows = places.len();
        block
    }

    /// A block of `rows` rows whose values `read` fills in, role by role.
    pub(crate) fn filled<E>(
        pool: &Arc<Pool>,
        widths: Widths,
        rows: usize,
        mut read: impl FnMut(&mut [f32]) -> std::result::Result<(), E>,
    ) -> std::result::Result<Self, E> {
        let mut block = Self::with_capacity(pool, widths, rows);
        for (buffer, width) in block.arrays.as_mut().zip(widths) {
            read(&mut buffer.values_mut()[..rows * width])?;
        }
        block.rows = rows;
        Ok(block)
    }

    /// The values of some rows.
    pub(crate) fn values(&self, widths: Widths, rows: Range<usize>) -> PerRole<&[f32]> {
        self.arrays.as_ref().zip(widths).map(|(buffer, width)| buffer.values(rows.start * width..rows.end * width))
    }

    /// Appends rows of zeros up to `rows` rows. They have no ids.
    pub(crate) fn pad(&mut self, widths: Widths, rows: usize) -> Result<()> {
        for (buffer, width) in self.arrays.as_mut().zip(widths) {
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
        for ((to, from), width) in self.arrays.as_mut().zip(other.values(widths, rows.clone())).zip(widths) {
            to.values_mut()[at * width..][..from.len()].copy_from_slice(from);
        }
        self.ids.extend_from(&other.ids, rows.clone());
        self.rows += rows.len();
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.pool.put(self.maker, std::mem::take(&mut self.arrays));
    }
}

/// Buffers for reuse, so that a long pass touches the same few pages.
pub struct Pool {
    /// Each with the thread that used it last; the latest at the end.
    free: Mutex<Vec<(ThreadId, Arrays)>>,
    limit: usize,
}

impl Pool {
    /// A pool that keeps the buffers of at most `limit` blocks.
    #[must_use]
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { free: Mutex::default(), limit })
    }

    /// Buffers that are still in the cache of this thread's core, if possible.
    fn take(&self, maker: ThreadId) -> Arrays {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let own = free.iter().rposition(|(last, _)| *last == maker);
        let found = own.or(free.len().checked_sub(1)).map(|at| free.remove(at));
        found.map_or_else(Arrays::default, |(_, arrays)| arrays)
    }

    fn put(&self, maker: ThreadId, arrays: Arrays) {
        // Never wait here: in a process forked while a thread held the lock, it stays locked for ever.
        if let Ok(mut free) = self.free.try_lock()
            && free.len() < self.limit
        {
            free.push((maker, arrays));
        }
    }
}
