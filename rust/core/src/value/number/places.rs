//! Where the fields of a block are, and which of them are left to read.

use std::ops::Range;

/// How many groups pass through a stage together. Stages are short, so that the processor overlaps several groups.
pub(super) const BLOCK: usize = 16;

/// For each group of a block, a bitmask of the fields that need another way of reading.
pub(super) type Left = [u32; BLOCK];

/// The positions of fields, as in [`Fields`], in groups of `N`.
#[derive(Clone, Copy)]
pub(super) struct Places<'a, const N: usize> {
    pub(super) before: &'a [[u32; N]],
    pub(super) ends: &'a [[u32; N]],
}

impl<'a, const N: usize> Places<'a, N> {
    pub(super) fn part(self, groups: Range<usize>) -> Self {
        Self { before: &self.before[groups.clone()], ends: &self.ends[groups] }
    }

    #[inline]
    pub(super) fn of(self, group: usize, field: usize) -> Range<usize> {
        self.before[group][field] as usize + 1..self.ends[group][field] as usize
    }

    #[inline]
    pub(super) fn length(self, group: usize, field: usize) -> usize {
        self.of(group, field).len()
    }

    /// The marks before the fields of each group, and their ends.
    pub(super) fn iter(self) -> impl Iterator<Item = (&'a [u32; N], &'a [u32; N])> {
        self.before.iter().zip(self.ends)
    }
}

/// The positions of the set bits of a mask.
pub(super) fn set_bits(mask: u32) -> impl Iterator<Item = usize> {
    set_bits_of(mask.into())
}

pub(super) fn set_bits_of(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lowest = (mask != 0).then(|| mask.trailing_zeros() as usize);
        mask &= mask.wrapping_sub(1);
        lowest
    })
}
