//! Pseudo-random numbers from a seed: the same number for the same position in a dataset, in any order of access.

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
/// State of the default dataset.
const DEFAULT: u64 = 0x243f_6a88_85a3_08d3;

/// Seed of a dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seed {
    number: u64,
    state: u64,
}

impl Seed {
    pub(crate) fn new(number: u64) -> Self {
        // Mixed, so that consecutive seeds are unrelated.
        let state = if number == 0 { DEFAULT } else { next(DEFAULT ^ number) };
        Self { number, state }
    }

    /// Returns whether the tables apply unchanged.
    pub(crate) fn is_default(self) -> bool {
        self.number == 0
    }

    /// Returns a pseudo-random number for a position.
    pub(crate) fn mix(self, parts: &[u64]) -> u64 {
        parts.iter().fold(self.state, |state, part| next(state ^ part))
    }

    /// Returns [`Seed::mix`], reduced to `0..below`.
    pub(crate) fn chance(self, parts: &[u64], below: u64) -> i64 {
        i64::try_from(self.mix(parts) % below.max(1)).unwrap_or_default()
    }

    /// Returns a number from half to one and a half of the average.
    pub(crate) fn about(self, parts: &[u64], average: u64) -> i64 {
        i64::try_from(average / 2).unwrap_or_default() + self.chance(parts, average)
    }

    /// Returns a size in percent of the tables: from two thirds to one and a half.
    pub(crate) fn percent(self, parts: &[u64]) -> i64 {
        if self.is_default() { 100 } else { 67 + self.chance(parts, 84) }
    }
}

fn next(state: u64) -> u64 {
    SplitMix64::seed_from_u64(state).next_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_depends_on_seed_and_position_only() {
        let seed = Seed::new(0);
        assert_eq!(seed.mix(&[1, 2, 3]), seed.mix(&[1, 2, 3]));
        assert_ne!(seed.mix(&[1, 2, 3]), seed.mix(&[1, 3, 2]));
        assert_ne!(seed.mix(&[1, 2, 3]), Seed::new(1).mix(&[1, 2, 3]));
    }

    #[test]
    fn numbers_do_not_change_between_versions() {
        assert_eq!(Seed::new(0).mix(&[1, 2, 3]), 0xcd8d705991914ea1);
        assert_eq!(Seed::new(7).mix(&[1, 2, 3]), 0x44cf9858b0b16f5a);
    }
}
