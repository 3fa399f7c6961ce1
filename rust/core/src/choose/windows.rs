//! Windows: samples of several rows that follow one another. It only computes and reads nothing.
//!
//! The chosen rows form *runs*: rows that follow one another in the source and belong together. No window leaves its
//! run. Windows are numbered in the order of their first rows.

use std::ops::Range;

use super::run::Run;
use super::shard::Shard;
use crate::table::roles::Widths;

/// The rows of a window, and how far apart windows begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows in a window.
    pub length: u64,
    /// Rows from the beginning of a window to that of the next.
    pub stride: u64,
    /// Rows from the last row of a window to that of its target.
    pub horizon: u64,
}

impl Shape {
    /// Rows from the first row of a window to that of its target.
    #[must_use]
    pub fn reach(self) -> u64 {
        (self.length - 1).saturating_add(self.horizon)
    }

    /// Windows in a run of so many rows.
    fn count_in(self, rows: u64) -> u64 {
        rows.saturating_sub(self.reach()).div_ceil(self.stride)
    }

    /// The values of a window, given those of a row.
    #[must_use]
    pub fn widths(self, row: Widths) -> Widths {
        let length = usize::try_from(self.length).unwrap_or(usize::MAX);
        Widths { features: row.features.saturating_mul(length), ..row }
    }
}

/// The windows of some runs of rows.
#[derive(Debug, PartialEq)]
pub struct Windows {
    shape: Shape,
    /// The beginnings of runs that have windows.
    spans: Vec<Span>,
    count: u64,
    /// Rows in the longest run.
    longest: u64,
    /// How often a key came again after another one.
    returns: u64,
    /// Whether other workers have the other windows.
    is_share: bool,
}

/// Windows at equal distances.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    /// The first row of the first window.
    row: u64,
    /// The number of windows before it.
    before: u64,
}

impl Windows {
    /// No windows yet.
    pub(crate) fn new(shape: Shape) -> Self {
        Self { shape, spans: Vec::new(), count: 0, longest: 0, returns: 0, is_share: false }
    }

    /// Adds those of the next run.
    pub(crate) fn add(&mut self, run: Range<u64>) {
        let rows = run.end - run.start;
        self.longest = self.longest.max(rows);
        self.push(run.start, self.shape.count_in(rows));
    }

    fn push(&mut self, row: u64, count: u64) {
        if count > 0 {
            self.spans.push(Span { row, before: self.count });
            self.count += count;
        }
    }

    /// The shard of worker `index` of `count`. A stripe covers about `stripe` rows.
    pub(crate) fn shard(&self, place: (u64, u64), stripe: u64, batch_size: u64, drop_remainder: bool) -> Self {
        let shard = Shard::new(self.count, place, stripe / self.shape.stride, batch_size, drop_remainder);
        self.those(|window| shard.at(window))
    }

    /// Lane `number` of `count`.
    #[must_use]
    pub fn lane(&self, number: u64, count: u64) -> Self {
        let lane = Run::lane(self.count, number, count);
        self.those(|window| lane.at(window))
    }

    /// Some of the windows. `at` tells whether a window is among them, and the window at which that changes.
    fn those(&self, at: impl Fn(u64) -> (bool, u64)) -> Self {
        let mut found = Self { longest: self.longest, returns: self.returns, is_share: true, ..Self::new(self.shape) };
        for (place, span) in self.spans.iter().enumerate() {
            let end = self.spans.get(place + 1).map_or(self.count, |next| next.before);
            let mut window = span.before;
            while window < end {
                let (is_own, until) = at(window);
                let until = until.min(end);
                if is_own {
                    found.push(span.row + (window - span.before) * self.shape.stride, until - window);
                }
                window = until;
            }
        }
        found
    }

    /// The shape of each window.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The number of windows.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The number of rows in the longest run.
    #[must_use]
    pub fn longest_run(&self) -> u64 {
        self.longest
    }

    /// How often a key came again in a part after another one, which ended its run before.
    #[must_use]
    pub fn returns(&self) -> u64 {
        self.returns
    }

    pub(crate) fn note_returns(&mut self, returns: u64) {
        self.returns = returns;
    }

    /// The first row of a window.
    pub(crate) fn row(&self, window: u64) -> u64 {
        let span = self.spans[self.spans.partition_point(|span| span.before <= window) - 1];
        span.row + (window - span.before) * self.shape.stride
    }

    /// The number of windows that begin before a row.
    pub(crate) fn before(&self, row: u64) -> u64 {
        let at = self.spans.partition_point(|span| span.row < row);
        let Some(span) = at.checked_sub(1).map(|last| self.spans[last]) else { return 0 };
        let end = self.spans.get(at).map_or(self.count, |next| next.before);
        (span.before + (row - span.row).div_ceil(self.shape.stride)).min(end)
    }

    /// The number of windows whose rows, with those of their targets, all come before a row.
    pub(crate) fn complete_before(&self, row: u64) -> u64 {
        self.before(row.saturating_sub(self.shape.reach()))
    }

    /// Whether some of these rows must be read. All must, unless other workers read the others: a row without a window
    /// may be wrong, too.
    pub(crate) fn need(&self, rows: Range<u64>) -> bool {
        !self.is_share || self.before(rows.end) > self.complete_before(rows.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The first row of each window, found row by row.
    fn naive(shape: Shape, runs: &[Range<u64>]) -> Vec<u64> {
        let starts = |run: &Range<u64>| {
            let run = run.clone();
            run.clone().step_by(shape.stride as usize).filter(move |row| row + shape.reach() < run.end)
        };
        runs.iter().flat_map(starts).collect()
    }

    fn rows_of(windows: &Windows) -> Vec<u64> {
        (0..windows.count()).map(|window| windows.row(window)).collect()
    }

    proptest! {
        #[test]
        fn windows_are_where_they_fit(
            lengths in prop::collection::vec((1_u64..30, 0_u64..3), 0..12),
            (length, stride, horizon) in (1_u64..9, 1_u64..7, 0_u64..5),
            (count, batch_size, drop_remainder, stripe) in (1_u64..5, 1_u64..9, any::<bool>(), 1_u64..40),
        ) {
            let shape = Shape { length, stride, horizon };
            let mut end = 0;
            // Between runs there may be rows of none.
            let runs: Vec<_> = lengths.into_iter().map(|(rows, gap)| {
                let start = end + gap;
                end = start + rows;
                start..end
            }).collect();
            let mut windows = Windows::new(shape);
            for run in &runs {
                windows.add(run.clone());
            }
            let expected = naive(shape, &runs);
            prop_assert_eq!(&rows_of(&windows), &expected);
            let mut lanes = vec![];
            let mut shares = vec![];
            let mut batches = vec![];
            for index in 0..count {
                let lane = windows.lane(index, count);
                prop_assert!(lane.count().abs_diff(expected.len() as u64 / count) <= 1);
                let shard = windows.shard((index, count), stripe, batch_size, drop_remainder);
                batches.push(if drop_remainder { shard.count() / batch_size } else { shard.count().div_ceil(batch_size) });
                for part in [&windows, &lane, &shard] {
                    let rows = rows_of(part);
                    for row in 0..=end {
                        let before = |reach| rows.iter().filter(|&&start| start + reach < row).count() as u64;
                        prop_assert_eq!(part.before(row), before(0), "before {}", row);
                        prop_assert_eq!(part.complete_before(row), before(shape.reach()), "complete before {}", row);
                        let needs = |start: &u64| *start < row + 2 && start + shape.reach() >= row;
                        prop_assert_eq!(part.need(row..row + 2), !part.is_share || rows.iter().any(needs));
                    }
                }
                lanes.extend(rows_of(&lane));
                shares.extend(rows_of(&shard));
            }
            prop_assert_eq!(&lanes, &expected);
            prop_assert!(batches.iter().all(|&number| number == batches[0]));
            shares.sort_unstable();
            prop_assert!(shares.len() + count as usize > expected.len());
            shares.dedup();
            prop_assert!(shares.iter().all(|row| expected.contains(row)) && shares.len() + count as usize > expected.len());
        }
    }
}
