//! The values that checks have compared.

use openapi_document::{Addresses, DocumentTree, Node};
use serde_json::Value;

use super::Finding;

/// The values that checks have compared, by address.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// Each member by itself.
    members: Addresses,
    /// With all that they contain.
    wholes: Addresses,
}

impl Compared {
    pub(super) fn members(&mut self, old: &Node<'_>, new: &Node<'_>) {
        self.members.extend([old.address(), new.address()]);
    }

    pub(super) fn whole(&mut self, node: &Node<'_>) {
        self.wholes.insert(node.address());
    }

    /// Returns whether the members of an object were compared.
    pub(super) fn has_members_of(&self, node: &Node<'_>) -> bool {
        self.members.contains(&node.address())
    }

    /// Returns whether a value was compared with all that it contains.
    pub(super) fn has(&self, value: &Value) -> bool {
        self.wholes.contains(&std::ptr::from_ref(value).addr())
    }

    /// Notes what a finding covers: an addition or a removal is reported as a whole.
    pub(super) fn note<'a>(&mut self, base: &DocumentTree<'a>, revision: &DocumentTree<'a>, finding: &Finding<'a>) {
        let (document, at) = match (&finding.base, &finding.revision) {
            (Some(at), None) => (base, at),
            (None, Some(at)) => (revision, at),
            _ => return,
        };
        document.node(&at.steps()).iter().for_each(|node| self.whole(node));
    }
}
