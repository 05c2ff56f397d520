//! Null and empty lists in requests: an optional field of a body is sent as null in updates only, and as an empty list or map in types
//! that updates send and no response has.

use std::collections::{BTreeMap, BTreeSet};

use openapi_document::pointer::child;
use serde_json::Value;

use super::{ConvertedOperation, referenced_schemas};
use crate::{
    codegen::updates::{is_collection, is_update},
    import::losses::{Kind, Losses, Owner},
    packed::Packed,
};

/// What is known of a component: its optional fields that may be null, and those that may be empty, and the components that it names.
struct Component {
    nullable: Vec<String>,
    collections: Vec<String>,
    names: BTreeSet<String>,
}

/// Notes the optional fields that may be null in bodies of other operations.
pub(super) fn note(operations: &[ConvertedOperation], schemas: &[(String, Packed)], losses: &mut Losses) {
    let components = schemas.iter().map(|(name, schema)| (name.as_str(), Component::of(&schema.value())));
    let components = components.collect::<BTreeMap<_, _>>();
    if components.values().all(|component| component.nullable.is_empty() && component.collections.is_empty()) {
        return;
    }
    let (mut updates, mut others, mut read) = (Vec::new(), Vec::new(), BTreeSet::new());
    for operation in operations {
        let value = operation.value();
        let reached = |key: &str| {
            value.get(key).map(|node| reached(&components, referenced_schemas(node).collect())).unwrap_or_default()
        };
        read.extend(reached("responses"));
        let is_update = is_update(operation.method, &operation.id);
        if is_update { &mut updates } else { &mut others }.push((operation, reached("requestBody")));
    }
    let updated = updates.iter().flat_map(|(_, sent)| sent).cloned().collect::<BTreeSet<_>>();
    let mut note = |operation: &ConvertedOperation, what: &str, fields: BTreeSet<&str>| {
        if !fields.is_empty() {
            let outer = losses.belong_to(Owner::Operation(operation.id.clone()));
            let fields = fields.into_iter().collect::<Vec<_>>().join(", ");
            let text = format!("{what} is not sent in place of optional fields, which are left out instead: {fields}");
            losses.add(Kind::Body, &child(&operation.at, "requestBody"), text);
            losses.belong_to(outer);
        }
    };
    let fields = |names: &mut dyn Iterator<Item = &String>, of: fn(&Component) -> &[String]| {
        let components = names.filter_map(|name| components.get(name.as_str()));
        components.flat_map(of).map(String::as_str).collect::<BTreeSet<_>>()
    };
    // Of types that only updates send, an empty list differs from an absent one.
    let (cleared, none) = (updated.difference(&read).cloned().collect::<BTreeSet<_>>(), BTreeSet::new());
    for (operation, sent) in others.iter().chain(&updates) {
        let is_update = is_update(operation.method, &operation.id);
        // A form has neither null nor an empty list, which only updates have a reason to send.
        let (with_null, with_empty) = match (is_form(operation), is_update) {
            (true, true) => (&none, &none),
            (true, false) => (&none, sent),
            (false, true) => (sent, &cleared),
            (false, false) => (&updated, &cleared),
        };
        note(operation, "null", fields(&mut sent.difference(with_null), |component| &component.nullable));
        note(
            operation,
            "an empty list or map",
            fields(&mut sent.difference(with_empty), |component| &component.collections),
        );
    }
}

impl Component {
    fn of(schema: &Value) -> Self {
        let required = schema.get("required").and_then(Value::as_array);
        let fields = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        let fields = fields.filter(|(name, _)| !required.is_some_and(|all| all.iter().any(|one| one == name.as_str())));
        let (nullable, others): (Vec<_>, Vec<_>) =
            fields.partition(|(_, field)| field.get("nullable") == Some(&Value::Bool(true)));
        let others = others.into_iter().filter(|(_, field)| is_collection(field));
        Self {
            nullable: nullable.into_iter().map(|(name, _)| name.clone()).collect(),
            collections: others.map(|(name, _)| name.clone()).collect(),
            names: referenced_schemas(schema).collect(),
        }
    }
}

/// Returns whether the body of an operation is a form.
fn is_form(operation: &ConvertedOperation) -> bool {
    let value = operation.value();
    let mut media = value["requestBody"]["content"].as_object().into_iter().flatten();
    media.any(|(name, _)| super::is_form(name))
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
    fn optional_null_is_reported_unless_an_update_sends_it() {
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
                .filter(|text| text.contains("is not sent in place"))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let text = "null is not sent in place of optional fields, which are left out instead: ends";
        assert_eq!(lost(root.clone()), [text]);
        let tags = json!({"type": "array", "items": {"type": "string"}});
        let mut listing = root.clone();
        listing["components"]["schemas"]["Plan"]["properties"]["tags"] = tags;
        let empty = "an empty list or map is not sent in place of optional fields, which are left out instead: tags";
        assert_eq!(lost(listing), [text, empty]);
        root["paths"]["/a"]["put"] = operation("replace");
        assert!(lost(root.clone()).is_empty());
        root["components"]["schemas"]["Plan"]["properties"]["tags"] =
            json!({"type": "array", "items": {"type": "string"}});
        assert!(lost(root.clone()).is_empty());
        // A type that responses have as well.
        root["paths"]["/a"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] =
            json!({"$ref": "#/components/schemas/Plan"});
        assert_eq!(lost(root), [empty, empty]);
    }

    #[test]
    fn null_and_empty_list_of_a_form_are_reported_for_updates() {
        let list = json!({"type": "array", "items": {"type": "string"}});
        let form =
            json!({"type": "object", "properties": {"note": {"type": "string", "nullable": true}, "tags": list}});
        let body = json!({"required": true, "content": {"application/x-www-form-urlencoded": {"schema": form}}});
        let lost = |id: &str| {
            let mut root = responding(json!({"type": "string"}), json!({}));
            root["paths"]["/a"]["post"] =
                json!({"operationId": id, "requestBody": body, "responses": {"204": {"description": "d"}}});
            let draft = drafted(root).expect("it converts");
            let found = losses(&draft).into_iter().filter_map(|text| text.split_once(" is not sent"));
            found.map(|(what, _)| what.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(lost("create"), ["null"]);
        assert_eq!(lost("update"), ["null", "an empty list or map"]);
    }
}
