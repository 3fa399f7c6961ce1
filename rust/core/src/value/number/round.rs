//! Rounds a decimal `mantissa * 10^exponent` to the nearest float32.

/// The smallest power of ten in the table. 5^54 is the last power that fits the division below.
const MIN_EXPONENT: i32 = -54;
/// The largest power of ten that is a finite float32.
const MAX_EXPONENT: i32 = 38;

/// A tie in the 40 bits of a 64-bit significand that a float32 drops.
const HALF: u64 = 1 << 39;

/// The powers in [`FLOAT64_POWERS`] that give a finite float32 with any mantissa.
const SAFE_POWERS: usize = (19 - SMALLEST_POWER + 1) as usize;
/// The bits of a float64 that a float32 drops, and a tie in them.
const DROPPED: u64 = (1 << 29) - 1;
const TIE: u64 = 1 << 28;

/// The first 64 bits of each power of ten, rounded down, with the highest bit set.
static POWERS: [u64; (MAX_EXPONENT - MIN_EXPONENT + 1) as usize] = powers();

/// The smallest power of ten that is a normal float32.
pub(super) const SMALLEST_POWER: i32 = -37;

/// The float64 nearest to each power of ten from there on.
#[rustfmt::skip]
pub(super) static FLOAT64_POWERS: [f64; 64] = [
    1e-37, 1e-36, 1e-35, 1e-34, 1e-33, 1e-32, 1e-31, 1e-30,
    1e-29, 1e-28, 1e-27, 1e-26, 1e-25, 1e-24, 1e-23, 1e-22,
    1e-21, 1e-20, 1e-19, 1e-18, 1e-17, 1e-16, 1e-15, 1e-14,
    1e-13, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6,
    1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2,
    1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10,
    1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22, 1e23, 1e24, 1e25, 1e26,
];

const fn powers() -> [u64; (MAX_EXPONENT - MIN_EXPONENT + 1) as usize] {
    let mut table = [0; (MAX_EXPONENT - MIN_EXPONENT + 1) as usize];
    // 10^e and 5^e have the same leading bits.
    let mut power: u128 = 1;
    let mut exponent = 0;
    while exponent <= MAX_EXPONENT {
        table[(exponent - MIN_EXPONENT) as usize] = leading_bits(power, 1);
        power *= 5;
        exponent += 1;
    }
    power = 5;
    exponent = -1;
    while exponent >= MIN_EXPONENT {
        table[(exponent - MIN_EXPONENT) as usize] = leading_bits(1, power);
        power *= 5;
        exponent -= 1;
    }
    table
}

/// The first 64 bits of a quotient, by long division.
const fn leading_bits(numerator: u128, denominator: u128) -> u64 {
    if denominator == 1 {
        let aligned = numerator << numerator.leading_zeros();
        return (aligned >> 64) as u64;
    }
    let mut remainder = numerator;
    let mut bits: u64 = 0;
    while bits >> 63 == 0 {
        remainder <<= 1;
        bits <<= 1;
        if remainder >= denominator {
            remainder -= denominator;
            bits |= 1;
        }
    }
    bits
}

/// Rounds `mantissa * 10^exponent` to the nearest float32, ties to even. Returns `None` if 64 bits of the product
/// cannot decide: next to a tie, or outside the normal range.
#[inline]
pub(super) fn decimal(mantissa: u64, exponent: i32) -> Option<f32> {
    by_float64(mantissa, exponent).or_else(|| by_product(mantissa, exponent))
}

/// Like [`decimal`], with 53 bits. Faster, but more often undecided.
#[inline]
fn by_float64(mantissa: u64, exponent: i32) -> Option<f32> {
    let power = power(exponent)?;
    let product = i64::try_from(mantissa).ok()? as f64 * power;
    // The mantissa, the power and the product are rounded once each, so the total error is less than three units in the
    // last place.
    (!is_near_tie(product, 4)).then_some(product as f32)
}

/// Like [`decimal`], for a number that exceeds `mantissa` by a relative error below 10^-11.
#[inline(always)]
pub(super) fn truncated(mantissa: i64, exponent: i32) -> Option<f32> {
    let product = mantissa as f64 * power(exponent)?;
    // 10^-11 is less than 2^17 units in the last of 53 places.
    (!is_near_tie(product, 1 << 17)).then_some(product as f32)
}

/// The float64 nearest to a power of ten, if its product with any mantissa is a normal float32.
#[inline(always)]
fn power(exponent: i32) -> Option<f64> {
    FLOAT64_POWERS[..SAFE_POWERS].get(exponent.wrapping_sub(SMALLEST_POWER) as usize).copied()
}

/// Whether a tie is within `error` units in the last place.
#[inline(always)]
fn is_near_tie(product: f64, error: u64) -> bool {
    (product.to_bits() & DROPPED).wrapping_sub(TIE - error) <= 2 * error
}

/// Like [`decimal`], with 64 bits.
///
/// Uses a single product with a truncated power, as in D. Lemire, "Number parsing at a gigabyte per second" (2021). A
/// float32 leaves 40 bits to tell the two sides of a tie apart, so the second product of that paper is not worth its
/// code.
#[inline(never)]
fn by_product(mantissa: u64, exponent: i32) -> Option<f32> {
    if exponent == 0 {
        return Some(mantissa as f32);
    }
    if mantissa == 0 {
        return Some(0.0);
    }
    let power = *POWERS.get(exponent.wrapping_sub(MIN_EXPONENT) as usize)?;
    let zeros = mantissa.leading_zeros();
    let product = (u128::from(mantissa << zeros) * u128::from(power)) >> 64;
    let short = (product >> 63) as u32 ^ 1;
    // The exact product lies in [significand, significand + 4): each of the two truncations loses less than one unit,
    // and the shift may double the loss.
    let significand = (product as u64) << short;
    let rest = significand & (2 * HALF - 1);
    if HALF.wrapping_sub(rest) < 4 {
        return None;
    }
    let floor_log2 = (exponent * 217_706) >> 16;
    let biased = 127 + 64 + floor_log2 - (zeros + short) as i32;
    if !(1..=254).contains(&biased) {
        return None;
    }
    let bits = ((biased as u32) << 23) + ((significand >> 40) as u32 & 0x7F_FFFF) + u32::from(rest > HALF);
    Some(f32::from_bits(bits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn floor_log2_is_exact_in_the_range_of_the_table() {
        for exponent in MIN_EXPONENT..=MAX_EXPONENT {
            let exact = (f64::from(exponent) * std::f64::consts::LOG2_10).floor() as i32;
            assert_eq!((exponent * 217_706) >> 16, exact, "10^{exponent}");
        }
    }

    #[test]
    fn ties_and_the_ends_of_the_range_are_declined_or_exact() {
        for exponent in -70..60 {
            for bits in (0..64).map(|shift| u64::MAX >> shift).chain([1, 5, 10, 16_777_217, 33_554_433, 1 << 63]) {
                if let Some(value) = decimal(bits, exponent) {
                    assert_eq!(value.to_bits(), crate::oracle::nearest(bits, exponent).to_bits(), "{bits}e{exponent}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(crate::checks::cases(20_000))]
        #[test]
        fn decided_results_are_the_nearest(mantissa: u64, shift in 0_u32..64, exponent in -60_i32..45) {
            let mantissa = mantissa >> shift;
            if let Some(value) = decimal(mantissa, exponent) {
                prop_assert_eq!(value.to_bits(), crate::oracle::nearest(mantissa, exponent).to_bits());
            }
        }
    }
}
