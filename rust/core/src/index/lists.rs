//! Finds the values of lists in fields. To the index, a list is a row whose delimiter is the separator of the list.

use std::ops::Range;

use super::{Marks, plain_marks};
use crate::fields::WINDOW;
use crate::simd::Simd;
use crate::value::List;

/// Finds the values of the lists of a column, one list after another.
#[derive(Default)]
pub(crate) struct ListIndex {
    /// The separators and newlines of the text in which the lists are.
    marks: Marks,
    /// What to add to a mark for its position in the text.
    base: u32,
    /// The first mark that may be in the next list.
    next: usize,
}

impl ListIndex {
    /// Indexes the text in which the lists are. One pass for many lists, as they may be short.
    pub(crate) fn fill(&mut self, simd: Simd, text: &[u8], place: Range<usize>, separator: u8) {
        let base = place.start - WINDOW;
        self.base = base as u32;
        self.next = 0;
        self.marks.clear();
        plain_marks(simd, &text[base..place.end], separator, 0, &mut self.marks);
    }

    /// Writes the positions of the values of the next list, as in [`Fields`](crate::fields::Fields), from place `filled`
    /// on, where there is room for them. Returns whether they are as many as there should be; otherwise they do not count.
    ///
    /// The list has no brackets, and no spaces around it. Its values may have some around them. It has no newline, unless
    /// spaces separate.
    #[inline]
    pub(crate) fn find(
        &mut self,
        text: &[u8],
        place: Range<usize>,
        List { length, separator }: List,
        (before, ends, filled): (&mut Vec<u32>, &mut Vec<u32>, usize),
    ) -> bool {
        let base = self.base;
        let (start, end) = (place.start as u32, place.end as u32);
        let (from, to) = (start - base, end - base);
        self.next += self.marks[self.next..].iter().take_while(|&&mark| mark < from).count();
        let marks = &self.marks[self.next..];
        let is_in = |at: usize| marks.get(at).is_some_and(|&mark| mark < to);
        if place.is_empty() || (length > 1 && !is_in(length - 2)) {
            return false;
        }
        let has_runs = separator == b' ';
        if !is_in(length - 1) {
            let (before, ends) = (&mut before[filled..filled + length], &mut ends[filled..filled + length]);
            before[0] = start - 1;
            ends[length - 1] = end;
            let places = before[1..].iter_mut().zip(ends);
            for ((before, ends), mark) in places.zip(&marks[..length - 1]) {
                *before = mark + base;
                *ends = mark + base;
            }
            // A space after each separator would keep numbers from the fast path.
            if !has_runs && length > 1 && text[before[1] as usize + 1] == b' ' {
                for mark in &mut before[1..] {
                    *mark = (*mark + u32::from(text[*mark as usize + 1] == b' ')).min(end - 1);
                }
            }
            self.next += length - 1;
            return true;
        }
        if !has_runs {
            return false;
        }
        // Of a run of spaces, only one separates.
        let marks = &marks[..marks.iter().take_while(|&&mark| mark < to).count()];
        let room = filled + marks.len() + 1;
        if before.len() < room {
            before.resize(room, 0);
            ends.resize(room, 0);
        }
        let (mut at, mut last) = (filled, start - 1);
        for mark in marks.iter().map(|mark| mark + base).chain([end]) {
            before[at] = last;
            ends[at] = mark;
            at += usize::from(mark > last + 1);
            last = mark;
        }
        at == filled + length
    }
}
