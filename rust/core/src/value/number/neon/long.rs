//! Reads what does not fit in a sixteen-byte lane: exponents and further digits.

#[allow(clippy::wildcard_imports, reason = "half of all lines name an intrinsic")]
use std::arch::aarch64::*;

use super::lanes::{Lanes, byte, copies, places, sums, vector};

/// The exponents at the end of sixteen fields.
struct Exponent {
    /// All ones where there is an exponent.
    is_there: uint8x16_t,
    /// Its value, or 0.
    value: uint8x16_t,
}

impl Exponent {
    /// Reads `e`, a sign and two digits from the last four bytes of each lane.
    #[inline]
    #[target_feature(enable = "neon")]
    fn read(tails: &Lanes, length: uint8x16_t) -> Self {
        let [e, sign, tens, ones] = last_four(tails);
        let negative = vceqq_u8(sign, byte(b'-'));
        let positive = vceqq_u8(sign, byte(b'+'));
        let [tens, ones] = [tens, ones].map(|digits| vsubq_u8(digits, byte(b'0')));
        let is_there = [
            vceqq_u8(vorrq_u8(e, byte(0x20)), byte(b'e')),
            vorrq_u8(negative, positive),
            vcltq_u8(vmaxq_u8(tens, ones), byte(10)),
        ];
        let is_there = is_there.into_iter().fold(vcgtq_u8(length, byte(4)), |all, each| vandq_u8(all, each));
        let magnitude = vandq_u8(vmlaq_u8(ones, tens, byte(10)), is_there);
        Self { is_there, value: vsubq_u8(veorq_u8(magnitude, negative), negative) }
    }
}

/// The last four bytes of each lane: the first of them for all fields, then the second, and so on.
#[inline]
#[target_feature(enable = "neon")]
fn last_four(tails: &Lanes) -> [uint8x16_t; 4] {
    let words = |at: usize| vreinterpretq_u32_u8(tails[at]);
    let [a, b, c, d] = [0, 4, 8, 12].map(|at| {
        let one = vuzp2q_u32(words(at), words(at + 1));
        let next = vuzp2q_u32(words(at + 2), words(at + 3));
        vreinterpretq_u8_u32(vuzp2q_u32(one, next))
    });
    let (even, odd) = ([vuzp1q_u8(a, b), vuzp1q_u8(c, d)], [vuzp2q_u8(a, b), vuzp2q_u8(c, d)]);
    [vuzp1q_u8(even[0], even[1]), vuzp1q_u8(odd[0], odd[1]), vuzp2q_u8(even[0], even[1]), vuzp2q_u8(odd[0], odd[1])]
}

/// What a digit counts: this if it is zero, one more if not. Counts are added modulo 256: with this number, up to
/// sixteen bytes still tell how many of them are not zero, unless one is no digit.
const ZERO: u8 = 38;

/// What follows the first sixteen bytes of sixteen long fields.
#[derive(Clone, Copy)]
pub(super) struct Over {
    /// All ones where that is neither digits nor an exponent.
    pub(super) bad: uint8x16_t,
    /// The value of the exponent, from -99 to 99.
    pub(super) power: uint8x16_t,
    /// The number of digits.
    pub(super) by: uint8x16_t,
    /// All ones where the digits are not all zeros.
    pub(super) is_cut: uint8x16_t,
}

impl Over {
    /// Examines the ends of fields of these lengths. Returns how many bytes of each, sixteen at most, are its head.
    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn read(tails: Lanes, length: uint8x16_t) -> (Self, uint8x16_t) {
        const COUNTS: [u8; 16] = {
            let mut counts = [ZERO, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            let mut digit = 1;
            while digit < 10 {
                counts[digit] = ZERO + 1;
                digit += 1;
            }
            counts
        };
        let too_long = vcgtq_u8(length, byte(32));
        let length = vminq_u8(length, byte(32));
        let exponent = Exponent::read(&tails, length);
        let mantissa = vsubq_u8(length, vandq_u8(exponent.is_there, byte(4)));
        let head = vminq_u8(mantissa, byte(16));
        let by = vsubq_u8(mantissa, head);
        let has_more = vtstq_u8(by, by);
        let watched = vandq_u8(vsubq_u8(length, head), has_more);
        let inside = vector(places(15, 255));
        let mut counts = tails;
        for (count, watched) in counts.iter_mut().zip(copies(watched)) {
            let counted = vqtbl1q_u8(vector(COUNTS), vsubq_u8(*count, byte(b'0')));
            *count = vandq_u8(counted, vcgtq_u8(watched, inside));
        }
        // An exponent of four bytes has two digits.
        let in_exponent = vandq_u8(vandq_u8(exponent.is_there, has_more), byte(2));
        let digits = vsubq_u8(watched, in_exponent);
        let not_zero = vmlsq_u8(sums(counts), digits, byte(ZERO));
        let bad = vorrq_u8(vcgtq_u8(not_zero, digits), too_long);
        (Self { bad, power: exponent.value, by, is_cut: vtstq_u8(not_zero, not_zero) }, head)
    }

    /// 1 where the digits are not all zeros, else 0.
    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn units(&self) -> [uint64x2_t; 8] {
        let quarters = super::lanes::widened(vandq_u8(self.is_cut, byte(1)));
        let quarters = quarters.map(|units| [vmovl_u32(vget_low_u32(units)), vmovl_high_u32(units)]);
        std::array::from_fn(|at| quarters[at / 2][at % 2])
    }
}

#[cfg(test)]
mod tests {
    use super::ZERO;

    /// Every way to fill up to sixteen bytes with zeros, other digits and other bytes.
    #[test]
    fn counts_tell_digits_from_other_bytes() {
        for length in 0..=16_u8 {
            for others in 0..=length {
                for digits in 0..=length - others {
                    let zeros = length - others - digits;
                    let count = zeros.wrapping_mul(ZERO).wrapping_add(digits.wrapping_mul(ZERO + 1));
                    let not_zero = count.wrapping_sub(length.wrapping_mul(ZERO));
                    assert_eq!(not_zero <= length, others == 0, "{zeros} {digits} {others}");
                    assert!(others > 0 || not_zero == digits);
                }
            }
        }
    }
}
