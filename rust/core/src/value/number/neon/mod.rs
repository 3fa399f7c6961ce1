//! Parses plain numbers sixteen at a time in 128-bit registers.
//!
//! A register holds the last sixteen bytes of one field, or the last eight of two. What is known of a field (its length,
//! where its dot is, whether it is a number) takes one byte, so that one register has it for all sixteen. The three ways
//! of reading are those of AVX2:
//!
//! - [`Stages::tiny`] reads fields of up to eight bytes without an exponent. These are exact in float32 except for one
//!   rounding.
//! - [`Stages::short`] reads fields of up to fifteen bytes without an exponent. Their digits are exact in float64. The
//!   product with a power of ten rounds correctly unless it is close to a tie, which is detected.
//! - [`Stages::wide`] reads up to 32 bytes and a two-digit exponent. It parses the first sixteen bytes as a number,
//!   checks that the others are digits, and rounds a lower and an upper bound. If both give the same float32, so does
//!   the exact value.
//!
//! Fields that none of these can read are read one by one.

mod digits;
mod lanes;
mod long;
mod powers;
mod short;

#[allow(clippy::wildcard_imports, reason = "half of all lines name an intrinsic")]
use std::arch::aarch64::*;

use super::groups::{self, Form, Ways};
use super::places::{BLOCK, Left, Places};
use super::token::Token;
use crate::fields::{Fields, WINDOW};
use crate::simd::Neon;
use digits::{Digits, Eights};
use lanes::{bits, byte, load, load_integers, narrowed, store, store_integers, widened};
use long::Over;

/// See [`super::convert_with`].
pub(super) fn convert(
    neon: Neon,
    text: &[u8],
    quote: Option<u8>,
    missing: Option<Token>,
    fields: Fields<'_>,
    values: &mut [f32],
    declined: &mut Vec<u32>,
) -> bool {
    // SAFETY: a `Neon` exists only if the processor has these instructions.
    let mut stages = unsafe { Stages::new(neon) };
    groups::convert(&mut stages, text, quote, missing, fields, values, declined)
}

impl Ways<16> for Stages {
    fn read(&mut self, text: &[u8], places: Places<'_, 16>, values: &mut [[f32; 16]], expected: Form) -> (Form, Left) {
        // SAFETY: `Stages` holds a `Neon`, which exists only if the processor has these instructions.
        unsafe { self.read_with_neon(text, places, values, expected) }
    }
}

/// The data that passes between the stages of a block.
struct Stages {
    _proof: Neon,
    /// Lengths above 255 count as 255.
    lengths: [uint8x16_t; BLOCK],
    /// Where the first sixteen bytes of long fields end.
    head_ends: [[u32; 16]; BLOCK],
    over: [Over; BLOCK],
    tiny_digits: [Digits<8>; BLOCK],
    digits: [Digits; BLOCK],
    eights: [Eights; BLOCK],
}

impl Stages {
    #[inline]
    #[target_feature(enable = "neon")]
    fn new(proof: Neon) -> Self {
        let (zero, zeros) = (byte(0), [vdupq_n_u32(0); 4]);
        Self {
            _proof: proof,
            lengths: [zero; BLOCK],
            head_ends: [[0; 16]; BLOCK],
            over: [Over { bad: zero, power: zero, by: zero, is_cut: zero }; BLOCK],
            tiny_digits: [Digits { bad: zero, mark: zero, lanes: [zero; 8] }; BLOCK],
            digits: [Digits { bad: zero, mark: zero, lanes: [zero; 16] }; BLOCK],
            eights: [Eights { first: zeros, last: zeros }; BLOCK],
        }
    }

    /// Reads a block of groups. Sets a bit for each field that needs another way of reading.
    #[target_feature(enable = "neon")]
    fn read_with_neon(
        &mut self,
        text: &[u8],
        places: Places<'_, 16>,
        values: &mut [[f32; 16]],
        expected: Form,
    ) -> (Form, Left) {
        let (last, at_least) = self.measure(places);
        let room = text.len().checked_sub(WINDOW).expect("a text has a window around it");
        if last as usize > room {
            return (expected, [0xFFFF; BLOCK]);
        }
        let form = expected.max(at_least);
        // SAFETY: every end lies in `WINDOW..=text.len()`, as checked above.
        let left = unsafe {
            match form {
                Form::Tiny => self.tiny(text, places.ends, values),
                Form::Short => self.short(text, places.ends, values),
                Form::Wide => self.wide(text, places.ends, values),
            }
        };
        (form, left)
    }

    /// Computes the length of each field. Returns the maximum distance of an end beyond `WINDOW`, which exceeds any
    /// text if an end lies before it, and the form that suits most fields.
    #[inline]
    #[target_feature(enable = "neon")]
    fn measure(&mut self, places: Places<'_, 16>) -> (u32, Form) {
        let mut last = vdupq_n_u32(0);
        let mut any_long = byte(0);
        let mut longest = byte(0);
        for (length, (before, ends)) in self.lengths.iter_mut().zip(places.iter()) {
            let (before, ends) = (load_integers(before), load_integers(ends));
            // The complement of a mark is its negative less one.
            *length = narrowed([0, 1, 2, 3].map(|at| vaddq_u32(ends[at], vmvnq_u32(before[at]))));
            for ends in ends {
                last = vmaxq_u32(last, vsubq_u32(ends, vdupq_n_u32(WINDOW as u32)));
            }
            longest = vmaxq_u8(longest, *length);
            any_long = vorrq_u8(any_long, vcgtq_u8(*length, byte(15)));
        }
        let form = if vmaxvq_u8(longest) <= 8 {
            Form::Tiny
        } else if bits(any_long).count_ones() < 8 {
            Form::Short
        } else {
            Form::Wide
        };
        (vmaxvq_u32(last), form)
    }

    /// Combines the digits into integers. Returns whether all have few enough digits for float32.
    #[inline]
    #[target_feature(enable = "neon")]
    fn fold(&mut self, count: usize) -> bool {
        let mut beyond = vdupq_n_u32(0);
        let mut places = byte(0);
        for (eights, digits) in self.eights.iter_mut().zip(&self.digits).take(count) {
            *eights = digits.fold();
            beyond = vorrq_u32(beyond, eights.beyond_float32());
            places = vorrq_u8(places, digits.places().1);
        }
        vmaxvq_u32(beyond) == 0 && vmaxvq_u8(vandq_u8(places, byte(8))) == 0
    }

    /// Reads fields of up to eight bytes: digits with an optional dot. Their lengths must have been measured.
    ///
    /// # Safety
    ///
    /// Each end must lie in `WINDOW..=text.len()`.
    #[inline(never)]
    #[target_feature(enable = "neon")]
    unsafe fn tiny(&mut self, text: &[u8], ends: &[[u32; 16]], values: &mut [[f32; 16]]) -> Left {
        for ((digits, &length), ends) in self.tiny_digits.iter_mut().zip(&self.lengths).zip(ends) {
            // SAFETY: the caller guarantees the ends, and `WINDOW` is greater than 8.
            let tails = unsafe { short::load(text, ends) };
            *digits = short::read(tails, length);
        }
        let mut left = [0; BLOCK];
        for ((values, left), digits) in values.iter_mut().zip(&mut left).zip(&self.tiny_digits) {
            store(values, short::round(digits));
            *left = bits(digits.bad);
        }
        left
    }

    /// Reads fields of up to fifteen bytes: digits with an optional dot. Their lengths must have been measured.
    ///
    /// # Safety
    ///
    /// Each end must lie in `WINDOW..=text.len()`.
    #[inline(never)]
    #[target_feature(enable = "neon")]
    unsafe fn short(&mut self, text: &[u8], ends: &[[u32; 16]], values: &mut [[f32; 16]]) -> Left {
        for ((digits, &length), ends) in self.digits.iter_mut().zip(&self.lengths).zip(ends) {
            // SAFETY: the caller guarantees the ends, and `WINDOW` is greater than 16.
            unsafe { digits.read(text, ends, length) };
            digits.bad = vorrq_u8(digits.bad, vcgtq_u8(length, byte(15)));
        }
        let mut left = [0; BLOCK];
        let few_digits = self.fold(values.len());
        let stages = self.digits.iter().zip(&self.eights);
        if few_digits {
            for ((values, left), (digits, eights)) in values.iter_mut().zip(&mut left).zip(stages) {
                store(values, digits.divided(eights));
                *left = bits(digits.bad);
            }
            return left;
        }
        for ((values, left), (digits, eights)) in values.iter_mut().zip(&mut left).zip(stages) {
            let (magnitude, unsettled) = digits.rounded(eights);
            store(values, digits.signed(magnitude));
            *left = bits(vorrq_u8(digits.bad, unsettled));
        }
        left
    }

    /// Reads fields of up to 32 bytes, optionally with an exponent. Their lengths must have been measured.
    ///
    /// # Safety
    ///
    /// Each end must lie in `WINDOW..=text.len()`.
    #[inline(never)]
    #[target_feature(enable = "neon")]
    unsafe fn wide(&mut self, text: &[u8], ends: &[[u32; 16]], values: &mut [[f32; 16]]) -> Left {
        let stages = self.over.iter_mut().zip(&mut self.lengths).zip(&mut self.head_ends);
        for (((over, length), head_ends), ends) in stages.zip(ends) {
            // SAFETY: the caller guarantees the ends, and `WINDOW` is greater than 16.
            let tails = unsafe { load(text, ends) };
            let head;
            (*over, head) = Over::read(tails, *length);
            let rest = widened(vsubq_u8(vminq_u8(*length, byte(32)), head));
            let ends = load_integers(ends);
            store_integers(head_ends, [0, 1, 2, 3].map(|at| vsubq_u32(ends[at], rest[at])));
            *length = head;
        }
        let stages = self.digits.iter_mut().zip(&self.lengths).zip(&self.head_ends);
        for ((digits, &head), head_ends) in stages.take(ends.len()) {
            // SAFETY: a head ends at most 32 bytes before the end of its field and never after it. The caller
            // guarantees that this end lies in `WINDOW..=text.len()`, and `WINDOW` is at least 48.
            unsafe { digits.read(text, head_ends, head) };
        }
        let mut left = [0; BLOCK];
        self.fold(values.len());
        let stages = self.digits.iter().zip(&self.eights).zip(&self.over);
        for ((values, left), ((digits, eights), over)) in values.iter_mut().zip(&mut left).zip(stages) {
            let (magnitude, unsettled) = digits.scaled(eights, over);
            store(values, digits.signed(magnitude));
            *left = bits(vorrq_u8(digits.bad, unsettled));
        }
        left
    }
}

const _: () = assert!(WINDOW >= 48);
