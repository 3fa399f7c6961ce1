//! Finds the values of a list in a field. To the index, a list is a row whose delimiter is the separator of the list.

use std::ops::Range;

use super::{Marks, plain_marks};
use crate::fields::WINDOW;
use crate::simd::Simd;
use crate::value::List;

/// Finds the values of one list after another.
#[derive(Default)]
pub(crate) struct ListIndex {
    marks: Marks,
}

impl ListIndex {
    /// Appends the positions of the values of the list at `place`, as in [`Fields`](crate::fields::Fields), and returns
    /// whether they are as many as there should be. Otherwise, and if only a closer look could tell, appends nothing.
    ///
    /// The list has no brackets, and no spaces around it. Its values may have some around them.
    #[inline]
    pub(crate) fn find(
        &mut self,
        simd: Simd,
        text: &[u8],
        place: Range<usize>,
        List { length, separator }: List,
        (before, ends): (&mut Vec<u32>, &mut Vec<u32>),
    ) -> bool {
        if place.is_empty() {
            return false;
        }
        let base = place.start - WINDOW;
        self.marks.clear();
        let line_ends = plain_marks(simd, &text[base..place.end], separator, 0, &mut self.marks);
        let has_runs = separator == b' ';
        if line_ends.returns || line_ends.newlines > 0 && !has_runs {
            return false;
        }
        let base = base as u32;
        let marks = self.marks.iter().map(|mark| mark + base);
        let (start, end) = (place.start as u32, place.end as u32);
        let first = before.len();
        if self.marks.len() + 1 == length {
            before.push(start - 1);
            before.extend(marks.clone());
            ends.extend(marks);
            ends.push(end);
            // A space after each separator would keep numbers from the fast path.
            if !has_runs && before.get(first + 1).is_some_and(|&mark| text[mark as usize + 1] == b' ') {
                for mark in &mut before[first + 1..] {
                    *mark = (*mark + u32::from(text[*mark as usize + 1] == b' ')).min(end - 1);
                }
            }
            return true;
        }
        if !has_runs || self.marks.len() < length {
            return false;
        }
        // Of a run of spaces, only one separates.
        let room = first + self.marks.len() + 1;
        before.resize(room, 0);
        ends.resize(room, 0);
        let (mut at, mut last) = (first, start - 1);
        for mark in marks.chain([end]) {
            before[at] = last;
            ends[at] = mark;
            at += usize::from(mark > last + 1);
            last = mark;
        }
        let is_right = at == first + length;
        let found = if is_right { at } else { first };
        before.truncate(found);
        ends.truncate(found);
        is_right
    }
}
