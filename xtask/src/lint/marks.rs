//! Marks (`x-…`): core and the facade act on them, so a misspelt one is a client that behaves otherwise than the document says.

use openapi_document::{Operation, operations, pointer::child, resolve};
use serde_json::{Map, Value};

use super::{Findings, Rule, kinds::Kind};

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

pub(super) fn check(root: &Value, findings: &mut Findings) {
    let all = operations(root);
    for operation in &all {
        let at = &operation.pointer;
        known(operation.value, &ON_OPERATIONS, at, findings);
        for mark in ["x-idempotent", "x-download", "x-preview"] {
            if operation.value.get(mark).is_some_and(|value| !value.is_boolean()) {
                findings.add(Rule::Mark, &child(at, mark), "neither true nor false", "write `true` or leave it out");
            }
        }
        if operation.value.contains_key("x-client") && !operation.is_sent_by_core() {
            findings.add(
                Rule::Mark,
                &child(at, "x-client"),
                "not `core`",
                "write `core` if core sends it itself, or leave it out",
            );
        }
        for (mark, fits) in [("x-permissions", Kind::Texts), ("x-rate-limit", Kind::Text)] {
            if operation.value.get(mark).is_some_and(|value| !fits.fits(value)) {
                let help = format!("write {}, or leave it out", fits.name());
                findings.add(Rule::Mark, &child(at, mark), format!("not {}", fits.name()), help);
            }
        }
        let newer = operation.value.get("x-superseded-by").map(|newer| newer.as_str().unwrap_or_default());
        if newer.is_some_and(|newer| newer.is_empty() || all.iter().all(|other| other.id() != newer)) {
            findings.add(
                Rule::Mark,
                &child(at, "x-superseded-by"),
                "names an operation that is not in this document",
                "add it, or say it in the description",
            );
        }
        idempotency(root, operation, findings);
        final_statuses(operation, findings);
    }
    for node in openapi_document::schemas(root) {
        known(node.schema, &ON_SCHEMAS, &node.pointer, findings);
        if node.schema.get("x-any").is_some_and(|value| *value != Value::Bool(true)) {
            findings.add(Rule::Mark, &child(&node.pointer, "x-any"), "not true", "write `true` or leave it out");
        }
    }
}

fn known(map: &Map<String, Value>, marks: &[&str], pointer: &str, findings: &mut Findings) {
    for mark in map.keys().filter(|key| key.starts_with("x-") && !marks.contains(&key.as_str())) {
        findings.add(
            Rule::Mark,
            &child(pointer, mark),
            format!("no mark {mark:?} is known here"),
            format!("known are {}", marks.join(", ")),
        );
    }
}

/// Finds the keys of a mark that nothing reads.
pub(super) fn fields(rule: Rule, map: &Map<String, Value>, known: &[&str], pointer: &str, findings: &mut Findings) {
    for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
        let help = format!("known are {}", known.join(", "));
        findings.add(rule, &child(pointer, key), format!("{key:?} is not known here"), help);
    }
}

fn idempotency(root: &Value, operation: &Operation<'_>, findings: &mut Findings) {
    let mut found = |mark: &str, message: String, help: &str| {
        findings.add(Rule::Idempotency, &child(&operation.pointer, mark), message, help);
    };
    let marks = ["x-idempotent", "x-idempotent-with"].map(|mark| operation.value.contains_key(mark).then_some(mark));
    if marks == [Some("x-idempotent"), Some("x-idempotent-with")] {
        found("x-idempotent", "beside `x-idempotent-with`".to_owned(), "keep the one that the vendor says");
    }
    for mark in marks.into_iter().flatten().filter(|_| !["post", "patch"].contains(&operation.method)) {
        let message = format!("{} is repeatable by HTTP", operation.method.to_uppercase());
        found(mark, message, "leave it out: the mark is for POST and PATCH");
    }
    if operation.flag("x-idempotent") && operation.text("description").is_empty() {
        found("x-idempotent", "no reason for it".to_owned(), "say in the description what the vendor guarantees");
    }
    let Some(field) = operation.value.get("x-idempotent-with") else { return };
    let content = operation.body(root).and_then(|body| body.get("content")).and_then(Value::as_object);
    let schema = content.and_then(|content| content.values().next()).and_then(|media| media.get("schema"));
    let body = schema.map(|schema| resolve(root, schema));
    let named = field.as_str().zip(body).and_then(|(field, body)| body.get("properties")?.get(field));
    if named.is_none() {
        found("x-idempotent-with", format!("the body has no field {field}"), "name a field of the request's body");
    }
}

/// Statuses that are a response and no failure are error statuses that the operation documents.
fn final_statuses(operation: &Operation<'_>, findings: &mut Findings) {
    let Some(statuses) = operation.value.get("x-final-statuses") else { return };
    let responses = operation.value.get("responses");
    let is_documented = |status: &Value| {
        let number = status.as_u64().filter(|number| (400..600).contains(number));
        number.is_some_and(|number| responses.and_then(|all| all.get(number.to_string())).is_some())
    };
    if !statuses.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(is_documented)) {
        findings.add(
            Rule::Mark,
            &child(&operation.pointer, "x-final-statuses"),
            "not a list of error statuses that the operation documents",
            "list numbers such as 500 that are keys of `responses`, or leave it out",
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::lint::tests::{NONE, broken};

    const LIST: &str = "/paths/~1orders/get";
    const CREATE: &str = "/paths/~1orders/post";

    #[test]
    fn a_misspelt_mark_is_an_error() {
        assert_eq!(broken(&format!("{CREATE}/x-idempotant"), json!(true)), ["mark"]);
        assert_eq!(broken("/components/schemas/Status/x-enum-names", json!(["A"])), ["mark"]);
    }

    #[test]
    fn marks_have_values_of_their_kind() {
        assert_eq!(broken(&format!("{CREATE}/x-download"), json!("yes")), ["mark"]);
        assert_eq!(broken(&format!("{CREATE}/x-client"), json!("facade")), ["mark"]);
        assert_eq!(broken(&format!("{CREATE}/x-permissions"), json!("orders")), ["mark"]);
        assert_eq!(broken(&format!("{CREATE}/x-rate-limit"), json!(10)), ["mark"]);
        for statuses in [json!(500), json!([]), json!(["500"]), json!([200]), json!([599])] {
            assert_eq!(broken(&format!("{CREATE}/x-final-statuses"), statuses), ["mark"]);
        }
    }

    #[test]
    fn what_is_superseded_is_so_by_an_operation() {
        assert_eq!(broken(&format!("{LIST}/x-superseded-by"), json!("nothing")), ["mark"]);
        assert_eq!(broken(&format!("{LIST}/x-superseded-by"), json!("createOrder")), NONE);
    }

    #[test]
    fn a_repeatable_operation_says_why_and_how() {
        assert_eq!(broken(&format!("{CREATE}/x-idempotent-with"), json!("key")), ["idempotency"]);
        assert_eq!(broken(&format!("{CREATE}/x-idempotent-with"), json!(1)), ["idempotency"]);
        assert_eq!(broken(&format!("{CREATE}/x-idempotent"), json!(true)), ["idempotency"]);
        assert_eq!(broken(&format!("{LIST}/x-idempotent"), json!(true)), ["idempotency"]);
    }
}
