//! Finds the fields that have no value, eight at a time.

#[allow(clippy::wildcard_imports, reason = "half of all lines name an intrinsic")]
use std::arch::x86_64::*;

use super::super::places::{Left, Places};
use super::super::token::Token;
use super::lanes::{all, bits, int, load_integers, store, sub};
use super::short::{Tails, in_order};

/// What is known of missing numbers.
pub(super) struct Missing {
    /// The token that stands for them.
    token: Option<Token>,
    /// Whether previous blocks had some.
    pub(super) are_likely: bool,
    /// Whether any have become NaN.
    pub(super) were_read: bool,
}

impl Missing {
    pub(super) fn new(token: Option<Token>) -> Self {
        Self { token, are_likely: false, were_read: false }
    }

    /// The token, if it is worth looking for.
    pub(super) fn token(&self) -> Option<Token> {
        self.token.filter(|_| self.are_likely)
    }
}

/// A token of up to eight bytes, for lanes of so many.
pub(super) struct Word {
    token: __m256i,
    bits: __m256i,
    length: __m256i,
    /// All ones for each of eight fields that was the word or empty.
    found: __m256i,
}

impl Word {
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn new(token: Token) -> Self {
        Self {
            token: _mm256_set1_epi64x(token.word as i64),
            bits: _mm256_set1_epi64x(token.bits as i64),
            length: _mm256_set1_epi8(token.length as i8),
            found: _mm256_setzero_si256(),
        }
    }

    /// All ones for each lane that is the word or empty. Each byte of `lengths` has the length of its lane.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn is_in(&self, lanes: __m256i, lengths: __m256i) -> __m256i {
        let is_word = _mm256_cmpeq_epi64(_mm256_and_si256(lanes, self.bits), self.token);
        let has_length = _mm256_cmpeq_epi8(lengths, self.length);
        let is_empty = _mm256_cmpeq_epi8(lengths, _mm256_setzero_si256());
        _mm256_or_si256(_mm256_and_si256(is_word, has_length), is_empty)
    }

    /// Notes which of eight fields were missing, and makes their numbers NaN.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn note(&mut self, is_missing: __m256i, numbers: __m256) -> __m256 {
        self.found = _mm256_or_si256(self.found, is_missing);
        _mm256_blendv_ps(numbers, _mm256_set1_ps(f32::NAN), _mm256_castsi256_ps(is_missing))
    }

    /// Whether any field was missing.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn was_found(&self) -> bool {
        _mm256_testz_si256(self.found, self.found) == 0
    }
}

/// Sets the length of each field that is the token to 0. Returns whether there were any.
///
/// # Safety
///
/// Each end must lie in `16..=text.len()`.
#[inline(never)]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn empty(token: Token, text: &[u8], ends: &[[u32; 8]], lengths: &mut [__m256i]) -> bool {
    let (word, word_bits) = (_mm256_set1_epi64x(token.word as i64), _mm256_set1_epi64x(token.bits as i64));
    let token_length = int(token.length as i32);
    let mut found = _mm256_setzero_si256();
    for (ends, length) in ends.iter().zip(lengths) {
        // SAFETY: the caller guarantees the ends.
        let Tails { lanes, .. } = unsafe { Tails::load::<false>(text, ends) };
        let is_word = lanes.map(|lanes| _mm256_cmpeq_epi64(_mm256_and_si256(lanes, word_bits), word));
        let is_token = _mm256_and_si256(in_order(is_word), _mm256_cmpeq_epi32(*length, token_length));
        *length = _mm256_andnot_si256(is_token, *length);
        found = _mm256_or_si256(found, is_token);
    }
    _mm256_testz_si256(found, found) == 0
}

/// See [`Token::take_out`].
#[inline(never)]
#[target_feature(enable = "avx2")]
pub(super) fn take_out(
    token: Token,
    text: &[u8],
    places: Places<'_, 8>,
    values: &mut [[f32; 8]],
    left: &mut Left,
) -> bool {
    let (mut first, mut last) = (int(-1), _mm256_setzero_si256());
    for (_, ends) in places.iter() {
        let ends = load_integers(ends);
        (first, last) = (_mm256_min_epu32(first, ends), _mm256_max_epu32(last, ends));
    }
    let length = int(text.len().min(i32::MAX as usize) as i32);
    let are_within = all(_mm256_cmpeq_epi32(_mm256_max_epu32(first, int(16)), first))
        && all(_mm256_cmpeq_epi32(_mm256_min_epu32(last, length), last));
    if !are_within {
        return token.take_out(text, places, values, left);
    }
    let (word, word_bits) = (_mm256_set1_epi64x(token.word as i64), _mm256_set1_epi64x(token.bits as i64));
    let (length, none) = (int(token.length as i32), _mm256_setzero_si256());
    let nan = _mm256_set1_ps(f32::NAN);
    let mut found = 0;
    for ((before, ends), (values, left)) in places.iter().zip(values.iter_mut().zip(left)) {
        // SAFETY: every end lies in `16..=text.len()`, as checked above.
        let Tails { lanes, .. } = unsafe { Tails::load::<false>(text, ends) };
        let is_word = lanes.map(|lanes| _mm256_cmpeq_epi64(_mm256_and_si256(lanes, word_bits), word));
        let lengths = sub(sub(load_integers(ends), load_integers(before)), int(1));
        let is_token = _mm256_and_si256(in_order(is_word), _mm256_cmpeq_epi32(lengths, length));
        let is_missing = _mm256_or_si256(is_token, _mm256_cmpeq_epi32(lengths, none));
        // SAFETY: the array has eight values.
        let numbers = unsafe { _mm256_loadu_ps(values.as_ptr()) };
        store(values, _mm256_blendv_ps(numbers, nan, _mm256_castsi256_ps(is_missing)));
        let missing = bits(is_missing);
        found |= missing;
        *left &= !missing;
    }
    found != 0
}
