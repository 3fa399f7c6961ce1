//! Rounds a numeric field to the nearest float32, ties to even.
//!
//! [`convert`] is the fast path for many fields at once. It declines fields that may be missing tokens, words or
//! numbers with very many digits. The caller parses these on the slow path.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod forms;
#[cfg_attr(
    not(any(target_arch = "x86_64", target_arch = "aarch64")),
    expect(dead_code, reason = "without vectors, fields are read one by one")
)]
mod groups;
mod in_place;
#[cfg(target_arch = "aarch64")]
mod neon;
mod notation;
#[cfg_attr(
    not(any(target_arch = "x86_64", target_arch = "aarch64")),
    expect(dead_code, reason = "without vectors, fields are read one by one")
)]
mod places;
mod portable;
mod round;
#[cfg(test)]
mod sweep;
#[cfg(test)]
mod tests;
mod token;
mod trim;

use std::ops::Range;

use crate::fields::Fields;
use crate::simd::Simd;
use trim::{bare, is_dressed};

pub(crate) use forms::Form;
pub use forms::Forms;
pub(crate) use forms::bare_amount;
pub(crate) use notation::{Notation, Plain, other_notation};
pub(crate) use token::Token;

/// Parses the `fields` of `text` into `values`. Appends the index of every field that the fast path cannot read to
/// `declined`, in ascending order; its value becomes NaN.
///
/// # Panics
///
/// If the numbers of values and fields differ, or if a field with its [`WINDOW`](crate::fields::WINDOW) does not lie
/// within `text`.
pub fn convert(
    simd: Simd,
    text: &[u8],
    quote: Option<u8>,
    fields: Fields<'_>,
    values: &mut [f32],
    declined: &mut Vec<u32>,
) {
    convert_with(simd, text, quote, None, fields, values, declined);
}

/// Like [`convert`], but does not decline the fields that are `missing`, nor empty ones. Their values become NaN as well.
/// Returns whether there were any.
pub(crate) fn convert_with(
    simd: Simd,
    text: &[u8],
    quote: Option<u8>,
    missing: Option<Token>,
    fields: Fields<'_>,
    values: &mut [f32],
    declined: &mut Vec<u32>,
) -> bool {
    assert!(fields.before.len() == values.len() && fields.ends.len() == values.len());
    match simd {
        #[cfg(target_arch = "x86_64")]
        Simd::Avx512(avx512) => avx512::convert(avx512, text, quote, missing, fields, values, declined),
        #[cfg(target_arch = "x86_64")]
        Simd::Avx2(avx2) => avx2::convert(avx2, text, quote, missing, fields, values, declined),
        #[cfg(target_arch = "aarch64")]
        Simd::Neon(neon) => neon::convert(neon, text, quote, missing, fields, values, declined),
        Simd::Portable => {
            let mut found = false;
            for (at, value) in values.iter_mut().enumerate() {
                let place = fields.place(at);
                *value = one(text, quote, place.clone()).unwrap_or_else(|| {
                    if missing.is_some_and(|token| token.is_at(text, place)) {
                        found = true;
                    } else {
                        declined.push(at as u32);
                    }
                    f32::NAN
                });
            }
            found
        }
    }
}

/// The number at `place`; `None` if the fast path cannot read it.
#[inline(always)]
fn one(text: &[u8], quote: Option<u8>, place: Range<usize>) -> Option<f32> {
    let plain = portable::parse(text, place.start, place.end);
    plain.or_else(|| if is_dressed(text, quote, place.clone()) { dressed(text, quote, place) } else { None })
}

/// Like [`one`], for a number with something around it.
#[inline(never)]
fn dressed(text: &[u8], quote: Option<u8>, place: Range<usize>) -> Option<f32> {
    let bare = bare(text, quote, place);
    portable::parse(text, bare.start, bare.end)
}

/// The float32 nearest to `[+-]digits[.digits][e[+-]digits]`, `.5`, `5.`, inf, infinity or nan in any case.
///
/// This function checks the grammar. The standard library rounds, which is exact for any number of digits.
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

/// Parses a number whose exponent has more than four digits. The standard library caps such exponents, but long runs of
/// zeros may compensate them. `text` begins with a sign or with `whole` and has `fraction` digits after the dot.
fn with_large_exponent(text: &[u8], whole: &[u8], fraction: usize, exponent: &[u8]) -> f32 {
    let negative = text[0] == b'-';
    let end = text.len() - exponent.len() - 1;
    let fraction = &text[end - fraction..end];
    let significant: Vec<u8> = whole.iter().chain(fraction).copied().skip_while(|&digit| digit == b'0').collect();
    // An exponent beyond i128 exceeds the length of any text.
    let exponent = std::str::from_utf8(exponent).ok().and_then(|exponent| exponent.parse::<i128>().ok());
    let exponent = exponent.unwrap_or(if text[end + 1] == b'-' { i128::MIN / 2 } else { i128::MAX / 2 });
    // The exponent of the first significant digit. A float32 ranges from 1e-46 to 1e39.
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
