//! Detects the notation of the numbers in a file.

use crate::dialect::Dialect;
use crate::value::number::Notation;

/// The notations of numbers. Of equally good ones, the first wins.
pub(super) const NOTATIONS: [(u8, Option<u8>); 8] = [
    (b'.', None),
    (b',', None),
    (b'.', Some(b',')),
    (b',', Some(b'.')),
    (b'.', Some(b' ')),
    (b',', Some(b' ')),
    (b'.', Some(b'\'')),
    (b',', Some(b'\'')),
];

const PLAIN: usize = 0;
const COMMA: usize = 1;
const COMMA_GROUPS: usize = 2;
const DOT_GROUPS: usize = 3;

/// A set of [`NOTATIONS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Notations(u8);

impl Notations {
    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn has(self, notation: usize) -> bool {
        self.0 & (1 << notation) != 0
    }
}

/// The notations in which a text is a number.
pub(super) fn notations(text: &[u8]) -> Notations {
    let Some(&last) = text.last() else { return Notations::default() };
    if text.iter().all(u8::is_ascii_digit) {
        return Notations(u8::MAX);
    }
    let is_ascii_word = text.len() < 10 && text.iter().all(|byte| byte.is_ascii_alphabetic() || b"+-".contains(byte));
    // A text that ends with a separator is not a number but a bad split.
    if !(text.iter().any(u8::is_ascii_digit) || is_ascii_word)
        || text.len() > 400
        || matches!(last, b',' | b'\'' | b' ')
    {
        return Notations::default();
    }
    let reads = |&(decimal, thousands): &(u8, Option<u8>)| {
        Notation::of(Dialect { decimal, thousands, ..Dialect::default() }).parse(text).is_some()
    };
    let mut found = 0;
    for (at, notation) in NOTATIONS.iter().enumerate() {
        found |= u8::from(reads(notation)) << at;
    }
    // A group of thousands does not begin with a zero.
    let leads_with_zero = matches!(text, [b'0', b',' | b'.', ..] | [b'+' | b'-', b'0', b',' | b'.', ..]);
    if leads_with_zero {
        if text.contains(&b',') && found & (1 << COMMA) != 0 {
            found &= !(1 << COMMA_GROUPS);
        }
        if text.contains(&b'.') && found & (1 << PLAIN) != 0 {
            found &= !(1 << DOT_GROUPS);
        }
    }
    Notations(found)
}

/// Statistics of the numeric columns.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// How many fields are numbers in each notation.
    counts: [usize; NOTATIONS.len()],
    /// How many fields have a single comma, or a single dot, followed by three digits: it may separate thousands.
    grouped: [usize; 2],
    /// How many fields in such columns are below a thousand and have no separator.
    small: [usize; 2],
    /// How many fields in such columns are a thousand or more and have no separator.
    large: [usize; 2],
    /// How many fields with the sign or the code of a currency, or a percent sign, are numbers in each notation.
    dressed: [usize; NOTATIONS.len()],
    /// How many such fields there are.
    all_dressed: usize,
}

impl Numbers {
    /// Adds a column: its fields, and the notations in which each is a number.
    pub(super) fn add(&mut self, column: &[(&[u8], Notations)]) {
        for &(_, notations) in column {
            for (at, count) in self.counts.iter_mut().enumerate() {
                *count += usize::from(notations.has(at));
            }
        }
        for (at, mark) in [(0, b','), (1, b'.')] {
            let grouped = column.iter().filter(|(text, _)| is_group(text, mark)).count();
            if grouped > 0 {
                self.grouped[at] += grouped;
                let plain = column.iter().filter(|(text, _)| digits(text));
                let length = |text: &[u8]| text.iter().filter(|byte| byte.is_ascii_digit()).count();
                self.small[at] += plain.clone().filter(|(text, _)| length(text) <= 3).count();
                self.large[at] += plain.filter(|(text, _)| length(text) > 3).count();
            }
        }
    }

    /// Adds the amounts and percentages of a column: the notations of each.
    pub(super) fn add_dressed(&mut self, column: impl Iterator<Item = Notations>) {
        for notations in column.filter(|notations| !notations.is_empty()) {
            self.all_dressed += 1;
            for (at, count) in self.dressed.iter_mut().enumerate() {
                *count += usize::from(notations.has(at));
            }
        }
    }

    /// Which of some notations that suit the plain numbers suit the amounts and percentages, too. All of them if none
    /// does, or if it is open what a mark before three digits is in an amount.
    fn suitable(&self, best: Vec<usize>, delimiter: u8) -> Vec<usize> {
        let most = best.iter().map(|&at| self.dressed[at]).max().unwrap_or_default();
        let is_told = most > 0 && 10 * most >= 9 * self.all_dressed;
        // Only where commas do not delimit fields is a dot before three digits likely to separate thousands.
        if !is_told || (delimiter != b';' && self.grouped != [0, 0]) {
            return best;
        }
        let mut suitable: Vec<_> = best.iter().copied().filter(|&at| self.dressed[at] == most).collect();
        let is_open = !suitable.contains(&PLAIN) && suitable.contains(&COMMA) && suitable.contains(&COMMA_GROUPS);
        if is_open && self.grouped[0] == 0 {
            if delimiter != b',' {
                return best;
            }
            suitable.retain(|&at| at != COMMA);
        }
        suitable
    }

    /// The best notation among those allowed, and a second one if the numbers do not decide between them.
    pub(super) fn notation(&self, delimiter: u8, allowed: impl Fn(usize) -> bool) -> (usize, Option<usize>) {
        let allowed: Vec<_> = (0..NOTATIONS.len()).filter(|&at| allowed(at)).collect();
        let most = allowed.iter().map(|&at| self.counts[at]).max().unwrap_or_default();
        let best: Vec<_> = allowed.into_iter().filter(|&at| self.counts[at] == most).collect();
        let best = self.suitable(best, delimiter);
        let Some(&first) = best.first() else { return (PLAIN, None) };
        if first == COMMA && best.contains(&COMMA_GROUPS) && self.grouped[0] > 0 {
            // Separators of thousands would be in every large number; decimals would be in every number.
            let are_groups = delimiter == b',' || (self.small[0] > 0 && self.large[0] == 0);
            return match (are_groups, self.large[0] > 0) {
                (true, _) => (COMMA_GROUPS, None),
                (_, true) => (COMMA, None),
                _ => (COMMA, Some(COMMA_GROUPS)),
            };
        }
        let are_dots_doubtful = delimiter == b';' && self.grouped[1] > 0 && self.large[1] == 0;
        if first == PLAIN && best.contains(&DOT_GROUPS) && are_dots_doubtful {
            return (PLAIN, Some(DOT_GROUPS));
        }
        (first, None)
    }
}

fn unsigned(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text)
}

fn digits(text: &[u8]) -> bool {
    unsigned(text).iter().all(u8::is_ascii_digit)
}

/// Whether a text is one to three digits, a mark and three digits.
pub(super) fn is_group(text: &[u8], mark: u8) -> bool {
    let text = unsigned(text);
    let at = text.iter().position(|&byte| byte == mark).unwrap_or_default();
    (1..=3).contains(&at) && text[0] != b'0' && text.len() == at + 4 && digits(&text[..at]) && digits(&text[at + 1..])
}
