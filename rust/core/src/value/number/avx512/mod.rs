//! Parses plain numbers sixteen at a time in 512-bit registers.
//!
//! The three ways of reading fields are those of [`super::avx2`]. A register holds twice as many lanes, most masks are
//! in mask registers, and eight short fields are gathered from only two loads.

mod digits;
mod lanes;
mod long;
mod short;

#[allow(clippy::wildcard_imports, reason = "half of all lines name an intrinsic")]
use std::arch::x86_64::*;

use super::groups::{self, Form, Ways};
use super::places::{BLOCK, Left, Places};
use super::token::Token;
use crate::fields::{Fields, WINDOW};
use crate::simd::Avx512;
use digits::Digits;
use lanes::{add, int, load, load_integers, store, sub};
use long::Over;

/// See [`super::convert_with`].
pub(super) fn convert(
    avx512: Avx512,
    text: &[u8],
    quote: Option<u8>,
    missing: Option<Token>,
    fields: Fields<'_>,
    values: &mut [f32],
    declined: &mut Vec<u32>,
) -> bool {
    // SAFETY: an `Avx512` exists only if the processor has these instructions.
    let mut stages = unsafe { Stages::new(avx512) };
    groups::convert(&mut stages, text, quote, missing, fields, values, declined)
}

impl Ways<16> for Stages {
    fn read(&mut self, text: &[u8], places: Places<'_, 16>, values: &mut [[f32; 16]], expected: Form) -> (Form, Left) {
        // SAFETY: `Stages` holds an `Avx512`, which exists only if the processor has these instructions.
        unsafe { self.read_with_avx512(text, places, values, expected) }
    }
}

/// The data that passes between the stages of a block.
struct Stages {
    _proof: Avx512,
    /// Whether all fields of nine bytes so far began with a minus.
    nine_are_signed: bool,
    lengths: [__m512i; BLOCK],
    /// Where the first sixteen bytes of long fields end.
    head_ends: [[u32; 16]; BLOCK],
    over: [Over; BLOCK],
    tiny_digits: [Digits<2>; BLOCK],
    digits: [Digits; BLOCK],
    /// Eight digits of each number: the first and the last eight of the first two fields of each four, and of the other
    /// two.
    eights: [[__m512i; 2]; BLOCK],
}

impl Stages {
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn new(proof: Avx512) -> Self {
        let zero = _mm512_setzero_si512();
        Self {
            _proof: proof,
            nine_are_signed: true,
            lengths: [zero; BLOCK],
            head_ends: [[0; 16]; BLOCK],
            over: [Over { bad: 0, is_cut: 0, power: zero, by: zero }; BLOCK],
            tiny_digits: [Digits { bad: 0, mark: zero, lanes: [zero; 2] }; BLOCK],
            digits: [Digits { bad: 0, mark: zero, lanes: [zero; 4] }; BLOCK],
            eights: [[zero; 2]; BLOCK],
        }
    }

    /// Reads a block of groups. Sets a bit for each field that needs another way of reading.
    #[target_feature(
        enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,bmi1,bmi2,lzcnt,popcnt"
    )]
    fn read_with_avx512(
        &mut self,
        text: &[u8],
        places: Places<'_, 16>,
        values: &mut [[f32; 16]],
        expected: Form,
    ) -> (Form, Left) {
        let (last, at_least, has_nine) = self.measure(places);
        let room = text.len().checked_sub(2 * WINDOW).expect("a text has a window before and after it");
        if last as usize > room {
            return (expected, [0xFFFF; BLOCK]);
        }
        let form = expected.max(at_least);
        if form == Form::Tiny {
            // SAFETY: every end lies in `WINDOW..=text.len() - WINDOW`, as checked above. `measure` only returns `Tiny`
            // for fields that are close enough together.
            let left = unsafe {
                if has_nine {
                    self.tiny::<true>(text, places.ends, values)
                } else {
                    self.tiny::<false>(text, places.ends, values)
                }
            };
            if let Some(left) = left {
                return (form, left);
            }
            self.nine_are_signed = false;
        }
        // SAFETY: every end lies in `WINDOW..=text.len() - WINDOW`, as checked above.
        unsafe {
            match form {
                Form::Tiny | Form::Short => (Form::Short, self.short(text, places.ends, values)),
                Form::Wide => (form, self.wide(text, places.ends, values)),
            }
        }
    }

    /// Computes the length of each field. Returns the maximum distance of an end beyond `WINDOW`, which exceeds any
    /// text if an end lies before it; the form that suits most fields; and whether a field has nine bytes. Fields are
    /// tiny if they all have up to eight bytes, or nine if those seem to begin with a minus, and if they are close
    /// enough together for [`short::load`].
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn measure(&mut self, places: Places<'_, 16>) -> (u32, Form, bool) {
        let mut last = _mm512_setzero_si512();
        let mut longest = _mm512_setzero_si512();
        let mut reach = _mm512_setzero_si512();
        let mut any_long = 0;
        for (length, (before, ends)) in self.lengths.iter_mut().zip(places.iter()) {
            let end = load_integers(ends);
            *length = sub(sub(end, load_integers(before)), int(1));
            last = _mm512_max_epu32(last, sub(end, int(WINDOW as i32)));
            longest = _mm512_max_epu32(longest, *length);
            reach = _mm512_max_epu32(reach, sub(end, short::first_of_eight(end)));
            any_long |= _mm512_cmpgt_epi32_mask(*length, int(15));
        }
        let has_nine = _mm512_cmpgt_epu32_mask(longest, int(8)) != 0;
        let tiniest = int(if self.nine_are_signed { 9 } else { 8 });
        let is_tiny =
            _mm512_cmpgt_epu32_mask(longest, tiniest) | _mm512_cmpgt_epu32_mask(reach, int(short::REACH)) == 0;
        let form = if is_tiny {
            Form::Tiny
        } else if any_long.count_ones() < 8 {
            Form::Short
        } else {
            Form::Wide
        };
        (_mm512_reduce_max_epu32(last), form, has_nine)
    }

    /// Combines the digits into integers. Returns whether all have few enough digits for float32.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn fold(&mut self, count: usize) -> bool {
        let mut beyond = _mm512_setzero_si512();
        for (eights, digits) in self.eights.iter_mut().zip(&self.digits).take(count) {
            *eights = digits.fold();
            beyond = _mm512_or_si512(beyond, digits.beyond_float32(eights));
        }
        _mm512_test_epi32_mask(beyond, beyond) == 0
    }

    /// Reads fields of up to eight bytes: digits with an optional dot. Their lengths must have been measured. With
    /// `SIGNED`, also reads fields of nine bytes that begin with a minus. Returns `None` if other fields have nine
    /// bytes.
    ///
    /// # Safety
    ///
    /// Each end must lie in `WINDOW..=text.len() - WINDOW`, and at most [`short::REACH`] after the first end of its
    /// eight.
    #[inline(never)]
    #[target_feature(
        enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,bmi1,bmi2,lzcnt,popcnt"
    )]
    unsafe fn tiny<const SIGNED: bool>(
        &mut self,
        text: &[u8],
        ends: &[[u32; 16]],
        values: &mut [[f32; 16]],
    ) -> Option<Left> {
        let mut unsigned = 0;
        for ((digits, &length), ends) in self.tiny_digits.iter_mut().zip(&self.lengths).zip(ends) {
            // SAFETY: the caller guarantees the ends, and `WINDOW` is at least 120.
            let (tails, minus_before) = unsafe { short::load::<SIGNED>(text, ends) };
            *digits = short::read::<SIGNED>(tails, length, minus_before);
            if SIGNED {
                unsigned |= _mm512_mask_cmpgt_epi32_mask(!minus_before, length, int(8));
            }
        }
        if unsigned != 0 {
            return None;
        }
        let mut left = [0; BLOCK];
        for ((values, left), digits) in values.iter_mut().zip(&mut left).zip(&self.tiny_digits) {
            store(values, short::round(digits));
            *left = u32::from(digits.bad);
        }
        Some(left)
    }

    /// Reads fields of up to fifteen bytes: digits with an optional dot. Their lengths must have been measured.
    ///
    /// # Safety
    ///
    /// Each end must lie in `WINDOW..=text.len()`.
    #[inline(never)]
    #[target_feature(
        enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,bmi1,bmi2,lzcnt,popcnt"
    )]
    unsafe fn short(&mut self, text: &[u8], ends: &[[u32; 16]], values: &mut [[f32; 16]]) -> Left {
        for ((digits, &length), ends) in self.digits.iter_mut().zip(&self.lengths).zip(ends) {
            // SAFETY: the caller guarantees the ends, and `WINDOW` is greater than 16.
            let tails = unsafe { load(text, ends) };
            *digits = Digits::read(tails, length);
            digits.bad |= _mm512_cmpgt_epi32_mask(length, int(15));
        }
        let mut left = [0; BLOCK];
        let few_digits = self.fold(values.len());
        let stages = self.digits.iter().zip(&self.eights);
        if few_digits {
            for ((values, left), (digits, eights)) in values.iter_mut().zip(&mut left).zip(stages) {
                store(values, digits.signed(digits.divided(eights)));
                *left = u32::from(digits.bad);
            }
            return left;
        }
        for ((values, left), (digits, eights)) in values.iter_mut().zip(&mut left).zip(stages) {
            let (magnitude, unsettled) = digits.rounded(eights);
            store(values, digits.signed(magnitude));
            *left = u32::from(digits.bad | unsettled);
        }
        left
    }

    /// Reads fields of up to 32 bytes, optionally with an exponent. Their lengths must have been measured.
    ///
    /// # Safety
    ///
    /// Each end must lie in `WINDOW..=text.len()`.
    #[inline(never)]
    #[target_feature(
        enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,bmi1,bmi2,lzcnt,popcnt"
    )]
    unsafe fn wide(&mut self, text: &[u8], ends: &[[u32; 16]], values: &mut [[f32; 16]]) -> Left {
        let stages = self.over.iter_mut().zip(&mut self.lengths).zip(&mut self.head_ends);
        for (((over, length), head_ends), ends) in stages.zip(ends) {
            // SAFETY: the caller guarantees the ends, and `WINDOW` is greater than 16.
            let tails = unsafe { load(text, ends) };
            let head;
            (*over, head) = Over::read(tails, *length);
            let known_length = _mm512_min_epu32(*length, int(32));
            let head_end = add(sub(load_integers(ends), known_length), head);
            // SAFETY: the array has 64 bytes.
            unsafe { _mm512_storeu_si512(head_ends.as_mut_ptr().cast(), head_end) };
            *length = head;
        }
        let stages = self.digits.iter_mut().zip(&self.lengths).zip(&self.head_ends);
        for ((digits, &head), head_ends) in stages.take(ends.len()) {
            // SAFETY: a head ends at most 32 bytes before the end of its field and never after it. The caller
            // guarantees that this end lies in `WINDOW..=text.len()`, and `WINDOW` is at least 48.
            let heads = unsafe { load(text, head_ends) };
            *digits = Digits::read(heads, head);
        }
        let mut left = [0; BLOCK];
        self.fold(values.len());
        let stages = self.digits.iter().zip(&self.eights).zip(&self.over);
        for ((values, left), ((digits, eights), over)) in values.iter_mut().zip(&mut left).zip(stages) {
            let (magnitude, unsettled) = digits.scaled(eights, over);
            store(values, digits.signed(magnitude));
            *left = u32::from(digits.bad | unsettled);
        }
        left
    }
}

const _: () = assert!(WINDOW >= 120);
