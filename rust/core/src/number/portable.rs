//! Plain numbers eight digits at a time, in ordinary 64-bit registers.

use super::round;

/// Bytes that [`parse`] may look at before the start of a field and after the end of its row.
pub(crate) const WINDOW: usize = 16;

const ZEROS: u64 = 0x3030_3030_3030_3030;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
const DOTS: u64 = 0x1E1E_1E1E_1E1E_1E1E;

/// The number in `text[start..end]`, or `None` when it is not a plain one: then the field may hold anything.
///
/// At least [`WINDOW`] bytes of `text`, of any value, must stand before `start` and after the newline that ends the row.
#[inline]
pub(crate) fn parse(text: &[u8], start: usize, end: usize) -> Option<f32> {
    let sign = text[start];
    let signed = sign == b'-' || sign == b'+';
    let digits = start + usize::from(signed);
    let length = end.wrapping_sub(digits);
    // An empty field has a length of 0 or, when its delimiter is a sign, wraps.
    let magnitude = match length {
        1..=8 => parse_8(load(text, end - 8), length),
        9..=16 => parse_16(load(text, end - 16), load(text, end - 8), length),
        17..=40 => parse_long(text, digits, end),
        _ => None,
    }?;
    Some(f32::from_bits(magnitude.to_bits() | u32::from(sign == b'-') << 31))
}

/// Up to eight bytes, the last ones of `word`.
#[inline]
fn parse_8(word: u64, length: usize) -> Option<f32> {
    let outside = 64 - 8 * length as u32;
    let bytes = ((word ^ ZEROS) >> outside) << outside;
    let dots = zero_bytes(bytes ^ DOTS);
    if dots == 0 {
        return all_digits(bytes).then(|| eight_digits(bytes) as f32);
    }
    // The bytes before the dot move up by one and take its place.
    let place = dots.trailing_zeros() - 7;
    let before = low_bits(place);
    let digits = (bytes & !(before << 8 | 0xFF)) | (bytes & before) << 8;
    if !all_digits(digits) || length == 1 {
        return None;
    }
    round::decimal(eight_digits(digits), -(7 - (place / 8) as i32))
}

/// Nine to sixteen bytes, the last ones of the two words.
#[inline]
fn parse_16(first: u64, second: u64, length: usize) -> Option<f32> {
    let outside = 128 - 8 * length as u32;
    let mut high = ((first ^ ZEROS) >> outside) << outside;
    let mut low = second ^ ZEROS;
    let mut exponent = 0;
    let dots = zero_bytes(low ^ DOTS);
    if dots != 0 {
        let place = dots.trailing_zeros() - 7;
        let before = low_bits(place);
        low = (low & !(before << 8 | 0xFF)) | (low & before) << 8 | high >> 56;
        high <<= 8;
        exponent = (place / 8) as i32 - 7;
    } else {
        let dots = zero_bytes(high ^ DOTS);
        if dots != 0 {
            let place = dots.trailing_zeros() - 7;
            let before = low_bits(place);
            high = (high & !(before << 8 | 0xFF)) | (high & before) << 8;
            exponent = (place / 8) as i32 - 15;
        }
    }
    if !all_digits(high) || !all_digits(low) {
        return None;
    }
    round::decimal(eight_digits(high) * 100_000_000 + eight_digits(low), exponent)
}

/// Longer fields and exponents: up to 19 significant digits.
#[inline]
fn parse_long(text: &[u8], start: usize, end: usize) -> Option<f32> {
    let mut mantissa = 0;
    let fraction = take_digits(text, start, &mut mantissa)?;
    let mut position = fraction;
    let mut exponent = 0;
    if text[position] == b'.' {
        position = take_digits(text, position + 1, &mut mantissa)?;
        exponent = (fraction + 1) as i32 - position as i32;
    }
    if position == start + 1 && fraction == start {
        return None;
    }
    if text[position] | 0x20 == b'e' {
        let negative = text[position + 1] == b'-';
        let first = position + 1 + usize::from(negative || text[position + 1] == b'+');
        let mut written = 0;
        position = first;
        while text[position].is_ascii_digit() && position < first + 4 {
            written = written * 10 + i32::from(text[position] - b'0');
            position += 1;
        }
        if position == first {
            return None;
        }
        exponent += if negative { -written } else { written };
    }
    if position == end { round::decimal(mantissa, exponent) } else { None }
}

/// Appends the digits from `position` on to `mantissa` and returns where they end; `None` when they do not fit.
#[inline]
fn take_digits(text: &[u8], mut position: usize, mantissa: &mut u64) -> Option<usize> {
    const SCALE: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];
    loop {
        let bytes = load(text, position) ^ ZEROS;
        let others = (bytes.wrapping_add(0x7676_7676_7676_7676) | bytes) & HIGH_BITS;
        let count = (others.trailing_zeros() / 8) as usize;
        if count == 0 {
            return Some(position);
        }
        // 19 digits always fit.
        if *mantissa >= 100_000_000_000 && *mantissa > (u64::MAX - SCALE[count]) / SCALE[count] {
            return None;
        }
        *mantissa = *mantissa * SCALE[count] + eight_digits(bytes << (64 - 8 * count as u32));
        position += count;
        if count < 8 {
            return Some(position);
        }
    }
}

#[inline]
fn load(text: &[u8], at: usize) -> u64 {
    let bytes: &[u8; 8] = text[at..at + 8].try_into().expect("eight bytes");
    u64::from_le_bytes(*bytes)
}

/// A mask of the lowest `count` bits, `count` below 64.
#[inline]
fn low_bits(count: u32) -> u64 {
    (1 << count) - 1
}

/// The high bit of each byte that is zero. Exact: no byte borrows from its neighbour.
#[inline]
fn zero_bytes(word: u64) -> u64 {
    !((word & !HIGH_BITS).wrapping_add(!HIGH_BITS) | word | !HIGH_BITS)
}

/// Whether each byte is at most 9.
#[inline]
fn all_digits(bytes: u64) -> bool {
    (bytes.wrapping_add(0x7676_7676_7676_7676) | bytes) & HIGH_BITS == 0
}

/// Eight decimal digits, one a byte, the first in the lowest: pairs, then fours, then all, in three products.
#[inline]
fn eight_digits(bytes: u64) -> u64 {
    const PAIRS: u64 = 0x0000_00FF_0000_00FF;
    let twos = bytes.wrapping_mul(10).wrapping_add(bytes >> 8);
    let upper = (twos & PAIRS).wrapping_mul(100 + (1_000_000 << 32));
    let lower = (twos >> 16 & PAIRS).wrapping_mul(1 + (10_000 << 32));
    upper.wrapping_add(lower) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::parse_exact;
    use proptest::prelude::*;

    /// The field between neighbours that a careless load would take for a part of it.
    fn parse_between(before: &str, field: &str, after: &str) -> Option<f32> {
        let padding = "7".repeat(WINDOW);
        let text = format!("{padding}{before}{field}{after}{padding}\n{padding}");
        let start = padding.len() + before.len();
        parse(text.as_bytes(), start, start + field.len())
    }

    fn check(field: &str) {
        let exact = parse_exact(field.as_bytes());
        for (before, after) in [(",", ","), ("\n", "\n"), ("9", "9"), (".", "."), ("-", "e"), ("e", "-")] {
            if let Some(found) = parse_between(before, field, after) {
                let exact = exact.unwrap_or_else(|| panic!("{field:?} is no number, yet read as {found}"));
                assert_eq!(found.to_bits(), exact.to_bits(), "{field:?}: {found} instead of {exact}");
            }
        }
    }

    #[test]
    fn plain_numbers_take_the_fast_path() {
        for field in [
            "0",
            "7",
            "-7",
            "+7",
            "12345678",
            "123456789",
            "1234567890123456",
            "0.5",
            "-.5",
            "5.",
            "3.141593",
            "-0.123456",
            "12345.678901",
            "1.000000000000000000e+00",
            "8.692932128906250000e-01",
            "-0.12345678901234567",
            "0.00012345678901234567",
            "1e5000000000000000",
        ] {
            check(field);
        }
        for field in ["-7", "3.141593", "-8.692932128906250000e-01", "0.12345678901234567"] {
            assert!(parse_between(",", field, ",").is_some(), "{field}");
        }
    }

    #[test]
    fn what_is_no_number_is_declined() {
        for field in [
            "",
            ".",
            "-",
            "-.",
            "1.2.3",
            "1-2",
            "--1",
            "1e",
            "e1",
            "12345678901234567.8.9",
            ".e1",
            "1 ",
            " 1",
            "\"1\"",
            "1:2",
            "1/2",
            "..",
            "123456789..",
            "........",
            "................",
            "....................",
            "11111111111111111e",
            "11111111111111111e+",
            "1111111111111111111.e",
            "................e5",
        ] {
            check(field);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn agrees_with_the_standard_library(field in "[+-]?[0-9]{0,21}(\\.[0-9]{0,21})?(e[+-]?[0-9]{0,3})?") {
            check(&field);
        }

        #[test]
        fn agrees_on_soup(field in "[-+.0-9eE \"/:x]{0,24}") {
            check(&field);
        }

        #[test]
        fn agrees_on_shortest_and_long_forms(bits: u32) {
            let value = f32::from_bits(bits);
            prop_assume!(value.is_finite());
            check(&format!("{value}"));
            check(&format!("{value:e}"));
            check(&format!("{:.18e}", f64::from(value)));
            check(&format!("{:.6}", f64::from(value) % 1e9));
        }

        #[test]
        fn agrees_next_to_ties(bits in 0x0D00_0000_u32..0x7F80_0000, step in -1_i64..=1) {
            let value = f64::from(f32::from_bits(bits));
            // Halfway to the next float32, and the float64s beside it.
            let tie = f64::from_bits((value.to_bits() + (1 << 28)).wrapping_add_signed(step));
            check(&format!("{tie:e}"));
            check(&format!("{tie:.17e}"));
            check(&format!("{tie}"));
        }
    }
}
