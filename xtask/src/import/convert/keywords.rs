//! The meaning of a schema's keywords in all editions.

use serde_json::{Map, Value, json};

/// Keywords that do not restrict values.
const ANNOTATIONS: [&str; 19] = [
    "title",
    "description",
    "example",
    "examples",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
    "externalDocs",
    "xml",
    "nullable",
    "x-nullable",
    "$comment",
    "$schema",
    "$id",
    "$anchor",
    "$dynamicAnchor",
    "$defs",
    "definitions",
];

/// Keywords that may describe fields, and are not read.
pub(super) const UNREAD: [&str; 5] = ["if", "then", "else", "dependentSchemas", "not"];

/// Returns whether a keyword does not restrict values.
pub(crate) fn annotates(key: &str) -> bool {
    ANNOTATIONS.contains(&key) || key.starts_with("x-")
}

/// Returns whether a schema has keywords other than annotations.
pub(crate) fn states_something(schema: &Value) -> bool {
    schema.as_object().is_some_and(|map| map.keys().any(|key| !annotates(key)))
}

/// Adds the keywords beside a reference that are kept: the description, and that it may be null or is deprecated.
pub(super) fn beside(mut converted: Value, map: &Map<String, Value>) -> Value {
    let text = map.get("description").and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let nullable = is_nullable(map);
    let is_deprecated = map.get("deprecated") == Some(&json!(true));
    if text.is_none() && !nullable && !is_deprecated {
        return converted;
    }
    if converted.get("$ref").is_some() {
        converted = json!({"allOf": [converted]});
    }
    if let Some(text) = text {
        converted["description"] = json!(text);
    }
    if is_deprecated {
        converted["deprecated"] = json!(true);
    }
    set_nullable(&mut converted, nullable);
    converted
}

/// Sets a converted schema's text, with the limits that the generated types do not check, and whether it is deprecated.
pub(super) fn describe(converted: &mut Value, map: &Map<String, Value>) {
    let text = map.get("description").and_then(Value::as_str).unwrap_or_default().trim();
    let text = crate::codegen::docs::constraints::with_limits(text, map);
    if !text.is_empty() {
        converted["description"] = json!(text);
    }
    if map.get("deprecated") == Some(&json!(true)) {
        converted["deprecated"] = json!(true);
    }
}

/// Makes a schema nullable. Any JSON includes null already.
pub(super) fn set_nullable(converted: &mut Value, nullable: bool) {
    if nullable && converted.get("x-any").is_none() {
        if converted.get("$ref").is_some() {
            *converted = json!({"allOf": [converted.take()]});
        }
        converted["nullable"] = json!(true);
    }
}

pub(super) fn is_nullable(map: &Map<String, Value>) -> bool {
    let flag = |key: &str| map.get(key).and_then(Value::as_bool).unwrap_or_default();
    let listed = |key: &str, null: &Value| map.get(key).and_then(Value::as_array).is_some_and(|all| all.contains(null));
    let is_null = map.get("type") == Some(&json!("null"));
    is_null || flag("nullable") || flag("x-nullable") || listed("type", &json!("null")) || listed("enum", &Value::Null)
}

/// Returns the types that a schema states or means, null aside.
pub(super) fn kinds(map: &Map<String, Value>) -> Vec<&str> {
    match map.get("type") {
        Some(Value::String(kind)) if kind != "null" => vec![kind],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").collect(),
        Some(Value::String(_)) => vec![],
        _ if map.contains_key("properties") || map.contains_key("additionalProperties") => vec!["object"],
        _ if map.contains_key("patternProperties") => vec!["object"],
        _ if map.contains_key("items") => vec!["array"],
        _ => {
            let listed = map.get("enum").and_then(Value::as_array).into_iter().flatten();
            let text = listed.clone().find(|value| value.is_string());
            let value = map.get("const").or(text).or_else(|| listed.clone().find(|value| !value.is_null()));
            match value {
                Some(Value::String(_)) => vec!["string"],
                Some(Value::Bool(_)) => vec!["boolean"],
                Some(Value::Number(number)) if number.is_f64() => vec!["number"],
                Some(Value::Number(_)) => vec!["integer"],
                Some(_) => vec![],
                None => kind_of_format(map).into_iter().collect(),
            }
        }
    }
}

/// Returns the type that a format means where none is stated.
fn kind_of_format(map: &Map<String, Value>) -> Option<&'static str> {
    match map.get("format").and_then(Value::as_str)? {
        "int32" | "int64" => Some("integer"),
        "float" | "double" => Some("number"),
        "byte" | "uuid" | "uri" | "email" | "hostname" | "ipv4" | "ipv6" | "password" => Some("string"),
        format if format.starts_with("date") => Some("string"),
        _ => None,
    }
}
