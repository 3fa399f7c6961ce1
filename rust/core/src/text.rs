//! A row-aligned piece of the source in a buffer.

use std::ops::Range;

use crate::budget::extend_zeroed;
use crate::dialect::{Dialect, UTF8_BOM};
use crate::fields::WINDOW;
use crate::source::is_padding;
use crate::table::parts::Layout;

/// A row-aligned slice of the source, in a padded buffer so that wide loads may read past its ends.
///
/// It always ends with a newline. If the source lacks the final one, the text adds it.
#[derive(Default)]
pub struct Text {
    pub(crate) buffer: Vec<u8>,
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Whether the text may contain a quote.
    pub(crate) has_quotes: bool,
    /// Whether the text may contain an escape or a comment.
    pub(crate) needs_careful_scan: bool,
    /// Whether the final newline was added and is not in the source.
    adds_newline: bool,
    /// Where the columns are, if not in the order of the table.
    pub(crate) layout: Option<Layout>,
    /// The place in the table of the first byte.
    pub offset: u64,
}

impl Text {
    /// The bytes, with [`WINDOW`] bytes of any value before and after them.
    #[must_use]
    pub fn padded(&self) -> &[u8] {
        &self.buffer[self.start - WINDOW..self.end + WINDOW]
    }

    /// The rows, each with its newline.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// A field. Strips the byte-order mark before the first field of a row, which occurs where files were concatenated.
    pub(crate) fn field(&self, place: Range<usize>) -> &[u8] {
        let padded = self.padded();
        let field = &padded[place.clone()];
        match field.strip_prefix(UTF8_BOM) {
            Some(rest) if place.start == WINDOW || padded[place.start - 1] == b'\n' => rest,
            _ => field,
        }
    }

    /// Whether the text may contain a quote.
    #[must_use]
    pub fn has_quotes(&self) -> bool {
        self.has_quotes
    }

    /// Whether the text may contain an escape or a comment.
    #[must_use]
    pub fn needs_careful_scan(&self) -> bool {
        self.needs_careful_scan
    }

    /// Where the columns are, if not in the order of the table.
    #[must_use]
    pub(crate) fn layout(&self) -> Option<&Layout> {
        self.layout.as_ref()
    }

    /// The place in the source after the last byte of this text.
    pub(crate) fn end_in_source(&self) -> u64 {
        self.offset + (self.end - self.start - usize::from(self.adds_newline)) as u64
    }

    /// Calls `look` with a text that consists of some of the rows.
    pub(crate) fn within<R>(&mut self, rows: Range<usize>, look: impl FnOnce(&Self) -> R) -> R {
        let (start, end, offset) = (self.start, self.end, self.offset);
        (self.start, self.end, self.offset) = (start + rows.start, start + rows.end, offset + rows.start as u64);
        let seen = look(self);
        (self.start, self.end, self.offset) = (start, end, offset);
        seen
    }

    /// Removes padding after the end of a file: Ctrl-Z and NUL bytes, and line ends among them. NUL bytes before the
    /// line end of a row belong to its last field, where they are an error.
    pub(crate) fn end_before_padding(&mut self) {
        let bytes = self.bytes();
        let is_after = |&&byte: &&u8| is_padding(byte) || matches!(byte, b'\r' | b'\n');
        let after = bytes.len() - bytes.iter().rev().take_while(is_after).count();
        let tail = &bytes[after..];
        let Some(padding) = tail.iter().position(|&byte| is_padding(byte)) else { return };
        let is_line_of_its_own = padding > 0 || after == 0;
        if is_line_of_its_own || tail[padding] != 0 || !tail.contains(&b'\n') {
            self.end = self.start + after + padding;
        }
    }

    /// Adds the newline that the end of the source may lack. An escaped newline does not end a row.
    pub(crate) fn end_with_newline(&mut self, dialect: Dialect) {
        self.adds_newline = false;
        let ends = match self.bytes() {
            [] => true,
            [.., before, b'\n'] => Some(*before) != dialect.escape,
            [.., last] => *last == b'\n',
        };
        if !ends {
            self.buffer[self.end] = b'\n';
            self.end += 1;
            self.adds_newline = true;
        }
    }

    /// Makes room for `lead` bytes before the text and for `size` bytes of text.
    pub(crate) fn reserve(&mut self, lead: usize, size: usize) {
        self.adds_newline = false;
        self.start = WINDOW + lead;
        self.end = self.start + size;
        // One more byte for the newline that the end of the source may need.
        let needed = self.end + 1 + WINDOW;
        if self.buffer.len() < needed {
            extend_zeroed(&mut self.buffer, needed);
        }
    }

    /// Puts the bytes of `carry` before the text.
    pub(crate) fn prepend(&mut self, carry: &[u8]) {
        let room = self.start - WINDOW;
        if room < carry.len() {
            let more = carry.len() - room;
            let length = self.buffer.len() + more;
            extend_zeroed(&mut self.buffer, length);
            self.buffer.copy_within(self.start..self.end, self.start + more);
            self.start += more;
            self.end += more;
        }
        self.start -= carry.len();
        self.buffer[self.start..self.start + carry.len()].copy_from_slice(carry);
        self.offset -= carry.len() as u64;
    }
}
