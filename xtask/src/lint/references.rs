//! References: the generator panics on one that leads nowhere, and OpenAPI 3.0 ignores what stands beside one.

use serde_json::Value;

use super::Findings;
use crate::pointer::{child, entry};

pub(super) fn check(root: &Value, findings: &mut Findings) {
    walk(root, root, "", findings);
}

fn walk(root: &Value, node: &Value, pointer: &str, findings: &mut Findings) {
    match node {
        Value::Object(map) => {
            if let Some(Value::String(target)) = map.get("$ref") {
                reference(root, target, map.len(), pointer, findings);
            }
            for (key, value) in map.iter().filter(|(key, _)| !matches!(key.as_str(), "example" | "examples")) {
                walk(root, value, &child(pointer, key), findings);
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                walk(root, value, &entry(pointer, index), findings);
            }
        }
        _ => {}
    }
}

fn reference(root: &Value, target: &str, keys: usize, pointer: &str, findings: &mut Findings) {
    let found = target.strip_prefix('#').and_then(|place| root.pointer(place));
    if found.is_none() {
        findings.error(
            "reference",
            pointer,
            format!("{target} leads nowhere"),
            "refer to a component of this document",
        );
    }
    if keys > 1 {
        findings.error(
            "reference-sibling",
            pointer,
            "what stands beside a $ref is ignored",
            "write `allOf: [{$ref: …}]` beside it",
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::lint::tests::broken;

    #[test]
    fn a_reference_has_to_lead_somewhere() {
        let property = "/components/schemas/Order/properties/lines/items";
        assert_eq!(broken(property, json!({"$ref": "#/components/schemas/Nothing"})), ["reference", "unused"]);
        assert_eq!(broken(property, json!({"$ref": "other.yaml#/A"})), ["reference", "unused"]);
    }

    #[test]
    fn nothing_may_stand_beside_a_reference() {
        let property = "/components/schemas/Order/properties/lines/items";
        let value = json!({"$ref": "#/components/schemas/Line", "description": "A line."});
        assert_eq!(broken(property, value), ["reference-sibling"]);
    }
}
