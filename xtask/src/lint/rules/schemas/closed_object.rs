//! `closed-object`: an object has `additionalProperties: false`.

use serde_json::Value;

use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "closed-object",
    level: Level::Warning,
    scope: Scope::Curation,
    finds: "An object has `additionalProperties: false`.",
    why: "A new field must not break a client; the generator ignores it.",
    instead: "Leave it out.",
    example: Example {
        pointer: "/components/schemas/Line/additionalProperties",
        value: "false",
        found_at: "/components/schemas/Line",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for node in context.own_schemas() {
        if node.schema.get("additionalProperties") == Some(&Value::Bool(false)) {
            let message = "additionalProperties: false is not honoured: a new field must not break a client";
            findings.add(&node.pointer, message, "leave it out");
        }
    }
}
