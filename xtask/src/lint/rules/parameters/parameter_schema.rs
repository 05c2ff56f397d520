//! `parameter-schema`: a parameter has no `schema`.

use crate::lint::{Context, Example, Findings, Level, Rule, Scope, context::Parameter};

pub(crate) static RULE: Rule = Rule {
    id: "parameter-schema",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "A parameter has no `schema`.",
    why: "The generator does not support `content`.",
    instead: "Give it a schema.",
    example: Example {
        pointer: "/paths/~1orders/get/parameters/2/schema",
        value: "null",
        found_at: "/paths/~1orders/get/parameters/2",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for Parameter { at, name, .. } in context.parameters.iter().filter(|parameter| parameter.schema.is_none()) {
        findings.add(at, format!("parameter {name:?} has no schema"), "give it one; `content` is not supported");
    }
}
