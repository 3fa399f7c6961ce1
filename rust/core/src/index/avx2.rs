//! Delimiters and newlines in 64-byte steps, in two 256-bit registers.

use std::arch::x86_64::{
    __m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
};

use super::{Marks, portable};
use crate::number::WINDOW;
use crate::simd::Avx2;

/// Chunks for which room is made at a time.
const CHUNKS: usize = 16;

/// See [`super::portable::fill`].
pub(super) fn fill(_: Avx2, bytes: &[u8], delimiter: u8, marks: &mut Marks) -> usize {
    // SAFETY: the proof is made only where the processor has these instructions.
    unsafe { fill_with_avx2(bytes, delimiter, marks) }
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn fill_with_avx2(bytes: &[u8], delimiter: u8, marks: &mut Marks) -> usize {
    let mut newlines = 0;
    let mut base = WINDOW;
    let (chunks, rest) = bytes[WINDOW..].as_chunks::<64>();
    for chunks in chunks.chunks(CHUNKS) {
        let out = marks.room(64 * CHUNKS).as_mut_ptr();
        let mut filled = 0;
        for chunk in chunks {
            let (found, newline) = masks(chunk, delimiter);
            newlines += newline.count_ones() as usize;
            // SAFETY: 64 places for each chunk were made, and each chunk before took at most 64 of them.
            unsafe { write_positions(out.add(filled), base as u32, found) };
            filled += found.count_ones() as usize;
            base += 64;
        }
        marks.advance(filled);
    }
    let mut last = [0; 64];
    last[..rest.len()].copy_from_slice(rest);
    let (found, newline) = masks(&last, delimiter);
    let inside = (1 << rest.len()) - 1;
    portable::append(marks, base, found & inside);
    newlines + (newline & inside).count_ones() as usize
}

/// Writes the positions of the bits of `mask`, `base` being that of the lowest, and after them anything.
///
/// # Safety
///
/// `out` must have room for 64 positions.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
unsafe fn write_positions(out: *mut u32, base: u32, mut mask: u64) {
    let count = mask.count_ones() as usize;
    let mut write = |places: std::ops::Range<usize>| {
        for place in places {
            // SAFETY: the caller promises 64 places, and none of the ranges below goes further.
            unsafe { out.add(place).write(base + mask.trailing_zeros()) };
            mask &= mask.wrapping_sub(1);
        }
    };
    // Four at a time, so that most chunks end alike.
    let mut place = 0;
    while place < count {
        write(place..place + 4);
        place += 4;
    }
}

/// One bit for each byte that is a delimiter or a newline, and one for each that is a newline.
#[inline]
#[target_feature(enable = "avx2")]
fn masks(chunk: &[u8; 64], delimiter: u8) -> (u64, u64) {
    let mask = |compared: [__m256i; 2]| {
        let [low, high] = compared.map(|half| u64::from(_mm256_movemask_epi8(half) as u32));
        low | high << 32
    };
    let halves: [__m256i; 2] = [0, 32].map(|at| {
        // SAFETY: 32 of the 64 bytes of the chunk stand there.
        unsafe { _mm256_loadu_si256(chunk.as_ptr().add(at).cast()) }
    });
    let newlines = halves.map(|half| _mm256_cmpeq_epi8(half, _mm256_set1_epi8(b'\n' as i8)));
    let delimiters = halves.map(|half| _mm256_cmpeq_epi8(half, _mm256_set1_epi8(delimiter as i8)));
    let found = [0, 1].map(|at| _mm256_or_si256(newlines[at], delimiters[at]));
    (mask(found), mask(newlines))
}
