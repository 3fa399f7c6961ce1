//! One of several folds of the rows, or the rows of the other folds. Each row is in exactly one fold, the folds differ by
//! at most one row, and each row is decided on its own.
//!
//! Rows form groups in file order. Each group is shuffled and dealt out like cards; the next group goes on with the fold
//! after the last one. Each group is shuffled independently, so that the groups before it need not be.

use crate::random::Random;

/// Rows in a group.
const GROUP: u64 = 256;

/// One bit for each row of a group: whether it is in the fold.
type Mask = [u64; (GROUP / 64) as usize];

/// Fold `number` of `count`, or the rows of the others.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fold {
    number: u64,
    count: u64,
    /// Whether this is the fold, which is held out, or the rest.
    held_out: bool,
    seed: u64,
    /// The number of rows.
    total: u64,
}

/// How many of the first `cards` cards are dealt to the folds before fold `number` of `count`.
pub(super) fn dealt_below(cards: u64, number: u64, count: u64) -> u64 {
    cards / count * number + (cards % count).min(number)
}

impl Fold {
    pub(crate) fn new(total: u64, (number, count): (u64, u64), seed: u64, held_out: bool) -> Self {
        Self { number, count, held_out, seed, total }
    }

    /// How many of the first `rank` rows are in this part.
    pub(crate) fn before(&self, rank: u64) -> u64 {
        let (group, within) = (rank / GROUP, rank % GROUP);
        let dealt = |number| dealt_below((group * GROUP).min(self.total), number, self.count);
        let mut held = dealt(self.number + 1) - dealt(self.number);
        if within > 0 {
            let mask = self.mask(group);
            let (whole, rest) = ((within / 64) as usize, within % 64);
            held += mask[..whole].iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
            if rest > 0 {
                held += u64::from((mask[whole] & ((1 << rest) - 1)).count_ones());
            }
        }
        if self.held_out { held } else { rank - held }
    }

    fn mask(&self, group: u64) -> Mask {
        let first = group * GROUP;
        let mut rows: [u8; GROUP as usize] = std::array::from_fn(|row| row as u8);
        let rows = &mut rows[..GROUP.min(self.total - first) as usize];
        Random::new(self.seed, &[group]).shuffle(rows);
        // The first card of the group that is dealt to the fold.
        let next = (self.number + self.count - first % self.count) % self.count;
        let mut mask = Mask::default();
        let step = usize::try_from(self.count).unwrap_or(usize::MAX);
        for &row in rows.iter().skip(usize::try_from(next).unwrap_or(usize::MAX)).step_by(step) {
            mask[usize::from(row / 64)] |= 1 << (row % 64);
        }
        mask
    }
}

/// Goes through the rows in order.
pub(crate) struct Cursor<'a> {
    fold: &'a Fold,
    rank: u64,
    mask: Mask,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(fold: &'a Fold, rank: u64) -> Self {
        let mask = if rank.is_multiple_of(GROUP) { Mask::default() } else { fold.mask(rank / GROUP) };
        Self { fold, rank, mask }
    }

    /// Whether the next row is in this part.
    pub(crate) fn next(&mut self) -> bool {
        let within = self.rank % GROUP;
        if within == 0 {
            self.mask = self.fold.mask(self.rank / GROUP);
        }
        self.rank += 1;
        let is_held = self.mask[(within / 64) as usize] >> (within % 64) & 1 == 1;
        is_held == self.fold.held_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn members(fold: &Fold, from: u64) -> Vec<bool> {
        let mut cursor = Cursor::new(fold, from);
        (from..fold.total).map(|_| cursor.next()).collect()
    }

    proptest! {
        #[test]
        fn folds_are_disjoint_and_complete_and_differ_by_at_most_one_row(
            total in prop_oneof![0_u64..10, 250_u64..260, 0_u64..900],
            count in prop_oneof![9 => 2_u64..12, 1 => 250_u64..300],
            seed: u64,
            from in 0_u64..900,
        ) {
            let from = from.min(total);
            let mut owners = vec![0; total as usize];
            for number in 0..count {
                let [rest, fold] = [false, true].map(|held_out| Fold::new(total, (number, count), seed, held_out));
                let own = members(&fold, 0);
                prop_assert!(members(&rest, 0).iter().zip(&own).all(|(rest, own)| rest != own));
                let size = own.iter().filter(|&&own| own).count() as u64;
                prop_assert!([total / count, total.div_ceil(count)].contains(&size));
                prop_assert_eq!(&members(&fold, from)[..], &own[from as usize..]);
                let before = own[..from as usize].iter().filter(|&&own| own).count() as u64;
                prop_assert_eq!((fold.before(from), rest.before(from)), (before, from - before));
                owners.iter_mut().zip(own).for_each(|(owners, own)| *owners += u32::from(own));
            }
            prop_assert!(owners.iter().all(|&owners| owners == 1));
        }
    }

    #[test]
    fn each_row_of_a_group_is_in_a_fold_as_often_as_any_other() {
        let mut counts = vec![0_u32; 256];
        for seed in 0..4000 {
            for (count, held) in counts.iter_mut().zip(members(&Fold::new(256, (1, 4), seed, true), 0)) {
                *count += u32::from(held);
            }
        }
        // The expected count is 1,000, with a standard deviation of 27.4.
        assert!(counts.iter().all(|count| (860..1140).contains(count)), "{counts:?}");
    }
}
