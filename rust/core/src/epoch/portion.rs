//! Portions of a selection: runs of slices that other processes read, each with its own part of the row index.

use std::ops::Range;
use std::sync::Arc;

use super::selection::{Learned, Selection, Whole};
use crate::choose::Step;
use crate::passes::row_index::RowIndex;
use crate::table::parts::{Bytes, Parts};

/// A run of slices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portion {
    /// The slices.
    pub slices: Range<usize>,
    /// The parts of the table that they are in.
    pub parts: Range<usize>,
    /// The number of selected rows in them.
    pub rows: u64,
    /// Bytes of text in the slices that have selected rows.
    pub text_bytes: u64,
}

impl Portion {
    /// Adds what follows.
    fn extend(&mut self, next: &Self) {
        self.slices.end = next.slices.end;
        self.parts.end = next.parts.end;
        self.rows += next.rows;
        self.text_bytes += next.text_bytes;
    }
}

impl Selection {
    /// Cuts the selected rows into portions with equally much text, about `bytes` of it at most. A text that can only be
    /// read from the start is not cut.
    #[must_use]
    pub fn portions(&self, parts: &Parts, bytes: u64) -> Vec<Portion> {
        let smallest = self.smallest_portions(parts);
        let total: u64 = smallest.iter().map(|portion| portion.text_bytes).sum();
        let count = total.div_ceil(bytes.max(1));
        let mut portions: Vec<(u128, Portion)> = Vec::new();
        let mut before = 0;
        for portion in smallest {
            let number = u128::from(before) * u128::from(count) / u128::from(total.max(1));
            before += portion.text_bytes;
            match portions.last_mut().filter(|(last, _)| *last == number) {
                Some((_, last)) => last.extend(&portion),
                None => portions.push((number, portion)),
            }
        }
        portions.into_iter().map(|(_, portion)| portion).collect()
    }

    /// Each slice that has selected rows, but those of a text that can only be read from the start together.
    fn smallest_portions(&self, parts: &Parts) -> Vec<Portion> {
        let mut portions: Vec<Portion> = Vec::new();
        for slice in 0..self.row_index.slices() {
            let rows = self.rows_before(slice + 1) - self.rows_before(slice);
            if rows == 0 {
                continue;
            }
            let bytes = self.row_index.bytes(slice..slice + 1);
            let (part, _) = parts.place(bytes.start);
            let text_bytes = bytes.end - bytes.start;
            let portion = Portion { slices: slice..slice + 1, parts: part..part + 1, rows, text_bytes };
            let is_stream = matches!(parts.part(part).bytes, Bytes::Stream(_));
            match portions.last_mut().filter(|last| is_stream && last.parts.start == part) {
                Some(last) => last.extend(&portion),
                None => portions.push(portion),
            }
        }
        portions
    }

    /// Serializes a run of slices: their part of the row index, and what the steps need to know of the whole table.
    #[must_use]
    pub fn portion_to_bytes(&self, slices: Range<usize>) -> Vec<u8> {
        let mut words = vec![slices.len() as u64, self.row_bytes()];
        words.extend(self.ranks(self.row_index.slices()).take(self.steps.len()));
        let mut bytes: Vec<u8> = words.into_iter().flat_map(u64::to_le_bytes).collect();
        bytes.extend(self.row_index.portion(slices.clone()).to_bytes());
        self.write_learned(slices, &mut bytes);
        bytes
    }

    /// Restores a portion of a selection with the same steps. Its rows are counted from its own beginning.
    #[must_use]
    pub fn portion_from_bytes(mut bytes: &[u8], steps: &[Step]) -> Option<Arc<Self>> {
        let slices = *words(&mut bytes, 1)?.first()? as usize;
        let row_bytes = *words(&mut bytes, 1)?.first()?;
        let whole = Whole { row_bytes, rows_before: words(&mut bytes, steps.len())? };
        let (row_index, mut learned) = bytes.split_at_checked(RowIndex::length_in_bytes(slices)?)?;
        let row_index = Arc::new(RowIndex::from_bytes(row_index)?);
        let selection =
            Self::of(row_index, steps, Some(&whole), |_, _, step| Learned::read(step, slices, &mut learned).ok_or(()));
        let selection = selection.ok()?;
        if !learned.is_empty() {
            return None;
        }
        let mut portion = Arc::into_inner(selection)?;
        let first = portion.before[0];
        for rows in &mut portion.before {
            *rows -= first;
        }
        Some(Arc::new(portion))
    }
}

/// Takes so many words from the beginning of the bytes.
fn words(bytes: &mut &[u8], count: usize) -> Option<Vec<u64>> {
    let (words, rest) = bytes.split_at_checked(count.checked_mul(8)?)?;
    *bytes = rest;
    Some(words.as_chunks().0.iter().map(|&word| u64::from_le_bytes(word)).collect())
}
