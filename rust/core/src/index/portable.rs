//! Finds delimiters, newlines and quotes in 64-byte chunks with ordinary 64-bit registers.

use memchr::{memchr, memchr_iter};

use super::masks::{Masks, Special};
use super::{LineEnds, Marks};
use crate::fields::WINDOW;

/// Appends the position of each delimiter and newline of `bytes[WINDOW..]` and describes its line ends.
pub(super) fn fill(bytes: &[u8], delimiter: u8, marks: &mut Marks) -> LineEnds {
    let ends = |byte| byte == delimiter || byte == b'\n';
    let (chunks, rest) = bytes[WINDOW..].as_chunks::<64>();
    for (at, chunk) in chunks.iter().enumerate() {
        append(marks, WINDOW + 64 * at, mask(chunk, ends));
    }
    let mut last = [0; 64];
    last[..rest.len()].copy_from_slice(rest);
    append(marks, WINDOW + 64 * chunks.len(), mask(&last, ends) & ((1 << rest.len()) - 1));
    let text = &bytes[WINDOW..];
    LineEnds { newlines: memchr_iter(b'\n', text).count(), returns: memchr(b'\r', text).is_some(), in_step: false }
}

/// Appends the positions of the set bits of `mask`. The lowest bit has position `base`.
#[inline(always)]
pub(super) fn append(marks: &mut Marks, base: usize, mut mask: u64) {
    let found = mask.count_ones() as usize;
    // Fixed steps of four, so that branches are predictable. The next call overwrites what lies past the last position.
    for places in marks.room(64).as_chunks_mut::<4>().0.iter_mut().take(found.div_ceil(4)) {
        for place in places {
            *place = base as u32 + mask.trailing_zeros();
            mask &= mask.wrapping_sub(1);
        }
    }
    marks.advance(found);
}

/// Computes the masks of each chunk.
pub(super) fn look_at(chunks: &[[u8; 64]], Special { delimiter, quote }: Special, masks: &mut [Masks]) {
    for (masks, chunk) in masks.iter_mut().zip(chunks) {
        let newlines = mask(chunk, |byte| byte == b'\n');
        *masks = Masks {
            ends: mask(chunk, |byte| byte == delimiter) | newlines,
            newlines,
            quotes: mask(chunk, |byte| byte == quote),
            returns: mask(chunk, |byte| byte == b'\r'),
        };
    }
}

/// Appends the positions of the ends in consecutive chunks. The first byte has position `base`.
pub(super) fn append_ends(marks: &mut Marks, base: usize, chunks: &[Masks]) {
    for (at, chunk) in chunks.iter().enumerate() {
        append(marks, base + 64 * at, chunk.ends);
    }
}

/// The number of newlines in the masks.
pub(super) fn count_newlines(masks: &[Masks]) -> usize {
    masks.iter().map(|masks| masks.newlines.count_ones() as usize).sum()
}

/// A mask of the bytes for which `is_wanted` holds.
#[inline(always)]
fn mask(chunk: &[u8; 64], is_wanted: impl Fn(u8) -> bool) -> u64 {
    // The compiler vectorizes this form.
    let found = chunk.map(|byte| u8::from(is_wanted(byte)));
    let words = found.as_chunks::<8>().0.iter().enumerate();
    // The product gathers the lowest bits of all bytes, in order, in the highest byte.
    words.fold(0, |mask, (at, word)| {
        mask | u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56 << (8 * at)
    })
}

/// Writes the marks of the picked columns of each row, from each list. A row has `columns` marks.
pub(super) fn pick<const LISTS: usize>(
    marks: [&[u32]; LISTS],
    columns: usize,
    picks: &[usize],
    picked: [&mut Vec<u32>; LISTS],
) {
    for (marks, picked) in marks.into_iter().zip(picked) {
        let length = marks.len() / columns * picks.len();
        if picked.len() < length {
            picked.resize(length, 0);
        }
        for (to, row) in picked.chunks_exact_mut(picks.len()).zip(marks.chunks_exact(columns)) {
            for (to, &column) in to.iter_mut().zip(picks) {
                *to = row[column];
            }
        }
    }
}
