//! Computes the marks of a text with quotes from its masks.

use super::masks::Special;
use super::quotes::{FieldEnds, Quotes, State};
use super::stride;
use super::{LineEnds, Marks};
use crate::fields::WINDOW;
use crate::simd::Simd;

/// Appends the position of each delimiter and newline of `bytes[WINDOW..]` that ends a field, and describes the line
/// ends. Returns `None`, with arbitrary marks appended, if a field has wrong quotes.
pub(super) fn fill(simd: Simd, bytes: &[u8], special: Special, marks: &mut Marks) -> Option<LineEnds> {
    let mut quotes = Quotes::new(State::FieldStart);
    let mut field_ends = FieldEnds::default();
    let (mut newlines, mut returns) = (0, 0);
    stride::for_each_stride(simd, &bytes[WINDOW..], special, |position, masks| {
        // Work on copies, which stay in registers.
        let (mut here, mut field_ends_here) = (quotes, field_ends);
        for masks in &mut *masks {
            let followed = here.follow(masks);
            field_ends_here.check(masks, followed);
            returns |= masks.returns;
            masks.ends = followed.ends;
            masks.newlines &= followed.ends;
        }
        (quotes, field_ends) = (here, field_ends_here);
        stride::append_ends(simd, marks, WINDOW + position, masks);
        newlines += stride::count_newlines(simd, masks);
    });
    (field_ends.are_valid() && !quotes.is_inside()).then_some(LineEnds {
        newlines,
        returns: returns != 0,
        in_step: false,
    })
}
