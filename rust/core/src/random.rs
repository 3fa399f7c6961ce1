//! Random numbers that are identical in every version and on every machine, so that the order of an epoch is
//! reproducible.

/// The generator `SplitMix64` (Steele, Lea and Flood 2014).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// The sequence for a seed and a path of numbers, such as an epoch and a place in it.
    pub(crate) fn new(seed: u64, path: &[u64]) -> Self {
        path.iter().fold(Self(mix(seed)), |random, &step| random.then(step))
    }

    /// The sequence for the same path with one more number.
    pub(crate) fn then(&self, step: u64) -> Self {
        Self(mix(self.0 ^ mix(step.wrapping_add(STEP))))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// A uniform random number in `0..limit` (Lemire 2019, "Fast random integer generation in an interval").
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        let mut product = u128::from(self.next()) * u128::from(limit);
        if (product as u64) < limit {
            let threshold = limit.wrapping_neg() % limit;
            while (product as u64) < threshold {
                product = u128::from(self.next()) * u128::from(limit);
            }
        }
        (product >> 64) as u64
    }

    /// Shuffles the items uniformly (Fisher and Yates 1938, Durstenfeld 1964).
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

/// The fraction of the golden ratio in 64 bits, made odd.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// A permutation of the 64-bit numbers that scrambles their order: the finalizer of `SplitMix64`.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ bits >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ bits >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The chi-square statistic of counts that should be equal, in standard deviations from its mean.
    fn excess(counts: &[u32]) -> f64 {
        let mean = f64::from(counts.iter().sum::<u32>()) / counts.len() as f64;
        let square = counts.iter().map(|&count| (f64::from(count) - mean).powi(2) / mean).sum::<f64>();
        let freedom = counts.len() as f64 - 1.0;
        (square - freedom) / (2.0 * freedom).sqrt()
    }

    #[test]
    fn the_numbers_are_those_of_the_published_generator() {
        let mut random = Random(1_234_567);
        let numbers = [(); 5].map(|()| random.next());
        let published = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!(numbers, published);
    }

    #[test]
    fn every_order_is_as_likely_as_any_other() {
        let mut counts = [0; 120];
        for seed in 0..60_000 {
            let mut items = [0_usize, 1, 2, 3, 4];
            Random::new(seed, &[7, 7]).shuffle(&mut items);
            // The rank of the order among all orders, by Lehmer's code.
            let code = |at: usize| items[at + 1..].iter().filter(|&&item| item < items[at]).count();
            counts[(0..5).fold(0, |rank, at| rank * (5 - at) + code(at))] += 1;
        }
        assert!(excess(&counts).abs() < 5.0, "{counts:?}");
    }

    #[test]
    fn each_number_below_a_limit_is_as_likely_as_any_other() {
        for limit in [3, 1000, 3 << 40] {
            let mut random = Random::new(1, &[limit]);
            let mut counts = [0; 3];
            for _ in 0..30_000 {
                counts[(u128::from(random.below(limit)) * 3 / u128::from(limit)) as usize] += 1;
            }
            assert!(excess(&counts).abs() < 5.0, "{limit}: {counts:?}");
        }
    }
}
