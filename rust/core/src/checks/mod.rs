//! The checks of the fuzz targets. They compare the fast paths with naive implementations, one module for each stage.

pub mod index;
pub mod number;
pub mod pipeline;
pub mod split;

use crate::dialect::Dialect;
use crate::error::Kind;
use crate::oracle::{self, Wrong};
use crate::table::missing::Value;
use arbitrary::Arbitrary;

/// `count` cases of generated input if it is new in each run, and half of them if it is the same again.
#[cfg(test)]
pub(crate) fn cases(count: u32) -> proptest::test_runner::Config {
    let repeats = std::env::var_os("PROPTEST_RNG_SEED").is_some();
    proptest::test_runner::Config::with_cases(if repeats { count.div_ceil(2) } else { count })
}

/// The dialect of an input.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Marks {
    Comma,
    Semicolon,
    Tab,
    Apostrophe,
    NoQuote,
    Escapes,
    Spaces,
    DecimalComma,
    SpacedQuotes,
    ShortRows,
}

impl Marks {
    fn dialect(self) -> Dialect {
        match self {
            Self::Comma => Dialect::new(b',', Some(b'"')),
            Self::Semicolon => Dialect::new(b';', Some(b'"')),
            Self::Tab => Dialect::new(b'\t', Some(b'"')),
            Self::Apostrophe => Dialect::new(b',', Some(b'\'')),
            Self::NoQuote => Dialect::new(b',', None),
            Self::Escapes => Dialect { escape: Some(b'\\'), comment: Some(b'#'), ..Dialect::new(b',', Some(b'"')) },
            Self::Spaces => Dialect::new(b' ', Some(b'"')),
            Self::SpacedQuotes => {
                Dialect { skip_initial_space: true, skip_final_space: true, ..Dialect::new(b',', Some(b'"')) }
            }
            Self::ShortRows => Dialect { fills_short_rows: true, ..Dialect::new(b',', Some(b'"')) },
            Self::DecimalComma => Dialect { decimal: b',', thousands: Some(b'\''), ..Dialect::new(b';', Some(b'"')) },
        }
    }
}

/// The bytes as they are, or each mapped to one of a few letters so that the relevant bytes are frequent.
fn spell(bytes: &[u8], letters: Option<&[u8]>) -> Vec<u8> {
    let mut spelled: Vec<u8> = match letters {
        None => bytes.to_vec(),
        Some(letters) => bytes.iter().map(|&byte| letters[usize::from(byte) % letters.len()]).collect(),
    };
    // Padding after the end of a file is not read.
    let after = spelled.iter().rev().take_while(|byte| matches!(byte, 0 | 0x1A | b'\r' | b'\n')).count();
    let start = spelled.len() - after;
    if let Some(end) = spelled[start..].iter().position(|byte| matches!(byte, 0 | 0x1A)) {
        spelled.truncate(start + end);
    }
    spelled
}

/// The error of a row in the oracle's terms.
fn wrong_row(kind: &Kind) -> Option<Wrong> {
    match kind {
        Kind::UnclosedQuote => Some(Wrong::Unclosed),
        Kind::TextAfterQuote | Kind::SpaceAfterQuote => Some(Wrong::AfterQuote),
        Kind::UnclosedEscape => Some(Wrong::Escape),
        &Kind::RowLength { found, .. } => Some(Wrong::Fields(found)),
        _ => None,
    }
}

/// The value of a field whose quotes are right.
fn naive_value(field: &[u8], dialect: Dialect, missing: &[&str]) -> Value {
    let inner = match field {
        [first, inner @ .., _] if Some(*first) == dialect.quote => inner,
        _ if missing.iter().any(|token| token.as_bytes() == field) => return Value::Missing,
        _ => field,
    };
    let mut text = String::new();
    let mut bytes = inner.iter();
    while let Some(&byte) = bytes.next() {
        let byte = if Some(byte) == dialect.escape { *bytes.next().expect("a byte after an escape") } else { byte };
        text.push(char::from(byte));
    }
    let text = text.trim_matches([' ', '\t']);
    if text.is_empty() || missing.contains(&text) {
        return Value::Missing;
    }
    // No number has characters above 127 in any encoding.
    let text = if text.is_ascii() { text } else { "x" };
    let Some(text) = plain(text, dialect) else { return Value::Other };
    oracle::number(text.as_bytes()).map_or(Value::Other, Value::Number)
}

/// Converts a number to the usual notation: a decimal dot and no separators. Returns `None` if a separator is
/// misplaced.
fn plain(text: &str, dialect: Dialect) -> Option<String> {
    let thousands = dialect.thousands.map(char::from);
    let decimal = char::from(dialect.decimal);
    if decimal != '.' && text.contains('.') {
        return None;
    }
    let whole = text.trim_start_matches(['+', '-']).split([decimal, 'e', 'E']).next().unwrap_or_default();
    let groups: Vec<_> = whole.split(|byte| Some(byte) == thousands).map(str::len).collect();
    let rest = text.len() - text.trim_start_matches(['+', '-']).len() + whole.len();
    if text[rest..].contains(|byte| Some(byte) == thousands) {
        return None;
    }
    let are_right = match groups[..] {
        [_] => true,
        [first, 3] => (1..=3).contains(&first),
        [first, ref middle @ .., 3] => {
            let size = middle[0];
            (2..=3).contains(&size) && (1..=size).contains(&first) && middle.iter().all(|&group| group == size)
        }
        _ => false,
    };
    are_right.then(|| text.chars().filter(|&byte| Some(byte) != thousands).collect::<String>().replace(decimal, "."))
}

#[cfg(test)]
mod tests {
    use arbitrary::{Arbitrary, Unstructured};

    /// Runs a check on random inputs, so that the targets are known to work before long fuzzing runs.
    fn replay<'a, T: Arbitrary<'a>>(bytes: &'a [u8], check: impl Fn(&T)) {
        for turn in 0..4_000 {
            let length = turn % 400;
            let bytes = &bytes[turn * 31 % (bytes.len() - length)..][..length];
            check(&T::arbitrary_take_rest(Unstructured::new(bytes)).expect("any bytes will do"));
        }
    }

    fn random_bytes() -> Vec<u8> {
        let mut state = 1_u64;
        let mut next = || {
            // Knuth's linear congruential generator. Its upper bits are good enough.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        (0..50_000).map(|_| next()).collect()
    }

    #[test]
    fn index() {
        replay(&random_bytes(), super::index::Input::check);
    }

    #[test]
    fn split() {
        replay(&random_bytes(), super::split::Input::check);
    }

    #[test]
    fn number() {
        replay(&random_bytes(), super::number::Input::check);
    }

    #[test]
    fn pipeline() {
        replay(&random_bytes(), super::pipeline::Input::check);
    }
}
