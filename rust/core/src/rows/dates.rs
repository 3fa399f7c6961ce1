//! Columns with dates, which are read in blocks as long as they look alike.

use super::arrangement::EncodedColumn;
use super::mixed::Mixed;
use super::reading::Reading;
use crate::value::ValueEncoding;
use crate::value::date::{BLOCK, Date, Dates};

impl Reading<'_> {
    /// Reads the fields of a column that look like most dates, none of which can be missing. Adds the other rows to
    /// `pending`.
    #[inline(never)]
    pub(super) fn read_alike(
        &self,
        column: &EncodedColumn,
        date: &Date,
        rows: usize,
        mixed: &mut Mixed<'_>,
        pending: &mut Vec<usize>,
    ) {
        pending.clear();
        // Usually no missing token has a digit.
        if !date.has_templates() || self.schema.missing.has_digits() || !self.dialect.is_literal() {
            pending.extend(0..rows);
            return;
        }
        let (text, width) = (self.text.padded(), self.arrangement.columns.len());
        let parts = column.values.iter().filter_map(|&(at, wanted)| match self.schema.encoding(wanted)? {
            ValueEncoding::Date(date, part) => Some((at, date, *part)),
            _ => None,
        });
        let mut places = mixed.rows.column(column.column).take(rows);
        let mut dates = Dates::default();
        let mut numbers = [0.0; BLOCK];
        let mut template = None;
        for first in (0..rows).step_by(BLOCK) {
            let block = first..rows.min(first + BLOCK);
            let first_place = mixed.rows.place(first, column.column);
            template = date.template_at(text, &first_place).or(template);
            let places = places.by_ref().take(block.len());
            let right = if let Some(template) = template {
                template.read(self.simd, text, places, &mut dates)
            } else {
                places.for_each(drop);
                0
            };
            if right != 0 {
                let rows = &mut mixed.values[block.start * width..block.end * width];
                for (at, date, part) in parts.clone() {
                    date.parts(self.simd, &dates, part, &mut numbers);
                    for (row, number) in rows.chunks_exact_mut(width).zip(numbers) {
                        row[at] = number;
                    }
                }
            }
            if right.count_ones() as usize != block.len() {
                pending.extend(block.filter(|row| right >> (row - first) & 1 == 0));
            }
        }
    }
}
