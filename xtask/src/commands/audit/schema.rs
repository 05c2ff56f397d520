//! What a schema and its parts state: types, values, alternatives and fields.

use std::collections::BTreeSet;

use openapi_document::{
    pointer::{child, item},
    resolve, resolve_at,
};
use serde_json::{Map, Value};

/// How deep parts of a schema are followed: they may contain themselves.
const DEPTH: usize = 12;

/// Keywords of an object that describe fields.
const FIELDS: [&str; 5] =
    ["properties", "required", "additionalProperties", "unevaluatedProperties", "patternProperties"];

/// Returns a schema behind its references, and behind an `allOf` of one part.
pub(super) fn resolved<'a>(root: &'a Value, at: String, schema: &'a Value) -> (String, &'a Value) {
    let (mut at, mut schema) = resolve_at(root, at, schema);
    for _ in 0..16 {
        match schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
            Some([only]) if FIELDS.iter().all(|key| schema.get(*key).is_none()) => {
                (at, schema) = resolve_at(root, item(&child(&at, "allOf"), 0), only);
            }
            _ => break,
        }
    }
    (at, schema)
}

/// Returns the types that a schema may have, without null: its own, or those of its parts.
pub(super) fn kinds<'a>(root: &'a Value, schema: &'a Value, depth: usize) -> BTreeSet<&'a str> {
    let stated = match schema.get("type") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ if schema.get("properties").is_some() => vec!["object"],
        _ if depth > DEPTH => Vec::new(),
        _ if values_of(schema).any(|value| value.is_string() || value.is_number()) => {
            let kinds = values_of(schema).map(|value| match value {
                Value::String(_) => "string",
                Value::Number(number) if !number.is_f64() => "integer",
                Value::Number(_) => "number",
                _ => "null",
            });
            kinds.collect()
        }
        _ => parts(root, schema).flat_map(|(_, part)| kinds(root, part, depth + 1)).collect(),
    };
    stated.into_iter().filter(|kind| *kind != "null").collect()
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
    values_of(schema).chain(inner).collect()
}

fn values_of(schema: &Value) -> impl Iterator<Item = &Value> {
    schema.get("enum").and_then(Value::as_array).into_iter().flatten().chain(schema.get("const"))
}

pub(super) fn join(kinds: &BTreeSet<&str>) -> String {
    kinds.iter().copied().collect::<Vec<_>>().join(" or ")
}

/// Returns whether values have one of several forms. Alternatives that are all strings are one string, and plain numbers one number.
fn is_union(root: &Value, schema: &Value) -> bool {
    let alternatives =
        parts(root, schema).filter(|(key, part)| *key != "allOf" && part.get("type") != Some(&"null".into()));
    let mut alternatives = alternatives.collect::<Vec<_>>();
    alternatives.dedup_by(|one, other| one.1 == other.1);
    let is_number = |part: &Value| {
        let kinds = kinds(root, part, 0);
        !kinds.is_empty()
            && kinds.iter().all(|kind| ["integer", "number"].contains(kind))
            && values_of(part).next().is_none()
    };
    let is_text = |part: &Value| kinds(root, part, 0).iter().eq(["string"].iter()) && part.get("format").is_none();
    schema.get("discriminator").is_some() && alternatives.is_empty()
        || alternatives.len() > 1
            && !alternatives.iter().all(|(_, part)| is_text(part))
            && !alternatives.iter().all(|(_, part)| is_number(part))
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

/// Returns the locations of the unions that a schema and the parts that it refines are.
pub(super) fn unions(root: &Value, schema: &Value, at: &str, depth: usize) -> Vec<String> {
    let is_alone = !["oneOf", "anyOf"].iter().any(|key| schema.get(*key).is_some());
    let is_one = is_union(root, schema) && (!is_alone || has_subtypes(root, at));
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

/// Returns whether a schema or a part that it refines is a union.
pub(super) fn has_union(root: &Value, schema: &Value, depth: usize) -> bool {
    let mut refined = parts(root, schema).filter(|(key, _)| *key == "allOf");
    is_union(root, schema) || depth < DEPTH && refined.any(|(_, part)| has_union(root, part, depth + 1))
}

/// Returns a schema and its parts, alternatives included, with their locations.
pub(super) fn with_parts<'a>(root: &'a Value, schema: &'a Value, at: &str, depth: usize) -> Vec<(String, &'a Value)> {
    let mut found = vec![(at.to_owned(), schema)];
    for key in ["allOf", "oneOf", "anyOf"] {
        let parts = schema.get(key).and_then(Value::as_array).into_iter().flatten().enumerate();
        for (index, part) in parts.filter(|_| depth < DEPTH) {
            let (at, part) = resolve_at(root, item(&child(at, key), index), part);
            found.extend(with_parts(root, part, &at, depth + 1));
        }
    }
    found
}

/// Returns the properties of an object and of its parts, alternatives included, with their locations.
pub(super) fn properties<'a>(root: &'a Value, schema: &'a Value, at: &str) -> Vec<(String, (String, &'a Value))> {
    let parts = with_parts(root, schema, at, 0).into_iter();
    let fields = parts.flat_map(|(at, part)| {
        let own = part.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::iter);
        let location = child(&at, "properties");
        own.map(|(name, value)| (name.clone(), (child(&location, name), value))).collect::<Vec<_>>()
    });
    fields.collect()
}

/// Returns whether a form has fields of an object.
pub(super) fn has_fields_of(form: &Value, object: &str) -> bool {
    let mut names = form.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys);
    names.any(|name| name.strip_prefix(object).is_some_and(|rest| rest.starts_with('[')))
}
