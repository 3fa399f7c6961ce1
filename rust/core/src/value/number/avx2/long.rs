//! Reads what does not fit in a sixteen-byte lane: exponents and further digits.

#[allow(clippy::wildcard_imports, reason = "half of all lines name an intrinsic")]
use std::arch::x86_64::*;

use super::lanes::{Lanes, add, broadcast, int, lane_sums, places, sub};

/// The exponents at the end of eight fields.
pub(super) struct Exponent {
    /// All ones where there is an exponent.
    pub(super) is_there: __m256i,
    /// Its value, or 0.
    pub(super) value: __m256i,
}

impl Exponent {
    /// Reads `e`, a sign and two digits from the last four bytes of each lane.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn read(tails: Lanes, length: __m256i) -> Self {
        let halves = [0, 2].map(|at| _mm256_unpackhi_epi32(tails[at], tails[at + 1]));
        let last = _mm256_unpackhi_epi64(halves[0], halves[1]);
        let e = _mm256_and_si256(_mm256_or_si256(last, int(0x20)), int(0xFF));
        let sign = _mm256_and_si256(last, int(0xFF00));
        let negative = _mm256_cmpeq_epi32(sign, int(i32::from(b'-') << 8));
        let positive = _mm256_cmpeq_epi32(sign, int(i32::from(b'+') << 8));
        let value = _mm256_srli_epi32::<16>(_mm256_sub_epi8(last, _mm256_set1_epi8(b'0' as i8)));
        let is_digit = _mm256_cmpeq_epi32(_mm256_min_epu8(value, int(0x0909)), value);
        let is_there = [
            _mm256_cmpeq_epi32(e, int(i32::from(b'e'))),
            _mm256_or_si256(negative, positive),
            _mm256_cmpgt_epi32(length, int(4)),
        ];
        let is_there = is_there.into_iter().fold(is_digit, |all, each| _mm256_and_si256(all, each));
        let magnitude = _mm256_and_si256(_mm256_maddubs_epi16(value, int(0x010A)), is_there);
        Self { is_there, value: sub(_mm256_xor_si256(magnitude, negative), negative) }
    }
}

/// What follows the first sixteen bytes of eight long fields.
#[derive(Clone, Copy)]
pub(super) struct Over {
    /// All ones where that is neither digits nor an exponent.
    pub(super) bad: __m256i,
    /// The value of the exponent.
    pub(super) power: __m256i,
    /// The number of digits.
    pub(super) by: __m256i,
    /// All ones where the digits are not all zeros.
    pub(super) is_cut: __m256i,
}

impl Over {
    /// Examines the ends of fields of these lengths. Returns how many bytes of each, sixteen at most, are its head.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn read(tails: Lanes, length: __m256i) -> (Self, __m256i) {
        let too_long = _mm256_cmpeq_epi32(_mm256_max_epu32(length, int(33)), length);
        let length = _mm256_min_epu32(length, int(32));
        let exponent = Exponent::read(tails, length);
        let mantissa = add(length, _mm256_slli_epi32::<2>(exponent.is_there));
        let head = _mm256_min_epi32(mantissa, int(16));
        let by = sub(mantissa, head);
        let has_more = _mm256_cmpgt_epi32(by, _mm256_setzero_si256());
        let watched = _mm256_and_si256(sub(length, head), has_more);
        let mut counts = tails;
        for (count, field) in counts.iter_mut().zip(0..) {
            // Each digit counts 200 plus its value. The values of all digits add up to less than 200.
            let inside = _mm256_cmpgt_epi8(broadcast(watched, field), places(15, -1));
            let value = _mm256_sub_epi8(*count, _mm256_set1_epi8(b'0' as i8));
            let is_digit = _mm256_cmpeq_epi8(_mm256_min_epu8(value, _mm256_set1_epi8(9)), value);
            let counted = _mm256_and_si256(_mm256_add_epi8(value, _mm256_set1_epi8(200_u8 as i8)), inside);
            *count = _mm256_sad_epu8(_mm256_and_si256(counted, is_digit), _mm256_setzero_si256());
        }
        let count = lane_sums(counts);
        // An exponent of four bytes has two digits.
        let in_exponent = _mm256_and_si256(_mm256_and_si256(exponent.is_there, has_more), int(2));
        let expected = _mm256_madd_epi16(sub(watched, in_exponent), int(200));
        let bad = _mm256_or_si256(_mm256_cmpgt_epi32(expected, count), too_long);
        (Self { bad, power: exponent.value, by, is_cut: _mm256_cmpgt_epi32(count, expected) }, head)
    }
}
