//! Computes the marks of a text with quotes from its masks.

use std::ops::Range;

use super::chunks::{Density, Instructions, STRIDE, Scan};
use super::masks::{Masks, Special};
use super::quotes::{FieldEnds, Quotes, State};
use super::scan::scan;
use super::{LineEnds, Marks};
use crate::fields::WINDOW;
use crate::simd::Simd;

/// What is known of a text with quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) line_ends: LineEnds,
    /// Whether quotes stand only around fields, and none within them.
    pub(super) is_bare: bool,
    /// The number of newlines inside quotes.
    pub(super) quoted_newlines: usize,
}

/// Appends the position of each delimiter and newline of `bytes[WINDOW..]` that ends a field. Returns `None`, with
/// arbitrary marks appended, if a field has wrong quotes.
pub(super) fn fill(simd: Simd, bytes: &[u8], special: Special, marks: &mut Marks) -> Option<Found> {
    let fields = Fields {
        quotes: Quotes::new(State::FieldStart),
        field_ends: FieldEnds::default(),
        is_bare: true,
        lines: 0,
        newlines: 0,
        returns: 0,
        end: 0,
        written: 0,
        marks: Filling::new(marks),
    };
    let fields = scan(simd, &bytes[WINDOW..], special, fields);
    let Fields { quotes, field_ends, is_bare, lines, newlines, returns, .. } = fields;
    let line_ends = LineEnds { newlines, returns: returns != 0, in_step: false };
    (field_ends.are_valid() && !quotes.is_inside()).then_some(Found {
        line_ends,
        is_bare,
        quoted_newlines: lines - newlines,
    })
}

/// Appends the marks around each field of `bytes[WINDOW..]`, without the quotes around it: `before` gets the position
/// before its first byte, and `ends` the one after its last. A carriage return after the quotes still belongs to the
/// field, and so do the quotes before it. Returns `None`, with arbitrary marks appended, if a quote stands anywhere else
/// than around a field.
pub(super) fn fill_bare(
    simd: Simd,
    bytes: &[u8],
    special: Special,
    before: &mut Marks,
    ends: &mut Marks,
) -> Option<Found> {
    let fields = BareFields {
        inside: 0,
        starts: 1,
        opened: 0,
        closed: 0,
        ended: 0,
        returned: 0,
        wrong: 0,
        lines: 0,
        newlines: 0,
        returns: 0,
        end: 0,
        written: 0,
        before: Filling::new(before),
        ends: Filling::new(ends),
    };
    let fields = scan(simd, &bytes[WINDOW..], special, fields);
    let BareFields { inside, starts, ended, returned, wrong, lines, newlines, returns, .. } = fields;
    // What the chunk after the last would add.
    if starts != 0 {
        before.push(bytes.len() as u32 - 1);
    }
    if ended != 0 {
        ends.push(bytes.len() as u32 - 1);
    }
    let line_ends = LineEnds { newlines, returns: returns != 0, in_step: false };
    (inside | returned | wrong == 0).then_some(Found { line_ends, is_bare: true, quoted_newlines: lines - newlines })
}

/// Marks that grow by those of one stride after another.
struct Filling<'a> {
    marks: &'a mut Marks,
    /// The marks of each chunk of this stride, one bit for each. They are written together, which lets the processor look
    /// at several chunks at a time.
    masks: [u64; STRIDE],
}

impl<'a> Filling<'a> {
    fn new(marks: &'a mut Marks) -> Self {
        Self { marks, masks: [0; STRIDE] }
    }

    /// Takes the mask of the chunk at this position.
    #[inline(always)]
    fn take(&mut self, position: usize, mask: u64) {
        self.masks[position / 64 % STRIDE] = mask;
    }

    /// Appends the positions of the set bits of the chunks in a range, all of this stride. The lowest bit of the first has
    /// position `base`.
    #[inline(always)]
    fn append<I: Instructions>(&mut self, instructions: I, base: usize, chunks: Range<usize>) {
        let masks = &self.masks[chunks.start / 64 % STRIDE..][..chunks.len() / 64];
        let found = masks.iter().map(|mask| mask.count_ones() as usize).sum();
        let density = Density::of(found, masks.len());
        let rooms = self.marks.rooms(STRIDE);
        let mut filled = 0;
        for (at, &mask) in masks.iter().enumerate() {
            let places = rooms[filled..].first_chunk_mut().expect("room for each chunk");
            instructions.write_positions(places, (base + 64 * at) as u32, mask, density);
            filled += mask.count_ones() as usize;
        }
        self.marks.advance(filled);
    }
}

/// Finds the ends of fields with and without quotes.
struct Fields<'a> {
    quotes: Quotes,
    field_ends: FieldEnds,
    is_bare: bool,
    /// All newlines, and those outside quotes.
    lines: usize,
    newlines: usize,
    returns: u64,
    /// The position after the latest chunk, and after the latest whose marks are written.
    end: usize,
    written: usize,
    marks: Filling<'a>,
}

impl Scan for Fields<'_> {
    #[inline(always)]
    fn look<I: Instructions>(&mut self, instructions: I, position: usize, masks: Masks) {
        let followed = self.quotes.follow(instructions, &masks);
        self.field_ends.check(&masks, followed);
        self.is_bare &= followed.is_bare();
        self.lines += masks.newlines.count_ones() as usize;
        self.newlines += (masks.newlines & followed.ends).count_ones() as usize;
        self.returns |= masks.returns;
        self.marks.take(position, followed.ends);
        self.end = position + 64;
    }

    #[inline(always)]
    fn end_stride<I: Instructions>(&mut self, instructions: I) -> bool {
        self.marks.append(instructions, WINDOW + self.written, self.written..self.end);
        self.written = self.end;
        true
    }
}

/// Finds the marks of fields that have quotes around them or none at all.
struct BareFields<'a> {
    /// All ones if the next byte is inside quotes.
    inside: u64,
    /// 1 if a field starts at the next byte.
    starts: u64,
    /// 1 if the previous byte was an opening quote.
    opened: u64,
    /// 1 if the previous byte was a closing quote.
    closed: u64,
    /// 1 if the previous byte ended an unquoted field.
    ended: u64,
    /// 1 if the previous byte was a carriage return right after a closing quote.
    returned: u64,
    /// The bytes that do not belong where they are.
    wrong: u64,
    /// All newlines, and those outside quotes.
    lines: usize,
    newlines: usize,
    returns: u64,
    /// The position after the latest chunk, and after the latest whose marks are written.
    end: usize,
    written: usize,
    before: Filling<'a>,
    ends: Filling<'a>,
}

impl Scan for BareFields<'_> {
    #[inline(always)]
    fn look<I: Instructions>(&mut self, instructions: I, position: usize, masks: Masks) {
        let within = instructions.prefix_xor(masks.quotes) ^ self.inside;
        let (opening, closing) = (masks.quotes & within, masks.quotes & !within);
        let ends = masks.ends & !within;
        let starts = ends << 1 | self.starts;
        let after = closing << 1 | self.closed;
        let strays = after & !ends;
        let returns = strays & masks.returns;
        self.wrong |= opening & !starts | strays ^ returns | (returns << 1 | self.returned) & !masks.newlines;
        // A bit stands for the position before its own: the mark before a field without quotes, and its opening quote.
        let before = starts & !opening | opening << 1 | self.opened;
        // Likewise for the mark after a field without quotes, and for its closing quote.
        let plain = ends & !after;
        let stops = plain << 1 | self.ended | ends & after;
        self.before.take(position, before);
        self.ends.take(position, stops);
        self.end = position + 64;
        self.lines += masks.newlines.count_ones() as usize;
        self.newlines += (masks.newlines & ends).count_ones() as usize;
        self.returns |= masks.returns;
        // Spreads the bit of the last byte over all bits.
        self.inside = (within as i64 >> 63) as u64;
        self.starts = ends >> 63;
        self.opened = opening >> 63;
        self.closed = closing >> 63;
        self.ended = plain >> 63;
        self.returned = returns >> 63;
    }

    #[inline(always)]
    fn end_stride<I: Instructions>(&mut self, instructions: I) -> bool {
        let base = WINDOW + self.written - 1;
        self.before.append(instructions, base, self.written..self.end);
        self.ends.append(instructions, base, self.written..self.end);
        self.written = self.end;
        self.wrong == 0
    }
}
