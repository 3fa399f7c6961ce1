//! Rows of an index and their fields.

use std::ops::Range;

use super::bare::is_quoted;
#[cfg(target_arch = "x86_64")]
use super::pick::Pick;
use super::portable;
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512};
use crate::fields::Fields;
use crate::simd::Simd;

/// Some rows of a text.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// The mark before each field.
    pub(super) marks: &'a [u32],
    /// The end of each field.
    pub(super) ends: &'a [u32],
    pub(super) columns: usize,
    /// The quote, if the marks leave out the quotes around fields.
    pub(super) bare: Option<u8>,
}

impl<'a> Rows<'a> {
    /// The number of rows.
    #[must_use]
    pub fn count(self) -> usize {
        self.marks.len() / self.columns
    }

    /// The start of the first row.
    pub(crate) fn start(self, text: &[u8]) -> usize {
        self.whole(text, self.place(0, 0)).start
    }

    /// The range of a row without its line end.
    pub(crate) fn line(self, text: &[u8], row: usize) -> Range<usize> {
        let [first, last] = [0, self.columns - 1].map(|column| self.whole(text, self.place(row, column)));
        first.start..last.end
    }

    /// The range of a field with the quotes around it.
    pub(crate) fn whole(self, text: &[u8], place: Range<usize>) -> Range<usize> {
        match self.bare {
            Some(quote) if is_quoted(text, place.start, quote) => place.start - 1..place.end + 1,
            _ => place,
        }
    }

    /// All fields, row by row, without the quotes around them if they have none within.
    #[must_use]
    pub fn fields(self) -> Fields<'a> {
        Fields { before: self.marks, ends: self.ends }
    }

    /// Only the chosen rows.
    pub(crate) fn only<'b>(self, chosen: &[usize], marks: &'b mut Vec<u32>, ends: &'b mut Vec<u32>) -> Rows<'b> {
        let pick = |from: &[u32], to: &mut Vec<u32>| {
            to.resize(chosen.len() * self.columns, 0);
            if self.columns == 2 {
                // Copies of a constant eight bytes.
                let from = from.as_chunks::<2>().0;
                to.as_chunks_mut().0.iter_mut().zip(chosen).for_each(|(to, &row)| *to = from[row]);
                return;
            }
            for (to, row) in to.chunks_exact_mut(self.columns).zip(chosen) {
                to.copy_from_slice(&from[row * self.columns..][..self.columns]);
            }
        };
        pick(self.marks, marks);
        pick(self.ends, ends);
        Rows { marks, ends, columns: self.columns, bare: self.bare }
    }

    /// The fields of some columns, row by row. `before` and `ends` may have more places than these fields need.
    pub(crate) fn pick<'b>(
        self,
        simd: Simd,
        columns: &[usize],
        before: &'b mut Vec<u32>,
        ends: &'b mut Vec<u32>,
    ) -> Fields<'b> {
        if columns.is_empty() {
            return Fields { before: &[], ends: &[] };
        }
        match simd {
            // Ordinary copies take the least time for a single column.
            _ if columns.len() == 1 => portable::pick([self.marks, self.ends], self.columns, columns, [before, ends]),
            #[cfg(target_arch = "x86_64")]
            Simd::Avx512(avx512) => {
                let picks = Pick::all(columns, 32);
                avx512::pick(avx512, self.marks, self.columns, &picks, before);
                avx512::pick(avx512, self.ends, self.columns, &picks, ends);
            }
            #[cfg(target_arch = "x86_64")]
            Simd::Avx2(avx2) => {
                let picks = Pick::all(columns, 8);
                avx2::pick(avx2, self.marks, self.columns, &picks, before);
                avx2::pick(avx2, self.ends, self.columns, &picks, ends);
            }
            #[cfg(target_arch = "aarch64")]
            Simd::Neon(_) => portable::pick([self.marks, self.ends], self.columns, columns, [before, ends]),
            Simd::Portable => portable::pick([self.marks, self.ends], self.columns, columns, [before, ends]),
        }
        let count = self.marks.len() / self.columns * columns.len();
        Fields { before: &before[..count], ends: &ends[..count] }
    }

    /// The ranges of the fields of a column.
    pub(crate) fn column(self, column: usize) -> impl Iterator<Item = Range<usize>> {
        let rows = self.marks.chunks_exact(self.columns).zip(self.ends.chunks_exact(self.columns));
        rows.map(move |(marks, ends)| marks[column] as usize + 1..ends[column] as usize)
    }

    /// The range of a field.
    pub(crate) fn place(self, row: usize, column: usize) -> Range<usize> {
        self.fields().place(row * self.columns + column)
    }
}
