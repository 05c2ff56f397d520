//! The gate of `cargo xtask diff`: findings on the wire by their level, and crates whose version takes too small a step.

use clap::ValueEnum;
use spec_diff::{Level, review::failure};

use super::{compare::Compared, verdict::CrateVerdict};

/// The threshold of a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// Nothing.
    None,
    /// A version bump that is smaller than the change of the crate.
    Bump,
    /// As `bump`, and each warning or breaking change that is not accepted.
    Warning,
    /// As `bump`, and each breaking change that is not accepted.
    #[default]
    Breaking,
}

/// Returns why an API fails, a line each.
pub(super) fn failures(compared: &Compared, on: FailOn) -> Vec<String> {
    let least = match on {
        FailOn::None => return Vec::new(),
        FailOn::Bump => None,
        FailOn::Warning => Some(Level::Warning),
        FailOn::Breaking => Some(Level::Breaking),
    };
    let api = &compared.api;
    let bump = compared.of_crate.as_ref().and_then(CrateVerdict::undeclared);
    let bump = bump.map(|bump| format!("{}: {bump}", api.report.api));
    least.and_then(|least| failure(api, least)).into_iter().chain(bump).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::diff::compare::tests::{compared, edited, input};

    #[test]
    fn each_threshold_fails_on_its_level() {
        let count = |on, versions| failures(&compared(input(&edited(), versions)), on).len();
        for (on, undeclared, declared) in
            [(FailOn::None, 0, 0), (FailOn::Bump, 1, 0), (FailOn::Breaking, 2, 1), (FailOn::Warning, 2, 1)]
        {
            assert_eq!(count(on, ["0.1.0", "0.1.0"]), undeclared, "{on:?}");
            assert_eq!(count(on, ["0.1.0", "0.2.0"]), declared, "{on:?}");
        }
    }
}
