//! Types and formats: the generator panics on a type that it does not know, and takes a format that it does not know for none.

use openapi_document::{Place, SchemaNode, pointer::child};
use serde_json::Value;

use super::{Findings, Rule};

const TYPES: [&str; 6] = ["string", "number", "integer", "boolean", "array", "object"];

/// The known formats with the types that they are of.
const FORMATS: [(&str, &[&str]); 14] = [
    ("int32", &["integer"]),
    ("int64", &["integer"]),
    ("decimal", &["number", "string"]),
    ("date", &["string"]),
    ("date-time", &["string"]),
    ("lenient-date-time", &["string"]),
    ("lenient-decimal", &["string"]),
    ("uuid", &["string"]),
    ("uri", &["string"]),
    ("uri-reference", &["string"]),
    ("email", &["string"]),
    ("password", &["string"]),
    ("binary", &["string"]),
    ("byte", &["string"]),
];

/// Keywords that only one type has: beside another the generator makes neither of it.
const OF_ONE_TYPE: [(&str, &str); 4] =
    [("properties", "object"), ("required", "object"), ("additionalProperties", "object"), ("items", "array")];

pub(super) fn check(root: &Value, findings: &mut Findings) {
    for node in openapi_document::schemas(root).into_iter().filter(|node| !node.schema.contains_key("$ref")) {
        kind(&node, findings);
        format(&node, findings);
        if node.place == Place::Property && node.schema.contains_key("default") {
            let help = "say it in the description";
            findings.add(Rule::Default, &node.pointer, "a default on a property is not applied", help);
        }
    }
}

fn kind(node: &SchemaNode<'_>, findings: &mut Findings) {
    let (schema, at) = (node.schema, &node.pointer);
    let kind = match schema.get("type") {
        None => "",
        Some(Value::String(kind)) if TYPES.contains(&kind.as_str()) => kind,
        Some(Value::Array(_)) => {
            let help = "write one type, and `nullable: true` for null";
            return findings.add(Rule::Type, at, "a list of types is OpenAPI 3.1", help);
        }
        Some(other) => {
            let message = format!("{other} is no type");
            return findings.add(Rule::Type, &child(at, "type"), message, format!("known are {}", TYPES.join(", ")));
        }
    };
    if kind == "array" && !schema.contains_key("items") {
        findings.add(Rule::Type, at, "a list of nothing", "say what its `items` are");
    }
    for (key, of) in OF_ONE_TYPE.iter().filter(|(key, of)| *of != kind && schema.contains_key(*key)) {
        let (message, help) = (format!("{key:?} of type {kind:?}"), format!("write `type: {of}` beside it"));
        findings.add(Rule::Keyword, &child(at, key), message, help);
    }
}

fn format(node: &SchemaNode<'_>, findings: &mut Findings) {
    let (schema, at) = (node.schema, &node.pointer);
    let (kind, format) = (node.text("type"), node.text("format"));
    if schema.contains_key("format") && ["array", "boolean", "object"].contains(&kind) {
        let help = "leave it out: only texts and numbers have one";
        return findings.add(Rule::Type, &child(at, "format"), format!("format {format:?} of type {kind:?}"), help);
    }
    match FORMATS.iter().find(|(known, _)| *known == format) {
        Some((_, kinds)) if !kinds.contains(&kind) => findings.add(
            Rule::Format,
            at,
            format!("format {format} of type {kind:?}"),
            format!("write `type: {}`, as the wire has it", kinds.join("` or `type: ")),
        ),
        None if schema.contains_key("format") => {
            let known = FORMATS.map(|(known, _)| known).join(", ");
            findings.add(
                Rule::Format,
                &child(at, "format"),
                format!("{format:?} is no known format"),
                format!("known are {known}"),
            );
        }
        _ => {}
    }
    if kind == "number" && format != "decimal" {
        let help = "write `format: decimal`, or `type: integer`";
        findings.add(Rule::Number, at, "a number without `format: decimal` would become a float", help);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::lint::tests::broken;

    fn note(value: Value) -> Vec<String> {
        broken("/components/schemas/Order/properties/note", value)
    }

    #[test]
    fn a_type_is_one_of_those_of_openapi_3_0() {
        for kind in [json!("strng"), json!("null"), json!(1), Value::Null, json!(["string", "null"])] {
            assert_eq!(note(json!({"description": "d", "type": kind})), ["type"], "{kind}");
        }
    }

    #[test]
    fn a_format_is_known_and_of_its_type() {
        assert_eq!(note(json!({"description": "d", "type": "string", "format": "decmal"})), ["format"]);
        assert_eq!(note(json!({"description": "d", "type": "integer", "format": "decimal"})), ["format"]);
        assert_eq!(note(json!({"description": "d", "type": "string", "format": "int64"})), ["format"]);
    }

    #[test]
    fn what_is_neither_text_nor_number_has_no_format() {
        for kind in ["boolean", "array", "object"] {
            let schema = json!({"description": "d", "type": kind, "format": "uri-map", "items": {"type": "string"},
                "additionalProperties": true});
            assert!(note(schema).contains(&"type".to_owned()), "{kind}");
        }
    }

    #[test]
    fn numbers_are_decimals_or_integers() {
        assert_eq!(note(json!({"description": "d", "type": "number"})), ["number"]);
        assert_eq!(note(json!({"description": "d", "type": "number", "format": "double"})), ["format", "number"]);
    }

    #[test]
    fn keywords_stand_beside_their_type() {
        assert_eq!(note(json!({"description": "d", "type": "array"})), ["type"]);
        assert_eq!(note(json!({"description": "d", "type": "string", "items": {"type": "string"}})), ["keyword"]);
        assert_eq!(note(json!({"description": "d", "type": "string", "additionalProperties": true})), ["keyword"]);
    }

    #[test]
    fn a_default_is_warned_of() {
        assert_eq!(note(json!({"type": "string", "description": "d", "default": "a"})), ["default"]);
    }
}
