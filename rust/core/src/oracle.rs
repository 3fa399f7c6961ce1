//! The naive counterparts that the tests and the fuzz targets hold the fast paths against.

use std::cmp::Ordering;
use std::ops::Range;

use num_bigint::BigUint;

use crate::dialect::Dialect;

/// The float32 nearest to `mantissa * 10^exponent`, ties to even, by comparing exact integers.
#[must_use]
pub fn nearest(mantissa: impl Into<BigUint>, exponent: i32) -> f32 {
    let ten = BigUint::from(10_u8);
    let power = ten.pow(exponent.unsigned_abs());
    let (numerator, denominator) = match exponent {
        0.. => (mantissa.into() * power, BigUint::from(1_u8)),
        _ => (mantissa.into(), power),
    };
    let numerator = numerator << SCALE;
    // Bit patterns of positive floats are in the order of their values: find the last one not above the number.
    let (mut low, mut high) = (0_u32, f32::INFINITY.to_bits());
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if scaled(f32::from_bits(middle), &denominator) <= numerator {
            low = middle;
        } else {
            high = middle;
        }
    }
    let below = scaled(f32::from_bits(low), &denominator);
    // The value that would follow the largest finite one, were there no infinity.
    let above = if high == f32::INFINITY.to_bits() {
        (denominator << 128_u32) << SCALE
    } else {
        scaled(f32::from_bits(high), &denominator)
    };
    let up = match (numerator * 2_u8).cmp(&(below + above)) {
        Ordering::Less => false,
        Ordering::Greater => true,
        Ordering::Equal => low & 1 == 1,
    };
    f32::from_bits(if up { high } else { low })
}

/// Binary places that hold every float32 exactly.
const SCALE: u32 = 149;

/// `value * denominator * 2^149`, exactly.
fn scaled(value: f32, denominator: &BigUint) -> BigUint {
    let bits = value.to_bits();
    let (exponent, fraction) = (bits >> 23, bits & 0x7F_FFFF);
    let integer = if exponent == 0 { fraction } else { fraction | 1 << 23 };
    (denominator * integer) << exponent.saturating_sub(1)
}

/// The float32 nearest to a text that is a number and nothing else, whatever its length: all its digits make one
/// integer.
#[must_use]
pub fn number(text: &[u8]) -> Option<f32> {
    let (negative, unsigned) = sign(text);
    let magnitude = match unsigned.to_ascii_lowercase().as_slice() {
        b"nan" => f32::NAN,
        b"inf" | b"infinity" => f32::INFINITY,
        unsigned => decimal(unsigned)?,
    };
    Some(if negative { -magnitude } else { magnitude })
}

/// Whether there is a minus, and what follows the sign.
fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

/// A decimal without a sign.
fn decimal(text: &[u8]) -> Option<f32> {
    let e = text.iter().position(|&byte| byte == b'e').unwrap_or(text.len());
    let mut exponent = if e == text.len() { 0 } else { integer(&text[e + 1..])? };
    let dot = text[..e].iter().position(|&byte| byte == b'.').unwrap_or(e);
    let fraction = &text[e.min(dot + 1)..e];
    let digits = [&text[..dot], fraction].concat();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    exponent = exponent.saturating_sub(fraction.len() as i64);
    let leading_zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    let digits = &digits[leading_zeros..];
    // Below 10^(places + exponent), and not below a tenth of that.
    let size = exponent.saturating_add(digits.len() as i64);
    if digits.is_empty() || size < -100 {
        Some(0.0)
    } else if size > 100 {
        Some(f32::INFINITY)
    } else {
        Some(nearest(BigUint::parse_bytes(digits, 10)?, exponent as i32))
    }
}

/// A whole number with or without a sign, or one beyond any length of text.
fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = sign(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let up = |value: i64, digit: &u8| value.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
    let magnitude = digits.iter().fold(0, up);
    Some(if negative { -magnitude } else { magnitude })
}

/// The rows of a text as fields with their quotes on, one byte at a time, blank lines left out.
#[must_use]
pub fn rows(text: &[u8], dialect: Dialect) -> Vec<Vec<Vec<u8>>> {
    let mut rows = Vec::new();
    let mut row: Vec<Vec<u8>> = vec![Vec::new()];
    let (mut quoted, mut just_closed) = (false, false);
    for &byte in text.iter().chain(if text.ends_with(b"\n") { &b""[..] } else { b"\n" }) {
        let last = row.len() - 1;
        let field = &mut row[last];
        let may_open = field.is_empty() || just_closed;
        just_closed = false;
        if Some(byte) == dialect.quote && (quoted || may_open) {
            just_closed = quoted;
            quoted = !quoted;
            field.push(byte);
        } else if quoted || (byte != dialect.delimiter && byte != b'\n') {
            field.push(byte);
        } else if byte == dialect.delimiter {
            row.push(Vec::new());
        } else {
            if field.last() == Some(&b'\r') {
                field.pop();
            }
            let whole = std::mem::replace(&mut row, vec![Vec::new()]);
            if whole != [b""] {
                rows.push(whole);
            }
        }
    }
    rows
}

/// The rows of a text up to the first that is wrong.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Where the fields of each row lie, with their quotes on.
    pub rows: Vec<Vec<Range<usize>>>,
    /// What is wrong, and where.
    pub wrong: Option<(usize, Wrong)>,
}

/// What can be wrong with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// A quoted field is not closed.
    Unclosed,
    /// Something follows a closing quote.
    AfterQuote,
    /// So many fields.
    Fields(usize),
}

/// Where the fields of a text lie, one byte at a time, whose rows should have `columns` fields each, or as many as the
/// first of them.
#[must_use]
pub fn table(text: &[u8], dialect: Dialect, columns: Option<usize>) -> Table {
    let mut table = Table::default();
    let mut columns = columns;
    let mut row = vec![];
    let mut at = 0;
    while at < text.len() || !row.is_empty() {
        let start = at;
        if at < text.len() && Some(text[at]) == dialect.quote {
            at += 1;
            loop {
                if at == text.len() {
                    return Table { wrong: Some((start, Wrong::Unclosed)), ..table };
                }
                let doubled = text[at..].iter().take(2).all(|&byte| Some(byte) == dialect.quote);
                if Some(text[at]) == dialect.quote && !(doubled && at + 1 < text.len()) {
                    break;
                }
                at += if doubled { 2 } else { 1 };
            }
            at += 1;
            if !matches!(text[at..], [] | [b'\r'] | [b'\n', ..] | [b'\r', b'\n', ..]) && text[at] != dialect.delimiter {
                return Table { wrong: Some((start, Wrong::AfterQuote)), ..table };
            }
        }
        while at < text.len() && text[at] != b'\n' && text[at] != dialect.delimiter {
            at += 1;
        }
        let row_ends = at == text.len() || text[at] == b'\n';
        let returns = usize::from(row_ends && at > start && text[at - 1] == b'\r');
        row.push(start..at - returns);
        at += 1;
        if row_ends {
            let whole = std::mem::take(&mut row);
            let is_blank = whole.len() == 1 && whole[0].is_empty();
            let expected = if is_blank { whole.len() } else { *columns.get_or_insert(whole.len()) };
            if whole.len() != expected {
                return Table { wrong: Some((whole[0].start, Wrong::Fields(whole.len()))), ..table };
            }
            table.rows.extend((!is_blank).then_some(whole));
        }
    }
    table
}
