//! Dispatches on the instruction set once per stride instead of once per chunk.

use super::masks::{Masks, Special};
#[cfg(target_arch = "aarch64")]
use super::neon;
use super::{Marks, portable};
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512};
use crate::simd::Simd;

/// How many 64-byte chunks are scanned per call, so that the dispatch pays off.
pub(super) const STRIDE: usize = 16;

/// Calls `follow` with the position of a stride and the masks of its chunks, for all of `bytes`. Bits past the last
/// byte are clear. `follow` may modify the masks.
#[inline]
pub(crate) fn for_each_stride(simd: Simd, bytes: &[u8], special: Special, mut follow: impl FnMut(usize, &mut [Masks])) {
    let (chunks, rest) = bytes.as_chunks::<64>();
    let mut masks = [Masks::default(); STRIDE];
    let mut position = 0;
    for chunks in chunks.chunks(STRIDE) {
        let masks = &mut masks[..chunks.len()];
        look_at(simd, chunks, special, masks);
        follow(position, masks);
        position += 64 * chunks.len();
    }
    if !rest.is_empty() {
        let mut last = [0; 64];
        last[..rest.len()].copy_from_slice(rest);
        look_at(simd, &[last], special, &mut masks[..1]);
        masks[0] = masks[0].first(rest.len());
        follow(position, &mut masks[..1]);
    }
}

/// Computes the masks of each chunk.
fn look_at(simd: Simd, chunks: &[[u8; 64]], special: Special, masks: &mut [Masks]) {
    match simd {
        #[cfg(target_arch = "x86_64")]
        Simd::Avx512(avx512) => avx512::look_at(avx512, chunks, special, masks),
        #[cfg(target_arch = "x86_64")]
        Simd::Avx2(avx2) => avx2::look_at(avx2, chunks, special, masks),
        #[cfg(target_arch = "aarch64")]
        Simd::Neon(neon) => neon::look_at(neon, chunks, special, masks),
        Simd::Portable => portable::look_at(chunks, special, masks),
    }
}

/// Appends the positions of the ends in consecutive chunks to `marks`. The first byte has position `base`.
pub(super) fn append_ends(simd: Simd, marks: &mut Marks, base: usize, chunks: &[Masks]) {
    match simd {
        #[cfg(target_arch = "x86_64")]
        Simd::Avx512(avx512) => avx512::append_ends(avx512, marks, base, chunks),
        #[cfg(target_arch = "x86_64")]
        Simd::Avx2(avx2) => avx2::append_ends(avx2, marks, base, chunks),
        #[cfg(target_arch = "aarch64")]
        Simd::Neon(neon) => neon::append_ends(neon, marks, base, chunks),
        Simd::Portable => portable::append_ends(marks, base, chunks),
    }
}

/// The number of newlines in the masks.
pub(super) fn count_newlines(simd: Simd, masks: &[Masks]) -> usize {
    match simd {
        #[cfg(target_arch = "x86_64")]
        Simd::Avx512(avx512) => avx2::count_newlines(avx512.avx2(), masks),
        #[cfg(target_arch = "x86_64")]
        Simd::Avx2(avx2) => avx2::count_newlines(avx2, masks),
        #[cfg(target_arch = "aarch64")]
        Simd::Neon(_) => portable::count_newlines(masks),
        Simd::Portable => portable::count_newlines(masks),
    }
}
