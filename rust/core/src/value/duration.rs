//! Durations: their notations, and their value in seconds, minutes, hours or days.

use super::date::{NANOS, Rest, Wrong, ratio};
use crate::error::Kind;

const MINUTE: i128 = 60;
const HOUR: i128 = 60 * MINUTE;
const DAY: i128 = 24 * HOUR;

/// The notation and the unit of a column's durations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duration {
    /// In seconds.
    unit: i128,
    two: Option<Two>,
}

/// The meaning of two numbers joined by a colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Two {
    Hours,
    Minutes,
}

const UNITS: [(&str, i128); 4] = [("seconds", 1), ("minutes", MINUTE), ("hours", HOUR), ("days", DAY)];
const FORMATS: [(&str, Two); 2] = [("%H:%M", Two::Hours), ("%M:%S", Two::Minutes)];

impl Default for Duration {
    fn default() -> Self {
        Self { unit: 1, two: None }
    }
}

impl Duration {
    /// Durations in the given unit. `format` gives the meaning of durations with two numbers. `Err` explains what is
    /// wrong with the arguments.
    pub fn new(unit: &str, format: Option<&str>) -> Result<Self, String> {
        let unit = find(&UNITS, unit).map_err(|known| format!("no unit {unit:?}: there are {known}"))?;
        let two = format
            .map(|format| find(&FORMATS, format).map_err(|known| format!("format={format:?} is none of {known}")));
        Ok(Self { unit, two: two.transpose()? })
    }

    /// Parses a duration and returns nanoseconds. Accepts `125:03:07.5`, `03:07.5`, `1 days 02:03:04`, `-1 day,
    /// 23:59:59` and `2 days`, with any number of hours.
    pub(crate) fn read(self, text: &[u8]) -> Result<i128, Wrong> {
        let mut rest = Rest(text);
        let is_negative = rest.take(b'-');
        if !is_negative {
            rest.take(b'+');
        }
        let first = number(&mut rest)?;
        if rest.take(b':') {
            let time = self.clock(first, &mut rest)?;
            return if rest.is_empty() { Ok(signed(time, is_negative)) } else { Err(Wrong::Form) };
        }
        skip_spaces(&mut rest);
        if !(rest.take_word("days") || rest.take_word("day")) {
            return Err(Wrong::Form);
        }
        let days = first * DAY * NANOS;
        // Python and pandas print negative durations with negative days and a positive time.
        let mut is_added = rest.take(b',');
        skip_spaces(&mut rest);
        if rest.is_empty() && !is_added {
            return Ok(signed(days, is_negative));
        }
        is_added |= rest.take(b'+');
        let hours = number(&mut rest)?;
        if !rest.take(b':') {
            return Err(Wrong::Form);
        }
        let time = self.clock(hours, &mut rest)?;
        if !rest.is_empty() {
            return Err(Wrong::Form);
        }
        if time >= DAY * NANOS {
            return Err(Wrong::Value);
        }
        if is_negative && !is_added && days != 0 && time != 0 {
            // 22 hours to some programs, 26 hours to others.
            return Err(Wrong::Form);
        }
        Ok(if is_added { signed(days, is_negative) + time } else { signed(days + time, is_negative) })
    }

    /// A duration in the unit, rounded once.
    pub(crate) fn value(self, nanos: i128) -> f32 {
        ratio(nanos, self.unit * NANOS)
    }

    /// Parses what follows the first number and its colon.
    fn clock(self, first: i128, rest: &mut Rest<'_>) -> Result<i128, Wrong> {
        let second = i128::from(rest.digits(2)?);
        let (hours, minutes, seconds) = if rest.take(b':') {
            (first, second, i128::from(rest.digits(2)?))
        } else if rest.starts_with(b'.') || self.two == Some(Two::Minutes) {
            (0, first, second)
        } else if self.two == Some(Two::Hours) {
            (first, second, 0)
        } else {
            return Err(Wrong::Form);
        };
        let nanos = if rest.take(b'.') { rest.fraction()? } else { 0 };
        // Only the first number may exceed 59.
        if seconds >= 60 || (minutes >= 60 && (hours, minutes) != (0, first)) {
            return Err(Wrong::Value);
        }
        Ok((hours * HOUR + minutes * MINUTE + seconds) * NANOS + i128::from(nanos))
    }

    /// The error for a text that is not a duration.
    pub(crate) fn error(self, wrong: Wrong) -> Kind {
        match wrong {
            Wrong::Value => Kind::NoSuchDate(String::new()),
            Wrong::Form | Wrong::Zone => Kind::Duration(self.expected()),
        }
    }

    /// The expected notation.
    fn expected(self) -> &'static str {
        match self.two {
            None => {
                "understood are 125:03:07, 125:03:07.25, 03:07.25, 1 days 02:03:04 and -1 days +02:03:04, with a sign \
                 before each. Whether 12:30 is hours or minutes is said by csvfeed.Duration(format=\"%H:%M\") or \"%M:%S\" in dates="
            }
            Some(Two::Hours) => "understood are 125:03 as hours and minutes, 125:03:07 and 1 days 02:03:04",
            Some(Two::Minutes) => "understood are 125:03 as minutes and seconds, 125:03:07 and 1 days 02:03:04",
        }
    }
}

fn find<T: Copy>(known: &[(&str, T)], name: &str) -> Result<T, String> {
    let found = known.iter().find(|(known, _)| *known == name).map(|&(_, found)| found);
    found.ok_or_else(|| known.iter().map(|(known, _)| format!("{known:?}")).collect::<Vec<_>>().join(", "))
}

/// Parses a number of up to 15 digits.
fn number(rest: &mut Rest<'_>) -> Result<i128, Wrong> {
    const MOST: usize = 15;
    let count = rest.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=MOST).contains(&count) {
        return Err(Wrong::Form);
    }
    let (digits, after) = rest.0.split_at(count);
    rest.0 = after;
    Ok(digits.iter().fold(0, |number, digit| 10 * number + i128::from(digit - b'0')))
}

fn skip_spaces(rest: &mut Rest<'_>) {
    while rest.take(b' ') {}
}

fn signed(nanos: i128, is_negative: bool) -> i128 {
    if is_negative { -nanos } else { nanos }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle;
    use proptest::prelude::*;

    fn seconds(text: &str) -> Result<f32, Wrong> {
        let duration = Duration::default();
        duration.read(text.as_bytes()).map(|nanos| duration.value(nanos))
    }

    #[test]
    fn durations_are_read_as_programs_print_them() {
        for (text, number) in [
            ("00:00:00", 0.0),
            ("0:00:01", 1.0),
            ("125:03:07", 450_187.0),
            ("-00:05:00", -300.0),
            ("+00:05:00", 300.0),
            ("03:07.25", 187.25),
            ("90:07.25", 5407.25),
            ("1 days 02:03:04", 93_784.0),
            ("1 day, 2:03:04", 93_784.0),
            ("1days 02:03:04.5", 93_784.5),
            ("2 days", 172_800.0),
            ("-2 days", -172_800.0),
            ("-1 days +23:59:55", -5.0),
            ("-1 day, 23:59:59", -1.0),
            ("-1 days 00:00:00", -86_400.0),
            ("0 days 00:00:00.000000001", 1e-9),
        ] {
            assert_eq!(seconds(text), Ok(number), "{text}");
        }
        for text in [
            "",
            "5",
            "12:30",
            "1:2:3",
            "a:00:00",
            "00:00:00x",
            "1 dayss",
            "1 days,",
            "1 days -02:00:00",
            "-1 days 02:00:00",
            "--00:00:01",
        ] {
            assert_eq!(seconds(text), Err(Wrong::Form), "{text}");
        }
        for text in ["00:60:00", "00:00:60", "1 days 24:00:00", "90:60.5"] {
            assert_eq!(seconds(text), Err(Wrong::Value), "{text}");
        }
    }

    #[test]
    fn the_format_decides_about_two_numbers() {
        let read = |format, text: &str| {
            let duration = Duration::new("minutes", Some(format)).unwrap();
            duration.read(text.as_bytes()).map(|nanos| duration.value(nanos))
        };
        assert_eq!(read("%H:%M", "12:30"), Ok(750.0));
        assert_eq!(read("%M:%S", "12:30"), Ok(12.5));
        assert_eq!(read("%M:%S", "90:30"), Ok(90.5));
        assert_eq!(read("%H:%M", "12:30:30"), Ok(750.5));
        assert_eq!(read("%H:%M", "12:60"), Err(Wrong::Value));
        assert!(Duration::new("weeks", None).unwrap_err().contains("\"seconds\", \"minutes\""));
        assert!(Duration::new("days", Some("%S")).unwrap_err().contains("\"%H:%M\""));
    }

    proptest! {
        #[test]
        fn a_duration_is_rounded_once(
            (hours, minutes, seconds) in (0_u64..10_000_000, 0_u64..60, 0_u64..60),
            nanos in prop_oneof![Just(0_u32), 0_u32..1_000_000_000],
            is_negative: bool,
        ) {
            let sign = if is_negative { "-" } else { "" };
            let text = format!("{sign}{hours:02}:{minutes:02}:{seconds:02}.{nanos:09}");
            let all = u128::from((hours * 60 + minutes) * 60 + seconds) * 1_000_000_000 + u128::from(nanos);
            let nearest = oracle::nearest(all, -9);
            let found = super::tests::seconds(&text).unwrap();
            prop_assert_eq!(found.abs().to_bits(), nearest.to_bits(), "{}", text);
            prop_assert_eq!(found < 0.0, is_negative && all > 0);
            let (days, hours) = (hours / 24, hours % 24);
            let text = format!("{days} days {hours:02}:{minutes:02}:{seconds:02}.{nanos:09}");
            prop_assert_eq!(super::tests::seconds(&text).unwrap().to_bits(), found.abs().to_bits());
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[-+0-9:. days,]{0,20}|\\PC{0,12}") {
            let _ = Duration::default().read(text.as_bytes());
        }
    }
}
