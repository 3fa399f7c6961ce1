//! Helpers for sixteen integers in one register and sixteen fields in four.

#[allow(clippy::wildcard_imports, reason = "half of all lines name an intrinsic")]
use std::arch::x86_64::*;

/// Sixteen-byte lanes of sixteen fields: fields `k`, `k + 4`, `k + 8` and `k + 12` are in register `k`.
pub(super) type Lanes = [__m512i; 4];

/// Loads the sixteen bytes before each end.
///
/// # Safety
///
/// Each end must lie in `16..=text.len()`.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn load(text: &[u8], ends: &[u32; 16]) -> Lanes {
    // SAFETY: the caller guarantees that sixteen bytes precede each end.
    let lane = |at: usize| unsafe { _mm_loadu_si128(text.as_ptr().add(ends[at] as usize - 16).cast()) };
    [0, 1, 2, 3].map(|at| {
        let first = _mm512_castsi128_si512(lane(at));
        let second = _mm512_inserti32x4::<1>(first, lane(at + 4));
        let third = _mm512_inserti32x4::<2>(second, lane(at + 8));
        _mm512_inserti32x4::<3>(third, lane(at + 12))
    })
}

/// Sixteen copies of an integer.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn int(value: i32) -> __m512i {
    _mm512_set1_epi32(value)
}

/// 64 copies of a byte.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn byte(value: u8) -> __m512i {
    _mm512_set1_epi8(value as i8)
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn add(left: __m512i, right: __m512i) -> __m512i {
    _mm512_add_epi32(left, right)
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn sub(left: __m512i, right: __m512i) -> __m512i {
    _mm512_sub_epi32(left, right)
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn load_integers(integers: &[u32; 16]) -> __m512i {
    // SAFETY: the array has 64 bytes.
    unsafe { _mm512_loadu_si512(integers.as_ptr().cast()) }
}

/// Loads a constant of 64 bytes.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn constant(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: the array has 64 bytes.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

/// The same sixteen bytes in each lane.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn in_each_lane(bytes: &[u8; 16]) -> __m512i {
    // SAFETY: the array has 16 bytes.
    _mm512_broadcast_i32x4(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) })
}

/// `first`, `first + step`, `first + 2 * step`, …
pub(super) const fn steps<const N: usize>(first: u8, step: u8) -> [u8; N] {
    let mut bytes = [first; N];
    let mut at = 1;
    while at < N {
        bytes[at] = bytes[at - 1].wrapping_add(step);
        at += 1;
    }
    bytes
}

/// Copies the lowest bytes of fields `at`, `at + 4`, `at + 8` and `at + 12` to all bytes of their lanes in [`Lanes`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn broadcast(fields: __m512i, at: u8) -> __m512i {
    _mm512_shuffle_epi8(fields, byte(4 * at))
}

/// Adds the two sums in each lane, which must be below 2^15: one integer for each field.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn lane_sums(sums: Lanes) -> __m512i {
    let sums_01 = _mm512_packs_epi32(sums[0], sums[1]);
    let sums_23 = _mm512_packs_epi32(sums[2], sums[3]);
    _mm512_madd_epi16(_mm512_packs_epi32(sums_01, sums_23), _mm512_set1_epi16(1))
}

/// The lower eight of sixteen integers, and the upper eight.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn halves(integers: __m512i) -> [__m256i; 2] {
    [_mm512_castsi512_si256(integers), _mm512_extracti64x4_epi64::<1>(integers)]
}

/// Sixteen integers as float64.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn doubles(integers: __m512i) -> [__m512d; 2] {
    halves(integers).map(|half| _mm512_cvtepi32_pd(half))
}

/// Sixteen float64s rounded to float32.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
pub(super) fn floats(doubles: [__m512d; 2]) -> __m512 {
    let [low, high] = doubles.map(|half| _mm512_cvtpd_ps(half));
    _mm512_insertf32x8::<1>(_mm512_castps256_ps512(low), high)
}

/// Combines the masks of two registers of float64s.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
pub(super) fn both(masks: [__mmask8; 2]) -> __mmask16 {
    u16::from(masks[0]) | u16::from(masks[1]) << 8
}

/// The magnitudes, negated where the mask is set.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn negate_where(magnitude: __m512, negative: __mmask16) -> __m512 {
    let bits = _mm512_castps_si512(magnitude);
    _mm512_castsi512_ps(_mm512_mask_or_epi32(bits, negative, bits, int(i32::MIN)))
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn store(values: &mut [f32; 16], numbers: __m512) {
    // SAFETY: the array has sixteen values.
    unsafe { _mm512_storeu_ps(values.as_mut_ptr(), numbers) }
}
