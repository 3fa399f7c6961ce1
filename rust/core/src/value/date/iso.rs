//! Parses ISO 8601 dates.

use super::moment::{Moment, Wrong};
use super::scan::Rest;

/// Parses an ISO 8601 date, optionally with a time and an offset. A space may replace the `T` and may precede the
/// offset. The offset may be the name of a time zone.
pub(crate) fn iso(text: &[u8]) -> Result<Moment, Wrong> {
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
