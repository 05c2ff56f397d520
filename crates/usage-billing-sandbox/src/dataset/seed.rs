//! Chance from a seed: always the same number for the same place of a world, in whatever order places are asked for.

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
/// Where the default world begins.
const DEFAULT: u64 = 0x243f_6a88_85a3_08d3;

/// What makes one world another than the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seed {
    number: u64,
    state: u64,
}

impl Seed {
    pub(crate) fn new(number: u64) -> Self {
        // Mixed, so that neighbouring seeds have nothing in common.
        let state = if number == 0 { DEFAULT } else { next(DEFAULT ^ number) };
        Self { number, state }
    }

    /// Whether the tables hold as they stand.
    pub(crate) fn is_default(self) -> bool {
        self.number == 0
    }

    /// A number that looks like chance and is none.
    pub(crate) fn mix(self, parts: &[u64]) -> u64 {
        parts.iter().fold(self.state, |state, part| next(state ^ part))
    }

    /// [`Seed::mix`], brought down to `0..below`.
    pub(crate) fn chance(self, parts: &[u64], below: u64) -> i64 {
        i64::try_from(self.mix(parts) % below.max(1)).unwrap_or_default()
    }

    /// Half to one and a half of the average.
    pub(crate) fn about(self, parts: &[u64], average: u64) -> i64 {
        i64::try_from(average / 2).unwrap_or_default() + self.chance(parts, average)
    }

    /// How large something is in percent of what the tables say: from two thirds to one and a half of it.
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
    fn a_number_depends_on_seed_and_place_and_on_nothing_else() {
        let seed = Seed::new(0);
        assert_eq!(seed.mix(&[1, 2, 3]), seed.mix(&[1, 2, 3]));
        assert_ne!(seed.mix(&[1, 2, 3]), seed.mix(&[1, 3, 2]));
        assert_ne!(seed.mix(&[1, 2, 3]), Seed::new(1).mix(&[1, 2, 3]));
    }

    #[test]
    fn numbers_stay_what_they_were_in_earlier_versions() {
        assert_eq!(Seed::new(0).mix(&[1, 2, 3]), 0xcd8d705991914ea1);
        assert_eq!(Seed::new(7).mix(&[1, 2, 3]), 0x44cf9858b0b16f5a);
    }
}
