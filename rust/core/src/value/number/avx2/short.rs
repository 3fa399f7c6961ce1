//! Reads fields of up to eight bytes, and a minus before them, two to a lane.

#[allow(clippy::wildcard_imports, reason = "half of all lines name an intrinsic")]
use std::arch::x86_64::*;

use super::digits::{Bytes, Digits, verdict};
use super::lanes::{int, negate_where, places_in_halves, sub};

/// Eight-byte lanes: fields 0, 1, 4 and 5 in the first register, the others in the second.
type Lanes = [__m256i; 2];

/// The ends of eight fields.
pub(super) struct Tails {
    /// The last eight bytes.
    pub(super) lanes: Lanes,
    /// All ones where a minus precedes these bytes, if fields may be signed.
    pub(super) minus_before: __m256i,
}

impl Tails {
    /// Loads the eight bytes before each end. With `SIGNED`, also looks at the byte before these.
    ///
    /// # Safety
    ///
    /// Each end must lie in `16..=text.len()`.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn load<const SIGNED: bool>(text: &[u8], ends: &[u32; 8]) -> Self {
        if SIGNED {
            // SAFETY: the caller guarantees the ends.
            let tails = unsafe { super::lanes::load(text, ends) };
            let halves = [0, 2].map(|at| (tails[at], tails[at + 1]));
            let before = halves.map(|(one, next)| _mm256_castsi256_ps(_mm256_unpacklo_epi64(one, next)));
            let before = _mm256_castps_si256(_mm256_shuffle_ps::<0b11_01_11_01>(before[0], before[1]));
            let minus_before = _mm256_cmpeq_epi32(_mm256_srli_epi32::<24>(before), int(i32::from(b'-')));
            return Self { lanes: halves.map(|(one, next)| _mm256_unpackhi_epi64(one, next)), minus_before };
        }
        // SAFETY: the caller guarantees that eight bytes precede each end.
        let lane = |at: usize| unsafe { text.as_ptr().add(ends[at] as usize - 8).cast::<i64>().read_unaligned() };
        let lanes = [0, 2].map(|at| _mm256_set_epi64x(lane(at + 5), lane(at + 4), lane(at + 1), lane(at)));
        Self { lanes, minus_before: _mm256_setzero_si256() }
    }
}

/// The low halves of eight integers of eight bytes, in the order of the fields.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn in_order(lanes: Lanes) -> __m256i {
    let [first, second] = lanes.map(|lanes| _mm256_castsi256_ps(lanes));
    _mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(first, second))
}

/// Combines the digits of each field into an integer.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn join_digits(digits: Lanes) -> __m256i {
    let [first, second] = digits.map(|digits| {
        let twos = _mm256_maddubs_epi16(digits, _mm256_set1_epi16(0x010A));
        _mm256_madd_epi16(twos, int(0x0001_0064))
    });
    _mm256_madd_epi16(_mm256_packus_epi32(first, second), int(0x0001_2710))
}

/// Reads the last `length` bytes of each lane, eight at most. With `SIGNED`, reads nine bytes as a minus and eight more.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn read<const SIGNED: bool>(tails: &Tails, length: __m256i) -> Digits<2> {
    let lanes = tails.lanes;
    let mut counts = lanes;
    let mut marks = lanes;
    let mut digits = lanes;
    for (at, fields) in [0, 1].into_iter().zip(0..) {
        let inside = _mm256_cmpgt_epi8(broadcast(length, fields), places_in_halves(7, -1));
        let bytes = Bytes::look_up(lanes[at], inside, places_in_halves(16, 17));
        counts[at] = bytes.count;
        marks[at] = bytes.mark;
        digits[at] = bytes.digits;
    }
    let [count, mark] = [counts, marks].map(|sums| in_order(sums));
    if !SIGNED {
        return Digits { bad: verdict(count, mark, length, 8), mark, lanes: digits };
    }
    let has_more = _mm256_cmpgt_epi32(length, int(8));
    let bad = verdict(count, mark, _mm256_min_epi32(length, int(8)), 8);
    // A second minus is an error.
    let one_minus = _mm256_andnot_si256(_mm256_cmpgt_epi32(mark, int(15)), tails.minus_before);
    let bad = _mm256_or_si256(bad, _mm256_andnot_si256(one_minus, has_more));
    Digits { bad, mark: _mm256_or_si256(mark, _mm256_and_si256(has_more, int(16))), lanes: digits }
}

/// Computes the numbers.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn round(digits: &Digits<2>) -> __m256 {
    let Digits { mark, lanes: mut digits, .. } = *digits;
    let dot = _mm256_and_si256(mark, int(15));
    let before = _mm256_subs_epu8(places_in_halves(0, 1), _mm256_set1_epi8(1));
    for (digits, fields) in digits.iter_mut().zip(0..) {
        // The digits before the dot move up by one and replace it.
        let moves = _mm256_cmpgt_epi8(broadcast(dot, fields), before);
        *digits = _mm256_blendv_epi8(*digits, _mm256_slli_epi64::<8>(*digits), moves);
    }
    // With a dot there are at most seven digits, which are exact in float32, as is the power. Without a dot the power
    // is 1. Either way, this rounds once.
    let has_dot = _mm256_cmpgt_epi32(dot, _mm256_setzero_si256());
    let places = _mm256_and_si256(sub(int(7), dot), has_dot);
    let powers = _mm256_setr_ps(1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7);
    let magnitude = _mm256_div_ps(_mm256_cvtepi32_ps(join_digits(digits)), _mm256_permutevar8x32_ps(powers, places));
    negate_where(magnitude, _mm256_cmpgt_epi32(mark, int(15)))
}

/// Copies the lowest bytes of the fields of one register to all bytes of their lanes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn broadcast(fields: __m256i, register: i8) -> __m256i {
    let first = 0x0101_0101_0101_0101 * i64::from(8 * register);
    let second = first + 0x0404_0404_0404_0404;
    _mm256_shuffle_epi8(fields, _mm256_set_epi64x(second, first, second, first))
}
