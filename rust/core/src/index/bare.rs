//! Finds fields without the quotes around them, in texts that have no other quotes.

use super::masks::Special;
use super::quoted::{self, Found};
use super::{Index, KeptQuotes, Run};
use crate::fields::WINDOW;
use crate::simd::Simd;

impl Index {
    /// Finds the fields of a text without the quotes around them. Returns whether it could: whether quotes stand nowhere
    /// else, all rows are right and none is blank. If not, starts over.
    pub(super) fn fill_bare(&mut self, simd: Simd, bytes: &[u8], special: Special, columns: usize) -> bool {
        let KeptQuotes { has_others, are_unread } = self.kept_quotes;
        if has_others || are_unread || self.ends_empty || columns == 1 {
            return false;
        }
        self.marks.clear();
        self.trimmed.push(WINDOW as u32 - 1);
        let end = bytes.len() - WINDOW;
        let found = quoted::fill_bare(simd, &bytes[..end], special, &mut self.marks, &mut self.trimmed);
        let fields = self.trimmed.len() - 1;
        let rows = fields / columns;
        let Special { delimiter, quote } = special;
        let ends_row = |row: &[u32]| {
            let end = row[columns - 1] as usize;
            bytes[end + usize::from(bytes[end] == quote)] != delimiter
        };
        let is_regular = |found: &Found| {
            fields == rows * columns
                && found.line_ends.newlines == rows
                && self.trimmed[1..].chunks_exact(columns).all(ends_row)
        };
        let Some(Found { line_ends, quoted_newlines, .. }) = found.filter(is_regular) else {
            self.kept_quotes.has_others = true;
            self.start();
            return false;
        };
        self.bare = Some(quote);
        self.quoted_newlines = quoted_newlines;
        self.runs.push(Run { before: 0, rows });
        if line_ends.returns {
            self.trim_bare(bytes, columns, quote);
        }
        true
    }

    /// Excludes the carriage return before the newline, and the quotes before it, from the last field of each row.
    fn trim_bare(&mut self, bytes: &[u8], columns: usize, quote: u8) {
        let Self { marks, trimmed, .. } = self;
        let lasts = trimmed.filled()[1..].chunks_exact_mut(columns).zip(marks.chunks_exact(columns));
        for (ends, before) in lasts {
            let (end, before) = (&mut ends[columns - 1], before[columns - 1] as usize);
            let at = *end as usize;
            if bytes[at] == b'\n' && bytes[at - 1] == b'\r' && before + 1 < at {
                *end -= if is_quoted(bytes, before + 1, quote) { 2 } else { 1 };
            }
        }
    }
}

/// Whether a quote precedes the field at `start`, which has no other.
pub(super) fn is_quoted(text: &[u8], start: usize, quote: u8) -> bool {
    start > WINDOW && text[start - 1] == quote
}
