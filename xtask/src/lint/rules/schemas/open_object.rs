//! `open-object`: an object has properties and is a map.

use serde_json::Value;

use super::properties;
use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "open-object",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "An object has properties and is a map.",
    why: "The decimals of its properties would lose digits.",
    instead: "Leave one out.",
    example: Example {
        pointer: "/components/schemas/Line/additionalProperties",
        value: r#"{"type": "string"}"#,
        found_at: "/components/schemas/Line",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for node in context.own_schemas() {
        let is_map = matches!(node.schema.get("additionalProperties"), Some(Value::Object(_)));
        if is_map && properties(node).is_some() {
            findings.add(&node.pointer, "properties and a map in one: decimals would lose digits", "leave one out");
        }
    }
}
