//! Equality of two schemas by the same keywords, documentation aside.

use std::collections::{BTreeSet, HashMap};

use openapi_document::{DocumentTree, Node};
use serde_json::Value;

use super::{ANYTHING, DOCS, constraints::content_of_format, equal};

/// The number of values that are compared before only equal text is the same: the question is asked to pair things
/// up, not to judge.
const BUDGET: usize = 2_000;

/// The number of wrappers that are taken off.
const WRAPPERS: usize = 16;

/// Returns whether both nodes are equal, also through references. Circles that look alike are equal.
pub(crate) fn same<'a>(base: (&DocumentTree<'a>, &Node<'a>), revision: (&DocumentTree<'a>, &Node<'a>)) -> bool {
    Same { base: base.0, revision: revision.0, seen: HashMap::new(), left: BUDGET }.nodes(base.1, revision.1)
}

struct Same<'d, 'a> {
    base: &'d DocumentTree<'a>,
    revision: &'d DocumentTree<'a>,
    /// Pairs that are being looked at, of which a cycle is equal if everything else is, and those that differ.
    seen: HashMap<(usize, usize), bool>,
    left: usize,
}

impl<'a> Same<'_, 'a> {
    /// Returns whether each item of either list has an equal in the other.
    fn sets(&mut self, old: &Node<'a>, new: &Node<'a>) -> bool {
        let (olds, mut news): (Vec<_>, Vec<_>) = (old.items().collect(), new.items().collect());
        if olds.len() > UNORDERED || olds.len() != news.len() {
            return self.nodes(old, new);
        }
        olds.iter().all(|item| {
            let like = news.iter().position(|other| self.nodes(item, other));
            like.map(|index| news.remove(index)).is_some()
        })
    }

    fn nodes(&mut self, old: &Node<'a>, new: &Node<'a>) -> bool {
        let Some(left) = self.left.checked_sub(1) else { return old.value == new.value };
        self.left = left;
        let (old, new) = (unwrap(self.base, old), unwrap(self.revision, new));
        match (old.value, new.value) {
            (Value::Object(_), Value::Object(_)) => {
                let pair = (old.address(), new.address());
                if let Some(known) = self.seen.get(&pair) {
                    return *known;
                }
                self.seen.insert(pair, true);
                let (targets, others) = (several(self.base, &old), several(self.revision, &new));
                if targets.len() != others.len() || !targets.iter().zip(&others).all(|(old, new)| self.nodes(old, new))
                {
                    self.seen.insert(pair, false);
                    return false;
                }
                let states = |member: &(&str, &Value)| has_effect(member) && !SPELLINGS.contains(&member.0);
                let with_effect = |node: &Node<'a>| node.members().filter(states).count();
                let equal = is_same_spelled(old.value, new.value)
                    && with_effect(&old) == with_effect(&new)
                    && old.entries().filter(|(key, child)| states(&(key, child.value))).all(|(key, child)| {
                        new.value.get(key).is_some_and(|value| {
                            let other = Node { value, at: new.at.clone() };
                            match SETS.contains(&key) {
                                true => self.sets(&child, &other),
                                false => self.nodes(&child, &other),
                            }
                        })
                    });
                self.seen.insert(pair, equal);
                equal
            }
            (Value::Array(olds), Value::Array(news)) => {
                olds.len() == news.len() && old.items().zip(new.items()).all(|(old, new)| self.nodes(&old, &new))
            }
            (old, new) => equal(old, new),
        }
    }
}

/// Members of which 3.0 and 3.1 have different ones for the same.
const SPELLINGS: &[&str] = &[
    "const",
    "contentEncoding",
    "contentMediaType",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maximum",
    "minimum",
    "nullable",
    "type",
];

fn is_same_spelled(old: &Value, new: &Value) -> bool {
    let is_equal = |key: &&str| match (old.get(*key), new.get(*key)) {
        (None, None) => true,
        (Some(old), Some(new)) => equal(old, new),
        _ => false,
    };
    SPELLINGS.iter().all(is_equal) || spelled(old) == spelled(new)
}

/// Returns these members in the keywords of 3.1.
fn spelled(schema: &Value) -> Vec<(&'static str, BTreeSet<String>)> {
    let text = |key: &str| schema.get(key).and_then(Value::as_str);
    let list = |key: &str| match schema.get(key) {
        Some(Value::Array(items)) => items.iter().map(written).collect(),
        Some(value) => BTreeSet::from([written(value)]),
        None => BTreeSet::new(),
    };
    let is_on = |key: &str| schema.get(key) == Some(&Value::Bool(true));
    let null = written(&Value::from("null"));
    let mut types = list("type");
    let mut values = list("enum");
    values.extend(schema.get("const").map(written));
    // Null is one of the values if both lists have it; 3.0 leaves it to `nullable`.
    if !types.is_empty() {
        let is_listed = values.is_empty() || values.remove("null");
        if is_on("nullable") {
            types.insert(null.clone());
        } else if !is_listed {
            types.remove(&null);
        }
    }
    let limit = |inclusive: &str, exclusive: &str| {
        let (stated, beyond) = match is_on(exclusive) {
            true => (None, schema.get(inclusive)),
            false => (schema.get(inclusive), schema.get(exclusive).filter(|value| value.is_number())),
        };
        [stated, beyond].map(|value| value.map(written).into_iter().collect())
    };
    let content = text("format").and_then(content_of_format);
    let format = text("format").filter(|_| content.is_none());
    let stated = |key: &str, word: &str| {
        let of_format = content.filter(|(own, _)| *own == word).map(|(_, name)| name);
        text(key).or(of_format).map(str::to_owned).into_iter().collect()
    };
    let ([least, above], [most, below]) = (limit("minimum", "exclusiveMinimum"), limit("maximum", "exclusiveMaximum"));
    let is_nullable = is_on("nullable") && schema.get("type").is_none();
    vec![
        ("type", types),
        ("nullable", is_nullable.then_some(null).into_iter().collect()),
        ("enum", values),
        ("minimum", least),
        ("exclusiveMinimum", above),
        ("maximum", most),
        ("exclusiveMaximum", below),
        ("format", format.map(str::to_owned).into_iter().collect()),
        ("contentEncoding", stated("contentEncoding", "content-encoding")),
        ("contentMediaType", stated("contentMediaType", "content-media-type")),
    ]
}

/// Returns a value as it is written; `1` and `1.0` alike.
pub(crate) fn written(value: &Value) -> String {
    match value.as_f64().filter(|number| value.is_f64() && number.fract() == 0.0) {
        Some(number) => format!("{number:.0}"),
        None => value.to_string(),
    }
}

/// Members whose order states nothing.
const SETS: &[&str] = &["allOf", "required"];

/// The number of items of such a member that are searched in any order.
const UNORDERED: usize = 24;

/// Returns whether a member states more than that all is as usual.
pub(crate) fn has_effect((key, value): &(&str, &Value)) -> bool {
    let usual = match *key {
        "nullable" | "deprecated" | "readOnly" | "writeOnly" | "uniqueItems" => *value == &Value::Bool(false),
        "additionalProperties" => *value == &Value::Bool(true),
        "minLength" | "minItems" | "minProperties" => *value == &Value::from(0),
        "$schema" => value.as_str().is_some_and(is_usual_dialect),
        key => DOCS.contains(&key) || key.starts_with("x-"),
    };
    !usual
}

/// Returns whether a dialect of JSON Schema is that of OpenAPI 3.1, which is also that of JSON Schema of 2020.
pub(crate) fn is_usual_dialect(name: &str) -> bool {
    name.contains("json-schema.org/draft/2020-12/") || name.starts_with("https://spec.openapis.org/oas/3.")
}

/// Returns the reference of a node that does not resolve to one schema.
pub(crate) fn dangling<'a>(document: &DocumentTree<'a>, node: &Node<'a>) -> Option<&'a str> {
    document.reference(node).filter(|_| document.target(node).is_none())
}

/// Returns the schemas that a reference may mean, if there are several.
fn several<'a>(document: &DocumentTree<'a>, node: &Node<'a>) -> Vec<Node<'a>> {
    if dangling(document, node).is_some() { document.targets(node) } else { Vec::new() }
}

/// Returns the node behind references and around which nothing but a single `allOf` stands.
pub(super) fn unwrap<'a>(document: &DocumentTree<'a>, node: &Node<'a>) -> Node<'a> {
    // A reference that leads back to itself states nothing.
    let anything = Node { value: &ANYTHING, at: node.at.clone() };
    let mut node = document.resolve(node.clone());
    for _ in 0..WRAPPERS {
        if document.target(&node).is_some() {
            return anything;
        }
        let mut members = node.members().filter(|(key, _)| !DOCS.contains(key));
        let (Some(("allOf", _)), None) = (members.next(), members.next()) else { return node };
        let parts: Vec<_> = node.get("allOf").iter().flat_map(Node::items).take(2).collect();
        let [part] = parts.as_slice() else { return node };
        node = document.resolve(part.clone());
    }
    anything
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_inlined_or_in_a_circle_are_the_same() {
        let base = json!({"openapi": "3.0.0", "a": {"p": {"$ref": "#/a"}, "q": {"type": "string", "title": "Q"}}});
        let revision =
            json!({"openapi": "3.0.0", "b": {"p": {"$ref": "#/b"}, "q": {"$ref": "#/q"}}, "q": {"type": "string"}});
        let documents = (DocumentTree::new(&base).unwrap(), DocumentTree::new(&revision).unwrap());
        let nodes = (documents.0.at(&["a"]).unwrap(), documents.1.at(&["b"]).unwrap());
        assert!(same((&documents.0, &nodes.0), (&documents.1, &nodes.1)));
        assert!(!same((&documents.0, &nodes.0), (&documents.1, &documents.1.at(&["q"]).unwrap())));
    }
}
