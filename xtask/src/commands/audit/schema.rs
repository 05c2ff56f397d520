//! What a schema and its parts state: types, values, alternatives and fields.

use std::collections::BTreeSet;

use openapi_document::{
    pointer::{child, item},
    resolve, resolve_at,
};
use serde_json::{Map, Value};

use super::walk::text;
use crate::import;

/// How deep parts of a schema are followed: they may contain themselves.
const DEPTH: usize = 12;

/// Returns a schema behind its references, and behind an `allOf` of which one part states all.
pub(super) fn resolved<'a>(root: &'a Value, at: String, schema: &'a Value) -> (String, &'a Value) {
    let (mut at, mut schema) = resolve_at(root, at, schema);
    for _ in 0..16 {
        let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten().enumerate();
        match parts.filter(|(_, part)| import::states_something(part)).collect::<Vec<_>>().as_slice() {
            [(index, only)] if states_no_more(schema) => {
                (at, schema) = resolve_at(root, item(&child(&at, "allOf"), *index), only);
            }
            _ => break,
        }
    }
    (at, schema)
}

/// Returns whether a schema states nothing beside its `allOf` but its type.
fn states_no_more(schema: &Value) -> bool {
    let mut keys = schema.as_object().into_iter().flat_map(Map::keys);
    keys.all(|key| ["allOf", "type"].contains(&key.as_str()) || import::annotates(key))
}

/// Returns the types that a schema may have, without null: its own, or those of its parts.
pub(super) fn kinds<'a>(root: &'a Value, schema: &'a Value, depth: usize) -> BTreeSet<&'a str> {
    let stated = match schema.get("type") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ if OF_OBJECTS.iter().any(|key| schema.get(*key).is_some()) => vec!["object"],
        _ if schema.get("items").is_some() => vec!["array"],
        _ if listed(schema).next().is_some() => listed(schema).filter_map(kind_of).collect(),
        _ if schema.get("format").is_some() => kind_of_format(text(schema, "format")).into_iter().collect(),
        _ if depth > DEPTH => Vec::new(),
        _ => parts(root, schema).flat_map(|(_, part)| kinds(root, part, depth + 1)).collect(),
    };
    stated.into_iter().filter(|kind| *kind != "null").collect()
}

/// The keywords that only objects have.
const OF_OBJECTS: [&str; 3] = ["properties", "additionalProperties", "patternProperties"];

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
pub(super) fn is_nullable(root: &Value, schema: &Value, depth: usize) -> bool {
    let parts = |key: &str| {
        let parts = schema.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        parts.iter().filter(|_| depth < DEPTH).map(|part| is_nullable(root, part, depth + 1)).collect::<Vec<_>>()
    };
    let is_listed =
        |key: &str, null: Value| schema.get(key).and_then(Value::as_array).is_some_and(|all| all.contains(&null));
    let is_stated = ["nullable", "x-nullable"].iter().any(|key| schema.get(*key) == Some(&Value::Bool(true)))
        || schema.get("type") == Some(&"null".into())
        || is_listed("type", "null".into())
        || is_listed("enum", Value::Null);
    let all = parts("allOf");
    let resolved = resolve(root, schema);
    is_stated
        || depth < DEPTH && !std::ptr::eq(resolved, schema) && is_nullable(root, resolved, depth + 1)
        || [parts("oneOf"), parts("anyOf")].iter().flatten().any(|part| *part)
        || !all.is_empty() && all.iter().all(|part| *part)
}

/// Returns whether a schema or any of its parts has a keyword of the value true.
pub(super) fn states_flag(root: &Value, schema: &Value, key: &str, depth: usize) -> bool {
    [schema, resolve(root, schema)].iter().any(|schema| schema.get(key) == Some(&Value::Bool(true)))
        || depth < DEPTH && parts(root, resolve(root, schema)).any(|(_, part)| states_flag(root, part, key, depth + 1))
}

/// Returns the fields that a schema or any of its parts requires, with the locations of these.
pub(super) fn required<'a>(root: &'a Value, schema: &'a Value, at: &str, depth: usize) -> Vec<(String, &'a str)> {
    let own = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let mut found = own.map(|name| (at.to_owned(), name)).collect::<Vec<_>>();
    for (at, part) in located_parts(root, schema, at).filter(|_| depth < DEPTH) {
        found.extend(required(root, part, &at, depth + 1));
    }
    found
}

/// Returns the parts of a schema, behind their references, with their keywords.
fn parts<'a>(root: &'a Value, schema: &'a Value) -> impl Iterator<Item = (&'static str, &'a Value)> {
    ["allOf", "oneOf", "anyOf"].into_iter().flat_map(move |key| {
        let parts = schema.get(key).and_then(Value::as_array).into_iter().flatten();
        parts.map(move |part| (key, resolve(root, part)))
    })
}

/// Returns the values that a schema lists, or its parts.
pub(super) fn values<'a>(root: &'a Value, schema: &'a Value, depth: usize) -> Vec<&'a Value> {
    let inner = parts(root, schema).filter(|_| depth < DEPTH).flat_map(|(_, part)| values(root, part, depth + 1));
    listed(schema).chain(inner).collect()
}

/// Returns the values that a schema lists itself.
fn listed(schema: &Value) -> impl Iterator<Item = &Value> {
    schema.get("enum").and_then(Value::as_array).into_iter().flatten().chain(schema.get("const"))
}

pub(super) fn join(kinds: &BTreeSet<&str>) -> String {
    kinds.iter().copied().collect::<Vec<_>>().join(" or ")
}

/// Returns whether values have one of several forms. Alternatives that are all strings are one string, and plain numbers one number.
fn is_union(root: &Value, schema: &Value) -> bool {
    let alternatives =
        parts(root, schema).filter(|(key, part)| *key != "allOf" && part.get("type") != Some(&"null".into()));
    let mut alternatives = alternatives.map(|(_, part)| part).collect::<Vec<_>>();
    alternatives.dedup();
    let is_text = |part: &Value| kinds(root, part, 0).iter().eq(["string"].iter()) && part.get("format").is_none();
    let is_number = |part: &Value| {
        let kinds = kinds(root, part, 0);
        !kinds.is_empty()
            && kinds.iter().all(|kind| ["integer", "number"].contains(kind))
            && listed(part).next().is_none()
    };
    alternatives.len() > 1
        && !alternatives.iter().all(|part| is_text(part))
        && !alternatives.iter().all(|part| is_number(part))
}

/// Returns whether the component at a pointer has subtypes: some extend it, or its discriminator names them.
fn has_subtypes(root: &Value, at: &str) -> bool {
    let (section, _) = at.rsplit_once('/').unwrap_or_default();
    let components = root.pointer(section).and_then(Value::as_object).into_iter().flatten();
    let mut parts = components.filter_map(|(_, schema)| schema.get("allOf")?.as_array()).flatten();
    let mapping = root.pointer(at).and_then(|base| base.pointer("/discriminator/mapping")?.as_object());
    mapping.is_some_and(|mapping| !mapping.is_empty())
        || parts.any(|part| {
            part.get("$ref").and_then(Value::as_str).is_some_and(|target| target.strip_prefix('#') == Some(at))
        })
}

/// Returns whether a schema or one that it extends has a discriminator.
fn has_discriminator(root: &Value, schema: &Value, depth: usize) -> bool {
    let mut bases = parts(root, schema).filter(|(key, _)| *key == "allOf" && depth < DEPTH);
    schema.get("discriminator").is_some() || bases.any(|(_, base)| has_discriminator(root, base, depth + 1))
}

/// Returns the locations of the unions that a schema and the parts that it refines are.
pub(super) fn unions(root: &Value, schema: &Value, at: &str, depth: usize) -> Vec<String> {
    let is_alone = !["oneOf", "anyOf"].iter().any(|key| schema.get(*key).is_some());
    let is_base = has_discriminator(root, schema, 0) && is_alone && has_subtypes(root, at);
    let is_one = is_union(root, schema) || is_base;
    let mut found = is_one.then(|| at.to_owned()).into_iter().collect::<Vec<_>>();
    let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten().enumerate();
    for (index, part) in parts.filter(|_| depth < DEPTH) {
        let (at, part) = resolve_at(root, item(&child(at, "allOf"), index), part);
        // A component with subtypes is one of them only where it is read itself.
        if ["oneOf", "anyOf"].iter().any(|key| part.get(*key).is_some()) || part.get("allOf").is_some() {
            found.extend(unions(root, part, &at, depth + 1));
        }
    }
    found
}

/// Returns the locations of the unions among the alternatives of a schema.
pub(super) fn inner_unions(root: &Value, schema: &Value, at: &str, depth: usize) -> Vec<String> {
    let mut found = Vec::new();
    for (at, part) in located_parts(root, schema, at).filter(|_| depth < DEPTH) {
        found.extend(inner_unions(root, part, &at, depth + 1));
        found.extend(is_union(root, part).then_some(at));
    }
    found
}

/// Returns whether a schema or a part that it refines is a union.
pub(super) fn has_union(root: &Value, schema: &Value, depth: usize) -> bool {
    let mut refined = parts(root, schema).filter(|(key, _)| *key == "allOf");
    is_union(root, schema) || depth < DEPTH && refined.any(|(_, part)| has_union(root, part, depth + 1))
}

/// Returns the properties of an object and of its parts, alternatives included, with their locations.
pub(super) fn properties<'a>(
    root: &'a Value,
    schema: &'a Value,
    at: &str,
    depth: usize,
) -> Vec<(String, (String, &'a Value))> {
    let own = schema.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::iter);
    let location = child(at, "properties");
    let mut found = own.map(|(name, value)| (name.clone(), (child(&location, name), value))).collect::<Vec<_>>();
    for (at, part) in located_parts(root, schema, at).filter(|_| depth < DEPTH) {
        found.extend(properties(root, part, &at, depth + 1));
    }
    found
}

/// Returns the parts of a schema with their locations, behind their references.
fn located_parts<'a>(root: &'a Value, schema: &'a Value, at: &str) -> impl Iterator<Item = (String, &'a Value)> {
    ["allOf", "oneOf", "anyOf"].into_iter().flat_map(move |key| {
        let (parts, list) = (schema.get(key).and_then(Value::as_array), child(at, key));
        let parts = parts.into_iter().flatten().enumerate();
        parts.map(move |(index, part)| resolve_at(root, item(&list, index), part))
    })
}

/// Returns the schemas of the fields that an object and its parts do not list, with their locations.
pub(super) fn other_fields<'a>(root: &'a Value, schema: &'a Value, at: &str, depth: usize) -> Vec<(String, &'a Value)> {
    let any = ["additionalProperties", "unevaluatedProperties"].into_iter();
    let any = any.filter_map(|key| Some((child(at, key), schema.get(key)?)));
    let location = child(at, "patternProperties");
    let patterns = schema.get("patternProperties").and_then(Value::as_object).into_iter().flatten();
    let patterns = patterns.map(|(pattern, value)| (child(&location, pattern), value));
    let found = any.chain(patterns).filter(|(_, value)| value.is_object() || **value == Value::Bool(true));
    let mut found = found.collect::<Vec<_>>();
    for (at, part) in located_parts(root, schema, at).filter(|_| depth < DEPTH) {
        found.extend(other_fields(root, part, &at, depth + 1));
    }
    found
}

/// Returns the items of a list and of its parts with their locations; nothing for those that are not described.
pub(super) fn items<'a>(
    root: &'a Value,
    schema: &'a Value,
    at: &str,
    depth: usize,
) -> Vec<(String, Option<&'a Value>)> {
    let own = kinds(root, schema, DEPTH + 1).contains("array");
    let own = own.then(|| (child(at, "items"), schema.get("items").filter(|items| items.is_object())));
    let mut found = own.into_iter().collect::<Vec<_>>();
    for (at, part) in located_parts(root, schema, at).filter(|_| depth < DEPTH) {
        found.extend(items(root, part, &at, depth + 1));
    }
    found
}

/// Returns whether a form has fields of an object.
pub(super) fn has_fields_of(form: &Value, object: &str) -> bool {
    let mut names = form.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys);
    names.any(|name| name.strip_prefix(object).is_some_and(|rest| rest.starts_with('[')))
}
