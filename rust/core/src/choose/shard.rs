//! The shard of one worker.
//!
//! Rows are dealt out in stripes of some megabytes, so that a worker reads little besides its own rows and has rows
//! from all over the file. The rest is divided evenly. Shards differ by at most one row, and that row is dropped if it
//! would make an additional batch.

/// The shard of worker `index` of `count`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shard {
    index: u64,
    count: u64,
    /// Rows in a stripe.
    stripe: u64,
    /// The row at which the stripes end and the rest begins.
    striped: u64,
    /// How many rows of the rest each shard has.
    share: u64,
    /// How many shards have one more row.
    longer: u64,
}

/// The minimum number of stripes in a shard, if there are enough rows.
const STRIPES: u64 = 16;

impl Shard {
    /// Divides `total` rows into shards with the same number of batches, in stripes of at most `stripe` rows.
    pub(crate) fn new(
        total: u64,
        (index, count): (u64, u64),
        stripe: u64,
        batch_size: u64,
        drop_remainder: bool,
    ) -> Self {
        let stripe = stripe.min(total / count / STRIPES).max(1);
        let striped = if total / count < STRIPES { 0 } else { total / (stripe * count) * stripe * count };
        let rest = total - striped;
        let least = striped / count + rest / count;
        // Whether the extra row of some shards would begin, or complete, a batch that the others lack.
        let uneven =
            if drop_remainder { (least + 1).is_multiple_of(batch_size) } else { least.is_multiple_of(batch_size) };
        Self { index, count, stripe, striped, share: rest / count, longer: if uneven { 0 } else { rest % count } }
    }

    /// How many of the first `rank` rows are in this shard.
    pub(crate) fn before(&self, rank: u64) -> u64 {
        let Self { index, count, stripe, striped, share, longer } = *self;
        let in_stripes = rank.min(striped);
        let round = stripe * count;
        let within = (in_stripes % round).saturating_sub(index * stripe).min(stripe);
        let rest = rank.saturating_sub(striped);
        let start = index * share + index.min(longer);
        in_stripes / round * stripe + within + rest.saturating_sub(start).min(share + u64::from(index < longer))
    }

    /// Whether row `rank` is in this shard, and the row at which that changes.
    pub(super) fn at(&self, rank: u64) -> (bool, u64) {
        let Self { index, count, stripe, striped, share, longer } = *self;
        if rank < striped {
            let number = rank / stripe;
            return (number % count == index, (number + 1) * stripe);
        }
        let start = striped + index * share + index.min(longer);
        let end = start + share + u64::from(index < longer);
        if rank < start {
            (false, start)
        } else if rank < end {
            (true, end)
        } else {
            (false, u64::MAX)
        }
    }
}

/// Goes through the rows in order.
pub(crate) struct Cursor<'a> {
    shard: &'a Shard,
    rank: u64,
    /// Whether the current run is in the shard, and the row at which it ends.
    run: (bool, u64),
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(shard: &'a Shard, rank: u64) -> Self {
        Self { shard, rank, run: shard.at(rank) }
    }

    /// Whether the next row is in the shard.
    pub(crate) fn next(&mut self) -> bool {
        if self.rank == self.run.1 {
            self.run = self.shard.at(self.rank);
        }
        self.rank += 1;
        self.run.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn members(shard: &Shard, from: u64, total: u64) -> Vec<bool> {
        let mut cursor = Cursor::new(shard, from);
        (from..total).map(|_| cursor.next()).collect()
    }

    proptest! {
        #[test]
        fn shards_are_disjoint_and_complete_and_have_equally_many_batches(
            total in 0_u64..2000,
            count in 1_u64..9,
            stripe in 1_u64..200,
            batch_size in 1_u64..40,
            drop_remainder: bool,
            from in 0_u64..2000,
        ) {
            let from = from.min(total);
            let mut owners = vec![0; total as usize];
            let mut batches = vec![];
            for index in 0..count {
                let shard = Shard::new(total, (index, count), stripe, batch_size, drop_remainder);
                let own = members(&shard, 0, total);
                prop_assert_eq!(&members(&shard, from, total)[..], &own[from as usize..]);
                for (owner, own) in owners.iter_mut().zip(&own) {
                    *owner += u32::from(*own);
                }
                let rows = own.iter().filter(|&&own| own).count() as u64;
                prop_assert_eq!(shard.before(total), rows);
                prop_assert_eq!(shard.before(from), own[..from as usize].iter().filter(|&&own| own).count() as u64);
                batches.push(if drop_remainder { rows / batch_size } else { rows.div_ceil(batch_size) });
            }
            prop_assert!(batches.iter().all(|&number| number == batches[0]), "{batches:?}");
            prop_assert!(owners.iter().all(|&owner| owner <= 1));
            let unowned = owners.iter().filter(|&&owner| owner == 0).count() as u64;
            prop_assert!(unowned <= total % count, "{unowned} rows are nobody's");
            let least = total / count;
            let needed = if drop_remainder { (least + 1) % batch_size == 0 } else { least % batch_size == 0 };
            prop_assert!(unowned == 0 || needed);
        }
    }
}
