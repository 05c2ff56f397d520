//! What a schema states by itself and by its parts: types, values, null.

use std::collections::{BTreeMap, BTreeSet};

use openapi_document::{
    lookup,
    pointer::{child, item},
    resolve,
};
use serde_json::{Map, Value};

use crate::import;

/// The keywords that only objects have.
const OF_OBJECTS: [&str; 4] = ["properties", "additionalProperties", "unevaluatedProperties", "patternProperties"];

/// Returns a string of an object; empty if it has none.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Returns a schema behind its references, and behind an `allOf` of one part that states all.
pub(super) fn resolved<'a>(root: &'a Value, at: String, schema: &'a Value) -> (String, &'a Value) {
    let (mut at, mut schema) = followed(root, at, schema);
    for _ in 0..16 {
        let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten().enumerate();
        match parts.filter(|(_, part)| import::states_something(part)).collect::<Vec<_>>().as_slice() {
            [(index, only)] if states_no_more(schema) => {
                (at, schema) = followed(root, item(&child(&at, "allOf"), *index), only);
            }
            _ => break,
        }
    }
    (at, schema)
}

/// Returns a schema behind its references, up to one that has keywords beside it which count, as in OpenAPI 3.1.
pub(super) fn followed<'a>(root: &'a Value, at: String, schema: &'a Value) -> (String, &'a Value) {
    let (mut at, mut schema) = (at, schema);
    for _ in 0..32 {
        let target = schema.get("$ref").and_then(Value::as_str).filter(|_| !is_refined(root, schema));
        let Some((target, next)) = target.and_then(|target| Some((target, lookup(root, target)?))) else { break };
        (at, schema) = (target.trim_start_matches('#').to_owned(), next);
    }
    (at, schema)
}

/// Returns whether a reference has keywords beside it that count.
pub(super) fn is_refined(root: &Value, schema: &Value) -> bool {
    let mut keys = schema.as_object().into_iter().flat_map(Map::keys);
    schema.get("$ref").is_some()
        && text(root, "openapi").starts_with("3.1")
        && keys.any(|key| key != "$ref" && !import::annotates(key))
}

/// Returns whether a schema states nothing beside its `allOf` but its type.
fn states_no_more(schema: &Value) -> bool {
    let mut keys = schema.as_object().into_iter().flat_map(Map::keys);
    keys.all(|key| ["allOf", "type"].contains(&key.as_str()) || import::annotates(key))
}

/// Returns the types that a schema may have, without null: its own, or those of its parts.
pub(super) fn kinds<'a>(root: &'a Value, schema: &'a Value) -> BTreeSet<&'a str> {
    let (mut found, mut todo, mut seen) = (BTreeSet::new(), vec![schema], BTreeSet::new());
    while let Some(schema) = todo.pop() {
        if !seen.insert(std::ptr::from_ref(schema)) {
            continue;
        }
        match own_kinds(schema) {
            Some(kinds) => found.extend(kinds),
            None => todo.extend(parts(root, schema).map(|(_, part)| part)),
        }
    }
    found.remove("null");
    found
}

/// Returns the types that a schema states or means itself.
pub(super) fn own_kinds(schema: &Value) -> Option<Vec<&str>> {
    Some(match schema.get("type") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ if OF_OBJECTS.iter().any(|key| schema.get(*key).is_some()) => vec!["object"],
        _ if schema.get("items").is_some() => vec!["array"],
        _ if listed(schema).next().is_some() => listed(schema).filter_map(kind_of).collect(),
        _ if schema.get("format").is_some() => kind_of_format(text(schema, "format")).into_iter().collect(),
        _ => return None,
    })
}

fn kind_of(value: &Value) -> Option<&'static str> {
    match value {
        Value::Null => None,
        Value::Bool(_) => Some("boolean"),
        Value::Number(number) => Some(if number.is_f64() { "number" } else { "integer" }),
        Value::String(_) => Some("string"),
        Value::Array(_) => Some("array"),
        Value::Object(_) => Some("object"),
    }
}

/// Returns the type that a format means where none is stated.
fn kind_of_format(format: &str) -> Option<&'static str> {
    match format {
        "int32" | "int64" => Some("integer"),
        "float" | "double" => Some("number"),
        "byte" | "uuid" | "uri" | "email" | "hostname" | "ipv4" | "ipv6" | "password" => Some("string"),
        format if format.starts_with("date") => Some("string"),
        _ => None,
    }
}

/// Returns whether a schema states that values may be null. An `allOf` may be null if each part may.
pub(super) fn is_nullable(root: &Value, schema: &Value) -> bool {
    is_nullable_within(root, schema, &mut BTreeMap::new())
}

/// Returns the same; `known` has what was found of other parts, which may contain each other.
fn is_nullable_within(root: &Value, schema: &Value, known: &mut BTreeMap<*const Value, bool>) -> bool {
    if let Some(known) = known.get(&std::ptr::from_ref(schema)) {
        return *known;
    }
    known.insert(schema, false);
    let is_listed =
        |key: &str, null: Value| schema.get(key).and_then(Value::as_array).is_some_and(|all| all.contains(&null));
    let is_stated = ["nullable", "x-nullable"].iter().any(|key| schema.get(*key) == Some(&Value::Bool(true)))
        || schema.get("type") == Some(&"null".into())
        || is_listed("type", "null".into())
        || is_listed("enum", Value::Null);
    let parts = |key: &str| schema.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let (all, resolved) = (parts("allOf"), resolve(root, schema));
    let is_nullable = is_stated
        || !std::ptr::eq(resolved, schema) && is_nullable_within(root, resolved, known)
        || ["oneOf", "anyOf"].into_iter().flat_map(parts).any(|part| is_nullable_within(root, part, known))
        || !all.is_empty() && all.iter().all(|part| is_nullable_within(root, part, known));
    known.insert(schema, is_nullable);
    is_nullable
}

/// Returns the parts of a schema, behind their references, with their keywords. A refined reference is a part.
pub(super) fn parts<'a>(root: &'a Value, schema: &'a Value) -> impl Iterator<Item = (&'static str, &'a Value)> {
    let target = Some(schema).filter(|schema| is_refined(root, schema));
    let target = target.and_then(|schema| lookup(root, text(schema, "$ref")));
    let listed = ["allOf", "oneOf", "anyOf"].into_iter().flat_map(move |key| {
        let parts = schema.get(key).and_then(Value::as_array).into_iter().flatten();
        parts.map(move |part| (key, part))
    });
    let all = target.map(|target| ("allOf", target)).into_iter().chain(listed);
    all.map(move |(key, part)| (key, followed(root, String::new(), part).1))
}

/// Returns the values that a schema lists, or its parts.
pub(super) fn values<'a>(root: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let (mut found, mut todo, mut seen) = (Vec::new(), vec![schema], BTreeSet::new());
    while let Some(schema) = todo.pop() {
        if seen.insert(std::ptr::from_ref(schema)) {
            found.extend(listed(schema));
            todo.extend(parts(root, schema).map(|(_, part)| part));
        }
    }
    found
}

/// Returns the values that a schema lists itself.
pub(super) fn listed(schema: &Value) -> impl Iterator<Item = &Value> {
    schema.get("enum").and_then(Value::as_array).into_iter().flatten().chain(schema.get("const"))
}

pub(super) fn join(kinds: &BTreeSet<&str>) -> String {
    kinds.iter().copied().collect::<Vec<_>>().join(" or ")
}

/// Returns whether a form has fields of an object.
pub(super) fn has_fields_of(form: &Value, object: &str) -> bool {
    let mut names = form.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys);
    names.any(|name| name.strip_prefix(object).is_some_and(|rest| rest.starts_with('[')))
}
