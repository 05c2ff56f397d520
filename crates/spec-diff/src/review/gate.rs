//! The gate: open findings at or above a level fail.

use openapi_document::text::pluralize;

use super::{ApiDiff, Finding};
use crate::Level;

/// Returns why an API fails, in a line: the number of findings and notices of this level and above that are not accepted.
#[must_use]
pub fn failure(api: &ApiDiff, least: Level) -> Option<String> {
    let open = api.findings.iter().filter(|finding| finding.accepted.is_none()).map(|finding| finding.change.level);
    let notices = api.notices.iter().map(|notice| notice.level);
    let count = open.chain(notices).filter(|level| *level >= least).count();
    let above = if least < Level::Breaking { " or above" } else { "" };
    let accept = match api.accept_name.as_str() {
        "" => String::new(),
        name => format!("; fix the document, or accept them in {name}"),
    };
    let findings = pluralize(count, "open finding");
    (count > 0).then(|| format!("{}: {findings} of level {least}{above}{accept}", api.report.api))
}

/// The number of findings of each level; accepted ones are counted separately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Open findings of this level.
    pub breaking: usize,
    /// Open findings of this level.
    pub warning: usize,
    /// Open findings of this level.
    pub info: usize,
    /// Open findings that concern names in generated code only.
    pub none: usize,
    /// Findings of any level that are accepted.
    pub accepted: usize,
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
