//! Reads numbers in the most common forms, such as `12.5%`, `$1,234.50` and `(5.00)`, where they stand.
//!
//! It does not branch on digits, dots and the sign of a percentage, because these are unpredictable.

use std::ops::Range;

use super::portable::{ZEROS, eight_digits, others};
use super::{Forms, portable};
use crate::dialect::{Dialect, Encoding};

/// The powers of ten that divide a number by its decimal places. Without a decimal sign, it seems to have eight. All of
/// these powers are exact in float32.
const POWERS: [f32; 9] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e0];
/// The same for percentages.
const PERCENT_POWERS: [f32; 9] = [1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e2];

/// Integers below this are exact in float32.
const EXACT: u64 = 1 << 24;

impl Forms {
    /// The number at `place` if it has one of the most common forms. The value is that of [`Forms::parse`]. `None` says
    /// nothing about the field.
    #[inline(always)]
    pub(crate) fn read_in_place(self, text: &[u8], place: Range<usize>, dialect: Dialect) -> Option<f32> {
        let Range { start, end } = place;
        let first = *text.get(start)?;
        let last = text.get(end.wrapping_sub(1));
        let (number, negative, powers) = match first {
            b'0'..=b'9' | b'-' if self.percent && last == Some(&b'%') => {
                let negative = first == b'-';
                (start + usize::from(negative)..end - 1, negative, &PERCENT_POWERS)
            }
            b'$' if self.currency => (start + 1..end, false, &POWERS),
            b'-' if self.currency && text.get(start + 1) == Some(&b'$') => (start + 2..end, true, &POWERS),
            b'(' if self.currency && last == Some(&b')') => (start + 1..end - 1, true, &POWERS),
            _ => return self.read_marked(text, place, dialect),
        };
        match short(text, number, dialect.decimal, powers) {
            Some(magnitude) => Some(signed(magnitude, negative)),
            None => self.read_marked(text, place, dialect),
        }
    }

    /// Like [`Forms::read_in_place`], for a number with other marks or with many digits.
    #[inline(never)]
    fn read_marked(self, text: &[u8], Range { mut start, mut end }: Range<usize>, dialect: Dialect) -> Option<f32> {
        let bytes = text.get(start..)?.first_chunk()?;
        // The bytes from `start` on, as far as there may be marks.
        let mut head = u64::from_le_bytes(*bytes);
        let last = |end: usize| text[end - 1];
        if dialect.quote == Some(head as u8) {
            if last(end) != head as u8 {
                return None;
            }
            skip(1, &mut start, &mut head);
            end -= 1;
        }
        let mut negative = head as u8 == b'-';
        let mut has_sign = negative || head as u8 == b'+';
        skip(usize::from(has_sign), &mut start, &mut head);
        let mut is_dressed = false;
        if self.currency {
            let in_parentheses = !has_sign && head as u8 == b'(' && last(end) == b')';
            skip(usize::from(in_parentheses), &mut start, &mut head);
            end -= usize::from(in_parentheses);
            let length = currency_length(head, dialect.encoding);
            skip(length, &mut start, &mut head);
            has_sign |= in_parentheses;
            let is_minus = !has_sign && head as u8 == b'-';
            skip(usize::from(is_minus), &mut start, &mut head);
            negative |= in_parentheses | is_minus;
            is_dressed = in_parentheses || length > 0;
        }
        let is_percent = self.percent && last(end) == b'%';
        end -= usize::from(is_percent);
        if is_percent && last(end) == b' ' {
            end -= 1;
        }
        let is_number = (head as u8).is_ascii_digit() || head as u8 == dialect.decimal;
        if !is_number || start >= end || self.percent && !self.plain && !is_percent && !is_dressed {
            return None;
        }
        let powers = if is_percent { &PERCENT_POWERS } else { &POWERS };
        let magnitude = short(text, start..end, dialect.decimal, powers);
        let magnitude = magnitude.or_else(|| long(text, start..end, is_percent, dialect))?;
        Some(signed(magnitude, negative))
    }
}

#[inline(always)]
fn signed(magnitude: f32, negative: bool) -> f32 {
    f32::from_bits(magnitude.to_bits() | u32::from(negative) << 31)
}

#[inline(always)]
fn skip(length: usize, start: &mut usize, head: &mut u64) {
    *start += length;
    *head >>= 8 * length;
}

/// The length of the currency sign at the lowest byte of `head`; 0 if no common one stands there.
fn currency_length(head: u64, encoding: Encoding) -> usize {
    match head.to_le_bytes() {
        [b'$', ..] => 1,
        // Pound and yen.
        [0xC2, 0xA3 | 0xA5, ..] if encoding == Encoding::Utf8 => 2,
        // U+20A0 to U+20BF, the euro among them.
        [0xE2, 0x82, 0xA0..=0xBF, ..] if encoding == Encoding::Utf8 => 3,
        _ => 0,
    }
}

/// At most eight digits with an optional decimal sign, divided by the power for its decimal places.
#[inline(always)]
fn short(text: &[u8], Range { start, end }: Range<usize>, decimal: u8, powers: &[f32; 9]) -> Option<f32> {
    let length = end.wrapping_sub(start);
    let bytes = text.get(..end)?.last_chunk()?;
    if !(1..=8).contains(&length) {
        return None;
    }
    // The highest byte is the last one of the number.
    let bytes = u64::from_le_bytes(*bytes) ^ ZEROS;
    eight_bytes(bytes & (u64::MAX << (64 - 8 * length)), length, decimal, powers)
}

/// The value of the highest `length` bytes, each the difference of a character from `0`. The other bytes must be 0. `None`
/// if it is not a number, or if it might be rounded twice.
#[inline(always)]
fn eight_bytes(bytes: u64, length: usize, decimal: u8, powers: &[f32; 9]) -> Option<f32> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let difference = bytes ^ (ONES * u64::from(decimal ^ b'0'));
    // The highest bit of the decimal sign. If there are several, one of them remains below.
    let dot = difference.wrapping_sub(ONES) & !difference & ONES << 7;
    let has_dot = dot != 0;
    let up_to_dot = if has_dot { (dot << 1).wrapping_sub(1) } else { 0 };
    // The digits before the dot move up by one and replace it.
    let digits = bytes & !up_to_dot | bytes << 8 & up_to_dot;
    if others(digits) != 0 || length == usize::from(has_dot) {
        return None;
    }
    let places = dot.leading_zeros() as usize / 8;
    let integer = eight_digits(digits);
    // Without decimal places, an integer divided by 1 is rounded only once. Otherwise both operands must be exact.
    if integer >= EXACT && powers[8] > 1.0 {
        return None;
    }
    Some(integer as i32 as f32 / powers.get(places)?)
}

/// A number with thousands separators or with many digits.
#[inline(never)]
fn long(text: &[u8], Range { start, end }: Range<usize>, is_percent: bool, dialect: Dialect) -> Option<f32> {
    let Dialect { decimal, thousands, .. } = dialect;
    let ungrouped = thousands.and_then(|separator| ungrouped(text, start..end, separator, decimal));
    match ungrouped {
        Some((number, length)) if length <= 8 => {
            let powers = if is_percent { &PERCENT_POWERS } else { &POWERS };
            eight_bytes((number as u64 ^ ZEROS) << (64 - 8 * length), length, decimal, powers)
        }
        _ if is_percent || decimal != b'.' => None,
        Some((number, length)) => {
            let mut bytes = [0; 32];
            bytes[..16].copy_from_slice(&number.to_le_bytes());
            portable::parse(&bytes, 0, length)
        }
        None => portable::parse(text, start, end),
    }
}

/// A number of at most sixteen bytes without its thousands separators, and its length. `None` if it has none, or if they
/// do not stand between groups of three.
fn ungrouped(text: &[u8], Range { start, end }: Range<usize>, separator: u8, decimal: u8) -> Option<(u128, usize)> {
    let bytes: &[u8; 16] = text.get(start..)?.first_chunk()?;
    let bytes = bytes.get(..end - start)?;
    let mut number = u128::from_le_bytes(*text.get(start..)?.first_chunk()?);
    let mut length = bytes.len();
    let mut first = bytes.iter().rposition(|&byte| byte == decimal).unwrap_or(length);
    if first <= 3 {
        return None;
    }
    while first > 3 {
        first = first.checked_sub(4).filter(|&at| at > 0 && bytes[at] == separator)?;
        let before = (1 << (8 * first)) - 1;
        number = number & before | number >> 8 & !before;
        length -= 1;
    }
    Some((number, length))
}

#[cfg(test)]
mod tests {
    use super::super::forms::is_currency;
    use super::*;
    use crate::fields::WINDOW;
    use proptest::prelude::*;

    /// Reads a field between other bytes.
    fn read(forms: &[&str], field: &str, around: &str, dialect: Dialect) -> Option<f32> {
        let window = around.repeat(WINDOW);
        let text = format!("{window}{field}{window}");
        let place = window.len()..window.len() + field.len();
        Forms::named(forms).unwrap().read_in_place(text.as_bytes(), place, dialect)
    }

    #[test]
    fn common_forms_are_read_where_they_stand() {
        let dialect = Dialect { thousands: Some(b','), ..Dialect::default() };
        for (text, number) in [
            ("12.5%", 0.125),
            ("-0.50%", -0.005),
            ("-0%", -0.0),
            ("+7 %", 0.07),
            ("1234.56%", 12.3456),
            ("1,250%", 12.5),
            ("\"12.5%\"", 0.125),
            ("$12.50", 12.5),
            ("-$3", -3.0),
            ("$-3", -3.0),
            ("(5.00)", -5.0),
            ("($5.00)", -5.0),
            ("\"$1,234.50\"", 1234.5),
            ("$1,234,567.3", 1_234_567.3),
            ("$12345678.25", 12_345_678.0),
            ("£.5", 0.5),
            ("€123456789", 123_456_789.0),
            ("¥12345678", 12_345_678.0),
        ] {
            let found = read(&["percent", "currency"], text, ",", dialect);
            assert_eq!(found.map(f32::to_bits), Some(f32::to_bits(number)), "{text}");
        }
        let comma = Dialect { decimal: b',', thousands: Some(b'.'), ..Dialect::default() };
        assert_eq!(read(&["percent"], "1.012,5 %", "\n", comma), Some(10.125));
        assert_eq!(read(&["percent"], "12.5", "\n", dialect), None);
        assert_eq!(read(&["percent", "plain"], "12.5", "\n", dialect), Some(12.5));
    }

    #[test]
    fn each_sign_is_that_of_a_currency() {
        for character in (0x80..=0x2_FFFF).filter_map(char::from_u32) {
            let text = format!("{character}      ");
            let length = currency_length(u64::from_le_bytes(*text.as_bytes().first_chunk().unwrap()), Encoding::Utf8);
            assert!(length == 0 || length == character.len_utf8() && is_currency(character), "{character}");
        }
    }

    proptest! {
        #![proptest_config(crate::checks::cases(20_000))]

        #[test]
        fn values_are_those_of_the_careful_path(
            field in prop_oneof![
                "[-+]?[$€£(]?[-+]?[0-9]{0,7}[.,]?[0-9]{0,7} ?[%)]?",
                "[-+]?[$(]{0,2}[0-9]{1,3}([,.' ][0-9]{3}){0,4}[.,]?[0-9]{0,4}[%)]{0,2}",
                "[-+$€£(),.%0-9eExX#D/ ]{0,18}",
            ],
            around in "[-+$(),.%0-9e\n ]",
            forms in prop::sample::subsequence(Forms::NAMES.to_vec(), 0..=6),
            decimal in prop::sample::select(&b".,"[..]),
            thousands in prop::option::of(prop::sample::select(&b",.' _"[..])),
            is_quoted in prop::bool::weighted(0.2),
            is_latin in prop::bool::weighted(0.1),
        ) {
            let encoding = if is_latin { Encoding::Latin1 } else { Encoding::Utf8 };
            let thousands = thousands.filter(|&byte| byte != decimal);
            let dialect = Dialect { decimal, thousands, encoding, ..Dialect::default() };
            let field = field.trim();
            let raw = if is_quoted { format!("\"{field}\"") } else { field.to_owned() };
            let Some(found) = read(&forms, &raw, &around, dialect) else { return Ok(()) };
            let expected = Forms::named(&forms).unwrap().parse(field.as_bytes(), dialect);
            prop_assert_eq!(Some(found.to_bits()), expected.map(f32::to_bits), "{:?} {:?}", raw, forms);
        }

        #[test]
        fn short_percentages_are_rounded_once(integer in 0_u32..10_000_000, places in 0_usize..7, has_sign: bool) {
            let integer = if places > 0 { integer / 10 } else { integer };
            let digits = format!("{integer:0places$}");
            let (whole, fraction) = digits.split_at(digits.len() - places);
            let (sign, dot) = (if has_sign { "-" } else { "" }, if places > 0 { "." } else { "" });
            let field = format!("{sign}{whole}{dot}{fraction}%");
            let expected = Forms::named(&["percent"]).unwrap().parse(field.as_bytes(), Dialect::default());
            let found = read(&["percent"], &field, ",", Dialect::default());
            prop_assert_eq!(found.map(f32::to_bits), expected.map(f32::to_bits), "{}", field);
        }
    }
}
