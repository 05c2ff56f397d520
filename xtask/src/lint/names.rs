//! Names of types and fields: two that become one in Rust do not compile.

use std::collections::BTreeMap;

use openapi_document::{component_schemas, pointer::child};
use serde_json::Value;

use super::{Findings, Rule};
use crate::codegen::identifiers::{component_name, value_name};

pub(super) fn check(root: &Value, findings: &mut Findings) {
    let types = component_schemas(root).map(|(name, _)| name);
    collisions(types, component_name, "/components/schemas", "type", findings);
    for node in openapi_document::schemas(root) {
        let properties = node.schema.get("properties").and_then(Value::as_object);
        let names = properties.into_iter().flatten().map(|(name, _)| name.as_str());
        collisions(names, value_name, &child(&node.pointer, "properties"), "field", findings);
    }
}

fn collisions<'a>(
    names: impl Iterator<Item = &'a str>,
    rust: fn(&str) -> String,
    pointer: &str,
    what: &str,
    findings: &mut Findings,
) {
    let (mut seen, mut cases) = (BTreeMap::<String, &str>::new(), BTreeMap::<String, &str>::new());
    for name in names {
        if let Some(other) = seen.insert(rust(name), name) {
            let message = format!("{other:?} and {name:?} make the same {what} {}", rust(name));
            findings.add(Rule::Name, &child(pointer, name), message, "leave one out, or name the component otherwise");
        } else if let Some(other) = cases.insert(name.to_lowercase(), name) {
            let message = format!("{other:?} and {name:?} differ in case only");
            findings.add(Rule::Name, &child(pointer, name), message, "keep the one that the vendor sends");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::lint::tests::broken;

    #[test]
    fn types_have_names_of_their_own() {
        let schema = json!({"type": "string", "description": "d"});
        assert_eq!(broken("/components/schemas/order", schema), ["unused", "name"]);
    }

    #[test]
    fn fields_have_names_of_their_own() {
        let schema = json!({"type": "string", "description": "d"});
        for twin in ["Note", "NOTE"] {
            let rules = broken(&format!("/components/schemas/Order/properties/{twin}"), schema.clone());
            assert_eq!(rules, ["name"], "{twin}");
        }
        assert_eq!(broken("/components/schemas/Line/properties/coUnt", schema), ["name"]);
    }
}
