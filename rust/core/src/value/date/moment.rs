//! A date and time as written, and as a point in time.

use super::calendar;

pub(crate) const NANOS: i128 = 1_000_000_000;
const DAY_SECONDS: i64 = 86_400;

/// A point in time: seconds and nanoseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Instant {
    pub(super) seconds: i64,
    pub(super) nanos: u32,
}

/// Why a text is not a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It has another notation.
    Form,
    /// It has the notation of a date, but the day or time does not exist.
    Value,
    /// It is a date in an unknown time zone.
    Zone,
}

/// A date and time as written.
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

impl Instant {
    /// The time since another instant in units of `unit` seconds, rounded once.
    pub(super) fn since(self, other: Self, unit: i64) -> f32 {
        let seconds = self.seconds - other.seconds;
        if self.nanos == other.nanos && seconds % unit == 0 {
            return (seconds / unit) as f32;
        }
        if self.nanos == other.nanos {
            return ratio_of_seconds(seconds, unit);
        }
        let nanos = i128::from(seconds) * NANOS + i128::from(self.nanos) - i128::from(other.nanos);
        ratio(nanos, i128::from(unit) * NANOS)
    }
}

/// The float32 nearest to a ratio. The denominator must be positive and less than 2^64.
pub(crate) fn ratio(numerator: i128, denominator: i128) -> f32 {
    let (magnitude, denominator) = (numerator.unsigned_abs(), denominator.unsigned_abs());
    let shift = magnitude.leading_zeros().min(127);
    let (quotient, rest) = ((magnitude << shift) / denominator, (magnitude << shift) % denominator);
    // The lowest bit of the quotient stands for the remainder.
    let nearest = (quotient | u128::from(rest != 0)) as f32 / 2_f32.powi(shift as i32);
    if numerator < 0 { -nearest } else { nearest }
}

/// Like [`ratio`], in registers. The quotient of a numerator shifted as far as possible has more bits than a float32, as
/// long as the denominator is much less than 2^32.
#[inline]
fn ratio_of_seconds(numerator: i64, denominator: i64) -> f32 {
    let (magnitude, denominator) = (numerator.unsigned_abs(), denominator.unsigned_abs());
    let shift = magnitude.leading_zeros().min(63);
    let (quotient, rest) = ((magnitude << shift) / denominator, (magnitude << shift) % denominator);
    let nearest = (quotient | u64::from(rest != 0)) as f32 / 2_f32.powi(shift as i32);
    if numerator < 0 { -nearest } else { nearest }
}

impl Moment {
    /// Whether it is the beginning of a day, as a date without a time is.
    pub(crate) fn is_midnight(&self) -> bool {
        (self.hour, self.minute, self.second, self.nanos) == (0, 0, 0, 0)
    }

    /// Returns this moment if it exists.
    #[inline]
    pub(super) fn checked(self) -> Result<Self, Wrong> {
        let Self { year, month, day, hour, minute, second, .. } = self;
        // Days of 86,400 seconds have no room for leap seconds.
        let is_time = hour < 24 && minute < 60 && second < 60;
        let is_month = (1..=9999).contains(&year) && (1..=12).contains(&month);
        let is_day = is_month && (1..=calendar::days_in_month(year, month)).contains(&day);
        if is_day && is_time { Ok(self) } else { Err(Wrong::Value) }
    }

    /// Nanoseconds since 1970-01-01 UTC.
    pub(crate) fn nanos(self) -> i128 {
        let Instant { seconds, nanos } = self.instant();
        i128::from(seconds) * NANOS + i128::from(nanos)
    }

    pub(super) fn instant(self) -> Instant {
        let Self { year, month, day, hour, minute, second, nanos, offset } = self;
        let time = i64::from((hour * 60 + minute) * 60 + second) - i64::from(offset);
        Instant { seconds: calendar::days_since_1970(year, month, day) * DAY_SECONDS + time, nanos }
    }
}
