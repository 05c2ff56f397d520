//! The security of single operations: what ours calls for is one of the alternatives of the vendor.

use std::collections::BTreeSet;

use openapi_document::{Operation, pointer::child};

use super::Comparison;
use crate::import::{Published, Requirement, requirements_of};

impl Comparison<'_> {
    pub(super) fn security(&mut self, own: &Operation<'_>, (theirs, other): (&Published, &Operation<'_>)) {
        // Of the document as a whole, it is reported once.
        let is_whole = [own, other].iter().all(|operation| operation.value.get("security").is_none());
        if is_whole && self.differences.iter().any(|difference| difference.kind == "security") {
            return;
        }
        let (ours, theirs) = (requirements_of(self.ours, own), requirements_of(&theirs.root, other));
        // Where the vendor states nothing, nothing can be compared.
        let (Some(ours), Some(theirs)) = (ours, theirs) else { return };
        let joined = |all: &Requirement| all.iter().cloned().collect::<Vec<_>>().join(" and ");
        let listed = |all: &BTreeSet<Requirement>| match all.iter().map(joined).collect::<Vec<_>>() {
            all if all.is_empty() => "no credentials".to_owned(),
            all => all.join(" or "),
        };
        let is_optional = theirs.iter().any(Requirement::is_empty);
        let is_right = match (ours.is_empty(), theirs.is_empty()) {
            (true, is_anonymous) => is_anonymous || is_optional,
            (false, true) => false,
            // Of two that write `Authorization`, we have one.
            (false, false) => is_optional || ours.iter().any(|own| theirs.iter().any(|other| own.is_subset(other))),
        };
        if !is_right {
            let text = format!("{} here, {} at the vendor's", listed(&ours), listed(&theirs));
            self.add(&child(&own.pointer, "security"), "operation-security", text);
        }
    }
}
