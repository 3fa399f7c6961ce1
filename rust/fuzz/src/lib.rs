//! What the fuzz targets check: the fast paths of csvfeed-core beside their naive counterparts, one module a stage.

pub mod index;
pub mod number;
pub mod pipeline;
pub mod split;

use arbitrary::Arbitrary;
use csvfeed_core::dialect::Dialect;
use csvfeed_core::error::Kind;
use csvfeed_core::number::Value;
use csvfeed_core::oracle::{self, Wrong};

/// What stands between fields and around them.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Marks {
    Comma,
    Semicolon,
    Tab,
    Apostrophe,
    NoQuote,
}

impl Marks {
    fn dialect(self) -> Dialect {
        let (delimiter, quote) = match self {
            Self::Comma => (b',', Some(b'"')),
            Self::Semicolon => (b';', Some(b'"')),
            Self::Tab => (b'\t', Some(b'"')),
            Self::Apostrophe => (b',', Some(b'\'')),
            Self::NoQuote => (b',', None),
        };
        Dialect { delimiter, quote }
    }
}

/// The bytes as they are, or each taken for one of a few letters, so that what matters comes often.
fn spell(bytes: &[u8], letters: Option<&[u8]>) -> Vec<u8> {
    match letters {
        None => bytes.to_vec(),
        Some(letters) => bytes.iter().map(|&byte| letters[usize::from(byte) % letters.len()]).collect(),
    }
}

/// What is wrong with a row, in the oracle's words.
fn wrong_row(kind: &Kind) -> Option<Wrong> {
    match kind {
        Kind::UnclosedQuote => Some(Wrong::Unclosed),
        Kind::TextAfterQuote => Some(Wrong::AfterQuote),
        &Kind::RowLength { found, .. } => Some(Wrong::Fields(found)),
        _ => None,
    }
}

/// The value of a field whose quotes are right.
fn naive_value(field: &[u8], quote: Option<u8>, missing: &[&str]) -> Value {
    let inner = match field {
        [first, inner @ .., _] if Some(*first) == quote => inner,
        _ => field,
    };
    let inner: String = inner.iter().map(|&byte| char::from(byte)).collect();
    let text = inner.trim_matches([' ', '\t']);
    if text.is_empty() || missing.contains(&text) {
        return Value::Missing;
    }
    // No number has characters above 127, whatever they stand for.
    let text = if text.is_ascii() { text } else { "x" };
    oracle::number(text.as_bytes()).map_or(Value::Other, Value::Number)
}

#[cfg(test)]
mod tests {
    use arbitrary::{Arbitrary, Unstructured};

    /// Inputs of random bytes, so that the targets are known to work before anybody runs them for long.
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
            // Knuth's linear congruential generator, whose upper bits are good enough.
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
