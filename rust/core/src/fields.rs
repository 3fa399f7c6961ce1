//! Positions of fields in a text.

use std::ops::Range;

/// Bytes, of any value, that must precede the first field of a text and follow its last.
pub const WINDOW: usize = 128;

/// Consecutive fields of a text. Each field starts one byte after the mark before it.
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    /// The position of the mark before each field.
    pub before: &'a [u32],
    /// The position of the mark after each field. Has the length of `before`.
    pub ends: &'a [u32],
}

impl Fields<'_> {
    /// The range of the field with index `at`.
    #[must_use]
    pub fn place(self, at: usize) -> Range<usize> {
        self.before[at] as usize + 1..self.ends[at] as usize
    }
}
