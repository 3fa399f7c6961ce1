//! Text in encodings that agree with ASCII on bytes below 128.

use std::borrow::Cow;

/// The encoding of characters beyond ASCII. Numbers are the same bytes in each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    #[default]
    Utf8,
    /// ISO 8859-1: each byte is the character of that number.
    Latin1,
    /// Windows-1252: like ISO 8859-1, except for 32 bytes that are letters and punctuation.
    Cp1252,
}

/// The characters of Windows-1252 from byte 0x80 on. The five undefined bytes are read as the control characters of
/// Latin-1.
const CP1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
];

impl Encoding {
    /// The encoding with this name in the argument `encoding`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "utf-8" => Some(Self::Utf8),
            "latin-1" => Some(Self::Latin1),
            "cp1252" => Some(Self::Cp1252),
            _ => None,
        }
    }

    /// Its name in the argument `encoding`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Latin1 => "latin-1",
            Self::Cp1252 => "cp1252",
        }
    }

    /// The first character of a text read as Latin-1 that is a control character there, and a letter or a sign in
    /// Windows-1252.
    pub(crate) fn only_cp1252(text: &str) -> Option<char> {
        text.chars().find(|&one| matches!(one, '\u{80}'..='\u{9F}') && Self::Cp1252.character(one as u8) != one)
    }

    pub(crate) fn character(self, byte: u8) -> char {
        match byte {
            0x80..=0x9F if self == Self::Cp1252 => CP1252[usize::from(byte - 0x80)],
            _ => char::from(byte),
        }
    }

    /// Converts a text to UTF-8. Text that is declared as UTF-8 is left as it is.
    pub(crate) fn to_utf8(self, text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
        if self == Self::Utf8 || text.is_ascii() {
            return text;
        }
        Cow::Owned(text.iter().map(|&byte| self.character(byte)).collect::<String>().into_bytes())
    }

    /// Encodes a text; `None` if this encoding cannot represent it.
    pub(crate) fn bytes_of(self, text: &str) -> Option<Box<[u8]>> {
        if self == Self::Utf8 || text.is_ascii() {
            return Some(text.as_bytes().into());
        }
        text.chars().map(|wanted| (0..=u8::MAX).find(|&byte| self.character(byte) == wanted)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_a_character_and_back() {
        for encoding in [Encoding::Latin1, Encoding::Cp1252] {
            assert_eq!(Encoding::named(encoding.name()), Some(encoding));
            let bytes: Vec<u8> = (0..=255).collect();
            let text = encoding.to_utf8(bytes.as_slice().into()).into_owned();
            let text = String::from_utf8(text).unwrap();
            assert_eq!(text.chars().count(), 256);
            assert_eq!(encoding.bytes_of(&text).as_deref(), Some(&*bytes));
        }
        assert_eq!(&*Encoding::Cp1252.to_utf8(b"5 \x80"[..].into()), "5 €".as_bytes());
        assert_eq!(&*Encoding::Latin1.to_utf8(b"\xFCber"[..].into()), "über".as_bytes());
        assert_eq!(Encoding::Latin1.bytes_of("€"), None);
        assert_eq!(Encoding::Utf8.bytes_of("€").as_deref(), Some("€".as_bytes()));
    }
}
