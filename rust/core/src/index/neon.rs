//! Finds delimiters, newlines and quotes in 64-byte chunks with four 128-bit registers.

use std::arch::aarch64::{
    uint8x16_t, uint64x2_t, vaddq_u64, vaddvq_u64, vandq_u8, vceqq_u8, vdupq_n_u8, vdupq_n_u64, vgetq_lane_u64,
    vld1q_u8, vmaxvq_u8, vorrq_u8, vpaddlq_u8, vpaddlq_u16, vpaddlq_u32, vpaddq_u8, vreinterpretq_u64_u8, vsubq_u8,
};

use super::chunks::{self, Density, Instructions, Scan};
use super::masks::{Masks, Special};
use super::{LineEnds, Marks, portable};
use crate::fields::WINDOW;
use crate::simd::Neon;

/// How many chunks each reservation of marks covers.
const CHUNKS: usize = 16;

/// The bytes of a chunk in four registers.
type Chunk = [uint8x16_t; 4];

/// See [`super::portable::fill`].
pub(super) fn fill(_: Neon, bytes: &[u8], delimiter: u8, marks: &mut Marks) -> LineEnds {
    // SAFETY: a `Neon` exists only if the processor has these instructions.
    unsafe { fill_with_neon(bytes, delimiter, marks) }
}

#[target_feature(enable = "neon")]
fn fill_with_neon(bytes: &[u8], delimiter: u8, marks: &mut Marks) -> LineEnds {
    let mut seen = Seen { newlines: vdupq_n_u8(0), returns: vdupq_n_u8(0) };
    let mut newlines = vdupq_n_u64(0);
    let mut base = WINDOW;
    let (chunks, rest) = bytes[WINDOW..].as_chunks::<64>();
    for chunks in chunks.chunks(CHUNKS) {
        let out = marks.rooms(CHUNKS).as_mut_ptr();
        let mut filled = 0;
        for chunk in chunks {
            let found = seen.look_at(chunk, delimiter);
            // SAFETY: `room` reserved 64 places for each chunk, and each earlier chunk filled at most 64.
            unsafe { write_positions(out.add(filled), base as u32, found) };
            filled += found.count_ones() as usize;
            base += 64;
        }
        marks.advance(filled);
        newlines = vaddq_u64(newlines, seen.take_newlines());
    }
    // Padded with zeros, which are neither newlines nor carriage returns.
    let mut last = [0; 64];
    last[..rest.len()].copy_from_slice(rest);
    let found = seen.look_at(&last, delimiter) & ((1 << rest.len()) - 1);
    portable::append(marks, base, found);
    newlines = vaddq_u64(newlines, seen.take_newlines());
    LineEnds { newlines: vaddvq_u64(newlines) as usize, returns: vmaxvq_u8(seen.returns) != 0, in_step: false }
}

/// See [`scan::scan`].
pub(super) fn scan<S: Scan>(neon: Neon, bytes: &[u8], special: Special, scan: S) -> S {
    // SAFETY: a `Neon` exists only if the processor has these instructions.
    unsafe { scan_with_neon(neon, bytes, special, scan) }
}

#[target_feature(enable = "neon")]
fn scan_with_neon<S: Scan>(neon: Neon, bytes: &[u8], special: Special, scan: S) -> S {
    chunks::scan_with(neon, bytes, special, scan)
}

impl Instructions for Neon {
    #[inline(always)]
    fn masks(self, chunk: &[u8; 64], special: Special) -> Masks {
        // SAFETY: a `Neon` exists only if the processor has these instructions.
        unsafe { masks(chunk, special) }
    }

    #[inline(always)]
    fn prefix_xor(self, bits: u64) -> u64 {
        chunks::prefix_xor(bits)
    }

    #[inline(always)]
    fn write_positions(self, places: &mut [u32; 64], base: u32, mask: u64, _: Density) {
        // SAFETY: there are 64 places.
        unsafe { write_positions(places.as_mut_ptr(), base, mask) }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn masks(chunk: &[u8; 64], Special { delimiter, quote }: Special) -> Masks {
    let chunk = load(chunk);
    let mask = |byte: u8| mask(equal(chunk, byte));
    let newlines = mask(b'\n');
    Masks { ends: mask(delimiter) | newlines, newlines, quotes: mask(quote), returns: mask(b'\r') }
}

#[inline]
#[target_feature(enable = "neon")]
fn load(chunk: &[u8; 64]) -> Chunk {
    // SAFETY: the chunk has 64 bytes, and each load reads 16 of them.
    [0, 16, 32, 48].map(|at| unsafe { vld1q_u8(chunk.as_ptr().add(at)) })
}

/// All ones where a byte is `wanted`.
#[inline]
#[target_feature(enable = "neon")]
fn equal(chunk: Chunk, wanted: u8) -> Chunk {
    chunk.map(|bytes| vceqq_u8(bytes, vdupq_n_u8(wanted)))
}

/// One bit for each byte that is all ones instead of zero.
#[inline]
#[target_feature(enable = "neon")]
fn mask(found: Chunk) -> u64 {
    const BITS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
    // SAFETY: the array has sixteen bytes.
    let bits = unsafe { vld1q_u8(BITS.as_ptr()) };
    let bits = found.map(|found| vandq_u8(found, bits));
    // Each sum of adjacent bytes halves their number, until eight bits of the mask share a byte.
    let sums = vpaddq_u8(vpaddq_u8(bits[0], bits[1]), vpaddq_u8(bits[2], bits[3]));
    vgetq_lane_u64::<0>(vreinterpretq_u64_u8(vpaddq_u8(sums, sums)))
}

/// Writes the positions of the set bits of `mask`. The lowest bit has position `base`. May write arbitrary values after
/// the last position.
///
/// # Safety
///
/// `out` must have room for 64 positions.
#[inline(always)]
unsafe fn write_positions(out: *mut u32, base: u32, mask: u64) {
    let count = mask.count_ones() as usize;
    // This architecture counts leading zeros, not trailing ones.
    let mut reversed = mask.reverse_bits();
    let mut write = |places: std::ops::Range<usize>| {
        for place in places {
            let at = reversed.leading_zeros();
            // SAFETY: the caller provides 64 places, and the ranges below stay within them.
            unsafe { out.add(place).write(base.wrapping_add(at)) };
            reversed &= !(1 << 63 >> (at % 64));
        }
    };
    // Fixed steps of four, so that branches are predictable for most chunks.
    write(0..4);
    if count > 4 {
        write(4..8);
        if count > 8 {
            write(8..12);
            let mut place = 12;
            while place < count {
                write(place..place + 4);
                place += 4;
            }
        }
    }
}

/// Line ends found so far.
struct Seen {
    /// The number of newlines in each byte lane; always less than 256.
    newlines: uint8x16_t,
    /// All ones in lanes that had a carriage return.
    returns: uint8x16_t,
}

impl Seen {
    /// A mask of the bytes that are delimiters or newlines.
    #[inline]
    #[target_feature(enable = "neon")]
    fn look_at(&mut self, chunk: &[u8; 64], delimiter: u8) -> u64 {
        let chunk = load(chunk);
        let (newlines, delimiters) = (equal(chunk, b'\n'), equal(chunk, delimiter));
        // All ones are -1.
        self.newlines = newlines.into_iter().fold(self.newlines, |sum, newlines| vsubq_u8(sum, newlines));
        self.returns = equal(chunk, b'\r').into_iter().fold(self.returns, |any, returns| vorrq_u8(any, returns));
        mask([0, 1, 2, 3].map(|at| vorrq_u8(newlines[at], delimiters[at])))
    }

    /// The number of newlines since the last call, in two sums.
    #[inline]
    #[target_feature(enable = "neon")]
    fn take_newlines(&mut self) -> uint64x2_t {
        vpaddlq_u32(vpaddlq_u16(vpaddlq_u8(std::mem::replace(&mut self.newlines, vdupq_n_u8(0)))))
    }
}
