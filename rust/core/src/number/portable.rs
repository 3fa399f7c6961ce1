//! Plain numbers eight digits at a time, in ordinary 64-bit registers.

use super::round;

const ZEROS: u64 = 0x3030_3030_3030_3030;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
/// Sets the high bit of a byte above nine.
const ABOVE_NINE: u64 = 0x7676_7676_7676_7676;
const DOT: u64 = (b'.' ^ b'0') as u64;
/// The powers of ten that divide up to seven digits.
const FLOAT32_POWERS: [f32; 8] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7];

/// The powers of ten below 2^64.
const POWERS: [u64; 20] = {
    let mut powers = [1; 20];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = 10 * powers[at - 1];
        at += 1;
    }
    powers
};

/// For each number of digits, what to keep of the three words that end with them.
static KEPT: [[u64; 3]; 32] = {
    let mut kept = [[0; 3]; 32];
    let mut count = 1;
    while count < kept.len() {
        let digit = if count <= 24 { count } else { 24 };
        kept[count] = kept[digit - 1];
        kept[count][2 - (digit - 1) / 8] |= 0xFF << (56 - 8 * ((digit - 1) % 8));
        count += 1;
    }
    kept
};

/// The number in `text[start..end]`, or `None` when it is not a plain one: then the field may hold anything.
///
/// At least 24 bytes of `text`, of any value, must stand before `start`.
#[inline(always)]
pub(super) fn parse(text: &[u8], start: usize, end: usize) -> Option<f32> {
    let sign = *text.get(start)?;
    let negative = sign == b'-';
    let start = start + usize::from(negative);
    let length = end.wrapping_sub(start);
    let magnitude = match length {
        0 => return None,
        1..=8 => short(text, end, length),
        9..=32 => long(text, start, end),
        _ => None,
    };
    let magnitude = match magnitude {
        Some(magnitude) => magnitude,
        None => uncommon(text, start, end, negative)?,
    };
    Some(f32::from_bits(magnitude.to_bits() | u32::from(negative) << 31))
}

/// Digits with or without a dot, the last `length` bytes before `end`, at most eight.
#[inline(always)]
fn short(text: &[u8], end: usize, length: usize) -> Option<f32> {
    let outside = 64 - 8 * length;
    // What stands before the field becomes leading zeros.
    let word = last_words::<1>(text, end)[0] & u64::MAX << outside;
    let others = others(word);
    if others == 0 {
        return Some(eight_digits(word) as i64 as f32);
    }
    // The lowest bit of the byte that is no digit.
    let dot = others >> 7;
    // Squeezing the dot out would turn a second one, or anything else, into a digit.
    if others & (others - 1) != 0 || word & (dot << 8).wrapping_sub(dot) != dot * DOT || length == 1 {
        return None;
    }
    // The bytes before the dot move up by one and take its place.
    let before = word & (dot - 1);
    let after = word & (dot << 8).wrapping_neg();
    let digits = eight_digits(after | before << 8);
    // Both are exact in float32, so that their quotient is the nearest one.
    Some(digits as i64 as f32 / FLOAT32_POWERS[others.leading_zeros() as usize / 8])
}

/// Up to 19 digits, a dot among them or not, and an exponent of two digits or none.
#[inline(always)]
fn long(text: &[u8], start: usize, end: usize) -> Option<f32> {
    match exponent(text, end) {
        Some(exponent) => mantissa(text, start, end - 4, exponent),
        None => mantissa(text, start, end, 0),
    }
}

/// The exponent in the four bytes before `end`, if they are one.
#[inline(always)]
fn exponent(text: &[u8], end: usize) -> Option<i32> {
    let &[e, sign, tens, ones] = text.get(..end)?.last_chunk()?;
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    let negative = sign == b'-';
    if e | 0x20 != b'e' || tens > 9 || ones > 9 || !matches!(sign, b'+' | b'-') {
        return None;
    }
    // No branch on the sign, which is as good as random.
    let magnitude = i32::from(tens) * 10 + i32::from(ones);
    Some((magnitude ^ -i32::from(negative)) + i32::from(negative))
}

/// Digits with or without a dot, times a power of ten.
#[inline(always)]
fn mantissa(text: &[u8], start: usize, end: usize, exponent: i32) -> Option<f32> {
    let head = u64::from_le_bytes(*text.get(start..)?.first_chunk()?) ^ ZEROS;
    let whole = others(head).trailing_zeros() as usize / 8;
    let length = end.wrapping_sub(start);
    if whole == 8 || whole >= length {
        return long_integer_part(text, start, end, exponent);
    }
    if length == 1 || head >> (8 * whole) & 0xFF != DOT {
        return None;
    }
    let before = eight_digits(head << (56 - 8 * whole) << 8);
    fraction(text, before, end, length - whole - 1, exponent)
}

/// As `mantissa`, for a number that begins with eight digits or has no dot.
#[inline(never)]
fn long_integer_part(text: &[u8], start: usize, end: usize, exponent: i32) -> Option<f32> {
    let field = text.get(start..end)?;
    let dot = field.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(field.len());
    if field.is_empty() || dot > 24 {
        return None;
    }
    let before = last_digits(text, start + dot, dot)?;
    if dot < field.len() {
        let places = field.len() - dot - 1;
        return (field[dot] == b'.').then(|| fraction(text, before, end, places, exponent)).flatten();
    }
    if exponent == 0 { Some(before as f32) } else { round::decimal(before, exponent) }
}

/// `places` digits after the dot, with what stands `before` it.
#[inline(always)]
fn fraction(text: &[u8], before: u64, end: usize, places: usize, exponent: i32) -> Option<f32> {
    if places > 24 {
        return None;
    }
    let after = last_digits(text, end, places)?;
    // Past 19 digits they do not fit, unless all before are zeros, as in 0.000…
    let power = POWERS.get(places).copied().unwrap_or(0);
    let mantissa = before.checked_mul(power)?.checked_add(after)?;
    if power == 0 && before != 0 {
        return None;
    }
    round::decimal(mantissa, exponent - places as i32)
}

/// The integer in the last `count` bytes before `end`, at most 24, if they are digits and it is below 10^19.
#[inline(always)]
fn last_digits(text: &[u8], end: usize, count: usize) -> Option<u64> {
    // Three words whatever the count, which varies from field to field where there are many digits.
    let [top, high, low] = last_words(text, end);
    let kept = &KEPT[count & 31];
    let (top, high, low) = (top & kept[0], high & kept[1], low & kept[2]);
    let others = (top.wrapping_add(ABOVE_NINE) | top)
        | (high.wrapping_add(ABOVE_NINE) | high)
        | (low.wrapping_add(ABOVE_NINE) | low);
    let top = eight_digits(top);
    if others & HIGH_BITS != 0 || top >= 1000 {
        return None;
    }
    Some((top * 100_000_000 + eight_digits(high)) * 100_000_000 + eight_digits(low))
}

/// A plus sign, or an exponent of another length.
#[cold]
fn uncommon(text: &[u8], start: usize, end: usize, negative: bool) -> Option<f32> {
    let start = if !negative && text[start] == b'+' { start + 1 } else { start };
    let field = text.get(start..end)?;
    let Some(e) = field.iter().position(|byte| byte | 0x20 == b'e') else { return mantissa(text, start, end, 0) };
    let (negative, digits) = match &field[e + 1..] {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 3 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let magnitude = digits.iter().fold(0, |value, digit| 10 * value + i32::from(digit - b'0'));
    mantissa(text, start, start + e, if negative { -magnitude } else { magnitude })
}

/// The last bytes before `end` as digits, if they are: what is none has its value changed in the same way.
#[inline(always)]
fn last_words<const WORDS: usize>(text: &[u8], end: usize) -> [u64; WORDS] {
    let bytes = &text[end - 8 * WORDS..end];
    let mut words = [0; WORDS];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
        *word = u64::from_le_bytes(*bytes) ^ ZEROS;
    }
    words
}

/// The highest bit of each byte that is no digit; above the first of them, others may be marked as well.
#[inline(always)]
fn others(word: u64) -> u64 {
    (word.wrapping_add(ABOVE_NINE) | word) & HIGH_BITS
}

/// Eight decimal digits, one a byte, the first in the lowest: pairs, then fours, then all, in three products.
#[inline(always)]
fn eight_digits(bytes: u64) -> u64 {
    const PAIRS: u64 = 0x0000_00FF_0000_00FF;
    let twos = bytes.wrapping_mul(10).wrapping_add(bytes >> 8);
    let upper = (twos & PAIRS).wrapping_mul(100 + (1_000_000 << 32));
    let lower = (twos >> 16 & PAIRS).wrapping_mul(1 + (10_000 << 32));
    upper.wrapping_add(lower) >> 32
}
