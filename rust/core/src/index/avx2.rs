//! Finds delimiters, newlines and quotes in 64-byte chunks with two 256-bit registers.

use std::arch::x86_64::{
    __m256i, _mm_cvtsi64_si128, _mm256_add_epi32, _mm256_add_epi64, _mm256_cmpeq_epi8, _mm256_cvtepu8_epi32,
    _mm256_extract_epi64, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256, _mm256_permutevar8x32_epi32,
    _mm256_sad_epu8, _mm256_set1_epi8, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_storeu_si256, _mm256_sub_epi8,
};

use super::masks::{Masks, Special};
use super::pick::Pick;
use super::{LineEnds, Marks, portable};
use crate::fields::WINDOW;
use crate::simd::Avx2;

/// How many chunks each reservation of marks covers.
const CHUNKS: usize = 16;

/// See [`super::portable::fill`].
pub(super) fn fill(_: Avx2, bytes: &[u8], delimiter: u8, marks: &mut Marks) -> LineEnds {
    // SAFETY: an `Avx2` exists only if the processor has these instructions.
    unsafe { fill_with_avx2(bytes, delimiter, marks) }
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn fill_with_avx2(bytes: &[u8], delimiter: u8, marks: &mut Marks) -> LineEnds {
    let mut seen = Seen { newlines: _mm256_setzero_si256(), returns: _mm256_setzero_si256() };
    let mut newlines = _mm256_setzero_si256();
    let mut base = WINDOW;
    let mut density = Density::Sparse;
    let (chunks, rest) = bytes[WINDOW..].as_chunks::<64>();
    for chunks in chunks.chunks(CHUNKS) {
        let out = marks.room(64 * CHUNKS).as_mut_ptr();
        let mut filled = 0;
        for chunk in chunks {
            let found = seen.look_at(chunk, delimiter);
            // SAFETY: `room` reserved 64 places for each chunk, and each earlier chunk filled at most 64.
            unsafe { density.write_positions(out.add(filled), base as u32, found) };
            filled += found.count_ones() as usize;
            base += 64;
        }
        marks.advance(filled);
        density = Density::of(filled, chunks.len());
        newlines = _mm256_add_epi64(newlines, seen.take_newlines());
    }
    // Padded with zeros, which are neither newlines nor carriage returns.
    let mut last = [0; 64];
    last[..rest.len()].copy_from_slice(rest);
    let found = seen.look_at(&last, delimiter) & ((1 << rest.len()) - 1);
    portable::append(marks, base, found);
    newlines = _mm256_add_epi64(newlines, seen.take_newlines());
    let sums = [
        _mm256_extract_epi64::<0>(newlines),
        _mm256_extract_epi64::<1>(newlines),
        _mm256_extract_epi64::<2>(newlines),
        _mm256_extract_epi64::<3>(newlines),
    ];
    LineEnds {
        newlines: sums.iter().sum::<i64>() as usize,
        returns: _mm256_movemask_epi8(seen.returns) != 0,
        in_step: false,
    }
}

/// See [`super::portable::look_at`].
pub(super) fn look_at(_: Avx2, chunks: &[[u8; 64]], special: Special, masks: &mut [Masks]) {
    // SAFETY: an `Avx2` exists only if the processor has these instructions.
    unsafe { look_with_avx2(chunks, special, masks) }
}

#[target_feature(enable = "avx2")]
fn look_with_avx2(chunks: &[[u8; 64]], Special { delimiter, quote }: Special, masks: &mut [Masks]) {
    for (masks, chunk) in masks.iter_mut().zip(chunks) {
        let (low, high) = halves(chunk);
        let mask = |byte: u8| {
            let wanted = _mm256_set1_epi8(byte as i8);
            let low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted)) as u32;
            let high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted)) as u32;
            u64::from(high) << 32 | u64::from(low)
        };
        let newlines = mask(b'\n');
        *masks = Masks { ends: mask(delimiter) | newlines, newlines, quotes: mask(quote), returns: mask(b'\r') };
    }
}

/// See [`super::portable::append_ends`].
pub(super) fn append_ends(_: Avx2, marks: &mut Marks, base: usize, chunks: &[Masks]) {
    // SAFETY: an `Avx2` exists only if the processor has these instructions.
    unsafe { append_with_avx2(marks, base, chunks) }
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn append_with_avx2(marks: &mut Marks, base: usize, chunks: &[Masks]) {
    let out = marks.room(64 * chunks.len()).as_mut_ptr();
    let mut filled = 0;
    let found = chunks.iter().map(|chunk| chunk.ends.count_ones() as usize).sum();
    let density = Density::of(found, chunks.len());
    for (at, chunk) in chunks.iter().enumerate() {
        // SAFETY: `room` reserved 64 places for each chunk, and each earlier chunk filled at most 64.
        unsafe { density.write_positions(out.add(filled), (base + 64 * at) as u32, chunk.ends) };
        filled += chunk.ends.count_ones() as usize;
    }
    marks.advance(filled);
}

/// See [`super::portable::count_newlines`].
pub(super) fn count_newlines(_: Avx2, masks: &[Masks]) -> usize {
    // SAFETY: an `Avx2` exists only if the processor has these instructions.
    unsafe { count_with_avx2(masks) }
}

#[target_feature(enable = "popcnt")]
fn count_with_avx2(masks: &[Masks]) -> usize {
    masks.iter().map(|masks| masks.newlines.count_ones() as usize).sum()
}

/// The bytes of a chunk in two registers.
#[inline]
#[target_feature(enable = "avx2")]
fn halves(chunk: &[u8; 64]) -> (__m256i, __m256i) {
    // SAFETY: the chunk has 64 bytes, and each load reads 32 of them.
    unsafe { (_mm256_loadu_si256(chunk.as_ptr().cast()), _mm256_loadu_si256(chunk.as_ptr().add(32).cast())) }
}

/// Writes the positions of set bits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Density {
    /// Few bits in most chunks: takes them one by one.
    Sparse,
    /// Many: looks up eight at a time.
    Dense,
}

impl Density {
    /// The density of chunks in which `found` bits were set.
    fn of(found: usize, chunks: usize) -> Self {
        if found > DENSE * chunks { Self::Dense } else { Self::Sparse }
    }

    /// Writes the positions of the set bits of `mask`. The lowest bit has position `base`. May write arbitrary values
    /// after the last position, up to 64 in all.
    ///
    /// # Safety
    ///
    /// `out` must have room for 64 positions.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    unsafe fn write_positions(self, out: *mut u32, base: u32, mask: u64) {
        // SAFETY: the caller provides the room.
        unsafe {
            match self {
                Self::Sparse => write_one_by_one(out, base, mask),
                Self::Dense => write_by_eight(out, base, mask),
            }
        }
    }
}

/// Set bits in a chunk from which looking them up takes less time.
const DENSE: usize = 6;

/// See [`Density::write_positions`].
///
/// # Safety
///
/// `out` must have room for 64 positions.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
unsafe fn write_one_by_one(out: *mut u32, base: u32, mut mask: u64) {
    let count = mask.count_ones() as usize;
    let mut write = |places: std::ops::Range<usize>| {
        for place in places {
            // SAFETY: the caller provides 64 places, and the ranges below stay within them.
            unsafe { out.add(place).write(base + mask.trailing_zeros()) };
            mask &= mask.wrapping_sub(1);
        }
    };
    // Fixed steps of four, so that branches are predictable for most chunks.
    write(0..4);
    let mut place = 4;
    while place < count {
        write(place..place + 4);
        place += 4;
    }
}

/// See [`Density::write_positions`]. The number of set bits makes no difference to the time.
///
/// # Safety
///
/// `out` must have room for 64 positions.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
unsafe fn write_by_eight(out: *mut u32, base: u32, mask: u64) {
    let base = _mm256_set1_epi32(base as i32);
    // Sixteen bytes of text at a time start where those before them end, so that none waits for another.
    for (at, pair) in mask.to_le_bytes().as_chunks::<2>().0.iter().enumerate() {
        let before = (mask & ((1 << (16 * at)) - 1)).count_ones() as usize;
        let [first, second] = pair.map(usize::from);
        let base = _mm256_add_epi32(base, _mm256_set1_epi32(16 * at as i32));
        // SAFETY: `k` bytes hold at most `8 * k` bits, and the positions of the next byte take eight places.
        unsafe {
            let out = out.add(before);
            write_places(out, base, SET_BITS[first]);
            write_places(out.add(first.count_ones() as usize), base, SET_BITS[second] + EIGHTS);
        }
    }
}

/// Writes eight positions: a base for each, and the places in the bytes of `places`.
///
/// # Safety
///
/// `out` must have room for eight positions.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn write_places(out: *mut u32, base: __m256i, places: i64) {
    let places = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(places));
    // SAFETY: the caller provides the room.
    unsafe { _mm256_storeu_si256(out.cast(), _mm256_add_epi32(places, base)) }
}

/// Eight in each byte.
const EIGHTS: i64 = 0x0808_0808_0808_0808;

/// The places of the set bits of each byte, one in each byte from the lowest on.
static SET_BITS: [i64; 256] = {
    let mut all = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut place, mut count) = (0, 0);
        while place < 8 {
            if byte >> place & 1 == 1 {
                all[byte] |= place << (8 * count);
                count += 1;
            }
            place += 1;
        }
        byte += 1;
    }
    all
};

/// Writes the marks of the picked columns of each row. A row has `columns` marks.
pub(super) fn pick(_: Avx2, marks: &[u32], columns: usize, picks: &[Pick<8>], picked: &mut Vec<u32>) {
    // SAFETY: an `Avx2` exists only if the processor has these instructions.
    unsafe { pick_with_avx2(marks, columns, picks, picked) }
}

#[target_feature(enable = "avx2")]
fn pick_with_avx2(marks: &[u32], columns: usize, picks: &[Pick<8>], picked: &mut Vec<u32>) {
    Pick::make_room(picks, marks.len() / columns, picked);
    let mut at = 0;
    for row in (0..marks.len()).step_by(columns) {
        for pick in picks {
            let near = &marks[row + pick.first..];
            let mut last = [0; 8];
            let near = near.first_chunk().unwrap_or_else(|| {
                last[..near.len()].copy_from_slice(near);
                &last
            });
            let out = picked[at..].first_chunk_mut::<8>().expect("room for eight");
            // SAFETY: each array has eight elements.
            unsafe {
                let [near, places] = [near, &pick.places].map(|array| _mm256_loadu_si256(array.as_ptr().cast()));
                _mm256_storeu_si256(out.as_mut_ptr().cast(), _mm256_permutevar8x32_epi32(near, places));
            }
            at += pick.count;
        }
    }
}

/// Line ends found so far.
struct Seen {
    /// The number of newlines in each byte lane; always less than 256.
    newlines: __m256i,
    /// All ones in lanes that had a carriage return.
    returns: __m256i,
}

impl Seen {
    /// A mask of the bytes that are delimiters or newlines.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn look_at(&mut self, chunk: &[u8; 64], delimiter: u8) -> u64 {
        let mut mask = 0;
        let (low, high) = halves(chunk);
        for (half, at) in [(low, 0), (high, 32)] {
            let newlines = _mm256_cmpeq_epi8(half, _mm256_set1_epi8(b'\n' as i8));
            let delimiters = _mm256_cmpeq_epi8(half, _mm256_set1_epi8(delimiter as i8));
            let returns = _mm256_cmpeq_epi8(half, _mm256_set1_epi8(b'\r' as i8));
            self.newlines = _mm256_sub_epi8(self.newlines, newlines);
            self.returns = _mm256_or_si256(self.returns, returns);
            mask |= u64::from(_mm256_movemask_epi8(_mm256_or_si256(newlines, delimiters)) as u32) << at;
        }
        mask
    }

    /// The number of newlines since the last call, in four sums.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn take_newlines(&mut self) -> __m256i {
        let zero = _mm256_setzero_si256();
        _mm256_sad_epu8(std::mem::replace(&mut self.newlines, zero), zero)
    }
}
