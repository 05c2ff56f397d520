//! Implied keywords: types that are not named, alternatives that are nothing but types or values.

use std::collections::{BTreeMap, BTreeSet};

use openapi_document::{DocumentTree, Node};
use serde_json::{Map, Value};

use super::{NULL, Types, constraints::content_of_format, equal, is_annotation, null::is_null, same};

/// Returns a schema that everything fits.
pub(super) fn is_open(schema: &Value) -> bool {
    schema == &Value::Bool(true) || schema.as_object().is_some_and(Map::is_empty)
}

/// Returns a schema that nothing fits: `false`, or `not` of everything.
pub(crate) fn is_never(schema: &Value) -> bool {
    let only = |map: &Map<String, Value>| map.get("not").is_some_and(|not| map.len() == 1 && is_open(not));
    schema == &Value::Bool(false) || schema.as_object().is_some_and(only)
}

/// Returns the types that a schema names, or that its keywords imply.
pub(super) fn types<'a>(node: &Node<'a>) -> Types<'a> {
    let format = node.text("format").filter(|format| content_of_format(format).is_none());
    if is_null(node.value) {
        return Types::single(NULL);
    }
    let known = |name: &&str| *name != NULL;
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
        return Types::single("object");
    }
    if has(&["items", "prefixItems"]) {
        return Types::single("array");
    }
    let values = node.value.get("enum").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let values = values.iter().chain(node.value.get("const")).filter(|value| !value.is_null());
    let types: BTreeMap<_, _> = values.map(|value| (type_of(value), None)).collect();
    match format {
        Some(format) if types.is_empty() => Types([(type_of_format(format), Some(format))].into()),
        None if types.is_empty() && node.value.get("format").is_some() => Types::single("string"),
        _ => Types(types),
    }
}

/// Returns the type that a format is of, where none is named.
fn type_of_format(format: &str) -> &'static str {
    match format {
        "int8" | "int16" | "int32" | "int64" | "uint8" | "uint16" | "uint32" | "uint64" => "integer",
        "float" | "double" | "decimal" => "number",
        _ => "string",
    }
}

pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => NULL,
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.as_f64().is_some_and(|number| number.fract() != 0.0) => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Returns whether a member changes nothing about which values fit.
fn states_nothing(member: (&str, &Value)) -> bool {
    is_annotation(member.0) || !same::has_effect(&member)
}

/// Returns the set of types, if the variants are nothing but types, and those that several variants allow.
pub(super) fn bare_types<'a>(
    document: &DocumentTree<'a>,
    variants: &[Node<'a>],
) -> Option<(Types<'a>, BTreeSet<&'a str>)> {
    let states_type = |variant: &Node<'a>, member: (&str, &Value)| match member {
        ("format", value) => value.as_str().is_none_or(|format| content_of_format(format).is_none()),
        ("items" | "additionalProperties", value) if is_open(value) => variant.value.get("type").is_some(),
        member => member.0 == "type" || states_nothing(member),
    };
    let (mut all, mut repeated) = (BTreeMap::new(), BTreeSet::new());
    for variant in variants {
        let variant = same::unwrap(document, variant);
        if !variant.value.is_object() || !variant.members().all(|member| states_type(&variant, member)) {
            return None;
        }
        let types = types(&variant);
        if types.is_any() {
            return Some(Default::default());
        }
        for (name, format) in types.0 {
            // The same type in two formats is a union indeed.
            match all.insert(name, format) {
                Some(known) if known != format => return None,
                Some(_) => drop(repeated.insert(name)),
                None => {}
            }
        }
    }
    if all.contains_key("number") && all.contains_key("integer") {
        repeated.insert("integer");
    }
    Some((Types(all), repeated))
}

/// Returns the values of all variants, if each is an enum or a constant and nothing more. Of `oneOf`, a value of several variants is not
/// allowed.
pub(super) fn same_enums<'a>(document: &DocumentTree<'a>, variants: &[Node<'a>], any: bool) -> Option<Vec<&'a Value>> {
    let mut all: Vec<&Value> = Vec::new();
    let mut repeated = Vec::new();
    for variant in variants {
        let variant = same::unwrap(document, variant);
        let states_values =
            |member: (&str, &Value)| matches!(member.0, "enum" | "const" | "type") || states_nothing(member);
        let values = variant.value.get("enum").and_then(Value::as_array);
        let values: Vec<_> = values.into_iter().flatten().chain(variant.value.get("const")).collect();
        if values.is_empty() || !variant.members().all(states_values) {
            return None;
        }
        let known = all.len();
        for value in values.into_iter().filter(|value| !value.is_null()) {
            match all.iter().position(|other| equal(other, value)) {
                Some(index) if index < known => repeated.push(value),
                _ => all.push(value),
            }
        }
    }
    if !any && !repeated.is_empty() {
        all.retain(|value| !repeated.iter().any(|other| equal(other, value)));
    }
    Some(all).filter(|all| !all.is_empty())
}
