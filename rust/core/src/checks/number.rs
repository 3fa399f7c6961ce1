//! Compares adjacent fields under each instruction set and on the slow path with the oracle.

use crate::dialect::Dialect;
use crate::fields::{Fields, WINDOW};
use crate::simd::Simd;
use crate::table::missing::{MISSING, Missing};
use crate::table::missing::{Value, value};
use crate::value::number::convert;
use arbitrary::Arbitrary;

use super::{naive_value, spell};

const QUOTE: Option<u8> = Some(b'"');
/// The separator between the fields of an input.
const BREAK: u8 = b'\n';
/// Mostly digits, so that long numbers are frequent.
const LETTERS: &[u8] =
    b"012345678901234567890123456789012345678901234567890123456789012345678900000.....--+eeE\n\n\n \t\"x:/n~i\0";

/// Bytes between fields that a careless load would take for part of a field.
const NEIGHBOURS: &[u8] = b",9.-e\n0+";

/// Some fields.
#[derive(Arbitrary, Debug)]
pub struct Input<'a> {
    /// The neighbour before the first field.
    turn: u8,
    /// How often the fields are repeated, to fill registers.
    copies: u8,
    as_they_are: bool,
    bytes: &'a [u8],
}

impl Input<'_> {
    /// Compares the values of every instruction set with the naive ones.
    ///
    /// # Panics
    ///
    /// If they differ.
    pub fn check(&self) {
        let bytes = spell(self.bytes, (!self.as_they_are).then_some(LETTERS));
        let fields: Vec<&[u8]> = bytes.split(|&byte| byte == BREAK).collect();
        let exact: Vec<Option<f32>> = fields.iter().map(|field| naive_number(field)).collect();
        // Many copies have a shape that is known after the first ones.
        let copies = if self.copies < 250 { 1 + usize::from(self.copies % 4) } else { 150 };
        let (fields, exact) = (fields.repeat(copies), exact.repeat(copies));
        for simd in Simd::available() {
            for (at, found) in side_by_side(simd, &fields, self.turn.into()).into_iter().enumerate() {
                let shown = fields[at].escape_ascii();
                if let Some(found) = found {
                    let exact = exact[at].unwrap_or_else(|| panic!("{simd:?}: \"{shown}\" is read as {found}"));
                    assert_eq!(found.to_bits(), exact.to_bits(), "{simd:?}: \"{shown}\": {found} instead of {exact}");
                }
            }
        }
        for field in &fields[..fields.len() / copies] {
            let quoted = field.first() == Some(&b'"');
            if quoted && !matches!(field, [_, inside @ .., b'"'] if !inside.contains(&b'"')) {
                // The index would not yield such a field, and it is not a number.
                continue;
            }
            let (found, exact) = (
                value(field, Dialect::default(), &Missing::default()),
                naive_value(field, Dialect::default(), &MISSING),
            );
            let same = match (found, exact) {
                (Value::Number(found), Value::Number(exact)) => {
                    found.to_bits() == exact.to_bits() || (found.is_nan() && exact.is_nan())
                }
                _ => found == exact,
            };
            assert!(same, "\"{}\": {found:?} instead of {exact:?}", field.escape_ascii());
        }
    }
}

/// The number in a field, without any missing tokens.
fn naive_number(field: &[u8]) -> Option<f32> {
    match naive_value(field, Dialect::default(), &[]) {
        Value::Number(number) => Some(number),
        _ => None,
    }
}

/// How an instruction set reads adjacent fields; `None` where it declines.
fn side_by_side(simd: Simd, fields: &[&[u8]], turn: usize) -> Vec<Option<f32>> {
    let mut neighbours = NEIGHBOURS.iter().copied().cycle().skip(turn);
    let mut text: Vec<u8> = neighbours.clone().take(WINDOW).collect();
    let (mut before, mut ends) = (vec![], vec![]);
    for field in fields {
        before.push(text.len() as u32 - 1);
        text.extend_from_slice(field);
        ends.push(text.len() as u32);
        text.extend(neighbours.next());
    }
    text.pop();
    text.extend(neighbours.take(WINDOW));
    // An exact allocation, so that the sanitizer detects loads past either end.
    let text = text.into_boxed_slice();
    let (mut values, mut declined) = (vec![0.0; fields.len()], vec![]);
    let places = Fields { before: &before, ends: &ends };
    convert(simd, &text, QUOTE, places, &mut values, &mut declined);
    assert!(declined.is_sorted_by(|one, next| one < next), "{declined:?}");
    let mut found: Vec<_> = values.into_iter().map(Some).collect();
    for at in declined {
        assert!(found[at as usize].take().is_some_and(f32::is_nan), "{at} was declined, and has a value");
    }
    found
}
