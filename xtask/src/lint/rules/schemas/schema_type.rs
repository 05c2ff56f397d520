//! `type`: a type is not one of OpenAPI 3.0, an array has no `items`, or a format is on a type that has none.

use openapi_document::pointer::child;
use serde_json::Value;

use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "type",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "A type is not one of OpenAPI 3.0, an array has no `items`, or a format is on a type that has none.",
    why: "The generator panics on it.",
    instead: "Write one of the six types; for null write `nullable: true`.",
    example: Example {
        pointer: "/components/schemas/Order/properties/note/type",
        value: r#""strng""#,
        found_at: "/components/schemas/Order/properties/note/type",
    },
    check,
};

pub(super) const TYPES: [&str; 6] = ["string", "number", "integer", "boolean", "array", "object"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for node in context.own_schemas() {
        let (schema, at) = (node.schema, &node.pointer);
        match schema.get("type") {
            Some(Value::Array(_)) => {
                let help = "write one type, and `nullable: true` for null";
                findings.add(at, "an array of types is OpenAPI 3.1", help);
            }
            Some(other) if !other.as_str().is_some_and(|kind| TYPES.contains(&kind)) => {
                let message = format!("unknown type {other}");
                findings.add(&child(at, "type"), message, format!("known are {}", TYPES.join(", ")));
            }
            Some(kind) if kind == "array" && !schema.contains_key("items") => {
                findings.add(at, "an array without `items`", "describe its `items`");
            }
            _ => {}
        }
        let (kind, format) = (node.text("type"), node.text("format"));
        if schema.contains_key("format") && ["array", "boolean", "object"].contains(&kind) {
            let help = "leave it out: only strings and numbers have one";
            findings.add(&child(at, "format"), format!("format {format:?} of type {kind:?}"), help);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::lint::tests::note;

    #[test]
    fn other_types_than_those_of_openapi_3_0_are_found() {
        for kind in [json!("strng"), json!("null"), json!(1), Value::Null, json!(["string", "null"])] {
            assert_eq!(note(json!({"description": "d", "type": kind})), ["type"], "{kind}");
        }
    }

    #[test]
    fn format_of_boolean_array_or_object_is_found() {
        for kind in ["boolean", "array", "object"] {
            let schema = json!({"description": "d", "type": kind, "format": "uri-map", "items": {"type": "string"},
                "additionalProperties": true});
            assert!(note(schema).contains(&"type"), "{kind}");
        }
    }

    #[test]
    fn array_without_items_is_found() {
        assert_eq!(note(json!({"description": "d", "type": "array"})), ["type"]);
    }
}
