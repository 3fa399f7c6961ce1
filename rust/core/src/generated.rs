//! How much input the tests generate.

use proptest::test_runner::Config;

/// `count` cases if the input is new in each run, and half of them if it is the same again.
pub(crate) fn cases(count: u32) -> Config {
    let repeats = std::env::var_os("PROPTEST_RNG_SEED").is_some();
    Config::with_cases(if repeats { count.div_ceil(2) } else { count })
}
