//! Where fields stand in a text.

use std::ops::Range;

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
