//! The instruction set of the hot loops, chosen once per process.
//!
//! [`Simd`] is both the choice and the proof that the processor supports it: the vector variants hold a value that only
//! detection can create. Code reached through them may rely on the instructions.

use std::sync::OnceLock;

use crate::error::{Kind, Result};

/// The environment variable that forces an instruction set.
const VARIABLE: &str = "CSVFEED_SIMD";

/// An instruction set of this processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Simd {
    /// 512-bit registers and masks.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    /// 256-bit registers.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// 128-bit registers.
    #[cfg(target_arch = "aarch64")]
    Neon(Neon),
    /// Ordinary 64-bit registers, on any processor.
    Portable,
}

/// Proof that this processor has AVX2 and the extensions of its generation: FMA, BMI1, BMI2, LZCNT, PCLMULQDQ and POPCNT.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx2(());

#[cfg(target_arch = "x86_64")]
impl Avx2 {
    /// The proof, if this processor has all of these extensions.
    #[must_use]
    pub fn new() -> Option<Self> {
        let found = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("pclmulqdq")
            && is_x86_feature_detected!("popcnt");
        found.then_some(Self(()))
    }
}

/// Proof that this processor has AVX-512 as of Ice Lake and Zen 4 (F, BW, CD, DQ, VL, VBMI and VBMI2) and everything
/// that [`Avx2`] proves.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx512(Avx2);

#[cfg(target_arch = "x86_64")]
impl Avx512 {
    /// The proof, if this processor has all of these extensions.
    #[must_use]
    pub fn new() -> Option<Self> {
        let found = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512cd")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vbmi")
            && is_x86_feature_detected!("avx512vbmi2");
        Avx2::new().filter(|_| found).map(Self)
    }

    /// The proof of AVX2, which AVX-512 implies.
    #[must_use]
    pub fn avx2(self) -> Avx2 {
        self.0
    }
}

/// Proof that this processor has NEON, and its bytes in the order that the code for it expects.
#[cfg(target_arch = "aarch64")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neon(());

#[cfg(target_arch = "aarch64")]
impl Neon {
    /// The proof, which every little-endian aarch64 processor has.
    #[must_use]
    pub fn new() -> Option<Self> {
        let found = cfg!(target_endian = "little") && std::arch::is_aarch64_feature_detected!("neon");
        found.then_some(Self(()))
    }
}

impl Simd {
    /// Every name that `CSVFEED_SIMD` accepts, available here or not.
    pub const NAMES: [&'static str; 4] = ["avx512", "avx2", "neon", "portable"];

    /// The instruction sets of this processor, fastest first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        found.extend(Avx512::new().map(Self::Avx512));
        #[cfg(target_arch = "x86_64")]
        found.extend(Avx2::new().map(Self::Avx2));
        #[cfg(target_arch = "aarch64")]
        found.extend(Neon::new().map(Self::Neon));
        found.push(Self::Portable);
        found
    }

    /// The name of this instruction set, one of [`Simd::NAMES`].
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => "avx512",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => "avx2",
            #[cfg(target_arch = "aarch64")]
            Self::Neon(_) => "neon",
            Self::Portable => "portable",
        }
    }

    /// The instruction set named `wanted`, or the fastest one.
    fn choose(wanted: Option<&str>) -> std::result::Result<Self, String> {
        let available = Self::available();
        let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) else { return Ok(available[0]) };
        available.iter().copied().find(|simd| simd.name() == wanted).ok_or_else(|| {
            let has = available.iter().map(|simd| simd.name()).collect::<Vec<_>>().join(" and ");
            if Self::NAMES.contains(&wanted) {
                format!("{VARIABLE}={wanted}: not available here, where csvfeed has {has}")
            } else {
                format!("{VARIABLE}={wanted:?}: it must be one of {}", Self::NAMES.join(", "))
            }
        })
    }
}

/// The instruction set in use: the one that `CSVFEED_SIMD` names, else the fastest. The first call decides for the
/// whole process.
pub fn simd() -> Result<Simd> {
    static CHOICE: OnceLock<std::result::Result<Simd, String>> = OnceLock::new();
    let choice = CHOICE.get_or_init(|| {
        let wanted = std::env::var_os(VARIABLE);
        Simd::choose(wanted.as_ref().map(|wanted| wanted.to_string_lossy()).as_deref())
    });
    choice.clone().map_err(|message| Kind::Simd(message).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_forces_what_is_available_and_nothing_else() {
        for simd in Simd::available() {
            assert_eq!(Simd::choose(Some(simd.name())), Ok(simd));
        }
        for unavailable in Simd::NAMES.iter().filter(|name| Simd::available().iter().all(|simd| simd.name() != **name))
        {
            assert!(Simd::choose(Some(unavailable)).unwrap_err().contains("not available"));
        }
        assert!(Simd::choose(Some("sse9")).unwrap_err().contains("avx512, avx2, neon, portable"));
    }

    #[test]
    fn the_fastest_is_the_default() {
        assert_eq!(Simd::choose(None), Ok(Simd::available()[0]));
        assert_eq!(Simd::choose(Some("")), Ok(Simd::available()[0]));
    }
}
