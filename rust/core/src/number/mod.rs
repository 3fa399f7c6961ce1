//! Stage 4: one field to the nearest float32, ties to even.
//!
//! [`convert`] is the fast path, for many plain numbers at once; what it declines goes to [`value`], which knows spaces,
//! quotes, missing tokens, words and any number of digits.

mod portable;
mod round;

use std::borrow::Cow;
use std::ops::Range;

use crate::schema::Missing;

/// Bytes, of any value, that must stand before the first field of a text and after its last.
pub(crate) const WINDOW: usize = 32;

/// Some fields of a text: each starts after the mark before it.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    /// The position before each field.
    pub before: &'a [u32],
    /// The position after each field; as many as there are before.
    pub ends: &'a [u32],
}

impl Fields<'_> {
    /// Where one of the fields stands.
    pub(crate) fn place(self, at: usize) -> Range<usize> {
        self.before[at] as usize + 1..self.ends[at] as usize
    }
}

/// Puts the numbers in `fields` of `text` into as many `values`, and into `declined` the index of each field that is
/// not plain, in their order; the value of those is NaN.
pub(crate) fn convert(text: &[u8], fields: Fields<'_>, values: &mut [f32], declined: &mut Vec<u32>) {
    portable::convert(text, fields, values, declined);
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value {
    /// A number.
    Number(f32),
    /// No value.
    Missing,
    /// Neither.
    Other,
}

/// The value of any field, read with care instead of haste.
pub(crate) fn value(field: &[u8], quote: Option<u8>, missing: &Missing) -> Value {
    let text = unquote(field, quote);
    if missing.contains(&text) {
        return Value::Missing;
    }
    parse_exact(&text).map_or(Value::Other, Value::Number)
}

/// A field without the spaces and tabs around it, its quotes, and the spaces and tabs inside them.
pub(crate) fn unquote(field: &[u8], quote: Option<u8>) -> Cow<'_, [u8]> {
    let Some(quote) = quote else { return Cow::Borrowed(trim(field)) };
    // A quote opens a field only as its first byte.
    let Some(inner) = field.strip_prefix(&[quote]) else { return Cow::Borrowed(trim(field)) };
    let inner = trim(inner.strip_suffix(&[quote]).unwrap_or(inner));
    if !inner.contains(&quote) {
        return Cow::Borrowed(inner);
    }
    let mut text = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(&byte) = bytes.next() {
        text.push(byte);
        if byte == quote {
            bytes.next();
        }
    }
    Cow::Owned(text)
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
        if let [b'e' | b'E', exponent @ ..] = rest {
            let exponent = exponent.strip_prefix(b"-").or_else(|| exponent.strip_prefix(b"+")).unwrap_or(exponent);
            rest = &exponent[digits(exponent)..];
            if exponent.is_empty() {
                return None;
            }
        }
        if !rest.is_empty() {
            return None;
        }
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(field: &str) -> Value {
        value(field.as_bytes(), Some(b'"'), &Missing::default())
    }

    #[test]
    fn the_grammar_is_kept() {
        for good in
            ["1", "+1", "-1.", ".5", "1.5e3", "1E-3", "1e+05", "00012", " 1\t", "\"1\"", "\" 1 \"", "inf", "-INFINITY"]
        {
            assert!(matches!(read(good), Value::Number(_)), "{good}");
        }
        for bad in [
            ".",
            "-",
            "+-1",
            "e5",
            "1e",
            "1e+",
            "1.2.3",
            "1_000",
            "0x10",
            "1 2",
            "1,5",
            "infi",
            " \"1\"",
            "1\0",
            "\"1\"\"2\"",
            "½",
            "1f",
        ] {
            assert_eq!(read(bad), Value::Other, "{bad}");
        }
    }

    #[test]
    fn missing_is_the_empty_field_and_the_tokens() {
        for missing in ["", "  ", "\"\"", "\" \"", "NA", " NA ", "\"NA\"", "null", "NaN"] {
            assert_eq!(read(missing), Value::Missing, "{missing}");
        }
        assert!(matches!(value(b"nan", None, &Missing::new::<&str>([])), Value::Number(n) if n.is_nan()));
        assert_eq!(value(b"NA", None, &Missing::new::<&str>([])), Value::Other);
    }

    #[test]
    fn doubled_quotes_become_one() {
        assert_eq!(&*unquote(b"\"a \"\"b\"\"\"", Some(b'"')), b"a \"b\"");
        assert_eq!(&*unquote(b"\"\"\"\"", Some(b'"')), b"\"");
        assert_eq!(&*unquote(b"\"a\"", None), b"\"a\"");
    }
}
