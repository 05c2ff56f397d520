//! Small specifications, drafted: what all tests share.

mod any_document;
mod bodies;
mod examples;
mod forms;
mod objects;
mod operations;
mod parameters;
mod responses;
mod schemas;
mod security;

use serde_json::{Value, json};

use crate::import::{convert::*, operations, parse, security::Credential};

fn published(root: Value) -> Published {
    parse::parse("x.json", &root.to_string()).expect("it is a specification")
}

pub(super) fn drafted(root: Value) -> Result<Conversion, String> {
    let published = published(root);
    convert(&published, &operations(&published.root), "2026-11-22")
}

pub(super) fn losses(draft: &Conversion) -> Vec<&str> {
    draft.losses.iter().map(|loss| loss.text.as_str()).collect()
}

/// A specification with one GET whose response has a schema, beside others.
pub(super) fn responding(schema: Value, schemas: Value) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {"title": "X", "version": "1"},
        "servers": [{"url": "https://api.x.example/v1"}],
        "security": [{"key": []}],
        "paths": {"/a": {"get": {"operationId": "getA", "responses": {
            "200": {"description": "d", "content": {"application/json": {"schema": schema}}},
            "400": {"description": "Bad.", "content": {"application/json": {"schema": {"type": "string"}}}},
        }}}},
        "components": {"schemas": schemas, "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
    })
}

/// The field `f` of the object in a response, and all components.
pub(super) fn field(schema: Value) -> (Value, Value, Vec<String>) {
    let object = json!({"type": "object", "properties": {"f": schema}});
    let draft =
        drafted(responding(object, json!({"Other": {"type": "object", "properties": {"o": {"type": "string"}}}})))
            .expect("it converts");
    let document = draft.document();
    let schemas = document["components"]["schemas"].clone();
    let lost = losses(&draft).into_iter().map(str::to_owned).collect();
    (schemas["GetAResponse"]["properties"]["f"].clone(), schemas, lost)
}

/// Losses of bodies and operations, with their places below `/paths/~1a/post`.
fn losses_of_bodies(draft: &Conversion) -> Vec<String> {
    let found = draft.losses.iter().filter(|loss| matches!(loss.kind, Kind::Body | Kind::Operation));
    found.map(|loss| format!("{}: {}", loss.at.trim_start_matches("/paths/~1a/post"), loss.text)).collect()
}
