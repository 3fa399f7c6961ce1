//! Naive reference implementations that the tests and the fuzz targets compare the fast paths with.

use std::cmp::Ordering;
use std::ops::Range;

use num_bigint::BigUint;

use crate::dialect::Dialect;

/// The float32 nearest to `mantissa * 10^exponent`, ties to even, computed with exact integers.
#[must_use]
pub fn nearest(mantissa: impl Into<BigUint>, exponent: i32) -> f32 {
    // Every float32 is a multiple of 2^-149, the smallest positive one. Count these units and keep the remainder.
    let mut numerator = mantissa.into() << 149_u8;
    let mut denominator = BigUint::from(1_u8);
    let power = BigUint::from(10_u8).pow(exponent.unsigned_abs());
    *(if exponent < 0 { &mut denominator } else { &mut numerator }) *= power;
    let units = &numerator / &denominator;
    // A significand has 24 bits. Larger values are counted in steps of 2, 4, 8, ... units.
    let steps = units.bits().saturating_sub(24);
    let step = BigUint::from(1_u8) << steps;
    let significand = &units >> steps;
    let rest = numerator - &significand * &step * &denominator;
    let up = match (rest * 2_u8).cmp(&(step * denominator)) {
        Ordering::Less => false,
        Ordering::Greater => true,
        Ordering::Equal => significand.bit(0),
    };
    // The highest bit of the significand carries into the exponent above it, and so does a carry from rounding.
    let bits = (BigUint::from(steps) << 23_u8) + significand + u32::from(up);
    f32::from_bits(u32::try_from(bits).unwrap_or(u32::MAX).min(f32::INFINITY.to_bits()))
}

/// The float32 nearest to a text that consists of a number of any length. All digits are combined into one integer.
#[must_use]
pub fn number(text: &[u8]) -> Option<f32> {
    let (negative, unsigned) = sign(text);
    let magnitude = match unsigned.to_ascii_lowercase().as_slice() {
        b"nan" => f32::NAN,
        b"inf" | b"infinity" => f32::INFINITY,
        unsigned => decimal(unsigned)?,
    };
    Some(if negative { -magnitude } else { magnitude })
}

/// Whether the text starts with a minus, and the text after the sign.
fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

/// Parses an unsigned decimal.
fn decimal(text: &[u8]) -> Option<f32> {
    let e = text.iter().position(|&byte| byte == b'e').unwrap_or(text.len());
    let mut exponent = if e == text.len() { 0 } else { integer(&text[e + 1..])? };
    let dot = text[..e].iter().position(|&byte| byte == b'.').unwrap_or(e);
    let fraction = &text[e.min(dot + 1)..e];
    let digits = [&text[..dot], fraction].concat();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    exponent = exponent.saturating_sub(fraction.len() as i64);
    let leading_zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    let digits = &digits[leading_zeros..];
    // The value is less than 10^size and at least a tenth of that.
    let size = exponent.saturating_add(digits.len() as i64);
    if digits.is_empty() || size < -100 {
        Some(0.0)
    } else if size > 100 {
        Some(f32::INFINITY)
    } else {
        Some(nearest(BigUint::parse_bytes(digits, 10)?, exponent as i32))
    }
}

/// Parses an integer with an optional sign. Saturates far beyond the length of any text.
fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = sign(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let up = |value: i64, digit: &u8| value.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
    let magnitude = digits.iter().fold(0, up);
    Some(if negative { -magnitude } else { magnitude })
}

/// The rows of a text as raw fields, with their quotes and escapes. Scans byte by byte and skips blank lines and
/// comments.
#[must_use]
pub fn rows(text: &[u8], dialect: Dialect) -> Vec<Vec<Vec<u8>>> {
    let has_runs = dialect.delimiter == b' ';
    let mut rows = Vec::new();
    let mut row: Vec<Vec<u8>> = vec![Vec::new()];
    let (mut quoted, mut just_closed) = (false, false);
    let (mut escaped, mut ends_escaped) = (false, false);
    let (mut line_start, mut comment) = (true, false);
    // If the text already ends with a newline, the one added here is a blank line.
    for &byte in text.iter().chain(b"\n") {
        comment |= line_start && Some(byte) == dialect.comment;
        if comment {
            comment = byte != b'\n';
            line_start = !comment;
            continue;
        }
        line_start = false;
        let last = row.len() - 1;
        let field = &mut row[last];
        let is_space = |byte: &u8| dialect.skip_initial_space && matches!(byte, b' ' | b'\t');
        let may_open = field.iter().all(is_space) || just_closed;
        just_closed = false;
        if escaped || Some(byte) == dialect.escape {
            field.push(byte);
            ends_escaped = escaped;
            escaped = !escaped;
        } else if Some(byte) == dialect.quote && (quoted || may_open) {
            just_closed = quoted;
            quoted = !quoted;
            field.push(byte);
        } else if quoted || (byte != dialect.delimiter && byte != b'\n') {
            field.push(byte);
            ends_escaped = false;
        } else if byte == dialect.delimiter {
            if !has_runs || !field.is_empty() {
                row.push(Vec::new());
            }
        } else {
            if field.last() == Some(&b'\r') && !ends_escaped {
                field.pop();
            }
            line_start = true;
            let mut whole = std::mem::replace(&mut row, vec![Vec::new()]);
            whole.pop_if(|last| has_runs && last.is_empty());
            if !whole.is_empty() && whole != [b""] {
                rows.push(whole);
            }
        }
    }
    rows
}

/// The text of each row, including its line end, however malformed. Scans byte by byte and counts blank lines and
/// comments as rows. If a field never ends, also returns its start and the reason; no row contains it.
#[must_use]
pub fn lines(text: &[u8], dialect: Dialect) -> (Vec<Vec<u8>>, Option<(usize, Wrong)>) {
    let mut lines: Vec<Vec<u8>> = vec![];
    let mut line = vec![];
    // Whether the next byte may open quotes, is inside quotes, or follows a quote inside them; and the start of its
    // field.
    let (mut may_open, mut inside, mut after, mut start) = (true, false, false, 0);
    let (mut escaped, mut comment) = (false, false);
    for (at, &byte) in text.iter().enumerate() {
        comment |= line.is_empty() && Some(byte) == dialect.comment;
        line.push(byte);
        if comment {
            if byte == b'\n' {
                (comment, start) = (false, at + 1);
                lines.push(std::mem::take(&mut line));
            }
            continue;
        }
        if escaped || Some(byte) == dialect.escape {
            escaped = !escaped;
            (may_open, after) = (false, false);
            continue;
        }
        let is_quote = Some(byte) == dialect.quote;
        if inside {
            (inside, after) = (!is_quote, is_quote);
            continue;
        }
        inside = is_quote && (may_open || after);
        after = false;
        let is_end = byte == dialect.delimiter || byte == b'\n';
        if is_end {
            start = at + 1;
        } else if inside && may_open {
            start = at;
        }
        may_open = is_end || may_open && dialect.skip_initial_space && matches!(byte, b' ' | b'\t');
        if !inside && byte == b'\n' {
            lines.push(std::mem::take(&mut line));
        }
    }
    let unclosed = if inside { Some(Wrong::Unclosed) } else { escaped.then_some(Wrong::Escape) };
    lines.extend((unclosed.is_none() && !line.is_empty()).then_some(line));
    (lines, unclosed.map(|wrong| (start, wrong)))
}

/// The rows of a text up to the first malformed one.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The range of each field of each row, quotes included.
    pub rows: Vec<Vec<Range<usize>>>,
    /// The position of the fault, and its kind.
    pub wrong: Option<(usize, Wrong)>,
}

/// What can be wrong with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// A quoted field is not closed.
    Unclosed,
    /// Text follows a closing quote.
    AfterQuote,
    /// The text ends after an escape.
    Escape,
    /// The row has this wrong number of fields.
    Fields(usize),
}

/// Finds the fields of a text byte by byte. Every row must have `columns` fields or, without `columns`, as many as the
/// first row.
#[must_use]
pub fn table(text: &[u8], dialect: Dialect, columns: Option<usize>) -> Table {
    let has_runs = dialect.delimiter == b' ';
    let mut table = Table::default();
    let mut columns = columns;
    let mut row = vec![];
    let mut row_start = 0;
    let mut at = 0;
    while at < text.len() || !row.is_empty() {
        if row.is_empty() && dialect.comment == Some(text[at]) {
            at += text[at..].iter().position(|&byte| byte == b'\n').map_or(text.len() - at, |newline| newline + 1);
            continue;
        }
        if row.is_empty() {
            row_start = at;
        }
        if has_runs {
            at += text[at..].iter().take_while(|&&byte| byte == b' ').count();
        }
        let spaces = |at: usize| {
            let is_space = |byte: &&u8| matches!(**byte, b' ' | b'\t') && **byte != dialect.delimiter;
            text[at.min(text.len())..].iter().take_while(is_space).count()
        };
        if dialect.skip_initial_space && dialect.quote.is_some() && text.get(at + spaces(at)).copied() == dialect.quote
        {
            at += spaces(at);
        }
        let start = at;
        // The end of a quoted field followed by spaces.
        let mut closed = None;
        // The position of a byte that an escape makes literal.
        let mut escaped = None;
        if at < text.len() && Some(text[at]) == dialect.quote {
            at += 1;
            loop {
                if at >= text.len() {
                    return Table { wrong: Some((start, Wrong::Unclosed)), ..table };
                }
                if Some(text[at]) == dialect.escape {
                    at += 2;
                    continue;
                }
                let doubled = text[at..].iter().take(2).all(|&byte| Some(byte) == dialect.quote);
                if Some(text[at]) == dialect.quote && !(doubled && at + 1 < text.len()) {
                    break;
                }
                at += if doubled { 2 } else { 1 };
            }
            at += 1;
            if dialect.skip_final_space && spaces(at) > 0 {
                closed = Some(at);
                at += spaces(at);
            }
            if !matches!(text[at..], [] | [b'\r'] | [b'\n', ..] | [b'\r', b'\n', ..]) && text[at] != dialect.delimiter {
                return Table { wrong: Some((start, Wrong::AfterQuote)), ..table };
            }
        }
        while at < text.len() && text[at] != b'\n' && text[at] != dialect.delimiter {
            if Some(text[at]) == dialect.escape {
                at += 1;
                escaped = Some(at);
            }
            at += 1;
        }
        if at > text.len() {
            return Table { wrong: Some((start, Wrong::Escape)), ..table };
        }
        let row_ends = at == text.len() || text[at] == b'\n';
        let returns = usize::from(row_ends && at > start && text[at - 1] == b'\r' && escaped != Some(at - 1));
        if !(has_runs && row_ends && start == at - returns) {
            row.push(start..closed.unwrap_or(at - returns));
        }
        at += 1;
        if row_ends {
            let mut whole = std::mem::take(&mut row);
            let is_blank = whole.is_empty() || whole.len() == 1 && whole[0].is_empty();
            let expected = if is_blank { whole.len() } else { *columns.get_or_insert(whole.len()) };
            if dialect.fills_short_rows && !is_blank {
                let end = whole[whole.len() - 1].end;
                whole.resize(whole.len().max(expected), end..end);
            }
            if whole.len() != expected {
                return Table { wrong: Some((row_start, Wrong::Fields(whole.len()))), ..table };
            }
            table.rows.extend((!is_blank).then_some(whole));
        }
    }
    table
}
