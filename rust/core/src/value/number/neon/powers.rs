//! Powers of ten for sixteen fields.

#[allow(clippy::wildcard_imports, reason = "half of all lines name an intrinsic")]
use std::arch::aarch64::*;

use super::lanes::{byte, interleaved, vector};
use crate::value::number::round::{FLOAT64_POWERS, SMALLEST_POWER};

/// The powers of ten up to 1e7 in float32, then their negatives: the first bytes of all, the second ones, and so on.
const FLOAT32_POWERS: [[u8; 16]; 4] = {
    let powers = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7_f32];
    let mut bytes = [[0; 16]; 4];
    let mut at = 0;
    while at < 16 {
        let power = if at < 8 { powers[at] } else { -powers[at - 8] };
        let mut place = 0;
        while place < 4 {
            bytes[place][at] = power.to_bits().to_le_bytes()[place];
            place += 1;
        }
        at += 1;
    }
    bytes
};

/// Powers of ten for exponents from 0 to 7; negative where the mask is all ones.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn float32_powers(exponents: uint8x16_t, negative: uint8x16_t) -> [float32x4_t; 4] {
    let at = vorrq_u8(exponents, vandq_u8(negative, byte(8)));
    interleaved(FLOAT32_POWERS.map(|table| vqtbl1q_u8(vector(table), at))).map(|bits| vreinterpretq_f32_u32(bits))
}

/// The largest power of ten in [`BY_EXPONENT`]: sixteen digits times it are a finite float32.
const LARGEST_POWER: i32 = 22;

/// Powers of ten by the byte of their exponent. One to sixteen digits times such a power is a normal float32; others are
/// NaN.
static BY_EXPONENT: [f64; 256] = {
    let mut powers = [f64::NAN; 256];
    let mut exponent = SMALLEST_POWER;
    while exponent <= LARGEST_POWER {
        powers[exponent as i8 as u8 as usize] = FLOAT64_POWERS[(exponent - SMALLEST_POWER) as usize];
        exponent += 1;
    }
    powers
};

/// Powers of ten, or NaN; see [`BY_EXPONENT`].
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn float64_powers(exponents: int8x16_t) -> [float64x2_t; 8] {
    let mut at = [0; 16];
    // SAFETY: the array has sixteen bytes.
    unsafe { vst1q_u8(at.as_mut_ptr(), vreinterpretq_u8_s8(exponents)) };
    let power = |at: u8| vdup_n_f64(BY_EXPONENT[usize::from(at)]);
    std::array::from_fn(|pair| vcombine_f64(power(at[2 * pair]), power(at[2 * pair + 1])))
}
