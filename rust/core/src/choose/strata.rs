//! The rows of classes, drawn so that the number of each class is exact.
//!
//! Each row has a random key, which depends on the seed and on its rank alone, and no two rows have the same. In each
//! class, the rows with the lowest keys are drawn. The key at which that ends is not known before all rows are. So a pass
//! looks for it near the place where it must be almost certainly: it keeps the keys there, and counts the others.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::classes::{Census, Classes, Draw, Share};
use crate::random::Random;
use crate::value::Vocabulary;

/// Above all keys.
const END: u128 = 1 << 64;

/// The column whose text is the class of a row, and the seed of the keys.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) column: usize,
    random: Random,
}

impl Keys {
    pub(crate) fn new(column: usize, seed: u64) -> Self {
        Self { column, random: Random::new(seed, &[]) }
    }

    /// The key of a row.
    pub(crate) fn of(&self, rank: u64) -> u64 {
        self.random.then(rank).next()
    }
}

/// How often the rows of each class are drawn, by their keys.
#[derive(Debug)]
pub(crate) struct Strata {
    /// All texts of the column, and the class of each.
    texts: Vocabulary,
    class_of: Vec<u32>,
    by_class: Vec<Stratum>,
    /// Whether a row may be drawn more than once.
    repeats: bool,
}

/// The rows of a class.
#[derive(Clone, Debug, PartialEq)]
struct Stratum {
    /// The keys of some rows.
    keys: Range<u128>,
    /// How often each of them is drawn, and each of the others.
    within: u32,
    outside: u32,
}

impl Stratum {
    fn times(&self, key: u64) -> u32 {
        if self.keys.contains(&u128::from(key)) { self.within } else { self.outside }
    }
}

impl Strata {
    fn new(texts: Vocabulary, class_of: Vec<u32>, by_class: Vec<Stratum>) -> Self {
        let repeats = by_class.iter().any(|stratum| stratum.within.max(stratum.outside) > 1);
        Self { texts, class_of, by_class, repeats }
    }

    /// Whether a row may be drawn more than once.
    pub(crate) fn repeats(&self) -> bool {
        self.repeats
    }

    /// Serializes the strata.
    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(
            [self.texts.count() as u64, self.by_class.len() as u64].iter().flat_map(|number| number.to_le_bytes()),
        );
        for (text, class) in self.texts.words().zip(&self.class_of) {
            bytes.extend((text.len() as u64).to_le_bytes());
            bytes.extend(text);
            bytes.extend(u64::from(*class).to_le_bytes());
        }
        for Stratum { keys, within, outside } in &self.by_class {
            bytes.extend(
                [keys.start, keys.end, (*within).into(), (*outside).into()].iter().flat_map(|n| n.to_le_bytes()),
            );
        }
    }

    /// Takes serialized strata from the beginning of the bytes.
    pub(crate) fn read(bytes: &mut &[u8]) -> Option<Self> {
        fn number(bytes: &mut &[u8]) -> Option<usize> {
            let (number, rest) = bytes.split_first_chunk()?;
            *bytes = rest;
            usize::try_from(u64::from_le_bytes(*number)).ok()
        }
        let (texts, classes) = (number(bytes)?, number(bytes)?);
        let (mut all, mut class_of, mut strata) = (Vocabulary::default(), Vec::new(), Vec::new());
        for _ in 0..texts {
            let length = number(bytes)?;
            let (text, rest) = bytes.split_at_checked(length)?;
            *bytes = rest;
            all.add(text);
            class_of.push(u32::try_from(number(bytes)?).ok().filter(|&class| (class as usize) < classes)?);
        }
        for _ in 0..classes {
            let (numbers, rest) = bytes.split_first_chunk::<64>()?;
            *bytes = rest;
            let [start, end, within, outside] = std::array::from_fn(|at| {
                u128::from_le_bytes(numbers[16 * at..][..16].try_into().expect("sixteen bytes"))
            });
            strata.push(Stratum { keys: start..end, within: within as u32, outside: outside as u32 });
        }
        Some(Self::new(all.spread(), class_of, strata))
    }
}

/// Goes through the rows in order and draws.
pub(crate) struct Cursor<'a> {
    strata: &'a Strata,
    keys: &'a Keys,
    rank: u64,
    drawn: Vec<usize>,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(strata: &'a Strata, keys: &'a Keys, rank: u64) -> Self {
        Self { strata, keys, rank, drawn: Vec::new() }
    }

    /// Whether a row may be drawn more than once.
    pub(crate) fn repeats(&self) -> bool {
        self.strata.repeats
    }

    /// Keeps the next rows as often as they are drawn.
    pub(crate) fn choose<'t>(&mut self, rows: &mut Vec<usize>, text: impl Fn(usize, usize) -> Cow<'t, [u8]>) {
        let Strata { texts, class_of, by_class, .. } = self.strata;
        self.drawn.clear();
        for &row in &*rows {
            // The text of a row that changed since may be unknown. Then the number of rows tells of it.
            if let Some(at) = texts.code(&text(row, self.keys.column)).checked_sub(1) {
                let times = by_class[class_of[at as usize] as usize].times(self.keys.of(self.rank));
                self.drawn.extend(std::iter::repeat_n(row, times as usize));
            }
            self.rank += 1;
        }
        std::mem::swap(rows, &mut self.drawn);
    }
}

/// Goes through the rows in order and counts those of each text.
pub(crate) struct Counting {
    pub(crate) column: usize,
    pub(crate) census: Census,
}

impl Counting {
    pub(crate) fn new(column: usize) -> Self {
        Self { column, census: Census::default() }
    }

    pub(crate) fn count<'t>(&mut self, rows: &[usize], text: impl Fn(usize, usize) -> Cow<'t, [u8]>) {
        for &row in rows {
            self.census.add(&text(row, self.column), 1);
        }
    }
}

/// The search for the keys at which the draw of each class begins and ends.
pub(crate) struct Search {
    keys: Keys,
    classes: Arc<Classes>,
    shares: Vec<Share>,
    /// Where the two keys of each class are sought.
    windows: Vec<[Range<u128>; 2]>,
}

/// What one run of rows shows.
#[derive(Default)]
pub(crate) struct Seen {
    /// How many rows are drawn, as far as that is certain.
    pub drawn: u64,
    /// The class and the key of each row of which it is not.
    open: Vec<(u32, u64)>,
    /// How many keys of each class are below its windows.
    below: Vec<[u64; 2]>,
    /// Whether a row has a text that no row had before.
    pub has_unknown: bool,
}

/// What all rows show.
pub(crate) struct Sought {
    /// The class and the key of each row that is not certain, and the number of its run.
    open: Vec<(u32, u64, u32)>,
    below: Vec<[u64; 2]>,
    /// How many rows of each run are drawn.
    drawn: Vec<u64>,
}

impl Search {
    /// A search for `draw` in windows that are `spread` standard deviations wide to either side. A message says why the
    /// rows cannot be drawn.
    pub(crate) fn new(keys: Keys, classes: &Arc<Classes>, draw: &Draw, spread: f64) -> Result<Self, String> {
        let shares = draw.shares(classes)?;
        let windows = shares
            .iter()
            .zip(&classes.rows)
            .map(|(share, &rows)| [share.ranks.start, share.ranks.end].map(|rank| window(rank, rows, spread)));
        let windows = windows.collect();
        Ok(Self { keys, classes: Arc::clone(classes), shares, windows })
    }

    /// Whether all keys are kept.
    pub(crate) fn is_complete(&self) -> bool {
        let is_whole = |window: &Range<u128>| window.is_empty() || *window == (0..END);
        self.windows.iter().flatten().all(is_whole)
    }

    pub(crate) fn sought(&self) -> Sought {
        Sought { open: Vec::new(), below: vec![[0; 2]; self.windows.len()], drawn: Vec::new() }
    }

    /// The keys, if they are within their windows, and the number of drawn rows of each run.
    pub(crate) fn finish(&self, sought: Sought) -> Option<(Strata, Vec<u64>)> {
        let Sought { mut open, below, mut drawn } = sought;
        open.sort_unstable();
        let mut strata = Vec::with_capacity(self.shares.len());
        for (class, (share, windows)) in self.shares.iter().zip(&self.windows).enumerate() {
            let first = open.partition_point(|&(of, ..)| (of as usize) < class);
            let own = &open[first..];
            let own = &own[..own.partition_point(|&(of, ..)| of as usize == class)];
            let ranks = [share.ranks.start, share.ranks.end];
            let mut ends = [0; 2];
            for ((end, rank), (window, below)) in ends.iter_mut().zip(ranks).zip(windows.iter().zip(below[class])) {
                *end = window.start;
                if !window.is_empty() {
                    let keys = &own[own.partition_point(|&(_, key, _)| u128::from(key) < window.start)..];
                    let key = keys.get(usize::try_from(rank.checked_sub(below)?).ok()?)?.1;
                    *end = Some(u128::from(key)).filter(|key| window.contains(key))?;
                }
            }
            let stratum = Stratum { keys: ends[0]..ends[1], within: share.within, outside: share.outside };
            for &(_, key, run) in own {
                drawn[run as usize] += u64::from(stratum.times(key));
            }
            strata.push(stratum);
        }
        let Classes { texts, class_of, .. } = &*self.classes;
        Some((Strata::new(texts.clone(), class_of.clone(), strata), drawn))
    }
}

/// Where the key of a rank among `rows` is. Empty if it is known: before all keys, or after them.
fn window(rank: u64, rows: u64, spread: f64) -> Range<u128> {
    if rank == 0 {
        return 0..0;
    }
    if rank >= rows {
        return END..END;
    }
    let (rows, place) = (rows as f64, rank as f64 / rows as f64);
    let width = spread * (place * (1.0 - place) / rows).sqrt() + spread * spread / rows;
    let key = |place: f64| (place.clamp(0.0, 1.0) * END as f64) as u128;
    key(place - width)..key(place + width)
}

impl Sought {
    /// Adds what the next run of rows shows.
    pub(crate) fn add(&mut self, seen: &Seen) {
        let run = self.drawn.len() as u32;
        self.drawn.push(seen.drawn);
        self.open.extend(seen.open.iter().map(|&(class, key)| (class, key, run)));
        for (below, more) in self.below.iter_mut().zip(&seen.below) {
            below[0] += more[0];
            below[1] += more[1];
        }
    }
}

/// Goes through the rows in order and looks for the keys.
pub(crate) struct Seeking<'a> {
    search: &'a Search,
    rank: u64,
    pub(crate) seen: Seen,
}

impl<'a> Seeking<'a> {
    pub(crate) fn new(search: &'a Search, rank: u64) -> Self {
        let seen = Seen { below: vec![[0; 2]; search.windows.len()], ..Seen::default() };
        Self { search, rank, seen }
    }

    pub(crate) fn look<'t>(&mut self, rows: &[usize], text: impl Fn(usize, usize) -> Cow<'t, [u8]>) {
        let Search { keys, classes, shares, windows } = self.search;
        for &row in rows {
            let key = keys.of(self.rank);
            self.rank += 1;
            let Some(at) = classes.texts.code(&text(row, keys.column)).checked_sub(1) else {
                self.seen.has_unknown = true;
                continue;
            };
            let class = classes.class_of[at as usize];
            let ([first, last], share) = (&windows[class as usize], &shares[class as usize]);
            let place = u128::from(key);
            let below = &mut self.seen.below[class as usize];
            below[0] += u64::from(place < first.start);
            below[1] += u64::from(place < last.start);
            if first.contains(&place) || last.contains(&place) {
                self.seen.open.push((class, key));
            } else {
                let is_within = place >= first.end && place < last.start;
                self.seen.drawn += u64::from(if is_within { share.within } else { share.outside });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::classes::tests::classes;
    use super::*;
    use proptest::prelude::*;

    fn draw() -> impl Strategy<Value = Draw> {
        use super::super::classes::Ratio;
        prop_oneof![
            (0.0_f64..1.0, any::<bool>()).prop_map(|(fraction, held_out)| Draw::Part { fraction, held_out }),
            (0_u64..3, 3_u64..6, any::<bool>()).prop_map(|(number, count, held_out)| Draw::Fold {
                number,
                count,
                held_out
            }),
            (0.2_f64..=1.0, any::<bool>())
                .prop_map(|(ratio, oversample)| Draw::Balance { ratio: Ratio::Least(ratio), oversample }),
        ]
    }

    proptest! {
        #[test]
        fn as_many_rows_of_each_class_are_drawn_as_its_share_says(
            of_rows in prop::collection::vec(0_u8..4, 1..300),
            draw in draw(),
            seed: u64,
            run in 1_usize..40,
            // Too narrow a window is noticed.
            spread in prop_oneof![Just(6.0), 0.1_f64..2.0],
        ) {
            let mut names: Vec<u8> = of_rows.clone();
            names.sort_unstable();
            names.dedup();
            let of_rows: Vec<usize> = of_rows.iter().map(|of| names.binary_search(of).unwrap()).collect();
            let counts: Vec<u64> = (0..names.len()).map(|class| of_rows.iter().filter(|&&of| of == class).count() as u64).collect();
            let classes = Arc::new(classes(&counts));
            let text = |row: usize, _| Cow::Owned(of_rows[row].to_string().into_bytes());
            let rows: Vec<usize> = (0..of_rows.len()).collect();
            let keys = Keys::new(0, seed);
            let mut spread = spread;
            let (strata, drawn) = loop {
                let search = Search::new(keys.clone(), &classes, &draw, spread).unwrap();
                let mut sought = search.sought();
                for rows in rows.chunks(run) {
                    let mut seeking = Seeking::new(&search, rows[0] as u64);
                    seeking.look(rows, text);
                    prop_assert!(!seeking.seen.has_unknown);
                    sought.add(&seeking.seen);
                }
                if let Some(found) = search.finish(sought) {
                    break found;
                }
                prop_assert!(!search.is_complete());
                spread *= 8.0;
            };
            let mut bytes = vec![];
            strata.write(&mut bytes);
            let strata = Strata::read(&mut &bytes[..]).unwrap();
            prop_assert!(Strata::read(&mut &bytes[..bytes.len() - 1]).is_none());
            let mut found = vec![];
            for (rows, expected) in rows.chunks(run).zip(drawn) {
                let mut chosen = rows.to_vec();
                Cursor::new(&strata, &keys, rows[0] as u64).choose(&mut chosen, text);
                prop_assert_eq!(chosen.len() as u64, expected);
                found.extend(chosen);
            }
            let shares = draw.shares(&classes).unwrap();
            for (class, Share { ranks, within, outside }) in shares.into_iter().enumerate() {
                let times: Vec<u32> = (0..of_rows.len()).filter(|&row| of_rows[row] == class)
                    .map(|row| found.iter().filter(|&&one| one == row).count() as u32).collect();
                let inside = times.iter().filter(|&&times| times == within).count() as u64;
                prop_assert!(times.iter().all(|&times| times == within || times == outside));
                prop_assert_eq!(inside, ranks.end - ranks.start);
            }
        }
    }
}
