//! What keywords imply: types that are not named, alternatives that are nothing but types or values.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Types, is_annotation, same};
use crate::document::{Document, Node};

/// A schema that everything fits.
pub(super) fn is_open(schema: &Value) -> bool {
    schema == &Value::Bool(true) || schema.as_object().is_some_and(serde_json::Map::is_empty)
}

/// The types that a schema names, or that its keywords imply.
pub(super) fn types<'a>(node: &Node<'a>) -> Types<'a> {
    let format = node.text("format");
    let known = |name: &&str| *name != "null";
    let named = match node.value.get("type") {
        Some(Value::String(name)) => {
            Types([name.as_str()].into_iter().filter(known).map(|name| (name, format)).collect())
        }
        Some(Value::Array(names)) => {
            Types(names.iter().filter_map(Value::as_str).filter(known).map(|name| (name, format)).collect())
        }
        _ => Types::default(),
    };
    if !named.is_any() {
        return named;
    }
    let has = |keys: &[&str]| keys.iter().any(|key| node.value.get(key).is_some());
    if has(&["properties", "additionalProperties", "patternProperties"]) {
        return Types::one("object");
    }
    if has(&["items", "prefixItems"]) {
        return Types::one("array");
    }
    let values = node.value.get("enum").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let values = values.iter().chain(node.value.get("const")).filter(|value| !value.is_null());
    let types: BTreeMap<_, _> = values.map(|value| (type_of(value), None)).collect();
    match format {
        Some(format) if types.is_empty() => Types([(type_of_format(format), Some(format))].into()),
        _ => Types(types),
    }
}

/// The type that a format is of, where none is named.
fn type_of_format(format: &str) -> &'static str {
    match format {
        "int8" | "int16" | "int32" | "int64" | "uint8" | "uint16" | "uint32" | "uint64" => "integer",
        "float" | "double" | "decimal" => "number",
        _ => "string",
    }
}

pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Whether a member changes nothing about which values fit.
fn says_nothing(member: (&str, &Value)) -> bool {
    !same::speaks(&member) || (is_annotation(member.0) && member.0 != "nullable")
}

/// The set of types, if the variants are nothing but types.
pub(super) fn bare_types<'a>(document: &Document<'a>, variants: &[Node<'a>]) -> Option<Types<'a>> {
    let says_type = |member: (&str, &Value)| matches!(member.0, "type" | "format") || says_nothing(member);
    let mut all = BTreeMap::new();
    for variant in variants {
        let variant = same::unwrap(document, variant);
        if !variant.value.is_object() || !variant.members().all(says_type) {
            return None;
        }
        let types = types(&variant);
        if types.is_any() {
            return Some(Types::default());
        }
        for (name, format) in types.0 {
            // The same type in two formats is a union indeed.
            if all.insert(name, format).is_some_and(|known| known != format) {
                return None;
            }
        }
    }
    Some(Types(all))
}

/// The values of all variants, if each is an enum or a constant and nothing more.
pub(super) fn same_enums<'a>(document: &Document<'a>, variants: &[Node<'a>]) -> Option<Vec<&'a Value>> {
    let mut all = Vec::new();
    for variant in variants {
        let variant = same::unwrap(document, variant);
        let says_values =
            |member: (&str, &Value)| matches!(member.0, "enum" | "const" | "type") || says_nothing(member);
        let values = variant.value.get("enum").and_then(Value::as_array);
        let values: Vec<_> = values.into_iter().flatten().chain(variant.value.get("const")).collect();
        if values.is_empty() || !variant.members().all(says_values) {
            return None;
        }
        all.extend(values);
    }
    Some(all)
}
