//! `property-default`: a property has a `default`.

use openapi_document::SchemaLocation;

use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "property-default",
    level: Level::Warning,
    scope: Scope::Curation,
    finds: "A property has a `default`.",
    why: "The client does not apply it.",
    instead: "State it in the description.",
    example: Example {
        pointer: "/components/schemas/Order/properties/note/default",
        value: r#""a""#,
        found_at: "/components/schemas/Order/properties/note",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for node in context.own_schemas() {
        if node.location == SchemaLocation::Property && node.schema.contains_key("default") {
            findings.add(&node.pointer, "a default on a property is not applied", "state it in the description");
        }
    }
}
