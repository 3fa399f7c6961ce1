//! A group of rows with encoded columns, on its way into a block.

use super::reading::WrongField;
use crate::fields::WINDOW;
use crate::index::{ListIndex, Rows};
use crate::value::number::Plain;

/// A group of rows on its way into a block.
pub(super) struct Mixed<'a> {
    pub(super) rows: Rows<'a>,
    /// All values, row by row. Plain numbers are filled in first.
    pub(super) values: &'a mut [f32],
    /// The rows to skip, in any order.
    pub(super) skipped: &'a mut Vec<usize>,
    /// The wrong fields, in any order.
    pub(super) wrong: &'a mut Vec<WrongField>,
    pub(super) rewritten: &'a mut Rewritten,
    pub(super) lists: &'a mut Lists,
    /// The text in the usual notation of numbers, if it has another one.
    pub(super) plain: Option<&'a mut Plain>,
}

/// The numbers of a column, rewritten to the usual notation.
#[derive(Default)]
pub(super) struct Rewritten {
    /// The numbers, each followed by a newline, padded with a window at both ends.
    pub(super) text: Vec<u8>,
    pub(super) before: Vec<u32>,
    pub(super) ends: Vec<u32>,
    /// The row of each number.
    pub(super) rows: Vec<usize>,
    pub(super) values: Vec<f32>,
    pub(super) declined: Vec<u32>,
    /// The rows whose fields must be rewritten.
    pub(super) pending: Vec<usize>,
    /// The rows whose fields need the slow path.
    pub(super) careful: Vec<usize>,
}

impl Rewritten {
    pub(super) fn start(&mut self) {
        self.text.clear();
        self.text.resize(WINDOW, b'\n');
        self.before.clear();
        self.ends.clear();
        self.rows.clear();
        self.declined.clear();
        self.careful.clear();
    }

    /// Records the number that was just appended to the text.
    pub(super) fn take(&mut self, row: usize, start: usize) {
        self.before.push(start as u32 - 1);
        self.ends.push(self.text.len() as u32);
        self.rows.push(row);
        self.text.push(b'\n');
    }
}

/// The values of the lists of a column, reused from group to group.
#[derive(Default)]
pub(super) struct Lists {
    pub(super) index: ListIndex,
    /// The positions of the values, list by list. They may have more places than these need.
    pub(super) before: Vec<u32>,
    pub(super) ends: Vec<u32>,
    /// The row of each of these lists.
    pub(super) rows: Vec<usize>,
    pub(super) values: Vec<f32>,
    pub(super) declined: Vec<u32>,
    /// The rows whose lists need the slow path.
    pub(super) careful: Vec<usize>,
}
