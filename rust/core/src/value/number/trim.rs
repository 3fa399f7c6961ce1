//! Finds the number inside a field that has quotes, spaces or a plus sign around it.

use std::ops::Range;

use crate::dialect::inside;

/// Whether the number at `place` may have something around it.
#[inline]
pub(super) fn is_dressed(text: &[u8], quote: Option<u8>, place: Range<usize>) -> bool {
    let [first, .., last] = text[place] else { return false };
    matches!(first, b' ' | b'\t' | b'+') || Some(first) == quote || matches!(last, b' ' | b'\t')
}

/// The field at `place` without quotes, spaces and tabs around or inside them, and a plus sign. The result is a number
/// if and only if the field is one.
#[inline]
pub(super) fn bare(text: &[u8], quote: Option<u8>, place: Range<usize>) -> Range<usize> {
    // As in `unquote`, a quote opens a field only if it is the first byte.
    let Range { mut start, end } = inside(text, quote, place);
    // Keep the plus before anything but a digit or dot, so that a second sign remains an error.
    if start + 1 < end && text[start] == b'+' && matches!(text[start + 1], b'0'..=b'9' | b'.') {
        start += 1;
    }
    start..end
}
