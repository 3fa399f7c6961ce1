//! Goes through a text in 64-byte chunks, with code that is compiled for each instruction set.

use super::masks::{Masks, Special};

/// How many chunks pass between two calls of [`Scan::end_stride`].
pub(super) const STRIDE: usize = 16;

/// Marks in a chunk from which they count as dense.
const DENSE: usize = 6;

/// What an instruction set does with a chunk. Implementations are always inlined: they are compiled for the instruction
/// set together with the [`Scan`] that calls them.
pub(crate) trait Instructions: Copy {
    /// Computes the masks of a chunk.
    fn masks(self, chunk: &[u8; 64], special: Special) -> Masks;

    /// Sets each bit if the number of set bits up to and including it is odd.
    fn prefix_xor(self, bits: u64) -> u64;

    /// Writes the positions of the set bits of `mask`. The lowest bit has position `base`. May write arbitrary values
    /// after the last position.
    fn write_positions(self, places: &mut [u32; 64], base: u32, mask: u64, density: Density);
}

/// What is learned from the chunks of a text, one after another. Implementations are always inlined.
pub(crate) trait Scan {
    /// Looks at the masks of the next chunk. Bits past the last byte of the text are clear.
    fn look<I: Instructions>(&mut self, instructions: I, position: usize, masks: Masks);

    /// Follows each stride of chunks. Returns whether the next chunks are worth looking at.
    #[inline(always)]
    fn end_stride<I: Instructions>(&mut self, _: I) -> bool {
        true
    }
}

/// Shows all chunks of `bytes` to `scan`. Compiled with what calls it.
#[inline(always)]
pub(super) fn scan_with<I: Instructions, S: Scan>(instructions: I, bytes: &[u8], special: Special, mut scan: S) -> S {
    let (chunks, rest) = bytes.as_chunks::<64>();
    let mut position = 0;
    for stride in chunks.chunks(STRIDE) {
        for chunk in stride {
            scan.look(instructions, position, instructions.masks(chunk, special));
            position += 64;
        }
        if !scan.end_stride(instructions) {
            return scan;
        }
    }
    if !rest.is_empty() {
        let mut last = [0; 64];
        last[..rest.len()].copy_from_slice(rest);
        scan.look(instructions, position, instructions.masks(&last, special).first(rest.len()));
        scan.end_stride(instructions);
    }
    scan
}

/// See [`Instructions::prefix_xor`].
#[inline(always)]
pub(super) fn prefix_xor(mut bits: u64) -> u64 {
    for distance in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << distance;
    }
    bits
}

/// How many bits are set in most masks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Density {
    /// Few: it takes the least time to take them one by one.
    Sparse,
    /// Many.
    Dense,
}

impl Density {
    /// The density of chunks in which `found` bits were set.
    #[inline]
    pub(super) fn of(found: usize, chunks: usize) -> Self {
        if found > DENSE * chunks { Self::Dense } else { Self::Sparse }
    }
}
