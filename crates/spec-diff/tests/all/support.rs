//! Documents from a few words.

use serde_json::{Value, json};
use spec_diff::{Change, Options, Report, diff};

/// Reads YAML.
pub(crate) fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// A document with these paths and components.
pub(crate) fn document(paths: Value, components: Value) -> Value {
    json!({
        "openapi": "3.0.3",
        "info": {"title": "Test", "version": "1"},
        "paths": paths,
        "components": components,
    })
}

/// A document whose one operation takes the schema, a component, as its body; beside other schemas.
pub(crate) fn in_request(schema: &Value, others: &Value) -> Value {
    let body =
        json!({"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}});
    let operation = json!({"requestBody": body, "responses": {"204": {"description": "done"}}});
    document(json!({"/thing": {"post": operation}}), with_thing(schema, others))
}

fn with_thing(schema: &Value, others: &Value) -> Value {
    let mut schemas = others.clone();
    schemas["Thing"] = schema.clone();
    json!({"schemas": schemas})
}

/// A document whose one operation responds with the schema.
pub(crate) fn in_response(schema: &Value, others: &Value) -> Value {
    let content = json!({"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}});
    let operation = json!({"responses": {"200": {"description": "ok", "content": content}}});
    document(json!({"/thing": {"get": operation}}), with_thing(schema, others))
}

/// Compares under the default options.
pub(crate) fn compare(base: &Value, revision: &Value) -> Report {
    diff(base, revision, &Options::default()).unwrap()
}

/// `breaking response-property-became-nullable name, other`
pub(crate) fn line(change: &Change) -> String {
    let members: Vec<_> =
        change.members.iter().map(|member| member.name.as_str()).filter(|name| !name.is_empty()).collect();
    format!("{} {} {}", change.level, change.id, members.join(", ")).trim().to_owned()
}

/// The findings as lines, but for those that only concern names.
pub(crate) fn lines(report: &Report) -> Vec<String> {
    report.changes.iter().filter(|change| !change.id.starts_with("api-schema-")).map(line).collect()
}
