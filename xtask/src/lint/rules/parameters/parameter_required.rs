//! `parameter-required`: a path parameter is not required.

use serde_json::Value;

use crate::lint::{Context, Example, Findings, Level, Rule, Scope, context::Parameter};

pub(crate) static RULE: Rule = Rule {
    id: "parameter-required",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "A path parameter is not required.",
    why: "A path has no form without it.",
    instead: "Write `required: true`.",
    example: Example {
        pointer: "/paths/~1orders~1{orderId}/get/parameters/0/required",
        value: "false",
        found_at: "/paths/~1orders~1{orderId}/get/parameters/0",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (Parameter { at, name, location, value, .. }, _) in context.typed_parameters() {
        if *location == "path" && value.get("required").and_then(Value::as_bool) != Some(true) {
            findings.add(at, format!("path parameter {name:?} is not required"), "write `required: true`");
        }
    }
}
