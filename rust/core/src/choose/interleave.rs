//! The order in which rows of several sources are mixed.

use crate::random::Random;

/// The source of each row of a group, which has `counts[source]` rows of each. Every order is equally likely; it depends
/// on the seed, the epoch and the number of the group alone.
///
/// # Panics
///
/// If there are more than 256 sources.
#[must_use]
pub fn interleave(counts: &[usize], seed: u64, epoch: u64, group: u64) -> Vec<u8> {
    let of = |(source, &count): (usize, &usize)| {
        let source = u8::try_from(source).expect("at most 256 sources");
        std::iter::repeat_n(source, count)
    };
    let mut sources: Vec<u8> = counts.iter().enumerate().flat_map(of).collect();
    Random::new(seed, &[epoch, group]).shuffle(&mut sources);
    sources
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_has_its_rows_in_an_order_of_its_own() {
        let orders: Vec<_> = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
            .map(|(seed, epoch, group)| interleave(&[20, 0, 10], seed, epoch, group))
            .into();
        for (at, order) in orders.iter().enumerate() {
            let count = |of: u8| order.iter().map(|&source| u32::from(source == of)).sum::<u32>();
            assert_eq!([count(0), count(1), count(2)], [20, 0, 10]);
            assert!(!orders[..at].contains(order));
        }
        assert_eq!(orders[0], interleave(&[20, 0, 10], 0, 0, 0));
    }
}
