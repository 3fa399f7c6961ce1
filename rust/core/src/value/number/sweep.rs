//! Compares many random fields of many shapes, under every instruction set and on the slow path, with the exact value.

use std::fmt::Write;

use super::Notation;
use super::tests::convert_each;
use crate::dialect::{Dialect, unquote};
use crate::oracle;

/// How many fields are compared: as many as this variable says, or ten million in release builds, which `make sweep`
/// runs.
const FIELDS: &str = "CSVFEED_SWEEP";

fn number_of_fields() -> usize {
    let few = if cfg!(debug_assertions) { 20_000 } else { 10_000_000 };
    std::env::var(FIELDS).map_or(few, |fields| fields.parse().expect("a number of fields"))
}
/// One in this many fields is also checked with big integers.
const PROVEN: u64 = 4;

/// Sebastiano Vigna's splitmix64.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// A number below `limit`.
    fn below(&mut self, limit: usize) -> usize {
        ((u128::from(self.bits()) * limit as u128) >> 64) as usize
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }

    fn digits(&mut self, text: &mut String, count: usize) {
        text.extend((0..count).map(|_| char::from(b'0' + self.below(10) as u8)));
    }

    fn zeros(&mut self, text: &mut String, limit: usize) {
        let count = self.below(limit);
        text.extend(std::iter::repeat_n('0', count));
    }

    /// A positive finite float32. All exponents are equally likely.
    fn float32(&mut self) -> f32 {
        f32::from_bits(self.below(f32::INFINITY.to_bits() as usize) as u32)
    }

    /// A number halfway between two float32s.
    fn tie(&mut self) -> f64 {
        halfway(self.float32())
    }
}

/// The number halfway between a float32 and the next.
fn halfway(below: f32) -> f64 {
    // For the largest float32, use the value that would follow it without infinity.
    let above = below.next_up();
    let above = if above.is_finite() { above.into() } else { 2_f64.powi(128) };
    f64::midpoint(below.into(), above)
}

/// Writes fields of one shape.
type Shape = fn(&mut Random, &mut String);

const SHAPES: [Shape; 17] = [
    integer,
    decimal,
    six_places,
    eighteen_places,
    shortest,
    seventeen_digits,
    short_exponent,
    long_exponent,
    next_to_a_tie,
    short_next_to_a_tie,
    eighteen_places_next_to_a_tie,
    cut_next_to_a_tie,
    subnormal,
    around_the_largest,
    leading_zeros,
    word,
    junk,
];

fn integer(random: &mut Random, text: &mut String) {
    let count = 1 + random.below(20);
    random.digits(text, count);
}

fn decimal(random: &mut Random, text: &mut String) {
    let (whole, places) = (random.below(13), random.below(22));
    random.digits(text, whole);
    text.push('.');
    random.digits(text, places);
}

/// A number as in measurements.
fn measured(random: &mut Random) -> f64 {
    let spread = 10_f64.powi(random.below(9) as i32 - 4);
    // The sum of a few uniform numbers is close enough to normal.
    let sum: f64 = (0..4).map(|_| random.bits() as f64 / 2_f64.powi(64)).sum();
    (sum - 2.0).abs() * spread
}

fn six_places(random: &mut Random, text: &mut String) {
    write!(text, "{:.6}", measured(random)).unwrap();
}

/// The notation of C, with a two-digit exponent.
fn scientific(text: &mut String, value: f64, places: usize) {
    let printed = format!("{value:.places$e}");
    let (digits, exponent) = printed.split_once('e').unwrap();
    write!(text, "{digits}e{:+03}", exponent.parse::<i32>().unwrap()).unwrap();
}

fn eighteen_places(random: &mut Random, text: &mut String) {
    let value = if random.one_in(2) { f64::from(random.float32()) } else { f64::from(measured(random) as f32) };
    scientific(text, value, 18);
}

fn shortest(random: &mut Random, text: &mut String) {
    match random.below(4) {
        0 => write!(text, "{}", random.float32()),
        1 => write!(text, "{:e}", random.float32()),
        2 => write!(text, "{:e}", measured(random)),
        _ => write!(text, "{}", measured(random)),
    }
    .unwrap();
}

fn seventeen_digits(random: &mut Random, text: &mut String) {
    let value = measured(random);
    let whole = value.log10().ceil() as i32;
    write!(text, "{value:.places$}", places = (17 - whole).clamp(0, 25) as usize).unwrap();
}

fn mantissa(random: &mut Random, text: &mut String) {
    let (whole, places) = (random.below(8), random.below(19));
    random.digits(text, whole);
    if !random.one_in(4) {
        text.push('.');
        random.digits(text, places);
    }
}

fn short_exponent(random: &mut Random, text: &mut String) {
    mantissa(random, text);
    text.push_str(random.pick(&["e", "e+", "e-", "E", "E-"]));
    let count = 1 + random.below(2);
    random.digits(text, count);
}

fn long_exponent(random: &mut Random, text: &mut String) {
    mantissa(random, text);
    if random.one_in(2) {
        // Zeros that compensate the exponent.
        random.zeros(text, 400);
    }
    text.push_str(random.pick(&["e", "e+", "e-", "E", "E-"]));
    random.zeros(text, 4);
    let count = 1 + random.below(5);
    random.digits(text, count);
}

/// Exactly halfway between two float32s, or off by a digit far out.
fn next_to_a_tie(random: &mut Random, text: &mut String) {
    // More digits than any tie has.
    let exact =
        if random.one_in(2) { format!("{:.180e}", random.tie()) } else { format!("{:.180}", random.tie() % 1e9) };
    let (digits, exponent) = exact.split_at(exact.find('e').unwrap_or(exact.len()));
    let digits = digits.trim_end_matches('0');
    let far = random.below(30);
    match random.below(3) {
        0 => text.push_str(digits),
        1 => {
            text.push_str(digits);
            text.extend(std::iter::repeat_n('0', far));
            random.digits(text, 1);
        }
        _ => match digits.as_bytes() {
            [rest @ .., last @ b'1'..=b'9'] => {
                text.push_str(std::str::from_utf8(rest).unwrap());
                text.push(char::from(last - 1));
                text.extend(std::iter::repeat_n('9', 1 + far));
            }
            _ => text.push_str(digits),
        },
    }
    text.push_str(exponent);
}

/// The same with at most as many digits as the fast paths take.
fn short_next_to_a_tie(random: &mut Random, text: &mut String) {
    let tie = random.tie();
    let beside = f64::from_bits((tie.to_bits() + random.below(5) as u64).saturating_sub(2));
    match random.below(4) {
        0 => write!(text, "{beside:e}").unwrap(),
        1 => write!(text, "{}", beside % 1e9).unwrap(),
        2 => scientific(text, beside, 12 + random.below(8)),
        _ => write!(text, "{:.places$}", beside % 1e6, places = 6 + random.below(14)).unwrap(),
    }
}

/// The same in the format that most columns of many digits have.
fn eighteen_places_next_to_a_tie(random: &mut Random, text: &mut String) {
    let tie = if random.one_in(4) { random.tie() } else { halfway(measured(random) as f32) };
    scientific(text, f64::from_bits(tie.to_bits() - 12 + random.below(25) as u64), 18);
}

/// Exactly halfway between two float32s up to some digit, and zeros, nines or other digits from there on.
fn cut_next_to_a_tie(random: &mut Random, text: &mut String) {
    let small = random.tie() % 1e7;
    let (exact, exponent) = match format!("{:.40e}", random.tie()).split_once('e') {
        Some((digits, exponent)) if random.one_in(2) => {
            (digits.to_owned(), format!("e{:+03}", exponent.parse::<i32>().unwrap()))
        }
        _ => (format!("{small:.40}"), String::new()),
    };
    let length = 10 + random.below(16);
    let cut = 1 + random.below(length);
    text.push_str(&exact[..cut]);
    match random.below(3) {
        0 => text.extend(std::iter::repeat_n('0', length - cut)),
        1 => text.extend(std::iter::repeat_n('9', length - cut)),
        _ => random.digits(text, length - cut),
    }
    text.push_str(&exponent);
}

fn subnormal(random: &mut Random, text: &mut String) {
    // Up to four times the smallest normal number, and some that underflow to zero.
    let value = f64::from(f32::from_bits(random.below(5 << 23) as u32)) / [1.0, 2.0, 1e3][random.below(3)];
    match random.below(3) {
        0 => write!(text, "{value:e}").unwrap(),
        1 => write!(text, "{value:.60}").unwrap(),
        _ => scientific(text, value, random.below(20)),
    }
}

fn around_the_largest(random: &mut Random, text: &mut String) {
    let (places, tenfold) = (random.below(19), random.below(4));
    let value = f64::from(f32::MAX)
        * (1.0 + (random.below(2001) as f64 - 1000.0) / 1000.0 * 10_f64.powi(-8 + 2 * tenfold as i32));
    if random.one_in(4) { write!(text, "{value}").unwrap() } else { scientific(text, value, places) }
}

fn leading_zeros(random: &mut Random, text: &mut String) {
    random.zeros(text, 40);
    match random.below(3) {
        0 => integer(random, text),
        1 => decimal(random, text),
        _ => {
            text.push('.');
            random.zeros(text, 50);
            let count = random.below(20);
            random.digits(text, count);
        }
    }
}

fn word(random: &mut Random, text: &mut String) {
    text.push_str(random.pick(&["", "", "NA", "nan", "NaN", "inf", "Infinity", "-inf", "null", ".", "-", "e5", "é"]));
}

fn junk(random: &mut Random, text: &mut String) {
    let letters = random.pick(&[&b"0123456789.-+e"[..], b"01.-+eE x:/\t", b"1.-nx"]);
    let count = random.below(36);
    text.extend((0..count).map(|_| char::from(letters[random.below(letters.len())])));
}

/// A field, and the text inside it.
struct Written {
    field: String,
    inner: String,
}

fn write_field(random: &mut Random, shape: Shape, dressed: bool) -> Written {
    let mut inner = String::from(match random.below(16) {
        0..6 => "-",
        6 => "+",
        _ => "",
    });
    shape(random, &mut inner);
    if random.one_in(64) && inner.is_ascii() && !inner.is_empty() {
        let at = random.below(inner.len());
        inner.replace_range(at..=at, random.pick(&["0", "9", ".", "-", "e", "x", "/", ":"]));
    }
    let (open, close) = match random.below(if dressed { 6 } else { 64 }) {
        0 => ("\"", "\""),
        1 => ("\" ", "\t\""),
        2 => (" ", ""),
        3 => ("", " "),
        _ => ("", ""),
    };
    let field = format!("{open}{inner}{close}");
    inner.truncate(inner.trim_end_matches([' ', '\t']).len());
    let inner = inner.trim_start_matches([' ', '\t']).to_owned();
    Written { field, inner }
}

/// The value of a text by the standard library, or by big integers where the standard library caps exponents.
fn exact(text: &str, prove: bool) -> Option<f32> {
    let exponent = text.find(['e', 'E']).map_or("", |at| text[at + 1..].trim_start_matches(['-', '+']));
    if exponent.len() > 4 {
        return oracle::number(text.as_bytes());
    }
    let nearest = text.parse().ok();
    if prove {
        let proven = oracle::number(text.as_bytes());
        assert!(are_same(nearest, proven), "{text:?}: {nearest:?} by the standard library, {proven:?} by big integers");
    }
    nearest
}

/// Whether both have the same bits. All NaNs count as the same.
fn are_same(one: Option<f32>, other: Option<f32>) -> bool {
    one.map(f32::to_bits) == other.map(f32::to_bits)
        || one.zip(other).is_some_and(|(one, other)| one.is_nan() && other.is_nan())
}

const DIALECT: Dialect = Dialect::new(b',', Some(b'"'));

#[test]
fn every_shape_is_exact() {
    let random = &mut Random(2026);
    let mut left = number_of_fields();
    while left > 0 {
        // Fields of one shape, as in a column, or of all shapes.
        let count = (1 + random.below(400)).min(left);
        left -= count;
        let column = (!random.one_in(3)).then(|| SHAPES[random.below(SHAPES.len())]);
        let dressed = random.one_in(4);
        let written: Vec<_> = (0..count)
            .map(|_| {
                let any = SHAPES[random.below(SHAPES.len())];
                let shape = if random.one_in(50) { any } else { column.unwrap_or(any) };
                write_field(random, shape, dressed)
            })
            .collect();
        let fields: Vec<_> = written.iter().map(|written| written.field.clone()).collect();
        let exact_values: Vec<_> =
            written.iter().map(|written| exact(&written.inner, random.bits().is_multiple_of(PROVEN))).collect();
        for (simd, found) in convert_each(&fields, random.below(8)) {
            for ((written, &exact), found) in written.iter().zip(&exact_values).zip(found) {
                let field = &written.field;
                assert!(
                    found.is_none() || are_same(found, exact),
                    "{simd:?}: {field:?}: {found:?} instead of {exact:?}"
                );
            }
        }
        for (Written { field, inner }, exact) in written.iter().zip(exact_values) {
            let found = Notation::of(DIALECT).parse(&unquote(field.as_bytes(), DIALECT));
            let is_right = if inner.is_empty() { found.is_none() } else { are_same(found, exact) };
            assert!(is_right, "{field:?}: {found:?} instead of {exact:?}");
        }
    }
}
