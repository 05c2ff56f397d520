//! Rules about the fields of each object and the JSON types of their values.

pub(in crate::lint) mod grammar;
pub(in crate::lint) mod unknown_field;
pub(in crate::lint) mod value_type;

use openapi_document::pointer::{child, item};
use serde_json::{Map, Value};

use crate::lint::Context;
use grammar::Shape;

type Visit<'v> = dyn FnMut(&Map<String, Value>, &Shape, &str) + 'v;

/// Visits every object of the document whose fields are known.
fn for_each_object(context: &Context<'_>, visit: &mut Visit<'_>) {
    let root = context.root;
    let Some(document) = root.as_object() else { return };
    visit(document, &grammar::DOCUMENT, "");
    for (key, shape) in [("info", grammar::INFO), ("components", grammar::COMPONENTS)] {
        if let Some(Value::Object(map)) = document.get(key) {
            visit(map, &shape, &child("", key));
        }
    }
    objects(document.get("servers"), &grammar::SERVER, "/servers", visit);
    objects(document.get("paths"), &grammar::PATH, "/paths", visit);
    for (path, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        objects(item.get("parameters"), &grammar::PARAMETER, &child(&child("/paths", path), "parameters"), visit);
    }
    for operation in &context.operations {
        let at = &operation.pointer;
        visit(operation.value, &grammar::OPERATION, at);
        objects(operation.value.get("parameters"), &grammar::PARAMETER, &child(at, "parameters"), visit);
        if let Some(body) = operation.value.get("requestBody") {
            with_content(body, &grammar::BODY, &child(at, "requestBody"), visit);
        }
        all_with_content(operation.value.get("responses"), &grammar::RESPONSE, &child(at, "responses"), visit);
    }
    objects(root.pointer("/components/parameters"), &grammar::PARAMETER, "/components/parameters", visit);
    for (section, shape) in [("requestBodies", grammar::BODY), ("responses", grammar::RESPONSE)] {
        let at = child("/components", section);
        all_with_content(root.pointer(&at), &shape, &at, visit);
    }
    for node in &context.schemas {
        visit(node.schema, &grammar::SCHEMA, &node.pointer);
    }
}

/// Visits the objects of an array or of a map.
fn objects(values: Option<&Value>, shape: &Shape, pointer: &str, visit: &mut Visit<'_>) {
    match values {
        Some(Value::Array(list)) => {
            for (index, value) in list.iter().enumerate() {
                value.as_object().into_iter().for_each(|value| visit(value, shape, &item(pointer, index)));
            }
        }
        Some(Value::Object(map)) => {
            for (name, value) in map {
                value.as_object().into_iter().for_each(|value| visit(value, shape, &child(pointer, name)));
            }
        }
        _ => {}
    }
}

/// Visits the objects of a map, each with its media types.
fn all_with_content(values: Option<&Value>, shape: &Shape, pointer: &str, visit: &mut Visit<'_>) {
    for (name, value) in values.and_then(Value::as_object).into_iter().flatten() {
        with_content(value, shape, &child(pointer, name), visit);
    }
}

fn with_content(value: &Value, shape: &Shape, pointer: &str, visit: &mut Visit<'_>) {
    if let Some(value) = value.as_object() {
        visit(value, shape, pointer);
        objects(value.get("content"), &grammar::MEDIA_TYPE, &child(pointer, "content"), visit);
    }
}
