//! Parses ISO 8601 dates.

use super::moment::{Moment, Wrong};
use super::scan::Rest;

/// Parses an ISO 8601 date, optionally with a time and an offset. A space may replace the `T` and may precede the
/// offset. The offset may be the name of a time zone.
#[inline(always)]
pub(crate) fn iso(text: &[u8]) -> Result<Moment, Wrong> {
    match usual(text) {
        Some(moment) => moment.checked(),
        None => any_notation(text),
    }
}

/// The date if it is written as most are: `2013-01-31`, `2013-01-31T23:59:59` or `2013-01-31T23:59:59Z`, the `T` a space
/// or not. Eight bytes are read at a time.
#[inline(always)]
fn usual(text: &[u8]) -> Option<Moment> {
    let ([date, ..], [day, ..]) = (text.as_chunks::<8>().0, text.get(8..10)?.as_chunks::<2>().0) else { return None };
    let [year, century, month] = pairs(*date, *b"0000-00-", [0, 2, 5])?;
    let [day, ..] = pairs([day[0], day[1], b'0', b'0', b'0', b'0', b'0', b'0'], [b'0'; 8], [0, 2, 4])?;
    let moment = Moment { year: 100 * year + century, month, day, hour: 0, minute: 0, second: 0, nanos: 0, offset: 0 };
    match text.get(10..)? {
        [] => Some(moment),
        [b'T' | b' ', time @ ..] => {
            let (&time, zone) = time.split_first_chunk()?;
            let [hour, minute, second] = pairs(time, *b"00:00:00", [0, 3, 6])?;
            matches!(zone, [] | [b'Z']).then_some(Moment { hour, minute, second, ..moment })
        }
        _ => None,
    }
}

/// The numbers of two digits that begin at `places` if `bytes` look like `form`, where each `0` stands for a digit.
#[inline(always)]
fn pairs(bytes: [u8; 8], form: [u8; 8], places: [usize; 3]) -> Option<[u32; 3]> {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // What a byte may be larger by than that of the form before its highest bit is set: 9 for a digit.
    let room = form.map(|byte| if byte == b'0' { 0x7F - 9 } else { 0x7F });
    let digits = u64::from_le_bytes(bytes) ^ u64::from_le_bytes(form);
    // No sum carries into the next byte unless the highest bit of its own was set before.
    if (digits | (digits & !HIGH).wrapping_add(u64::from_le_bytes(room))) & HIGH != 0 {
        return None;
    }
    let tens = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    Some(places.map(|at| (tens >> (8 * at)) as u32 & 0xFF))
}

/// Parses a date in any of its notations.
#[inline(never)]
fn any_notation(text: &[u8]) -> Result<Moment, Wrong> {
    let mut rest = Rest(text);
    let year = rest.digits(4)?;
    let dashes = rest.take(b'-');
    let month = rest.digits(2)?;
    if rest.take(b'-') != dashes {
        return Err(Wrong::Form);
    }
    let day = rest.digits(2)?;
    let mut moment = Moment { year, month, day, hour: 0, minute: 0, second: 0, nanos: 0, offset: 0 };
    if rest.is_empty() {
        return moment.checked();
    }
    if !(rest.take(b' ') || rest.take(b'T') || rest.take(b't')) {
        return Err(Wrong::Form);
    }
    moment.hour = rest.digits(2)?;
    let colons = rest.take(b':');
    if colons || rest.starts_with_digit() {
        moment.minute = rest.digits(2)?;
        let has_seconds = if colons { rest.take(b':') } else { rest.starts_with_digit() };
        if has_seconds {
            moment.second = rest.digits(2)?;
            if rest.take(b'.') || rest.take(b',') {
                moment.nanos = rest.fraction()?;
            }
        }
    }
    if !rest.is_empty() {
        moment.offset = rest.offset()?;
    }
    if rest.is_empty() { moment.checked() } else { Err(Wrong::Form) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(crate::checks::cases(20_000))]

        #[test]
        fn the_usual_notations_are_read_like_any(
            text in prop_oneof![
                "[0-9]{4}-[0-9]{2}-[0-9]{2}",
                "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}Z?",
                "20[0-9]{2}-[01][0-9]-[0-3][0-9][Tt ]?[0-2][0-9]:[0-5][0-9]:[0-5][0-9]( ?Z|z|\\.[0-9]|\\+01:00)?",
            ],
            other in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
        ) {
            let mut text = text.into_bytes();
            if let Some((at, byte)) = other {
                let at = at.index(text.len());
                text[at] = byte;
            }
            prop_assert_eq!(iso(&text), any_notation(&text), "{:?}", String::from_utf8_lossy(&text));
            let is_usual = matches!(text.len(), 10 | 19 | 20) && other.is_none() && any_notation(&text).is_ok();
            if is_usual && !text.contains(&b't') && !text.contains(&b'z') && !text.contains(&b'.') {
                prop_assert!(usual(&text).is_some());
            }
        }
    }
}
