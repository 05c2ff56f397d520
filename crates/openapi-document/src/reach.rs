//! References below a node, and the values that they resolve to.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::resolve::lookup;

/// The beginning of references to component schemas.
pub const SCHEMAS: &str = "#/components/schemas/";

/// Returns all references below a node.
#[must_use]
pub fn references(node: &Value) -> Vec<&str> {
    let (mut found, mut next) = (Vec::new(), vec![node]);
    while let Some(node) = next.pop() {
        match node {
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str));
                next.extend(map.values());
            }
            Value::Array(items) => next.extend(items),
            _ => {}
        }
    }
    found
}

/// Returns all references that are reachable from nodes within the document, also through other references. Those that `follow`
/// rejects are returned, but their targets are not searched.
pub fn reachable<'a>(
    root: &'a Value,
    nodes: impl IntoIterator<Item = &'a Value>,
    follow: impl Fn(&str) -> bool,
) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    // A list instead of recursion: chains of references may be longer than the stack is deep.
    let mut next = nodes.into_iter().collect::<Vec<_>>();
    while let Some(node) = next.pop() {
        for reference in references(node) {
            if let Some(target) = lookup(root, reference)
                && found.insert(reference)
                && follow(reference)
            {
                next.push(target);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reachable_follows_references_unless_rejected() {
        let root = json!({"a": [{"$ref": "#/b"}], "b": {"x": {"$ref": "#/c"}}, "c": {"$ref": "#/b"}, "d": 1});
        assert_eq!(reachable(&root, [&root["a"]], |_| true), BTreeSet::from(["#/b", "#/c"]));
        assert_eq!(reachable(&root, [&root["a"]], |reference| reference != "#/b"), BTreeSet::from(["#/b"]));
    }
}
