//! Lists in a field: where the text of each item is.
//!
//! A list is a run of items with a separator between them, with or without brackets around all: `0 255 13`,
//! `[0.1, 0.2]`, `(1;2)`. Spaces, tabs and line ends around an item do not count. If the separator is a space, a run of
//! them is one separator.

use std::ops::Range;

/// How the lists of a column of numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct List {
    /// The number of values in each list.
    pub length: usize,
    /// The byte between two values.
    pub separator: u8,
}

/// The items of a list at `place`, without brackets around them, and without spaces around these.
#[inline]
pub(crate) fn inside(text: &[u8], place: Range<usize>) -> Range<usize> {
    let Range { start, end } = trimmed(text, place);
    let is_in_brackets = end - start > 1 && matches!((text[start], text[end - 1]), (b'[', b']') | (b'(', b')'));
    if is_in_brackets { trimmed(text, start + 1..end - 1) } else { start..end }
}

/// The place of each item of the list at `place`.
pub(crate) fn items(text: &[u8], place: Range<usize>, separator: u8) -> impl Iterator<Item = Range<usize>> {
    divide(text, inside(text, place), separator, false)
}

/// The place of each name in the list at `place`. In brackets, names may be in single or double quotes, as Python and
/// JSON write them, and then hold separators. Nothing is no name.
pub(crate) fn names(text: &[u8], place: Range<usize>, separator: u8) -> impl Iterator<Item = Range<usize>> {
    let whole = trimmed(text, place);
    let inside = inside(text, whole.clone());
    let has_quotes = inside != whole;
    divide(text, inside, separator, has_quotes).filter(|name| !name.is_empty())
}

/// The place of each item between separators, without the quotes around it if there are any.
fn divide(text: &[u8], place: Range<usize>, separator: u8, has_quotes: bool) -> impl Iterator<Item = Range<usize>> {
    let Range { start, end } = place;
    let has_runs = separator == b' ';
    let ends = move |at: usize| text[at] == separator || has_runs && is_space(text[at]);
    let spaces = move |at: usize| text[at..end].iter().take_while(|&&byte| is_space(byte)).count();
    let closing = move |first: usize| {
        let quote = Some(text[first]).filter(|quote| matches!(quote, b'\'' | b'"'))?;
        let is_last = |at: usize| {
            at + 1 == end || ends(at + 1) || {
                let next = at + 1 + spaces(at + 1);
                next == end || ends(next)
            }
        };
        (first + 1..end).find(|&at| text[at] == quote && is_last(at))
    };
    let mut next = (start < end).then_some(start);
    std::iter::from_fn(move || {
        let first = next?;
        let name = first + spaces(first);
        let close = if has_quotes && name < end { closing(name) } else { None };
        let last = (close.unwrap_or(first)..end).find(|&at| ends(at)).unwrap_or(end);
        // If spaces separate, the list does not end with one.
        next = (last < end).then(|| last + 1 + if has_runs { spaces(last + 1) } else { 0 });
        Some(close.map_or_else(|| trimmed(text, first..last), |close| name + 1..close))
    })
}

/// The range without spaces, tabs and line ends at either end.
#[inline]
fn trimmed(text: &[u8], place: Range<usize>) -> Range<usize> {
    let Range { mut start, mut end } = place;
    while start < end && is_space(text[start]) {
        start += 1;
    }
    while start < end && is_space(text[end - 1]) {
        end -= 1;
    }
    start..end
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, separator: u8) -> Vec<&str> {
        items(text.as_bytes(), 0..text.len(), separator).map(|place| &text[place]).collect()
    }

    #[test]
    fn a_separator_stands_between_items() {
        assert_eq!(found("1,2,3", b','), ["1", "2", "3"]);
        assert_eq!(found(" [ 1,  2 ,\n3] ", b','), ["1", "2", "3"]);
        assert_eq!(found("(1;2)", b';'), ["1", "2"]);
        assert_eq!(found("1,,2,", b','), ["1", "", "2", ""]);
        assert_eq!(found("a b|c", b'|'), ["a b", "c"]);
    }

    #[test]
    fn a_run_of_spaces_is_one_separator() {
        assert_eq!(found("0 255 13", b' '), ["0", "255", "13"]);
        assert_eq!(found("[ 0.1   0.25\n  0.5 ]", b' '), ["0.1", "0.25", "0.5"]);
        assert_eq!(found("1\t2 \r\n 3", b' '), ["1", "2", "3"]);
    }

    #[test]
    fn names_may_be_in_quotes() {
        let found = |text: &'static str, separator: u8| -> Vec<&str> {
            names(text.as_bytes(), 0..text.len(), separator).map(|place| &text[place]).collect()
        };
        assert_eq!(found("drama|comedy", b'|'), ["drama", "comedy"]);
        assert_eq!(found("a, b,,c,", b','), ["a", "b", "c"]);
        assert_eq!(found("['Rock, Pop' , \"it's\", Jazz]", b','), ["Rock, Pop", "it's", "Jazz"]);
        assert_eq!(found("['it's', '']", b','), ["it's"]);
        assert_eq!(found("['a b' 'c'\n 'd']", b' '), ["a b", "c", "d"]);
        assert_eq!(found("['a, b]", b','), ["'a", "b"]);
        // Without brackets, they belong to the name.
        assert_eq!(found("'Til Tuesday|\"x\"", b'|'), ["'Til Tuesday", "\"x\""]);
        assert_eq!(found("[]", b'|'), [""; 0]);
    }

    #[test]
    fn an_empty_list_has_no_items() {
        for text in ["", " ", "[]", "( )", "[\n]"] {
            assert_eq!(found(text, b','), [""; 0], "{text:?}");
            assert_eq!(found(text, b' '), [""; 0], "{text:?}");
        }
        assert_eq!(found("[", b','), ["["]);
        assert_eq!(found("[1)", b','), ["[1)"]);
    }
}
