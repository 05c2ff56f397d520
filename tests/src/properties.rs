//! Properties that hold for random values, such as the seeds and sizes of datasets.

use std::env;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};

/// Checks a property of known values, then of a number of random ones, each on a runtime of its own whose clock is paused.
///
/// Each run has the same values, unless `PROPTEST_RNG_SEED` is set; `PROPTEST_CASES` sets their number. A failure is reduced to the smallest value
/// that fails, and its seed is kept in `proptest-regressions`. `source_file` is the test's `file!()`.
///
/// # Panics
/// If the property does not hold.
pub fn check_property<S: Strategy<Value: Clone>>(
    source_file: &'static str,
    cases: u32,
    known: impl IntoIterator<Item = S::Value>,
    values: S,
    property: impl AsyncFn(S::Value),
) {
    let usual = Config::default();
    let config = Config {
        cases: env::var_os("PROPTEST_CASES").map_or(cases, |_| usual.cases),
        rng_seed: if usual.rng_seed == RngSeed::Random { RngSeed::Fixed(0) } else { usual.rng_seed },
        source_file: Some(source_file),
        max_shrink_iters: 10_000,
        max_shrink_time: 120_000,
        ..usual
    };
    let check = |value| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        runtime.expect("a runtime").block_on(property(value));
        Ok(())
    };
    let mut runner = TestRunner::new(config);
    let known = known.into_iter().try_for_each(|value| runner.run_one(Just(value), check).map(drop));
    if let Err(error) = known.and_then(|()| runner.run(&values, check)) {
        panic!("{error}");
    }
}

/// Returns seeds of datasets: often the default, 0. Smaller seeds are not simpler.
pub fn dataset_seed() -> impl Strategy<Value = u64> {
    prop_oneof![1 => Just(0), 2 => any::<u64>().no_shrink()]
}
