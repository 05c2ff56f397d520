//! Names of components: nothing on the wire, but names in generated code.

use std::collections::{BTreeMap, BTreeSet};

use openapi_document::{DocumentTree, Node, names_file, pointer::Step};
use serde_json::Value;

use super::{Circumstance, Comparison, Finding};
use crate::rule::rules;

rules! {
    COMPONENT_ADDED = Rule::api("api-schema-added", Components, Level::None, Minor, "api-schema-removed",
        "a new named type");
    COMPONENT_REMOVED = Rule::api("api-schema-removed", Components, Level::None, Major, "api-schema-added",
        "a named type was removed; its uses are reported separately");
    COMPONENT_RENAMED = Rule::api("api-schema-renamed", Components, Level::None, Major, "api-schema-renamed",
        "the same type has another name");
}

/// Returns the name of the schema component that the node is, if it is one.
pub(super) fn component<'a>(node: &Node<'a>) -> Option<&'a str> {
    match node.at.steps().as_slice() {
        [Step::Key("components"), Step::Key("schemas"), Step::Key(name)] => Some(name),
        _ => None,
    }
}

impl<'a> Comparison<'a> {
    /// Records that two components correspond to each other.
    pub(super) fn pair_up(&mut self, old: &[Node<'a>], new: &[Node<'a>]) {
        let ([old], [new]) = (old, new) else { return };
        if let (Some(old), Some(new)) = (component(old), component(new))
            && self.is_renamed(old, new)
        {
            self.pairs.entry(old).or_insert(new);
        }
    }

    /// Returns whether one name may have taken the other's place: neither is there on the other side.
    pub(super) fn is_renamed(&self, old: &str, new: &str) -> bool {
        old != new && !names_file(old) && !names_file(new) && !has(&self.revision, old) && !has(&self.base, new)
    }

    /// Reports names that were added, removed or replaced.
    pub(super) fn components(&mut self) {
        let names = |document: &DocumentTree<'a>| {
            let list = document.at(&["components", "schemas"]);
            list.iter().flat_map(Node::entries).collect::<BTreeMap<_, _>>()
        };
        let (olds, news) = (names(&self.base), names(&self.revision));
        let mut replaced = BTreeSet::new();
        for (name, node) in olds.iter().filter(|(name, _)| !news.contains_key(*name)) {
            match self.pairs.get(name).and_then(|new| Some((*new, news.get(new)?))) {
                Some((new, other)) if replaced.insert(new) => {
                    let finding = Finding::new(&COMPONENT_RENAMED).at(&node.at, &other.at);
                    self.note(0, finding.values(Value::from(*name), Value::from(new)));
                }
                _ => {
                    let finding = Finding::new(&COMPONENT_REMOVED).removed(&node.at).with_name(*name);
                    self.note(0, finding.when(self.is_alone, Circumstance::ComponentsOnly));
                }
            }
        }
        for (name, node) in news.iter().filter(|(name, _)| !olds.contains_key(*name) && !replaced.contains(*name)) {
            self.note(0, Finding::new(&COMPONENT_ADDED).added(&node.at).with_name(*name));
        }
    }
}

fn has(document: &DocumentTree<'_>, name: &str) -> bool {
    document.schema(name).is_some()
}
