//! Checked documents.

use openapi_document::Positions;

use crate::lint::{Finding, Level};

/// A checked document.
pub(super) struct Checked {
    pub(super) name: String,
    /// Whether the rules of curation were checked.
    pub(super) curated: bool,
    /// The findings with their positions, or the error of a document that cannot be read.
    pub(super) outcome: Result<Located, String>,
}

/// Findings and the positions of the document.
pub(super) struct Located {
    pub(super) positions: Positions,
    pub(super) findings: Vec<Finding>,
}

impl Checked {
    pub(super) fn count(&self, level: Level) -> usize {
        self.outcome.iter().flat_map(|located| &located.findings).filter(|finding| finding.rule.level == level).count()
    }
}
