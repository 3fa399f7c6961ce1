//! Reads fields in scientific notation with equally many digits, as in a table that was written with `%.18e`.
//!
//! A register holds two parts of a field: sixteen bytes from the minus on, or from the byte before a field without one,
//! and its last sixteen bytes. What each byte must be is known.

#[allow(clippy::wildcard_imports, reason = "half of all lines name an intrinsic")]
use std::arch::x86_64::*;

use super::lanes::{all, doubles, int, negate_where, store, sub};
use super::product::{self, mantissa};

/// The bytes of each part.
const PART: usize = 16;
/// The bytes of a field besides its decimals: a digit, a dot and an exponent.
const OTHERS: usize = 6;
/// How many digits are taken from the first part.
const FIRST: usize = 12;
/// How many digits are read.
const MOST: usize = FIRST + 8;
/// The weight of the byte in the place of a minus, above four digits.
const SIGN: i32 = 1 << 14;

/// The number of decimals, and what follows from it.
pub(super) struct Format {
    /// The bytes of a field without a minus.
    length: usize,
    /// The byte that has the value 0 at each place.
    zeros: __m256i,
    /// Moves the values to their places: that of a minus, twelve digits, eight digits and the exponent.
    order: __m256i,
    /// The greatest value at each of these places.
    greatest: __m256i,
}

/// The parts of eight numbers. Each pair has fields 0 to 3 in its first register.
#[derive(Clone, Copy)]
pub(super) struct Numbers {
    /// The greatest value at each place.
    greatest: __m256i,
    /// In the low half what stands in place of a minus and four digits, and in the high half the last eight digits.
    even: [__m256i; 2],
    /// In the low half the eight digits between those, and in the high half the exponent.
    odd: [__m256i; 2],
}

impl Format {
    /// The format of fields of these lengths, which do not count a minus, if they are all the same.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn of(lengths: impl Iterator<Item = __m256i>) -> Option<Self> {
        let (mut every, mut any) = (int(-1), _mm256_setzero_si256());
        for length in lengths {
            every = _mm256_and_si256(every, length);
            any = _mm256_or_si256(any, length);
        }
        let length = _mm256_cvtsi256_si32(any);
        let same = _mm256_and_si256(_mm256_cmpeq_epi32(every, int(length)), _mm256_cmpeq_epi32(any, int(length)));
        if all(same) { Self::of_length(length as usize) } else { None }
    }

    /// The format of fields of this length, if it is neither too short nor too long.
    #[target_feature(enable = "avx2")]
    fn of_length(length: usize) -> Option<Self> {
        let decimals = length.checked_sub(OTHERS).filter(|decimals| (1..MOST).contains(decimals))?;
        let mut zeros = [[b'0'; PART]; 2];
        (zeros[0][0], zeros[0][2]) = (b'-', b'.');
        (zeros[1][12], zeros[1][13]) = (b'e', b'+');
        // The highest bit stands for no byte.
        let mut order = [[1 << 7; PART]; 2];
        let mut greatest = [[0; PART]; 2];
        // The dot is there to be compared. Any byte may stand in the place of a minus.
        (order[0][0], order[0][3], greatest[0][3]) = (2, 0, u8::MAX);
        for digit in 0..=decimals {
            let (part, to, from) = match digit {
                0 => (0, 4, 1),
                1..FIRST => (0, 4 + digit, 2 + digit),
                _ => (1, digit - FIRST, PART + digit - decimals - 5),
            };
            (order[part][to], greatest[part][to]) = (from as u8, 9);
        }
        // The letter is there to be compared. A plus has the value 0, and a minus 2.
        order[1][8] = 12;
        order[1][13..].copy_from_slice(&[13, 14, 15]);
        greatest[1][13..].copy_from_slice(&[2, 9, 9]);
        let [zeros, order, greatest] = [zeros, order, greatest].map(|parts| {
            // SAFETY: the array has 32 bytes.
            unsafe { _mm256_loadu_si256(parts.as_ptr().cast()) }
        });
        Some(Self { length, zeros, order, greatest })
    }

    /// Reads eight fields as if they had this format.
    ///
    /// # Safety
    ///
    /// Each end must lie in `32..=text.len() - 16`.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn read(&self, text: &[u8], ends: &[u32; 8]) -> Numbers {
        let before = text.as_ptr().wrapping_sub(1 + self.length);
        // SAFETY: the caller guarantees that 32 bytes precede each end and sixteen follow. A minus and a field have at
        // most 26 bytes.
        let parts = |at: usize| unsafe {
            let end = ends[at] as usize;
            let first = _mm_loadu_si128(before.wrapping_add(end).cast());
            _mm256_set_m128i(_mm_loadu_si128(text.as_ptr().add(end - PART).cast()), first)
        };
        let mut greatest = _mm256_setzero_si256();
        let mut fours = |at: usize| {
            let values = _mm256_shuffle_epi8(_mm256_sub_epi8(parts(at), self.zeros), self.order);
            greatest = _mm256_max_epu8(greatest, values);
            _mm256_madd_epi16(_mm256_maddubs_epi16(values, _mm256_set1_epi16(0x010A)), int(0x0001_0064))
        };
        let (signed, eight, exponent) = (0x0001_0000 | SIGN, 0x0001_2710, 0x0001_0000);
        let weights = _mm256_setr_epi32(signed, eight, signed, eight, eight, exponent, eight, exponent);
        let pairs = [0, 2, 4, 6].map(|at| {
            let fours = _mm256_packus_epi32(fours(at), fours(at + 1));
            _mm256_castsi256_ps(_mm256_madd_epi16(fours, weights))
        });
        let even = [0, 2].map(|at| _mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(pairs[at], pairs[at + 1])));
        let odd = [0, 2].map(|at| _mm256_castps_si256(_mm256_shuffle_ps::<0b11_01_11_01>(pairs[at], pairs[at + 1])));
        Numbers { greatest, even, odd }
    }

    /// Computes the numbers of fields of these lengths. Returns whether all fields have this format and all numbers are
    /// known to be the nearest float32; if not, the values mean nothing.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    pub(super) fn round(&self, numbers: &Numbers, length: __m256i, values: &mut [f32; 8]) -> bool {
        let Numbers { greatest, even, odd } = *numbers;
        let signed = _mm256_permute2x128_si256::<0x20>(even[0], even[1]);
        let exponent = _mm256_permute2x128_si256::<0x31>(odd[0], odd[1]);
        let head = _mm256_and_si256(signed, int(SIGN - 1));
        let low = |each: [__m256i; 2]| each.map(|each| _mm256_cvtepi32_pd(_mm256_castsi256_si128(each)));
        let high = |each: [__m256i; 2]| each.map(|each| _mm256_cvtepi32_pd(_mm256_extracti128_si256::<1>(each)));
        let mantissa = mantissa(doubles(head), low(odd), high(even));

        // A minus adds 200 to an exponent, and what is neither a plus nor a minus adds 100.
        let negative = _mm256_cmpgt_epi32(exponent, int(199));
        let power = sub(exponent, _mm256_and_si256(negative, int(200)));
        let unknown = _mm256_cmpgt_epi32(power, int(99));
        let power = sub(_mm256_xor_si256(power, negative), negative);
        let (magnitude, unsettled) = product::scaled(mantissa, head, sub(power, int(3)));

        let has_more = sub(length, int(self.length as i32));
        store(values, negate_where(magnitude, has_more));
        let has_other = _mm256_cmpgt_epi32(signed, int(SIGN - 1));
        let wrong = [
            unknown,
            unsettled,
            _mm256_subs_epu8(greatest, self.greatest),
            _mm256_andnot_si256(int(1), has_more),
            _mm256_and_si256(has_other, has_more),
        ];
        let wrong = wrong.into_iter().fold(_mm256_setzero_si256(), |any, each| _mm256_or_si256(any, each));
        _mm256_testz_si256(wrong, wrong) == 1
    }
}
