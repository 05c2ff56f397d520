//! The net below all other checks: what differs between the documents and was not compared by any of them is a finding too.

use openapi_document::{Node, gives_names, pointer::Step};
use serde_json::Value;

use super::{Comparison, Finding, ScopeId, excerpt, reached::Reached};
use crate::{
    rule::rules,
    schema::{DOCS, has_effect, same},
};

rules! {
    UNKNOWN_CHANGE = Rule::api("unknown-change", Unknown, Warning, Major, "unknown-change",
        "a difference that no check compares: review it");
}

/// The position of the walk.
#[derive(Clone, Copy)]
struct At {
    /// The keys are names that the document gives.
    names: bool,
    /// Calls reach it on both sides: whatever else differs has no effect, or is compared by itself.
    used: bool,
}

impl<'a> Comparison<'a> {
    /// Reports members that are not known here, where they differ. Words and extensions are compared as such.
    pub(super) fn others(&mut self, scope: ScopeId, old: &Node<'a>, new: &Node<'a>, known: &[&str]) {
        self.compared.members(old, new);
        let is_other = |key: &&str| !known.contains(key) && !DOCS.contains(key) && !key.starts_with("x-");
        let keys = |node: &Node<'a>| node.members().map(|(key, _)| key).filter(is_other);
        let mut others: Vec<_> = keys(old).collect();
        others.extend(keys(new).filter(|key| old.value.get(key).is_none()));
        self.unknown(scope, old, new, &others);
    }

    /// Reports members that the comparison does not understand, where they differ.
    pub(super) fn unknown(&mut self, scope: ScopeId, old: &Node<'a>, new: &Node<'a>, keys: &[&str]) {
        for key in keys {
            let finding = Finding::new(&UNKNOWN_CHANGE);
            let cut = |node: &Node<'a>| excerpt(node.value);
            let (old, new) = (old.get(key), new.get(key));
            old.iter().chain(&new).for_each(|node| self.compared.whole(node));
            match (old, new) {
                (Some(old), Some(new)) if !same((&self.base, &old), (&self.revision, &new)) => {
                    self.note(scope, finding.at(&old.at, &new.at).values(cut(&old), cut(&new)));
                }
                (Some(old), None) => self.note(scope, finding.removed(&old.at).values(cut(&old), None)),
                (None, Some(new)) => self.note(scope, finding.added(&new.at).values(None, cut(&new))),
                _ => {}
            }
        }
    }

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
        if self.compared.has(old.value) || self.compared.has(new.value) {
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
        let is_known = |node: &Node<'a>| self.compared.has_members_of(node);
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
