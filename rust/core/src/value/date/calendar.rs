//! Day numbers in the Gregorian calendar.

/// Days from 1970-01-01 to a date.
///
/// Years start in March here, so that the leap day is the last day of its year. One formula then gives the days before
/// any month, another the days before any year. See Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
/// `days_from_civil`.
#[inline(always)]
pub(super) fn days_since_1970(year: u32, month: u32, day: u32) -> i64 {
    // 400 years earlier, the calendar is the same, and no year is negative.
    let (year, month) = if month > 2 { (year + 400, month - 3) } else { (year + 399, month + 9) };
    let before_month = days_from_march(month);
    // 1970-01-01 is day 719,468, counted from 1 March of the year 0, and 400 years have 146,097 days.
    i64::from(365 * year + year / 4 - year / 100 + year / 400 + before_month + day) - 719_469 - 146_097
}

/// Days from 1 March to the first day of a month; 0 is March.
#[inline(always)]
fn days_from_march(month: u32) -> u32 {
    (153 * month + 2) / 5
}

/// The weekday of a date; 0 is Monday.
#[inline(always)]
pub(super) fn weekday(year: u32, month: u32, day: u32) -> u32 {
    // 1970-01-01 was a Thursday, and 140,000 weeks go back before any date.
    (days_since_1970(year, month, day) + 3 + 7 * 140_000) as u32 % 7
}

#[inline(always)]
pub(super) fn is_leap(year: u32) -> bool {
    // Of the multiples of 100, those of 400 are the multiples of 16.
    year.is_multiple_of(4) & (!year.is_multiple_of(100) | year.is_multiple_of(16))
}

/// The number of days of a month from 1 to 12. The months come in no predictable order, so there are no branches.
#[inline(always)]
pub(super) fn days_in_month(year: u32, month: u32) -> u32 {
    // Up to July, the odd months have 31 days, and then the even ones.
    let more = (month + month / 8) % 2;
    let less = if month == 2 { 2 - u32::from(is_leap(year)) } else { 0 };
    30 + more - less
}

/// The day of the year, from 1.
#[inline(always)]
pub(super) fn day_of_year(year: u32, month: u32, day: u32) -> u32 {
    const BEFORE_MARCH: u32 = 59;
    let from_march = days_from_march(month.saturating_sub(3)) + BEFORE_MARCH + u32::from(is_leap(year));
    let from_january = 31 * month.saturating_sub(1);
    day + if month > 2 { from_march } else { from_january }
}

/// Month and day of a day of the year, which must be valid.
pub(super) fn month_and_day(year: u32, day_of_year: u32) -> (u32, u32) {
    let (mut month, mut day) = (1, day_of_year);
    while day > days_in_month(year, month) {
        day -= days_in_month(year, month);
        month += 1;
    }
    (month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_follows_the_one_before() {
        assert_eq!(days_since_1970(1970, 1, 1), 0);
        let mut expected = days_since_1970(1, 1, 1);
        // Equals Python's date(1, 1, 1).toordinal().
        assert_eq!(expected, 1 - 719_163);
        for year in 1..=9999 {
            let mut of_year = 0;
            for month in 1..=12 {
                for day in 1..=days_in_month(year, month) {
                    of_year += 1;
                    assert_eq!(i64::from(weekday(year, month, day)), (expected + 3).rem_euclid(7));
                    assert_eq!(days_since_1970(year, month, day), expected, "{year}-{month}-{day}");
                    assert_eq!(day_of_year(year, month, day), of_year);
                    assert_eq!(month_and_day(year, of_year), (month, day));
                    expected += 1;
                }
            }
            assert_eq!(of_year, 365 + u32::from(is_leap(year)));
        }
    }
}
