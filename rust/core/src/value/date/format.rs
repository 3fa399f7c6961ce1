//! Parses dates by a format with the directives of `strftime`.

use super::Part;
use super::calendar;
use super::moment::{Moment, Wrong};
use super::scan::Rest;
use super::template::{Places, Template};

/// A parsed format.
#[derive(Clone, Debug)]
pub(super) struct Format {
    text: String,
    items: Vec<Item>,
}

/// An element of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    Byte(u8),
    /// One or more spaces.
    Spaces,
    Field(Field),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Year,
    ShortYear,
    Month,
    MonthName,
    Day,
    DayOfYear,
    /// Parsed and ignored, because the date determines it.
    WeekdayName,
    Hour,
    HourOfTwelve,
    HalfDay,
    Minute,
    Second,
    Fraction,
    Offset,
    Zone,
}

const DIRECTIVES: [(u8, Field); 17] = [
    (b'Y', Field::Year),
    (b'm', Field::Month),
    (b'd', Field::Day),
    (b'H', Field::Hour),
    (b'M', Field::Minute),
    (b'S', Field::Second),
    (b'f', Field::Fraction),
    (b'y', Field::ShortYear),
    (b'b', Field::MonthName),
    (b'B', Field::MonthName),
    (b'a', Field::WeekdayName),
    (b'A', Field::WeekdayName),
    (b'j', Field::DayOfYear),
    (b'p', Field::HalfDay),
    (b'I', Field::HourOfTwelve),
    (b'z', Field::Offset),
    (b'Z', Field::Zone),
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

impl Field {
    /// The maximum number of digits of a numeric field.
    fn digits(self) -> Option<usize> {
        match self {
            Self::Year => Some(4),
            Self::DayOfYear => Some(3),
            Self::Fraction => Some(9),
            Self::MonthName | Self::WeekdayName | Self::HalfDay | Self::Offset | Self::Zone => None,
            _ => Some(2),
        }
    }
}

impl Format {
    /// Parses a format. `Err` explains what is wrong with it.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| Err(format!("format={text:?} {what}"));
        let mut items: Vec<Item> = vec![];
        let mut bytes = text.trim_matches([' ', '\t']).bytes();
        while let Some(byte) = bytes.next() {
            let item = match byte {
                b' ' | b'\t' => Item::Spaces,
                b'%' => match bytes.next() {
                    Some(b'%') => Item::Byte(b'%'),
                    letter => {
                        let known = DIRECTIVES.iter().find(|(known, _)| Some(*known) == letter);
                        let Some(&(_, field)) = known else {
                            let letter = letter.map_or(String::new(), |letter| char::from(letter).to_string());
                            let known: Vec<_> =
                                DIRECTIVES.iter().map(|(known, _)| format!("%{}", *known as char)).collect();
                            return wrong(&format!("has %{letter}: understood are {} and %%", known.join(" ")));
                        };
                        Item::Field(field)
                    }
                },
                byte => Item::Byte(byte),
            };
            if matches!(item, Item::Field(_)) && items.contains(&item) {
                return wrong("says the same twice");
            }
            if item != Item::Spaces || items.last() != Some(&Item::Spaces) {
                items.push(item);
            }
        }
        let format = Self { text: text.to_owned(), items };
        let has = |field| format.has(field);
        let has_month = has(Field::Month) || has(Field::MonthName);
        if (has(Field::Year) && has(Field::ShortYear)) || (has(Field::Month) && has(Field::MonthName)) {
            return wrong("says the same twice");
        }
        if has(Field::Hour) && has(Field::HourOfTwelve) {
            return wrong("says the hour twice");
        }
        if has(Field::Offset) && has(Field::Zone) {
            return wrong("says the offset twice: %z reads GMT+0100, too");
        }
        if has(Field::DayOfYear) && (has_month || has(Field::Day)) {
            return wrong("says the day twice: %j is the day of the year");
        }
        if has(Field::HourOfTwelve) != has(Field::HalfDay) {
            return wrong("needs both %I and %p, or neither");
        }
        Ok(format)
    }

    /// The format in which day and month, both as numbers, change places.
    pub(super) fn swapped(&self) -> Option<Self> {
        let (month, day) = (self.text.find("%m")?, self.text.find("%d")?);
        let mut text = self.text.clone();
        text.replace_range(month..month + 2, "%d");
        text.replace_range(day..day + 2, "%m");
        Self::new(&text).ok()
    }

    /// The format with a year of two digits in place of one of four, or the reverse.
    pub(super) fn with_other_year(&self) -> Option<Self> {
        let (old, new) = if self.has(Field::Year) { ("%Y", "%y") } else { ("%y", "%Y") };
        let at = self.text.find(old)?;
        let mut text = self.text.clone();
        text.replace_range(at..at + 2, new);
        Self::new(&text).ok()
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// How most dates of this format look, if all of its numbers are at fixed places.
    pub(super) fn template(&self) -> Option<Template> {
        let (mut form, mut digits, mut places) = (vec![], vec![], Places::default());
        for item in &self.items {
            let length = form.len();
            let (place, count) = match item {
                Item::Byte(byte) => {
                    form.push(*byte);
                    continue;
                }
                Item::Spaces => {
                    form.push(b' ');
                    continue;
                }
                Item::Field(Field::Year) => (&mut places.year, 4),
                Item::Field(Field::ShortYear) => (&mut places.short_year, 2),
                Item::Field(Field::Month) => (&mut places.month, 2),
                Item::Field(Field::Day) => (&mut places.day, 2),
                Item::Field(Field::Hour) => (&mut places.hour, 2),
                Item::Field(Field::Minute) => (&mut places.minute, 2),
                Item::Field(Field::Second) => (&mut places.second, 2),
                Item::Field(_) => return None,
            };
            *place = Some(length);
            digits.extend(length..length + count);
            form.extend(std::iter::repeat_n(b'0', count));
        }
        Template::new(&form, |at| digits.contains(&at), places)
    }

    fn has(&self, field: Field) -> bool {
        self.items.contains(&Item::Field(field))
    }

    /// Checks that dates of this format contain a part.
    pub(super) fn check(&self, part: Part) -> Result<(), String> {
        let has = |fields: &[Field]| fields.iter().any(|&field| self.has(field));
        let year = has(&[Field::Year, Field::ShortYear]);
        let day_of_year = year && has(&[Field::DayOfYear]);
        let month = has(&[Field::Month, Field::MonthName]) || day_of_year;
        let day = has(&[Field::Day]) || day_of_year;
        let (is_there, lacking) = match part {
            Part::Year => (year, "the year"),
            Part::Month => (month, "the month"),
            Part::Day => (day, "the day"),
            Part::Hour => (has(&[Field::Hour, Field::HourOfTwelve]), "the hour"),
            Part::Minute => (has(&[Field::Minute]), "the minute"),
            Part::Second => (has(&[Field::Second]), "the second"),
            Part::Seconds | Part::Days | Part::Weekday | Part::DayOfYear => (year && month && day, "the whole date"),
        };
        if is_there {
            Ok(())
        } else {
            Err(format!("format={:?} does not say {lacking}, which {:?} needs", self.text, part.to_string()))
        }
    }

    /// Parses a date.
    pub(super) fn read(&self, text: &[u8]) -> Result<Moment, Wrong> {
        let mut rest = Rest(text);
        // Start with a leap year, so that 29 February is valid without a year.
        let mut moment = Moment { year: 2000, month: 1, day: 1, hour: 0, minute: 0, second: 0, nanos: 0, offset: 0 };
        let (mut day_of_year, mut afternoon) = (None, false);
        for (at, item) in self.items.iter().enumerate() {
            let field = match *item {
                Item::Byte(byte) if rest.take(byte.to_ascii_lowercase()) || rest.take(byte.to_ascii_uppercase()) => {
                    continue;
                }
                Item::Byte(_) => return Err(Wrong::Form),
                Item::Spaces => {
                    let mut found = false;
                    while rest.take(b' ') || rest.take(b'\t') {
                        found = true;
                    }
                    if found {
                        continue;
                    }
                    return Err(Wrong::Form);
                }
                Item::Field(field) => field,
            };
            let Some(most) = field.digits() else {
                match field {
                    Field::MonthName => moment.month = one_of(&mut rest, &MONTHS)? + 1,
                    Field::WeekdayName => {
                        one_of(&mut rest, &WEEKDAYS)?;
                    }
                    Field::HalfDay => {
                        afternoon = rest.take_word("PM");
                        if !afternoon && !rest.take_word("AM") {
                            return Err(Wrong::Form);
                        }
                    }
                    Field::Zone => moment.offset = rest.zone()?,
                    _ => moment.offset = rest.offset()?,
                }
                continue;
            };
            if field == Field::Fraction {
                moment.nanos = rest.fraction()?;
                continue;
            }
            // If another digit follows directly, the number must have all its digits.
            let is_closed = match self.items.get(at + 1) {
                Some(Item::Field(next)) => next.digits().is_some(),
                Some(Item::Byte(byte)) => byte.is_ascii_digit(),
                _ => false,
            };
            let is_fixed = is_closed || field == Field::Year || field == Field::ShortYear;
            let number = if is_fixed { rest.digits(most)? } else { rest.digits_up_to(most)? };
            match field {
                Field::Year => moment.year = number,
                // The POSIX rule for two-digit years.
                Field::ShortYear => moment.year = if number < 69 { 2000 + number } else { 1900 + number },
                Field::Month => moment.month = number,
                Field::Day => moment.day = number,
                Field::DayOfYear => day_of_year = Some(number),
                Field::Hour => moment.hour = number,
                Field::HourOfTwelve if (1..=12).contains(&number) => moment.hour = number % 12,
                Field::HourOfTwelve => return Err(Wrong::Value),
                Field::Minute => moment.minute = number,
                _ => moment.second = number,
            }
        }
        if !rest.is_empty() {
            return Err(Wrong::Form);
        }
        if let Some(day) = day_of_year {
            if !(1..=365 + u32::from(calendar::is_leap(moment.year))).contains(&day) {
                return Err(Wrong::Value);
            }
            (moment.month, moment.day) = calendar::month_and_day(moment.year, day);
        }
        if afternoon {
            moment.hour += 12;
        }
        moment.checked()
    }
}

/// Parses one of the names, in full or by its first three letters, and returns its position.
fn one_of(rest: &mut Rest<'_>, names: &[&str]) -> Result<u32, Wrong> {
    let found = names.iter().position(|name| rest.take_word(name) || rest.take_word(&name[..3]));
    found.map(|at| at as u32).ok_or(Wrong::Form)
}
