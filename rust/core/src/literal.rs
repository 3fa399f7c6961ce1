//! Text as a literal of Python, for code that messages suggest.

use std::fmt::Write;

/// A text as a literal of Python.
#[must_use]
pub fn literal(text: &str) -> String {
    let quoted = format!("{text:?}");
    let mut literal = String::with_capacity(quoted.len());
    let mut rest = quoted.as_str();
    // Only these two escapes mean something else in Python, where a digit may follow the zero.
    while let Some(at) = rest.find('\\') {
        literal.push_str(&rest[..at]);
        let escape = &rest[at..];
        let code = escape.strip_prefix("\\u{").and_then(|hex| hex.split_once('}'));
        let code = code.and_then(|(hex, after)| Some((u32::from_str_radix(hex, 16).ok()?, after)));
        let code = code.or_else(|| Some((0, escape.strip_prefix("\\0")?)));
        rest = if let Some((code, after)) = code {
            let _ = match code {
                0..=0xFF => write!(literal, "\\x{code:02x}"),
                0x100..=0xFFFF => write!(literal, "\\u{code:04x}"),
                _ => write!(literal, "\\U{code:08x}"),
            };
            after
        } else {
            literal.push_str(&escape[..2]);
            &escape[2..]
        };
    }
    literal + rest
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn escapes_are_those_of_python() {
        for (text, expected) in [
            ("plain 'text' é €", r#""plain 'text' é €""#),
            ("a\"b\\c\td", r#""a\"b\\c\td""#),
            ("5 \u{80}", r#""5 \x80""#),
            ("\x001", r#""\x001""#),
            ("a\u{200b}b", r#""a\u200bb""#),
            ("\u{e0001}", r#""\U000e0001""#),
            ("\\u{80} \\0", r#""\\u{80} \\0""#),
            ("", r#""""#),
        ] {
            assert_eq!(literal(text), expected);
        }
    }
}
