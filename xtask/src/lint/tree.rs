//! A walk over all schemas of a document, wherever they stand.

use serde_json::{Map, Value};

use crate::{
    document::resolve,
    pointer::{child, entry},
};

/// A schema and what it is to the one that holds it.
pub(super) struct Node<'a> {
    pub(super) pointer: String,
    pub(super) schema: &'a Map<String, Value>,
    pub(super) place: Place,
}

impl Node<'_> {
    /// The text of a keyword, or nothing.
    pub(super) fn text(&self, key: &str) -> &str {
        self.schema.get(key).and_then(Value::as_str).unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Under `components/schemas`.
    Component,
    /// The schema of a parameter, body, answer or header.
    Exchange,
    /// A property of an object.
    Property,
    /// An entry of a list or map.
    Entry,
    /// A part of `allOf`, `oneOf`, `anyOf`.
    Part,
}

/// All schemas, in the document's order. References are not followed.
pub(super) fn schemas(root: &Value) -> Vec<Node<'_>> {
    let mut found = Vec::new();
    for (name, schema) in crate::document::schemas(root) {
        below(schema, child("/components/schemas", name), Place::Component, &mut found);
    }
    for section in ["parameters", "requestBodies", "responses", "headers"] {
        if let Some(components) = root.pointer(&format!("/components/{section}")) {
            exchanges(components, &format!("/components/{section}"), &mut found);
        }
    }
    if let Some(paths) = root.get("paths") {
        exchanges(paths, "/paths", &mut found);
    }
    found
}

/// The schema of a field below another, with references followed. Its path has dots between levels, and `[]` after a list.
pub(super) fn field<'a>(root: &'a Value, schema: &'a Value, path: &str) -> Option<&'a Value> {
    let target = |schema: &'a Value| {
        let part = schema.get("allOf").and_then(|parts| parts.get(0));
        resolve(root, part.unwrap_or_else(|| resolve(root, schema)))
    };
    path.split('.').try_fold(target(schema), |schema, part| {
        let name = part.strip_suffix("[]");
        let property = target(schema.get("properties")?.get(name.unwrap_or(part))?);
        if name.is_some() { property.get("items").map(target) } else { Some(property) }
    })
}

/// Finds the schemas of parameters and media types. Examples are data: what looks like a schema there is none.
fn exchanges<'a>(node: &'a Value, pointer: &str, found: &mut Vec<Node<'a>>) {
    match node {
        Value::Object(map) => {
            for (key, value) in map {
                let pointer = child(pointer, key);
                match key.as_str() {
                    "schema" => below(value, pointer, Place::Exchange, found),
                    "example" | "examples" => {}
                    mark if mark.starts_with("x-") => {}
                    _ => exchanges(value, &pointer, found),
                }
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                exchanges(value, &entry(pointer, index), found);
            }
        }
        _ => {}
    }
}

fn below<'a>(node: &'a Value, pointer: String, place: Place, found: &mut Vec<Node<'a>>) {
    let Some(schema) = node.as_object() else { return };
    found.push(Node { pointer: pointer.clone(), schema, place });
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get(key) {
            below(inner, child(&pointer, key), Place::Entry, found);
        }
    }
    for key in ["allOf", "oneOf", "anyOf"] {
        let parts = schema.get(key).and_then(Value::as_array).into_iter().flatten();
        for (index, part) in parts.enumerate() {
            below(part, entry(&child(&pointer, key), index), Place::Part, found);
        }
    }
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    for (name, property) in properties {
        below(property, child(&child(&pointer, "properties"), name), Place::Property, found);
    }
}
