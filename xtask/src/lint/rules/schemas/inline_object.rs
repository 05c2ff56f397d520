//! `inline-object`: an object with properties is not a component.

use openapi_document::SchemaLocation;

use super::properties;
use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "inline-object",
    level: Level::Error,
    scope: Scope::Curation,
    finds: "An object with properties is not a component.",
    why: "Its type would have no name to document.",
    instead: "Make it a component, and refer to it.",
    example: Example {
        pointer: "/components/schemas/Order/properties/note",
        value: r#"{"type": "object", "description": "d", "properties": {"a": {"type": "string", "description": "d"}}}"#,
        found_at: "/components/schemas/Order/properties/note",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for node in context.own_schemas() {
        if properties(node).is_some() && node.location != SchemaLocation::Component {
            findings.add(&node.pointer, "an object without a name", "make it a component and refer to it");
        }
    }
}
