//! The naive counterparts that the tests hold the fast paths against.

use num_bigint::BigUint;

use crate::dialect::Dialect;

/// The float32 nearest to `mantissa * 10^exponent`, ties to even, by comparing exact integers.
pub(crate) fn nearest(mantissa: u64, exponent: i32) -> f32 {
    let ten = BigUint::from(10_u8);
    let power = ten.pow(exponent.unsigned_abs());
    let (numerator, denominator) = match exponent {
        0.. => (BigUint::from(mantissa) * power, BigUint::from(1_u8)),
        _ => (BigUint::from(mantissa), power),
    };
    // Bit patterns of positive floats are in the order of their values: find the last one not above the number.
    let (mut low, mut high) = (0_u32, f32::INFINITY.to_bits());
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if scaled(f32::from_bits(middle), &denominator) <= &numerator << SCALE {
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
    let twice = (numerator << SCALE) * 2_u8;
    let up = match twice.cmp(&(below + above)) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => low & 1 == 1,
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

/// The rows of a text as fields with their quotes on, one byte at a time, blank lines left out.
pub(crate) fn rows(text: &[u8], dialect: Dialect) -> Vec<Vec<Vec<u8>>> {
    let mut rows = Vec::new();
    let mut row: Vec<Vec<u8>> = vec![Vec::new()];
    let (mut quoted, mut just_closed) = (false, false);
    for &byte in text.iter().chain(if text.ends_with(b"\n") { &b""[..] } else { b"\n" }) {
        let field = row.last_mut().expect("a row has a field");
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
