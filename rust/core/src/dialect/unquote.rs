//! Removes quotes and escapes from fields.

use std::borrow::Cow;
use std::ops::Range;

use super::Dialect;

/// The text of a field without quotes and escapes, and without spaces and tabs around it or at the ends of its quotes.
pub(crate) fn unquote(field: &[u8], dialect: Dialect) -> Cow<'_, [u8]> {
    // A quote opens a field only if it is the first byte.
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

/// The range of a field's text without its quotes. It agrees with [`unquote`] unless the text contains quotes.
#[inline]
pub(crate) fn inside(text: &[u8], quote: Option<u8>, place: Range<usize>) -> Range<usize> {
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

/// The range of a field's text as in [`unquote`]; `None` if the text contains quotes that must be undone.
#[inline]
pub(crate) fn plain(text: &[u8], quote: Option<u8>, place: Range<usize>) -> Option<Range<usize>> {
    let first = text[place.start];
    let is_quoted = Some(first) == quote;
    // Most fields have no quotes, nor spaces around them.
    if !is_quoted && first > b' ' && place.start < place.end && text[place.end - 1] > b' ' {
        return Some(place);
    }
    let inside = inside(text, quote, place);
    (!is_quoted || !contains(&text[inside.clone()], first)).then_some(inside)
}

/// Whether a byte is among the bytes of a field. Most fields are too short for a search with vectors.
fn contains(field: &[u8], wanted: u8) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let (words, rest) = field.as_chunks();
    let is_in = |word: &[u8; 8]| {
        let difference = u64::from_le_bytes(*word) ^ (ONES * u64::from(wanted));
        difference.wrapping_sub(ONES) & !difference & (ONES << 7) != 0
    };
    words.iter().any(is_in) || rest.contains(&wanted)
}

/// A field without the spaces and tabs around it.
pub(crate) fn trim(mut field: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = field {
        field = rest;
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_found_wherever_it_stands() {
        for length in 0..40 {
            let mut field = vec![b'!'; length];
            assert!(!contains(&field, b'"'));
            for at in 0..length {
                field[at] = b'"';
                assert!(contains(&field, b'"'));
                field[at] = b'#' ^ 0x80;
                assert!(!contains(&field, b'"'));
                field[at] = b'!';
            }
        }
    }

    #[test]
    fn doubled_quotes_become_one() {
        assert_eq!(&*unquote(b"\"a \"\"b\"\"\"", Dialect::default()), b"a \"b\"");
        assert_eq!(&*unquote(b"\"\"\"\"", Dialect::default()), b"\"");
        assert_eq!(&*unquote(b"\"a\"", Dialect::new(b',', None)), b"\"a\"");
    }
}
