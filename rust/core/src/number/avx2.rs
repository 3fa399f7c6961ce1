//! Plain numbers eight at a time, in 256-bit registers.
//!
//! Four registers hold the last sixteen bytes of eight fields: register `k` has field `k` in its low half and field
//! `k + 4` in its high one, so that packing the four gives the eight fields in their order. There are two
//! ways, both by [`Digits::read`]:
//!
//! - [`Stages::short`] takes fields of up to fifteen bytes without an exponent. Digits and power of ten are exact in float64, so
//!   their quotient is wrong only next to a tie, as [`super::round::short_decimal`] has it.
//! - [`Stages::wide`] takes up to 32 bytes and an exponent of two digits. It reads the first sixteen bytes as a number, looks that
//!   the others are digits, and rounds a lower and an upper bound: where both give the same float32, so does all between.
//!
//! What neither takes is read by the field.

#[allow(clippy::wildcard_imports, reason = "half of all lines name an intrinsic")]
use std::arch::x86_64::*;

use super::{Fields, WINDOW, portable};
use crate::simd::Avx2;

/// Sixteen-byte lanes of eight fields: field `k` and field `k + 4` in register `k`.
type Lanes = [__m256i; 4];

/// See [`super::convert`].
pub(super) fn convert(_: Avx2, text: &[u8], fields: Fields<'_>, values: &mut [f32], declined: &mut Vec<u32>) {
    // SAFETY: the proof is made only where the processor has these instructions.
    unsafe { convert_with_avx2(text, fields, values, declined) }
}

#[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
fn convert_with_avx2(text: &[u8], fields: Fields<'_>, values: &mut [f32], declined: &mut Vec<u32>) {
    let (before, before_rest) = fields.before.as_chunks();
    let (ends, ends_rest) = fields.ends.as_chunks();
    let (eights, values_rest) = values.as_chunks_mut();
    convert_eights(text, before, ends, eights, declined);
    let rest = values_rest.len();
    if rest > 0 {
        let first = 8 * eights.len() as u32;
        let mut padded = ([before_rest[0]; 8], [ends_rest[0]; 8], [0.0; 8]);
        padded.0[..rest].copy_from_slice(before_rest);
        padded.1[..rest].copy_from_slice(ends_rest);
        let mut left = Vec::new();
        convert_eights(text, &[padded.0], &[padded.1], std::slice::from_mut(&mut padded.2), &mut left);
        values_rest.copy_from_slice(&padded.2[..rest]);
        declined.extend(left.into_iter().filter(|&at| (at as usize) < rest).map(|at| first + at));
    }
}

/// Eights that pass through a stage together. A stage is short, so that the processor works on several eights at a time.
const BLOCK: usize = 16;

/// What most of the last fields looked like, and so, probably, do the next.
#[derive(Clone, Copy)]
enum Form {
    Short,
    Wide,
}

#[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
fn convert_eights(
    text: &[u8],
    before: &[[u32; 8]],
    ends: &[[u32; 8]],
    values: &mut [[f32; 8]],
    declined: &mut Vec<u32>,
) {
    let mut stages = Stages::new();
    let mut form = Form::Short;
    for first in (0..values.len()).step_by(BLOCK) {
        let block = first..values.len().min(first + BLOCK);
        let (before, ends, values) = (&before[block.clone()], &ends[block.clone()], &mut values[block]);
        let mut left = match form {
            Form::Short => stages.short(text, before, ends, values),
            Form::Wide => stages.wide(text, before, ends, values),
        };
        if left == [0; BLOCK] {
            continue;
        }
        let mut wide = 0;
        for at in 0..values.len() {
            let fields = (0..8).filter(|field| left[at] >> field & 1 == 1);
            // It may have an exponent, or be long.
            let may_be_wide = |field: usize| ends[at][field].wrapping_sub(before[at][field]) > 5;
            if matches!(form, Form::Short) && fields.clone().any(may_be_wide) {
                left[at] = stages.wide(text, &before[at..=at], &ends[at..=at], &mut values[at..=at])[0];
                wide += usize::from(left[at] == 0);
            }
            for field in (0..8).filter(|field| left[at] >> field & 1 == 1) {
                let number = portable::parse(text, before[at][field] as usize + 1, ends[at][field] as usize);
                values[at][field] = number.unwrap_or_else(|| {
                    declined.push((8 * (first + at) + field) as u32);
                    f32::NAN
                });
            }
        }
        if matches!(form, Form::Short) && 2 * wide > values.len() {
            form = Form::Wide;
        }
    }
}

/// What passes from one stage of a block of eights to the next.
struct Stages {
    lengths: [__m256i; BLOCK],
    /// Where the first sixteen bytes of long fields end.
    head_ends: [[u32; 8]; BLOCK],
    over: [Over; BLOCK],
    digits: [Digits; BLOCK],
}

impl Stages {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new() -> Self {
        let zero = _mm256_setzero_si256();
        Self {
            lengths: [zero; BLOCK],
            head_ends: [[0; 8]; BLOCK],
            over: [Over { bad: zero, power: zero, by: zero, is_cut: zero }; BLOCK],
            digits: [Digits { bad: zero, mark: zero, eights: [zero; 2] }; BLOCK],
        }
    }

    /// Finds the length of each field, and whether all end in `WINDOW..=text.len()`.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn measure(&mut self, text: &[u8], before: &[[u32; 8]], ends: &[[u32; 8]]) -> bool {
        let mut last = _mm256_setzero_si256();
        for ((length, before), ends) in self.lengths.iter_mut().zip(before).zip(ends) {
            let end = load_integers(ends);
            *length = sub(sub(end, load_integers(before)), int(1));
            last = _mm256_max_epu32(last, sub(end, int(WINDOW as i32)));
        }
        let room = text.len().checked_sub(WINDOW).expect("a text has a window around it");
        let limit = int(room.min(i32::MAX as usize) as i32);
        all(_mm256_cmpeq_epi32(_mm256_min_epu32(last, limit), last))
    }

    /// Reads fields of up to fifteen bytes, digits with or without a dot; sets a bit for each that is none.
    #[inline(never)]
    #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
    fn short(&mut self, text: &[u8], before: &[[u32; 8]], ends: &[[u32; 8]], values: &mut [[f32; 8]]) -> [u32; BLOCK] {
        let mut left = [0xFF; BLOCK];
        if !self.measure(text, before, ends) {
            return left;
        }
        for ((digits, &length), ends) in self.digits.iter_mut().zip(&self.lengths).zip(ends) {
            // SAFETY: each end was found to lie in `WINDOW..=text.len()`.
            let tails = unsafe { load(text, ends) };
            *digits = Digits::read(tails, length);
            digits.bad = _mm256_or_si256(digits.bad, _mm256_cmpgt_epi32(length, int(15)));
        }
        left = [0; BLOCK];
        for ((values, left), digits) in values.iter_mut().zip(&mut left).zip(&self.digits) {
            let (magnitude, unsettled) = digits.divided();
            store(values, digits.signed(magnitude));
            *left = bits(_mm256_or_si256(digits.bad, unsettled));
        }
        left
    }

    /// Reads fields of up to 32 bytes, with or without an exponent; sets a bit for each that is none.
    #[inline(never)]
    #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
    fn wide(&mut self, text: &[u8], before: &[[u32; 8]], ends: &[[u32; 8]], values: &mut [[f32; 8]]) -> [u32; BLOCK] {
        let mut left = [0xFF; BLOCK];
        if !self.measure(text, before, ends) {
            return left;
        }
        let stages = self.over.iter_mut().zip(&mut self.lengths).zip(&mut self.head_ends);
        for (((over, length), head_ends), ends) in stages.zip(ends) {
            // SAFETY: each end was found to lie in `WINDOW..=text.len()`.
            let tails = unsafe { load(text, ends) };
            let head;
            (*over, head) = Over::read(tails, *length);
            let known_length = _mm256_min_epu32(*length, int(32));
            let head_end = add(sub(load_integers(ends), known_length), head);
            // SAFETY: 32 bytes.
            unsafe { _mm256_storeu_si256(head_ends.as_mut_ptr().cast(), head_end) };
            *length = head;
        }
        let stages = self.digits.iter_mut().zip(&self.lengths).zip(&self.head_ends);
        for ((digits, &head), head_ends) in stages.take(ends.len()) {
            // SAFETY: a head ends at most 32 bytes before its field's end and never after it; each of those was found to
            // lie in `WINDOW..=text.len()`, and `WINDOW` is at least 48.
            let heads = unsafe { load(text, head_ends) };
            *digits = Digits::read(heads, head);
        }
        left = [0; BLOCK];
        let stages = self.digits.iter().zip(&self.over);
        for ((values, left), (digits, over)) in values.iter_mut().zip(&mut left).zip(stages) {
            let (magnitude, unsettled) = digits.scaled(over);
            store(values, digits.signed(magnitude));
            *left = bits(_mm256_or_si256(digits.bad, unsettled));
        }
        left
    }
}

const _: () = assert!(WINDOW >= 48);

/// Loads the sixteen bytes before each end.
///
/// # Safety
///
/// Each end must lie in `16..=text.len()`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn load(text: &[u8], ends: &[u32; 8]) -> Lanes {
    // SAFETY: as the caller promises.
    let lane = |at: usize| unsafe { _mm_loadu_si128(text.as_ptr().add(ends[at] as usize - 16).cast()) };
    [0, 1, 2, 3].map(|at| _mm256_set_m128i(lane(at + 4), lane(at)))
}

/// What the last bytes of eight fields say as digits with or without a dot, with or without a minus.
#[derive(Clone, Copy)]
struct Digits {
    /// All ones where they are no such number.
    bad: __m256i,
    /// The place of the dot in its lane, and where there is a minus, 16 times the place after it.
    mark: __m256i,
    /// Eight digits a number: the first and the last of fields 0, 1, 4 and 5, and of fields 2, 3, 6 and 7.
    eights: [__m256i; 2],
}

impl Digits {
    /// Reads the last `length` bytes of each lane; what it says of a length above 16 means nothing.
    ///
    /// Digits, dot and minus differ in their low four bits, so that looking these up tells what a byte would be, and one
    /// comparison whether it is.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn read(lanes: Lanes, length: __m256i) -> Self {
        let mut digits = lanes;
        let mut counts = lanes;
        let mut marks = lanes;
        for (at, field) in [0, 1, 2, 3].into_iter().zip(0..) {
            let inside = _mm256_cmpgt_epi8(broadcast(length, field), places(15, -1));
            let bytes = _mm256_and_si256(lanes[at], inside);
            let valid = _mm256_cmpeq_epi8(_mm256_shuffle_epi8(lookup(b"0123456789", b'-', b'.'), bytes), bytes);
            // A digit counts 1, a dot 16 and a minus 128.
            let count = _mm256_and_si256(_mm256_shuffle_epi8(lookup(&[1; 10], 128, 16), bytes), valid);
            counts[at] = _mm256_sad_epu8(count, _mm256_setzero_si256());
            // A dot counts its place, a minus 16 times the next place: the first bytes of the lane are 0x10, 0x21, 0x32.
            let mark = _mm256_and_si256(_mm256_shuffle_epi8(lookup(&[0; 10], 0xF0, 0x0F), bytes), places(16, 17));
            marks[at] = _mm256_sad_epu8(mark, _mm256_setzero_si256());
            digits[at] = _mm256_shuffle_epi8(lookup(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 0, 0), bytes);
        }
        let count = lane_sums(counts);
        let mark = lane_sums(marks);
        let dot = _mm256_and_si256(mark, int(15));
        let has_dot = _mm256_cmpgt_epi32(dot, _mm256_setzero_si256());
        let negative = _mm256_cmpgt_epi32(mark, int(15));
        // As many digits as there are bytes but for one dot and one minus at most, the minus first.
        let digit_count = add(add(length, has_dot), negative);
        let expected = [_mm256_and_si256(has_dot, int(16)), _mm256_and_si256(negative, int(128))];
        let exact = _mm256_cmpeq_epi32(count, add(digit_count, add(expected[0], expected[1])));
        let first = _mm256_and_si256(sub(int(17), length), negative);
        let minus_first = _mm256_cmpeq_epi32(_mm256_srli_epi32::<4>(mark), first);
        let some = _mm256_cmpgt_epi32(digit_count, _mm256_setzero_si256());
        let good = _mm256_and_si256(_mm256_and_si256(exact, minus_first), some);
        // The places before each; none is below 0, which stands for no dot.
        let before = _mm256_subs_epu8(places(0, 1), _mm256_set1_epi8(1));
        for (at, field) in [0, 1, 2, 3].into_iter().zip(0..) {
            // The digits before the dot move up by one and take its place.
            let moves = _mm256_cmpgt_epi8(broadcast(dot, field), before);
            let from = _mm256_add_epi8(places(0, 1), moves);
            let squeezed = _mm256_shuffle_epi8(digits[at], from);
            let twos = _mm256_maddubs_epi16(squeezed, _mm256_set1_epi16(0x010A));
            digits[at] = _mm256_madd_epi16(twos, int(0x0001_0064));
        }
        let tens_of_thousands = int(0x0001_2710);
        let eights_01 = _mm256_madd_epi16(_mm256_packus_epi32(digits[0], digits[1]), tens_of_thousands);
        let eights_23 = _mm256_madd_epi16(_mm256_packus_epi32(digits[2], digits[3]), tens_of_thousands);
        Self { bad: _mm256_xor_si256(good, int(-1)), mark, eights: [eights_01, eights_23] }
    }

    /// All ones where there is a dot, and how many digits stand after it.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn places(&self) -> (__m256i, __m256i) {
        let dot = _mm256_and_si256(self.mark, int(15));
        let has_dot = _mm256_cmpgt_epi32(dot, _mm256_setzero_si256());
        (has_dot, _mm256_and_si256(sub(int(15), dot), has_dot))
    }

    /// All digits as one float64, exact below 2^53.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn mantissa(&self) -> [__m256d; 2] {
        let eights = self.eights.map(|eights| _mm256_castsi256_ps(eights));
        let high = doubles(_mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(eights[0], eights[1])));
        let low = doubles(_mm256_castps_si256(_mm256_shuffle_ps::<0b11_01_11_01>(eights[0], eights[1])));
        [0, 1].map(|at| _mm256_fmadd_pd(high[at], _mm256_set1_pd(1e8), low[at]))
    }

    /// The magnitudes with their signs.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn signed(&self, magnitude: __m256) -> __m256 {
        let negative = _mm256_cmpgt_epi32(self.mark, int(15));
        _mm256_or_ps(magnitude, _mm256_castsi256_ps(_mm256_slli_epi32::<31>(negative)))
    }

    /// Up to fifteen digits divided by their power of ten, and all ones where that is not the nearest float32 for sure.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn divided(&self) -> (__m256, __m256i) {
        // These powers are exact in float32.
        let low_powers = _mm256_setr_ps(1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7);
        let high_powers = _mm256_setr_ps(1e8, 1e9, 1e10, 1e0, 1e0, 1e0, 1e0, 1e0);
        let (has_dot, places) = self.places();
        let power = _mm256_blendv_ps(
            _mm256_permutevar8x32_ps(low_powers, places),
            _mm256_permutevar8x32_ps(high_powers, places),
            _mm256_castsi256_ps(_mm256_cmpgt_epi32(places, int(7))),
        );
        let power = floats_as_doubles(power);
        let mantissa = self.mantissa();
        let quotient = [0, 1].map(|at| _mm256_div_pd(mantissa[at], power[at]));
        // A tie in the 29 bits that a float32 drops may be a rounded quotient; an integer is what it is.
        let dropped = _mm256_and_si256(low_halves(quotient), int((1 << 29) - 1));
        let tie = _mm256_and_si256(_mm256_cmpeq_epi32(dropped, int(1 << 28)), has_dot);
        (floats(quotient), _mm256_or_si256(tie, _mm256_cmpgt_epi32(places, int(10))))
    }

    /// The digits times their power of ten, and all ones where that is not the nearest float32 for sure.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn scaled(&self, over: &Over) -> (__m256, __m256i) {
        let (has_dot, places) = self.places();
        let power = add(sub(over.power, places), _mm256_andnot_si256(has_dot, over.by));
        let out_of_range =
            _mm256_or_si256(_mm256_cmpgt_epi32(int(MIN_POWER), power), _mm256_cmpgt_epi32(power, int(MAX_POWER)));
        let at = _mm256_and_si256(sub(power, int(MIN_POWER)), int(63));
        let scale = [_mm256_castsi256_si128(at), _mm256_extracti128_si256::<1>(at)].map(|at| {
            // SAFETY: an index of six bits lies in a table of 64.
            unsafe { _mm256_i32gather_pd::<8>(POWERS.as_ptr(), at) }
        });
        // The digits, the power and their product are each within 2^-53 of the truth, and what was cut off is less than
        // one.
        let is_cut = doubles(over.is_cut);
        let mantissa = self.mantissa();
        let next = [0, 1].map(|at| _mm256_sub_pd(mantissa[at], is_cut[at]));
        let below = [0, 1].map(|at| _mm256_mul_pd(mantissa[at], _mm256_mul_pd(scale[at], _mm256_set1_pd(1.0 - SLACK))));
        let above = [0, 1].map(|at| _mm256_mul_pd(next[at], _mm256_mul_pd(scale[at], _mm256_set1_pd(1.0 + SLACK))));
        let (below, above) = (floats(below), floats(above));
        let unsettled = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_NEQ_UQ>(below, above));
        (below, _mm256_or_si256(_mm256_or_si256(unsettled, out_of_range), over.bad))
    }
}

/// The exponent at the end of eight fields.
struct Exponent {
    /// All ones where there is one.
    is_there: __m256i,
    /// Its value, or 0.
    value: __m256i,
}

impl Exponent {
    /// Reads `e`, a sign and two digits in the last four bytes of each lane.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn read(tails: Lanes, length: __m256i) -> Self {
        let halves = [0, 2].map(|at| _mm256_unpackhi_epi32(tails[at], tails[at + 1]));
        let last = _mm256_unpackhi_epi64(halves[0], halves[1]);
        let e = _mm256_and_si256(_mm256_or_si256(last, int(0x20)), int(0xFF));
        let sign = _mm256_and_si256(last, int(0xFF00));
        let negative = _mm256_cmpeq_epi32(sign, int(i32::from(b'-') << 8));
        let positive = _mm256_cmpeq_epi32(sign, int(i32::from(b'+') << 8));
        let value = _mm256_srli_epi32::<16>(_mm256_sub_epi8(last, _mm256_set1_epi8(b'0' as i8)));
        let is_digit = _mm256_cmpeq_epi32(_mm256_min_epu8(value, int(0x0909)), value);
        let is_there = [
            _mm256_cmpeq_epi32(e, int(i32::from(b'e'))),
            _mm256_or_si256(negative, positive),
            _mm256_cmpgt_epi32(length, int(4)),
        ];
        let is_there = is_there.into_iter().fold(is_digit, |all, each| _mm256_and_si256(all, each));
        let magnitude = _mm256_and_si256(_mm256_maddubs_epi16(value, int(0x010A)), is_there);
        Self { is_there, value: sub(_mm256_xor_si256(magnitude, negative), negative) }
    }
}

/// What the first sixteen bytes of eight long fields leave over.
#[derive(Clone, Copy)]
struct Over {
    /// All ones where that is neither digits nor an exponent.
    bad: __m256i,
    /// The value of the exponent.
    power: __m256i,
    /// How many digits it is.
    by: __m256i,
    /// All ones where they are not all zeros.
    is_cut: __m256i,
}

impl Over {
    /// Looks at the end of fields of these lengths, and says how many bytes of each, sixteen at most, are its head.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn read(tails: Lanes, length: __m256i) -> (Self, __m256i) {
        let too_long = _mm256_cmpeq_epi32(_mm256_max_epu32(length, int(33)), length);
        let length = _mm256_min_epu32(length, int(32));
        let exponent = Exponent::read(tails, length);
        let mantissa = add(length, _mm256_slli_epi32::<2>(exponent.is_there));
        let head = _mm256_min_epi32(mantissa, int(16));
        let by = sub(mantissa, head);
        let has_more = _mm256_cmpgt_epi32(by, _mm256_setzero_si256());
        let watched = _mm256_and_si256(sub(length, head), has_more);
        let mut counts = tails;
        for (count, field) in counts.iter_mut().zip(0..) {
            // Each digit counts 200 and its value, which for all of them together is below 200.
            let inside = _mm256_cmpgt_epi8(broadcast(watched, field), places(15, -1));
            let value = _mm256_sub_epi8(*count, _mm256_set1_epi8(b'0' as i8));
            let is_digit = _mm256_cmpeq_epi8(_mm256_min_epu8(value, _mm256_set1_epi8(9)), value);
            let counted = _mm256_and_si256(_mm256_add_epi8(value, _mm256_set1_epi8(200_u8 as i8)), inside);
            *count = _mm256_sad_epu8(_mm256_and_si256(counted, is_digit), _mm256_setzero_si256());
        }
        let count = lane_sums(counts);
        // Of the four bytes of an exponent two are digits.
        let in_exponent = _mm256_and_si256(_mm256_and_si256(exponent.is_there, has_more), int(2));
        let expected = _mm256_madd_epi16(sub(watched, in_exponent), int(200));
        let bad = _mm256_or_si256(_mm256_cmpgt_epi32(expected, count), too_long);
        (Self { bad, power: exponent.value, by, is_cut: _mm256_cmpgt_epi32(count, expected) }, head)
    }
}

/// Smallest and largest power of ten for [`Digits::scaled`]: from one to sixteen digits times these is a normal float32.
const MIN_POWER: i32 = -37;
const MAX_POWER: i32 = 22;

/// The float64 nearest to each of those powers of ten.
#[rustfmt::skip]
static POWERS: [f64; 64] = [
    1e-37, 1e-36, 1e-35, 1e-34, 1e-33, 1e-32, 1e-31, 1e-30,
    1e-29, 1e-28, 1e-27, 1e-26, 1e-25, 1e-24, 1e-23, 1e-22,
    1e-21, 1e-20, 1e-19, 1e-18, 1e-17, 1e-16, 1e-15, 1e-14,
    1e-13, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6,
    1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2,
    1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10,
    1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22, 1e23, 1e24, 1e25, 1e26,
];

/// More than all roundings on the way to a bound.
const SLACK: f64 = 1.0 / (1_u64 << 49) as f64;

/// The same integer eight times.
#[inline]
#[target_feature(enable = "avx2")]
fn int(value: i32) -> __m256i {
    _mm256_set1_epi32(value)
}

#[inline]
#[target_feature(enable = "avx2")]
fn add(left: __m256i, right: __m256i) -> __m256i {
    _mm256_add_epi32(left, right)
}

#[inline]
#[target_feature(enable = "avx2")]
fn sub(left: __m256i, right: __m256i) -> __m256i {
    _mm256_sub_epi32(left, right)
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_integers(integers: &[u32; 8]) -> __m256i {
    // SAFETY: 32 bytes.
    unsafe { _mm256_loadu_si256(integers.as_ptr().cast()) }
}

/// `first`, `first + step`, `first + 2 * step`, … as the bytes of each lane.
#[inline]
#[target_feature(enable = "avx2")]
fn places(first: i8, step: i8) -> __m256i {
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

/// For each value of the low four bits of a byte, what to look up for it: for ten digits, the minus and the dot, and for
/// all others the high bit, which none of those has.
#[inline]
#[target_feature(enable = "avx2")]
fn lookup(digits: &[u8; 10], minus: u8, dot: u8) -> __m256i {
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

/// The lowest byte of field `at` and of field `at + 4`, each in all bytes of the lane that it has in [`Lanes`].
#[inline]
#[target_feature(enable = "avx2")]
fn broadcast(fields: __m256i, at: i8) -> __m256i {
    _mm256_shuffle_epi8(fields, _mm256_set1_epi8(4 * at))
}

/// The two sums in each lane, each below 2^15, added up: one integer a field.
#[inline]
#[target_feature(enable = "avx2")]
fn lane_sums(sums: Lanes) -> __m256i {
    let sums_01 = _mm256_packs_epi32(sums[0], sums[1]);
    let sums_23 = _mm256_packs_epi32(sums[2], sums[3]);
    _mm256_madd_epi16(_mm256_packs_epi32(sums_01, sums_23), _mm256_set1_epi16(1))
}

/// Eight integers as float64.
#[inline]
#[target_feature(enable = "avx2")]
fn doubles(integers: __m256i) -> [__m256d; 2] {
    [_mm256_cvtepi32_pd(_mm256_castsi256_si128(integers)), _mm256_cvtepi32_pd(_mm256_extracti128_si256::<1>(integers))]
}

#[inline]
#[target_feature(enable = "avx2")]
fn floats_as_doubles(floats: __m256) -> [__m256d; 2] {
    [_mm256_cvtps_pd(_mm256_castps256_ps128(floats)), _mm256_cvtps_pd(_mm256_extractf128_ps::<1>(floats))]
}

/// Eight float64 rounded to float32.
#[inline]
#[target_feature(enable = "avx2")]
fn floats(doubles: [__m256d; 2]) -> __m256 {
    _mm256_set_m128(_mm256_cvtpd_ps(doubles[1]), _mm256_cvtpd_ps(doubles[0]))
}

/// The low 32 bits of eight float64.
#[inline]
#[target_feature(enable = "avx2")]
fn low_halves(doubles: [__m256d; 2]) -> __m256i {
    let mixed = _mm256_shuffle_ps::<0b10_00_10_00>(_mm256_castpd_ps(doubles[0]), _mm256_castpd_ps(doubles[1]));
    _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_castps_si256(mixed))
}

#[inline]
#[target_feature(enable = "avx2")]
fn all(mask: __m256i) -> bool {
    _mm256_movemask_epi8(mask) == -1
}

/// One bit for each of eight masks.
#[inline]
#[target_feature(enable = "avx2")]
fn bits(mask: __m256i) -> u32 {
    _mm256_movemask_ps(_mm256_castsi256_ps(mask)) as u32
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(values: &mut [f32; 8], numbers: __m256) {
    // SAFETY: eight values.
    unsafe { _mm256_storeu_ps(values.as_mut_ptr(), numbers) }
}
