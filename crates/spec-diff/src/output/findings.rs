//! Findings by their owners, and the operations that they reach, in words.

use std::collections::HashMap;

use crate::{OperationRef, review::Finding};

pub(super) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// Returns the operations that a finding reaches, the first of many.
pub(super) fn reach(operations: &[OperationRef], most: usize) -> String {
    let named = operations.iter().take(most).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match operations.len().saturating_sub(most) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// Returns whether a finding reaches other operations than the one that it is about.
pub(super) fn reaches_others(finding: &Finding) -> bool {
    let owner = finding.change.owner.to_string();
    finding.change.operations.iter().any(|operation| operation.to_string() != owner)
}

/// Returns the findings by what a reader would open, the owner with the worst first.
pub(super) fn by_owner(findings: &[Finding]) -> Vec<Vec<&Finding>> {
    let mut blocks = Vec::<Vec<&Finding>>::new();
    let mut known = HashMap::new();
    for finding in findings {
        let index = *known.entry(&finding.change.owner).or_insert_with(|| {
            blocks.push(Vec::new());
            blocks.len() - 1
        });
        if let Some(block) = blocks.get_mut(index) {
            block.push(finding);
        }
    }
    blocks
}
