//! A lane: one of several equal, contiguous runs of rows. Every global batch takes equally many rows from each lane.

use std::ops::Range;

/// Lane `number` of `count`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lane(Range<u64>);

impl Lane {
    /// Divides `total` rows. The first lanes have one row more than the others if the rows do not divide evenly.
    pub(crate) fn new(total: u64, number: u64, count: u64) -> Self {
        let start = |lane: u64| total / count * lane + lane.min(total % count);
        Self(start(number)..start(number + 1))
    }

    /// How many of the first `rank` rows are in this lane.
    pub(crate) fn before(&self, rank: u64) -> u64 {
        rank.clamp(self.0.start, self.0.end) - self.0.start
    }

    /// Whether row `rank` is in this lane, and the row at which that changes.
    pub(super) fn run(&self, rank: u64) -> (bool, u64) {
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
    lane: &'a Lane,
    rank: u64,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(lane: &'a Lane, rank: u64) -> Self {
        Self { lane, rank }
    }

    /// Whether the next row is in the lane.
    pub(crate) fn next(&mut self) -> bool {
        self.rank += 1;
        self.lane.holds(self.rank - 1)
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
                let lane = Lane::new(total, number, count);
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
    }
}
