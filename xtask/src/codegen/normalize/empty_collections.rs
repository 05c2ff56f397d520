//! Empty lists and maps of updates: an absent one leaves what the vendor has, and an empty one clears it.

use openapi_document::{SCHEMAS, operations, pointer::unescape, reachable};
use serde_json::{Map, Value};

use crate::codegen::updates::is_update;

/// Makes optional lists and maps of the bodies of updates nullable: of others typify leaves empty ones out. `normal` has the schemas of
/// `root`.
pub(super) fn distinguish(normal: &mut Value, root: &Value) {
    let updates = operations(root).into_iter().filter(|operation| is_update(operation.method, operation.id()));
    let bodies = updates.filter_map(|operation| operation.value.get("requestBody"));
    let updated = reachable(root, bodies, |_| true);
    for name in updated.iter().filter_map(|reference| reference.strip_prefix(SCHEMAS)).map(unescape) {
        let Some(schema) = normal["components"]["schemas"].get_mut(name) else { continue };
        let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        let fields = schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten();
        for (_, field) in fields.filter(|(name, _)| !required.iter().any(|one| one == name.as_str())) {
            if let Some(field) = field.as_object_mut().filter(|field| is_collection(field)) {
                field.insert("nullable".to_owned(), Value::Bool(true));
            }
        }
    }
}

fn is_collection(field: &Map<String, Value>) -> bool {
    match field.get("type").and_then(Value::as_str) {
        Some("array") => true,
        Some("object") => !field.contains_key("properties"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{codegen::render, test_support::changed};

    #[test]
    fn empty_list_of_an_update_is_sent_and_an_absent_one_is_not() {
        let list = json!({"type": "array", "description": "d", "items": {"type": "string"}});
        let map = json!({"type": "object", "description": "d", "additionalProperties": {"type": "integer"}});
        let fields = json!({"tags": list, "rates": map, "needed": list});
        let line = json!({"type": "object", "description": "d", "required": ["needed"], "properties": fields});
        let code = |id: &str| {
            let mut document = changed("/components/schemas/Line", line.clone());
            document.root["paths"]["/orders"]["post"]["operationId"] = json!(id);
            let code = render(document).expect("it generates").client;
            let (_, fields) = code.split_once("pub struct Line {").expect("the type");
            fields.split_once("    }\n").expect("its end").0.to_owned()
        };
        let created = code("createOrder");
        assert_eq!(created.matches(": collection ").count(), 2, "{created}");
        let updated = code("updateOrder");
        assert!(updated.contains("tags: optional ::std::vec::Vec<::std::string::String>"), "{updated}");
        assert!(updated.contains("rates: optional ::std::collections::BTreeMap<"), "{updated}");
        assert!(updated.contains("needed: required_collection "), "{updated}");
    }
}
