//! Schemas: constraints become text, and what typify would make a closed or validating type of goes.

use std::collections::BTreeMap;

use openapi_document::METHODS;
use serde_json::{Map, Value};

use super::empty_collections::EMPTY_IS_SENT;
use crate::codegen::{
    docs::constraints::with_limits,
    identifiers::{field_name, schema_field_names},
};

/// Keywords that typify would make a validating type of, or use in another sense. A vendor's limits are the vendor's to
/// judge: a name that is one letter too long must not fail a page.
pub(crate) const IGNORED_KEYWORDS: [&str; 20] = [
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "default",
    "example",
    "deprecated",
    "discriminator",
    "title",
    "externalDocs",
    "xml",
];

/// Rewrites one schema; those below it come on their own.
pub(super) fn normalize_schema(schema: &mut Map<String, Value>) {
    if let Some(Value::String(description)) = schema.get("description") {
        let text = with_limits(description, schema);
        schema.insert("description".to_owned(), Value::String(text));
    }
    // An `Option`, of which absent and empty differ.
    if schema.contains_key(EMPTY_IS_SENT) {
        schema.insert("nullable".to_owned(), Value::Bool(true));
    }
    schema.retain(|key, _| !IGNORED_KEYWORDS.contains(&key.as_str()) && !key.starts_with("x-"));
    // Without a type it would allow null only.
    if !["type", "$ref", "allOf"].iter().any(|key| schema.contains_key(*key)) {
        schema.remove("nullable");
    }
    // Only strings have names; an integer enum would be a closed type.
    if schema.get("type").and_then(Value::as_str) != Some("string") {
        schema.remove("enum");
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.retain(Value::is_string);
    }
    // `false` rejects fields that a vendor adds.
    if schema.get("additionalProperties") == Some(&Value::Bool(false)) {
        schema.remove("additionalProperties");
    }
    // For `true`, typify makes no field of the others.
    if schema.get("additionalProperties") == Some(&Value::Bool(true)) && schema.contains_key("properties") {
        schema.insert("additionalProperties".to_owned(), Value::Object(Map::new()));
    }
    number_twins(schema);
    optional_if_nullable(schema);
}

/// Gives fields whose Rust names would be the same the names that they get. The rewrite restores those in JSON.
fn number_twins(schema: &mut Map<String, Value>) {
    let whole = Value::Object(std::mem::take(schema));
    let numbered = schema_field_names(&whole).into_iter().filter(|(name, field)| field_name(name) != *field);
    let numbered = numbered.map(|(name, field)| (name.to_owned(), field)).collect::<BTreeMap<_, _>>();
    if let Value::Object(whole) = whole {
        *schema = whole;
    }
    if numbered.is_empty() {
        return;
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        let fields = std::mem::take(properties).into_iter();
        *properties = fields.map(|(name, field)| (numbered.get(&name).cloned().unwrap_or(name), field)).collect();
    }
    for name in schema.get_mut("required").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(field) = name.as_str().and_then(|name| numbered.get(name)) {
            *name = Value::String(field.clone());
        }
    }
}

/// Makes required properties that may be null optional: absent and null are the same to a reader.
fn optional_if_nullable(schema: &mut Map<String, Value>) {
    let properties = schema.get("properties").and_then(Value::as_object);
    let nullable = |name: &Value| {
        let property = properties.and_then(|properties| properties.get(name.as_str()?));
        property.and_then(|property| property.get("nullable")).and_then(Value::as_bool).unwrap_or_default()
    };
    let required = schema.get("required").and_then(Value::as_array);
    let Some(required) = required.map(|all| all.iter().filter(|name| !nullable(name)).cloned().collect::<Vec<_>>())
    else {
        return;
    };
    if required.is_empty() {
        schema.remove("required");
    } else {
        schema.insert("required".to_owned(), Value::Array(required));
    }
}

/// Applies a change to every schema of a document: those of components, parameters and bodies, and all inside them.
pub(super) fn for_each_schema(root: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    if let Some(Value::Object(components)) = root.pointer_mut("/components/schemas") {
        components.values_mut().for_each(|component| schema_tree(component, change));
    }
    let items = root.get_mut("paths").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut);
    let operations = items.filter_map(Value::as_object_mut).flat_map(Map::iter_mut);
    for (_, operation) in operations.filter(|(method, _)| METHODS.contains(&method.as_str())) {
        holders(operation, &mut |schema| schema_tree(schema, change));
    }
}

/// Applies a change to each value under a key `schema`, wherever an operation holds one.
fn holders(node: &mut Value, change: &mut impl FnMut(&mut Value)) {
    match node {
        Value::Object(map) => {
            map.iter_mut().for_each(|(key, value)| if key == "schema" { change(value) } else { holders(value, change) })
        }
        Value::Array(list) => list.iter_mut().for_each(|value| holders(value, change)),
        _ => {}
    }
}

fn schema_tree(node: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    let Value::Object(map) = node else { return };
    change(map);
    for key in ["items", "additionalProperties", "not"] {
        if let Some(inner) = map.get_mut(key) {
            schema_tree(inner, change);
        }
    }
    for key in ["allOf", "oneOf", "anyOf"] {
        if let Some(Value::Array(parts)) = map.get_mut(key) {
            parts.iter_mut().for_each(|part| schema_tree(part, change));
        }
    }
    if let Some(Value::Object(properties)) = map.get_mut("properties") {
        properties.values_mut().for_each(|property| schema_tree(property, change));
    }
}
