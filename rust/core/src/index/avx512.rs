//! Finds delimiters, newlines and quotes in 64-byte chunks with one 512-bit register.

use std::arch::x86_64::{
    __m512i, _bzhi_u64, _mm512_add_epi32, _mm512_castsi512_si128, _mm512_cmpeq_epi8_mask, _mm512_cvtepu8_epi32,
    _mm512_extracti32x4_epi32, _mm512_loadu_si512, _mm512_maskz_compress_epi8, _mm512_maskz_loadu_epi8,
    _mm512_permutex2var_epi32, _mm512_set1_epi8, _mm512_set1_epi32, _mm512_storeu_si512, _pext_u64,
};

use super::chunks::{self, Density, Instructions, Scan};
use super::masks::{Masks, Special};
use super::pick::Pick;
use super::{LineEnds, Marks};
use crate::fields::WINDOW;
use crate::simd::Avx512;

/// How many chunks each reservation of marks covers.
const CHUNKS: usize = 16;

/// The place of each byte in its chunk.
static PLACES: [u8; 64] = {
    let mut places = [0; 64];
    let mut place = 0;
    while place < 64 {
        places[place] = place as u8;
        place += 1;
    }
    places
};

/// See [`super::portable::fill`]. If `columns` is a power of two up to 64, also checks that each row has that many
/// fields.
pub(super) fn fill(_: Avx512, bytes: &[u8], delimiter: u8, columns: usize, marks: &mut Marks) -> LineEnds {
    // SAFETY: an `Avx512` exists only if the processor has these instructions.
    unsafe {
        if columns > 1 && 64 % columns == 0 {
            let newlines = (columns - 1..64).step_by(columns).fold(0, |newlines, mark| newlines | 1 << mark);
            fill_with_avx512::<true>(bytes, delimiter, newlines, marks)
        } else {
            fill_with_avx512::<false>(bytes, delimiter, 0, marks)
        }
    }
}

#[target_feature(
    enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,avx2,bmi1,bmi2,lzcnt,popcnt"
)]
fn fill_with_avx512<const IN_STEP: bool>(bytes: &[u8], delimiter: u8, step: u64, marks: &mut Marks) -> LineEnds {
    let mut line_ends = Seen { newlines: 0, returns: 0, marks: 0, out_of_step: 0 };
    let mut base = WINDOW;
    let (chunks, rest) = bytes[WINDOW..].as_chunks::<64>();
    for chunks in chunks.chunks(CHUNKS) {
        let out = marks.rooms(CHUNKS).as_mut_ptr();
        let mut filled = 0;
        for chunk in chunks {
            let found = line_ends.look_at::<IN_STEP>(load(chunk), u64::MAX, delimiter, step);
            // SAFETY: `room` reserved 64 places for each chunk, and each earlier chunk filled at most 64.
            unsafe { write_positions(out.add(filled), base as u32, found) };
            filled += found.count_ones() as usize;
            base += 64;
        }
        marks.advance(filled);
    }
    let kept = (1 << rest.len()) - 1;
    // SAFETY: the mask limits the load to the bytes of `rest`.
    let last = unsafe { _mm512_maskz_loadu_epi8(kept, rest.as_ptr().cast()) };
    let found = line_ends.look_at::<IN_STEP>(last, kept, delimiter, step);
    // SAFETY: `room` reserved 64 places.
    unsafe { write_positions(marks.room().as_mut_ptr(), base as u32, found) };
    marks.advance(found.count_ones() as usize);
    let in_step = IN_STEP && line_ends.out_of_step == 0;
    LineEnds { newlines: line_ends.newlines as usize, returns: line_ends.returns != 0, in_step }
}

/// Line ends found so far.
struct Seen {
    /// The number of newlines.
    newlines: u64,
    /// The places in a chunk that had a carriage return.
    returns: u64,
    /// The number of delimiters and newlines.
    marks: u32,
    /// The marks within a chunk that are newlines where a delimiter should be, or the reverse.
    out_of_step: u64,
}

impl Seen {
    /// A mask of the bytes in `kept` that are delimiters or newlines. `step` tells which of 64 marks should be
    /// newlines.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,bmi2,popcnt")]
    fn look_at<const IN_STEP: bool>(&mut self, chunk: __m512i, kept: u64, delimiter: u8, step: u64) -> u64 {
        let newlines = equal(chunk, b'\n') & kept;
        self.newlines += u64::from(newlines.count_ones());
        self.returns |= equal(chunk, b'\r') & kept;
        let found = equal(chunk, delimiter) & kept | newlines;
        if IN_STEP {
            // For short rows this is faster than looking up the byte at each mark.
            let count = found.count_ones();
            let expected = _bzhi_u64(step.rotate_right(self.marks % 64), count);
            self.out_of_step |= _pext_u64(newlines, found) ^ expected;
            self.marks = self.marks.wrapping_add(count);
        }
        found
    }
}

/// See [`scan::scan`].
pub(super) fn scan<S: Scan>(avx512: Avx512, bytes: &[u8], special: Special, scan: S) -> S {
    // SAFETY: an `Avx512` exists only if the processor has these instructions.
    unsafe { scan_with_avx512(avx512, bytes, special, scan) }
}

#[target_feature(
    enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,avx2,bmi1,bmi2,lzcnt,pclmulqdq,popcnt"
)]
fn scan_with_avx512<S: Scan>(avx512: Avx512, bytes: &[u8], special: Special, scan: S) -> S {
    chunks::scan_with(avx512, bytes, special, scan)
}

impl Instructions for Avx512 {
    #[inline(always)]
    fn masks(self, chunk: &[u8; 64], special: Special) -> Masks {
        // SAFETY: an `Avx512` exists only if the processor has these instructions.
        unsafe { masks(chunk, special) }
    }

    #[inline(always)]
    fn prefix_xor(self, bits: u64) -> u64 {
        self.avx2().prefix_xor(bits)
    }

    #[inline(always)]
    fn write_positions(self, places: &mut [u32; 64], base: u32, mask: u64, _: Density) {
        // SAFETY: an `Avx512` exists only if the processor has these instructions, and there are 64 places.
        unsafe { write_positions(places.as_mut_ptr(), base, mask) }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn masks(chunk: &[u8; 64], Special { delimiter, quote }: Special) -> Masks {
    let chunk = load(chunk);
    let newlines = equal(chunk, b'\n');
    let ends = equal(chunk, delimiter) | newlines;
    Masks { ends, newlines, quotes: equal(chunk, quote), returns: equal(chunk, b'\r') }
}

/// Writes the marks of the picked columns of each row. A row has `columns` marks.
pub(super) fn pick(_: Avx512, marks: &[u32], columns: usize, picks: &[Pick<16>], picked: &mut Vec<u32>) {
    // SAFETY: an `Avx512` exists only if the processor has these instructions.
    unsafe { pick_with_avx512(marks, columns, picks, picked) }
}

#[target_feature(enable = "avx512f")]
fn pick_with_avx512(marks: &[u32], columns: usize, picks: &[Pick<16>], picked: &mut Vec<u32>) {
    Pick::make_room(picks, marks.len() / columns, picked);
    let mut at = 0;
    for row in (0..marks.len()).step_by(columns) {
        for pick in picks {
            let near = &marks[row + pick.first..];
            let mut last = [0; 32];
            let near = near.first_chunk().unwrap_or_else(|| {
                last[..near.len()].copy_from_slice(near);
                &last
            });
            let out = picked[at..].first_chunk_mut::<16>().expect("room for sixteen");
            let (halves, _) = near.as_chunks::<16>();
            // SAFETY: each half has 16 marks.
            let [low, high] = [0, 1].map(|half| unsafe { _mm512_loadu_si512(halves[half].as_ptr().cast()) });
            // SAFETY: `places` has 16 elements.
            let places = unsafe { _mm512_loadu_si512(pick.places.as_ptr().cast()) };
            let chosen = _mm512_permutex2var_epi32(low, places, high);
            // SAFETY: `out` has 16 elements.
            unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), chosen) };
            at += pick.count;
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: the array has 64 bytes.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

/// A mask of the bytes of the chunk that equal `byte`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn equal(chunk: __m512i, byte: u8) -> u64 {
    _mm512_cmpeq_epi8_mask(chunk, _mm512_set1_epi8(byte as i8))
}

/// Writes the positions of the set bits of `mask`. The lowest bit has position `base`. May write arbitrary values after
/// the last position.
///
/// # Safety
///
/// `out` must have room for 64 positions.
#[inline]
#[target_feature(
    enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,avx2,bmi1,bmi2,lzcnt,popcnt"
)]
unsafe fn write_positions(out: *mut u32, base: u32, mask: u64) {
    let count = mask.count_ones();
    // Compress into a register: compressing to memory is microcoded on Zen 4.
    let places = _mm512_maskz_compress_epi8(mask, load(&PLACES));
    let base = _mm512_set1_epi32(base as i32);
    // SAFETY: the caller provides four times 16 places.
    let write = |quarter: usize, places| unsafe {
        _mm512_storeu_si512(out.add(16 * quarter).cast(), _mm512_add_epi32(_mm512_cvtepu8_epi32(places), base));
    };
    write(0, _mm512_castsi512_si128(places));
    if count > 16 {
        write(1, _mm512_extracti32x4_epi32::<1>(places));
        if count > 32 {
            write(2, _mm512_extracti32x4_epi32::<2>(places));
            if count > 48 {
                write(3, _mm512_extracti32x4_epi32::<3>(places));
            }
        }
    }
}
