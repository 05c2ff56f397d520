//! What fails: the findings against what the caller asked to fail on.

use clap::ValueEnum;
use spec_diff::Level;

use super::{accepted_changes::Finding, api_diff::ApiDiff};

/// What is a failure.
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

/// Why an API fails, a line each.
pub(super) fn failures(api: &ApiDiff, on: FailOn) -> Vec<String> {
    let least = match on {
        FailOn::None => return Vec::new(),
        FailOn::Bump => None,
        FailOn::Warning => Some(Level::Warning),
        FailOn::Breaking => Some(Level::Breaking),
    };
    let name = &api.report.api;
    let mut failures = Vec::new();
    if let Some(least) = least {
        let open = api.findings.iter().filter(|finding| finding.accepted.is_none());
        let open = open.map(|finding| finding.change.level).filter(|level| *level >= least);
        let levels = open.chain(api.notices.iter().map(|notice| notice.level).filter(|level| *level >= least));
        let count = levels.count();
        if count > 0 {
            let above = if least < Level::Breaking { " or above" } else { "" };
            let accept = match api.is_ours {
                true => format!("; fix the document, or accept them in openapi/{name}.accept.toml"),
                false => String::new(),
            };
            failures.push(format!(
                "{name}: {} of level {least}{above}{accept}",
                crate::output::pluralize(count, "open finding")
            ));
        }
    }
    let bump = api.generated.as_ref().and_then(|generated| generated.undeclared());
    failures.extend(bump.map(|bump| format!("{name}: {bump}")));
    failures
}

/// How many findings there are of each level, those that are accepted apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) breaking: usize,
    pub(super) warning: usize,
    pub(super) info: usize,
    /// Of names in generated code only.
    pub(super) none: usize,
    pub(super) accepted: usize,
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            breaking: sum.breaking + one.breaking,
            warning: sum.warning + one.warning,
            info: sum.info + one.info,
            none: sum.none + one.none,
            accepted: sum.accepted + one.accepted,
        })
    }
}

pub(super) fn counts<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Counts {
    let mut counts = Counts::default();
    for finding in findings {
        let count = match (&finding.accepted, finding.change.level) {
            (Some(_), _) => &mut counts.accepted,
            (None, Level::Breaking) => &mut counts.breaking,
            (None, Level::Warning) => &mut counts.warning,
            (None, Level::Info) => &mut counts.info,
            (None, Level::None) => &mut counts.none,
        };
        *count += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::diff::{
        accepted_changes::Notice,
        api_diff::tests::{compared, edited, pair},
    };

    #[test]
    fn each_threshold_fails_on_what_it_names() {
        let count = |on, versions| failures(&compared(pair(&edited(), versions)), on).len();
        for (on, undeclared, declared) in
            [(FailOn::None, 0, 0), (FailOn::Bump, 1, 0), (FailOn::Breaking, 2, 1), (FailOn::Warning, 2, 1)]
        {
            assert_eq!(count(on, ["0.1.0", "0.1.0"]), undeclared, "{on:?}");
            assert_eq!(count(on, ["0.1.0", "0.2.0"]), declared, "{on:?}");
        }
    }

    #[test]
    fn a_stale_entry_is_a_warning_and_fails_as_one() {
        let mut api = compared(pair(crate::test_support::MINI, ["0.1.0", "0.1.0"]));
        let (file, message) = ("openapi/mini.accept.toml".to_owned(), String::new());
        api.notices.push(Notice { level: Level::Warning, file, line: 1, message });
        assert_eq!(failures(&api, FailOn::Breaking), Vec::<String>::new());
        assert_eq!(
            failures(&api, FailOn::Warning),
            [
                "mini: 1 open finding of level warning or above; fix the document, or accept them in openapi/mini.accept.toml"
            ]
        );
    }
}
