//! Multiplies many digits by a power of ten and rounds the product.

#[allow(clippy::wildcard_imports, reason = "half of all lines name an intrinsic")]
use std::arch::x86_64::*;

use super::digits::{NEGATIVE_POWERS, negative_powers};
use super::lanes::{floats, int, sub};
use crate::value::number::round::{FLOAT64_POWERS, SMALLEST_POWER};

/// The float64s with `head` before the dot, and twice eight digits after it.
///
/// Each step and the factor are rounded once. So a relative error is below 4 * 2^-53, even if `head` is 0.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn mantissa(head: [__m256d; 2], first: [__m256d; 2], second: [__m256d; 2]) -> [__m256d; 2] {
    let scale = _mm256_set1_pd(1e-8);
    [0, 1].map(|at| {
        let rest = _mm256_fmadd_pd(second[at], scale, first[at]);
        _mm256_fmadd_pd(rest, scale, head[at])
    })
}

/// How far a product may be from the exact value, in units of the last place. A mantissa, a power and their product
/// together have a relative error below 7 * 2^-53, and a unit is at least 2^-53 of the product.
const ERROR: i32 = 8;

/// The products rounded to float32, which must be zero or normal. The mask is not zero if one of them may not be the
/// nearest float32.
#[inline]
#[target_feature(enable = "avx2")]
fn rounded(mantissa: [__m256d; 2], power: [__m256d; 2]) -> (__m256, __m256i) {
    let product = [0, 1].map(|at| _mm256_mul_pd(mantissa[at], power[at]));
    let halves = product.map(|product| _mm256_castpd_ps(product));
    let low = _mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(halves[0], halves[1]));
    // A float32 drops 29 bits, and the error only matters next to a tie in them. The shift keeps them alone, and the
    // subtraction turns what is next to a tie into the greatest integers.
    let error = 8 * ERROR;
    let from_tie = sub(_mm256_slli_epi32::<3>(low), int(error + 1));
    (floats(product), _mm256_cmpgt_epi32(from_tie, int(i32::MAX - 1 - 2 * error)))
}

/// The products with powers of ten, whose integers before the dot are `head`. The mask is not zero if a result may not
/// be the nearest float32.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn scaled(mantissa: [__m256d; 2], head: __m256i, power: __m256i) -> (__m256, __m256i) {
    let zero = _mm256_setzero_si256();
    let negated = sub(zero, power);
    // A mantissa is at least 1e-16, unless it is zero.
    if _mm256_testz_si256(negated, int(!15)) == 1 {
        return rounded(mantissa, negative_powers(negated));
    }
    let beyond =
        _mm256_or_si256(_mm256_cmpgt_epi32(int(SMALLEST_POWER), power), _mm256_cmpgt_epi32(power, int(LARGEST_POWER)));
    let at = _mm256_and_si256(sub(power, int(SMALLEST_POWER)), int(63));
    let powers = [_mm256_castsi256_si128(at), _mm256_extracti128_si256::<1>(at)].map(|at| {
        // SAFETY: a six-bit index is within a table of 64 elements.
        unsafe { _mm256_i32gather_pd::<8>(FLOAT64_POWERS.as_ptr(), at) }
    });
    let (number, unsettled) = rounded(mantissa, powers);
    // From 1 on, the product is normal.
    let is_zero = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_EQ_OQ>(floats(mantissa), _mm256_setzero_ps()));
    let below_1 = _mm256_andnot_si256(is_zero, _mm256_cmpeq_epi32(head, zero));
    (number, _mm256_or_si256(unsettled, _mm256_or_si256(beyond, below_1)))
}

/// The largest power of ten in the table.
const LARGEST_POWER: i32 = 26;

/// The products with `10^-places`, with at most seven places. The mask is not zero if a result may not be
/// the nearest float32.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn shifted(mantissa: [__m256d; 2], places: __m256i) -> (__m256, __m256i) {
    // With this order, interleaving the halves yields the powers in the original order.
    let order = _mm256_permute4x64_epi64::<0b11_01_10_00>(places);
    let [low, high] = NEGATIVE_POWERS.map(|table| {
        let table = _mm256_setr_epi32(table[0], table[1], table[2], table[3], table[4], table[5], table[6], table[7]);
        _mm256_permutevar8x32_epi32(table, order)
    });
    let powers = [_mm256_unpacklo_epi32(low, high), _mm256_unpackhi_epi32(low, high)];
    rounded(mantissa, powers.map(|power| _mm256_castsi256_pd(power)))
}
