//! Dates and times: their notations, and the numbers derived from them.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod calendar;
mod format;
mod iso;
mod moment;
mod scan;
mod template;
mod work;

use std::fmt::{self, Display, Formatter};
use std::ops::Range;

use crate::error::Kind;
use crate::literal::literal;
use crate::simd::Simd;
use format::Format;
use moment::Instant;

pub(crate) use iso::iso;
pub(crate) use moment::{Moment, Wrong};
pub(super) use moment::{NANOS, ratio};
pub(super) use scan::Rest;
use template::Since;
pub(crate) use template::{BLOCK, Dates, Template};

const DAY_SECONDS: i64 = 86_400;

/// The notation of a column's dates, and the moment from which they are counted.
#[derive(Clone, Debug, Default)]
pub struct Date {
    /// `None` is ISO 8601.
    format: Option<Format>,
    since: Instant,
    /// How most dates look.
    templates: Vec<Template>,
}

/// The usual notations of ISO 8601.
const ISO: [&str; 5] =
    ["%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%SZ", "%Y-%m-%dT%H:%M:%SZ"];

/// A number derived from a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Seconds since 1970-01-01 UTC or another instant.
    Seconds,
    /// Days of 86,400 seconds since that instant, with a fraction.
    Days,
    /// The year as written: 1 to 9999.
    Year,
    /// The month as written: 1 to 12.
    Month,
    /// The day of the month as written: 1 to 31.
    Day,
    /// The hour as written: 0 to 23.
    Hour,
    /// The minute as written: 0 to 59.
    Minute,
    /// The second as written, without its fraction: 0 to 59.
    Second,
    /// The weekday of the day as written: 0 is Monday.
    Weekday,
    /// The day of the year of the day as written: 1 to 366.
    DayOfYear,
}

impl Part {
    /// All parts, by name.
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

    /// The part with this name.
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

impl Date {
    /// Dates in `format`, by default ISO 8601. They are counted from `since`, an ISO 8601 date, by default 1970. `Err`
    /// explains what is wrong with the arguments for these `parts`.
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
        let templates = match &format {
            Some(format) => format.template().into_iter().collect(),
            None => ISO.iter().filter_map(|form| Format::new(form).ok()?.template()).collect(),
        };
        Ok(Self { format, since, templates })
    }

    /// Parses a date.
    #[inline(always)]
    pub(crate) fn read(&self, text: &[u8]) -> Result<Moment, Wrong> {
        match &self.format {
            None => iso(text),
            Some(format) => format.read(text),
        }
    }

    /// The first and the last nanosecond since 1970 of what a text means, in this format or in ISO 8601: a moment, or a
    /// whole day if it has no time. `Err` says that it is no date.
    pub(crate) fn span(&self, text: &str) -> Result<(i128, i128), String> {
        let bytes = text.trim().as_bytes();
        let own = self.format.as_ref().and_then(|format| {
            let is_day = format.check(Part::Hour).is_err();
            Some((format.read(bytes).ok()?, is_day))
        });
        let (moment, is_day) = match own {
            Some(own) => own,
            // Without a time, a date has at most ten characters.
            None => (iso(bytes).map_err(|_| self.no_date(text))?, bytes.len() <= "2013-01-31".len()),
        };
        let start = moment.nanos();
        Ok((start, if is_day { start + i128::from(DAY_SECONDS) * NANOS - 1 } else { start }))
    }

    fn no_date(&self, text: &str) -> String {
        let own = self.format.as_ref().map_or_else(String::new, |format| format!(", or of format={:?}", format.text()));
        format!("{text:?} is no date of ISO 8601, as in \"2013-01-31\" or \"2013-01-31T23:59:59\"{own}")
    }

    /// Computes a part of a date.
    #[inline(always)]
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
            Part::Weekday => calendar::weekday(year, month, day),
            Part::DayOfYear => calendar::day_of_year(year, month, day),
        }) as f32
    }

    /// How the date at `place` looks, if it looks like most.
    pub(crate) fn template_at(&self, text: &[u8], place: &Range<usize>) -> Option<&Template> {
        self.templates.iter().find(|template| template.fits(text, place))
    }

    /// Whether [`Date::parts`] can compute parts of dates that a template has read.
    pub(crate) fn has_templates(&self) -> bool {
        !self.templates.is_empty() && Since::of(self.since).is_some()
    }

    /// Computes a part of each of the dates that a template has read.
    pub(crate) fn parts(&self, simd: Simd, dates: &Dates, part: Part, values: &mut [f32; BLOCK]) {
        if let Some(since) = Since::of(self.since) {
            dates.part(simd, part, since, values);
        }
    }

    /// The error for a text that is not a date.
    pub(crate) fn error(&self, wrong: Wrong, text: &[u8]) -> Kind {
        match wrong {
            Wrong::Form => {
                let other = self.format.as_ref().and_then(Format::with_other_year);
                let other = other.filter(|other| other.read(text).is_ok()).map_or_else(String::new, |other| {
                    format!(", but format={} reads it: %y is a year of two digits", literal(other.text()))
                });
                Kind::Date(self.expected() + &other)
            }
            Wrong::Value => {
                let swapped = self.format.as_ref().and_then(Format::swapped).filter(|other| other.read(text).is_ok());
                Kind::NoSuchDate(swapped.map_or_else(String::new, |other| {
                    format!(", but format={:?} reads it, where day and month change places", other.text())
                }))
            }
            Wrong::Zone => Kind::Zone,
        }
    }

    /// The expected notation.
    fn expected(&self) -> String {
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

#[cfg(test)]
mod tests {
    use super::scan::ZONES;
    use super::*;
    use crate::oracle;
    use proptest::prelude::*;

    #[test]
    fn an_unknown_zone_is_told_from_other_text() {
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
        fn days_are_rounded_once(seconds in -400_000_000_000_i64..400_000_000_000, near in -200_000_i64..200_000) {
            for seconds in [seconds, near] {
                let found = Instant { seconds, nanos: 7 }.since(Instant { seconds: 0, nanos: 7 }, DAY_SECONDS);
                let expected = ratio(i128::from(seconds) * NANOS, i128::from(DAY_SECONDS) * NANOS);
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
