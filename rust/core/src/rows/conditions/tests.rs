//! Compares choosing by conditions with a naive reading of each field.

use std::sync::Arc;

use super::*;
use crate::choose::conditions::{Bounds, Wanted};
use crate::choose::{Chooser, Cursor};
use crate::oracle;
use crate::rows::rejects::Recording;
use crate::rows::{Parser, Pool, Widths};
use crate::simd::Simd;
use crate::source::MemorySource;
use crate::split::Splitter;
use crate::table::missing::Missing;
use crate::table::schema::{Column, MissingTarget, OnError, Targets};
use crate::text::Text;
use proptest::prelude::*;

const COMMA: Dialect = Dialect::new(b',', Some(b'"'));
/// The number of the first row, so that none is a missing token.
const FIRST: usize = 100;
const ENDS: [&str; 7] = ["-2.5", "0", "0.1", "1", "9", "16777216", "16777217"];
const WORDS: [&str; 3] = ["UA", "a \"b\"", "a long category"];

/// The row numbers that are chosen, the line and column of the error, and those of each reject.
type Found = (Vec<usize>, Option<(usize, usize)>, Vec<(usize, usize)>);

/// Columns of numbers, of which the first is the number of the row, and the second is read or not; of texts, and of
/// truth values.
fn schema(reads_number: bool, on_error: OnError) -> Schema {
    let columns = ["row", "number", "text", "boolean"].map(String::from).to_vec();
    let features: Vec<_> = (0..=i64::from(reads_number)).map(Column::Index).collect();
    let missing = Missing::new(["NA", "9"]);
    let targets = Targets::default();
    let schema = Schema::resolve(columns, "header", Some(&features), &targets, missing, MissingTarget::Raise).unwrap();
    Schema { on_error, ..schema }
}

fn place(bytes: &str, offset: u64) -> usize {
    bytes[..offset as usize].matches('\n').count()
}

fn parse(simd: Simd, schema: &Schema, conditions: &Conditions, bytes: &str) -> Found {
    let splitter = Splitter::new(simd, Arc::new(MemorySource::new(bytes.to_owned())), COMMA, 0, 1 << 20, 1 << 20);
    let mut text = Text::default();
    assert!(splitter.read(0, &mut text).unwrap());
    let recording = Recording { most: usize::MAX, rows: true };
    let mut parser = Parser::new(&Arc::new(schema.clone()), COMMA, simd).recording(recording);
    let mut chooser = Chooser::new(vec![Cursor::Where(conditions)], 0);
    let (block, error) = parser.parse_chosen(&text, &Pool::new(1), Some(&mut chooser));
    let at = |error: &crate::error::Error| (place(bytes, error.offset.unwrap()), error.column.unwrap());
    let width = Widths::of(schema).features;
    let rows = block.arrays().features.values(0..block.rows * width).chunks(width).map(|row| row[0] as usize - FIRST);
    let rejects = block.rejects().list().iter().map(|reject| at(&reject.error)).collect();
    (rows.collect(), error.as_ref().map(at), rejects)
}

/// Whether a field meets what is wanted, found the long way; `None` if it cannot be compared.
fn meets(field: &[u8], wanted: &Wanted, schema: &Schema, is_exact: bool) -> Option<bool> {
    let is_missing = missing::is_missing(field, COMMA, &schema.missing);
    let word = String::from_utf8(COMMA.text(field).into_owned()).unwrap();
    let number = |text: &str| {
        let nearest = f64::from(text.parse::<f32>().unwrap());
        if is_exact { text.parse::<f64>().unwrap() } else { nearest }
    };
    let opens_late = !is_missing && COMMA.has_space_before_quote(field);
    match wanted {
        Wanted::Present => Some(!is_missing),
        Wanted::Absent => Some(is_missing),
        _ if is_missing => Some(false),
        _ if opens_late => None,
        Wanted::Numbers(bounds) => {
            Notation::of(COMMA).parse(word.as_bytes())?;
            let value = number(&word);
            let is_in = |(low, high): &Bounds| {
                low.as_ref().is_none_or(|low| number(low) <= value)
                    && high.as_ref().is_none_or(|high| value <= number(high))
            };
            Some(bounds.iter().any(is_in))
        }
        Wanted::Texts(words) => Some(words.contains(&word)),
        Wanted::Booleans(accepted) => boolean(word.as_bytes()).map(|value| accepted.contains(&value)),
        Wanted::Dates(_) => unreachable!("no column has any"),
    }
}

fn choose_naively(schema: &Schema, given: &[(usize, Wanted)], bytes: &str) -> Found {
    let (mut chosen, mut rejects) = (vec![], vec![]);
    for (row, fields) in oracle::rows(bytes.as_bytes(), COMMA).iter().enumerate() {
        let is_exact = |column: usize| !schema.wanted().contains(&column);
        let met: Vec<_> = given
            .iter()
            .map(|(column, wanted)| (*column, meets(&fields[*column], wanted, schema, is_exact(*column))))
            .collect();
        if schema.features.len() > 1 && schema.on_error == OnError::Skip {
            // A wrong feature rejects its row, whether or not it is chosen.
            let is_number = |value| matches!(value, Value::Number(_) | Value::Missing);
            if !is_number(missing::value(&fields[1], COMMA, &schema.missing)) {
                rejects.push((row, 1));
                continue;
            }
        }
        if met.iter().any(|(_, met)| *met == Some(false)) {
            continue;
        }
        match met.iter().filter(|(_, met)| met.is_none()).map(|(column, _)| *column).min() {
            None => chosen.push(row),
            Some(column) if schema.on_error == OnError::Raise => return (chosen, Some((row, column)), rejects),
            Some(column) => rejects.push((row, column)),
        }
    }
    (chosen, None, rejects)
}

fn bounds() -> impl Strategy<Value = Vec<Bounds>> {
    let end = prop::option::of(0_usize..ENDS.len());
    let range = (end.clone(), end).prop_map(|(one, other)| {
        let (low, high) = match (one, other) {
            (Some(one), Some(other)) => (Some(one.min(other)), Some(one.max(other))),
            ends => ends,
        };
        (low.map(|at| ENDS[at].to_owned()), high.map(|at| ENDS[at].to_owned()))
    });
    let point = (0_usize..ENDS.len()).prop_map(|at| (Some(ENDS[at].to_owned()), Some(ENDS[at].to_owned())));
    prop_oneof![prop::collection::vec(range, 1), prop::collection::vec(point, 1..4)]
}

fn given() -> impl Strategy<Value = (usize, Wanted)> {
    let words = prop::sample::subsequence(WORDS.to_vec(), 1..=3);
    prop_oneof![
        3 => bounds().prop_map(|bounds| (1, Wanted::Numbers(bounds))),
        2 => words.prop_map(|words| (2, Wanted::Texts(words.into_iter().map(String::from).collect()))),
        1 => prop::sample::subsequence(vec![false, true], 1..=2).prop_map(|accepted| (3, Wanted::Booleans(accepted))),
        1 => (1_usize..4, any::<bool>())
            .prop_map(|(column, is_wanted)| (column, if is_wanted { Wanted::Present } else { Wanted::Absent })),
    ]
}

proptest! {
    #![proptest_config(crate::checks::cases(400))]

    #[test]
    fn the_rows_that_meet_conditions_are_chosen(
        rows in prop::collection::vec((
            "-?[0-9]{1,2}(\\.[0-9]{1,12})?|0\\.10?|0\\.1000000001|1677721[5-9]|NA||\"1\"|9|9\\.0| 1|1e0|inf",
            "UA| UA|\"UA\"|\"a \"\"b\"\"\"|a long category|NA||x|\"\"|9",
            "yes|no|1|\"0\"|NA|True",
        ), 1..60),
        wrong in prop::collection::vec((0_usize..60, 0_usize..3, "x|1\\.2\\.3| \"1\"|maybe"), 0..4),
        given in prop::collection::vec(given(), 1..4),
        (reads_number, skips) in any::<[bool; 2]>().prop_map(|[one, other]| (one, other)),
    ) {
        let mut rows = rows;
        for (row, column, field) in wrong {
            if let Some((number, text, boolean)) = rows.get_mut(row) {
                *[number, text, boolean][column] = field;
            }
        }
        let text: String =
            rows.iter().enumerate().map(|(row, (a, b, c))| format!("{},{a},{b},{c}\n", FIRST + row)).collect::<Vec<_>>().concat();
        let schema = schema(reads_number, if skips { OnError::Skip } else { OnError::Raise });
        let conditions = Conditions::new(given.clone(), &schema).unwrap();
        let expected = choose_naively(&schema, &given, &text);
        for simd in Simd::available() {
            let (chosen, error, rejects) = parse(simd, &schema, &conditions, &text);
            if let (true, Some(_)) = (schema.features.len() > 1, &error) {
                // A wrong feature may come first. Whoever counts does not read it.
                continue;
            }
            prop_assert_eq!((error, &rejects), (expected.1, &expected.2), "{:?} {}", simd, text);
            if error.is_none() {
                prop_assert_eq!(&chosen, &expected.0, "{:?} {}", simd, text);
            }
        }
    }
}
