//! Where the number itself stands in a field that has something around it.

use std::ops::Range;

use crate::dialect::inside;

/// Whether there may be something around the number at `place`.
#[inline]
pub(super) fn is_dressed(text: &[u8], quote: Option<u8>, place: Range<usize>) -> bool {
    let [first, .., last] = text[place] else { return false };
    matches!(first, b' ' | b'\t' | b'+') || Some(first) == quote || matches!(last, b' ' | b'\t')
}

/// The field at `place` without its quotes, the spaces and tabs around it or inside them, and a plus sign. What is left
/// is a number if the field is one, and none if it is none.
#[inline]
pub(super) fn bare(text: &[u8], quote: Option<u8>, place: Range<usize>) -> Range<usize> {
    // As `unquote` has it: a quote opens a field only as its first byte.
    let Range { mut start, end } = inside(text, quote, place);
    // Before anything else the plus stays, since a second sign would pass for the only one.
    if start + 1 < end && text[start] == b'+' && matches!(text[start + 1], b'0'..=b'9' | b'.') {
        start += 1;
    }
    start..end
}
