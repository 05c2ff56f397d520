//! What a vendor may send some day, made from an example and its schema.

use serde_json::{Value, json};

use crate::{Document, Operation};

/// An answer, and what is to be left of it.
pub struct Variation {
    /// For messages.
    pub name: String,
    /// What the vendor sends.
    pub sent: Value,
    /// What the client makes of it.
    pub kept: Value,
}

/// A place in an answer.
struct Place<'a> {
    pointer: String,
    schema: &'a Value,
    form: Form,
}

/// What a place is to what it stands in.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// A field that is always there.
    Required,
    /// A field.
    Optional,
    /// An item of a list, an entry of a map, or the whole.
    Nameless,
}

/// All enums with a value that nobody knows; a new field in every object; each field that need not be there missing, and each of
/// these and of the lists and maps `null`.
pub fn variations(operation: &Operation<'_>, schema: &Value, example: &Value) -> Vec<Variation> {
    let places = places(operation, schema, example);
    let mut unknown = example.clone();
    for place in places.iter().filter(|place| place.schema.get("enum").is_some()) {
        *unknown.pointer_mut(&place.pointer).expect("walked") = json!("BRAND new: ü");
    }
    let mut extended = example.clone();
    for place in places.iter().filter(|place| is_record(place.schema)) {
        extended.pointer_mut(&place.pointer).expect("walked")["xNew"] = json!({"a": [1, null]});
    }
    let mut all = vec![
        Variation { name: "unknown enum values".to_owned(), kept: unknown.clone(), sent: unknown },
        Variation { name: "new fields".to_owned(), kept: example.clone(), sent: extended },
    ];
    for place in places.iter().filter(|place| place.form == Form::Optional) {
        let missing = without(example, &place.pointer);
        all.push(Variation { name: format!("nothing at {}", place.pointer), sent: missing.clone(), kept: missing });
        all.push(null(example, place));
    }
    let required = places.iter().filter(|place| place.form == Form::Required && is_collection(place.schema));
    all.extend(required.map(|place| null(example, place)));
    all
}

/// Each list and map that is no field, `null`.
pub fn nameless_nulls(operation: &Operation<'_>, schema: &Value, example: &Value) -> Vec<Variation> {
    let places = places(operation, schema, example);
    let nameless = places.iter().filter(|place| place.form == Form::Nameless && is_collection(place.schema));
    nameless.map(|place| null(example, place)).collect()
}

fn null(example: &Value, place: &Place<'_>) -> Variation {
    let mut sent = example.clone();
    *sent.pointer_mut(&place.pointer).expect("walked") = Value::Null;
    Variation { name: format!("null at {:?}", place.pointer), sent, kept: without(example, &place.pointer) }
}

/// An object of named fields: a new name in a map would be an entry.
fn is_record(schema: &Value) -> bool {
    schema.get("properties").is_some() && schema.get("additionalProperties").is_none()
}

fn is_collection(schema: &Value) -> bool {
    schema["type"] == "array" || schema.get("additionalProperties").is_some()
}

fn is_required(schema: &Value, name: &str) -> bool {
    schema["required"].as_array().is_some_and(|names| names.iter().any(|required| required == name))
}

/// `value` without a field or entry; an item of a list leaves `null`, so that the others keep their places.
fn without(value: &Value, pointer: &str) -> Value {
    let mut left = value.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
    match left.pointer_mut(parent) {
        Some(Value::Object(fields)) if !pointer.is_empty() => {
            fields.remove(&name.replace("~1", "/").replace("~0", "~"));
        }
        _ => *left.pointer_mut(pointer).expect("walked") = Value::Null,
    }
    left
}

fn places<'a>(operation: &Operation<'a>, schema: &'a Value, example: &Value) -> Vec<Place<'a>> {
    let mut found = Vec::new();
    walk(operation.document(), example, Place { pointer: String::new(), schema, form: Form::Nameless }, &mut found);
    found
}

fn walk<'a>(document: &'a Document, value: &Value, place: Place<'a>, found: &mut Vec<Place<'a>>) {
    let Place { schema, ref pointer, .. } = place;
    let mut inner = Vec::new();
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                inner.push((item, format!("{pointer}/{index}"), &schema["items"], Form::Nameless));
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                if let Some(property) = schema["properties"].get(name) {
                    let form = if is_required(schema, name) { Form::Required } else { Form::Optional };
                    inner.push((field, pointer, property, form));
                } else if let Some(entry @ Value::Object(_)) = schema.get("additionalProperties") {
                    inner.push((field, pointer, entry, Form::Nameless));
                }
            }
        }
        _ => {}
    }
    found.push(place);
    for (value, pointer, schema, form) in inner {
        walk(document, value, Place { pointer, schema: document.resolve(schema), form }, found);
    }
}
