//! Scans a text from start to end.

use super::moment::Wrong;

/// The time zones of RFC 2822, in hours ahead of UTC. CST is left out: it is the time of Chicago there, but of China
/// elsewhere.
pub(super) const ZONES: [(&str, i32); 11] = [
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

/// The rest of a text.
pub(crate) struct Rest<'a>(pub(crate) &'a [u8]);

impl Rest<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Consumes a byte if it comes next.
    #[inline]
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let rest = self.0.strip_prefix(&[byte]);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// Consumes a word, in any case, if it comes next.
    pub(crate) fn take_word(&mut self, word: &str) -> bool {
        let found = self.0.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()));
        if found {
            self.0 = &self.0[word.len()..];
        }
        found
    }

    pub(crate) fn starts_with_digit(&self) -> bool {
        self.0.first().is_some_and(u8::is_ascii_digit)
    }

    /// Parses a number of exactly `count` digits.
    #[inline]
    pub(crate) fn digits(&mut self, count: usize) -> Result<u32, Wrong> {
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

    /// Parses a number of at least one and at most `most` digits.
    pub(crate) fn digits_up_to(&mut self, most: usize) -> Result<u32, Wrong> {
        let count = self.0.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
        self.digits(count.max(1))
    }

    /// Parses the digits of a fraction of a second, as nanoseconds. Further digits are ignored.
    pub(crate) fn fraction(&mut self) -> Result<u32, Wrong> {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let kept = count.min(9);
        let number = self.digits(kept.max(1))?;
        self.0 = &self.0[count - kept..];
        Ok(number * 10_u32.pow(9 - kept as u32))
    }

    pub(crate) fn starts_with(&self, byte: u8) -> bool {
        self.0.first() == Some(&byte)
    }

    /// Parses a time zone and returns how many seconds its clock is ahead of UTC.
    pub(crate) fn zone(&mut self) -> Result<i32, Wrong> {
        let length = self.0.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let (name, rest) = self.0.split_at(length);
        // A text that is not a zone name belongs to another date notation.
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

    /// Parses an offset (`+HH`, `+HHMM` or `+HH:MM`, optionally after `GMT` or `UTC`) or a time zone. Returns how many
    /// seconds the clock is ahead of UTC.
    pub(crate) fn offset(&mut self) -> Result<i32, Wrong> {
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
