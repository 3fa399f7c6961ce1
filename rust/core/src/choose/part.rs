//! A random part of the rows, or the rest. Its size is exact, it is the same in every run, and each row is decided on
//! its own.
//!
//! Rows form groups of 1,024 in file order. Each group holds out as many rows as keep the total exact, so the part is
//! stratified by position. Each group draws its rows independently, so that the groups before it need not be computed.

use crate::random::Random;

/// Rows in a group.
const GROUP: u64 = 1024;

/// One bit for each row of a group: whether it is held out.
type Mask = [u64; (GROUP / 64) as usize];

/// The rows held out of `total`, or the others.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    /// Whether this is the held-out part.
    held_out: bool,
    seed: u64,
    /// The number of rows.
    total: u64,
    /// The number of held-out rows.
    chosen: u64,
}

impl Part {
    /// Holds out the number of rows nearest to `fraction` of `total`. Neither part is empty if there are at least two
    /// rows.
    pub(crate) fn new(total: u64, fraction: f64, seed: u64, held_out: bool) -> Self {
        let nearest = (total as f64 * fraction).round() as u64;
        let chosen = if total < 2 { nearest.min(total) } else { nearest.clamp(1, total - 1) };
        Self { held_out, seed, total, chosen }
    }

    /// How many of the first `rank` rows are in this part.
    pub(crate) fn before(&self, rank: u64) -> u64 {
        let group = rank / GROUP;
        let within = rank % GROUP;
        let mut chosen = self.chosen_before(group);
        if within > 0 {
            let mask = self.mask(group);
            let (whole, rest) = ((within / 64) as usize, within % 64);
            chosen += mask[..whole].iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
            chosen += u64::from((mask[whole] & ((1 << rest) - 1)).count_ones()) * u64::from(rest > 0);
        }
        if self.held_out { chosen } else { rank - chosen }
    }

    /// How many rows before `group` are held out.
    fn chosen_before(&self, group: u64) -> u64 {
        let rows = (group * GROUP).min(self.total);
        (u128::from(rows) * u128::from(self.chosen) / u128::from(self.total.max(1))) as u64
    }

    fn mask(&self, group: u64) -> Mask {
        let size = GROUP.min(self.total - group * GROUP);
        let chosen = self.chosen_before(group + 1) - self.chosen_before(group);
        // Draw the smaller set, held-out rows or others.
        let invert = chosen > size / 2;
        let drawn = if invert { size - chosen } else { chosen };
        let mut random = Random::new(self.seed, &[group]);
        let mut mask: Mask = [if invert { u64::MAX } else { 0 }; 16];
        let mut flip = |place: u64| {
            let (word, bit) = ((place / 64) as usize, 1 << (place % 64));
            let fresh = (mask[word] & bit != 0) == invert;
            if fresh {
                mask[word] ^= bit;
            }
            fresh
        };
        // Robert Floyd's algorithm (Bentley and Floyd 1987): all sets of `drawn` places are equally likely.
        for last in size - drawn..size {
            if !flip(random.below(last + 1)) {
                flip(last);
            }
        }
        mask
    }
}

/// Goes through the rows in order.
pub(crate) struct Cursor<'a> {
    part: &'a Part,
    rank: u64,
    mask: Mask,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(part: &'a Part, rank: u64) -> Self {
        let mask = if rank.is_multiple_of(GROUP) { Mask::default() } else { part.mask(rank / GROUP) };
        Self { part, rank, mask }
    }

    /// Keeps those of the next rows that are in the part.
    pub(crate) fn choose(&mut self, rows: &mut Vec<usize>) {
        let mut kept = 0;
        for at in 0..rows.len() {
            let within = self.rank % GROUP;
            if within == 0 {
                self.mask = self.part.mask(self.rank / GROUP);
            }
            self.rank += 1;
            let chosen = self.mask[(within / 64) as usize] >> (within % 64) & 1 == 1;
            // Branchless, because the outcome is unpredictable.
            rows[kept] = rows[at];
            kept += usize::from(chosen == self.part.held_out);
        }
        rows.truncate(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn members(part: &Part, from: u64) -> Vec<bool> {
        let mut cursor = Cursor::new(part, from);
        let mut rows: Vec<usize> = (0..(part.total - from) as usize).collect();
        let mut members = vec![false; rows.len()];
        cursor.choose(&mut rows);
        for row in rows {
            members[row] = true;
        }
        members
    }

    proptest! {
        #[test]
        fn parts_are_exact_disjoint_and_complete(
            total in prop_oneof![0_u64..10, 1000_u64..1050, 0_u64..5000],
            fraction in 0.001_f64..0.999,
            seed: u64,
            from in 0_u64..5000,
        ) {
            let [kept, held] = [false, true].map(|held_out| Part::new(total, fraction, seed, held_out));
            let (in_kept, in_held) = (members(&kept, 0), members(&held, 0));
            prop_assert!(in_kept.iter().zip(&in_held).all(|(kept, held)| kept != held));
            let expected = total as f64 * fraction;
            let count = in_held.iter().filter(|&&held| held).count() as u64;
            let margin = if total < 3 { 1.0 } else { 0.5 };
            let nearest = (count as f64 - expected).abs() <= margin;
            prop_assert!(nearest || count == 1 || count + 1 == total, "{count} of {total}");
            let from = from.min(total);
            prop_assert_eq!(&members(&held, from)[..], &in_held[from as usize..]);
            let before = in_held[..from as usize].iter().filter(|&&held| held).count() as u64;
            prop_assert_eq!((held.before(from), kept.before(from)), (before, from - before));
        }
    }

    #[test]
    fn each_row_of_a_group_is_held_out_as_often_as_any_other() {
        let mut counts = vec![0_u32; 1024];
        for seed in 0..2000 {
            for (count, held) in counts.iter_mut().zip(members(&Part::new(1024, 0.7, seed, true), 0)) {
                *count += u32::from(held);
            }
        }
        // The expected count is 1,400, with a standard deviation of 20.5.
        assert!(counts.iter().all(|count| (1295..1505).contains(count)), "{counts:?}");
        assert_eq!(counts.iter().sum::<u32>(), 2000 * 717);
    }
}
