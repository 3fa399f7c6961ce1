//! Words of up to sixteen bytes, which fit in a register.

use std::ops::Range;

/// The longest word that fits in a register, in bytes.
pub(super) const SHORT: usize = 16;

/// The bits of so many bytes, the first one lowest.
pub(super) const BITS: [u128; SHORT + 1] = {
    let mut bits = [0; SHORT + 1];
    let mut length = 1;
    while length <= SHORT {
        bits[length] = bits[length - 1] << 8 | 0xFF;
        length += 1;
    }
    bits
};

/// The highest bit of each byte, which no byte of ASCII has.
const HIGH: u128 = u128::from_le_bytes([0x80; SHORT]);

/// A short word: its bytes, the first one lowest, its length and its code. Code 0 marks a free slot.
#[derive(Clone, Copy, Default)]
pub(super) struct Short {
    pub(super) word: [u64; 2],
    pub(super) length: u32,
    pub(super) code: u32,
}

impl Short {
    #[inline(always)]
    pub(super) fn is(&self, [low, high]: [u64; 2], length: usize) -> bool {
        (self.word[0] ^ low) | (self.word[1] ^ high) | (u64::from(self.length) ^ length as u64) == 0
    }
}

/// The word at `place`, the first byte lowest, if it has up to sixteen bytes.
#[inline]
pub(super) fn packed_at(text: &[u8], place: &Range<usize>) -> Option<u128> {
    let bits = BITS.get(place.len())?;
    Some(match text[place.start..].first_chunk() {
        Some(&bytes) => u128::from_le_bytes(bytes) & bits,
        None => packed(&text[place.clone()]),
    })
}

/// Up to sixteen bytes, the first one lowest.
#[inline(never)]
pub(super) fn packed(bytes: &[u8]) -> u128 {
    bytes.iter().rev().fold(0, |word, &byte| word << 8 | u128::from(byte))
}

/// Whether the text at `place` is UTF-8. Most texts are ASCII, which one look at a register shows.
#[inline(always)]
pub(crate) fn is_utf8_at(text: &[u8], place: &Range<usize>) -> bool {
    let is_ascii = match packed_at(text, place) {
        Some(word) => word & HIGH == 0,
        None => text[place.clone()].is_ascii(),
    };
    is_ascii || is_utf8(&text[place.clone()])
}

/// Whether a text is UTF-8.
#[inline(never)]
pub(crate) fn is_utf8(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok()
}

pub(super) fn halves(word: u128) -> [u64; 2] {
    [word as u64, (word >> 64) as u64]
}

/// The bytes of a short word in one integer, which other words may share.
#[inline(always)]
pub(super) fn joined([low, high]: [u64; 2]) -> u64 {
    low ^ high.rotate_left(23)
}

/// An odd number whose multiples scatter.
pub(super) const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
