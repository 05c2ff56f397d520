//! `free-object`: an object has neither properties nor `additionalProperties`.

use openapi_document::SchemaNode;

use super::properties;
use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "free-object",
    level: Level::Error,
    scope: Scope::Curation,
    finds: "An object has neither properties nor `additionalProperties`.",
    why: "It is any JSON, in which numbers lose digits.",
    instead: "Describe its properties, or write `additionalProperties: true` if the vendor does send any JSON.",
    example: Example {
        pointer: "/components/schemas/Order/properties/note/type",
        value: r#""object""#,
        found_at: "/components/schemas/Order/properties/note",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for node in context.own_schemas() {
        let is_described = ["properties", "additionalProperties", "allOf"].iter().any(|key| is_stated(node, key));
        if node.text("type") == "object" && !is_described {
            findings.add(
                &node.pointer,
                "an object without properties is any JSON, where numbers lose digits",
                "describe them, or write `additionalProperties: true` if the vendor does send any JSON",
            );
        }
    }
}

fn is_stated(node: &SchemaNode<'_>, key: &str) -> bool {
    match key {
        "properties" => properties(node).is_some(),
        _ => node.schema.contains_key(key),
    }
}
