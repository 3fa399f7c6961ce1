//! Finds delimiters, newlines and quotes in 64-byte chunks with ordinary 64-bit registers.

use memchr::{memchr, memchr_iter};

use super::chunks::{self, Density, Instructions};
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
pub(super) fn append(marks: &mut Marks, base: usize, mask: u64) {
    write_positions(marks.room(), base as u32, mask);
    marks.advance(mask.count_ones() as usize);
}

/// See [`Instructions::write_positions`].
#[inline(always)]
fn write_positions(places: &mut [u32; 64], base: u32, mut mask: u64) {
    let found = mask.count_ones() as usize;
    // Fixed steps of four, so that branches are predictable.
    for places in places.as_chunks_mut::<4>().0.iter_mut().take(found.div_ceil(4)) {
        for place in places {
            *place = base.wrapping_add(mask.trailing_zeros());
            mask &= mask.wrapping_sub(1);
        }
    }
}

/// The instructions that every processor has.
#[derive(Clone, Copy)]
pub(super) struct Portable;

impl Instructions for Portable {
    #[inline(always)]
    fn masks(self, chunk: &[u8; 64], Special { delimiter, quote }: Special) -> Masks {
        let newlines = mask(chunk, |byte| byte == b'\n');
        Masks {
            ends: mask(chunk, |byte| byte == delimiter) | newlines,
            newlines,
            quotes: mask(chunk, |byte| byte == quote),
            returns: mask(chunk, |byte| byte == b'\r'),
        }
    }

    #[inline(always)]
    fn prefix_xor(self, bits: u64) -> u64 {
        chunks::prefix_xor(bits)
    }

    #[inline(always)]
    fn write_positions(self, places: &mut [u32; 64], base: u32, mask: u64, _: Density) {
        write_positions(places, base, mask);
    }
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
        if let [column] = *picks {
            for (to, row) in picked.iter_mut().zip(marks.chunks_exact(columns)) {
                *to = row[column];
            }
            continue;
        }
        for (to, row) in picked.chunks_exact_mut(picks.len()).zip(marks.chunks_exact(columns)) {
            for (to, &column) in to.iter_mut().zip(picks) {
                *to = row[column];
            }
        }
    }
}
