//! Dates and times: what they are written as, and the numbers that they are taken apart into.

mod calendar;
mod format;

use std::fmt::{self, Display, Formatter};

use format::Format;

pub(super) const NANOS: i128 = 1_000_000_000;
const DAY_SECONDS: i64 = 86_400;

/// How the dates of a column are written, and what they are counted from.
#[derive(Clone, Debug, Default)]
pub struct Date {
    /// `None` is ISO 8601.
    format: Option<Format>,
    since: Instant,
}

/// A number that a date is taken apart into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Seconds since 1970-01-01 UTC, or another instant.
    Seconds,
    /// Days of 86,400 seconds since then, and their fraction.
    Days,
    /// As written: 1 to 9999.
    Year,
    /// As written: 1 to 12.
    Month,
    /// As written: 1 to 31.
    Day,
    /// As written: 0 to 23.
    Hour,
    /// As written: 0 to 59.
    Minute,
    /// As written, without its fraction: 0 to 59.
    Second,
    /// Of the day as written: 0 is Monday.
    Weekday,
    /// Of the day as written: 1 to 366.
    DayOfYear,
}

impl Part {
    /// All parts, by their names.
    pub const ALL: [(&'static str, Self); 10] = [
        ("seconds", Self::Seconds),
        ("days", Self::Days),
        ("year", Self::Year),
        ("month", Self::Month),
        ("day", Self::Day),
        ("hour", Self::Hour),
        ("minute", Self::Minute),
        ("second", Self::Second),
        ("weekday", Self::Weekday),
        ("dayofyear", Self::DayOfYear),
    ];

    /// The part of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|&(_, part)| part)
    }
}

impl Display for Part {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let (name, _) = Self::ALL.iter().find(|(_, part)| part == self).expect("all parts have a name");
        to.write_str(name)
    }
}

/// A point in time: seconds and nanoseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Instant {
    seconds: i64,
    nanos: u32,
}

/// Why a text is no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It is written in another way.
    Form,
    /// It is written as one, but there is no such day or time.
    Value,
    /// It is one, in a time zone that is not known.
    Zone,
}

/// A date and time as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(super) year: u32,
    pub(super) month: u32,
    pub(super) day: u32,
    pub(super) hour: u32,
    pub(super) minute: u32,
    pub(super) second: u32,
    pub(super) nanos: u32,
    /// Seconds that its clock is ahead of UTC.
    pub(super) offset: i32,
}

impl Date {
    /// Dates that are written as `format` says, or as ISO 8601 has it, and counted from `since`, which is written so, or
    /// from 1970. `Err` says what is wrong with these for those `parts`.
    pub fn new(format: Option<&str>, since: Option<&str>, parts: &[Part]) -> Result<Self, String> {
        let format = format.map(Format::new).transpose()?;
        if let Some(format) = &format {
            for &part in parts {
                format.check(part)?;
            }
        }
        let since = since.map_or(Ok(Instant::default()), |since| {
            let moment = iso(since.trim().as_bytes());
            moment.map(Moment::instant).map_err(|_| {
                format!(
                    "since={since:?} is no date of ISO 8601: write it as in \"2013-01-31\" or \"2013-01-31T23:59:59\""
                )
            })
        })?;
        Ok(Self { format, since })
    }

    /// Reads a date.
    #[inline]
    pub(crate) fn read(&self, text: &[u8]) -> Result<Moment, Wrong> {
        match &self.format {
            None => iso(text),
            Some(format) => format.read(text),
        }
    }

    /// A part of a date.
    #[inline]
    pub(crate) fn part(&self, moment: &Moment, part: Part) -> f32 {
        let Moment { year, month, day, hour, minute, second, .. } = *moment;
        (match part {
            Part::Seconds => return moment.instant().since(self.since, 1),
            Part::Days => return moment.instant().since(self.since, DAY_SECONDS),
            Part::Year => year,
            Part::Month => month,
            Part::Day => day,
            Part::Hour => hour,
            Part::Minute => minute,
            Part::Second => second,
            // 1970 began with a Thursday.
            Part::Weekday => (calendar::days_since_1970(year, month, day) + 3).rem_euclid(7) as u32,
            Part::DayOfYear => calendar::day_of_year(year, month, day),
        }) as f32
    }

    /// What to say of a text that is none of these dates.
    pub(crate) fn expected(&self) -> String {
        match &self.format {
            None => {
                "ISO 8601, such as 2013-01-31 or 2013-01-31T23:59:59Z: csvfeed.Date(..., format=\"%d.%m.%Y %H:%M\") \
                     in dates= says how else it is written"
                    .to_owned()
            }
            Some(format) => format!("format={:?}", format.text()),
        }
    }
}

impl Instant {
    /// How many units of so many seconds it is after another one, rounded once.
    fn since(self, other: Self, unit: i64) -> f32 {
        let seconds = self.seconds - other.seconds;
        if self.nanos == other.nanos && seconds % unit == 0 {
            return (seconds / unit) as f32;
        }
        let nanos = i128::from(seconds) * NANOS + i128::from(self.nanos) - i128::from(other.nanos);
        ratio(nanos, i128::from(unit) * NANOS)
    }
}

/// The float32 nearest to a ratio whose denominator is positive and below 2^64.
pub(super) fn ratio(numerator: i128, denominator: i128) -> f32 {
    let (magnitude, denominator) = (numerator.unsigned_abs(), denominator.unsigned_abs());
    let shift = magnitude.leading_zeros().min(127);
    let (quotient, rest) = ((magnitude << shift) / denominator, (magnitude << shift) % denominator);
    // The last bit of so many stands for all that follow.
    let nearest = (quotient | u128::from(rest != 0)) as f32 / 2_f32.powi(shift as i32);
    if numerator < 0 { -nearest } else { nearest }
}

impl Moment {
    /// A moment of which there may be none.
    #[inline]
    pub(super) fn checked(self) -> Result<Self, Wrong> {
        let Self { year, month, day, hour, minute, second, .. } = self;
        // A leap second has no place in a count of days of 86,400 seconds.
        let is_time = hour < 24 && minute < 60 && second < 60;
        let is_day = (1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=calendar::days_in_month(year, month)).contains(&day);
        if is_day && is_time { Ok(self) } else { Err(Wrong::Value) }
    }

    fn instant(self) -> Instant {
        let Self { year, month, day, hour, minute, second, nanos, offset } = self;
        let time = i64::from((hour * 60 + minute) * 60 + second) - i64::from(offset);
        Instant { seconds: calendar::days_since_1970(year, month, day) * DAY_SECONDS + time, nanos }
    }
}

/// A date as ISO 8601 has it, with or without a time and an offset. A space may stand for the `T` and before the offset,
/// which may be a time zone.
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
        if if colons { rest.take(b':') } else { rest.starts_with_digit() } {
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

/// The time zones of RFC 2822, in hours ahead of UTC, but for one: CST is that of Chicago there, and elsewhere of China.
const ZONES: [(&str, i32); 11] = [
    ("Z", 0),
    ("UTC", 0),
    ("GMT", 0),
    ("UT", 0),
    ("EST", -5),
    ("EDT", -4),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
];

/// What is left of a text.
pub(super) struct Rest<'a>(pub(super) &'a [u8]);

impl Rest<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Goes over a byte, if that comes next.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let rest = self.0.strip_prefix(&[byte]);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// Goes over a word in any case, if that comes next.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = self.0.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()));
        if found {
            self.0 = &self.0[word.len()..];
        }
        found
    }

    pub(super) fn starts_with_digit(&self) -> bool {
        self.0.first().is_some_and(u8::is_ascii_digit)
    }

    /// A number of so many digits.
    #[inline]
    pub(super) fn digits(&mut self, count: usize) -> Result<u32, Wrong> {
        let (digits, rest) = self.0.split_at_checked(count).ok_or(Wrong::Form)?;
        let mut number = 0;
        for &digit in digits {
            if !digit.is_ascii_digit() {
                return Err(Wrong::Form);
            }
            number = 10 * number + u32::from(digit - b'0');
        }
        self.0 = rest;
        Ok(number)
    }

    /// A number of as many digits as there are, up to some.
    pub(super) fn digits_up_to(&mut self, most: usize) -> Result<u32, Wrong> {
        let count = self.0.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
        self.digits(count.max(1))
    }

    /// The digits of a fraction of a second, as nanoseconds; what is shorter does not count.
    pub(super) fn fraction(&mut self) -> Result<u32, Wrong> {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let kept = count.min(9);
        let number = self.digits(kept.max(1))?;
        self.0 = &self.0[count - kept..];
        Ok(number * 10_u32.pow(9 - kept as u32))
    }

    pub(super) fn starts_with(&self, byte: u8) -> bool {
        self.0.first() == Some(&byte)
    }

    /// How many seconds the clock of a time zone is ahead of UTC.
    pub(super) fn zone(&mut self) -> Result<i32, Wrong> {
        let length = self.0.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let (name, rest) = self.0.split_at(length);
        // What is no name of a zone is another way to write a date.
        if matches!(name, [] | [_, b'M' | b'm']) && !self.starts_with(b'[') {
            return Err(Wrong::Form);
        }
        let hours = ZONES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()));
        match (hours, rest.first()) {
            (None, _) | (_, Some(b'/' | b'_' | b'[')) => Err(Wrong::Zone),
            (Some((_, hours)), _) => {
                self.0 = rest;
                Ok(3600 * hours)
            }
        }
    }

    /// How many seconds a clock is ahead of UTC: `+HH`, `+HHMM` or `+HH:MM`, also after `GMT` or `UTC`, or a time zone.
    pub(super) fn offset(&mut self) -> Result<i32, Wrong> {
        self.take(b' ');
        if self.0 == b"Z" {
            self.0 = &[];
            return Ok(0);
        }
        if !matches!(self.0, [b'+' | b'-', ..]) {
            let before = self.0;
            let zone = self.zone()?;
            let is_utc = zone == 0 && before.len() - self.0.len() > 1;
            if !(is_utc && matches!(self.0, [b'+' | b'-', ..])) {
                return Ok(zone);
            }
        }
        let west = self.take(b'-');
        if !west && !self.take(b'+') {
            return Err(Wrong::Form);
        }
        let hours = self.digits(2)?;
        let minutes = if self.take(b':') || self.starts_with_digit() { self.digits(2)? } else { 0 };
        if hours > 23 || minutes > 59 {
            return Err(Wrong::Value);
        }
        let seconds = 60 * (60 * hours + minutes) as i32;
        Ok(if west { -seconds } else { seconds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle;
    use proptest::prelude::*;

    #[test]
    fn a_zone_that_is_not_known_is_told_from_what_is_none() {
        for zone in ["CET", "CST", "Europe/Berlin", "GMT/x", "A", "+01:00[Europe/Berlin]", "[UTC]"] {
            let found = iso(format!("2013-01-31 10:00 {zone}").as_bytes());
            assert_eq!(found, Err(if zone.starts_with('+') { Wrong::Form } else { Wrong::Zone }), "{zone}");
        }
        for zone in ["AM", "pm", "?", "1", "+1"] {
            assert_eq!(iso(format!("2013-01-31 10:00 {zone}").as_bytes()), Err(Wrong::Form), "{zone}");
        }
    }

    proptest! {
        #[test]
        fn seconds_are_rounded_once(
            (seconds, nanos) in (-400_000_000_000_i64..400_000_000_000, 0_u32..1_000_000_000),
            (near, less) in (-70_000_000_i64..70_000_000, prop::sample::select(&[0_u32, 1, 500_000_000, 999_999_999])),
        ) {
            for (seconds, nanos) in [(seconds, nanos), (near, less)] {
                let all = i128::from(seconds) * NANOS + i128::from(nanos);
                let nearest = oracle::nearest(all.unsigned_abs(), -9);
                let expected = if all < 0 { -nearest } else { nearest };
                let found = Instant { seconds, nanos }.since(Instant::default(), 1);
                prop_assert_eq!(found.to_bits(), expected.to_bits(), "{} {}", found, expected);
            }
        }

        #[test]
        fn a_date_is_read_as_it_was_written(
            (year, of_year) in (1_u32..=9999, 1_u32..=365),
            (hour, minute, second, nanos) in (0_u32..24, 0_u32..60, 0_u32..60, 0_u32..1_000_000_000),
            (hours, minutes, west) in (0_i32..24, 0_i32..60, any::<bool>()),
            (dashes, colons) in (prop::sample::select(&["-", ""]), prop::sample::select(&[":", ""])),
        ) {
            let (month, day) = calendar::month_and_day(year, of_year);
            let sign = if west { -1 } else { 1 };
            let offset = sign * 60 * (60 * hours + minutes);
            let expected = Moment { year, month, day, hour, minute, second, nanos, offset };
            let date = format!("{year:04}{dashes}{month:02}{dashes}{day:02}");
            let time = format!("{hour:02}{colons}{minute:02}{colons}{second:02}.{nanos:09}");
            let zone = format!("{}{hours:02}{colons}{minutes:02}", if west { '-' } else { '+' });
            let iso = iso(format!("{date}T{time}{zone}").as_bytes());
            prop_assert_eq!(iso, Ok(expected));
            let format = Format::new("%f %S:%M:%H %d/%m %Y %z").unwrap();
            let text = format!("{nanos:09} {second}:{minute}:{hour} {day}/{month} {year:04} {zone}");
            prop_assert_eq!(format.read(text.as_bytes()), Ok(expected));
        }

        #[test]
        fn a_zone_is_its_offset(
            (zone, hours) in prop::sample::select(&ZONES[..]),
            (hour, ahead, west) in (0_u32..24, 0_i32..24, any::<bool>()),
            (space, is_lower) in (prop::sample::select(&["", " "]), any::<bool>()),
        ) {
            let name = if is_lower { zone.to_lowercase() } else { zone.to_owned() };
            let text = format!("2013-01-31T{hour:02}:30{space}{name}");
            let moment = iso(text.as_bytes()).unwrap();
            prop_assert_eq!((moment.hour, moment.offset), (hour, 3600 * hours));
            let format = Format::new("%Y-%m-%d %H:%M %Z").unwrap();
            prop_assert_eq!(format.read(format!("2013-01-31 {hour:02}:30 {name}").as_bytes()), Ok(moment));
            let sign = if west { -1 } else { 1 };
            let further = iso(format!("{text}{}{ahead:02}00", if west { '-' } else { '+' }).as_bytes());
            if matches!(zone, "UTC" | "GMT" | "UT") {
                prop_assert_eq!(further.unwrap().offset, sign * 3600 * ahead);
            } else {
                prop_assert_eq!(further, Err(Wrong::Form));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9T:+Z. -]{0,30}|\\PC{0,20}") {
            let is_date = iso(text.as_bytes()).is_ok();
            prop_assert!(!is_date || text.len() >= 8);
            let format = Format::new("%a %b %d %y %I:%M%p %j").err();
            prop_assert!(format.is_some());
            let _ = Format::new(&text).map(|format| format.read(text.as_bytes()));
        }
    }
}
