//! Compiles loops over dates for 256-bit registers.

use super::work::Loop;
use crate::simd::Avx2;

pub(super) fn run<L: Loop>(_: Avx2, work: L) -> L::Result {
    // SAFETY: an `Avx2` exists only if the processor has these instructions.
    unsafe { run_with_avx2(work) }
}

#[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
fn run_with_avx2<L: Loop>(work: L) -> L::Result {
    work.run()
}
