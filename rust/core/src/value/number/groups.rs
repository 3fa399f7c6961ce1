//! Processes fields in groups that fill a register. The instruction sets with vectors share this code.

use std::array::from_fn;

use super::one;
use super::places::{BLOCK, Left, Places, set_bits, set_bits_of};
use super::token::Token;
use super::trim::{bare, is_dressed};
use crate::fields::Fields;

/// The expected form of fields.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// Up to eight bytes, without an exponent.
    Tiny,
    /// Up to fifteen bytes, without an exponent.
    Short,
    /// Up to 32 bytes, optionally with a two-digit exponent.
    Wide,
}

/// The ways in which an instruction set reads `N` fields at once.
pub(super) trait Ways<const N: usize> {
    /// Reads a block of at most [`BLOCK`] groups in the expected form or a longer one. Returns the form used, and the
    /// fields left.
    fn read(&mut self, text: &[u8], places: Places<'_, N>, values: &mut [[f32; N]], expected: Form) -> (Form, Left);

    /// See [`Token::take_out`].
    fn take_out(
        &mut self,
        token: Token,
        text: &[u8],
        places: Places<'_, N>,
        values: &mut [[f32; N]],
        left: &mut Left,
    ) -> bool {
        token.take_out(text, places, values, left)
    }
}

/// See [`super::convert_with`].
pub(super) fn convert<const N: usize>(
    ways: &mut impl Ways<N>,
    text: &[u8],
    quote: Option<u8>,
    missing: Option<Token>,
    fields: Fields<'_>,
    values: &mut [f32],
    declined: &mut Vec<u32>,
) -> bool {
    let (before, before_rest) = fields.before.as_chunks();
    let (ends, ends_rest) = fields.ends.as_chunks();
    let (groups, values_rest) = values.as_chunks_mut();
    let mut reader = Reader { ways, text, quote, missing, found: false, expected: Form::Tiny, dressed: false };
    reader.convert(Places { before, ends }, groups, declined);
    let rest = values_rest.len();
    if rest > 0 {
        let first = (N * groups.len()) as u32;
        // Pad the group with copies of the last field.
        let before = from_fn(|at| before_rest[at.min(rest - 1)]);
        let ends = from_fn(|at| ends_rest[at.min(rest - 1)]);
        let mut values = [[0.0; N]];
        let mut left = Vec::new();
        reader.convert(Places { before: &[before], ends: &[ends] }, &mut values, &mut left);
        values_rest.copy_from_slice(&values[0][..rest]);
        declined.extend(left.into_iter().filter(|&at| (at as usize) < rest).map(|at| first + at));
    }
    reader.found
}

/// Reads groups and expects them to have the form of the previous ones.
struct Reader<'a, W> {
    ways: &'a mut W,
    text: &'a [u8],
    quote: Option<u8>,
    /// The token that stands for missing numbers.
    missing: Option<Token>,
    /// Whether there were fields without a value.
    found: bool,
    expected: Form,
    /// Whether many fields had something around the number.
    dressed: bool,
}

impl<W> Reader<'_, W> {
    fn convert<const N: usize>(&mut self, places: Places<'_, N>, values: &mut [[f32; N]], declined: &mut Vec<u32>)
    where
        W: Ways<N>,
    {
        for first in (0..values.len()).step_by(BLOCK) {
            let block = first..values.len().min(first + BLOCK);
            let (places, values) = (places.part(block.clone()), &mut values[block]);
            if self.dressed {
                self.convert_dressed(places, values, N * first, declined);
                continue;
            }
            let (form, mut left) = self.ways.read(self.text, places, values, self.expected);
            if are_none(&left)
                || self.are_missing(places, &mut left, values)
                || self.are_words(places, &left, values, N * first, declined)
            {
                continue;
            }
            let words = self.words(places, &left);
            let is_dressed = |place| is_dressed(self.text, self.quote, place);
            let dressed = |(at, (&left, &words)): (usize, (&u32, &u32))| {
                set_bits(left & !words).filter(|&field| is_dressed(places.of(at, field))).count()
            };
            // From one such field per group on, convert whole blocks instead of single fields.
            if left.iter().zip(&words).enumerate().map(dressed).sum::<usize>() >= values.len() {
                self.convert_dressed(places, values, N * first, declined);
            } else {
                self.finish(places, places, values, (form, left, words), N * first, declined);
            }
        }
    }

    /// Reads a block whose numbers may have something around them.
    #[inline(never)]
    fn convert_dressed<const N: usize>(
        &mut self,
        places: Places<'_, N>,
        values: &mut [[f32; N]],
        first: usize,
        declined: &mut Vec<u32>,
    ) where
        W: Ways<N>,
    {
        let mut before = [[0; N]; BLOCK];
        let mut ends = [[0; N]; BLOCK];
        let mut dressed = 0;
        for at in 0..values.len() {
            for field in 0..N {
                let place = places.of(at, field);
                let bare = bare(self.text, self.quote, place.clone());
                before[at][field] = bare.start as u32 - 1;
                ends[at][field] = bare.end as u32;
                dressed += usize::from(bare.len() < place.len());
            }
        }
        self.dressed = dressed >= values.len();
        let bare = Places { before: &before[..values.len()], ends: &ends[..values.len()] };
        let (form, mut left) = self.ways.read(self.text, bare, values, self.expected);
        if are_none(&left) || self.are_missing(bare, &mut left, values) {
            return;
        }
        let words = self.words(bare, &left);
        self.finish(places, bare, values, (form, left, words), first, declined);
    }

    /// Takes the missing fields out of those `left` of a block. Returns whether no others are left.
    #[inline]
    fn are_missing<const N: usize>(&mut self, places: Places<'_, N>, left: &mut Left, values: &mut [[f32; N]]) -> bool
    where
        W: Ways<N>,
    {
        let Some(token) = self.missing else { return false };
        self.found |= self.ways.take_out(token, self.text, places, values, left);
        are_none(left)
    }

    /// Declines the fields `left` of a block if each of them is empty or begins with a letter, as the missing values among
    /// numbers do. Where such a field comes next is unpredictable, so there is no branch for each group.
    fn are_words<const N: usize>(
        &self,
        places: Places<'_, N>,
        left: &Left,
        values: &mut [[f32; N]],
        first: usize,
        declined: &mut Vec<u32>,
    ) -> bool {
        const MOST: usize = 16 * BLOCK;
        let mut words = [0_u32; MOST];
        let mut count = 0;
        let groups = 64 / N;
        for (at, left) in left.chunks(groups).enumerate() {
            let bits = left.iter().rev().fold(0, |bits, &left| bits << N | u64::from(left));
            let mut others = false;
            for bit in set_bits_of(bits) {
                let field = at * 64 + bit;
                let place = places.of(field / N, field % N);
                let is_letter = self.text.get(place.start).is_some_and(u8::is_ascii_alphabetic);
                others |= !(place.is_empty() | is_letter);
                words[count % MOST] = (first + field) as u32;
                values[field / N][field % N] = f32::NAN;
                count += 1;
            }
            if others {
                return false;
            }
        }
        declined.extend_from_slice(&words[..count]);
        true
    }

    /// Those of the fields `left` that are empty or begin with a letter. Parsing them is pointless, and where one value
    /// is missing, many are.
    fn words<const N: usize>(&self, places: Places<'_, N>, left: &Left) -> Left {
        let mut words = [0; BLOCK];
        for (at, (words, &left)) in words.iter_mut().zip(left).enumerate() {
            for field in set_bits(left) {
                let place = places.of(at, field);
                let is_word = place.is_empty() || self.text.get(place.start).is_some_and(u8::is_ascii_alphabetic);
                *words |= u32::from(is_word) << field;
            }
        }
        words
    }

    /// Reads the fields `left` of a block in other ways, except for `words`. `bare` has the positions of the numbers
    /// within `places`, and `first` is the index of the first field.
    fn finish<const N: usize>(
        &mut self,
        places: Places<'_, N>,
        bare: Places<'_, N>,
        values: &mut [[f32; N]],
        (form, left, words): (Form, Left, Left),
        first: usize,
        declined: &mut Vec<u32>,
    ) where
        W: Ways<N>,
    {
        let mut exponents = 0;
        for at in 0..values.len() {
            let mut refused = words[at];
            let mut left = left[at] & !refused;
            // A field this short that is left over is usually a missing token.
            if form != Form::Wide && set_bits(left).any(|field| bare.length(at, field) > 4) {
                let (bare, values) = (bare.part(at..at + 1), &mut values[at..=at]);
                let mut again = self.ways.read(self.text, bare, values, Form::Wide).1;
                self.are_missing(bare, &mut again, values);
                left = again[0] & !refused;
                exponents += usize::from(left == 0);
            }
            for field in set_bits(left) {
                match one(self.text, self.quote, places.of(at, field)) {
                    Some(number) => values[at][field] = number,
                    None => refused |= 1 << field,
                }
            }
            for field in set_bits(refused) {
                values[at][field] = f32::NAN;
                declined.push((first + N * at + field) as u32);
            }
        }
        if 2 * exponents > values.len() {
            self.expected = Form::Wide;
        }
    }
}

/// Whether no field is left.
fn are_none(left: &Left) -> bool {
    left.iter().fold(0, |any, left| any | left) == 0
}
