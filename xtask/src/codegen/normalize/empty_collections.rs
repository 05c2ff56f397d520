//! Empty lists and maps of updates: an absent one leaves what the vendor has, and an empty one clears it. In types that responses have as well
//! they are the same: readers need no third case.

use std::collections::BTreeSet;

use openapi_document::{operations, reachable};
use serde_json::Value;

use crate::codegen::{
    parts::schema_names,
    updates::{is_collection, is_updated},
};

/// The keyword of a list or a map of which an absent and an empty one differ: it becomes an `Option`.
pub(super) const EMPTY_IS_SENT: &str = "x-empty-is-sent";

/// Marks the optional lists and maps of types that only bodies of updates have, which are marked already. The document has to be whole:
/// a part of it may lack the responses of a type.
pub(in crate::codegen) fn mark(root: &mut Value) {
    let read = {
        let root = &*root;
        let all = operations(root);
        let responses = all.iter().filter_map(|operation| operation.value.get("responses"));
        schema_names(reachable(root, responses, |_| true)).collect::<BTreeSet<_>>()
    };
    let schemas = root.pointer_mut("/components/schemas").and_then(Value::as_object_mut).into_iter().flatten();
    for (_, schema) in schemas.filter(|(name, schema)| is_updated(schema) && !read.contains(*name)) {
        let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        let fields = schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten();
        let fields = fields.filter(|(name, _)| !required.iter().any(|one| one == name.as_str()));
        fields
            .filter(|(_, field)| is_collection(field))
            .for_each(|(_, field)| field[EMPTY_IS_SENT] = Value::Bool(true));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{codegen::render, test_support::changed};

    #[test]
    fn empty_list_of_a_type_of_updates_differs_from_an_absent_one() {
        let list = json!({"type": "array", "description": "d", "items": {"type": "string"}});
        let map = json!({"type": "object", "description": "d", "additionalProperties": {"type": "integer"}});
        let fields = json!({"tags": list, "rates": map, "needed": list});
        let line = json!({"type": "object", "description": "d", "required": ["needed"], "properties": fields});
        let code = |id: &str| {
            let mut document = changed("/components/schemas/Line", line.clone());
            let schemas = &mut document.root["components"]["schemas"];
            schemas["OrderUpdate"] = json!({"type": "object", "description": "d", "properties": {"line": {"$ref": "#/components/schemas/Line"}}});
            schemas["Order"]["properties"].as_object_mut().expect("fields").remove("lines");
            let body = &mut document.root["paths"]["/orders"]["post"]["requestBody"]["content"]["application/json"];
            body["schema"] = json!({"$ref": "#/components/schemas/OrderUpdate"});
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
