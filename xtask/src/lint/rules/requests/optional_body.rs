//! `optional-body`: a request body is not required.

use serde_json::Value;

use super::bodies;
use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "optional-body",
    level: Level::Error,
    scope: Scope::Curation,
    finds: "A request body is not required.",
    why: "The generated method always sends one.",
    instead: "Write `required: true`, or add a second operation without a body.",
    example: Example {
        pointer: "/paths/~1orders/post/requestBody/required",
        value: "false",
        found_at: "/paths/~1orders/post/requestBody",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (at, body) in bodies(context) {
        if body.get("required").and_then(Value::as_bool) != Some(true) {
            let help = "write `required: true`, or make a second operation without it";
            findings.add(&at, "the body is optional, but would always be sent", help);
        }
    }
}
