//! Helpers for eight integers in one register and eight fields in four.

#[allow(clippy::wildcard_imports, reason = "half of all lines name an intrinsic")]
use std::arch::x86_64::*;

/// Sixteen-byte lanes of eight fields: fields `k` and `k + 4` are in register `k`.
pub(super) type Lanes = [__m256i; 4];

/// Loads the sixteen bytes before each end.
///
/// # Safety
///
/// Each end must lie in `16..=text.len()`.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn load(text: &[u8], ends: &[u32; 8]) -> Lanes {
    // SAFETY: the caller guarantees that sixteen bytes precede each end.
    let lane = |at: usize| unsafe { _mm_loadu_si128(text.as_ptr().add(ends[at] as usize - 16).cast()) };
    [0, 1, 2, 3].map(|at| _mm256_set_m128i(lane(at + 4), lane(at)))
}

/// Eight copies of an integer.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn int(value: i32) -> __m256i {
    _mm256_set1_epi32(value)
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn add(left: __m256i, right: __m256i) -> __m256i {
    _mm256_add_epi32(left, right)
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn sub(left: __m256i, right: __m256i) -> __m256i {
    _mm256_sub_epi32(left, right)
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn load_integers(integers: &[u32; 8]) -> __m256i {
    // SAFETY: the array has 32 bytes.
    unsafe { _mm256_loadu_si256(integers.as_ptr().cast()) }
}

/// The bytes `first`, `first + step`, `first + 2 * step`, … in each lane.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn places(first: i8, step: i8) -> __m256i {
    let byte = |place: i8| first.wrapping_add(step.wrapping_mul(place));
    let lane = _mm_setr_epi8(
        byte(0),
        byte(1),
        byte(2),
        byte(3),
        byte(4),
        byte(5),
        byte(6),
        byte(7),
        byte(8),
        byte(9),
        byte(10),
        byte(11),
        byte(12),
        byte(13),
        byte(14),
        byte(15),
    );
    _mm256_broadcastsi128_si256(lane)
}

/// A table indexed by the low four bits of a byte: values for the ten digits, the minus and the dot. All others get the
/// high bit, which none of these has.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn lookup(digits: &[u8; 10], minus: u8, dot: u8) -> __m256i {
    let byte = |at: usize| digits[at] as i8;
    let none = i8::MIN;
    let table = _mm_setr_epi8(
        byte(0),
        byte(1),
        byte(2),
        byte(3),
        byte(4),
        byte(5),
        byte(6),
        byte(7),
        byte(8),
        byte(9),
        none,
        none,
        none,
        minus as i8,
        dot as i8,
        none,
    );
    _mm256_broadcastsi128_si256(table)
}

/// Like [`places`], but restarts in the middle of each lane.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn places_in_halves(first: i8, step: i8) -> __m256i {
    _mm256_permute4x64_epi64::<0>(places(first, step))
}

/// The magnitudes, negated where the mask is all ones.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn negate_where(magnitude: __m256, mask: __m256i) -> __m256 {
    _mm256_or_ps(magnitude, _mm256_castsi256_ps(_mm256_slli_epi32::<31>(mask)))
}

/// Copies the lowest bytes of fields `at` and `at + 4` to all bytes of their lanes in [`Lanes`].
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn broadcast(fields: __m256i, at: i8) -> __m256i {
    _mm256_shuffle_epi8(fields, _mm256_set1_epi8(4 * at))
}

/// Adds the two sums in each lane, which must be below 2^15: one integer for each field.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn lane_sums(sums: Lanes) -> __m256i {
    let sums_01 = _mm256_packs_epi32(sums[0], sums[1]);
    let sums_23 = _mm256_packs_epi32(sums[2], sums[3]);
    _mm256_madd_epi16(_mm256_packs_epi32(sums_01, sums_23), _mm256_set1_epi16(1))
}

/// Eight integers as float64.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn doubles(integers: __m256i) -> [__m256d; 2] {
    [_mm256_cvtepi32_pd(_mm256_castsi256_si128(integers)), _mm256_cvtepi32_pd(_mm256_extracti128_si256::<1>(integers))]
}

/// Eight float64s rounded to float32.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn floats(doubles: [__m256d; 2]) -> __m256 {
    _mm256_set_m128(_mm256_cvtpd_ps(doubles[1]), _mm256_cvtpd_ps(doubles[0]))
}

/// The low 32 bits of eight float64s.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn low_halves(doubles: [__m256d; 2]) -> __m256i {
    let mixed = _mm256_shuffle_ps::<0b10_00_10_00>(_mm256_castpd_ps(doubles[0]), _mm256_castpd_ps(doubles[1]));
    _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_castps_si256(mixed))
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn all(mask: __m256i) -> bool {
    _mm256_movemask_epi8(mask) == -1
}

/// One bit for each of eight masks.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn bits(mask: __m256i) -> u32 {
    _mm256_movemask_ps(_mm256_castsi256_ps(mask)) as u32
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn store(values: &mut [f32; 8], numbers: __m256) {
    // SAFETY: the array has eight values.
    unsafe { _mm256_storeu_ps(values.as_mut_ptr(), numbers) }
}
