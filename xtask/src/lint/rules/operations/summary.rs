//! `summary`: an operation has no `summary`.

use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "summary",
    level: Level::Warning,
    scope: Scope::Curation,
    finds: "An operation has no `summary`.",
    why: "It is the first line of the method's documentation.",
    instead: "Write one line that states the purpose.",
    example: Example {
        pointer: "/paths/~1orders~1{orderId}/get/summary",
        value: "null",
        found_at: "/paths/~1orders~1{orderId}/get",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for operation in context.operations.iter().filter(|operation| !operation.id().is_empty()) {
        if operation.text("summary").is_empty() {
            findings.add(&operation.pointer, "no summary", "state its purpose in one line");
        }
    }
}
