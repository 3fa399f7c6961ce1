//! Computes the moments of adjacent columns over many rows.
//!
//! The loops are plain loops over arrays that compilers vectorize. They are compiled once for each instruction set. The
//! order of additions is the same in all of them, so the results agree in every bit.

use super::{Moments, is_missing};
use crate::simd::Simd;

/// How many columns are processed together, so that their sums stay in registers.
pub(super) const TILE: usize = 16;

/// The moments of the [`TILE`] values from `at` on in each chunk of `stride` values.
pub(super) fn moments(simd: Simd, values: &[f32], stride: usize, at: usize) -> [Moments; TILE] {
    match simd {
        // SAFETY: the variant proves that this processor has these instructions.
        #[cfg(target_arch = "x86_64")]
        Simd::Avx512(_) => unsafe { moments_with_avx512(values, stride, at) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Simd::Avx2(_) => unsafe { moments_with_avx2(values, stride, at) },
        // Compilers vectorize for NEON without being told.
        #[cfg(target_arch = "aarch64")]
        Simd::Neon(_) => moments_as_compiled(values, stride, at),
        Simd::Portable => moments_as_compiled(values, stride, at),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512dq,avx512vl")]
fn moments_with_avx512(values: &[f32], stride: usize, at: usize) -> [Moments; TILE] {
    moments_as_compiled(values, stride, at)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn moments_with_avx2(values: &[f32], stride: usize, at: usize) -> [Moments; TILE] {
    moments_as_compiled(values, stride, at)
}

#[inline(always)]
fn moments_as_compiled(values: &[f32], stride: usize, at: usize) -> [Moments; TILE] {
    let plain = run::<false>(values, stride, at);
    // NaN and infinite values always show in a sum.
    if plain.iter().all(|moments| moments.mean.is_finite()) { plain } else { run::<true>(values, stride, at) }
}

/// Without `CARE`, assumes that all values are finite.
#[inline(always)]
fn run<const CARE: bool>(values: &[f32], stride: usize, at: usize) -> [Moments; TILE] {
    let rows = || {
        let tile = |chunk: &'_ [f32]| -> [f32; TILE] { chunk[at..at + TILE].try_into().expect("as long as a tile") };
        values.chunks_exact(stride).map(tile)
    };
    let mut sums = [0.0; TILE];
    let mut least = [f32::INFINITY; TILE];
    let mut greatest = [f32::NEG_INFINITY; TILE];
    let mut missing = [0_u32; TILE];
    let mut nans = [0_u32; TILE];
    for row in rows() {
        for lane in 0..TILE {
            let value = row[lane];
            sums[lane] += f64::from(if CARE && is_missing(value) { 0.0 } else { value });
            least[lane] = if value < least[lane] { value } else { least[lane] };
            greatest[lane] = if value > greatest[lane] { value } else { greatest[lane] };
            if CARE {
                missing[lane] += u32::from(is_missing(value));
                nans[lane] += u32::from(value.is_nan());
            }
        }
    }
    let count = (values.len() / stride) as u32;
    let means: [f64; TILE] = std::array::from_fn(|lane| sums[lane] / f64::from((count - missing[lane]).max(1)));
    let mut squares = [0.0; TILE];
    for row in rows() {
        for lane in 0..TILE {
            let off = f64::from(row[lane]) - means[lane];
            squares[lane] += if CARE && is_missing(row[lane]) { 0.0 } else { off * off };
        }
    }
    std::array::from_fn(|lane| {
        let has_nan = nans[lane] > missing[lane];
        Moments {
            count: u64::from(count - missing[lane]),
            missing: missing[lane].into(),
            mean: means[lane],
            squares: squares[lane],
            min: if has_nan { f32::NAN } else { least[lane] },
            max: if has_nan { f32::NAN } else { greatest[lane] },
        }
    })
}
