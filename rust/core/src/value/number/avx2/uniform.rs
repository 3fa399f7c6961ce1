//! Reads fields of up to eight bytes that have equally many digits after the dot, as most columns of a table often do.

#[allow(clippy::wildcard_imports, reason = "half of all lines name an intrinsic")]
use std::arch::x86_64::*;

use super::lanes::{add, int, negate_where, places_in_halves, store};
use super::missing::Word;
use super::short::{Tails, broadcast, in_order, join_digits};

/// The digits of a field that has eight bytes.
const LANE: usize = 8;

/// The place of the dot, and what follows from it; and whether there are signs.
pub(super) struct Shape {
    /// Whether fields may begin with a minus.
    pub(super) has_minus: bool,
    /// The byte that has the value 0 at each place: the dot at its place, the digit 0 elsewhere.
    zeros: __m256i,
    /// The greatest value at each place.
    greatest: __m256i,
    /// Moves the digits before the dot up by one, so that they replace it.
    squeeze: __m256i,
    /// The length of the shortest such field without a minus.
    shortest: __m256i,
    /// The power of ten that the digits are divided by.
    power: __m256,
}

impl Shape {
    /// The shape with the dot at this place of the eight; 0 stands for no dot.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn with_dot_at(dot: usize, has_minus: bool) -> Self {
        let mut zeros = [b'0'; LANE];
        let mut greatest = [9; LANE];
        let mut squeeze: [u8; LANE] = [0, 1, 2, 3, 4, 5, 6, 7];
        let decimals = if dot == 0 { 0 } else { LANE - 1 - dot };
        if dot > 0 {
            zeros[dot] = b'.';
            greatest[dot] = 0;
            squeeze.copy_within(0..dot, 1);
            squeeze[0] = 1 << 7;
        }
        let shortest = if dot > 0 { 2.max(decimals + 1) } else { 1 };
        let wide = |bytes: [u8; LANE]| _mm256_set1_epi64x(i64::from_le_bytes(bytes));
        Self {
            has_minus,
            zeros: wide(zeros),
            greatest: wide(greatest),
            // The second half of a lane takes its own bytes.
            squeeze: add(wide(squeeze), _mm256_set_epi64x(0x0808_0808_0808_0808, 0, 0x0808_0808_0808_0808, 0)),
            shortest: int(shortest as i32),
            power: _mm256_set1_ps([1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7][decimals]),
        }
    }

    /// Reads fields of these lengths. Returns whether all of them have this shape; if not, the values mean nothing.
    /// With `MINUS`, fields may begin with a minus. With `NINE`, they may have nine bytes, of which the first is one. With
    /// `MISSING`, they may be the `word` or empty; their values become NaN, and the word notes that there were some.
    ///
    /// # Safety
    ///
    /// Each end must lie in `16..=text.len()`.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn read<const MINUS: bool, const NINE: bool, const MISSING: bool>(
        &self,
        word: &mut Word,
        text: &[u8],
        lengths: &[__m256i],
        ends: &[[u32; 8]],
        values: &mut [[f32; 8]],
    ) -> bool {
        let zero = _mm256_setzero_si256();
        let mut wrong = zero;
        for ((values, &length), ends) in values.iter_mut().zip(lengths).zip(ends) {
            // SAFETY: the caller guarantees the ends.
            let Tails { mut lanes, minus_before } = unsafe { Tails::load::<NINE>(text, ends) };
            let mut is_unsigned = lanes;
            let mut is_missing = [zero; 2];
            for (at, fields) in [0, 1].into_iter().zip(0..) {
                let lengths = broadcast(length, fields);
                let inside = _mm256_cmpgt_epi8(lengths, places_in_halves(7, -1));
                if MISSING {
                    is_missing[at] = word.is_in(lanes[at], lengths);
                }
                let mut digits = _mm256_and_si256(_mm256_sub_epi8(lanes[at], self.zeros), inside);
                if MINUS {
                    let first = _mm256_xor_si256(inside, _mm256_slli_epi64::<8>(inside));
                    let is_minus = _mm256_cmpeq_epi8(digits, _mm256_set1_epi8(b'-'.wrapping_sub(b'0') as i8));
                    let minus = _mm256_and_si256(is_minus, first);
                    digits = _mm256_andnot_si256(minus, digits);
                    is_unsigned[at] = _mm256_cmpeq_epi64(minus, zero);
                }
                let greater = _mm256_subs_epu8(digits, self.greatest);
                wrong = _mm256_or_si256(wrong, _mm256_andnot_si256(is_missing[at], greater));
                lanes[at] = _mm256_shuffle_epi8(digits, self.squeeze);
            }
            let magnitude = _mm256_div_ps(_mm256_cvtepi32_ps(join_digits(lanes)), self.power);
            let is_missing = if MISSING { in_order(is_missing) } else { zero };
            let is_short = |length| _mm256_andnot_si256(is_missing, _mm256_cmpgt_epi32(self.shortest, length));
            if !MINUS {
                wrong = _mm256_or_si256(wrong, is_short(length));
                store(values, if MISSING { word.note(is_missing, magnitude) } else { magnitude });
                continue;
            }
            let is_unsigned = in_order(is_unsigned);
            let mut negative = _mm256_xor_si256(is_unsigned, int(-1));
            let mut unsigned_length = add(length, negative);
            if NINE {
                let has_more = _mm256_cmpgt_epi32(length, int(8));
                // A second minus is an error.
                let one_minus = _mm256_and_si256(minus_before, is_unsigned);
                wrong = _mm256_or_si256(wrong, _mm256_andnot_si256(one_minus, has_more));
                negative = _mm256_or_si256(negative, has_more);
                unsigned_length = add(unsigned_length, has_more);
            }
            wrong = _mm256_or_si256(wrong, is_short(unsigned_length));
            let numbers = negate_where(magnitude, negative);
            store(values, if MISSING { word.note(is_missing, numbers) } else { numbers });
        }
        _mm256_testz_si256(wrong, wrong) == 1
    }
}

/// The place of the dot in all fields, and whether there are signs, gathered field by field.
pub(super) struct Dots {
    /// The bits that all places have.
    all: __m256i,
    /// The bits that some have.
    any: __m256i,
}

impl Dots {
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn new() -> Self {
        Self { all: int(-1), any: _mm256_setzero_si256() }
    }

    /// Adds the places in the low four bits of `mark`, above which a bit stands for a minus, except where `bad` is set.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn add(&mut self, mark: __m256i, bad: __m256i) {
        self.all = _mm256_and_si256(self.all, _mm256_or_si256(mark, bad));
        self.any = _mm256_or_si256(self.any, _mm256_andnot_si256(bad, mark));
    }

    /// The shape of all fields, if it is the same.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn shape(&self) -> Option<Shape> {
        let dot = int(15);
        let first = _mm256_and_si256(_mm256_permutevar8x32_epi32(self.any, _mm256_setzero_si256()), dot);
        let differs = |bits| _mm256_xor_si256(_mm256_and_si256(bits, dot), first);
        let differences = _mm256_or_si256(differs(self.all), differs(self.any));
        let is_same = _mm256_testz_si256(differences, differences) == 1;
        let minus = int(16);
        let has_minus = _mm256_testz_si256(self.any, minus) == 0;
        is_same.then(|| Shape::with_dot_at(_mm256_cvtsi256_si32(first) as usize, has_minus))
    }
}
