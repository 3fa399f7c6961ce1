//! Converts digits with an optional dot to numbers.

#[allow(clippy::wildcard_imports, reason = "half of all lines name an intrinsic")]
use std::arch::x86_64::*;

use super::lanes::{
    Lanes, add, both, broadcast, byte, doubles, floats, halves, in_each_lane, int, lane_sums, negate_where, steps, sub,
};
use super::long::Over;
use crate::value::number::round::{FLOAT64_POWERS, SMALLEST_POWER};

/// A table indexed by the low four bits of a byte: values for the ten digits, the minus and the dot. All others get the
/// high bit, which none of these has.
const fn lookup(digits: &[u8; 10], minus: u8, dot: u8) -> [u8; 16] {
    let mut table = [0x80; 16];
    let mut at = 0;
    while at < digits.len() {
        table[at] = digits[at];
        at += 1;
    }
    table[b'-' as usize & 15] = minus;
    table[b'.' as usize & 15] = dot;
    table
}

/// A classification of the bytes in a register, summed over each eight bytes.
pub(super) struct Bytes {
    /// 1 for each digit, 32 for a dot and 128 for a minus. Sixteen digits add up to less than a dot; four dots would
    /// add up to a minus, but take more bytes.
    pub(super) count: __m512i,
    /// The weight of a dot's place in the low four bits, and that of a minus's place in the high four.
    pub(super) mark: __m512i,
    /// The value of each digit; 0 for dots and minus signs, whose codes are smaller. Not summed.
    pub(super) digits: __m512i,
}

impl Bytes {
    /// Classifies the bytes that are inside a field. `weights` are the weights of the places in a lane.
    ///
    /// Digits, dot and minus differ in their low four bits. A lookup by these bits gives the only byte that could be
    /// meant, and one comparison tells whether it is.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) fn look_up(bytes: __m512i, inside: __mmask64, weights: __m512i) -> Self {
        const SELF: [u8; 16] = lookup(b"0123456789", b'-', b'.');
        const COUNT: [u8; 16] = lookup(&[1; 10], 128, 32);
        const MARK: [u8; 16] = lookup(&[0; 10], 0xF0, 0x0F);
        let same = _mm512_shuffle_epi8(in_each_lane(&SELF), bytes);
        let valid = _mm512_mask_cmpeq_epi8_mask(inside, same, bytes);
        let count = _mm512_maskz_shuffle_epi8(valid, in_each_lane(&COUNT), bytes);
        let mark = _mm512_maskz_shuffle_epi8(valid, in_each_lane(&MARK), bytes);
        let zero = _mm512_setzero_si512();
        Self {
            count: _mm512_sad_epu8(count, zero),
            mark: _mm512_sad_epu8(_mm512_and_si512(mark, weights), zero),
            digits: _mm512_maskz_subs_epu8(valid, bytes, byte(b'0')),
        }
    }
}

/// A bit for each lane of `width` bytes that is not a number.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn verdict(count: __m512i, mark: __m512i, length: __m512i, width: i32) -> __mmask16 {
    let has_dot = _mm512_test_epi32_mask(mark, int(15));
    let negative = _mm512_cmpgt_epi32_mask(mark, int(15));
    // All bytes are digits except for at most one dot and one minus, and the minus comes first.
    let expected = _mm512_mask_add_epi32(length, has_dot, length, int(32 - 1));
    let expected = _mm512_mask_add_epi32(expected, negative, expected, int(128 - 1));
    let exact = _mm512_cmpeq_epi32_mask(count, expected);
    let minus_later =
        _mm512_mask_cmpneq_epi32_mask(negative, _mm512_srli_epi32::<4>(mark), sub(int(width + 1), length));
    let some_digit = _mm512_test_epi32_mask(count, int(31));
    !(exact & some_digit) | minus_later
}

/// The last bytes of sixteen fields, read as digits with an optional dot and minus.
#[derive(Clone, Copy)]
pub(super) struct Digits<const REGISTERS: usize = 4> {
    /// A bit for each field that is not such a number.
    pub(super) bad: __mmask16,
    /// The place of the dot in its lane, plus 16 times the place after a minus.
    pub(super) mark: __m512i,
    /// The values of the digits.
    pub(super) lanes: [__m512i; REGISTERS],
}

impl<const REGISTERS: usize> Digits<REGISTERS> {
    /// A bit for each field with a minus.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn negative(&self) -> __mmask16 {
        _mm512_cmpgt_epi32_mask(self.mark, int(15))
    }

    /// The place of the dot, or 0.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn dot(&self) -> __m512i {
        _mm512_and_si512(self.mark, int(15))
    }

    /// A bit for each field with a dot, and the number of digits after it in a lane of `width` bytes.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn places(&self, width: i32) -> (__mmask16, __m512i) {
        let dot = self.dot();
        let has_dot = _mm512_test_epi32_mask(dot, dot);
        (has_dot, _mm512_maskz_sub_epi32(has_dot, int(width - 1), dot))
    }
}

/// For each place in a lane, the place before it.
const BEFORE: [u8; 16] = {
    let mut before = steps(u8::MAX, 1);
    before[0] = 0;
    before
};

impl Digits {
    /// Reads the last `length` bytes of each lane. The result is meaningless for lengths above 16.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) fn read(lanes: Lanes, length: __m512i) -> Self {
        const FROM_END: [u8; 16] = steps(15, u8::MAX);
        const WEIGHTS: [u8; 16] = steps(16, 17);
        let mut digits = lanes;
        let mut counts = lanes;
        let mut marks = lanes;
        for (at, field) in [0, 1, 2, 3].into_iter().zip(0..) {
            let inside = _mm512_cmpgt_epi8_mask(broadcast(length, field), in_each_lane(&FROM_END));
            let bytes = Bytes::look_up(lanes[at], inside, in_each_lane(&WEIGHTS));
            counts[at] = bytes.count;
            marks[at] = bytes.mark;
            digits[at] = bytes.digits;
        }
        let mark = lane_sums(marks);
        Self { bad: verdict(lane_sums(counts), mark, length, 16), mark, lanes: digits }
    }

    /// Removes the dots and combines the digits of each number into two integers.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) fn fold(&self) -> [__m512i; 2] {
        const MOVED: [u8; 16] = steps(u8::MAX, 1);
        let dot = self.dot();
        let mut digits = self.lanes;
        for (at, field) in [0, 1, 2, 3].into_iter().zip(0..) {
            // The digits before the dot move up by one and replace it.
            let moves = _mm512_cmpgt_epi8_mask(broadcast(dot, field), in_each_lane(&BEFORE));
            let squeezed = _mm512_mask_shuffle_epi8(digits[at], moves, digits[at], in_each_lane(&MOVED));
            let twos = _mm512_maddubs_epi16(squeezed, _mm512_set1_epi16(0x010A));
            digits[at] = _mm512_madd_epi16(twos, int(0x0001_0064));
        }
        let tens_of_thousands = int(0x0001_2710);
        let eights_01 = _mm512_madd_epi16(_mm512_packus_epi32(digits[0], digits[1]), tens_of_thousands);
        let eights_23 = _mm512_madd_epi16(_mm512_packus_epi32(digits[2], digits[3]), tens_of_thousands);
        [eights_01, eights_23]
    }

    /// The first eight digits of each number, and the last eight.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn high_and_low(eights: &[__m512i; 2]) -> [__m512i; 2] {
        let eights = eights.map(|eights| _mm512_castsi512_ps(eights));
        let high = _mm512_shuffle_ps::<0b10_00_10_00>(eights[0], eights[1]);
        let low = _mm512_shuffle_ps::<0b11_01_11_01>(eights[0], eights[1]);
        [_mm512_castps_si512(high), _mm512_castps_si512(low)]
    }

    /// All digits as one float64, exact below 2^53.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn mantissa(eights: &[__m512i; 2]) -> [__m512d; 2] {
        let [high, low] = Self::high_and_low(eights).map(|eights| doubles(eights));
        [0, 1].map(|at| _mm512_fmadd_pd(high[at], _mm512_set1_pd(1e8), low[at]))
    }

    /// The magnitudes with their signs.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn signed(&self, magnitude: __m512) -> __m512 {
        negate_where(magnitude, self.negative())
    }

    /// Zero where [`Digits::divided`] is exact: an integer below 2^24 with at most seven decimal places.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn beyond_float32(&self, eights: &[__m512i; 2]) -> __m512i {
        let beyond = _mm512_and_si512(_mm512_or_si512(eights[0], eights[1]), _mm512_set1_epi64(-1 << 56 | 0xFFFF_FFFF));
        _mm512_or_si512(beyond, _mm512_and_si512(self.places(16).1, int(8)))
    }

    /// Few digits divided by a power of ten. Both are exact in float32, so the quotient is correctly rounded; see W. D.
    /// Clinger, "How to read floating point numbers accurately" (1990).
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(super) fn divided(&self, eights: &[__m512i; 2]) -> __m512 {
        let [_, low] = Self::high_and_low(eights);
        divide(low, self.places(16).1)
    }

    /// Rounds up to fifteen digits of fields of up to fifteen bytes. The mask has a bit for each result that may not be
    /// the nearest float32.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    pub(super) fn rounded(&self, eights: &[__m512i; 2]) -> (__m512, __mmask16) {
        const POWERS: [f64; 16] =
            [1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15];
        let (has_dot, places) = self.places(16);
        let mantissa = Self::mantissa(eights);
        let power = halves(places).map(|places| sixteen_to_choose_from(&POWERS, _mm512_cvtepu32_epi64(places)));
        let product = [0, 1].map(|at| _mm512_mul_pd(mantissa[at], power[at]));
        // The power and the product are rounded once each, so the error is at most two units in the last place. That
        // only matters next to a tie in the 29 bits that a float32 drops. Integers are exact.
        let next_to_tie = product.map(|product| {
            let dropped = _mm512_and_si512(_mm512_castpd_si512(product), _mm512_set1_epi64((1 << 29) - 1));
            let from_tie = _mm512_sub_epi64(dropped, _mm512_set1_epi64((1 << 28) - 3));
            _mm512_cmplt_epu64_mask(from_tie, _mm512_set1_epi64(7))
        });
        (floats(product), both(next_to_tie) & has_dot)
    }

    /// The digits times their power of ten. The mask has a bit for each result that may not be the nearest float32.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    pub(super) fn scaled(&self, eights: &[__m512i; 2], over: &Over) -> (__m512, __mmask16) {
        let (has_dot, places) = self.places(16);
        let power = sub(over.power, places);
        let power = _mm512_mask_add_epi32(power, !has_dot, power, over.by);
        let out_of_range =
            _mm512_cmplt_epi32_mask(power, int(MIN_POWER)) | _mm512_cmpgt_epi32_mask(power, int(MAX_POWER));
        let scale = halves(add(power, int(-MIN_POWER))).map(|at| float64_power(_mm512_cvtepi32_epi64(at)));
        // The digits, the power and their product each have a relative error of at most 2^-53. The digits that were cut
        // off are worth less than one unit.
        let mantissa = Self::mantissa(eights);
        let is_cut = [over.is_cut as u8, (over.is_cut >> 8) as u8];
        let next = [0, 1].map(|at| _mm512_mask_add_pd(mantissa[at], is_cut[at], mantissa[at], _mm512_set1_pd(1.0)));
        let below = [0, 1].map(|at| _mm512_mul_pd(mantissa[at], _mm512_mul_pd(scale[at], _mm512_set1_pd(1.0 - SLACK))));
        let above = [0, 1].map(|at| _mm512_mul_pd(next[at], _mm512_mul_pd(scale[at], _mm512_set1_pd(1.0 + SLACK))));
        let (below, above) = (floats(below), floats(above));
        let unsettled = _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(below, above);
        (below, unsettled | out_of_range | over.bad)
    }
}

/// Integers below 2^24, divided by ten to the power of `places`, at most seven.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn divide(integers: __m512i, places: __m512i) -> __m512 {
    let powers = _mm512_setr_ps(1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e0, 1e0, 1e0, 1e0, 1e0, 1e0, 1e0, 1e0);
    _mm512_div_ps(_mm512_cvtepi32_ps(integers), _mm512_permutexvar_ps(places, powers))
}

/// Looks up elements by the low four bits of each index.
#[inline]
#[target_feature(enable = "avx512f")]
fn sixteen_to_choose_from(table: &[f64; 16], at: __m512i) -> __m512d {
    // SAFETY: each half of the table has eight elements.
    let [low, high] = [0, 8].map(|first| unsafe { _mm512_loadu_pd(table.as_ptr().add(first)) });
    _mm512_permutex2var_pd(low, at, high)
}

/// Looks up elements of [`FLOAT64_POWERS`] by the low six bits of each index.
#[inline]
#[target_feature(enable = "avx512f")]
fn float64_power(at: __m512i) -> __m512d {
    let [first, second, third, fourth] = [0, 1, 2, 3].map(|quarter| {
        let (table, _) = FLOAT64_POWERS.as_chunks();
        sixteen_to_choose_from(&table[quarter], at)
    });
    let odd = _mm512_test_epi64_mask(at, _mm512_set1_epi64(16));
    let upper = _mm512_test_epi64_mask(at, _mm512_set1_epi64(32));
    let lower_half = _mm512_mask_blend_pd(odd, first, second);
    let upper_half = _mm512_mask_blend_pd(odd, third, fourth);
    _mm512_mask_blend_pd(upper, lower_half, upper_half)
}

/// The range of powers of ten for [`Digits::scaled`]: one to sixteen digits times such a power is a normal float32.
const MIN_POWER: i32 = SMALLEST_POWER;
const MAX_POWER: i32 = 22;

/// More than the sum of all rounding errors in a bound.
const SLACK: f64 = 1.0 / (1_u64 << 49) as f64;
