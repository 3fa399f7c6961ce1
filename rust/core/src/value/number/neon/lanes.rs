//! Helpers for sixteen fields: a byte of one register for each, or a register for each.

#[allow(clippy::wildcard_imports, reason = "half of all lines name an intrinsic")]
use std::arch::aarch64::*;

/// The last sixteen bytes of sixteen fields.
pub(super) type Lanes = [uint8x16_t; 16];

/// Loads the sixteen bytes before each end.
///
/// # Safety
///
/// Each end must lie in `16..=text.len()`.
#[inline]
#[target_feature(enable = "neon")]
pub(super) unsafe fn load(text: &[u8], ends: &[u32; 16]) -> Lanes {
    // SAFETY: the caller guarantees that sixteen bytes precede each end.
    ends.map(|end| unsafe { vld1q_u8(text.as_ptr().wrapping_sub(16).wrapping_add(end as usize)) })
}

/// Sixteen copies of a byte.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn byte(value: u8) -> uint8x16_t {
    vdupq_n_u8(value)
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn vector(bytes: [u8; 16]) -> uint8x16_t {
    // SAFETY: the array has sixteen bytes.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}

/// The bytes `first`, `first + step`, `first + 2 * step`, …
pub(super) const fn places(first: u8, step: u8) -> [u8; 16] {
    let mut bytes = [0; 16];
    let mut at = 0;
    while at < 16 {
        bytes[at] = first.wrapping_add(step.wrapping_mul(at as u8));
        at += 1;
    }
    bytes
}

/// Like [`places`], but restarts in the middle.
pub(super) const fn places_in_halves(first: u8, step: u8) -> [u8; 16] {
    let mut bytes = places(first, step);
    let mut at = 8;
    while at < 16 {
        bytes[at] = bytes[at - 8];
        at += 1;
    }
    bytes
}

/// For each field, sixteen copies of its byte.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn copies(fields: uint8x16_t) -> Lanes {
    [
        vdupq_laneq_u8::<0>(fields),
        vdupq_laneq_u8::<1>(fields),
        vdupq_laneq_u8::<2>(fields),
        vdupq_laneq_u8::<3>(fields),
        vdupq_laneq_u8::<4>(fields),
        vdupq_laneq_u8::<5>(fields),
        vdupq_laneq_u8::<6>(fields),
        vdupq_laneq_u8::<7>(fields),
        vdupq_laneq_u8::<8>(fields),
        vdupq_laneq_u8::<9>(fields),
        vdupq_laneq_u8::<10>(fields),
        vdupq_laneq_u8::<11>(fields),
        vdupq_laneq_u8::<12>(fields),
        vdupq_laneq_u8::<13>(fields),
        vdupq_laneq_u8::<14>(fields),
        vdupq_laneq_u8::<15>(fields),
    ]
}

/// The sums, modulo 256, of the sixteen bytes of each field.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn sums(lanes: Lanes) -> uint8x16_t {
    sums_of_halves(halved(lanes))
}

/// The sums, modulo 256, of the eight bytes of each half.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn sums_of_halves(halves: [uint8x16_t; 8]) -> uint8x16_t {
    let [sums]: [_; 1] = halved::<2, 1>(halved::<4, 2>(halved::<8, 4>(halves)));
    sums
}

/// Adds adjacent bytes.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn halved<const FROM: usize, const TO: usize>(registers: [uint8x16_t; FROM]) -> [uint8x16_t; TO] {
    const { assert!(FROM == 2 * TO) };
    std::array::from_fn(|at| vpaddq_u8(registers[2 * at], registers[2 * at + 1]))
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn load_integers(integers: &[u32; 16]) -> [uint32x4_t; 4] {
    // SAFETY: the array has four times four integers.
    [0, 4, 8, 12].map(|at| unsafe { vld1q_u32(integers.as_ptr().add(at)) })
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn store_integers(to: &mut [u32; 16], integers: [uint32x4_t; 4]) {
    for (to, integers) in to.as_chunks_mut::<4>().0.iter_mut().zip(integers) {
        // SAFETY: the array has four integers.
        unsafe { vst1q_u32(to.as_mut_ptr(), integers) }
    }
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn store(values: &mut [f32; 16], numbers: [float32x4_t; 4]) {
    for (values, numbers) in values.as_chunks_mut::<4>().0.iter_mut().zip(numbers) {
        // SAFETY: the array has four values.
        unsafe { vst1q_f32(values.as_mut_ptr(), numbers) }
    }
}

/// Each integer as a byte; those above 255 become 255.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn narrowed(integers: [uint32x4_t; 4]) -> uint8x16_t {
    let low = vqmovn_high_u32(vqmovn_u32(integers[0]), integers[1]);
    let high = vqmovn_high_u32(vqmovn_u32(integers[2]), integers[3]);
    vqmovn_high_u16(vqmovn_u16(low), high)
}

/// Each byte as an integer.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn widened(bytes: uint8x16_t) -> [uint32x4_t; 4] {
    let (low, high) = (vmovl_u8(vget_low_u8(bytes)), vmovl_high_u8(bytes));
    [vmovl_u16(vget_low_u16(low)), vmovl_high_u16(low), vmovl_u16(vget_low_u16(high)), vmovl_high_u16(high)]
}

/// One mask of bytes from masks of integers.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn narrowed_masks(masks: [uint32x4_t; 4]) -> uint8x16_t {
    let masks = masks.map(|mask| vreinterpretq_u16_u32(mask));
    let low = vreinterpretq_u8_u16(vuzp1q_u16(masks[0], masks[1]));
    let high = vreinterpretq_u8_u16(vuzp1q_u16(masks[2], masks[3]));
    vuzp1q_u8(low, high)
}

/// Interleaves four registers: for each field, one byte of each of them, the first one lowest.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn interleaved(bytes: [uint8x16_t; 4]) -> [uint32x4_t; 4] {
    let [low, high] = [[bytes[0], bytes[1]], [bytes[2], bytes[3]]]
        .map(|[even, odd]| [vzip1q_u8(even, odd), vzip2q_u8(even, odd)].map(|halves| vreinterpretq_u16_u8(halves)));
    [
        vreinterpretq_u32_u16(vzip1q_u16(low[0], high[0])),
        vreinterpretq_u32_u16(vzip2q_u16(low[0], high[0])),
        vreinterpretq_u32_u16(vzip1q_u16(low[1], high[1])),
        vreinterpretq_u32_u16(vzip2q_u16(low[1], high[1])),
    ]
}

/// One bit for each of sixteen masks.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn bits(mask: uint8x16_t) -> u32 {
    const BITS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
    let bits = vandq_u8(mask, vector(BITS));
    let sums = vpaddq_u8(bits, bits);
    let sums = vpaddq_u8(sums, sums);
    let sums = vpaddq_u8(sums, sums);
    vgetq_lane_u16::<0>(vreinterpretq_u16_u8(sums)).into()
}
