//! Null in requests: an optional field of a body is sent as null in updates only.

use std::collections::{BTreeMap, BTreeSet};

use openapi_document::{
    SCHEMAS,
    pointer::{child, unescape},
    references,
};
use serde_json::Value;

use super::ConvertedOperation;
use crate::{
    codegen::updates::is_update,
    import::losses::{Kind, Losses, Owner},
    packed::Packed,
};

/// What is known of a component: its optional fields that may be null, and the components that it names.
struct Component {
    nullable: Vec<String>,
    names: BTreeSet<String>,
}

/// Notes the optional fields that may be null in bodies of other operations.
pub(super) fn note(operations: &[ConvertedOperation], schemas: &[(String, Packed)], losses: &mut Losses) {
    let components = schemas.iter().map(|(name, schema)| {
        let schema = schema.value();
        (name.as_str(), Component { nullable: nullable_fields(&schema), names: names(&schema) })
    });
    let components = components.collect::<BTreeMap<_, _>>();
    if components.values().all(|component| component.nullable.is_empty()) {
        return;
    }
    let bodies = operations.iter().filter_map(|operation| {
        let sent = reached(&components, names(operation.value().get("requestBody")?));
        Some((operation, is_update(operation.method, &operation.id), sent))
    });
    let (updates, others): (Vec<_>, Vec<_>) = bodies.partition(|(_, is_update, _)| *is_update);
    let updated = updates.into_iter().flat_map(|(.., sent)| sent).collect::<BTreeSet<_>>();
    for (operation, _, sent) in others {
        let fields = sent.difference(&updated).filter_map(|name| components.get(name.as_str()));
        let fields = fields.flat_map(|component| &component.nullable).map(String::as_str).collect::<BTreeSet<_>>();
        if !fields.is_empty() {
            let outer = losses.belong_to(Owner::Operation(operation.id.clone()));
            let fields = fields.into_iter().collect::<Vec<_>>().join(", ");
            let text = format!("null is not sent in place of optional fields, which are left out instead: {fields}");
            losses.add(Kind::Body, &child(&operation.at, "requestBody"), text);
            losses.belong_to(outer);
        }
    }
}

/// Returns the optional fields of an object that may be null.
fn nullable_fields(schema: &Value) -> Vec<String> {
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
    let fields = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let fields = fields.filter(|(name, field)| field.get("nullable") == Some(&Value::Bool(true)) && !is_required(name));
    fields.map(|(name, _)| name.clone()).collect()
}

/// Returns the components that a node names.
fn names(node: &Value) -> BTreeSet<String> {
    references(node).into_iter().filter_map(|target| target.strip_prefix(SCHEMAS)).map(unescape).collect()
}

/// Returns components with those that they reach.
fn reached(components: &BTreeMap<&str, Component>, from: BTreeSet<String>) -> BTreeSet<String> {
    let mut todo = from.into_iter().collect::<Vec<_>>();
    let mut found = BTreeSet::new();
    while let Some(name) = todo.pop() {
        if let Some(component) = components.get(name.as_str())
            && found.insert(name)
        {
            todo.extend(component.names.difference(&found).cloned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::import::convert::tests::{drafted, losses, responding};

    #[test]
    fn optional_null_of_a_body_is_reported_unless_an_update_sends_it() {
        let plan = json!({"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string", "nullable": true}, "ends": {"type": "string", "nullable": true}, "id": {"type": "string"},
        }});
        let body = json!({"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Plan"}}}});
        let operation =
            |id: &str| json!({"operationId": id, "requestBody": body, "responses": {"204": {"description": "d"}}});
        let mut root = responding(json!({"type": "string"}), json!({"Plan": plan}));
        root["paths"]["/a"]["post"] = operation("create");
        let lost = |root| {
            let draft = drafted(root).expect("it converts");
            losses(&draft)
                .into_iter()
                .filter(|text| text.starts_with("null is not sent"))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let text = "null is not sent in place of optional fields, which are left out instead: ends";
        assert_eq!(lost(root.clone()), [text]);
        root["paths"]["/a"]["put"] = operation("replace");
        assert!(lost(root).is_empty());
    }
}
