//! A group of rows whose columns are not all plain numbers, on its way into a block.

use super::reading::WrongField;
use crate::fields::WINDOW;
use crate::index::Rows;

/// A group of rows on its way into a block.
pub(super) struct Mixed<'a> {
    pub(super) rows: Rows<'a>,
    /// All values, row by row; those of numbers are there already.
    pub(super) values: &'a mut [f32],
    /// The rows that are left out, in no order.
    pub(super) left_out: &'a mut Vec<usize>,
    /// The fields that are wrong, in no order.
    pub(super) wrong: &'a mut Vec<WrongField>,
    pub(super) rewritten: &'a mut Rewritten,
}

/// The numbers of a column as programs write them.
#[derive(Default)]
pub(super) struct Rewritten {
    /// Each followed by a newline, with a window before the first and after the last.
    pub(super) text: Vec<u8>,
    pub(super) before: Vec<u32>,
    pub(super) ends: Vec<u32>,
    /// The rows that they are of.
    pub(super) rows: Vec<usize>,
    pub(super) values: Vec<f32>,
    pub(super) declined: Vec<u32>,
    /// The rows of fields that are to be read with care.
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

    /// Takes in the number that was appended to the text.
    pub(super) fn take(&mut self, row: usize, start: usize) {
        self.before.push(start as u32 - 1);
        self.ends.push(self.text.len() as u32);
        self.rows.push(row);
        self.text.push(b'\n');
    }
}
