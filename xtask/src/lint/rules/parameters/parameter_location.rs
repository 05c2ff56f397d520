//! `parameter-location`: a parameter is not in query, path or header.

use crate::lint::{Context, Example, Findings, Level, Rule, Scope, context::Parameter};

pub(crate) static RULE: Rule = Rule {
    id: "parameter-location",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "A parameter is not in query, path or header.",
    why: "The generator supports no other location.",
    instead: "Leave the parameter out.",
    example: Example {
        pointer: "/paths/~1orders/get/parameters/2/in",
        value: r#""cookie""#,
        found_at: "/paths/~1orders/get/parameters/2",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (Parameter { at, name, location, .. }, _) in context.typed_parameters() {
        if !["query", "path", "header"].contains(location) {
            let message = format!("parameter {name:?} is in {location:?}");
            findings.add(at, message, "only query, path and header are supported");
        }
    }
}
