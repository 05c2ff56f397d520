//! `enum-type`: an enum is not of type string.

use super::enums;
use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "enum-type",
    level: Level::Error,
    scope: Scope::Curation,
    finds: "An enum is not of type string.",
    why: "The generator takes the type and ignores the values.",
    instead: "Leave `enum` out, and list the values in the description.",
    example: Example {
        pointer: "/components/schemas/Order/properties/note",
        value: r#"{"type": "integer", "description": "d", "enum": [1]}"#,
        found_at: "/components/schemas/Order/properties/note",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (node, _) in enums(context).filter(|(node, _)| node.text("type") != "string") {
        let help = "leave `enum` out and list the values in the description";
        findings.add(&node.pointer, "an enum that is not of type string", help);
    }
}
