//! Keys: the generator ignores one that it does not know, and with it what the document meant; and it fails, somewhere else, on
//! a value of another kind than it expects.

use openapi_document::{
    operations,
    pointer::{child, item},
};
use serde_json::{Map, Value};

use super::{
    Findings, Rule,
    kinds::{self, Kind, Shape},
};

pub(super) fn check(root: &Value, findings: &mut Findings) {
    let Some(document) = root.as_object() else { return };
    known(document, &kinds::DOCUMENT, "", findings);
    for key in ["info", "paths"].into_iter().filter(|key| !document.contains_key(*key)) {
        findings.add(Rule::Kind, "", format!("no `{key}`"), "write it");
    }
    for (key, shape) in [("info", kinds::INFO), ("components", kinds::COMPONENTS)] {
        if let Some(Value::Object(map)) = document.get(key) {
            known(map, &shape, &child("", key), findings);
        }
    }
    list(document.get("servers"), &kinds::SERVER, "/servers", findings);
    map(document.get("paths"), &kinds::PATH, "/paths", findings);
    for (path, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        list(item.get("parameters"), &kinds::PARAMETER, &child(&child("/paths", path), "parameters"), findings);
    }
    for operation in operations(root) {
        let at = &operation.pointer;
        known(operation.value, &kinds::OPERATION, at, findings);
        list(operation.value.get("parameters"), &kinds::PARAMETER, &child(at, "parameters"), findings);
        if let Some(body) = operation.value.get("requestBody").and_then(Value::as_object) {
            holder(body, &kinds::BODY, &child(at, "requestBody"), findings);
        }
        holders(operation.value.get("responses"), &kinds::ANSWER, &child(at, "responses"), findings);
    }
    map(root.pointer("/components/parameters"), &kinds::PARAMETER, "/components/parameters", findings);
    for (section, shape) in [("requestBodies", kinds::BODY), ("responses", kinds::ANSWER)] {
        let at = child("/components", section);
        holders(root.pointer(&at), &shape, &at, findings);
    }
    for node in openapi_document::schemas(root) {
        known(node.schema, &kinds::SCHEMA, &node.pointer, findings);
    }
}

fn list(values: Option<&Value>, shape: &Shape, pointer: &str, findings: &mut Findings) {
    for (index, value) in values.and_then(Value::as_array).into_iter().flatten().enumerate() {
        if let Some(value) = value.as_object() {
            known(value, shape, &item(pointer, index), findings);
        }
    }
}

fn map(values: Option<&Value>, shape: &Shape, pointer: &str, findings: &mut Findings) {
    for (name, value) in values.and_then(Value::as_object).into_iter().flatten() {
        if let Some(value) = value.as_object() {
            known(value, shape, &child(pointer, name), findings);
        }
    }
}

/// Things that have media types.
fn holders(values: Option<&Value>, shape: &Shape, pointer: &str, findings: &mut Findings) {
    for (name, value) in values.and_then(Value::as_object).into_iter().flatten() {
        if let Some(value) = value.as_object() {
            holder(value, shape, &child(pointer, name), findings);
        }
    }
}

fn holder(value: &Map<String, Value>, shape: &Shape, pointer: &str, findings: &mut Findings) {
    known(value, shape, pointer, findings);
    map(value.get("content"), &kinds::MEDIA, &child(pointer, "content"), findings);
}

fn known(map: &Map<String, Value>, Shape(what, keys): &Shape, pointer: &str, findings: &mut Findings) {
    for (key, value) in map {
        match keys.iter().find(|(known, _)| known == key) {
            Some((_, kind)) if !kind.fits(value) => odd(*kind, value, &child(pointer, key), findings),
            Some(_) => {}
            None if key.starts_with("x-") => {}
            None => findings.add(
                Rule::UnknownKey,
                &child(pointer, key),
                format!("{key:?} is not read in {what}"),
                "is it misspelt or at the wrong depth?",
            ),
        }
    }
}

/// The place is that of the entry that is wrong, if only one of several is.
fn odd(kind: Kind, value: &Value, pointer: &str, findings: &mut Findings) {
    let at = |at: &str, kind: Kind, findings: &mut Findings| {
        findings.add(Rule::Kind, at, format!("not {}", kind.name()), format!("write {}, or leave it out", kind.name()));
    };
    match (kind, value) {
        (Kind::Named, Value::Object(map)) => {
            for (name, _) in map.iter().filter(|(_, value)| !value.is_object()) {
                at(&child(pointer, name), Kind::Mapping, findings);
            }
        }
        (Kind::Texts | Kind::Mappings, Value::Array(list)) => {
            let kind = if kind == Kind::Texts { Kind::Text } else { Kind::Mapping };
            for (index, _) in list.iter().enumerate().filter(|(_, value)| !kind.fits(value)) {
                at(&item(pointer, index), kind, findings);
            }
        }
        _ => at(pointer, kind, findings),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::lint::tests::broken;

    #[test]
    fn a_misspelt_key_is_an_error_wherever_it_stands() {
        for place in [
            "/servres",
            "/info/titel",
            "/servers/0/urll",
            "/paths/~1orders/gett",
            "/paths/~1orders~1{orderId}/get/sumary",
            "/paths/~1orders~1{orderId}/get/responses/404/desciption",
            "/paths/~1orders~1{orderId}/get/responses/200/content/application~1json/exampel",
            "/paths/~1orders~1{orderId}/get/parameters/0/requierd",
            "/components/schemes",
            "/components/parameters/Limit/exampel",
            "/components/schemas/Order/properties/note/desciption",
        ] {
            assert_eq!(broken(place, json!("x")), ["unknown-key"], "{place}");
        }
    }

    #[test]
    fn a_value_of_another_kind_is_an_error_at_its_place() {
        for (place, value) in [
            ("/info/description", json!([])),
            ("/paths/~1orders/post/tags", json!("orders")),
            ("/components/schemas/Order/required", json!("id")),
            ("/components/schemas/Order/properties/note/description", json!(["Words."])),
            ("/components/schemas/Order/properties/note/maxLength", json!("5")),
            ("/components/schemas/Order/properties/note/nullable", json!("yes")),
            ("/components/schemas/Order/properties/status/allOf", json!("")),
            ("/components/schemas/Order/properties/note", json!("text")),
            ("/components/schemas/Extra", json!("text")),
            ("/components/schemas/Line/additionalProperties", json!(1)),
        ] {
            let rules = broken(place, value);

            assert!(rules.contains(&"kind".to_owned()), "{place}: {rules:?}");
        }
    }

    #[test]
    fn an_empty_value_is_of_no_kind() {
        let note = json!({"type": "string", "description": "d", "nullable": null});
        assert_eq!(broken("/components/schemas/Order/properties/note", note), ["kind"]);
    }
}
