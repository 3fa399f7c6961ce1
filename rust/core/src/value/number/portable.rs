//! Parses plain numbers eight digits at a time in ordinary 64-bit registers.
//!
//! It does not branch on the sign, the exponent or the number of digits, because these are as unpredictable as random
//! bits.

use super::round;

pub(super) const ZEROS: u64 = 0x3030_3030_3030_3030;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
/// Added to a byte, sets its high bit if it exceeds nine.
const ABOVE_NINE: u64 = 0x7676_7676_7676_7676;
/// The powers of ten that divide up to seven digits.
const FLOAT32_POWERS: [f32; 8] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7];

/// How many digits and a dot are read at once: three words and the dot.
const LONGEST: usize = 25;
/// The same with an exponent.
const LONGEST_FIELD: usize = LONGEST + 4;

/// For each length of digits and a dot, masks of the three words of digits.
static KEPT: [[u64; 3]; 32] = {
    let mut kept = [[0; 3]; 32];
    let mut length = 2;
    while length <= LONGEST {
        let digit = length - 2;
        kept[length] = kept[length - 1];
        kept[length][digit / 8] |= 0xFF << (8 * (digit % 8));
        length += 1;
    }
    kept
};

/// The values of two-digit exponents, indexed by one bit for the minus sign and four bits for each digit.
static EXPONENTS: [i8; 512] = {
    let mut exponents = [0; 512];
    let mut at = 0;
    while at < exponents.len() {
        let magnitude = 10 * (at / 16 % 16 % 10) + at % 16 % 10;
        exponents[at] = if at < 256 { magnitude as i8 } else { -(magnitude as i8) };
        at += 1;
    }
    exponents
};

/// The number in `text[start..end]`; `None` if the fast paths cannot read it. The field may then hold anything.
#[inline(always)]
pub(super) fn parse(text: &[u8], start: usize, end: usize) -> Option<f32> {
    quick(text, start, end).or_else(|| slow(text.get(start..end)?))
}

/// Parses a field in one of the most common forms.
#[inline(always)]
fn quick(text: &[u8], start: usize, end: usize) -> Option<f32> {
    let bytes: &[u8; LONGEST_FIELD + 1] = text.get(start..start + LONGEST_FIELD + 1)?.first_chunk()?;
    let negative = bytes[0] == b'-';
    let bytes: &[u8; LONGEST_FIELD] = bytes[usize::from(negative)..].first_chunk()?;
    let length = end.wrapping_sub(start + usize::from(negative));
    let head = word(bytes, 0);
    let marks = others(head);
    let whole = marks.trailing_zeros() as usize / 8;
    // The bytes after the dot move down by one and replace it.
    let before_dot = (marks ^ marks.wrapping_sub(1)) >> 8;
    let without_dot = || head & before_dot | word(bytes, 1) & !before_dot;
    let magnitude = match length {
        // The shift removes the bytes after the field and pads with zeros before it.
        1..=8 if whole >= length => eight_digits(head << (64 - 8 * length)) as i64 as f32,
        2..=8 if bytes[whole] == b'.' => {
            let digits = without_dot() << (72 - 8 * length);
            if others(digits) != 0 {
                return None;
            }
            // Both operands are exact in float32, so the quotient is correctly rounded.
            eight_digits(digits) as i64 as f32 / FLOAT32_POWERS[(length - 1 - whole) & 7]
        }
        9..=LONGEST_FIELD => {
            let (length, exponent) = match exponent(bytes[length - 4..].first_chunk()?) {
                Some(exponent) => (length - 4, exponent),
                None => (length, 0),
            };
            if bytes[whole] == b'.' && length <= LONGEST {
                let kept = &KEPT[length & 31];
                let high = without_dot() & kept[0];
                let low = word(bytes, 9) & kept[1];
                let rest = word(bytes, 17) & kept[2];
                // Set if the word `rest` has digits and the first five digits are zeros.
                let few = (high << 24).wrapping_sub(1) & rest.wrapping_neg();
                if others(high) | others(low) | others(rest) != 0 || few >> 63 != 0 {
                    return None;
                }
                round::truncated(sixteen_digits(high, low), exponent + whole as i32 - 16)?
            } else if whole < 8 || exponent != 0 || !(9..=16).contains(&length) {
                return None;
            } else {
                let last = word(bytes, length - 8);
                if others(last) != 0 {
                    return None;
                }
                sixteen_digits(head << (128 - 8 * length), last) as f32
            }
        }
        _ => return None,
    };
    Some(f32::from_bits(magnitude.to_bits() | u32::from(negative) << 31))
}

/// Parses four bytes as an exponent.
#[inline(always)]
fn exponent(bytes: &[u8; 4]) -> Option<i32> {
    // For a valid exponent: nothing for the letter, 0 or 2 for the sign, and two digits.
    let parts = (u32::from_le_bytes(*bytes) | 0x20).wrapping_sub(u32::from_le_bytes(*b"e+00"));
    if (parts | parts.wrapping_add(0x0606_0000)) & 0xF0F0_FDFF != 0 {
        return None;
    }
    // One product gathers the sign and the digits.
    let at = (u64::from(parts) * (1 | 1 << 12 | 1 << 23)) >> 24;
    Some(EXPONENTS[at as usize & 511].into())
}

/// Parses a field byte by byte: with a plus sign, with another exponent, with very many digits, or next to a tie.
#[inline(never)]
fn slow(field: &[u8]) -> Option<f32> {
    let (negative, unsigned) = sign(field);
    let mut mantissa: u64 = 0;
    let mut length = 0;
    let mut dot = None;
    for &byte in unsigned {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            mantissa = mantissa.checked_mul(10)?.checked_add(u64::from(digit))?;
        } else if byte == b'.' && dot.is_none() {
            dot = Some(length);
        } else {
            break;
        }
        length += 1;
    }
    if length == usize::from(dot.is_some()) {
        return None;
    }
    let exponent = match &unsigned[length..] {
        [] => 0,
        [b'e' | b'E', signed @ ..] => {
            let (negative, digits) = sign(signed);
            if digits.is_empty() || digits.len() > 3 || !digits.iter().all(u8::is_ascii_digit) {
                return None;
            }
            let magnitude = digits.iter().fold(0, |value, digit| 10 * value + i32::from(digit - b'0'));
            if negative { -magnitude } else { magnitude }
        }
        _ => return None,
    };
    let places = dot.map_or(0, |dot| length - dot - 1);
    let magnitude = round::decimal(mantissa, exponent.checked_sub_unsigned(u32::try_from(places).ok()?)?)?;
    Some(if negative { -magnitude } else { magnitude })
}

/// Whether there is a minus sign, and the text after the sign.
fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] | rest => (false, rest),
    }
}

/// The values of eight digits. Other bytes map to other values.
#[inline(always)]
fn word(bytes: &[u8; LONGEST_FIELD], at: usize) -> u64 {
    u64::from_le_bytes(*bytes[at..].first_chunk().expect("eight bytes from there on")) ^ ZEROS
}

/// The highest bit of each byte that is not a digit. Bytes above the first such byte may be marked, too.
#[inline(always)]
pub(super) fn others(word: u64) -> u64 {
    (word.wrapping_add(ABOVE_NINE) | word) & HIGH_BITS
}

/// The value of eight digits, one in each byte, the first one lowest. Combines pairs, then fours, then all, with three
/// products.
#[inline(always)]
pub(super) fn eight_digits(bytes: u64) -> u64 {
    const PAIRS: u64 = 0x0000_00FF_0000_00FF;
    let twos = bytes.wrapping_mul(10).wrapping_add(bytes >> 8);
    let upper = (twos & PAIRS).wrapping_mul(100 + (1_000_000 << 32));
    let lower = (twos >> 16 & PAIRS).wrapping_mul(1 + (10_000 << 32));
    upper.wrapping_add(lower) >> 32
}

/// The value of two words of digits. It is signed, because a signed conversion to float is a single instruction.
#[inline(always)]
fn sixteen_digits(high: u64, low: u64) -> i64 {
    (eight_digits(high) * 100_000_000 + eight_digits(low)) as i64
}

#[cfg(test)]
mod tests {
    #[test]
    fn exponents_are_those_of_their_digits() {
        for exponent in -99..100 {
            let text = format!("e{exponent:+03}");
            let [e, rest @ ..] = *text.as_bytes().first_chunk::<4>().unwrap();
            for letter in [e, b'E'] {
                let bytes = [letter, rest[0], rest[1], rest[2]];
                assert_eq!(super::exponent(&bytes), Some(exponent));
            }
        }
        for place in 0..4 {
            for byte in 0..=255 {
                let mut bytes = *b"e+00";
                bytes[place] = byte;
                let is_one = match place {
                    0 => matches!(byte, b'e' | b'E'),
                    1 => matches!(byte, b'+' | b'-'),
                    _ => byte.is_ascii_digit(),
                };
                assert_eq!(super::exponent(&bytes).is_some(), is_one, "{bytes:?}");
            }
        }
    }
}
