//! `long-running`: `x-long-running` names no operation to poll, fields that do not exist, or does not have each state once.

use std::collections::BTreeSet;

use openapi_document::{Operation, field, pointer::child};
use serde_json::{Map, Value};

use super::unknown_fields;
use crate::{
    codegen::{job_errors, job_states, open_enum},
    lint::{Context, Example, Findings, Level, Rule, Scope},
};

pub(crate) static RULE: Rule = Rule {
    id: "long-running",
    level: Level::Error,
    scope: Scope::Curation,
    finds: "`x-long-running` names no operation to poll, fields that do not exist, or does not have each state once.",
    why: "The methods `start` and `poll` of the calls act on it: a state in none of its arrays would be polled without end.",
    instead: "Name the operation and the fields, and put each state in one of `pending`, `succeeded`, `failed`.",
    example: Example {
        pointer: "/paths/~1orders~1{orderId}/get/x-long-running",
        value: r#"{"poll": "getOrder", "id": "id", "status": "status", "pending": ["OPEN"]}"#,
        found_at: "/paths/~1orders~1{orderId}/get/x-long-running",
    },
    check,
};

const KEYS: [&str; 8] = ["poll", "id", "param", "status", "pending", "succeeded", "failed", "error"];
const STATES: [&str; 3] = ["pending", "succeeded", "failed"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for operation in &context.operations {
        match operation.value.get("x-long-running") {
            Some(Value::Object(extension)) => check_extension(context, operation, extension, findings),
            Some(_) => {
                let at = child(&operation.pointer, "x-long-running");
                findings.add(&at, "not an object", format!("known are {}", KEYS.join(", ")));
            }
            None => {}
        }
    }
}

fn check_extension(
    context: &Context<'_>,
    operation: &Operation<'_>,
    extension: &Map<String, Value>,
    findings: &mut Findings,
) {
    let at = child(&operation.pointer, "x-long-running");
    let text = |key: &str| extension.get(key).and_then(Value::as_str).unwrap_or_default();
    unknown_fields(extension, &KEYS, &at, findings);
    let Some(poll) = context.operations.iter().find(|other| other.id() == text("poll") && !text("poll").is_empty())
    else {
        let help = "name the operation of this document that returns the state";
        return findings.add(&at, format!("unknown operation {:?} to poll", text("poll")), help);
    };
    let mut check_field = |key: &str, path: &str, response: Option<&Value>| {
        if let (Some(response), false) = (response, path.is_empty())
            && field(context.root, response, path).is_none()
        {
            let message = format!("the response has no field {path:?}");
            findings.add(&child(&at, key), message, "name a field of the response, with dots between levels");
        }
    };
    check_field("id", text("id"), operation.success(context.root));
    check_field("status", text("status"), poll.success(context.root));
    for path in job_errors(extension) {
        check_field("error", path, poll.success(context.root));
    }
    if let Some(status) = poll.success(context.root).and_then(|response| field(context.root, response, text("status")))
    {
        check_states(extension, status, &at, findings);
    }
}

fn check_states(extension: &Map<String, Value>, status: &Value, at: &str, findings: &mut Findings) {
    let known = open_enum::values(status).into_iter().collect::<BTreeSet<_>>();
    let mut sorted = BTreeSet::new();
    for key in STATES {
        for state in job_states(extension, key) {
            let message = match (known.is_empty() || known.contains(state.as_str()), sorted.insert(state.clone())) {
                (false, _) => format!("{state:?} is not a state of the job"),
                (_, false) => format!("{state:?} is in two arrays"),
                _ => continue,
            };
            findings.add(&child(at, key), message, "list each value of the state's enum once");
        }
    }
    for state in known.into_iter().filter(|state| !sorted.contains(*state)) {
        let help = format!("add it to one of {}", STATES.join(", "));
        findings.add(at, format!("the state {state:?} is in no array"), help);
    }
}
