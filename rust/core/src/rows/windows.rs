//! Copies consecutive rows into the windows of a block.

use std::sync::Arc;

use super::{Block, Pool, Widths};
use crate::choose::windows::Shape;

impl Block {
    /// A block whose rows are windows. Each place names a block, and the row in it with which a window begins. The rows
    /// of the blocks follow one another as far as windows reach.
    ///
    /// A window has the targets, the weights and the ids of the row that it predicts.
    ///
    /// Windows overlap, so one at a time is copied as a whole: its rows are then still in the cache for the next.
    pub(crate) fn of_windows(
        pool: &Arc<Pool>,
        widths: Widths,
        shape: Shape,
        blocks: &[&Self],
        places: impl ExactSizeIterator<Item = (usize, usize)>,
    ) -> Self {
        let Widths { features, targets, weights } = widths;
        let whole = shape.widths(widths);
        let mut windows = Self::with_capacity(pool, whole, places.len());
        windows.rows = places.len();
        let length = shape.length as usize;
        for (number, (at, row)) in places.enumerate() {
            let (mut block, mut first) = (at, row);
            let mut rest = &mut windows.arrays.features.values_mut()[number * whole.features..][..whole.features];
            let mut left = length;
            while left > 0 {
                let rows = left.min(blocks[block].rows - first);
                let (place, after) = rest.split_at_mut(rows * features);
                place
                    .copy_from_slice(blocks[block].arrays.features.values(first * features..(first + rows) * features));
                (rest, left, block, first) = (after, left - rows, block + 1, 0);
            }
            if targets + weights > 0 || blocks[at].ids.rows() > 0 {
                let (block, row) = find(blocks, at, row + shape.reach() as usize);
                let from = &blocks[block].arrays;
                windows.arrays.targets.values_mut()[number * targets..][..targets]
                    .copy_from_slice(from.targets.values(row * targets..(row + 1) * targets));
                windows.arrays.weights.values_mut()[number * weights..][..weights]
                    .copy_from_slice(from.weights.values(row * weights..(row + 1) * weights));
                windows.ids.extend_from(&blocks[block].ids, row..row + 1);
            }
        }
        windows
    }
}

/// The block and the row in it that comes `row` rows after the beginning of a block.
fn find(blocks: &[&Block], mut block: usize, mut row: usize) -> (usize, usize) {
    while row >= blocks[block].rows {
        row -= blocks[block].rows;
        block += 1;
    }
    (block, row)
}
