//! Numbers with a decimal comma or a thousands separator.

use std::borrow::Cow;

use memchr::memchr;

use super::trim::bare;
use super::{Forms, parse_exact};
use crate::dialect::{Dialect, Encoding};
use crate::fields::Fields;

/// The notation of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Notation {
    comma: bool,
    /// The thousands separator after commas and dots are swapped.
    separator: Option<u8>,
}

impl Notation {
    pub(crate) fn of(dialect: Dialect) -> Self {
        let comma = dialect.decimal == b',';
        Self { comma, separator: dialect.thousands.map(|byte| if comma { swapped(byte) } else { byte }) }
    }

    /// Whether this is the usual notation.
    pub(crate) fn is_plain(self) -> bool {
        !self.comma && self.separator.is_none()
    }

    /// Converts a byte of a number to the usual notation.
    #[inline]
    pub(super) fn to_usual(self, byte: u8) -> u8 {
        if self.comma { swapped(byte) } else { byte }
    }

    /// The thousands separator after commas and dots are swapped.
    pub(super) fn separator(self) -> Option<u8> {
        self.separator
    }

    /// Parses a text that consists of a number.
    pub(crate) fn parse(self, text: &[u8]) -> Option<f32> {
        parse_exact(&self.usual(text)?)
    }

    /// The same in float64.
    pub(crate) fn parse_f64(self, text: &[u8]) -> Option<f64> {
        let usual = self.usual(text)?;
        parse_exact(&usual)?;
        std::str::from_utf8(&usual).ok()?.parse().ok()
    }

    /// A number in the usual notation. `None` if a separator is misplaced.
    fn usual(self, text: &[u8]) -> Option<Cow<'_, [u8]>> {
        let mut plain = Cow::Borrowed(text);
        if self.comma {
            plain = Cow::Owned(text.iter().map(|&byte| swapped(byte)).collect());
        }
        if let Some(separator) = self.separator.filter(|separator| plain.contains(separator)) {
            let length = ungroup(plain.to_mut(), separator)?;
            plain.to_mut().truncate(length);
        }
        Some(plain)
    }
}

/// Advice for a text that is not a number in its dialect and in the forms of its column: the arguments that would make
/// it one, with the resulting number. `name` is the column name as written in an argument.
pub(crate) fn other_notation(text: &[u8], dialect: Dialect, forms: Forms, name: &str) -> Option<String> {
    // The text is UTF-8, whatever the file is.
    let dialect = Dialect { encoding: Encoding::Utf8, ..dialect };
    if let Some(advice) = other_dialect(text, dialect, forms) {
        return Some(advice.join(", or with "));
    }
    let others = Forms::NAMES.into_iter().filter(|form| !forms.names().contains(form)).map(|form| {
        let known = forms.and(form);
        let names: Vec<_> = known.names().iter().map(|name| format!("{name:?}")).collect();
        let list = if let [name] = &names[..] { name.clone() } else { format!("[{}]", names.join(", ")) };
        (format!("numbers={{{name}: {list}}}"), known)
    });
    let others: Vec<_> = others.collect();
    let as_it_is = others.iter().find_map(|(what, forms)| Some((what, forms.parse(text, dialect)?)));
    if let Some((what, number)) = as_it_is {
        return Some(format!("{what} ({number})"));
    }
    others.iter().find_map(|(what, forms)| {
        let advice = other_dialect(text, dialect, *forms)?.into_iter().map(|advice| format!("{what}, {advice}"));
        Some(advice.collect::<Vec<_>>().join(", or with "))
    })
}

/// Decimal signs and separators that would make a text a number in these forms, with the resulting number.
fn other_dialect(text: &[u8], dialect: Dialect, forms: Forms) -> Option<Vec<String>> {
    let read = |other: Dialect| forms.parse(text, other);
    let decimal = if dialect.decimal == b',' { b'.' } else { b',' };
    let swapped = Dialect { decimal, ..dialect };
    let shown = |byte: u8| char::from(byte);
    let grouped = |dialect: Dialect| {
        let others = b",. '_".iter().filter(move |&&byte| byte != dialect.decimal);
        others.filter_map(move |&byte| Some((byte, read(Dialect { thousands: Some(byte), ..dialect })?)))
    };
    let mut advice = Vec::new();
    if let Some(number) = read(Dialect { thousands: dialect.thousands.filter(|&byte| byte != decimal), ..swapped }) {
        advice.push(format!("decimal=\"{}\" ({number})", shown(decimal)));
    }
    advice.extend(grouped(dialect).map(|(byte, number)| format!("thousands=\"{}\" ({number})", shown(byte))));
    if advice.is_empty() {
        let both = |(byte, number)| format!("decimal=\"{}\", thousands=\"{}\" ({number})", shown(decimal), shown(byte));
        advice.extend(grouped(swapped).map(both));
    }
    (!advice.is_empty()).then_some(advice)
}

/// Swaps comma and dot.
#[inline]
fn swapped(byte: u8) -> u8 {
    match byte {
        b',' => b'.',
        b'.' => b',',
        other => other,
    }
}

/// Removes the separators from a number with a decimal dot and returns its new length. Returns `None` if a separator is
/// misplaced. Separators must precede the last three digits of the whole part, and then every three digits or every
/// two.
pub(super) fn ungroup(number: &mut [u8], separator: u8) -> Option<usize> {
    let sign = usize::from(matches!(number, [b'+' | b'-', ..]));
    let is_whole = |byte: &u8| byte.is_ascii_digit() || *byte == separator;
    let whole_end = sign + number[sign..].iter().take_while(|byte| is_whole(byte)).count();
    if number[whole_end..].contains(&separator) {
        return None;
    }
    let mut groups = number[sign..whole_end].rsplit(|&byte| byte == separator).map(<[u8]>::len).peekable();
    let last = groups.next()?;
    if groups.peek().is_some() {
        let size = *groups.peek().filter(|_| last == 3)?;
        // The first group may be shorter than the middle ones.
        while let Some(length) = groups.next() {
            let right = if groups.peek().is_some() {
                (2..=3).contains(&size) && length == size
            } else {
                (1..=size.clamp(1, 3)).contains(&length)
            };
            if !right {
                return None;
            }
        }
    }
    let mut end = sign;
    for at in sign..number.len() {
        if number[at] != separator {
            number[end] = number[at];
            end += 1;
        }
    }
    Some(end)
}

/// A copy of a text with its numbers in the usual notation.
#[derive(Default)]
pub(crate) struct Plain {
    /// Each byte is at its place, except in fields whose separators were removed.
    text: Vec<u8>,
    /// The thousands separator, if the text contains any.
    separator: Option<u8>,
    before: Vec<u32>,
    ends: Vec<u32>,
}

impl Plain {
    /// Copies a text.
    pub(crate) fn fill(&mut self, text: &[u8], notation: Notation) {
        self.text.clear();
        if notation.comma {
            // This turns dots, which are not decimal signs here, into commas, which are not decimal signs either.
            self.text.extend(text.iter().map(|&byte| swapped(byte)));
        } else {
            self.text.extend_from_slice(text);
        }
        self.separator = notation.separator.filter(|&separator| memchr(separator, &self.text).is_some());
    }

    /// The copy and the positions of some fields in it. The fields must be in the order of the text.
    pub(crate) fn fields<'a>(&'a mut self, quote: Option<u8>, fields: Fields<'a>) -> (&'a [u8], Fields<'a>) {
        let Some(separator) = self.separator else { return (&self.text, fields) };
        self.before.clear();
        self.ends.clear();
        for at in 0..fields.before.len() {
            let mut place = fields.before[at] + 1..fields.ends[at];
            if at > 0 && fields.before[at] == fields.before[at - 1] {
                // The same field again.
                place = self.before[at - 1] + 1..self.ends[at - 1];
            } else {
                let bare = bare(&self.text, quote, fields.place(at));
                let number = &mut self.text[bare.clone()];
                if number.contains(&separator)
                    && let Some(length) = ungroup(number, separator)
                {
                    // Whoever reads the field again finds the same number.
                    number[length..].fill(b' ');
                    place = bare.start as u32..(bare.start + length) as u32;
                }
            }
            self.before.push(place.start - 1);
            self.ends.push(place.end);
        }
        (&self.text, Fields { before: &self.before, ends: &self.ends })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn notation(decimal: u8, thousands: Option<u8>) -> Notation {
        Notation::of(Dialect { decimal, thousands, ..Dialect::default() })
    }

    #[test]
    fn a_comma_is_decimal_if_the_dialect_says_so() {
        let comma = notation(b',', None);
        assert_eq!(comma.parse(b"-1,5e2"), Some(-150.0));
        assert_eq!(comma.parse(b",5"), Some(0.5));
        assert_eq!(comma.parse(b"nan").map(f32::is_nan), Some(true));
        assert_eq!(comma.parse(b"1.5"), None);
        assert_eq!(comma.parse(b"1,5,0"), None);
    }

    #[test]
    fn separators_stand_between_groups() {
        let groups = notation(b'.', Some(b','));
        for (text, number) in [
            ("1,234", 1234.0),
            ("-1,234,567.5", -1_234_567.5),
            ("12,34,567", 1_234_567.0),
            ("1,23,45,678", 12_345_678.0),
            ("+123,456", 123_456.0),
            ("1234", 1234.0),
            ("1,234e1", 12340.0),
            ("1,234.", 1234.0),
        ] {
            assert_eq!(groups.parse(text.as_bytes()), Some(number), "{text}");
        }
        for text in [
            ",234",
            "1,23",
            "1,2345",
            "1234,567",
            "1,,234",
            "1,234,",
            "1,234.5,6",
            "1.234,567",
            "1,2,345",
            "123,45,678",
            "12,345,67",
            "1,234,56,789",
            ",",
            "-,123",
            "1,234e1,0",
            "1e1,234",
            "-",
            "",
            "1 234",
        ] {
            assert_eq!(groups.parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(notation(b',', Some(b'.')).parse(b"1.234,5"), Some(1234.5));
        assert_eq!(notation(b',', Some(b'.')).parse(b"1,234.5"), None);
        assert_eq!(notation(b',', Some(b'\'')).parse(b"1'234,5"), Some(1234.5));
    }

    proptest! {
        #[test]
        fn separators_do_not_change_a_number(number: u64, decimal in prop::sample::select(&b".,"[..]), by in prop::sample::select(&b".,' _"[..])) {
            prop_assume!(decimal != by);
            let digits = number.to_string();
            let mut text: Vec<u8> = Vec::new();
            for (at, digit) in digits.bytes().enumerate() {
                if at > 0 && (digits.len() - at).is_multiple_of(3) {
                    text.push(by);
                }
                text.push(digit);
            }
            text.extend([decimal, b'5']);
            prop_assert_eq!(notation(decimal, Some(by)).parse(&text), parse_exact(format!("{digits}.5").as_bytes()));
        }
    }
}
