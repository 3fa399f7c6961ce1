//! A run of rows that follow one another: the first ones, all but those, or a lane. Lanes are several equal runs, and
//! every global batch takes equally many rows from each.

use std::ops::Range;

/// The rows from one rank to before another.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Run(Range<u64>);

impl Run {
    pub(crate) fn new(ranks: Range<u64>) -> Self {
        Self(ranks)
    }

    /// Lane `number` of `count`, out of `total` rows. The first lanes have one row more than the others if the rows do
    /// not divide evenly.
    pub(crate) fn lane(total: u64, number: u64, count: u64) -> Self {
        let start = |lane: u64| total / count * lane + lane.min(total % count);
        Self(start(number)..start(number + 1))
    }

    /// How many of the first `rank` rows are in this run.
    pub(crate) fn before(&self, rank: u64) -> u64 {
        rank.clamp(self.0.start, self.0.end) - self.0.start
    }

    /// Whether row `rank` is in this run, and the row at which that changes.
    pub(super) fn at(&self, rank: u64) -> (bool, u64) {
        if rank < self.0.start {
            (false, self.0.start)
        } else if rank < self.0.end {
            (true, self.0.end)
        } else {
            (false, u64::MAX)
        }
    }

    fn holds(&self, rank: u64) -> bool {
        self.0.contains(&rank)
    }
}

/// Goes through the rows in order.
pub(crate) struct Cursor<'a> {
    run: &'a Run,
    rank: u64,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(run: &'a Run, rank: u64) -> Self {
        Self { run, rank }
    }

    /// Whether the next row is in the run.
    pub(crate) fn next(&mut self) -> bool {
        self.rank += 1;
        self.run.holds(self.rank - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lanes_follow_one_another_and_differ_by_at_most_one_row(total in 0_u64..500, count in 1_u64..20, from in 0_u64..500) {
            let from = from.min(total);
            let mut end = 0;
            for number in 0..count {
                let lane = Run::lane(total, number, count);
                let mut cursor = Cursor::new(&lane, 0);
                let rows: Vec<u64> = (0..total).filter(|_| cursor.next()).collect();
                prop_assert!(rows.iter().copied().eq(end..end + rows.len() as u64), "{rows:?} after {end}");
                prop_assert!([total / count, total.div_ceil(count)].contains(&(rows.len() as u64)));
                let before = rows.iter().filter(|&&row| row < from).count() as u64;
                prop_assert_eq!(lane.before(from), before);
                let mut cursor = Cursor::new(&lane, from);
                prop_assert_eq!((from..total).filter(|_| cursor.next()).count() as u64, rows.len() as u64 - before);
                end += rows.len() as u64;
            }
            prop_assert_eq!(end, total);
        }

        #[test]
        fn a_run_has_the_rows_from_one_to_another(start in 0_u64..40, stop in prop::option::of(0_u64..40), from in 0_u64..50) {
            let stop = stop.map_or(u64::MAX, |stop| stop.max(start));
            let run = Run::new(start..stop);
            prop_assert_eq!(run.before(from), (0..from).filter(|&row| row >= start && row < stop).count() as u64);
            let mut cursor = Cursor::new(&run, from);
            for row in from..60 {
                prop_assert_eq!(cursor.next(), row >= start && row < stop);
                let (is_in, until) = run.at(row);
                prop_assert!(is_in == (row >= start && row < stop) && until > row);
            }
        }
    }
}
