//! Chooses the instructions that go through a text.

use super::chunks::{Scan, scan_with};
use super::masks::Special;
#[cfg(target_arch = "aarch64")]
use super::neon;
use super::portable;
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512};
use crate::simd::Simd;

/// Shows all chunks of `bytes` to `scan`.
pub(crate) fn scan<S: Scan>(simd: Simd, bytes: &[u8], special: Special, scan: S) -> S {
    match simd {
        #[cfg(target_arch = "x86_64")]
        Simd::Avx512(avx512) => avx512::scan(avx512, bytes, special, scan),
        #[cfg(target_arch = "x86_64")]
        Simd::Avx2(avx2) => avx2::scan(avx2, bytes, special, scan),
        #[cfg(target_arch = "aarch64")]
        Simd::Neon(neon) => neon::scan(neon, bytes, special, scan),
        Simd::Portable => scan_with(portable::Portable, bytes, special, scan),
    }
}
