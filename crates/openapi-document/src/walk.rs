//! All schemas of a document, wherever they are.

use serde_json::{Map, Value};

use crate::{
    operation::component_schemas,
    pointer::{child, item},
    resolve::resolve,
};

/// A schema with its location.
#[derive(Debug)]
pub struct SchemaNode<'a> {
    /// The JSON pointer.
    pub pointer: String,
    /// The schema object.
    pub schema: &'a Map<String, Value>,
    /// The location of the schema.
    pub location: SchemaLocation,
}

impl SchemaNode<'_> {
    /// Returns a keyword that is a string, or an empty string.
    #[must_use]
    pub fn text(&self, key: &str) -> &str {
        self.schema.get(key).and_then(Value::as_str).unwrap_or_default()
    }
}

/// The location of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaLocation {
    /// Under `components/schemas`.
    Component,
    /// A parameter, body or header.
    Message,
    /// A property of an object.
    Property,
    /// An item of an array or a value of a map.
    Item,
    /// A part of `allOf`, `oneOf`, `anyOf`.
    Subschema,
}

/// Returns all schemas: the components, then those of messages, each by name. References are not followed.
#[must_use]
pub fn schemas(root: &Value) -> Vec<SchemaNode<'_>> {
    let mut found = Vec::new();
    for (name, schema) in component_schemas(root) {
        below(schema, child("/components/schemas", name), SchemaLocation::Component, &mut found);
    }
    for section in ["parameters", "requestBodies", "responses", "headers"] {
        if let Some(components) = root.pointer(&format!("/components/{section}")) {
            messages(components, &format!("/components/{section}"), &mut found);
        }
    }
    if let Some(paths) = root.get("paths") {
        messages(paths, "/paths", &mut found);
    }
    found
}

/// Returns the resolved schema of a field below another. The path has dots between levels, and `[]` after an array.
#[must_use]
pub fn field<'a>(root: &'a Value, schema: &'a Value, path: &str) -> Option<&'a Value> {
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

/// Finds the schemas of parameters and media types. Examples are skipped: they may look like schemas.
fn messages<'a>(node: &'a Value, pointer: &str, found: &mut Vec<SchemaNode<'a>>) {
    match node {
        Value::Object(map) => {
            for (key, value) in map {
                let pointer = child(pointer, key);
                match key.as_str() {
                    "schema" => below(value, pointer, SchemaLocation::Message, found),
                    "example" | "examples" => {}
                    key if key.starts_with("x-") => {}
                    _ => messages(value, &pointer, found),
                }
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                messages(value, &item(pointer, index), found);
            }
        }
        _ => {}
    }
}

fn below<'a>(node: &'a Value, pointer: String, location: SchemaLocation, found: &mut Vec<SchemaNode<'a>>) {
    let Some(schema) = node.as_object() else { return };
    found.push(SchemaNode { pointer: pointer.clone(), schema, location });
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get(key) {
            below(inner, child(&pointer, key), SchemaLocation::Item, found);
        }
    }
    for key in ["allOf", "oneOf", "anyOf"] {
        let parts = schema.get(key).and_then(Value::as_array).into_iter().flatten();
        for (index, part) in parts.enumerate() {
            below(part, item(&child(&pointer, key), index), SchemaLocation::Subschema, found);
        }
    }
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    for (name, property) in properties {
        below(property, child(&child(&pointer, "properties"), name), SchemaLocation::Property, found);
    }
}
