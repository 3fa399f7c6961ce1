//! Parses plain numbers eight at a time in 256-bit registers.
//!
//! Four registers hold the last sixteen bytes of eight fields: register `k` has field `k` in its low half and the field
//! four places on in its high half, so that packing the four registers yields the fields in order. For fields of up to
//! eight bytes, a lane holds two. There are three ways of reading fields:
//!
//! - [`Stages::tiny`] reads fields of up to eight bytes without an exponent, and a minus before them. These are exact in
//!   float32 except for one rounding. Fields with equally many digits after the dot take the shortest way.
//! - [`Stages::short`] reads fields of up to fifteen bytes without an exponent. Their digits are exact in float64. The
//!   product with a power of ten rounds correctly unless it is close to a tie, which is detected.
//! - [`Stages::long`] reads up to 32 bytes and a two-digit exponent. [`Stages::dotted`] reads groups of fields of up to
//!   24 bytes, the exponent not counted, if each has a dot among its first eight. [`Stages::scientific`] does so if all
//!   have the same format. Both take up to 23 digits into float64s. Their product with a power of ten is close to the
//!   number, and rounds correctly unless it is close to a tie. [`Stages::wide`] reads what remains. It parses the first
//!   sixteen bytes as a number, checks that the others are digits, and rounds a lower and an upper bound. If both give
//!   the same float32, so does the exact value.
//!
//! Fields that none of these can read are read one by one.

mod digits;
mod dotted;
mod lanes;
mod long;
mod missing;
mod product;
mod scientific;
mod short;
mod uniform;

#[allow(clippy::wildcard_imports, reason = "half of all lines name an intrinsic")]
use std::arch::x86_64::*;
use std::mem::MaybeUninit;

use super::groups::{self, Form, Ways};
use super::places::{BLOCK, Left, Places};
use super::token::Token;
use crate::fields::{Fields, WINDOW};
use crate::simd::Avx2;
use digits::Digits;
use dotted::{Parts, REACH, Span};
use lanes::{add, all, bits, int, load, load_integers, store, sub};
use long::Over;
use missing::{Missing, Word};
use scientific::Format;
use short::Tails;
use uniform::{Dots, Shape};

/// See [`super::convert_with`].
pub(super) fn convert(
    avx2: Avx2,
    text: &[u8],
    quote: Option<u8>,
    missing: Option<Token>,
    fields: Fields<'_>,
    values: &mut [f32],
    declined: &mut Vec<u32>,
) -> bool {
    // SAFETY: an `Avx2` exists only if the processor has these instructions.
    let mut stages = unsafe { Stages::new(avx2, missing) };
    groups::convert(&mut stages, text, quote, missing, fields, values, declined) | stages.missing.were_read
}

impl Ways<8> for Stages {
    fn read(&mut self, text: &[u8], places: Places<'_, 8>, values: &mut [[f32; 8]], expected: Form) -> (Form, Left) {
        // SAFETY: `Stages` holds an `Avx2`, which exists only if the processor has these instructions.
        unsafe { self.read_with_avx2(text, places, values, expected) }
    }

    fn take_out(
        &mut self,
        token: Token,
        text: &[u8],
        places: Places<'_, 8>,
        values: &mut [[f32; 8]],
        left: &mut Left,
    ) -> bool {
        // SAFETY: `Stages` holds an `Avx2`, which exists only if the processor has these instructions.
        let found = unsafe { missing::take_out(token, text, places, values, left) };
        self.missing.are_likely |= found;
        found
    }
}

/// The data that passes between the stages of a block.
struct Stages {
    _proof: Avx2,
    missing: Missing,
    /// Whether all fields of nine bytes so far began with a minus.
    nine_are_signed: bool,
    /// The shape of the previous tiny fields, if they had the same one.
    shape: Option<Shape>,
    /// The format of the previous long fields, if they had the same one.
    format: Option<Format>,
    /// Whether some of the previous long fields had an exponent.
    has_exponents: bool,
    /// How many blocks of long fields are left to [`Stages::wide`] at once.
    pause: usize,
    lengths: [__m256i; BLOCK],
    /// Where the first sixteen bytes of long fields end.
    head_ends: [[u32; 8]; BLOCK],
    over: [Over; BLOCK],
    tiny_digits: [Digits<2>; BLOCK],
    digits: [Digits; BLOCK],
    /// Eight digits of each number: the first and the last eight of fields 0, 1, 4 and 5, and of fields 2, 3, 6 and 7.
    eights: [[__m256i; 2]; BLOCK],
}

impl Stages {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new(proof: Avx2, missing: Option<Token>) -> Self {
        let zero = _mm256_setzero_si256();
        Self {
            _proof: proof,
            missing: Missing::new(missing),
            nine_are_signed: true,
            shape: None,
            format: None,
            has_exponents: true,
            pause: 0,
            lengths: [zero; BLOCK],
            head_ends: [[0; 8]; BLOCK],
            over: [Over { bad: zero, power: zero, by: zero, is_cut: zero }; BLOCK],
            tiny_digits: [Digits { bad: zero, mark: zero, lanes: [zero; 2] }; BLOCK],
            digits: [Digits { bad: zero, mark: zero, lanes: [zero; 4] }; BLOCK],
            eights: [[zero; 2]; BLOCK],
        }
    }

    /// Reads a block of groups. Sets a bit for each field that needs another way of reading.
    #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
    fn read_with_avx2(
        &mut self,
        text: &[u8],
        places: Places<'_, 8>,
        values: &mut [[f32; 8]],
        expected: Form,
    ) -> (Form, Left) {
        let (last, at_least, has_nine) = self.measure(places);
        let room = text.len().checked_sub(WINDOW).expect("a text has a window around it");
        let are_within = |room: usize| {
            let limit = int(room.min(i32::MAX as usize) as i32);
            all(_mm256_cmpeq_epi32(_mm256_min_epu32(last, limit), last))
        };
        if !are_within(room) {
            return (expected, [0xFF; BLOCK]);
        }
        let form = expected.max(at_least);
        if form == Form::Tiny {
            // SAFETY: every end lies in `WINDOW..=text.len()`, as checked above.
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
        // SAFETY: every end lies in `WINDOW..=text.len()`, as checked above.
        unsafe {
            match form {
                Form::Tiny | Form::Short => (Form::Short, self.short(text, places.ends, values)),
                Form::Wide if room.checked_sub(REACH).is_some_and(are_within) => {
                    if let Some(token) = self.missing.token() {
                        self.missing.are_likely = missing::empty(token, text, places.ends, &mut self.lengths);
                    }
                    (form, self.long(text, places, values))
                }
                Form::Wide => (form, self.wide(text, places.ends, values)),
            }
        }
    }

    /// Computes the length of each field. Returns the maximum distance of an end beyond `WINDOW`, which exceeds any
    /// text if an end lies before it; the form that suits most fields; and whether a field has nine bytes. Fields are
    /// tiny if they all have up to eight bytes, or nine if those seem to begin with a minus.
    #[inline]
    #[target_feature(enable = "avx2,popcnt")]
    fn measure(&mut self, places: Places<'_, 8>) -> (__m256i, Form, bool) {
        let mut last = _mm256_setzero_si256();
        let mut any_long = _mm256_setzero_si256();
        let mut longest = _mm256_setzero_si256();
        for (length, (before, ends)) in self.lengths.iter_mut().zip(places.iter()) {
            let end = load_integers(ends);
            *length = sub(sub(end, load_integers(before)), int(1));
            last = _mm256_max_epu32(last, sub(end, int(WINDOW as i32)));
            longest = _mm256_max_epi32(longest, *length);
            any_long = _mm256_or_si256(any_long, _mm256_cmpgt_epi32(*length, int(15)));
        }
        let has_nine = !all(_mm256_cmpgt_epi32(int(9), longest));
        let tiniest = if self.nine_are_signed { 9 } else { 8 };
        let form = if all(_mm256_cmpgt_epi32(int(tiniest + 1), longest)) {
            Form::Tiny
        } else if bits(any_long).count_ones() < 4 {
            Form::Short
        } else {
            Form::Wide
        };
        (last, form, has_nine)
    }

    /// Combines the digits into integers. Returns whether all have few enough digits for float32.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn fold(&mut self, count: usize) -> bool {
        let mut beyond = _mm256_setzero_si256();
        for (eights, digits) in self.eights.iter_mut().zip(&self.digits).take(count) {
            *eights = digits.fold();
            beyond = _mm256_or_si256(beyond, digits.beyond_float32(eights));
        }
        _mm256_testz_si256(beyond, beyond) == 1
    }

    /// Reads fields of up to eight bytes: digits with an optional dot. Their lengths must have been measured. With
    /// `SIGNED`, also reads fields of nine bytes that begin with a minus. Returns `None` if other fields have nine
    /// bytes.
    ///
    /// # Safety
    ///
    /// Each end must lie in `WINDOW..=text.len()`.
    #[inline(never)]
    #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
    unsafe fn tiny<const SIGNED: bool>(
        &mut self,
        text: &[u8],
        ends: &[[u32; 8]],
        values: &mut [[f32; 8]],
    ) -> Option<Left> {
        if let Some(shape) = &self.shape {
            let token = self.missing.token();
            // Without a token, it stands for nothing.
            let mut word = Word::new(token.unwrap_or_default());
            let are_signed = SIGNED || shape.has_minus;
            // SAFETY: the caller guarantees the ends, and `WINDOW` is greater than 16.
            let is_same = unsafe {
                match (token.is_some(), are_signed) {
                    (false, false) => shape.read::<false, false, false>(&mut word, text, &self.lengths, ends, values),
                    (false, true) => shape.read::<true, SIGNED, false>(&mut word, text, &self.lengths, ends, values),
                    (true, false) => shape.read::<false, false, true>(&mut word, text, &self.lengths, ends, values),
                    (true, true) => shape.read::<true, SIGNED, true>(&mut word, text, &self.lengths, ends, values),
                }
            };
            if is_same {
                self.missing.are_likely = word.was_found();
                self.missing.were_read |= word.was_found();
                return Some([0; BLOCK]);
            }
        }
        let mut unsigned = _mm256_setzero_si256();
        for ((digits, &length), ends) in self.tiny_digits.iter_mut().zip(&self.lengths).zip(ends) {
            // SAFETY: the caller guarantees the ends, and `WINDOW` is greater than 16.
            let tails = unsafe { Tails::load::<SIGNED>(text, ends) };
            *digits = short::read::<SIGNED>(&tails, length);
            if SIGNED {
                let has_more = _mm256_cmpgt_epi32(length, int(8));
                unsigned = _mm256_or_si256(unsigned, _mm256_andnot_si256(tails.minus_before, has_more));
            }
        }
        if _mm256_testz_si256(unsigned, unsigned) == 0 {
            return None;
        }
        let mut left = [0; BLOCK];
        let mut dots = Dots::new();
        for ((values, left), digits) in values.iter_mut().zip(&mut left).zip(&self.tiny_digits) {
            store(values, short::round(digits));
            dots.add(digits.mark, digits.bad);
            *left = bits(digits.bad);
        }
        self.shape = dots.shape();
        Some(left)
    }

    /// Reads fields of up to fifteen bytes: digits with an optional dot. Their lengths must have been measured.
    ///
    /// # Safety
    ///
    /// Each end must lie in `WINDOW..=text.len()`.
    #[inline(never)]
    #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
    unsafe fn short(&mut self, text: &[u8], ends: &[[u32; 8]], values: &mut [[f32; 8]]) -> Left {
        for ((digits, &length), ends) in self.digits.iter_mut().zip(&self.lengths).zip(ends) {
            // SAFETY: the caller guarantees the ends, and `WINDOW` is greater than 16.
            let tails = unsafe { load(text, ends) };
            *digits = Digits::read(tails, length);
            digits.bad = _mm256_or_si256(digits.bad, _mm256_cmpgt_epi32(length, int(15)));
        }
        let mut left = [0; BLOCK];
        let few_digits = self.fold(values.len());
        let stages = self.digits.iter().zip(&self.eights);
        if few_digits {
            for ((values, left), (digits, eights)) in values.iter_mut().zip(&mut left).zip(stages) {
                store(values, digits.signed(digits.divided(eights)));
                *left = bits(digits.bad);
            }
            return left;
        }
        for ((values, left), (digits, eights)) in values.iter_mut().zip(&mut left).zip(stages) {
            let (magnitude, unsettled) = digits.rounded(eights);
            store(values, digits.signed(magnitude));
            *left = bits(_mm256_or_si256(digits.bad, unsettled));
        }
        left
    }

    /// Reads fields of up to 32 bytes, optionally with an exponent. Their lengths must have been measured.
    ///
    /// # Safety
    ///
    /// Each end must lie in `WINDOW..=text.len() - REACH`.
    #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
    unsafe fn long(&mut self, text: &[u8], places: Places<'_, 8>, values: &mut [[f32; 8]]) -> Left {
        if self.pause > 0 {
            self.pause -= 1;
            // SAFETY: the caller guarantees the ends.
            return unsafe { self.wide(text, places.ends, values) };
        }
        let mut left = [0; BLOCK];
        // SAFETY: the caller guarantees the ends.
        let rest = unsafe {
            match &self.format {
                Some(format) => Self::scientific(format, text, places.ends, &self.lengths, values),
                None if self.has_exponents => self.dotted::<true>(text, places.ends, values, &mut left),
                None => self.dotted::<false>(text, places.ends, values, &mut left),
            }
        };
        if rest == 0 {
            return left;
        }
        if 2 * rest.count_ones() as usize > values.len() {
            // Another format may still be dotted.
            self.pause = if self.format.take().is_some() { 0 } else { PAUSE };
        }
        // SAFETY: the caller guarantees the ends.
        unsafe { self.rest(rest, text, places, values, &mut left) };
        left
    }

    /// Reads the groups whose bits are set in `rest`, like [`Stages::wide`]. Sets the bits in `left` for them.
    ///
    /// # Safety
    ///
    /// Each end must lie in `WINDOW..=text.len()`.
    #[inline(never)]
    #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
    unsafe fn rest(&mut self, rest: u32, text: &[u8], places: Places<'_, 8>, values: &mut [[f32; 8]], left: &mut Left) {
        let (mut before, mut ends) = ([[0; 8]; BLOCK], [[0; 8]; BLOCK]);
        let groups = (0..values.len()).filter(|at| rest >> at & 1 == 1);
        let mut count = 0;
        for at in groups.clone() {
            (before[count], ends[count]) = (places.before[at], places.ends[at]);
            count += 1;
        }
        let places = Places { before: &before[..count], ends: &ends[..count] };
        self.measure(places);
        let mut numbers = [[0.0; 8]; BLOCK];
        // SAFETY: the caller guarantees the ends.
        let wide = unsafe { self.wide(text, places.ends, &mut numbers[..count]) };
        for (at, (numbers, wide)) in groups.zip(numbers.iter().zip(wide)) {
            (values[at], left[at]) = (*numbers, wide);
        }
    }

    /// Reads fields of these lengths in a format. Returns a bit for each group with a field in another format, or with
    /// one that may be rounded wrongly.
    ///
    /// # Safety
    ///
    /// Each end must lie in `WINDOW..=text.len() - REACH`.
    #[inline(never)]
    #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
    unsafe fn scientific(
        format: &Format,
        text: &[u8],
        ends: &[[u32; 8]],
        lengths: &[__m256i],
        values: &mut [[f32; 8]],
    ) -> u32 {
        let mut numbers = [const { MaybeUninit::uninit() }; BLOCK];
        let numbers = fill(&mut numbers, ends, |ends| {
            // SAFETY: the caller guarantees the ends, `WINDOW` is greater than 32, and `REACH` is greater than 16.
            unsafe { format.read(text, ends) }
        });
        let mut rest = 0;
        for (at, (values, (numbers, &length))) in values.iter_mut().zip(numbers.iter().zip(lengths)).enumerate() {
            rest |= u32::from(!format.round(numbers, length, values)) << at;
        }
        rest
    }

    /// Reads fields with the dot among their first eight bytes, and with `EXPONENTS` those with an exponent, too.
    /// Returns a bit for each group with another field, or with one that may be rounded wrongly. In the other groups,
    /// leaves the empty fields.
    ///
    /// # Safety
    ///
    /// Each end must lie in `WINDOW..=text.len() - REACH`.
    #[inline(never)]
    #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
    unsafe fn dotted<const EXPONENTS: bool>(
        &mut self,
        text: &[u8],
        ends: &[[u32; 8]],
        values: &mut [[f32; 8]],
        left: &mut Left,
    ) -> u32 {
        let lengths = &self.lengths;
        let mut spans = [const { MaybeUninit::uninit() }; BLOCK];
        let spans = fill(&mut spans, ends.iter().zip(lengths), |(ends, &length)| {
            // SAFETY: the caller guarantees the ends, and `WINDOW` is greater than 16.
            unsafe { Span::find::<EXPONENTS>(text, ends, length) }
        });
        let mut parts = [const { MaybeUninit::uninit() }; BLOCK];
        let parts = fill(&mut parts, spans, |span| {
            // SAFETY: a field starts at most 32 bytes before its end and never after it. The caller guarantees that this
            // end lies in `WINDOW..=text.len() - REACH`, and `WINDOW` is at least 48.
            unsafe { Parts::read(text, span) }
        });
        let mut rest = 0;
        for (at, (values, (parts, span))) in values.iter_mut().zip(parts.iter().zip(spans)).enumerate() {
            rest |= u32::from(!parts.round::<EXPONENTS>(span, values)) << at;
            left[at] = span.empty();
        }
        if EXPONENTS {
            let spans = spans.iter().zip(lengths);
            self.has_exponents = spans.clone().any(|(span, &length)| span.has_exponents(length));
            if rest == 0 {
                self.format =
                    Format::of(spans.zip(parts).map(|((span, &length), parts)| parts.scientific_length(span, length)));
            }
        } else {
            self.has_exponents = rest != 0;
        }
        rest
    }

    /// Reads fields of up to 32 bytes, optionally with an exponent. Their lengths must have been measured.
    ///
    /// # Safety
    ///
    /// Each end must lie in `WINDOW..=text.len()`.
    #[inline(never)]
    #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
    unsafe fn wide(&mut self, text: &[u8], ends: &[[u32; 8]], values: &mut [[f32; 8]]) -> Left {
        let stages = self.over.iter_mut().zip(&mut self.lengths).zip(&mut self.head_ends);
        for (((over, length), head_ends), ends) in stages.zip(ends) {
            // SAFETY: the caller guarantees the ends, and `WINDOW` is greater than 16.
            let tails = unsafe { load(text, ends) };
            let head;
            (*over, head) = Over::read(tails, *length);
            let known_length = _mm256_min_epu32(*length, int(32));
            let head_end = add(sub(load_integers(ends), known_length), head);
            // SAFETY: the array has 32 bytes.
            unsafe { _mm256_storeu_si256(head_ends.as_mut_ptr().cast(), head_end) };
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
            *left = bits(_mm256_or_si256(digits.bad, unsettled));
        }
        left
    }
}

/// Puts what `value` makes of each of the `sources` into a block.
#[inline(always)]
fn fill<S, T>(
    block: &mut [MaybeUninit<T>; BLOCK],
    sources: impl IntoIterator<Item = S>,
    value: impl Fn(S) -> T,
) -> &[T] {
    let mut count = 0;
    for (place, source) in block.iter_mut().zip(sources) {
        place.write(value(source));
        count += 1;
    }
    // SAFETY: the first `count` places have a value now.
    unsafe { std::slice::from_raw_parts(block.as_ptr().cast(), count) }
}

/// How many blocks of long fields are left to [`Stages::wide`] after a block that was mostly left to it.
const PAUSE: usize = 31;

const _: () = assert!(WINDOW >= 48 && REACH > 16);
