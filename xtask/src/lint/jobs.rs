//! `x-long-running`: the facade polls by what it says. A state that is in none of its lists would be polled for ever.

use std::collections::BTreeSet;

use openapi_document::{Operation, operations, pointer::child};
use serde_json::{Map, Value};

use super::{Findings, Rule, marks::fields};
use crate::codegen::open_enum;

const KEYS: [&str; 6] = ["poll", "id", "status", "pending", "succeeded", "failed"];
const STATES: [&str; 3] = ["pending", "succeeded", "failed"];

pub(super) fn check(root: &Value, findings: &mut Findings) {
    let all = operations(root);
    for operation in &all {
        match operation.value.get("x-long-running") {
            Some(Value::Object(mark)) => marked(root, &all, operation, mark, findings),
            Some(_) => {
                let at = child(&operation.pointer, "x-long-running");
                findings.add(Rule::LongRunning, &at, "not a mapping", format!("known are {}", KEYS.join(", ")));
            }
            None if operation.responses(root).iter().any(|(status, _)| *status == "202") => {
                let help = "write `x-long-running`: the README of openapi/ says how";
                findings.add(Rule::Unmarked, &operation.pointer, "202 says that the work goes on", help);
            }
            None => {}
        }
    }
}

fn marked(
    root: &Value,
    all: &[Operation<'_>],
    operation: &Operation<'_>,
    mark: &Map<String, Value>,
    findings: &mut Findings,
) {
    let at = child(&operation.pointer, "x-long-running");
    let text = |key: &str| mark.get(key).and_then(Value::as_str).unwrap_or_default();
    fields(Rule::LongRunning, mark, &KEYS, &at, findings);
    let Some(poll) = all.iter().find(|other| other.id() == text("poll") && !text("poll").is_empty()) else {
        let help = "name the operation of this document that is asked again";
        return findings.add(Rule::LongRunning, &at, format!("no operation {:?} to poll", text("poll")), help);
    };
    let named = |key: &str, answer: Option<&Value>, findings: &mut Findings| {
        if let (Some(answer), false) = (answer, text(key).is_empty())
            && openapi_document::field(root, answer, text(key)).is_none()
        {
            let message = format!("the answer has no field {:?}", text(key));
            findings.add(
                Rule::LongRunning,
                &child(&at, key),
                message,
                "name a field of the answer, with dots between levels",
            );
        }
    };
    named("id", operation.success(root), findings);
    named("status", poll.success(root), findings);
    if let Some(status) = poll.success(root).and_then(|answer| openapi_document::field(root, answer, text("status"))) {
        states(mark, status, &at, findings);
    }
}

fn states(mark: &Map<String, Value>, status: &Value, at: &str, findings: &mut Findings) {
    let known = open_enum::values(status).into_iter().collect::<BTreeSet<_>>();
    let mut sorted = BTreeSet::new();
    for key in STATES {
        let listed = mark.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        for state in listed {
            let message = match (known.is_empty() || known.contains(state), sorted.insert(state)) {
                (false, _) => format!("{state:?} is no state of the job"),
                (_, false) => format!("{state:?} is in two lists"),
                _ => continue,
            };
            findings.add(Rule::LongRunning, &child(at, key), message, "list each value of the state's enum once");
        }
    }
    for state in known.difference(&sorted) {
        let help = format!("add it to one of {}", STATES.join(", "));
        findings.add(Rule::LongRunning, at, format!("the state {state:?} is in no list"), help);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::lint::tests::{NONE, broken};

    const MARK: &str = "/paths/~1orders/post/x-long-running";

    fn order(states: &Value) -> Value {
        let mut mark = json!({"poll": "getOrder", "id": "id", "status": "status"});
        for (key, value) in states.as_object().into_iter().flatten() {
            mark[key] = value.clone();
        }
        mark
    }

    #[test]
    fn every_state_is_in_one_list() {
        assert_eq!(broken(MARK, order(&json!({"pending": ["OPEN"], "succeeded": ["DONE"]}))), NONE);
        for states in [
            json!({"pending": ["OPEN"]}),
            json!({"pending": ["OPEN"], "succeeded": ["DONE", "OPEN"]}),
            json!({"pending": ["OPEN"], "succeeded": ["DONE"], "failed": ["LOST"]}),
        ] {
            assert_eq!(broken(MARK, order(&states)), ["long-running"], "{states}");
        }
    }

    #[test]
    fn the_mark_names_what_is_there() {
        let states = json!({"pending": ["OPEN"], "succeeded": ["DONE"]});
        for (key, value) in [("poll", "nothing"), ("id", "number"), ("status", "state"), ("pol", "getOrder")] {
            let mut mark = order(&states);
            mark[key] = json!(value);
            assert_eq!(broken(MARK, mark), ["long-running"], "{key}");
        }
        assert_eq!(broken(MARK, json!(["getOrder"])), ["long-running"]);
    }

    #[test]
    fn what_goes_on_after_the_answer_is_marked() {
        let answer = json!({"$ref": "#/components/responses/Made"});
        assert_eq!(broken("/paths/~1orders/post/responses/202", answer), ["unmarked"]);
    }
}
