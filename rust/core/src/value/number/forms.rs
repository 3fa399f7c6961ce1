//! Numbers in forms that are enabled per column: percentages, currencies, exponents with a D, hexadecimal numbers, and
//! the infinities and NaNs of older Microsoft C libraries.
//!
//! A number is rewritten in the usual notation and then parsed like any other, so that it is rounded only once. The most
//! common forms need no rewriting: see [`Forms::read_in_place`].

use super::notation::{Notation, ungroup};
use super::parse_exact;
use crate::dialect::trim;
use crate::dialect::{Dialect, Encoding};

/// The forms in which a column may have its numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "any of them may be together")]
pub struct Forms {
    /// `12.5%`, which is 0.125. Without the percent sign, a number is an error unless `plain` is set.
    pub(super) percent: bool,
    /// `12.5` among percentages.
    pub(super) plain: bool,
    /// `$1234`, `1234 €`, `USD 5`, and `(5)` for -5.
    pub(super) currency: bool,
    /// `1.5D+03`.
    fortran: bool,
    /// `0x1F`.
    hex: bool,
    /// `1.#INF` and `1.#QNAN`.
    msvc: bool,
}

/// The result of rewriting a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Form {
    /// The text that was appended.
    Text,
    /// This value.
    Value(f32),
}

impl Forms {
    /// The names of the forms.
    pub const NAMES: [&'static str; 6] = ["percent", "plain", "currency", "fortran", "hex", "msvc"];

    /// The forms with these names. `Err` is the first unknown name.
    pub fn named<T: AsRef<str>>(names: &[T]) -> std::result::Result<Self, &str> {
        let mut forms = Self::default();
        for name in names.iter().map(AsRef::as_ref) {
            *match name {
                "percent" => &mut forms.percent,
                "plain" => &mut forms.plain,
                "currency" => &mut forms.currency,
                "fortran" => &mut forms.fortran,
                "hex" => &mut forms.hex,
                "msvc" => &mut forms.msvc,
                other => return Err(other),
            } = true;
        }
        Ok(forms)
    }

    /// The names of these forms.
    pub(crate) fn names(self) -> Vec<&'static str> {
        let Self { percent, plain, currency, fortran, hex, msvc } = self;
        let has = [percent, plain, currency, fortran, hex, msvc];
        Self::NAMES.into_iter().zip(has).filter(|(_, has)| *has).map(|(name, _)| name).collect()
    }

    /// These forms and one more.
    pub(crate) fn and(self, name: &'static str) -> Self {
        let mut names = self.names();
        names.push(name);
        Self::named(&names).unwrap_or(self)
    }

    /// Parses a text that consists of a number in these forms.
    pub(crate) fn parse(self, text: &[u8], dialect: Dialect) -> Option<f32> {
        let mut plain = Vec::new();
        match self.rewrite(text, dialect, &mut plain)? {
            Form::Text => parse_exact(&plain),
            Form::Value(value) => Some(value),
        }
    }

    /// Appends a number to `to` in the usual notation. Text that is not a number yields `None` or other text that is
    /// not a number.
    pub(crate) fn rewrite(self, text: &[u8], dialect: Dialect, to: &mut Vec<u8>) -> Option<Form> {
        let start = to.len();
        let form = self.append(text, dialect, to);
        if form != Some(Form::Text) {
            to.truncate(start);
        }
        form
    }

    fn append(self, text: &[u8], dialect: Dialect, to: &mut Vec<u8>) -> Option<Form> {
        let mut rest = trim(text);
        if dialect.encoding != Encoding::Utf8 && !rest.is_ascii() {
            return None;
        }
        let mut sign = take_sign(&mut rest);
        if self.hex && matches!(rest, [b'0', b'x' | b'X', ..]) {
            return hexadecimal(&rest[2..]).map(|value| Form::Value(if sign == Some(b'-') { -value } else { value }));
        }
        if self.msvc && rest.contains(&b'#') {
            let word = microsoft(rest, dialect.decimal)?;
            to.extend(sign.filter(|sign| *sign == b'-'));
            to.extend_from_slice(word);
            return Some(Form::Text);
        }
        let mut is_dressed = false;
        if self.currency {
            is_dressed = take_currency(&mut rest, &mut sign)?;
        }
        let is_percent = self.percent && matches!(rest, [.., b'%']);
        if is_percent {
            rest = trim(&rest[..rest.len() - 1]);
        } else if self.percent && !self.plain && !is_dressed {
            return None;
        }
        let notation = Notation::of(dialect);
        to.extend(sign.filter(|sign| *sign == b'-'));
        let digits = to.len();
        to.extend(rest.iter().map(|&byte| notation.to_usual(byte)));
        match to[digits..] {
            [b'0'..=b'9' | b'.', ..] => {}
            // A word such as inf must stand alone.
            [b'a'..=b'z' | b'A'..=b'Z', ..] if !is_dressed && !is_percent => return Some(Form::Text),
            _ => return None,
        }
        if let Some(separator) = notation.separator()
            && to[digits..].contains(&separator)
        {
            let length = ungroup(&mut to[digits..], separator)?;
            to.truncate(digits + length);
        }
        if self.fortran
            && let Some(at) = to[digits..].iter().position(|byte| matches!(byte, b'd' | b'D'))
        {
            to[digits + at] = b'e';
        }
        if is_percent {
            divide_by_hundred(to, digits)?;
        }
        Some(Form::Text)
    }
}

/// An amount without the sign or the code of its currency, its own sign and parentheses; `None` for another text.
pub(crate) fn bare_amount(text: &[u8]) -> Option<&[u8]> {
    let mut rest = trim(text);
    let mut sign = take_sign(&mut rest);
    let is_dressed = take_currency(&mut rest, &mut sign)?;
    (is_dressed && rest.first().is_some_and(u8::is_ascii_digit)).then_some(rest)
}

fn take_sign(text: &mut &[u8]) -> Option<u8> {
    let [sign @ (b'+' | b'-'), rest @ ..] = *text else { return None };
    *text = rest;
    Some(*sign)
}

/// The float32 nearest to a hexadecimal number.
fn hexadecimal(digits: &[u8]) -> Option<f32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    let digits = &digits[zeros..];
    if digits.len() > 32 {
        return Some(f32::INFINITY);
    }
    let value =
        digits.iter().fold(0_u128, |value, &digit| value << 4 | u128::from((digit as char).to_digit(16).unwrap_or(0)));
    Some(value as f32)
}

/// The word for `1.#INF` and similar forms, which zeros may pad to the requested digits.
fn microsoft(text: &[u8], decimal: u8) -> Option<&'static [u8]> {
    let [b'1', point, b'#', word @ ..] = text else { return None };
    let end = word.iter().rposition(|&byte| byte != b'0').map_or(0, |last| last + 1);
    let is = |known: &str| word[..end].eq_ignore_ascii_case(known.as_bytes());
    match *point == decimal {
        true if is("INF") => Some(b"inf"),
        true if is("QNAN") || is("SNAN") || is("IND") => Some(b"nan"),
        _ => None,
    }
}

/// Strips parentheses, a sign and a currency. Returns whether there were parentheses or a currency; `None` if one of
/// them occurs twice.
fn take_currency(text: &mut &[u8], sign: &mut Option<u8>) -> Option<bool> {
    *text = trim_wide(text);
    let mut is_dressed = take_parentheses(text, sign)?;
    let mut has_currency = take_first_currency(text);
    if has_currency {
        is_dressed |= take_parentheses(text, sign)?;
    }
    if sign.is_none() {
        *sign = take_sign(text);
        *text = trim_wide(text);
        has_currency = has_currency || take_first_currency(text);
    }
    if !has_currency {
        has_currency = take_last_currency(text);
        if has_currency {
            is_dressed |= take_parentheses(text, sign)?;
        }
    }
    *text = trim_wide(text);
    Some(is_dressed || has_currency)
}

/// Strips parentheses, which mean minus in accounting.
fn take_parentheses(text: &mut &[u8], sign: &mut Option<u8>) -> Option<bool> {
    let [b'(', inner @ .., b')'] = *text else { return Some(false) };
    if sign.is_some() {
        return None;
    }
    *sign = Some(b'-');
    *text = trim_wide(inner);
    Some(true)
}

/// Strips a currency from the start: a sign after up to three letters, or a code.
fn take_first_currency(text: &mut &[u8]) -> bool {
    let letters = text.iter().take(3).take_while(|byte| byte.is_ascii_uppercase()).count();
    let rest = &text[letters..];
    let length = first_character(rest).filter(|(character, _)| is_currency(*character)).map(|(_, length)| length);
    let taken = match length {
        Some(length) => letters + length,
        None if is_code(&text[..letters]) && !rest.first().is_some_and(u8::is_ascii_alphabetic) => letters,
        None => return false,
    };
    *text = trim_wide(&text[taken..]);
    true
}

fn take_last_currency(text: &mut &[u8]) -> bool {
    let length = last_character(text).filter(|(character, _)| is_currency(*character)).map_or(0, |(_, length)| length);
    let rest = &text[..text.len() - length];
    let letters = rest.iter().rev().take(3).take_while(|byte| byte.is_ascii_uppercase()).count();
    let (before, code) = rest.split_at(rest.len() - letters);
    if length == 0 && (!is_code(code) || before.last().is_some_and(u8::is_ascii_alphabetic)) {
        return false;
    }
    *text = trim_wide(before);
    true
}

/// The currency codes of ISO 4217.
const CODES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP \
    CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF \
    IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK \
    MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR \
    SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND \
    VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWL";

/// Whether the letters are a currency code.
fn is_code(letters: &[u8]) -> bool {
    letters.len() == 3 && CODES.as_bytes().chunks(4).any(|code| &code[..3] == letters)
}

/// Whether a character is a currency sign. Signs of hundredths, such as the cent, are not.
pub(super) fn is_currency(character: char) -> bool {
    matches!(
        character,
        '$' | '£' | '¤' | '¥' | '֏' | '؋' | '৳' | '฿' | '៛' | '\u{20A0}'..='\u{20CF}' | '﷼' | '＄' | '￡' | '￥' | '￦'
    )
}

fn first_character(text: &[u8]) -> Option<(char, usize)> {
    if let [byte @ ..0x80, ..] = text {
        return Some((char::from(*byte), 1));
    }
    let character =
        (1..=text.len().min(4)).find_map(|length| std::str::from_utf8(&text[..length]).ok())?.chars().next()?;
    Some((character, character.len_utf8()))
}

fn last_character(text: &[u8]) -> Option<(char, usize)> {
    if let [.., byte @ ..0x80] = text {
        return Some((char::from(*byte), 1));
    }
    let lengths = 1..=text.len().min(4);
    let last = lengths.map(|length| &text[text.len() - length..]).find_map(|bytes| std::str::from_utf8(bytes).ok());
    let character = last?.chars().next()?;
    Some((character, character.len_utf8()))
}

/// A text without surrounding spaces, including non-breaking ones.
fn trim_wide(mut text: &[u8]) -> &[u8] {
    const SPACES: [&[u8]; 5] = [b" ", b"\t", "\u{A0}".as_bytes(), "\u{202F}".as_bytes(), "\u{2009}".as_bytes()];
    loop {
        // Most texts begin and end with no space at all.
        if text.first().is_none_or(u8::is_ascii_graphic) && text.last().is_none_or(u8::is_ascii_graphic) {
            return text;
        }
        let rest = SPACES.iter().find_map(|space| text.strip_prefix(*space).or_else(|| text.strip_suffix(*space)));
        match rest {
            Some(rest) => text = rest,
            None => return text,
        }
    }
}

/// Divides a number by 100 by moving its dot or changing its exponent. The number begins with the digit or dot at
/// `first`.
fn divide_by_hundred(number: &mut Vec<u8>, first: usize) -> Option<()> {
    if let Some(at) = number[first..].iter().position(|byte| matches!(byte, b'e' | b'E')) {
        let exponent = std::str::from_utf8(&number[first + at + 1..]).ok()?;
        // For an exponent too long for this type, a difference of two does not matter.
        if let Ok(exponent) = exponent.parse::<i128>() {
            let less = exponent.saturating_sub(2);
            number.truncate(first + at + 1);
            number.extend_from_slice(less.to_string().as_bytes());
        }
        return Some(());
    }
    let dot = number[first..].iter().position(|&byte| byte == b'.');
    let whole = dot.unwrap_or(number.len() - first);
    if let Some(dot) = dot {
        if number.len() - first == 1 {
            return None;
        }
        number.remove(first + dot);
    }
    let zeros = 2_usize.saturating_sub(whole);
    number.splice(first..first, std::iter::repeat_n(b'0', zeros));
    number.insert(first + whole + zeros - 2, b'.');
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn forms(names: &[&str]) -> Forms {
        Forms::named(names).unwrap()
    }

    fn parse(names: &[&str], text: &str) -> Option<f32> {
        forms(names).parse(text.as_bytes(), Dialect { thousands: Some(b','), ..Dialect::default() })
    }

    #[test]
    fn each_form_is_read_if_it_is_given() {
        let cases: [(&str, &str, f32); 43] = [
            ("percent", "12.5%", 0.125),
            ("percent", "-5 %", -0.05),
            ("percent", "+.5%", 0.005),
            ("percent", "1,234%", 12.34),
            ("percent", "100.%", 1.0),
            ("percent", "7%", 0.07),
            ("percent", "0%", 0.0),
            ("percent", "1e3%", 10.0),
            ("percent", "1e-40%", 1e-42),
            ("currency", "$1,234.50", 1234.5),
            ("currency", "-$5", -5.0),
            ("currency", "$-5", -5.0),
            ("currency", "$ -5", -5.0),
            ("currency", "- $5", -5.0),
            ("currency", "- 5", -5.0),
            ("currency", "(5.00)", -5.0),
            ("currency", "($5.00)", -5.0),
            ("currency", "$(5.00)", -5.0),
            ("currency", "(5.00) €", -5.0),
            ("currency", "( 5.00 )", -5.0),
            ("currency", "5", 5.0),
            ("currency", "5 €", 5.0),
            ("currency", "€\u{A0}5", 5.0),
            ("currency", "5\u{202F}€", 5.0),
            ("currency", "US$ 5", 5.0),
            ("currency", "R$5", 5.0),
            ("currency", "5 US$", 5.0),
            ("currency", "USD 5", 5.0),
            ("currency", "-5 CHF", -5.0),
            ("currency", "5CHF", 5.0),
            ("currency", "₹1,23,456", 123_456.0),
            ("currency", "£.5", 0.5),
            ("fortran", "1.5D+03", 1500.0),
            ("fortran", "-1.5d-3", -0.0015),
            ("fortran", "15e2", 1500.0),
            ("fortran", "15", 15.0),
            ("hex", "0x1F", 31.0),
            ("hex", "-0Xff", -255.0),
            ("hex", "0x1000001", 16_777_216.0),
            ("hex", "0x1000003", 16_777_220.0),
            ("hex", "12", 12.0),
            ("msvc", "1.#INF", f32::INFINITY),
            ("msvc", "-1.#INF00", f32::NEG_INFINITY),
        ];
        for (form, text, number) in cases {
            assert_eq!(parse(&[form], text), Some(number), "{form} {text}");
            assert_eq!(parse(&[], text).is_some(), parse_exact(text.as_bytes()).is_some(), "{text}");
        }
        for text in ["1.#QNAN", "-1.#IND", "1.#SNAN0"] {
            assert!(parse(&["msvc"], text).unwrap().is_nan(), "{text}");
        }
        assert_eq!(parse(&["percent", "plain"], "12.5"), Some(12.5));
        assert_eq!(parse(&["percent", "currency"], "($12.5%)"), Some(-0.125));
    }

    #[test]
    fn text_that_is_not_a_number_in_a_form_is_refused() {
        let cases = [
            ("percent", "12.5"),
            ("percent", "%"),
            ("percent", ".%"),
            ("percent", "5%%"),
            ("percent", "% 5"),
            ("percent", "nan%"),
            ("percent", "1,23%"),
            ("percent", "1e%"),
            ("percent", "--5%"),
            ("currency", "$"),
            ("currency", "$$5"),
            ("currency", "$5$"),
            ("currency", "-(5)"),
            ("currency", "(-5)"),
            ("currency", "((5))"),
            ("currency", "-$-5"),
            ("currency", "5¢"),
            ("currency", "five"),
            ("currency", "$inf"),
            ("currency", "Usd 5"),
            ("currency", "ABC5"),
            ("currency", "USDX5"),
            ("currency", "5 INF"),
            ("fortran", "1.5DD3"),
            ("fortran", "D3"),
            ("fortran", "1.5D"),
            ("hex", "0x"),
            ("hex", "0xG"),
            ("hex", "1F"),
            ("hex", "0x1.8p3"),
            ("msvc", "2.#INF"),
            ("msvc", "1.#XYZ"),
            ("msvc", "1.#"),
        ];
        for (form, text) in cases {
            assert_eq!(parse(&[form], text), None, "{form} {text}");
        }
        let cents = Dialect { encoding: Encoding::Latin1, ..Dialect::default() };
        assert_eq!(forms(&["currency"]).parse(b"\xA35", cents), None);
    }

    #[test]
    fn decimal_commas_and_groups_are_those_of_the_dialect() {
        let dialect = Dialect { decimal: b',', thousands: Some(b'.'), ..Dialect::default() };
        let parse = |form, text: &str| forms(&[form]).parse(text.as_bytes(), dialect);
        assert_eq!(parse("currency", "€ 1.234,50"), Some(1234.5));
        assert_eq!(parse("percent", "1.234,5 %"), Some(12.345));
        assert_eq!(parse("fortran", "1,5D3"), Some(1500.0));
        assert_eq!(parse("msvc", "1,#INF"), Some(f32::INFINITY));
        assert_eq!(parse("currency", "€ 1,234.50"), None);
    }

    #[test]
    fn hexadecimal_numbers_are_rounded_once() {
        let parse = |text: &str| parse(&["hex"], text);
        // A tie, and a number just above it that a float64 cannot distinguish from it.
        assert_eq!(parse("0x10000010000000000000"), Some(2_f32.powi(76)));
        assert_eq!(parse("0x10000010000000000001").map(f32::to_bits), Some(2_f32.powi(76).to_bits() + 1));
        assert_eq!(parse("0xFFFFFF7FFFFFFFFFFFFFFFFFFFFFFFFF"), Some(f32::MAX));
        assert_eq!(parse("0xFFFFFF80000000000000000000000000"), Some(f32::INFINITY));
        assert_eq!(parse(&format!("0x1{}", "0".repeat(40))), Some(f32::INFINITY));
        assert_eq!(parse(&format!("0x{}F", "0".repeat(40))), Some(15.0));
    }

    proptest! {
        /// A percentage is a decimal whose dot moves two places to the left.
        #[test]
        fn percentages_are_rounded_once(whole in "[0-9]{0,12}", fraction in prop::option::of("[0-9]{0,12}"), exponent in prop::option::of(-50_i32..40)) {
            prop_assume!(!whole.is_empty() || fraction.as_ref().is_some_and(|digits| !digits.is_empty()));
            let mut text = whole;
            text.extend(fraction.iter().map(|digits| format!(".{digits}")));
            let power = exponent.unwrap_or(0) - 2;
            let expected = parse_exact(format!("{text}e{power}").as_bytes()).unwrap();
            text.extend(exponent.map(|exponent| format!("e{exponent}")));
            let found = parse(&["percent"], &format!("{text}%")).unwrap();
            prop_assert_eq!(found.to_bits(), expected.to_bits(), "{}", text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[-+$€(),.%0-9eEdDxX#A-F ]{0,14}|\\PC{0,8}") {
            for form in Forms::NAMES {
                let mut to = b"before".to_vec();
                let form = forms(&[form]).rewrite(text.as_bytes(), Dialect::default(), &mut to);
                prop_assert!(to.starts_with(b"before"));
                prop_assert!(form == Some(Form::Text) || to.len() == 6);
            }
        }
    }
}
