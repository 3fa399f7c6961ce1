//! Reads what does not fit in a sixteen-byte lane: exponents and further digits.

#[allow(clippy::wildcard_imports, reason = "half of all lines name an intrinsic")]
use std::arch::x86_64::*;

use super::lanes::{Lanes, broadcast, byte, in_each_lane, int, lane_sums, steps, sub};

/// The exponents at the end of sixteen fields.
struct Exponent {
    /// A bit for each field with an exponent.
    is_there: __mmask16,
    /// Its value, or 0.
    value: __m512i,
}

impl Exponent {
    /// Reads `e`, a sign and two digits from the last four bytes of each lane.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn read(tails: Lanes, length: __m512i) -> Self {
        let halves = [0, 2].map(|at| _mm512_unpackhi_epi32(tails[at], tails[at + 1]));
        let last = _mm512_unpackhi_epi64(halves[0], halves[1]);
        let e = _mm512_and_si512(_mm512_or_si512(last, int(0x20)), int(0xFF));
        let sign = _mm512_and_si512(last, int(0xFF00));
        let negative = _mm512_cmpeq_epi32_mask(sign, int(i32::from(b'-') << 8));
        let positive = _mm512_cmpeq_epi32_mask(sign, int(i32::from(b'+') << 8));
        let value = _mm512_srli_epi32::<16>(_mm512_sub_epi8(last, byte(b'0')));
        let is_digit = _mm512_cmpeq_epi32_mask(_mm512_min_epu8(value, int(0x0909)), value);
        let is_there = _mm512_mask_cmpeq_epi32_mask(is_digit & (negative | positive), e, int(i32::from(b'e')));
        let is_there = _mm512_mask_cmpgt_epi32_mask(is_there, length, int(4));
        let magnitude = _mm512_maskz_mov_epi32(is_there, _mm512_maddubs_epi16(value, int(0x010A)));
        let value = _mm512_mask_sub_epi32(magnitude, negative, _mm512_setzero_si512(), magnitude);
        Self { is_there, value }
    }
}

/// What follows the first sixteen bytes of sixteen long fields.
#[derive(Clone, Copy)]
pub(super) struct Over {
    /// A bit for each field where that is neither digits nor an exponent.
    pub(super) bad: __mmask16,
    /// A bit for each field where the digits are not all zeros.
    pub(super) is_cut: __mmask16,
    /// The value of the exponent.
    pub(super) power: __m512i,
    /// The number of digits.
    pub(super) by: __m512i,
}

impl Over {
    /// Examines the ends of fields of these lengths. Returns how many bytes of each, sixteen at most, are its head.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) fn read(tails: Lanes, length: __m512i) -> (Self, __m512i) {
        const FROM_END: [u8; 16] = steps(15, u8::MAX);
        let too_long = _mm512_cmpgt_epu32_mask(length, int(32));
        let length = _mm512_min_epu32(length, int(32));
        let exponent = Exponent::read(tails, length);
        let mantissa = _mm512_mask_sub_epi32(length, exponent.is_there, length, int(4));
        let head = _mm512_min_epi32(mantissa, int(16));
        let by = sub(mantissa, head);
        let has_more = _mm512_test_epi32_mask(by, by);
        let watched = _mm512_maskz_sub_epi32(has_more, length, head);
        let mut counts = tails;
        for (count, field) in counts.iter_mut().zip(0..) {
            // Each digit counts 200 plus its value. The values of all digits add up to less than 200.
            let inside = _mm512_cmpgt_epi8_mask(broadcast(watched, field), in_each_lane(&FROM_END));
            let value = _mm512_sub_epi8(*count, byte(b'0'));
            let is_digit = _mm512_mask_cmple_epu8_mask(inside, value, byte(9));
            let counted = _mm512_maskz_add_epi8(is_digit, value, byte(200));
            *count = _mm512_sad_epu8(counted, _mm512_setzero_si512());
        }
        let count = lane_sums(counts);
        // An exponent of four bytes has two digits.
        let expected = _mm512_mask_sub_epi32(watched, exponent.is_there & has_more, watched, int(2));
        let expected = _mm512_madd_epi16(expected, int(200));
        let bad = _mm512_cmpgt_epi32_mask(expected, count) | too_long;
        let is_cut = _mm512_cmpgt_epi32_mask(count, expected);
        (Self { bad, is_cut, power: exponent.value, by }, head)
    }
}
