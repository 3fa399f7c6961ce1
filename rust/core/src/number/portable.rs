//! Plain numbers eight digits at a time, in ordinary 64-bit registers.

use super::round;

const ZEROS: u64 = 0x3030_3030_3030_3030;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
const DOT: u8 = b'.' ^ b'0';

/// The number in `text[start..end]`, or `None` when it is not a plain one: then the field may hold anything.
///
/// At least 24 bytes of `text`, of any value, must stand before `start`.
#[inline(always)]
pub(super) fn parse(text: &[u8], start: usize, end: usize) -> Option<f32> {
    if start == end {
        return None;
    }
    let sign = text[start];
    let signed = sign == b'-' || sign == b'+';
    let length = end - start - usize::from(signed);
    let magnitude = match length {
        1..=8 => plain::<1>(text, end, length),
        9..=16 => plain::<2>(text, end, length),
        17..=24 if text[end - 4] | 0x20 != b'e' => plain::<3>(text, end, length),
        _ => None,
    };
    let magnitude = match magnitude {
        Some(magnitude) => magnitude,
        None => scientific(text, end, length)?,
    };
    Some(f32::from_bits(magnitude.to_bits() | u32::from(sign == b'-') << 31))
}

/// Digits with or without a dot, the last `length` bytes before `end`.
#[inline(always)]
fn plain<const WORDS: usize>(text: &[u8], end: usize, length: usize) -> Option<f32> {
    let (mantissa, places) = decimal_digits::<WORDS>(text, end, length)?;
    if places == 0 {
        // Up to 16 digits are an i64, which converts in one instruction.
        return Some(if WORDS < 3 { mantissa as i64 as f32 } else { mantissa as f32 });
    }
    if WORDS < 3 { round::short_decimal(mantissa, places) } else { round::decimal(mantissa, -(places as i32)) }
}

/// Digits, then an exponent.
fn scientific(text: &[u8], end: usize, length: usize) -> Option<f32> {
    // An exponent of two digits and a sign is by far the most frequent.
    let after_e = [3, 2, 4, 1].into_iter().find(|&after| after + 1 < length && text[end - after - 1] | 0x20 == b'e')?;
    let written = &text[end - after_e..end];
    let (negative, digits) = match written {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let magnitude = digits.iter().fold(0, |value, digit| 10 * value + i32::from(digit - b'0'));
    let exponent = if negative { -magnitude } else { magnitude };
    let end = end - after_e - 1;
    let length = length - after_e - 1;
    let (mantissa, places) = match length {
        17..=24 => decimal_digits::<3>(text, end, length),
        9..=16 => decimal_digits::<2>(text, end, length),
        1..=8 => decimal_digits::<1>(text, end, length),
        _ => None,
    }?;
    round::decimal(mantissa, exponent - places as i32)
}

/// The digits in the last `length` bytes before `end` as one integer of at most 19 digits, and how many of them stand
/// after a dot. `length` is more than `8 * (WORDS - 1)` and at most `8 * WORDS`.
#[inline(always)]
fn decimal_digits<const WORDS: usize>(text: &[u8], end: usize, length: usize) -> Option<(u64, usize)> {
    let window = &text[end - 8 * WORDS..end];
    let mut words = [0; WORDS];
    for (word, bytes) in words.iter_mut().zip(window.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes) ^ ZEROS;
    }
    // What stands before the field becomes leading zeros.
    let outside = 64 * WORDS - 8 * length;
    words[0] = (words[0] >> outside) << outside;
    let mut places = None;
    for at in 0..WORDS {
        let others = (words[at].wrapping_add(0x7676_7676_7676_7676) | words[at]) & HIGH_BITS;
        if others == 0 {
            continue;
        }
        let place = others.trailing_zeros() - 7;
        // Squeezing the dot out would turn a second one, or anything else, into a digit.
        let only_a_dot = others & (others - 1) == 0 && (words[at] >> place) as u8 == DOT;
        if !only_a_dot || places.is_some() || length == 1 {
            return None;
        }
        places = Some(8 * (WORDS - at) - 1 - place as usize / 8);
        // The bytes before the dot move up by one and take its place.
        let before = words[at] & ((1 << place) - 1);
        words[at] = (words[at] >> place >> 8 << 8 << place) | before << 8;
        for earlier in (0..at).rev() {
            words[earlier + 1] |= words[earlier] >> 56;
            words[earlier] <<= 8;
        }
    }
    let mut mantissa = eight_digits(words[0]);
    if WORDS == 3 && mantissa >= 1000 {
        return None;
    }
    for &word in &words[1..] {
        mantissa = mantissa * 100_000_000 + eight_digits(word);
    }
    Some((mantissa, places.unwrap_or(0)))
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
    use crate::number::WINDOW;
    use crate::number::parse_exact;
    use proptest::prelude::*;

    /// The field between neighbours that a careless load would take for a part of it.
    fn parse_between(before: &str, field: &str, after: &str) -> Option<f32> {
        let padding = "7".repeat(WINDOW);
        let text = format!("{padding}{before}{field}{after}{padding}");
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
        for field in [
            "-7",
            "3.141593",
            "-8.692932128906250000e-01",
            "0.12345678901234567",
            "1.5e-7",
            "1.234567E+03",
            "1234567.25",
            "0.00012345678901234567",
            "1234567890123456",
        ] {
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
