//! Classifies fields by what they look like, to tell good readings of a file from bad ones.

use super::numbers::{Notations, is_group, notations};
use super::sample::DELIMITERS;
use crate::dialect::Dialect;
use crate::dialect::unquote;
use crate::table::missing::Missing;
use crate::value::number::bare_amount;

/// What a field looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// A missing value.
    Missing,
    /// A number, in some notation.
    Number,
    /// A date, a time or both.
    Time,
    /// Letters, digits and marks without spaces.
    Word,
    /// Text with spaces.
    Text,
    /// Text with commas and similar marks as in sentences: each followed by a space.
    Prose,
    /// Quoted text with a delimiter in it.
    Quoted,
    /// Text that still contains another delimiter, a quote or a control character.
    Left,
}

impl Look {
    /// How much it supports a reading, from 0 to 1. A missing value is weak evidence: any two adjacent delimiters make
    /// one.
    pub(super) fn worth(self) -> f64 {
        match self {
            Self::Number | Self::Time => 1.0,
            Self::Word | Self::Quoted => 0.9,
            Self::Text => 0.75,
            Self::Missing => 0.7,
            Self::Prose => 0.6,
            Self::Left => 0.2,
        }
    }

    /// Whether it has the form of a number, a date or a time.
    pub(super) fn is_formed(self) -> bool {
        matches!(self, Self::Number | Self::Time)
    }
}

/// A field of a sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub look: Look,
    /// The notations in which it is a number.
    pub notations: Notations,
    /// The notations in which it is an amount of a currency or a percentage.
    pub dressed: Notations,
}

/// Classifies a field.
pub(super) fn look(field: &[u8], dialect: Dialect, missing: &Missing) -> Field {
    let text = unquote(field, dialect);
    let is_quoted = field.first().is_some_and(|&byte| Some(byte) == dialect.quote);
    let none = Notations::default();
    if missing.contains(&text) || &*text == br"\N" || field == br"\N" {
        return Field { look: Look::Missing, notations: none, dressed: none };
    }
    let notations = notations(&text);
    if !notations.is_empty() {
        return Field { look: Look::Number, notations, dressed: none };
    }
    let look = if is_decorated_number(&text) {
        Look::Number
    } else if is_time(&text) {
        Look::Time
    } else {
        look_of_text(&text, is_quoted, dialect)
    };
    Field { look, notations: none, dressed: dressed(&dialect.encoding.to_utf8(text)) }
}

fn look_of_text(text: &[u8], is_quoted: bool, dialect: Dialect) -> Look {
    let is_mark = |byte: u8| byte != b' ' && byte != b'\t' && DELIMITERS.contains(&byte) && byte.is_ascii_punctuation();
    let has_control = text.iter().any(|&byte| byte < b' ' && !matches!(byte, b'\n' | b'\r')) || text.contains(&0x7F);
    if is_quoted {
        let is_special = |byte: &u8| is_mark(*byte) || matches!(*byte, b'\n' | b'\t' | b'"');
        return if text.iter().any(is_special) { Look::Quoted } else { plain(text) };
    }
    let at_an_edge = |quote: u8| text.first() == Some(&quote) || text.last() == Some(&quote);
    let is_wrapped = text.len() > 1 && text.first() == Some(&b'\'') && text.last() == Some(&b'\'');
    // A quote at the end may be an inch mark; one at the beginning is an unread quote.
    let has_quote = text.first() == Some(&b'"') || (dialect.quote == Some(b'"') && at_an_edge(b'"') && has_control);
    // A field that ends with a backslash probably continues.
    let goes_on = dialect.escape.is_none() && text.last() == Some(&b'\\');
    if has_control || has_quote || is_wrapped || goes_on {
        return Look::Left;
    }
    let mut is_prose = false;
    for (at, &byte) in text.iter().enumerate() {
        if is_mark(byte) && byte != b':' {
            let next = text.get(at + 1).copied();
            if next != Some(b' ') || at == 0 {
                return Look::Left;
            }
            is_prose = true;
        }
    }
    if is_prose { Look::Prose } else { plain(text) }
}

fn plain(text: &[u8]) -> Look {
    if text.contains(&b' ') { Look::Text } else { Look::Word }
}

/// The notations in which a text is an amount of a currency or a percentage. A percentage tells nothing if its mark may
/// separate thousands.
fn dressed(text: &[u8]) -> Notations {
    if let Some(amount) = bare_amount(text) {
        return notations(amount);
    }
    match text.trim_ascii().strip_suffix(b"%").map(<[u8]>::trim_ascii_end) {
        Some(percents) if !is_group(percents, b',') && !is_group(percents, b'.') => notations(percents),
        _ => Notations::default(),
    }
}

/// Whether a text is a number with a currency, a percent sign or parentheses, or what old C libraries print for
/// infinity and NaN.
fn is_decorated_number(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let bare = text.strip_prefix(['+', '-']).unwrap_or(text);
    if let Some(word) = bare.strip_prefix("1.#") {
        return ["INF", "IND", "QNAN", "SNAN"].iter().any(|known| word.trim_end_matches('0') == *known);
    }
    let bare = bare.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or(bare);
    let is_sign = |character: char| matches!(character, '$' | '€' | '£' | '¥' | '%' | '‰' | '°');
    let inner = bare.trim_matches(is_sign).trim_matches([' ', '\u{a0}']);
    let inner = inner.strip_prefix(['+', '-']).unwrap_or(inner);
    inner.len() < text.len()
        && inner.starts_with(|c: char| c.is_ascii_digit())
        && !notations(inner.as_bytes()).is_empty()
}

const NAMES: [&str; 23] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "mon", "tue", "wed", "thu",
    "fri", "sat", "sun", "am", "pm", "gmt", "utc",
];

/// Whether a text is a date, a time or both.
pub(super) fn is_time(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    if text.len() > 40 || !text.is_ascii() || !text.contains(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let words: Vec<_> =
        text.split(' ').map(|word| word.trim_end_matches(',')).filter(|word| !word.is_empty()).collect();
    let is_name = |word: &str| {
        let lower = word.to_ascii_lowercase();
        word.len() < 10
            && NAMES.iter().any(|name| lower.starts_with(name))
            && word.bytes().all(|b| b.is_ascii_alphabetic())
    };
    let is_day = |word: &str| {
        let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        matches!(digits.len(), 1 | 2 | 4) && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let has_month = words.iter().any(|word| is_name(word) && word.len() > 2);
    let is_part =
        |word: &&str| is_date_or_clock(word) || is_name(word) || is_offset(word) || (has_month && is_day(word));
    words.iter().all(is_part) && (has_month || words.iter().any(|word| is_date_or_clock(word)))
}

/// Whether a word is a time zone offset such as +0100.
fn is_offset(word: &str) -> bool {
    word.starts_with(['+', '-']) && word.len() == 5 && word[1..].bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a word is a date, a time of day, or both joined by a T.
fn is_date_or_clock(word: &str) -> bool {
    let (date, clock) = match word.find(['T', 't']) {
        Some(at) if at > 3 => (Some(&word[..at]), Some(&word[at + 1..])),
        _ if word.contains(':') => (None, Some(word)),
        _ => (Some(word), None),
    };
    date.is_none_or(is_date) && clock.is_none_or(is_clock)
}

fn is_date(word: &str) -> bool {
    for by in ['-', '/', '.'] {
        let parts: Vec<_> = word.split(by).collect();
        let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let lengths: Vec<_> = parts.iter().map(|part| part.len()).collect();
        let month = parts.get(1).map(|part| part.to_ascii_lowercase()).unwrap_or_default();
        if parts.iter().all(&is_number) {
            let is_whole = matches!(lengths[..], [4, 1..=2, 1..=2] | [1..=2, 1..=2, 2 | 4]);
            if is_whole || (by == '-' && matches!(lengths[..], [4, 2])) {
                return true;
            }
        } else if parts.len() == 3 && NAMES[..12].iter().any(|name| month.starts_with(name)) {
            return is_number(&parts[0]) && is_number(&parts[2]);
        }
    }
    false
}

/// Whether a word is hours and minutes, optionally with seconds, a fraction and a time zone.
fn is_clock(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let bare = lower.trim_end_matches("am").trim_end_matches("pm").trim_end_matches('z');
    let end = bare.find(['+', '-']).unwrap_or(bare.len());
    let zone = &bare[end..];
    let is_zone = zone.is_empty() || zone[1..].bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    let (whole, fraction) = bare[..end].split_once(['.', ',']).unwrap_or((&bare[..end], ""));
    let parts: Vec<_> = whole.split(':').collect();
    let is_number = |part: &&str| part.len() <= 3 && !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let are_parts = matches!(parts.len(), 2 | 3) && parts.iter().all(is_number);
    let is_fraction = fraction.len() <= 9 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    are_parts && parts[1..].iter().all(|part| part.len() == 2) && is_zone && is_fraction
}
