//! Words for true and false.

/// Whether a word, in any case, means true or false.
#[inline]
pub(crate) fn boolean(word: &[u8]) -> Option<bool> {
    const LONGEST: usize = 5;
    let mut lower = [0; LONGEST];
    let lower = lower.get_mut(..word.len())?;
    lower.copy_from_slice(word);
    lower.make_ascii_lowercase();
    match &*lower {
        b"1" | b"t" | b"y" | b"on" | b"yes" | b"true" => Some(true),
        b"0" | b"f" | b"n" | b"no" | b"off" | b"false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_true_or_false_in_any_case() {
        for (word, meaning) in [
            ("1", true),
            ("t", true),
            ("T", true),
            ("y", true),
            ("on", true),
            ("On", true),
            ("YES", true),
            ("True", true),
            ("0", false),
            ("f", false),
            ("N", false),
            ("no", false),
            ("OFF", false),
            ("fAlSe", false),
        ] {
            assert_eq!(boolean(word.as_bytes()), Some(meaning), "{word}");
        }
        for word in ["", "2", "tr", "true ", "truely", "falses", "10", "\x11", "ＴＲＵＥ", "1.0"] {
            assert_eq!(boolean(word.as_bytes()), None, "{word}");
        }
    }
}
