//! `source`: `x-source` is missing or incomplete.

use serde_json::Value;

use crate::lint::{Context, Example, Findings, Level, Rule, Scope, context::is_date};

pub(crate) static RULE: Rule = Rule {
    id: "source",
    level: Level::Error,
    scope: Scope::Curation,
    finds: "`x-source` is missing or incomplete.",
    why: "It states which page or SDK file the description of the operation comes from, so that it can be checked again.",
    instead: "List `{ref, seen}`: page or SDK file with its version, and the date it was read, `YYYY-MM-DD`.",
    example: Example {
        pointer: "/paths/~1orders~1{orderId}/get/x-source/0/seen",
        value: r#""lately""#,
        found_at: "/paths/~1orders~1{orderId}/get",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for operation in context.operations.iter().filter(|operation| !operation.id().is_empty()) {
        let text = |source: &Value, key: &str| source.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let is_complete = |source: &Value| !text(source, "ref").is_empty() && is_date(&text(source, "seen"));
        let sources = operation.value.get("x-source").and_then(Value::as_array);
        if !sources.is_some_and(|sources| !sources.is_empty() && sources.iter().all(is_complete)) {
            let help = "list `{ref, seen}`: page or SDK file with its version, and the date, YYYY-MM-DD";
            findings.add(&operation.pointer, "no complete x-source", help);
        }
    }
}
