//! The parts of a schema with their locations, and what they describe: fields, items, alternatives.

use std::collections::BTreeSet;

use openapi_document::{
    lookup,
    pointer::{child, item},
};
use serde_json::{Map, Value};

use super::schema::{followed, is_refined, kinds, listed, own_kinds, parts, text};

/// A schema and where it is.
pub(super) type Located<'a> = (String, &'a Value);

/// Returns a schema and its parts, alternatives included, with their locations: each once, as they may contain each other.
pub(super) fn with_parts<'a>(root: &'a Value, schema: &'a Value, at: &str) -> Vec<Located<'a>> {
    let (mut found, mut todo, mut seen) = (Vec::new(), vec![(at.to_owned(), schema)], BTreeSet::new());
    while let Some((at, schema)) = todo.pop() {
        if !seen.insert(std::ptr::from_ref(schema)) {
            continue;
        }
        let mut parts = Vec::new();
        if is_refined(root, schema) {
            let target = text(schema, "$ref");
            let part = lookup(root, target).map(|part| followed(root, target.trim_start_matches('#').to_owned(), part));
            parts.extend(part);
        }
        for key in ["allOf", "oneOf", "anyOf"] {
            parts.extend(parts_of(root, schema, &at, key));
        }
        // The first one is next.
        todo.extend(parts.into_iter().rev());
        found.push((at, schema));
    }
    found
}

/// Returns the parts under a keyword, behind their references.
fn parts_of<'a>(root: &'a Value, schema: &'a Value, at: &str, key: &str) -> Vec<Located<'a>> {
    let parts = schema.get(key).and_then(Value::as_array).into_iter().flatten().enumerate();
    parts.map(|(index, part)| followed(root, item(&child(at, key), index), part)).collect()
}

/// Returns the properties of an object and of its parts, alternatives included.
pub(super) fn properties<'a>(root: &'a Value, schema: &'a Value, at: &str) -> Vec<(String, Located<'a>)> {
    let parts = with_parts(root, schema, at).into_iter();
    let fields = parts.flat_map(|(at, part)| {
        let own = part.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::iter);
        let location = child(&at, "properties");
        own.map(|(name, value)| (name.clone(), (child(&location, name), value))).collect::<Vec<_>>()
    });
    fields.collect()
}

/// Returns the names of the fields that a schema and its parts require, with the locations of these.
pub(super) fn required<'a>(root: &'a Value, schema: &'a Value, at: &str) -> Vec<(String, &'a str)> {
    let parts = with_parts(root, schema, at).into_iter();
    let names = parts.flat_map(|(at, part)| {
        let names = part.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        names.map(|name| (at.clone(), name)).collect::<Vec<_>>()
    });
    names.collect()
}

/// Returns the schemas of the fields that an object and its parts do not list.
pub(super) fn other_fields<'a>(root: &'a Value, schema: &'a Value, at: &str) -> Vec<Located<'a>> {
    let parts = with_parts(root, schema, at).into_iter();
    let fields = parts.flat_map(|(at, part)| {
        let any = ["additionalProperties", "unevaluatedProperties"].into_iter();
        let any = any.filter_map(|key| Some((child(&at, key), part.get(key)?)));
        let location = child(&at, "patternProperties");
        let patterns = part.get("patternProperties").and_then(Value::as_object).into_iter().flatten();
        any.chain(patterns.map(|(pattern, value)| (child(&location, pattern), value))).collect::<Vec<_>>()
    });
    fields.filter(|(_, value)| value.is_object() || **value == Value::Bool(true)).collect()
}

/// Returns the items of a list and of its parts; nothing for those that are not described.
pub(super) fn items<'a>(root: &'a Value, schema: &'a Value, at: &str) -> Vec<(String, Option<&'a Value>)> {
    let lists = with_parts(root, schema, at).into_iter();
    let lists = lists.filter(|(_, part)| {
        own_kinds(part).is_some_and(|kinds| kinds.contains(&"array"))
            && ["oneOf", "anyOf"].iter().all(|key| part.get(*key).is_none())
    });
    let items = lists.flat_map(|(at, part)| {
        let (first, rest) = (part.get("prefixItems").and_then(Value::as_array), part.get("items"));
        let location = child(&at, "prefixItems");
        let first = first.into_iter().flatten().enumerate();
        let mut found = first.map(|(index, items)| (item(&location, index), Some(items))).collect::<Vec<_>>();
        let rest = rest.filter(|items| items.is_object());
        if rest.is_some() || found.is_empty() {
            found.push((child(&at, "items"), rest));
        }
        found
    });
    items.collect()
}

/// Returns whether values have one of several forms. Alternatives that are all strings are one string, and plain numbers one number.
fn is_union(root: &Value, schema: &Value) -> bool {
    let alternatives =
        parts(root, schema).filter(|(key, part)| *key != "allOf" && part.get("type") != Some(&"null".into()));
    let is_null = |part: &Value| listed(part).next().is_some() && listed(part).all(Value::is_null);
    let mut alternatives = alternatives.map(|(_, part)| part).filter(|part| !is_null(part)).collect::<Vec<_>>();
    alternatives.dedup();
    let is_number = |part: &Value| {
        let kinds = kinds(root, part);
        !kinds.is_empty()
            && kinds.iter().all(|kind| ["integer", "number"].contains(kind))
            && listed(part).next().is_none()
    };
    let is_text = |part: &Value| kinds(root, part).iter().eq(["string"].iter()) && part.get("format").is_none();
    alternatives.len() > 1
        && !alternatives.iter().all(|part| is_text(part))
        && !alternatives.iter().all(|part| is_number(part))
}

/// Returns whether a schema or a part that it refines is a union.
pub(super) fn has_union(root: &Value, schema: &Value) -> bool {
    let (mut todo, mut seen) = (vec![schema], BTreeSet::new());
    while let Some(schema) = todo.pop() {
        if is_union(root, schema) {
            return true;
        }
        if seen.insert(std::ptr::from_ref(schema)) {
            todo.extend(parts(root, schema).filter(|(key, _)| *key == "allOf").map(|(_, part)| part));
        }
    }
    false
}

/// Returns the locations of the unions that a schema and the parts that it refines are.
pub(super) fn unions(root: &Value, schema: &Value, at: &str) -> Vec<String> {
    let (mut found, mut todo, mut seen) = (Vec::new(), vec![(at.to_owned(), schema)], BTreeSet::new());
    while let Some((at, schema)) = todo.pop() {
        if !seen.insert(std::ptr::from_ref(schema)) {
            continue;
        }
        let is_alone = !["oneOf", "anyOf"].iter().any(|key| schema.get(*key).is_some());
        let is_base = schema.get("discriminator").is_some() && is_alone && has_subtypes(root, &at);
        // A component with subtypes is one of them only where it is read itself.
        let counts = |part: &Value| ["oneOf", "anyOf", "allOf"].iter().any(|key| part.get(*key).is_some());
        todo.extend(parts_of(root, schema, &at, "allOf").into_iter().filter(|(_, part)| counts(part)));
        found.extend((is_union(root, schema) || is_base).then_some(at));
    }
    found
}

/// Returns the locations of the alternatives, and of what extends a base with a discriminator, among the parts of a schema.
pub(super) fn inner_unions(root: &Value, schema: &Value, at: &str) -> Vec<String> {
    let all = with_parts(root, schema, at);
    let has_base = |part: &Value| part.get("discriminator").is_some();
    let is_any = all.iter().any(|(_, part)| has_base(part));
    let extends = |part: &Value| is_any && with_parts(root, part, "").iter().skip(1).any(|(_, part)| has_base(part));
    let own = extends(schema).then(|| at.to_owned());
    let inner = all.iter().skip(1).filter(|(_, part)| is_union(root, part) || has_base(part) || extends(part));
    inner.map(|(at, _)| at.clone()).chain(own).collect()
}

/// Returns whether the component at a pointer has subtypes: some extend it, or its discriminator names them.
fn has_subtypes(root: &Value, at: &str) -> bool {
    let mapping = root.pointer(at).and_then(|base| base.pointer("/discriminator/mapping")?.as_object());
    mapping.is_some_and(|mapping| !mapping.is_empty()) || !extensions(root, at).is_empty()
}

/// Returns the components beside one that extend it.
fn extensions<'a>(root: &'a Value, base: &str) -> Vec<Located<'a>> {
    let (section, _) = base.rsplit_once('/').unwrap_or_default();
    let components = root.pointer(section).and_then(Value::as_object).into_iter().flatten();
    let extends = |schema: &Value| {
        let mut parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
        parts.any(|part| text(part, "$ref").strip_prefix('#') == Some(base))
    };
    let found = components.filter(|(_, schema)| extends(schema));
    found.map(|(name, schema)| (child(section, name), schema)).collect()
}

/// Returns the components that extend a base with a discriminator, in any number of steps.
pub(super) fn subtypes<'a>(root: &'a Value, schema: &Value, at: &str) -> Vec<Located<'a>> {
    let mut found = BTreeSet::new();
    let mut all = Vec::new();
    let is_base =
        schema.get("discriminator").is_some() && ["oneOf", "anyOf"].iter().all(|key| schema.get(*key).is_none());
    let mut todo = if is_base { vec![at.to_owned()] } else { Vec::new() };
    while let Some(base) = todo.pop() {
        for (at, schema) in extensions(root, &base) {
            if found.insert(at.clone()) {
                todo.push(at.clone());
                all.push((at, schema));
            }
        }
    }
    all
}
