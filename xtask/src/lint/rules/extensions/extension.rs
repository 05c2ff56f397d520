//! `extension`: an extension (`x-…`) is unknown where it is, or has a value of another type.

use openapi_document::{Operation, pointer::child};
use serde_json::{Map, Value};

use crate::lint::{Context, Example, Findings, Level, Rule, Scope, rules::structure::grammar::ValueType};

pub(crate) static RULE: Rule = Rule {
    id: "extension",
    level: Level::Error,
    scope: Scope::Curation,
    finds: "An extension (`x-…`) is unknown where it is, or has a value of another type.",
    why: "The runtime and the facade act on extensions: with a misspelt one the client behaves otherwise than the document states.",
    instead: "Write one of the known extensions with the value that `openapi/README.md` describes.",
    example: Example {
        pointer: "/paths/~1orders~1{orderId}/get/x-previw",
        value: "true",
        found_at: "/paths/~1orders~1{orderId}/get/x-previw",
    },
    check,
};

const ON_OPERATIONS: [&str; 12] = [
    "x-source",
    "x-permissions",
    "x-rate-limit",
    "x-idempotent",
    "x-idempotent-with",
    "x-final-statuses",
    "x-pagination",
    "x-long-running",
    "x-download",
    "x-superseded-by",
    "x-preview",
    "x-client",
];
const ON_SCHEMAS: [&str; 2] = ["x-enum-varnames", "x-any"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for operation in &context.operations {
        unknown(operation.value, &ON_OPERATIONS, &operation.pointer, findings);
        values(operation, findings);
        superseded_by(operation, context, findings);
        final_statuses(operation, findings);
    }
    for node in &context.schemas {
        unknown(node.schema, &ON_SCHEMAS, &node.pointer, findings);
        if node.schema.get("x-any").is_some_and(|value| *value != Value::Bool(true)) {
            findings.add(&child(&node.pointer, "x-any"), "not true", "write `true` or leave it out");
        }
    }
}

fn unknown(map: &Map<String, Value>, known: &[&str], pointer: &str, findings: &mut Findings) {
    for key in map.keys().filter(|key| key.starts_with("x-") && !known.contains(&key.as_str())) {
        let message = format!("unknown extension {key:?}");
        findings.add(&child(pointer, key), message, format!("known are {}", known.join(", ")));
    }
}

fn values(operation: &Operation<'_>, findings: &mut Findings) {
    let at = &operation.pointer;
    for key in ["x-idempotent", "x-download", "x-preview"] {
        if operation.value.get(key).is_some_and(|value| !value.is_boolean()) {
            findings.add(&child(at, key), "neither true nor false", "write `true` or leave it out");
        }
    }
    if operation.value.contains_key("x-client") && !operation.is_sent_by_core() {
        let help = "write `core` if the runtime sends it itself, or leave it out";
        findings.add(&child(at, "x-client"), "not `core`", help);
    }
    for (key, expected) in [("x-permissions", ValueType::Strings), ("x-rate-limit", ValueType::String)] {
        if operation.value.get(key).is_some_and(|value| !expected.fits(value)) {
            let help = format!("write {}, or leave it out", expected.name());
            findings.add(&child(at, key), format!("not {}", expected.name()), help);
        }
    }
}

fn superseded_by(operation: &Operation<'_>, context: &Context<'_>, findings: &mut Findings) {
    let Some(newer) = operation.value.get("x-superseded-by").map(|id| id.as_str().unwrap_or_default()) else { return };
    if newer.is_empty() || context.operations.iter().all(|other| other.id() != newer) {
        let at = child(&operation.pointer, "x-superseded-by");
        let message = "names an operation that is not in this document";
        findings.add(&at, message, "add it, or name it in the description");
    }
}

/// Checks that the statuses are error statuses that the operation documents.
fn final_statuses(operation: &Operation<'_>, findings: &mut Findings) {
    let Some(statuses) = operation.value.get("x-final-statuses") else { return };
    let responses = operation.value.get("responses");
    let is_documented = |status: &Value| {
        let number = status.as_u64().filter(|number| (400..600).contains(number));
        number.is_some_and(|number| responses.and_then(|all| all.get(number.to_string())).is_some())
    };
    if !statuses.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(is_documented)) {
        findings.add(
            &child(&operation.pointer, "x-final-statuses"),
            "not an array of error statuses that the operation documents",
            "list numbers such as 500 that are keys of `responses`, or leave it out",
        );
    }
}
