//! Finds delimiters, newlines and quotes in 64-byte chunks with two 256-bit registers.

use std::arch::x86_64::{
    __m256i, _mm_clmulepi64_si128, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_set1_epi8, _mm256_add_epi32,
    _mm256_add_epi64, _mm256_cmpeq_epi8, _mm256_cvtepu8_epi32, _mm256_extract_epi64, _mm256_loadu_si256,
    _mm256_movemask_epi8, _mm256_or_si256, _mm256_permutevar8x32_epi32, _mm256_sad_epu8, _mm256_set1_epi8,
    _mm256_set1_epi32, _mm256_setzero_si256, _mm256_storeu_si256, _mm256_sub_epi8,
};

use super::chunks::{self, Density, Instructions, Scan};
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
        let out = marks.rooms(CHUNKS).as_mut_ptr();
        let mut filled = 0;
        for chunk in chunks {
            let found = seen.look_at(chunk, delimiter);
            // SAFETY: `room` reserved 64 places for each chunk, and each earlier chunk filled at most 64.
            unsafe { write_positions(out.add(filled), base as u32, found, density) };
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

/// See [`scan::scan`].
pub(super) fn scan<S: Scan>(avx2: Avx2, bytes: &[u8], special: Special, scan: S) -> S {
    // SAFETY: an `Avx2` exists only if the processor has these instructions.
    unsafe { scan_with_avx2(avx2, bytes, special, scan) }
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,pclmulqdq,popcnt")]
fn scan_with_avx2<S: Scan>(avx2: Avx2, bytes: &[u8], special: Special, scan: S) -> S {
    chunks::scan_with(avx2, bytes, special, scan)
}

impl Instructions for Avx2 {
    #[inline(always)]
    fn masks(self, chunk: &[u8; 64], special: Special) -> Masks {
        // SAFETY: an `Avx2` exists only if the processor has these instructions.
        unsafe { masks(chunk, special) }
    }

    #[inline(always)]
    fn prefix_xor(self, bits: u64) -> u64 {
        // SAFETY: an `Avx2` exists only if the processor has these instructions.
        unsafe { prefix_xor(bits) }
    }

    #[inline(always)]
    fn write_positions(self, places: &mut [u32; 64], base: u32, mask: u64, density: Density) {
        // SAFETY: an `Avx2` exists only if the processor has these instructions, and there are 64 places.
        unsafe { write_positions(places.as_mut_ptr(), base, mask, density) }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn masks(chunk: &[u8; 64], Special { delimiter, quote }: Special) -> Masks {
    let (low, high) = halves(chunk);
    let mask = |byte: u8| {
        let wanted = _mm256_set1_epi8(byte as i8);
        let low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted)) as u32;
        let high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted)) as u32;
        u64::from(high) << 32 | u64::from(low)
    };
    let newlines = mask(b'\n');
    Masks { ends: mask(delimiter) | newlines, newlines, quotes: mask(quote), returns: mask(b'\r') }
}

/// See [`Instructions::prefix_xor`]. The product without carries with a number whose bits are all set.
#[inline]
#[target_feature(enable = "pclmulqdq")]
pub(super) fn prefix_xor(bits: u64) -> u64 {
    _mm_cvtsi128_si64(_mm_clmulepi64_si128::<0>(_mm_cvtsi64_si128(bits as i64), _mm_set1_epi8(-1))) as u64
}

/// The bytes of a chunk in two registers.
#[inline]
#[target_feature(enable = "avx2")]
fn halves(chunk: &[u8; 64]) -> (__m256i, __m256i) {
    // SAFETY: the chunk has 64 bytes, and each load reads 32 of them.
    unsafe { (_mm256_loadu_si256(chunk.as_ptr().cast()), _mm256_loadu_si256(chunk.as_ptr().add(32).cast())) }
}

/// See [`Instructions::write_positions`]. Looks dense marks up eight at a time.
///
/// # Safety
///
/// `out` must have room for 64 positions.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
unsafe fn write_positions(out: *mut u32, base: u32, mask: u64, density: Density) {
    // SAFETY: the caller provides the room.
    unsafe {
        match density {
            Density::Sparse => write_one_by_one(out, base, mask),
            Density::Dense => write_by_eight(out, base, mask),
        }
    }
}

/// See [`write_positions`].
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

/// See [`write_positions`]. The number of set bits makes no difference to the time.
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
