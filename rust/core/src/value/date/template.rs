//! Reads dates whose digits stand at known places, many at a time and without branches.

use std::ops::Range;

use super::moment::Instant;
use super::work::Loop;
use super::{DAY_SECONDS, Part, calendar};
use crate::simd::Simd;

/// How many dates are read together.
pub(crate) const BLOCK: usize = 64;

/// How many bytes a date may have.
const LONGEST: usize = 24;

/// A notation in which every number has all its digits.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    length: usize,
    /// The expected bytes; `0` stands for any digit.
    form: [u64; 3],
    /// The bits of the bytes that belong to the date.
    bits: [u64; 3],
    /// What a byte may differ by from that of the form before its highest bit is set: 9 for a digit.
    room: [u64; 3],
    places: Places,
}

/// Where the digits of each number begin, if it is there.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Places {
    pub(super) year: Option<usize>,
    /// The last two digits of the year.
    pub(super) short_year: Option<usize>,
    pub(super) month: Option<usize>,
    pub(super) day: Option<usize>,
    pub(super) hour: Option<usize>,
    pub(super) minute: Option<usize>,
    pub(super) second: Option<usize>,
}

/// Dates and times as written, side by side.
pub(crate) struct Dates {
    /// At each digit of a date, the number that it forms with the next byte.
    pairs: [[u8; LONGEST]; BLOCK],
    year: [u32; BLOCK],
    month: [u32; BLOCK],
    day: [u32; BLOCK],
    hour: [u32; BLOCK],
    minute: [u32; BLOCK],
    second: [u32; BLOCK],
}

impl Default for Dates {
    fn default() -> Self {
        let zero = [0; BLOCK];
        let pairs = [[0; LONGEST]; BLOCK];
        Self { pairs, year: zero, month: zero, day: zero, hour: zero, minute: zero, second: zero }
    }
}

impl Template {
    /// The notation in which dates look like `form`, where `0` stands for any digit. `None` if it is too long.
    pub(super) fn new(form: &[u8], is_digit: impl Fn(usize) -> bool, places: Places) -> Option<Self> {
        let words = |byte: &dyn Fn(usize) -> u8| {
            [0, 8, 16].map(|first| u64::from_le_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(|at| byte(first + at))))
        };
        let is_inside = |at: usize| at < form.len();
        (form.len() <= LONGEST).then(|| Self {
            length: form.len(),
            form: words(&|at| if is_inside(at) { form[at] } else { 0 }),
            bits: words(&|at| if is_inside(at) { 0xFF } else { 0 }),
            room: words(&|at| if is_inside(at) && is_digit(at) { 0x7F - 9 } else { 0x7F }),
            places,
        })
    }

    /// Whether the field at `place` looks like this.
    pub(crate) fn fits(&self, text: &[u8], place: &Range<usize>) -> bool {
        self.pairs::<3>(text, place).0
    }

    /// Whether the field at `place` looks like this, and the numbers that its digits form with the bytes after them.
    /// Looks only at the first `WORDS` times eight bytes.
    #[inline(always)]
    fn pairs<const WORDS: usize>(&self, text: &[u8], place: &Range<usize>) -> (bool, [u64; 3]) {
        const HIGH: u64 = 0x8080_8080_8080_8080;
        let Some(bytes) = text.get(place.start..).and_then(|text| text.first_chunk::<LONGEST>()) else {
            return (false, [0; 3]);
        };
        let mut digits = [0; 4];
        let mut wrong = (place.len() ^ self.length) as u64;
        for (at, digits) in digits.iter_mut().enumerate().take(WORDS) {
            let bytes = u64::from_le_bytes(bytes.as_chunks().0[at]);
            *digits = (bytes ^ self.form[at]) & self.bits[at];
            // No sum carries into the next byte unless the highest bit of its own was set before.
            wrong |= (*digits | (*digits & !HIGH).wrapping_add(self.room[at])) & HIGH;
        }
        let mut pairs = [0; 3];
        for (at, pairs) in pairs.iter_mut().enumerate().take(WORDS) {
            let next = digits[at] >> 8 | digits[at + 1] << 56;
            *pairs = digits[at].wrapping_mul(10).wrapping_add(next);
        }
        (wrong == 0, pairs)
    }

    /// Reads the dates of up to [`BLOCK`] fields. Returns a bit for each of them that is one.
    pub(crate) fn read(
        &self,
        simd: Simd,
        text: &[u8],
        places: impl Iterator<Item = Range<usize>>,
        dates: &mut Dates,
    ) -> u64 {
        let right = if self.length > 16 {
            self.read_pairs::<3>(text, places, dates)
        } else {
            self.read_pairs::<2>(text, places, dates)
        };
        right & run(simd, Find { dates, places: self.places })
    }

    #[inline(always)]
    fn read_pairs<const WORDS: usize>(
        &self,
        text: &[u8],
        places: impl Iterator<Item = Range<usize>>,
        dates: &mut Dates,
    ) -> u64 {
        let mut right = 0;
        for ((at, to), place) in dates.pairs.iter_mut().enumerate().zip(places) {
            let (fits, pairs) = self.pairs::<WORDS>(text, &place);
            for (to, pairs) in to.as_chunks_mut().0.iter_mut().zip(pairs) {
                *to = pairs.to_le_bytes();
            }
            right |= u64::from(fits) << at;
        }
        right
    }
}

impl Dates {
    /// Computes a part of each date.
    pub(crate) fn part(&self, simd: Simd, part: Part, since: Since, values: &mut [f32; BLOCK]) {
        run(simd, Compute { dates: self, part, since, values });
    }

    /// Whether a date and its time exist.
    #[inline(always)]
    fn exists(&self, at: usize) -> bool {
        let (year, month, day) = (self.year[at], self.month[at], self.day[at]);
        let last = calendar::days_in_month(year, month);
        let is_day = [year.wrapping_sub(1) < 9999, month.wrapping_sub(1) < 12, day.wrapping_sub(1) < last];
        let is_time = [self.hour[at] < 24, self.minute[at] < 60, self.second[at] < 60];
        // Without branches, the loop over dates becomes vector instructions.
        is_day.into_iter().chain(is_time).fold(true, |exists, holds| exists & holds)
    }

    #[inline(always)]
    fn days(&self, at: usize) -> i32 {
        calendar::days_since_1970(self.year[at], self.month[at], self.day[at]) as i32
    }

    #[inline(always)]
    fn seconds(&self, at: usize) -> f64 {
        let time = (60 * self.hour[at] + self.minute[at]) * 60 + self.second[at];
        // All integers are exact.
        f64::from(self.days(at)) * DAY_SECONDS as f64 + f64::from(time as i32)
    }
}

/// The moment from which dates are counted: so many seconds after 1970.
#[derive(Clone, Copy)]
pub(crate) struct Since(f64);

impl Since {
    /// `None` if the moment is not a whole second.
    pub(super) fn of(instant: Instant) -> Option<Self> {
        (instant.nanos == 0).then_some(Self(instant.seconds as f64))
    }
}

fn run<L: Loop>(simd: Simd, work: L) -> L::Result {
    match simd {
        #[cfg(target_arch = "x86_64")]
        Simd::Avx512(avx512) => super::avx2::run(avx512.avx2(), work),
        #[cfg(target_arch = "x86_64")]
        Simd::Avx2(avx2) => super::avx2::run(avx2, work),
        _ => work.run(),
    }
}

/// Finds the numbers of each date. Returns a bit for each date that exists.
struct Find<'a> {
    dates: &'a mut Dates,
    places: Places,
}

impl Loop for Find<'_> {
    type Result = u64;

    #[inline(always)]
    fn run(self) -> u64 {
        let Self { dates, places } = self;
        let Dates { pairs, year, month, day, hour, minute, second } = &mut *dates;
        // Without a year, it is a leap year, so that 29 February exists.
        take(pairs, places.year.or(places.short_year), 20, year);
        match (places.year, places.short_year) {
            (Some(at), _) => {
                for (year, pairs) in year.iter_mut().zip(&*pairs) {
                    *year = 100 * *year + u32::from(pairs[(at + 2) % LONGEST]);
                }
            }
            // The POSIX rule for two-digit years.
            (None, Some(_)) => year.iter_mut().for_each(|year| *year += if *year < 69 { 2000 } else { 1900 }),
            (None, None) => year.fill(2000),
        }
        take(pairs, places.month, 1, month);
        take(pairs, places.day, 1, day);
        take(pairs, places.hour, 0, hour);
        take(pairs, places.minute, 0, minute);
        take(pairs, places.second, 0, second);
        let mut exist = [0; BLOCK];
        for (at, exists) in exist.iter_mut().enumerate() {
            *exists = u8::from(dates.exists(at));
        }
        // The product gathers the lowest bits of all bytes, in order, in the highest byte.
        let gathered = |word: &[u8; 8]| u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        exist.as_chunks().0.iter().rev().fold(0, |bits, word| bits << 8 | gathered(word))
    }
}

/// Takes the numbers that begin at the same place of each date.
#[inline(always)]
fn take(pairs: &[[u8; LONGEST]; BLOCK], place: Option<usize>, without: u32, numbers: &mut [u32; BLOCK]) {
    match place {
        Some(place) => {
            for (number, pairs) in numbers.iter_mut().zip(pairs) {
                *number = pairs[place % LONGEST].into();
            }
        }
        None => numbers.fill(without),
    }
}

/// Computes a part of each date.
struct Compute<'a> {
    dates: &'a Dates,
    part: Part,
    since: Since,
    values: &'a mut [f32; BLOCK],
}

impl Loop for Compute<'_> {
    type Result = ();

    #[inline(always)]
    fn run(self) {
        let Self { dates, part, since: Since(since), values } = self;
        match part {
            Part::Seconds => fill(values, |at| (dates.seconds(at) - since) as f32),
            // A quotient of such integers is never so near a tie of two float32s that a float64 becomes one.
            Part::Days => fill(values, |at| ((dates.seconds(at) - since) / DAY_SECONDS as f64) as f32),
            Part::Year => fill(values, |at| dates.year[at] as i32 as f32),
            Part::Month => fill(values, |at| dates.month[at] as i32 as f32),
            Part::Day => fill(values, |at| dates.day[at] as i32 as f32),
            Part::Hour => fill(values, |at| dates.hour[at] as i32 as f32),
            Part::Minute => fill(values, |at| dates.minute[at] as i32 as f32),
            Part::Second => fill(values, |at| dates.second[at] as i32 as f32),
            Part::Weekday => {
                fill(values, |at| calendar::weekday(dates.year[at], dates.month[at], dates.day[at]) as i32 as f32);
            }
            Part::DayOfYear => fill(values, |at| {
                let (year, month, day) = (dates.year[at], dates.month[at], dates.day[at]);
                calendar::day_of_year(year, month, day) as i32 as f32
            }),
        }
    }
}

#[inline(always)]
fn fill(values: &mut [f32; BLOCK], value: impl Fn(usize) -> f32) {
    for (at, to) in values.iter_mut().enumerate() {
        *to = value(at);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Date;
    use super::*;

    const FORMS: [Option<&str>; 7] = [
        None,
        Some("%m/%d/%Y %H:%M"),
        Some("%d.%m.%y"),
        Some("%H:%M:%S %d0%m/%Y"),
        Some("%Y%m%d%H%M%S"),
        Some("%Y"),
        Some("%d of %m, %Y, at %H:%M:%S"),
    ];

    /// A date, nearly a date, or anything else.
    fn field(form: Option<&'static str>) -> BoxedStrategy<Vec<u8>> {
        let numbers = (
            prop_oneof![1_u32..=9999, 1990_u32..2030],
            prop_oneof![9 => 1_u32..=12, 1 => 0_u32..20],
            prop_oneof![9 => 1_u32..=28, 2 => 28_u32..=31, 1 => 0_u32..40],
            (0_u32..25, 0_u32..61, 0_u32..61),
            0_usize..ISO_FORMS.len(),
        );
        let date = numbers.prop_map(move |(year, month, day, (hour, minute, second), iso)| {
            form.unwrap_or(ISO_FORMS[iso])
                .replace("%Y", &format!("{year:04}"))
                .replace("%y", &format!("{:02}", year % 100))
                .replace("%m", &format!("{month:02}"))
                .replace("%d", &format!("{day:02}"))
                .replace("%H", &format!("{hour:02}"))
                .replace("%M", &format!("{minute:02}"))
                .replace("%S", &format!("{second:02}"))
                .into_bytes()
        });
        let wrong = (date.clone(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut date, at, byte)| {
            let at = at.index(date.len());
            date[at] = byte;
            date
        });
        let cut =
            (date.clone(), any::<prop::sample::Index>()).prop_map(|(date, at)| date[at.index(date.len())..].to_vec());
        prop_oneof![8 => date, 1 => wrong, 1 => cut].boxed()
    }

    const ISO_FORMS: [&str; 4] = ["%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"];

    proptest! {
        #![proptest_config(crate::checks::cases(2_000))]

        #[test]
        fn a_template_reads_dates_like_their_notation(
            (form, fields) in prop::sample::select(&FORMS[..])
                .prop_flat_map(|form| (Just(form), prop::collection::vec(field(form), 1..=BLOCK))),
            since in prop::sample::select(&[None, Some("2013-01-31"), Some("1999-12-31T23:59:58Z"), Some("2000-01-01T00:00:00+01:30")][..]),
        ) {
            let date = Date::new(form, since, &[]).unwrap();
            let mut text = vec![];
            let mut places = vec![];
            for field in &fields {
                places.push(text.len()..text.len() + field.len());
                text.extend_from_slice(field);
                text.push(b',');
            }
            text.extend([b'0'; LONGEST]);
            let mut dates = Dates::default();
            for (simd, template) in Simd::available().into_iter().flat_map(|simd| date.templates.iter().map(move |template| (simd, template))) {
                let right = template.read(simd, &text, places.iter().cloned(), &mut dates);
                for (_, part) in Part::ALL {
                    let mut values = [0.0; BLOCK];
                    date.parts(simd, &dates, part, &mut values);
                    for (at, field) in fields.iter().enumerate().filter(|(at, _)| right >> at & 1 == 1) {
                        let moment = date.read(field).unwrap();
                        prop_assert_eq!(values[at].to_bits(), date.part(&moment, part).to_bits(), "{:?} {} {:?}", simd, part, field.escape_ascii());
                    }
                }
                for (at, field) in fields.iter().enumerate() {
                    let looks_like_it = template.fits(&text, &places[at]);
                    prop_assert_eq!(right >> at & 1 == 1, looks_like_it && date.read(field).is_ok());
                }
            }
        }

        #[test]
        fn the_quotient_of_seconds_and_a_day_is_rounded_once(seconds in prop_oneof![-400_000_000_000_i64..400_000_000_000, -1_000_000_i64..1_000_000]) {
            let nearest = Instant { seconds, nanos: 0 }.since(Instant::default(), DAY_SECONDS);
            prop_assert_eq!(((seconds as f64 / DAY_SECONDS as f64) as f32).to_bits(), nearest.to_bits());
        }
    }
}
