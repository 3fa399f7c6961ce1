//! Reads fields of up to eight bytes, and a minus before them, two to a lane.

#[allow(clippy::wildcard_imports, reason = "half of all lines name an intrinsic")]
use std::arch::x86_64::*;

use super::digits::{Bytes, Digits, divide, verdict};
use super::lanes::{constant, int, negate_where, steps, sub};

/// How far after the first end of eight fields the last end may lie, so that all their bytes are within [`SPAN`].
pub(super) const REACH: i32 = (SPAN - 9) as i32;

/// Bytes loaded for eight fields, from nine before the first end on.
const SPAN: usize = 128;

/// Eight-byte lanes: the first eight fields in the first register, the others in the second.
type Lanes = [__m512i; 2];

/// For each field, the first of its eight.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn first_of_eight(fields: __m512i) -> __m512i {
    _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 8, 8, 8, 8, 8, 8, 8, 8), fields)
}

/// Loads the eight bytes before each end. With `SIGNED`, also sets a bit where a minus precedes these bytes.
///
/// # Safety
///
/// Each end must lie in `9..=text.len() - 119`, and at most [`REACH`] after the first end of its eight.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
pub(super) unsafe fn load<const SIGNED: bool>(text: &[u8], ends: &[u32; 16]) -> (Lanes, __mmask16) {
    let natural = super::lanes::load_integers(ends);
    let from_first = sub(natural, first_of_eight(natural));
    let spans = [0, 8].map(|first| {
        // SAFETY: the caller guarantees 128 bytes from nine before the first end on.
        [0, 64].map(|at| unsafe { _mm512_loadu_si512(text.as_ptr().add(ends[first] as usize - 9 + at).cast()) })
    });
    let lanes = [(0, 0), (1, 8)].map(|(at, first)| {
        let places = _mm512_add_epi8(broadcast(from_first, first), constant(&IN_HALVES));
        _mm512_permutex2var_epi8(spans[at][0], places, spans[at][1])
    });
    if !SIGNED {
        return (lanes, 0);
    }
    let [first, second] = spans.map(|[low, high]| _mm512_permutex2var_epi8(low, from_first, high));
    let before = _mm512_and_si512(_mm512_mask_blend_epi32(0xFF00, first, second), int(0xFF));
    (lanes, _mm512_cmpeq_epi32_mask(before, int(b'-'.into())))
}

/// The places in a lane, restarted in its middle.
const IN_HALVES: [u8; 64] = in_halves(1, 1);

/// `first`, `first + step`, … in each half of each lane.
const fn in_halves(first: u8, step: u8) -> [u8; 64] {
    let half: [u8; 8] = steps(first, step);
    let mut bytes = [0; 64];
    let mut at = 0;
    while at < bytes.len() {
        bytes[at] = half[at % 8];
        at += 1;
    }
    bytes
}

/// Copies the lowest bytes of eight fields from `first` on to all bytes of their lanes.
#[inline]
#[target_feature(enable = "avx512f,avx512vbmi")]
fn broadcast(fields: __m512i, first: usize) -> __m512i {
    const FROM: [[u8; 64]; 2] = {
        let mut from = [[0; 64]; 2];
        let mut at = 0;
        while at < 64 {
            from[0][at] = (at / 8 * 4) as u8;
            from[1][at] = (at / 8 * 4 + 32) as u8;
            at += 1;
        }
        from
    };
    _mm512_permutexvar_epi8(constant(&FROM[first / 8]), fields)
}

/// The low halves of sixteen sums, in the order of the fields.
#[inline]
#[target_feature(enable = "avx512f")]
fn in_order(sums: Lanes) -> __m512i {
    let order = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    _mm512_permutex2var_epi32(sums[0], order, sums[1])
}

/// Reads the last `length` bytes of each lane. For length 9, reads all eight bytes and the minus before them.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
pub(super) fn read<const SIGNED: bool>(lanes: Lanes, length: __m512i, minus_before: __mmask16) -> Digits<2> {
    const FROM_END: [u8; 64] = in_halves(7, u8::MAX);
    const WEIGHTS: [u8; 64] = in_halves(16, 17);
    let mut counts = lanes;
    let mut marks = lanes;
    let mut digits = lanes;
    for (at, first) in [(0, 0), (1, 8)] {
        let inside = _mm512_cmpgt_epi8_mask(broadcast(length, first), constant(&FROM_END));
        let bytes = Bytes::look_up(lanes[at], inside, constant(&WEIGHTS));
        counts[at] = bytes.count;
        marks[at] = bytes.mark;
        digits[at] = bytes.digits;
    }
    let mark = in_order(marks);
    if !SIGNED {
        return Digits { bad: verdict(in_order(counts), mark, length, 8), mark, lanes: digits };
    }
    let has_more = _mm512_cmpgt_epi32_mask(length, int(8));
    let bad = verdict(in_order(counts), mark, _mm512_min_epi32(length, int(8)), 8);
    // A second minus is an error.
    let bad = bad | has_more & (!minus_before | _mm512_cmpgt_epi32_mask(mark, int(15)));
    Digits { bad, mark: _mm512_mask_or_epi32(mark, has_more, mark, int(16)), lanes: digits }
}

/// Computes the numbers.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
pub(super) fn round(digits: &Digits<2>) -> __m512 {
    const BEFORE: [u8; 64] = {
        let mut before = in_halves(u8::MAX, 1);
        let mut at = 0;
        while at < 64 {
            before[at] = if at % 8 == 0 { 0 } else { before[at] };
            at += 1;
        }
        before
    };
    let dot = digits.dot();
    let [first, second] = [(0, 0), (1, 8)].map(|(at, first)| {
        // The digits before the dot move up by one and replace it.
        let lanes = digits.lanes[at];
        let moves = _mm512_cmpgt_epi8_mask(broadcast(dot, first), constant(&BEFORE));
        let squeezed = _mm512_mask_mov_epi8(lanes, moves, _mm512_slli_epi64::<8>(lanes));
        _mm512_madd_epi16(_mm512_maddubs_epi16(squeezed, _mm512_set1_epi16(0x010A)), int(0x0001_0064))
    });
    let integers = _mm512_madd_epi16(_mm512_packus_epi32(first, second), int(0x0001_2710));
    // Packing interleaved pairs of fields from both registers.
    let order = _mm512_setr_epi32(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
    let integers = _mm512_permutexvar_epi32(order, integers);
    // With a dot there are at most seven digits, which are exact in float32, as is the power. Without a dot the power
    // is 1. Either way, this rounds once.
    let (_, places) = digits.places(8);
    negate_where(divide(integers, places), digits.negative())
}
