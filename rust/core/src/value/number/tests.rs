//! Tests that every instruction set reads plain numbers like the standard library, and that the slow path reads the
//! rest.

use super::*;
use crate::dialect::{Dialect, unquote};
use crate::fields::{Fields, WINDOW};
use crate::oracle;
use proptest::prelude::*;

/// Bytes between fields that a careless load would take for part of a field.
const NEIGHBOURS: &[u8] = b",9.-e\n0+";

/// How each instruction set reads adjacent fields. The `turn`-th neighbour precedes the first field.
pub(super) fn convert_each(fields: &[String], turn: usize) -> impl Iterator<Item = (Simd, Vec<Option<f32>>)> {
    let mut neighbours = NEIGHBOURS.iter().cycle().skip(turn);
    let mut text: Vec<u8> = neighbours.clone().take(WINDOW).copied().collect();
    let (mut before, mut ends) = (vec![], vec![]);
    for field in fields {
        before.push(text.len() as u32 - 1);
        text.extend_from_slice(field.as_bytes());
        ends.push(text.len() as u32);
        text.push(*neighbours.next().unwrap());
    }
    text.pop();
    text.extend(neighbours.take(WINDOW));
    // An exact allocation, so that memory checkers detect loads past either end.
    let text = text.into_boxed_slice();
    Simd::available().into_iter().map(move |simd| {
        let (mut values, mut declined) = (vec![0.0; ends.len()], vec![]);
        let fields = Fields { before: &before, ends: &ends };
        convert(simd, &text, Some(b'"'), fields, &mut values, &mut declined);
        assert!(declined.is_sorted_by(|one, next| one < next), "{declined:?}");
        let mut found: Vec<_> = values.into_iter().map(Some).collect();
        for at in declined {
            assert!(found[at as usize].take().is_some_and(f32::is_nan));
        }
        (simd, found)
    })
}

/// Checks that each field is declined or read exactly. Returns whether one was declined.
fn check(fields: &[String], turn: usize) -> bool {
    let exact: Vec<_> =
        fields.iter().map(|field| parse_exact(&unquote(field.as_bytes(), Dialect::default()))).collect();
    let mut any_declined = false;
    for (simd, found) in convert_each(fields, turn) {
        for ((field, exact), found) in fields.iter().zip(&exact).zip(found) {
            let Some(found) = found else {
                any_declined = true;
                continue;
            };
            let exact = exact.unwrap_or_else(|| panic!("{simd:?}: {field:?} is no number, yet read as {found}"));
            assert_eq!(found.to_bits(), exact.to_bits(), "{simd:?}: {field:?}: {found} instead of {exact}");
        }
    }
    any_declined
}

/// Like [`check`], for a field at each place among seven plain ones, and by itself.
fn check_among(field: &str, others: &str) -> bool {
    let declined = (0..8).filter(|&at| {
        let mut fields = vec![others.to_owned(); 8];
        fields[at] = field.to_owned();
        check(&fields, at)
    });
    let alone = (0..NEIGHBOURS.len()).filter(|&turn| check(&[field.to_owned()], turn));
    declined.count() + alone.count() > 0
}

/// Like [`check`], for fields each of which stands alone among many of one shape.
fn check_among_many(fields: &[&str], others: &str) {
    // More than are read together, so that the shape is known before the first field.
    const MANY: usize = 200;
    for fields in fields.chunks(5) {
        let mut many = vec![others.to_owned(); MANY];
        for (at, &field) in fields.iter().enumerate() {
            many.extend(vec![others.to_owned(); MANY - at]);
            many.push(field.to_owned());
        }
        check(&many, 0);
    }
}

/// Fields of up to nine bytes, with and without a dot and a minus, and long ones.
const SHAPES: [&str; 13] = [
    "15",
    "1.5",
    "-1.5",
    "-2.553292",
    "5.",
    "-.5",
    "12345678",
    "-1234.567",
    "0.12345678901234567",
    "-123456.78901234567",
    "8.692932128906250000e-01",
    "-8.692932128906250000e-01",
    "1.500000e+10",
];

#[test]
fn plain_numbers_take_the_fast_path() {
    let plain = [
        "0",
        "-7",
        "+7",
        "12345678",
        "-123456789",
        "123456789012345",
        "1234567890123456",
        "16777217",
        "0.5",
        "-.5",
        "5.",
        "-5.",
        "-3.141593",
        "12345.678901",
        "1234567.25",
        "0.12345678901",
        "-0.12345678901",
        "0.12345678901234567",
        "-0.12345678901234567",
        "0.00012345678901234567",
        "0.000000000000000000e+00",
        "1.000000000000000000e+00",
        "-8.692932128906250000e-01",
        "1.5e-07",
        "1.5e-7",
        "1.234567E+03",
        "1e+20",
        "1 ",
        " 1",
        "\t-1.5\t ",
        "                        1.5",
        "+1.5",
        " +.5",
        "\"1\"",
        "\" -1.5 \"",
        "\"+123456789\"",
        "\"0.12345678901234567\"",
        "\"-8.692932128906250000e-01\"",
    ];
    for field in plain {
        assert!(!check_among(field, "1.5"), "{field}");
        assert!(!check_among(field, "-8.692932128906250000e-01"), "{field}");
        assert!(!check_among(field, "\"1.5\""), "{field}");
    }
    for others in SHAPES {
        check_among_many(&plain, others);
    }
}

#[test]
fn fields_that_are_not_numbers_are_declined() {
    let wrong = [
        "",
        ".",
        "-",
        "-.",
        "--1",
        "1-",
        "1-2",
        "1.-2",
        "-1-2",
        "1.2.3",
        "12.34567890.1234",
        "-1.5.2",
        "1e",
        "e1",
        "e+01",
        "-e+01",
        ".e+01",
        "1e+",
        "1e+1.",
        "1.5e+0e+01",
        ".e1",
        "+",
        "++1",
        "+-1",
        "-+1",
        "\"",
        "\"\"",
        "\"1\"\"2\"",
        "\"1",
        "1\"",
        " \"1\"",
        "\"1\" ",
        " ",
        "1 2",
        "1:2",
        "1/2",
        "1n2",
        "1\u{7e}2",
        "1}2",
        "1=2",
        "..",
        "123456789..",
        "........",
        "................",
        "....................",
        "12345678901234567.8.9",
        "1.234567890123456789.",
        "1.23456789012345678-9",
        "1.234567890123456789x",
        "11111111111111111e",
        "11111111111111111e+",
        "1111111111111111111.e",
        "................e5",
        "1.000000000000000000e*00",
        "1.000000000000000000f+00",
        "1.000000000000000000e+0a",
        "1.00000000000000000 e+00",
        // These must not pass all checks by being mistaken for different things in each.
        ".xxxxxxxxxxxxxxx",
        ".xxxxxxxxxxxxxxx1",
        "-xxxxxxxxxxxxxxx",
        "-....",
        "1.....",
        "1234567890.....",
        "1234567890.....1",
    ];
    for field in wrong {
        assert!(check_among(field, "1.5"), "{field}");
        assert!(check_among(field, "-8.692932128906250000e-01"), "{field}");
        assert!(check_among(field, "\" 1.5\""), "{field}");
    }
    for others in SHAPES {
        check_among_many(&wrong, others);
    }
}

#[test]
fn every_length_is_read_or_declined() {
    for length in 0..80 {
        for filler in ["0", "9", ".", "-", "e", "1.", "é"] {
            let field: String = filler.chars().cycle().take(length).collect();
            check_among(&field, "1.5");
            check_among(&field, "0.12345678901234567");
            check_among(&format!("0.{field}"), "2");
            check_among(&format!("1.{field}e+02"), "2");
        }
    }
}

#[test]
fn every_short_field_of_few_letters_is_checked() {
    let letters = ["1", ".", "-", "n", "x"];
    let mut fields = vec![String::new()];
    for _ in 0..6 {
        fields = fields.iter().flat_map(|field| letters.map(|letter| format!("{field}{letter}"))).collect();
        for fields in fields.chunks(1000) {
            check(fields, 0);
        }
        if fields.len() < 1000 {
            let fields: Vec<_> = fields.iter().map(String::as_str).collect();
            for others in SHAPES {
                check_among_many(&fields, others);
            }
        }
    }
}

/// Checks all decimals of up to `digits` digits with the dot at each place, with and without a minus sign.
fn sweep(digits: u32) {
    let decimal = |mantissa: u32, count: usize, dot: usize| {
        let whole = format!("{mantissa:0count$}");
        let sign = if (mantissa as usize + dot).is_multiple_of(2) { "" } else { "-" };
        let (before, after) = whole.split_at(dot.min(count));
        format!("{sign}{before}{}{after}", if dot > count { "" } else { "." })
    };
    for count in 1..=digits as usize {
        let mantissas: Vec<u32> = (0..10_u32.pow(count as u32)).collect();
        for mantissas in mantissas.chunks(1000) {
            let of = |dot| mantissas.iter().map(move |&mantissa| decimal(mantissa, count, dot));
            // One shape after another, then all of them in turn.
            let mut fields: Vec<_> = (0..=count + 1).flat_map(of).collect();
            fields.extend(
                mantissas.iter().flat_map(|&mantissa| (0..=count + 1).map(move |dot| decimal(mantissa, count, dot))),
            );
            assert!(!check(&fields, mantissas[0] as usize));
        }
    }
}

#[test]
fn short_decimals_are_exact() {
    sweep(4);
}

// This takes some minutes, so it only runs under `cargo test --release`.
#[cfg(not(debug_assertions))]
#[test]
fn longer_decimals_are_exact() {
    sweep(7);
}

/// In a release build, many more.
const CASES: u32 = if cfg!(debug_assertions) { 1_000 } else { 50_000 };

fn finite() -> impl Strategy<Value = f32> {
    any::<u32>().prop_map(f32::from_bits).prop_filter("finite", |value| value.is_finite())
}

proptest! {
    #![proptest_config(crate::checks::cases(CASES))]

    #[test]
    fn agrees_on_numbers(
        fields in prop::collection::vec("[+-]?[0-9]{0,21}(\\.[0-9]{0,21})?(e[+-]?[0-9]{0,3})?", 1..20),
        turn in 0_usize..8,
    ) {
        check(&fields, turn);
    }

    #[test]
    fn agrees_on_short_numbers(
        fields in prop::collection::vec("-?[0-9]{0,8}(\\.[0-9]{0,7})?", 1..40),
        turn in 0_usize..8,
    ) {
        check(&fields, turn);
    }

    #[test]
    fn agrees_on_eight_bytes_and_a_minus(
        fields in prop_oneof![
            prop::collection::vec("-[0-9]{8}|-[0-9]{1,4}\\.[0-9]{4,6}|[0-9]{0,8}|-[0-9]{0,3}\\.[0-9]{0,4}|", 1..70),
            prop::collection::vec("-[0-9][.][0-9]{6}|[0-9.-]{8,9}", 1..70),
            prop::collection::vec("-[-x.0-9]{8}|-?[0-9.]{0,8}|NA", 1..70),
        ],
        turn in 0_usize..8,
    ) {
        check(&fields, turn);
    }

    #[test]
    fn agrees_on_fields_of_one_shape(
        (decimals, count) in (0_usize..9, 1_usize..400),
        numbers in prop::collection::vec((any::<u32>(), 0_u32..30, any::<bool>()), 60),
        odd in prop::collection::vec((0_usize..400, "[-.0-9x]{0,9}"), 0..3),
        turn in 0_usize..8,
    ) {
        let field = |&(bits, shift, minus): &(u32, u32, bool)| {
            let digits = format!("{:0decimals$}", (bits >> shift) % 10_u32.pow(7.max(decimals as u32)));
            let (before, after) = digits.split_at(digits.len() - decimals);
            format!("{}{before}{}{after}", if minus { "-" } else { "" }, if decimals > 0 { "." } else { "" })
        };
        let mut fields: Vec<_> = numbers.iter().map(field).cycle().take(count).collect();
        for (at, odd) in odd {
            fields.get_mut(at).into_iter().for_each(|field| field.clone_from(&odd));
        }
        check(&fields, turn);
    }

    #[test]
    fn agrees_on_long_fields_of_one_format(
        (decimals, count, largest) in (0_usize..23, 1_usize..400, 0_i32..50),
        numbers in prop::collection::vec((any::<u64>(), any::<u64>(), any::<u8>()), 60),
        odd in prop::collection::vec((0_usize..400, any::<prop::sample::Index>(), prop::sample::select(&b"-+.,e09x"[..])), 0..3),
        turn in 0_usize..8,
    ) {
        let field = |&(high, low, bits): &(u64, u64, u8)| {
            let digits = format!("{high:020}{low:020}");
            // Digits, or a tail of zeros or nines.
            let tail = (["", "0", "9"][bits as usize % 3], usize::from(bits) / 3 % (decimals + 1));
            let kept = &digits[1..=if tail.0.is_empty() { decimals } else { tail.1 }];
            let exponent = (high % (2 * largest as u64 + 1)) as i32 - largest;
            let sign = if low % 2 == 0 { "" } else { "-" };
            format!("{sign}{}.{kept}{}e{exponent:+03}", &digits[..1], tail.0.repeat(decimals - kept.len()))
        };
        let mut fields: Vec<_> = numbers.iter().map(field).cycle().take(count).collect();
        for (at, place, byte) in odd {
            if let Some(field) = fields.get_mut(at) {
                let place = place.index(field.len());
                field.replace_range(place..=place, char::from(byte).encode_utf8(&mut [0; 4]));
            }
        }
        check(&fields, turn);
    }

    #[test]
    fn agrees_next_to_ties_cut_at_each_digit(
        bits in prop::collection::vec(0x2000_0000_u32..0x5F00_0000, 1..10),
        is_scientific: bool,
        filler in prop::sample::select(&["", "0", "9", "1"][..]),
    ) {
        for length in 1..26 {
            let fields = bits.iter().map(|&bits| {
                let tie = f64::from_bits(f64::from(f32::from_bits(bits)).to_bits() + (1 << 28));
                let sign = if bits % 2 == 0 { "" } else { "-" };
                let form = if is_scientific { format!("{tie:.30e}") } else { format!("{:.30}", tie % 1e6) };
                let (digits, exponent) = form.split_once('e').map_or((&form[..], None), |(digits, e)| (digits, Some(e)));
                let exponent = exponent.map_or(String::new(), |e| format!("e{:+03}", e.parse::<i32>().unwrap()));
                format!("{sign}{}{}{exponent}", &digits[..length], filler.repeat(25 - length))
            });
            check(&fields.collect::<Vec<_>>(), length);
        }
    }

    #[test]
    fn agrees_on_soup(fields in prop::collection::vec("[-+.0-9eE \"/:xnm~]{0,24}", 1..20), turn in 0_usize..8) {
        check(&fields, turn);
    }

    #[test]
    fn agrees_on_numbers_with_something_around_them(
        fields in prop::collection::vec("(\"[ \t]{0,3}[+-]{0,2}[0-9]{0,9}(\\.[0-9]{0,14})?(e[+-][0-9]{2})?[ \t]{0,3}\"|[ +\"]{0,3}[0-9.]{0,12}[ \"]{0,3})", 1..70),
        turn in 0_usize..8,
    ) {
        check(&fields, turn);
    }

    #[test]
    fn agrees_on_few_letters(
        fields in prop::collection::vec("-?[1.xnx-]{8,18}|[x.-]{14,17}1?(e[+]01)?", 1..20),
        turn in 0_usize..8,
    ) {
        check(&fields, turn);
    }

    #[test]
    fn agrees_on_numbers_with_one_byte_wrong(
        number in "-?[0-9]{1,10}\\.[0-9]{1,18}(e[+-][0-9]{2})?",
        at: prop::sample::Index,
        byte in 0_u8..128,
    ) {
        let mut field = number.clone().into_bytes();
        let at = at.index(field.len());
        field[at] = byte;
        let mut fields = vec![number; 8];
        fields[at % 8] = String::from_utf8(field).unwrap();
        check(&fields, at);
    }

    #[test]
    fn agrees_on_shortest_and_long_forms(values in prop::collection::vec(finite(), 1..20)) {
        let forms: [fn(f32) -> String; 6] = [
            |value| format!("{value}"),
            |value| format!("{value:e}"),
            |value| {
                let form = format!("{:.18e}", f64::from(value));
                let (digits, exponent) = form.split_once('e').unwrap();
                format!("{digits}e{:+03}", exponent.parse::<i32>().unwrap())
            },
            |value| format!("{:.6}", f64::from(value) % 1e9),
            |value| format!("{:.12}", f64::from(value) % 1e2),
            |value| format!("{}", f64::from(value) / 3.0),
        ];
        for form in forms {
            check(&values.iter().map(|&value| form(value)).collect::<Vec<_>>(), 0);
        }
    }

    #[test]
    fn agrees_next_to_ties(bits in prop::collection::vec((0x0D00_0000_u32..0x7F80_0000, -1_i64..=1), 1..10)) {
        for form in [|tie: f64| format!("{tie:e}"), |tie| format!("{tie:.17e}"), |tie| format!("{tie}")] {
            let ties = bits.iter().map(|&(bits, step)| {
                // Halfway to the next float32, and the adjacent float64s.
                let value = f64::from(f32::from_bits(bits));
                form(f64::from_bits((value.to_bits() + (1 << 28)).wrapping_add_signed(step)))
            });
            check(&ties.collect::<Vec<_>>(), 0);
        }
    }

    #[test]
    fn agrees_with_exact_integers(
        numbers in prop::collection::vec((any::<u64>(), 0_u32..64, 0_usize..19, -20_i32..20), 1..10),
    ) {
        let mut fields = vec![];
        let mut exact = vec![];
        for (mantissa, shift, places, exponent) in numbers {
            let mantissa = mantissa >> shift;
            let digits = format!("{mantissa:0width$}", width = places + 1);
            let (before, after) = digits.split_at(digits.len() - places);
            fields.push(format!("{before}.{after}e{exponent:+03}"));
            exact.push(oracle::nearest(mantissa, exponent - places as i32));
        }
        for (simd, found) in convert_each(&fields, 0) {
            for ((field, exact), found) in fields.iter().zip(&exact).zip(found) {
                prop_assert!(found.is_none_or(|found| found.to_bits() == exact.to_bits()), "{:?} {}", simd, field);
            }
        }
    }
}
