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
    /// May be missing, or is a list or map.
    may_be_null: bool,
    may_be_missing: bool,
}

/// All enums with a value that nobody knows; a new field in every object; each field that need not be there missing, and each of
/// these and of the lists and maps `null`.
pub fn variations(operation: &Operation<'_>, schema: &Value, example: &Value) -> Vec<Variation> {
    let mut places = Vec::new();
    walk(operation.document(), schema, example, String::new(), false, &mut places);

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
    for place in &places {
        let mut missing = example.clone();
        remove(&mut missing, &place.pointer);
        if place.may_be_null {
            let mut null = example.clone();
            *null.pointer_mut(&place.pointer).expect("walked") = Value::Null;
            all.push(Variation { name: format!("null at {:?}", place.pointer), sent: null, kept: missing.clone() });
        }
        if place.may_be_missing {
            all.push(Variation { name: format!("nothing at {}", place.pointer), sent: missing.clone(), kept: missing });
        }
    }
    all
}

fn is_required(schema: &Value, name: &str) -> bool {
    schema["required"].as_array().is_some_and(|names| names.iter().any(|required| required == name))
}

/// Takes a field or entry away; an item of a list leaves `null`, so that the others keep their places.
fn remove(value: &mut Value, pointer: &str) {
    let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
    match value.pointer_mut(parent) {
        Some(Value::Object(fields)) if !pointer.is_empty() => {
            fields.remove(&name.replace("~1", "/").replace("~0", "~"));
        }
        _ => *value.pointer_mut(pointer).expect("walked") = Value::Null,
    }
}

/// An object of named fields: a new name in a map would be an entry.
fn is_record(schema: &Value) -> bool {
    schema.get("properties").is_some() && schema.get("additionalProperties").is_none()
}

fn walk<'a>(
    document: &'a Document,
    schema: &'a Value,
    value: &Value,
    pointer: String,
    optional: bool,
    places: &mut Vec<Place<'a>>,
) {
    let collection = schema["type"] == "array" || schema.get("additionalProperties").is_some();
    places.push(Place {
        pointer: pointer.clone(),
        schema,
        may_be_null: optional || collection,
        may_be_missing: optional,
    });
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let schema = document.resolve(&schema["items"]);
                walk(document, schema, item, format!("{pointer}/{index}"), false, places);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                if let Some(property) = schema["properties"].get(name) {
                    walk(document, document.resolve(property), field, pointer, !is_required(schema, name), places);
                } else if let Some(entry @ Value::Object(_)) = schema.get("additionalProperties") {
                    walk(document, document.resolve(entry), field, pointer, false, places);
                }
            }
        }
        _ => {}
    }
}
