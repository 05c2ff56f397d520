//! The values of a document that its calls and its components refer to.

use std::collections::BTreeSet;

use openapi_document::{Addresses, DocumentTree, Node};
use serde_json::Value;

use super::union::subtypes::{Subtypes, descendants};

/// The number of rounds in which subtypes may reach other components that have subtypes.
const ROUNDS: usize = 32;

/// The targets of a document's references, by address.
pub(super) struct Reached {
    /// From outside of the components.
    used: Addresses,
    /// From outside of the schemas.
    described: Addresses,
}

impl Reached {
    pub(super) fn of<'a>(document: &DocumentTree<'a>, subtypes: &Subtypes<'a>) -> Self {
        let root = document.root().value;
        let calls = outside(Some(root), "components");
        let others = outside(root.get("components"), "schemas");
        let mut used = Addresses::default();
        reach(document, subtypes, calls, &mut used);
        let mut described = used.clone();
        reach(document, subtypes, others, &mut described);
        Self { used, described }
    }

    /// Drops all values but those that calls reach.
    pub(super) fn keep_used(&mut self) {
        self.described = Addresses::default();
    }

    /// Returns whether a reference from outside of the schemas resolves to a value.
    pub(super) fn is_described(&self, node: &Node<'_>) -> bool {
        self.described.contains(&node.address())
    }

    /// Returns whether calls reach a value.
    pub(super) fn is_used(&self, node: &Node<'_>) -> bool {
        self.used.contains(&node.address())
    }
}

/// Adds the values that values reach, also through discriminators, whose values name the subtypes of the component that has it.
fn reach<'a>(document: &DocumentTree<'a>, subtypes: &Subtypes<'a>, values: Vec<&'a Value>, found: &mut Addresses) {
    document.reach(values, found);
    let address = |value: &Value| std::ptr::from_ref(value).addr();
    for _ in 0..ROUNDS {
        let parents = subtypes.keys().filter(|name| {
            let parent = document.schema(name);
            parent.is_some_and(|parent| parent.get("discriminator").is_some() && found.contains(&parent.address()))
        });
        let names: BTreeSet<_> = parents.flat_map(|name| descendants(subtypes, name)).collect();
        let heirs = names.into_iter().filter_map(|name| Some(document.schema(name)?.value));
        let heirs: Vec<_> = heirs.filter(|heir| !found.contains(&address(heir))).collect();
        if heirs.is_empty() {
            return;
        }
        found.extend(heirs.iter().map(|heir| address(heir)));
        document.reach(heirs, found);
    }
}

/// Returns the members of an object except for one.
fn outside<'a>(all: Option<&'a Value>, inner: &str) -> Vec<&'a Value> {
    let members = all.and_then(Value::as_object).into_iter().flatten();
    members.filter(|(key, _)| *key != inner).map(|(_, value)| value).collect()
}
