//! `inline-enum`: an enum is not a component.

use openapi_document::SchemaLocation;

use super::enums;
use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "inline-enum",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "An enum is not a component.",
    why: "Its type would be closed: a new value would fail the response.",
    instead: "Make it a component, and refer to it.",
    example: Example {
        pointer: "/components/schemas/Order/properties/note/enum",
        value: r#"["a"]"#,
        found_at: "/components/schemas/Order/properties/note",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (node, _) in enums(context).filter(|(node, _)| node.text("type") == "string") {
        if node.location != SchemaLocation::Component {
            findings.add(&node.pointer, "an enum without a name", "make it a component and refer to it");
        }
    }
}
