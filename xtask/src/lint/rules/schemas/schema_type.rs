//! `schema-type`: a type is not one of OpenAPI 3.0, an array has no `items`, or a format is on a type that has none.

use openapi_document::pointer::child;
use serde_json::Value;

use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "schema-type",
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
