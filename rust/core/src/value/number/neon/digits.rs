//! Converts digits with an optional dot to numbers.

#[allow(clippy::wildcard_imports, reason = "half of all lines name an intrinsic")]
use std::arch::aarch64::*;

use super::lanes::{byte, copies, halved, interleaved, load, narrowed_masks, places, sums, vector};
use super::long::Over;
use super::powers::{float32_powers, float64_powers};

/// What a dot and a minus count where a digit counts 1. Counts are added modulo 256: with these numbers, sixteen bytes
/// still add up to digits with one dot, one minus or both only if that is what they are.
const DOT: u8 = 40;
const MINUS: u8 = 20;

/// A classification of the bytes in a register.
pub(super) struct Bytes {
    /// 1 for each digit, [`DOT`] for a dot and [`MINUS`] for a minus.
    pub(super) count: uint8x16_t,
    /// The weight of a dot's place in the low four bits, and that of a minus's place in the high four.
    pub(super) mark: uint8x16_t,
    /// The value of each digit; 0 for dots, minus signs and bytes outside.
    pub(super) digits: uint8x16_t,
}

impl Bytes {
    /// Classifies the bytes that are inside a field.
    ///
    /// Minus, dot and digits are among the fourteen bytes from the comma on. A lookup gives 0 for all bytes that follow
    /// them. Bytes outside are read as commas, which are none of these.
    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn look_up(bytes: uint8x16_t, inside: uint8x16_t, weights: uint8x16_t) -> Self {
        const COUNTS: [u8; 16] = [0, MINUS, DOT, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0];
        const MARKS: [u8; 16] = [0, 0xF0, 0x0F, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let bytes = vandq_u8(vsubq_u8(bytes, byte(b',')), inside);
        Self {
            count: vqtbl1q_u8(vector(COUNTS), bytes),
            mark: vandq_u8(vqtbl1q_u8(vector(MARKS), bytes), weights),
            digits: vqsubq_u8(bytes, byte(b'0' - b',')),
        }
    }
}

/// All ones where the bytes of a lane of `width` bytes are not a number.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn verdict(count: uint8x16_t, mark: uint8x16_t, length: uint8x16_t, width: u8) -> uint8x16_t {
    let has_dot = vtstq_u8(mark, byte(15));
    let negative = vcgtq_u8(mark, byte(15));
    // All bytes are digits except for at most one dot and one minus, and the minus comes first. A mask adds -1.
    let digit_count = vaddq_u8(vaddq_u8(length, has_dot), negative);
    let expected = vaddq_u8(vandq_u8(has_dot, byte(DOT)), vandq_u8(negative, byte(MINUS)));
    let exact = vceqq_u8(count, vaddq_u8(digit_count, expected));
    let first = vandq_u8(vsubq_u8(byte(width + 1), length), negative);
    let minus_first = vceqq_u8(vshrq_n_u8::<4>(mark), first);
    let some = vcgtzq_s8(vreinterpretq_s8_u8(digit_count));
    vmvnq_u8(vandq_u8(vandq_u8(exact, minus_first), some))
}

/// The last bytes of sixteen fields, read as digits with an optional dot and minus.
#[derive(Clone, Copy)]
pub(super) struct Digits<const REGISTERS: usize = 16> {
    /// All ones where the bytes are not such a number.
    pub(super) bad: uint8x16_t,
    /// The place of the dot in its lane, plus 16 times the place after a minus.
    pub(super) mark: uint8x16_t,
    /// The values of the digits.
    pub(super) lanes: [uint8x16_t; REGISTERS],
}

/// The digits of sixteen numbers.
#[derive(Clone, Copy)]
pub(super) struct Eights {
    /// The first eight digits of each.
    pub(super) first: [uint32x4_t; 4],
    /// The last eight.
    pub(super) last: [uint32x4_t; 4],
}

impl Digits {
    /// Reads the last `length` bytes before each end. The result is meaningless for lengths above 16.
    ///
    /// # Safety
    ///
    /// Each end must lie in `16..=text.len()`.
    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) unsafe fn read(&mut self, text: &[u8], ends: &[u32; 16], length: uint8x16_t) {
        // SAFETY: the caller guarantees the ends.
        let lanes = unsafe { load(text, ends) };
        let (inside, weights) = (vector(places(15, 255)), vector(places(16, 17)));
        let lengths = copies(length);
        let (mut counts, mut marks) = (lanes, lanes);
        for at in 0..16 {
            let bytes = Bytes::look_up(lanes[at], vcgtq_u8(lengths[at], inside), weights);
            counts[at] = bytes.count;
            marks[at] = bytes.mark;
            self.lanes[at] = bytes.digits;
        }
        self.mark = sums(marks);
        self.bad = verdict(sums(counts), self.mark, length, 16);
    }

    /// Removes the dots and combines the digits of each number into two integers.
    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn fold(&self) -> Eights {
        let dots = copies(vandq_u8(self.mark, byte(15)));
        let place = vector(places(0, 1));
        // The place before each place, but at least 0, which stands for no dot.
        let before = vqsubq_u8(place, byte(1));
        let mut digits = self.lanes;
        for (digits, dot) in digits.iter_mut().zip(dots) {
            // The digits before the dot move up by one and replace it. A mask adds -1.
            let from = vaddq_u8(place, vcgtq_u8(dot, before));
            *digits = tens(vqtbl1q_u8(*digits, from));
        }
        let eights = halved::<16, 8>(digits).map(|twos| eights(fours(twos)));
        let pairs = [0, 2, 4, 6].map(|at| [eights[at], eights[at + 1]]);
        Eights {
            first: pairs.map(|[one, next]| vuzp1q_u32(one, next)),
            last: pairs.map(|[one, next]| vuzp2q_u32(one, next)),
        }
    }

    /// All ones where there is a dot, and the number of digits after it.
    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn places(&self) -> (uint8x16_t, uint8x16_t) {
        let has_dot = vtstq_u8(self.mark, byte(15));
        // Subtracts the place of the dot from 15.
        (has_dot, vandq_u8(vbicq_u8(byte(15), self.mark), has_dot))
    }

    /// All ones where there is a minus.
    #[inline]
    #[target_feature(enable = "neon")]
    fn negative(&self) -> uint8x16_t {
        vcgtq_u8(self.mark, byte(15))
    }

    /// The magnitudes with their signs.
    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn signed(&self, magnitudes: [float32x4_t; 4]) -> [float32x4_t; 4] {
        let none = byte(0);
        let signs = interleaved([none, none, none, vshlq_n_u8::<7>(self.negative())]);
        [0, 1, 2, 3].map(|at| vreinterpretq_f32_u32(vorrq_u32(vreinterpretq_u32_f32(magnitudes[at]), signs[at])))
    }

    /// Few digits divided by a power of ten, with their signs. Both are exact in float32, so the quotient is correctly
    /// rounded; see W. D. Clinger, "How to read floating point numbers accurately" (1990).
    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn divided(&self, eights: &Eights) -> [float32x4_t; 4] {
        let powers = float32_powers(self.places().1, self.negative());
        [0, 1, 2, 3].map(|at| vdivq_f32(vcvtq_f32_u32(eights.last[at]), powers[at]))
    }

    /// Rounds up to fifteen digits of fields of up to fifteen bytes. The mask is all ones where the result may not be
    /// the nearest float32.
    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn rounded(&self, eights: &Eights) -> ([float32x4_t; 4], uint8x16_t) {
        let (has_dot, places) = self.places();
        let powers = float64_powers(vnegq_s8(vreinterpretq_s8_u8(places)));
        let mantissas = eights.mantissas();
        let products: [_; 8] = std::array::from_fn(|at| vmulq_f64(vcvtq_f64_u64(mantissas[at]), powers[at]));
        // The power and the product are rounded once each, so the error is at most two units in the last place. That
        // only matters next to a tie in the 29 bits that a float32 drops. Integers are exact.
        let near_tie = pairs(products).map(|[one, next]| {
            let low = vuzp1q_u32(vreinterpretq_u32_f64(one), vreinterpretq_u32_f64(next));
            let from_tie = vshlq_n_u32::<3>(vsubq_u32(low, vdupq_n_u32((1 << 28) - 3)));
            vcltq_u32(from_tie, vdupq_n_u32(7 << 3))
        });
        (floats(products), vandq_u8(narrowed_masks(near_tie), has_dot))
    }

    /// The digits times their power of ten. The mask is all ones where the result may not be the nearest float32.
    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn scaled(&self, eights: &Eights, over: &Over) -> ([float32x4_t; 4], uint8x16_t) {
        let (has_dot, places) = self.places();
        let power = vaddq_u8(vsubq_u8(over.power, places), vbicq_u8(over.by, has_dot));
        let scales = float64_powers(vreinterpretq_s8_u8(power));
        // The digits, the power and their product each have a relative error of at most 2^-53. The digits that were cut
        // off are worth less than one unit.
        let (mantissas, cut) = (eights.mantissas(), over.units());
        let (down, up) = (vdupq_n_f64(1.0 - SLACK), vdupq_n_f64(1.0 + SLACK));
        let below: [_; 8] =
            std::array::from_fn(|at| vmulq_f64(vcvtq_f64_u64(mantissas[at]), vmulq_f64(scales[at], down)));
        let above: [_; 8] = std::array::from_fn(|at| {
            vmulq_f64(vcvtq_f64_u64(vaddq_u64(mantissas[at], cut[at])), vmulq_f64(scales[at], up))
        });
        let (below, above) = (floats(below), floats(above));
        // Where the power is out of range, both are NaN.
        let settled = [0, 1, 2, 3].map(|at| vceqq_f32(below[at], above[at]));
        (below, vornq_u8(over.bad, narrowed_masks(settled)))
    }
}

impl Eights {
    /// All digits of each number as one integer.
    #[inline]
    #[target_feature(enable = "neon")]
    fn mantissas(&self) -> [uint64x2_t; 8] {
        let quarters = [0, 1, 2, 3].map(|at| {
            let (first, last) = (self.first[at], self.last[at]);
            let shift = vdupq_n_u32(100_000_000);
            [
                vmlal_u32(vmovl_u32(vget_low_u32(last)), vget_low_u32(first), vget_low_u32(shift)),
                vmlal_high_u32(vmovl_high_u32(last), first, shift),
            ]
        });
        std::array::from_fn(|at| quarters[at / 2][at % 2])
    }

    /// Zero if all are integers below 2^24.
    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn beyond_float32(&self) -> uint32x4_t {
        let any = |integers: [uint32x4_t; 4]| {
            vorrq_u32(vorrq_u32(integers[0], integers[1]), vorrq_u32(integers[2], integers[3]))
        };
        vorrq_u32(any(self.first), vshrq_n_u32::<24>(any(self.last)))
    }
}

/// The first digit of each pair times ten; adding the two gives a number below 100.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn tens(digits: uint8x16_t) -> uint8x16_t {
    const TENS: [u8; 16] = [10, 1, 10, 1, 10, 1, 10, 1, 10, 1, 10, 1, 10, 1, 10, 1];
    vmulq_u8(digits, vector(TENS))
}

/// Combines numbers of two digits into numbers of four.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn fours(twos: uint8x16_t) -> uint16x8_t {
    const HUNDREDS: [u8; 16] = [100, 1, 100, 1, 100, 1, 100, 1, 100, 1, 100, 1, 100, 1, 100, 1];
    let weights = vector(HUNDREDS);
    vpaddq_u16(vmull_u8(vget_low_u8(twos), vget_low_u8(weights)), vmull_high_u8(twos, weights))
}

/// Combines numbers of four digits into numbers of eight.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn eights(fours: uint16x8_t) -> uint32x4_t {
    let weights = vreinterpretq_u16_u32(vdupq_n_u32(0x0001_2710));
    vpaddq_u32(vmull_u16(vget_low_u16(fours), vget_low_u16(weights)), vmull_high_u16(fours, weights))
}

#[inline]
#[target_feature(enable = "neon")]
fn pairs(doubles: [float64x2_t; 8]) -> [[float64x2_t; 2]; 4] {
    [0, 2, 4, 6].map(|at| [doubles[at], doubles[at + 1]])
}

/// Sixteen float64s rounded to float32.
#[inline]
#[target_feature(enable = "neon")]
fn floats(doubles: [float64x2_t; 8]) -> [float32x4_t; 4] {
    pairs(doubles).map(|[one, next]| vcvt_high_f32_f64(vcvt_f32_f64(one), next))
}

/// More than the sum of all rounding errors in a bound.
const SLACK: f64 = 1.0 / (1_u64 << 49) as f64;

#[cfg(test)]
mod tests {
    use super::{DOT, MINUS};

    /// Every way to fill a lane with digits, dots, minus signs and other bytes.
    #[test]
    fn counts_tell_numbers_from_other_bytes() {
        for (length, has_dot, negative) in (0..=16_u8)
            .flat_map(|length| [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(has_dot, negative)| (length, has_dot, negative)))
        {
            let expected = length.wrapping_sub(has_dot + negative).wrapping_add(has_dot * DOT + negative * MINUS);
            for dots in 0..=length {
                for minuses in 0..=length - dots {
                    for others in 0..=length - dots - minuses {
                        let digits = length - dots - minuses - others;
                        let count =
                            digits.wrapping_add(dots.wrapping_mul(DOT)).wrapping_add(minuses.wrapping_mul(MINUS));
                        let is_number = (dots, minuses, others) == (has_dot, negative, 0);
                        assert_eq!(count == expected, is_number, "{digits} {dots} {minuses} {others}");
                    }
                }
            }
        }
    }
}
