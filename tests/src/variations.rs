//! Responses that a vendor may send in the future, derived from an example and its schema.

use openapi_document::pointer::{child, item, unescape};
use serde_json::{Value, json};

use crate::Operation;
use crate::document::resolve;

/// A response, and the result of decoding it.
pub struct Variation {
    /// Name for messages.
    pub name: String,
    /// The vendor's response.
    pub sent: Value,
    /// The decoded response, encoded again.
    pub kept: Value,
}

/// A location in a response.
struct Location<'a> {
    pointer: String,
    schema: &'a Value,
    form: Form,
}

/// The relation of a location to its parent.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// A required field.
    Required,
    /// An optional field.
    Optional,
    /// An item of an array, an entry of a map, or the complete response.
    Unnamed,
}

/// Returns the example with unknown values of all enums, and with a new field in every object. Further variations omit one optional field, or
/// contain `null` in place of one optional field, array or map.
pub fn added_and_missing_fields(operation: &Operation<'_>, schema: &Value, example: &Value) -> Vec<Variation> {
    let locations = locations(operation, schema, example);
    let mut unknown = example.clone();
    for location in locations.iter().filter(|location| location.schema.get("enum").is_some()) {
        *unknown.pointer_mut(&location.pointer).expect("walked") = json!("BRAND new: ü");
    }
    let mut extended = example.clone();
    for location in locations.iter().filter(|location| is_record(location.schema)) {
        extended.pointer_mut(&location.pointer).expect("walked")["xNew"] = json!({"a": [1, null]});
    }
    let mut all = vec![
        Variation { name: "unknown enum values".to_owned(), kept: unknown.clone(), sent: unknown },
        Variation { name: "new fields".to_owned(), kept: example.clone(), sent: extended },
    ];
    for location in locations.iter().filter(|location| location.form == Form::Optional) {
        let missing = without(example, &location.pointer);
        all.push(Variation { name: format!("no field at {}", location.pointer), sent: missing.clone(), kept: missing });
        all.push(null(example, location));
    }
    let required =
        locations.iter().filter(|location| location.form == Form::Required && is_collection(location.schema));
    all.extend(required.map(|location| null(example, location)));
    all
}

/// Returns the example with `null` in place of each array and map that is not a field.
pub fn unnamed_nulls(operation: &Operation<'_>, schema: &Value, example: &Value) -> Vec<Variation> {
    let locations = locations(operation, schema, example);
    let unnamed = locations.iter().filter(|location| location.form == Form::Unnamed && is_collection(location.schema));
    unnamed.map(|location| null(example, location)).collect()
}

fn null(example: &Value, location: &Location<'_>) -> Variation {
    let mut sent = example.clone();
    *sent.pointer_mut(&location.pointer).expect("walked") = Value::Null;
    Variation { name: format!("null at {:?}", location.pointer), sent, kept: without(example, &location.pointer) }
}

/// Returns whether the schema is an object of named fields. In a map a new name would be an entry.
fn is_record(schema: &Value) -> bool {
    schema.get("properties").is_some() && schema.get("additionalProperties").is_none()
}

fn is_collection(schema: &Value) -> bool {
    schema["type"] == "array" || schema.get("additionalProperties").is_some() && schema.get("properties").is_none()
}

fn is_required(schema: &Value, name: &str) -> bool {
    schema["required"].as_array().is_some_and(|names| names.iter().any(|required| required == name))
}

/// Returns `value` without a field or entry. An item of an array becomes `null`, so that the indexes of the others stay.
fn without(value: &Value, pointer: &str) -> Value {
    let mut left = value.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
    match left.pointer_mut(parent) {
        Some(Value::Object(fields)) if !pointer.is_empty() => {
            fields.remove(&unescape(name));
        }
        _ => *left.pointer_mut(pointer).expect("walked") = Value::Null,
    }
    left
}

fn locations<'a>(operation: &Operation<'a>, schema: &'a Value, example: &Value) -> Vec<Location<'a>> {
    let mut found = Vec::new();
    walk(operation.root, example, Location { pointer: String::new(), schema, form: Form::Unnamed }, &mut found);
    found
}

fn walk<'a>(root: &'a Value, value: &Value, location: Location<'a>, found: &mut Vec<Location<'a>>) {
    let Location { schema, ref pointer, .. } = location;
    let mut inner = Vec::new();
    match value {
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                inner.push((value, item(pointer, index), &schema["items"], Form::Unnamed));
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                let pointer = child(pointer, name);
                if let Some(property) = schema["properties"].get(name) {
                    let form = if is_required(schema, name) { Form::Required } else { Form::Optional };
                    inner.push((field, pointer, property, form));
                } else if let Some(entry @ Value::Object(_)) = schema.get("additionalProperties") {
                    inner.push((field, pointer, entry, Form::Unnamed));
                }
            }
        }
        _ => {}
    }
    found.push(location);
    for (value, pointer, schema, form) in inner {
        walk(root, value, Location { pointer, schema: resolve(root, schema), form }, found);
    }
}
