//! Reads long fields that have the dot among their first eight bytes, as most long numbers do.
//!
//! The first eight bytes of a field are its head. Only there is a dot looked for, in registers that hold four heads. The
//! next sixteen bytes are nothing but digits, which have the same weights in every field.

#[allow(clippy::wildcard_imports, reason = "half of all lines name an intrinsic")]
use std::arch::x86_64::*;

use super::lanes::{
    add, bits, broadcast, doubles, int, load, load_integers, negate_where, places, places_in_halves, store, sub,
};
use super::long::Exponent;
use super::product::{self, mantissa};
use super::short::{self, in_order, join_digits};

/// The bytes of a head.
const HEAD: usize = 8;
/// The bytes of a head and sixteen digits. So far after its start, a field is loaded, even if it is shorter.
pub(super) const REACH: usize = HEAD + 16;
/// Greater lengths count as this one.
const TOO_LONG: i32 = 32;

/// Where the digits of eight fields are.
#[derive(Clone, Copy)]
pub(super) struct Span {
    /// [`REACH`] bytes after the start of each field.
    stops: [u32; 8],
    /// The number of bytes before an exponent.
    length: __m256i,
    /// The value of the exponent.
    power: __m256i,
}

impl Span {
    /// Finds the digits of fields of these lengths, and with `EXPONENTS` their exponents.
    ///
    /// # Safety
    ///
    /// Each end must lie in `16..=text.len()`.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn find<const EXPONENTS: bool>(text: &[u8], ends: &[u32; 8], length: __m256i) -> Self {
        let length = _mm256_min_epu32(length, int(TOO_LONG));
        let mut span = Self { stops: [0; 8], length, power: _mm256_setzero_si256() };
        let stops = add(sub(load_integers(ends), length), int(REACH as i32));
        // SAFETY: the array has 32 bytes.
        unsafe { _mm256_storeu_si256(span.stops.as_mut_ptr().cast(), stops) };
        if EXPONENTS {
            // SAFETY: the caller guarantees the ends.
            let tails = unsafe { load(text, ends) };
            let exponent = Exponent::read(tails, length);
            span.length = add(length, _mm256_slli_epi32::<2>(exponent.is_there));
            span.power = exponent.value;
        }
        span
    }

    /// A bit for each field that is empty.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn empty(&self) -> u32 {
        bits(_mm256_cmpeq_epi32(self.length, _mm256_setzero_si256()))
    }

    /// Whether one of the fields, of these lengths, has an exponent.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn has_exponents(&self, length: __m256i) -> bool {
        let longer = _mm256_cmpgt_epi32(length, self.length);
        _mm256_testz_si256(longer, longer) == 0
    }
}

/// The digits of eight fields.
#[derive(Clone, Copy)]
pub(super) struct Parts {
    /// The greatest value at each place that has a digit.
    greatest: __m256i,
    /// All ones where a field has no digit but other bytes, no dot in its head, or too many bytes.
    bad: __m256i,
    /// The place of the dot. A head that ends without one has it after its last digit.
    dot: __m256i,
    /// The lowest bit is set after a minus.
    minus: __m256i,
    /// The digits of the head, as an integer of seven digits.
    head: __m256i,
    /// The eight digits after the head.
    first: __m256i,
    /// The eight digits after those.
    second: __m256i,
}

impl Parts {
    /// Reads the digits.
    ///
    /// # Safety
    ///
    /// Each stop must lie in `REACH..=text.len()`.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn read(text: &[u8], Span { stops, length, .. }: &Span) -> Self {
        let zero = _mm256_setzero_si256();
        let value = |byte: u8| _mm256_set1_epi8(byte.wrapping_sub(b'0') as i8);
        let values = |bytes, inside| _mm256_and_si256(_mm256_add_epi8(bytes, value(0)), inside);
        let mut greatest = zero;

        // SAFETY: the caller guarantees the stops, and `REACH` is greater than 16.
        let mut tails = unsafe { load(text, stops) };
        for (tail, field) in tails.iter_mut().zip(0..) {
            let digits = values(*tail, _mm256_cmpgt_epi8(broadcast(*length, field), places(HEAD as i8, 1)));
            greatest = _mm256_max_epu8(greatest, digits);
            let twos = _mm256_maddubs_epi16(digits, _mm256_set1_epi16(0x010A));
            *tail = _mm256_madd_epi16(twos, int(0x0001_0064));
        }
        let eights = [0, 2].map(|at| {
            let fours = _mm256_packus_epi32(tails[at], tails[at + 1]);
            _mm256_castsi256_ps(_mm256_madd_epi16(fours, int(0x0001_2710)))
        });
        let first = _mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(eights[0], eights[1]));
        let second = _mm256_castps_si256(_mm256_shuffle_ps::<0b11_01_11_01>(eights[0], eights[1]));

        // SAFETY: the caller guarantees that `REACH` bytes precede each stop.
        let head = |at: usize| unsafe { text.as_ptr().add(stops[at] as usize - REACH).cast::<i64>().read_unaligned() };
        let mut heads = [0, 2].map(|at| _mm256_set_epi64x(head(at + 5), head(at + 4), head(at + 1), head(at)));
        let mut dots = heads;
        let mut minuses = heads;
        for (at, fields) in [0, 1].into_iter().zip(0..) {
            let (length, place) = (short::broadcast(*length, fields), places_in_halves(0, 1));
            let bytes = values(heads[at], _mm256_cmpgt_epi8(length, place));
            let first = _mm256_set1_epi64x(0xFF);
            minuses[at] = _mm256_and_si256(_mm256_cmpeq_epi8(bytes, value(b'-')), first);
            let is_end = _mm256_cmpeq_epi8(length, place);
            let is_dot = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, value(b'.')), is_end);
            // In each head, subtracting 1 changes the bits up to the first dot.
            let before = _mm256_andnot_si256(is_dot, _mm256_add_epi64(is_dot, int(-1)));
            dots[at] = _mm256_sad_epu8(_mm256_and_si256(before, _mm256_set1_epi8(1)), zero);
            // The digits before the dot move up by one and replace it.
            let digits = _mm256_andnot_si256(minuses[at], bytes);
            let moves = _mm256_or_si256(_mm256_slli_epi64::<8>(before), first);
            heads[at] = _mm256_blendv_epi8(digits, _mm256_slli_epi64::<8>(digits), moves);
            greatest = _mm256_max_epu8(greatest, heads[at]);
        }
        let (dot, minus) = (in_order(dots), in_order(minuses));

        let has_dot = _mm256_cmpgt_epi32(*length, dot);
        let digit_count = sub(add(*length, has_dot), _mm256_and_si256(minus, int(1)));
        let some = _mm256_cmpgt_epi32(*length, zero);
        let none = _mm256_andnot_si256(_mm256_cmpgt_epi32(digit_count, zero), some);
        let far = _mm256_cmpgt_epi32(dot, int(HEAD as i32 - 1));
        let long = _mm256_cmpgt_epi32(*length, int(REACH as i32));
        let bad = _mm256_or_si256(_mm256_or_si256(none, far), long);
        Self { greatest, bad, dot, minus, head: join_digits(heads), first, second }
    }

    /// Computes the numbers. Returns whether all of them are known to be the nearest float32, except for empty fields.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    pub(super) fn round<const EXPONENTS: bool>(&self, span: &Span, values: &mut [f32; 8]) -> bool {
        let mantissa = mantissa(doubles(self.head), doubles(self.first), doubles(self.second));
        let last = int(HEAD as i32 - 1);
        let (magnitude, unsettled) = if EXPONENTS {
            product::scaled(mantissa, self.head, sub(add(self.dot, span.power), last))
        } else {
            product::shifted(mantissa, sub(last, self.dot))
        };
        store(values, negate_where(magnitude, self.minus));
        let wrong = _mm256_subs_epu8(self.greatest, _mm256_set1_epi8(9));
        let wrong = _mm256_or_si256(_mm256_or_si256(self.bad, unsettled), wrong);
        _mm256_testz_si256(wrong, wrong) == 1
    }

    /// The `length` of each field without its minus. 0 unless it is in scientific notation, with one digit before the
    /// dot.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn scientific_length(&self, span: &Span, length: __m256i) -> __m256i {
        let minus = _mm256_cmpgt_epi32(self.minus, _mm256_setzero_si256());
        let is_scientific =
            _mm256_and_si256(_mm256_cmpeq_epi32(add(self.dot, minus), int(1)), _mm256_cmpgt_epi32(length, span.length));
        _mm256_and_si256(add(length, minus), is_scientific)
    }
}
