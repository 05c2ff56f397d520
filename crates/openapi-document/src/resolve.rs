//! References within a document.

use serde_json::Value;

use crate::pointer::decode;

/// The largest number of references in a chain. A longer chain is taken for a cycle.
const MAX_HOPS: usize = 32;

/// Returns the value that a reference (`#/components/schemas/Order`) points to; none if it is not in this document.
#[must_use]
pub fn lookup<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    let path = reference.strip_prefix('#').filter(|path| path.is_empty() || path.starts_with('/'))?;
    path.split('/').skip(1).try_fold(root, |value, token| {
        let token = decode(token);
        match value {
            Value::Array(items) => items.get(token.parse::<usize>().ok()?),
            _ => value.get(&*token),
        }
    })
}

/// Returns the node that a reference resolves to, through further references; the node itself if it is not a reference.
#[must_use]
pub fn resolve<'a>(root: &'a Value, node: &'a Value) -> &'a Value {
    resolve_at(root, String::new(), node).1
}

/// Returns [`resolve`] with the pointer of the result; `pointer` is that of the node.
#[must_use]
pub fn resolve_at<'a>(root: &'a Value, pointer: String, node: &'a Value) -> (String, &'a Value) {
    let (mut pointer, mut node) = (pointer, node);
    for _ in 0..MAX_HOPS {
        let reference = node.get("$ref").and_then(Value::as_str);
        let Some((reference, target)) = reference.and_then(|text| Some((text, lookup(root, text)?))) else { break };
        (pointer, node) = (reference.trim_start_matches('#').to_owned(), target);
    }
    (pointer, node)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reference_resolves_through_escapes_arrays_and_references() {
        let root = json!({"a b": {"x/y": [0, {"$ref": "#/c"}]}, "c": 7, "d": {"$ref": "#/a%20b/x~1y/1"}});
        assert_eq!(resolve_at(&root, "/d".to_owned(), &root["d"]), ("/c".to_owned(), &json!(7)));
        assert_eq!(lookup(&root, "other.yaml#/c"), None);
    }

    #[test]
    fn cyclic_reference_ends() {
        let root = json!({"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}});
        assert!(resolve(&root, &root["a"]).get("$ref").is_some());
    }
}
