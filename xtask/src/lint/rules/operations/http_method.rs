//! `http-method`: an operation has the method `options` or `trace`.

use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "http-method",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "An operation has the method `options` or `trace`.",
    why: "The HTTP client has no function for it: the code would not compile.",
    instead: "Leave the operation out.",
    example: Example {
        pointer: "/paths/~1orders/trace",
        value: r##"{"operationId": "traceOrders", "summary": "s", "tags": ["orders"], "x-source": [{"ref": "page", "seen": "2026-11-21"}], "responses": {"204": {"description": "d"}, "429": {"$ref": "#/components/responses/Busy"}}}"##,
        found_at: "/paths/~1orders/trace",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for operation in context.operations.iter().filter(|operation| !operation.id().is_empty()) {
        if ["options", "trace"].contains(&operation.method) {
            let message = format!("the HTTP client has no method {}", operation.method);
            findings.add(&operation.pointer, message, "leave the operation out");
        }
    }
}
