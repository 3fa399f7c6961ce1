//! Converts digits with an optional dot to numbers.

#[allow(clippy::wildcard_imports, reason = "half of all lines name an intrinsic")]
use std::arch::x86_64::*;

use super::lanes::{
    Lanes, add, broadcast, doubles, floats, int, lane_sums, lookup, low_halves, negate_where, places, sub,
};
use super::long::Over;
use crate::value::number::round::{FLOAT64_POWERS, SMALLEST_POWER};

/// A classification of the bytes in a register, summed over each eight bytes.
pub(super) struct Bytes {
    /// 1 for each digit, 32 for a dot and 128 for a minus. Sixteen digits add up to less than a dot; four dots would
    /// add up to a minus, but take more bytes.
    pub(super) count: __m256i,
    /// The weight of a dot's place in the low four bits, and that of a minus's place in the high four.
    pub(super) mark: __m256i,
    /// The value of each digit; 0 for dots and minus signs, whose codes are smaller. Not summed.
    pub(super) digits: __m256i,
}

impl Bytes {
    /// Classifies the bytes that are inside a field.
    ///
    /// Digits, dot and minus differ in their low four bits. A lookup by these bits gives the only byte that could be
    /// meant, and one comparison tells whether it is.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn look_up(bytes: __m256i, inside: __m256i, weights: __m256i) -> Self {
        let bytes = _mm256_and_si256(bytes, inside);
        let valid = _mm256_cmpeq_epi8(_mm256_shuffle_epi8(lookup(b"0123456789", b'-', b'.'), bytes), bytes);
        let count = _mm256_and_si256(_mm256_shuffle_epi8(lookup(&[1; 10], 128, 32), bytes), valid);
        let mark = _mm256_and_si256(_mm256_shuffle_epi8(lookup(&[0; 10], 0xF0, 0x0F), bytes), weights);
        Self {
            count: _mm256_sad_epu8(count, _mm256_setzero_si256()),
            mark: _mm256_sad_epu8(mark, _mm256_setzero_si256()),
            digits: _mm256_subs_epu8(bytes, _mm256_set1_epi8(b'0' as i8)),
        }
    }
}

/// All ones where the bytes of a lane of `width` bytes are not a number.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn verdict(count: __m256i, mark: __m256i, length: __m256i, width: i32) -> __m256i {
    let has_dot = _mm256_cmpgt_epi32(_mm256_and_si256(mark, int(15)), _mm256_setzero_si256());
    let negative = _mm256_cmpgt_epi32(mark, int(15));
    // All bytes are digits except for at most one dot and one minus, and the minus comes first.
    let digit_count = add(add(length, has_dot), negative);
    let expected = [_mm256_and_si256(has_dot, int(32)), _mm256_and_si256(negative, int(128))];
    let exact = _mm256_cmpeq_epi32(count, add(digit_count, add(expected[0], expected[1])));
    let first = _mm256_and_si256(sub(int(width + 1), length), negative);
    let minus_first = _mm256_cmpeq_epi32(_mm256_srli_epi32::<4>(mark), first);
    let some = _mm256_cmpgt_epi32(digit_count, _mm256_setzero_si256());
    let good = _mm256_and_si256(_mm256_and_si256(exact, minus_first), some);
    _mm256_xor_si256(good, int(-1))
}

/// The last bytes of eight fields, read as digits with an optional dot and minus.
#[derive(Clone, Copy)]
pub(super) struct Digits<const REGISTERS: usize = 4> {
    /// All ones where the bytes are not such a number.
    pub(super) bad: __m256i,
    /// The place of the dot in its lane, plus 16 times the place after a minus.
    pub(super) mark: __m256i,
    /// The values of the digits.
    pub(super) lanes: [__m256i; REGISTERS],
}

impl Digits {
    /// Reads the last `length` bytes of each lane. The result is meaningless for lengths above 16.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn read(lanes: Lanes, length: __m256i) -> Self {
        let mut digits = lanes;
        let mut counts = lanes;
        let mut marks = lanes;
        for (at, field) in [0, 1, 2, 3].into_iter().zip(0..) {
            let inside = _mm256_cmpgt_epi8(broadcast(length, field), places(15, -1));
            let bytes = Bytes::look_up(lanes[at], inside, places(16, 17));
            counts[at] = bytes.count;
            marks[at] = bytes.mark;
            digits[at] = bytes.digits;
        }
        let mark = lane_sums(marks);
        Self { bad: verdict(lane_sums(counts), mark, length, 16), mark, lanes: digits }
    }

    /// Removes the dots and combines the digits of each number into two integers.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn fold(&self) -> [__m256i; 2] {
        let dot = _mm256_and_si256(self.mark, int(15));
        let mut digits = self.lanes;
        // The place before each place, but at least 0, which stands for no dot.
        let before = _mm256_subs_epu8(places(0, 1), _mm256_set1_epi8(1));
        for (at, field) in [0, 1, 2, 3].into_iter().zip(0..) {
            // The digits before the dot move up by one and replace it.
            let moves = _mm256_cmpgt_epi8(broadcast(dot, field), before);
            let from = _mm256_add_epi8(places(0, 1), moves);
            let squeezed = _mm256_shuffle_epi8(digits[at], from);
            let twos = _mm256_maddubs_epi16(squeezed, _mm256_set1_epi16(0x010A));
            digits[at] = _mm256_madd_epi16(twos, int(0x0001_0064));
        }
        let tens_of_thousands = int(0x0001_2710);
        let eights_01 = _mm256_madd_epi16(_mm256_packus_epi32(digits[0], digits[1]), tens_of_thousands);
        let eights_23 = _mm256_madd_epi16(_mm256_packus_epi32(digits[2], digits[3]), tens_of_thousands);
        [eights_01, eights_23]
    }

    /// All ones where there is a dot, and the number of digits after it.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn places(&self) -> (__m256i, __m256i) {
        let dot = _mm256_and_si256(self.mark, int(15));
        let has_dot = _mm256_cmpgt_epi32(dot, _mm256_setzero_si256());
        (has_dot, _mm256_and_si256(sub(int(15), dot), has_dot))
    }

    /// All digits as one float64, exact below 2^53.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    pub(super) fn mantissa(eights: &[__m256i; 2]) -> [__m256d; 2] {
        let eights = eights.map(|eights| _mm256_castsi256_ps(eights));
        let high = doubles(_mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(eights[0], eights[1])));
        let low = doubles(_mm256_castps_si256(_mm256_shuffle_ps::<0b11_01_11_01>(eights[0], eights[1])));
        [0, 1].map(|at| _mm256_fmadd_pd(high[at], _mm256_set1_pd(1e8), low[at]))
    }

    /// The magnitudes with their signs.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn signed(&self, magnitude: __m256) -> __m256 {
        negate_where(magnitude, _mm256_cmpgt_epi32(self.mark, int(15)))
    }

    /// Zero where [`Digits::divided`] is exact: an integer below 2^24 with at most seven decimal places.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn beyond_float32(&self, eights: &[__m256i; 2]) -> __m256i {
        let beyond =
            _mm256_and_si256(_mm256_or_si256(eights[0], eights[1]), _mm256_set1_epi64x(-1 << 56 | 0xFFFF_FFFF));
        _mm256_or_si256(beyond, _mm256_and_si256(self.places().1, int(8)))
    }

    /// Few digits divided by a power of ten. Both are exact in float32, so the quotient is correctly rounded; see W. D.
    /// Clinger, "How to read floating point numbers accurately" (1990).
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn divided(&self, eights: &[__m256i; 2]) -> __m256 {
        let eights = eights.map(|eights| _mm256_castsi256_ps(eights));
        let low = _mm256_castps_si256(_mm256_shuffle_ps::<0b11_01_11_01>(eights[0], eights[1]));
        let powers = _mm256_setr_ps(1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7);
        _mm256_div_ps(_mm256_cvtepi32_ps(low), _mm256_permutevar8x32_ps(powers, self.places().1))
    }

    /// Rounds up to fifteen digits of fields of up to fifteen bytes. The mask is all ones where the result may not be
    /// the nearest float32.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    pub(super) fn rounded(&self, eights: &[__m256i; 2]) -> (__m256, __m256i) {
        let (has_dot, places) = self.places();
        let mantissa = Self::mantissa(eights);
        let power = negative_powers(places);
        let product = [0, 1].map(|at| _mm256_mul_pd(mantissa[at], power[at]));
        // The power and the product are rounded once each, so the error is at most two units in the last place. That
        // only matters next to a tie in the 29 bits that a float32 drops. Integers are exact.
        let dropped = _mm256_and_si256(low_halves(product), int((1 << 29) - 1));
        let from_tie = _mm256_abs_epi32(sub(dropped, int(1 << 28)));
        let unsettled = _mm256_and_si256(_mm256_cmpgt_epi32(int(4), from_tie), has_dot);
        (floats(product), unsettled)
    }

    /// The digits times their power of ten. The mask is all ones where the result may not be the nearest float32.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    pub(super) fn scaled(&self, eights: &[__m256i; 2], over: &Over) -> (__m256, __m256i) {
        let (has_dot, places) = self.places();
        let power = add(sub(over.power, places), _mm256_andnot_si256(has_dot, over.by));
        let out_of_range =
            _mm256_or_si256(_mm256_cmpgt_epi32(int(MIN_POWER), power), _mm256_cmpgt_epi32(power, int(MAX_POWER)));
        let at = _mm256_and_si256(sub(power, int(MIN_POWER)), int(63));
        let scale = [_mm256_castsi256_si128(at), _mm256_extracti128_si256::<1>(at)].map(|at| {
            // SAFETY: a six-bit index is within a table of 64 elements.
            unsafe { _mm256_i32gather_pd::<8>(FLOAT64_POWERS.as_ptr(), at) }
        });
        // The digits, the power and their product each have a relative error of at most 2^-53. The digits that were cut
        // off are worth less than one unit.
        let is_cut = doubles(over.is_cut);
        let mantissa = Self::mantissa(eights);
        let next = [0, 1].map(|at| _mm256_sub_pd(mantissa[at], is_cut[at]));
        let below = [0, 1].map(|at| _mm256_mul_pd(mantissa[at], _mm256_mul_pd(scale[at], _mm256_set1_pd(1.0 - SLACK))));
        let above = [0, 1].map(|at| _mm256_mul_pd(next[at], _mm256_mul_pd(scale[at], _mm256_set1_pd(1.0 + SLACK))));
        let (below, above) = (floats(below), floats(above));
        let unsettled = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_NEQ_UQ>(below, above));
        (below, _mm256_or_si256(_mm256_or_si256(unsettled, out_of_range), over.bad))
    }
}

/// The halves of the float64s nearest to 1, 0.1, 0.01, …
pub(super) const NEGATIVE_POWERS: [[i32; 16]; 2] = {
    let powers =
        [1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15_f64];
    let mut halves = [[0; 16]; 2];
    let mut at = 0;
    while at < 16 {
        halves[0][at] = powers[at].to_bits() as i32;
        halves[1][at] = (powers[at].to_bits() >> 32) as i32;
        at += 1;
    }
    halves
};

/// Powers of one tenth for eight exponents from 0 to 15.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn negative_powers(exponents: __m256i) -> [__m256d; 2] {
    // With this order, interleaving the halves yields the powers in the original order.
    let order = _mm256_permute4x64_epi64::<0b11_01_10_00>(exponents);
    let is_high = _mm256_castsi256_ps(_mm256_slli_epi32::<28>(order));
    let [low, high] = NEGATIVE_POWERS.map(|half| {
        let (below_8, from_8) = half.split_at(8);
        let [below_8, from_8] = [below_8, from_8].map(|table| {
            let table =
                _mm256_setr_epi32(table[0], table[1], table[2], table[3], table[4], table[5], table[6], table[7]);
            _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(table, order))
        });
        _mm256_castps_si256(_mm256_blendv_ps(below_8, from_8, is_high))
    });
    [_mm256_castsi256_pd(_mm256_unpacklo_epi32(low, high)), _mm256_castsi256_pd(_mm256_unpackhi_epi32(low, high))]
}

/// The range of powers of ten for [`Digits::scaled`]: one to sixteen digits times such a power is a normal float32.
const MIN_POWER: i32 = SMALLEST_POWER;
const MAX_POWER: i32 = 22;

/// More than the sum of all rounding errors in a bound.
const SLACK: f64 = 1.0 / (1_u64 << 49) as f64;
