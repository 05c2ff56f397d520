//! The net below all other checks: what differs between the documents and was not compared by any of them is a finding too.

use openapi_document::{Addresses, DocumentTree, Node, gives_names, pointer::Step};
use serde_json::Value;

use super::{Comparison, Finding, excerpt, unused_components::Reached};
use crate::{
    rule::rules,
    schema::{DOCS, has_effect},
};

rules! {
    UNKNOWN_CHANGE = Rule::api("unknown-change", Unknown, Warning, Major, "unknown-change",
        "a difference that no check compares: review it");
}

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

    fn has(&self, value: &Value) -> bool {
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

/// Where the walk is.
#[derive(Clone, Copy)]
struct At {
    /// The keys are names that the document gives.
    names: bool,
    /// Calls lead here on both sides: whatever else differs has no effect, or is compared by itself.
    used: bool,
}

impl<'a> Comparison<'a> {
    pub(super) fn uncompared(&mut self, reached: &[Reached; 2]) {
        let (old, new) = (self.base.root(), self.revision.root());
        self.differences(&old, &new, At { names: false, used: true }, reached);
        let files: Vec<_> = self.base.files().collect();
        for old in files {
            let file = self.revision.files().find(|new| new.at.file() == old.at.file());
            if let Some(new) = file {
                self.differences(&old, &new, At { names: true, used: false }, reached);
            }
        }
    }

    fn differences(&mut self, old: &Node<'a>, new: &Node<'a>, at: At, reached: &[Reached; 2]) {
        if self.compared.wholes.contains(&old.address()) || self.compared.wholes.contains(&new.address()) {
            return;
        }
        let at = At { used: at.used || (reached[0].is_used(old) && reached[1].is_used(new)), ..at };
        match (old.value, new.value) {
            (Value::Object(olds), Value::Object(news)) => {
                let mut own = Vec::new();
                let are_schemas = old.at.steps() == [Step::Key("components"), Step::Key("schemas")];
                for (key, value) in olds {
                    let Some(other) = news.get(key) else {
                        own.push((key.as_str(), value));
                        continue;
                    };
                    // Most are known to be the same, or were compared.
                    let is_schema = are_schemas && self.unchanged.has(key);
                    if is_schema
                        || self.compared.has(value)
                        || self.compared.has(other)
                        || value == other
                        || !at.names && is_documentation(key)
                    {
                        continue;
                    }
                    let is_nested = value.is_object() && other.is_object() || has_objects(value) && has_objects(other);
                    if !is_nested {
                        own.push((key.as_str(), value));
                        continue;
                    }
                    let inside = At {
                        names: !at.names && gives_names(key),
                        used: at.used && !(key == "components" && old.at.steps().is_empty()),
                    };
                    let child = |node: &Node<'a>, value: &'a Value| Node { value, at: node.at.key(key) };
                    self.differences(&child(old, value), &child(new, other), inside, reached);
                }
                own.extend(
                    news.iter().filter(|(key, _)| !olds.contains_key(*key)).map(|(key, value)| (key.as_str(), value)),
                );
                self.own_members((old, new), &own, at);
            }
            (Value::Array(olds), Value::Array(news)) => {
                for (index, (value, other)) in olds.iter().zip(news).enumerate().filter(|(_, (old, new))| old != new) {
                    let child = |node: &Node<'a>, value: &'a Value| Node { value, at: node.at.index(index) };
                    self.differences(&child(old, value), &child(new, other), At { names: false, ..at }, reached);
                }
            }
            _ => {}
        }
    }

    /// Compares members that are not objects on both sides. Where keys are names, additions and removals are findings of other checks.
    fn own_members(&mut self, (old, new): (&Node<'a>, &Node<'a>), keys: &[(&'a str, &'a Value)], at: At) {
        let is_known = |node: &Node<'a>| self.compared.members.contains(&node.address());
        if !at.used || at.names || is_known(old) || is_known(new) {
            return;
        }
        for (key, _) in keys.iter().filter(|(key, value)| !is_documentation(key) && has_effect(&(key, value))) {
            let finding = Finding::new(&UNKNOWN_CHANGE).at(&old.at, &new.at).with_name(*key);
            let value = |node: &Node<'a>| node.value.get(key).and_then(excerpt);
            self.note(0, finding.values(value(old), value(new)));
        }
    }
}

/// Returns whether a member states nothing of calls. Security and servers apply where they are not written, and are
/// compared there.
fn is_documentation(key: &str) -> bool {
    key.starts_with("x-") || DOCS.contains(&key) || matches!(key, "info" | "security" | "servers")
}

fn has_objects(value: &Value) -> bool {
    value.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(Value::is_object))
}
