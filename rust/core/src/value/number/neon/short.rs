//! Reads fields of up to eight bytes, two to a register.

#[allow(clippy::wildcard_imports, reason = "half of all lines name an intrinsic")]
use std::arch::aarch64::*;

use super::digits::{Bytes, Digits, eights, fours, tens, verdict};
use super::lanes::{byte, halved, places_in_halves, sums_of_halves, vector};
use super::powers::float32_powers;

/// The last eight bytes of sixteen fields: fields `2 * k` and `2 * k + 1` are in register `k`.
type Lanes = [uint8x16_t; 8];

/// Loads the eight bytes before each end.
///
/// # Safety
///
/// Each end must lie in `8..=text.len()`.
#[inline]
#[target_feature(enable = "neon")]
pub(super) unsafe fn load(text: &[u8], ends: &[u32; 16]) -> Lanes {
    // SAFETY: the caller guarantees that eight bytes precede each end.
    let half = |at: usize| unsafe { vld1_u8(text.as_ptr().wrapping_sub(8).wrapping_add(ends[at] as usize)) };
    std::array::from_fn(|at| vcombine_u8(half(2 * at), half(2 * at + 1)))
}

/// Reads the last `length` bytes of each half, eight at most.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn read(lanes: Lanes, length: uint8x16_t) -> Digits<8> {
    let (inside, weights) = (vector(places_in_halves(7, 255)), vector(places_in_halves(16, 17)));
    let lengths = copies(length);
    let (mut counts, mut marks, mut digits) = (lanes, lanes, lanes);
    for at in 0..8 {
        let bytes = Bytes::look_up(lanes[at], vcgtq_u8(lengths[at], inside), weights);
        counts[at] = bytes.count;
        marks[at] = bytes.mark;
        digits[at] = bytes.digits;
    }
    let mark = sums_of_halves(marks);
    Digits { bad: verdict(sums_of_halves(counts), mark, length, 8), mark, lanes: digits }
}

/// Computes the numbers.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn round(digits: &Digits<8>) -> [float32x4_t; 4] {
    let Digits { mark, lanes: mut digits, .. } = *digits;
    let dot = vandq_u8(mark, byte(15));
    let before = vqsubq_u8(vector(places_in_halves(0, 1)), byte(1));
    for (digits, dot) in digits.iter_mut().zip(copies(dot)) {
        // The digits before the dot move up by one and replace it.
        let moved = vreinterpretq_u8_u64(vshlq_n_u64::<8>(vreinterpretq_u64_u8(*digits)));
        *digits = tens(vbslq_u8(vcgtq_u8(dot, before), moved, *digits));
    }
    let integers = halved::<8, 4>(digits).map(|twos| eights(fours(twos)));
    // With a dot there are at most seven digits, which are exact in float32, as is the power. Without a dot the power
    // is 1. Either way, this rounds once.
    let places = vandq_u8(vsubq_u8(byte(7), dot), vtstq_u8(dot, dot));
    let powers = float32_powers(places, vcgtq_u8(mark, byte(15)));
    [0, 1, 2, 3].map(|at| vdivq_f32(vcvtq_f32_u32(integers[at]), powers[at]))
}

/// For each pair of fields, eight copies of the byte of each.
#[inline]
#[target_feature(enable = "neon")]
fn copies(fields: uint8x16_t) -> Lanes {
    const FIRST: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1];
    std::array::from_fn(|at| vqtbl1q_u8(fields, vaddq_u8(vector(FIRST), byte(2 * at as u8))))
}
