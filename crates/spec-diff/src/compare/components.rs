//! Names of components: nothing on the wire, but names in generated code.

use std::collections::{BTreeMap, BTreeSet};

use openapi_document::{DocumentTree, Node, SCHEMAS, pointer::Step, reachable};
use serde_json::Value;

use super::{Circumstance, Comparison, Context, Finding};
use crate::{
    report::Direction,
    rules::{self, Place},
};

/// The name of the schema component that the node is, if it is one.
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

    /// Whether one name may have taken the other's place: neither is there on the other side.
    pub(super) fn is_renamed(&self, old: &str, new: &str) -> bool {
        old != new && !has(&self.revision, old) && !has(&self.base, new)
    }

    /// The components by themselves, where no operation says how they are used: in both directions.
    pub(super) fn alone(&mut self) {
        for direction in [Direction::Request, Direction::Response] {
            let place = Place::Body;
            let context = Context { scope: 0, direction, place, text: false, absent: false, depth: 0 };
            self.component_pairs("schemas", |comparison, old, new| comparison.later(vec![old], vec![new], context));
            let content = match direction {
                Direction::Request => "requestBodies",
                _ => "responses",
            };
            self.component_pairs(content, |comparison, old, new| comparison.content(&old, &new, context));
        }
        self.component_pairs("parameters", |comparison, old, new| comparison.parameter(&old, &new, 0));
        self.component_pairs("headers", |comparison, old, new| comparison.header("", &old, &new, 0));
    }

    /// The components of a section that both documents have.
    fn component_pairs(&mut self, section: &str, compare: impl Fn(&mut Self, Node<'a>, Node<'a>)) {
        let list = |document: &DocumentTree<'a>| document.at(&["components", section]);
        let (Some(olds), Some(news)) = (list(&self.base), list(&self.revision)) else { return };
        for (name, old) in olds.entries() {
            if let Some(new) = news.get(name) {
                let (old, new) = (self.base.resolve(old), self.revision.resolve(new));
                compare(self, old, new);
            }
        }
    }

    /// The schemas that nothing outside of the components refers to. As all that callers send belongs to an operation, these are
    /// received, such as the payloads of webhooks that only documentation speaks of, or not sent at all.
    pub(super) fn unreferenced(&mut self) {
        let (olds, news) = (reached(&self.base), reached(&self.revision));
        let is_reached =
            |node: &Node<'a>| component(node).is_some_and(|name| olds.contains(name) || news.contains(name));
        let (direction, place) = (Direction::Response, Place::Body);
        let context = Context { scope: 0, direction, place, text: false, absent: false, depth: 0 };
        self.component_pairs("schemas", |comparison, old, new| {
            if !is_reached(&old) && !is_reached(&new) && old.value != new.value {
                comparison.later(vec![old], vec![new], context);
            }
        });
    }

    /// Names that were added, removed or replaced.
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
                    let finding = Finding::new(&rules::COMPONENT_RENAMED).at(&node.at, &other.at);
                    self.note(0, finding.values(Value::from(*name), Value::from(new)));
                }
                _ => {
                    let finding = Finding::new(&rules::COMPONENT_REMOVED).removed(&node.at).named(*name);
                    self.note(0, finding.when(self.is_alone, Circumstance::ComponentsOnly));
                }
            }
        }
        for (name, node) in news.iter().filter(|(name, _)| !olds.contains_key(*name) && !replaced.contains(*name)) {
            self.note(0, Finding::new(&rules::COMPONENT_ADDED).added(&node.at).named(*name));
        }
    }
}

/// The schema components that references from outside of the schemas lead to, also by way of others.
fn reached<'a>(document: &DocumentTree<'a>) -> BTreeSet<&'a str> {
    let root = document.root().value;
    let outside = |all: &'a Value, inner: &'static str| {
        all.as_object().into_iter().flatten().filter(move |(key, _)| *key != inner).map(|(_, value)| value)
    };
    let others = root.get("components").into_iter().flat_map(|all| outside(all, "schemas"));
    let found = reachable(root, outside(root, "components").chain(others), |_| true);
    found.into_iter().filter_map(|reference| reference.strip_prefix(SCHEMAS)).collect()
}

fn has(document: &DocumentTree<'_>, name: &str) -> bool {
    document.schema(name).is_some()
}
