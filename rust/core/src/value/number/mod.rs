//! Stage 4: one field to the nearest float32, ties to even.
//!
//! [`convert`] is the fast path, for many fields at once; what it declines goes to [`value`], which knows missing tokens,
//! words and any number of digits.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod bare;
mod forms;
#[cfg(target_arch = "x86_64")]
mod groups;
mod notation;
mod portable;
mod round;
#[cfg(test)]
mod sweep;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use crate::dialect::Dialect;
use crate::simd::Simd;
use crate::table::schema::Missing;
use bare::{bare, is_dressed};

pub(crate) use forms::Form;
pub use forms::Forms;
pub(crate) use notation::{Notation, Plain, other_notation};

/// Bytes, of any value, that must stand before the first field of a text and after its last.
pub const WINDOW: usize = 128;

/// Some fields of a text: each starts after the mark before it.
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    /// The position before each field.
    pub before: &'a [u32],
    /// The position after each field; as many as there are before.
    pub ends: &'a [u32],
}

impl Fields<'_> {
    /// Where one of the fields stands.
    #[must_use]
    pub fn place(self, at: usize) -> Range<usize> {
        self.before[at] as usize + 1..self.ends[at] as usize
    }
}

/// Puts the numbers in `fields` of `text` into as many `values`, and into `declined` the index of each field that is
/// not one to be read in haste, in their order; the value of those is NaN.
///
/// # Panics
///
/// When there are not as many values as fields, or a field with its [`WINDOW`] does not lie within `text`.
pub fn convert(
    simd: Simd,
    text: &[u8],
    quote: Option<u8>,
    fields: Fields<'_>,
    values: &mut [f32],
    declined: &mut Vec<u32>,
) {
    assert!(fields.before.len() == values.len() && fields.ends.len() == values.len());
    match simd {
        #[cfg(target_arch = "x86_64")]
        Simd::Avx512(avx512) => avx512::convert(avx512, text, quote, fields, values, declined),
        #[cfg(target_arch = "x86_64")]
        Simd::Avx2(avx2) => avx2::convert(avx2, text, quote, fields, values, declined),
        Simd::Portable => {
            for (at, value) in values.iter_mut().enumerate() {
                *value = one(text, quote, fields.place(at)).unwrap_or_else(|| {
                    declined.push(at as u32);
                    f32::NAN
                });
            }
        }
    }
}

/// The number at `place`, unless it is not one to be read in haste.
#[inline(always)]
fn one(text: &[u8], quote: Option<u8>, place: Range<usize>) -> Option<f32> {
    let plain = portable::parse(text, place.start, place.end);
    plain.or_else(|| if is_dressed(text, quote, place.clone()) { dressed(text, quote, place) } else { None })
}

/// As [`one`], for a number with something around it.
#[inline(never)]
fn dressed(text: &[u8], quote: Option<u8>, place: Range<usize>) -> Option<f32> {
    let bare = bare(text, quote, place);
    portable::parse(text, bare.start, bare.end)
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A number.
    Number(f32),
    /// No value.
    Missing,
    /// Neither.
    Other,
}

/// The value of any field, read with care instead of haste.
pub fn value(field: &[u8], dialect: Dialect, missing: &Missing) -> Value {
    if is_missing(field, dialect, missing) {
        return Value::Missing;
    }
    Notation::of(dialect).parse(&unquote(field, dialect)).map_or(Value::Other, Value::Number)
}

/// Whether a field means "no value".
pub(crate) fn is_missing(field: &[u8], dialect: Dialect, missing: &Missing) -> bool {
    // Most often a token stands by itself, and one with an escape as it is written.
    let is_quoted = field.first().copied() == dialect.quote;
    !is_quoted && missing.contains(if dialect.escape.is_some() { trim(field) } else { field })
        || missing.contains(&unquote(field, dialect))
}

/// A field without what quotes and escapes it, and without the spaces and tabs around it and inside its quotes.
pub(crate) fn unquote(field: &[u8], dialect: Dialect) -> Cow<'_, [u8]> {
    // A quote opens a field only as its first byte.
    let quoted = dialect.quote.filter(|quote| field.first() == Some(quote));
    let inner = match quoted {
        Some(quote) => field[1..].strip_suffix(&[quote]).unwrap_or(&field[1..]),
        None => field,
    };
    let is_special = |byte: &u8| Some(*byte) == quoted || Some(*byte) == dialect.escape;
    if (quoted, dialect.escape) == (None, None) || !inner.iter().any(is_special) {
        return Cow::Borrowed(trim(inner));
    }
    let mut text = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(&byte) = bytes.next() {
        if Some(byte) == dialect.escape {
            text.extend(bytes.next());
        } else {
            text.push(byte);
            if Some(byte) == quoted {
                bytes.next();
            }
        }
    }
    Cow::Owned(trim(&text).to_vec())
}

/// Where the text of a field stands that has its quotes on: as [`unquote`] has it, unless there are quotes in it.
#[inline]
fn inside(text: &[u8], quote: Option<u8>, place: Range<usize>) -> Range<usize> {
    let Range { mut start, mut end } = place;
    let is_space = |at: usize| matches!(text[at], b' ' | b'\t');
    if start + 1 < end && Some(text[start]) == quote && Some(text[end - 1]) == quote {
        start += 1;
        end -= 1;
    }
    while start < end && is_space(start) {
        start += 1;
    }
    while start < end && is_space(end - 1) {
        end -= 1;
    }
    start..end
}

/// Where the text of a field stands as [`unquote`] has it, unless there are quotes in it to be undone.
#[inline]
pub(crate) fn plain(text: &[u8], quote: Option<u8>, place: Range<usize>) -> Option<Range<usize>> {
    let is_quoted = Some(text[place.start]) == quote;
    let inside = inside(text, quote, place);
    (!is_quoted || !text[inside.clone()].iter().any(|&byte| Some(byte) == quote)).then_some(inside)
}

fn trim(mut field: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = field {
        field = rest;
    }
    field
}

/// The nearest float32 of `[+-]digits[.digits][e[+-]digits]`, `.5`, `5.`, inf, infinity or nan in any case.
///
/// The grammar is checked here; the rounding is the standard library's, which is exact for any number of digits.
pub(crate) fn parse_exact(text: &[u8]) -> Option<f32> {
    let unsigned = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    let word = [&b"inf"[..], b"infinity", b"nan"].iter().any(|word| unsigned.eq_ignore_ascii_case(word));
    if !word {
        let whole = digits(unsigned);
        let mut rest = &unsigned[whole..];
        let mut fraction = 0;
        if let Some(after) = rest.strip_prefix(b".") {
            fraction = digits(after);
            rest = &after[fraction..];
        }
        if whole + fraction == 0 {
            return None;
        }
        if let [b'e' | b'E', signed @ ..] = rest {
            let exponent = signed.strip_prefix(b"-").or_else(|| signed.strip_prefix(b"+")).unwrap_or(signed);
            rest = &exponent[digits(exponent)..];
            if exponent.is_empty() {
                return None;
            }
            if rest.is_empty() && exponent.len() > 4 {
                return Some(with_large_exponent(text, &unsigned[..whole], fraction, signed));
            }
        }
        if !rest.is_empty() {
            return None;
        }
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The number whose exponent has more than four digits, which the standard library does not count to the end: long runs
/// of zeros may make up for it. `text` begins with a sign or with `whole`, and has `fraction` digits after the dot.
fn with_large_exponent(text: &[u8], whole: &[u8], fraction: usize, exponent: &[u8]) -> f32 {
    let negative = text[0] == b'-';
    let end = text.len() - exponent.len() - 1;
    let fraction = &text[end - fraction..end];
    let significant: Vec<u8> = whole.iter().chain(fraction).copied().skip_while(|&digit| digit == b'0').collect();
    // One with more digits than an i128 has is beyond any length of text.
    let exponent = std::str::from_utf8(exponent).ok().and_then(|exponent| exponent.parse::<i128>().ok());
    let exponent = exponent.unwrap_or(if text[end + 1] == b'-' { i128::MIN / 2 } else { i128::MAX / 2 });
    // That of the first significant digit; a float32 reaches from 1e-46 to 1e39.
    let leading = exponent - fraction.len() as i128 + significant.len() as i128 - 1;
    let magnitude = if significant.is_empty() || leading < -100 {
        0.0
    } else if leading > 100 {
        f32::INFINITY
    } else {
        let digits = String::from_utf8_lossy(&significant);
        format!("{}.{}e{leading}", &digits[..1], &digits[1..]).parse().expect("digits, a dot and an exponent")
    };
    if negative { -magnitude } else { magnitude }
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}
