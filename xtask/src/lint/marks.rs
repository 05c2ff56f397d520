//! Marks (`x-…`): core and the facade act on them, so a misspelt one is a client that behaves otherwise than the document says.

use serde_json::{Map, Value};

use super::{Findings, tree};
use crate::{
    document::{Operation, operations, resolve},
    pointer::child,
};

const ON_OPERATIONS: [&str; 11] = [
    "x-source",
    "x-permissions",
    "x-rate-limit",
    "x-idempotent",
    "x-idempotent-with",
    "x-pagination",
    "x-long-running",
    "x-download",
    "x-superseded-by",
    "x-preview",
    "x-client",
];
const ON_SCHEMAS: [&str; 2] = ["x-enum-varnames", "x-any"];
const PAGINATION: [&str; 8] = ["style", "param", "limit", "default", "max", "items", "next", "end"];
const STYLES: [&str; 4] = ["offset", "page", "cursor", "next-uri"];
const LONG_RUNNING: [&str; 6] = ["poll", "id", "status", "pending", "succeeded", "failed"];

pub(super) fn check(root: &Value, findings: &mut Findings) {
    let all = operations(root);
    for operation in &all {
        let at = &operation.pointer;
        known(operation.value, &ON_OPERATIONS, at, findings);
        for mark in ["x-idempotent", "x-download", "x-preview"] {
            if operation.value.get(mark).is_some_and(|value| !value.is_boolean()) {
                findings.error("mark", &child(at, mark), "neither true nor false", "write `true` or leave it out");
            }
        }
        if operation.value.contains_key("x-client") && !operation.of_core() {
            findings.error(
                "mark",
                &child(at, "x-client"),
                "not `core`",
                "write `core` if core sends it itself, or leave it out",
            );
        }
        for (mark, field) in [("x-superseded-by", None), ("x-long-running", Some("poll"))] {
            let value = operation.value.get(mark).and_then(|value| field.map_or(Some(value), |field| value.get(field)));
            let id = value.and_then(Value::as_str);
            if id.is_some_and(|id| all.iter().all(|other| other.id() != id)) {
                findings.warning(
                    "mark",
                    &child(at, mark),
                    "names an operation that is not in this document",
                    "add it or explain it in the description",
                );
            }
        }
        idempotent_with(root, operation, findings);
        pagination(root, operation, findings);
        if let Some(long) = operation.value.get("x-long-running").and_then(Value::as_object) {
            fields(long, &LONG_RUNNING, &child(at, "x-long-running"), findings);
        }
    }
    for node in tree::schemas(root) {
        known(node.schema, &ON_SCHEMAS, &node.pointer, findings);
        if node.schema.get("x-any").is_some_and(|value| *value != Value::Bool(true)) {
            findings.error("mark", &child(&node.pointer, "x-any"), "not true", "write `true` or leave it out");
        }
    }
}

fn known(map: &Map<String, Value>, marks: &[&str], pointer: &str, findings: &mut Findings) {
    for mark in map.keys().filter(|key| key.starts_with("x-") && !marks.contains(&key.as_str())) {
        findings.error(
            "mark",
            &child(pointer, mark),
            format!("no mark {mark:?} is known here"),
            format!("known are {}", marks.join(", ")),
        );
    }
}

fn fields(map: &Map<String, Value>, known: &[&str], pointer: &str, findings: &mut Findings) {
    for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
        findings.error(
            "mark",
            &child(pointer, key),
            format!("{key:?} is not known here"),
            format!("known are {}", known.join(", ")),
        );
    }
}

fn idempotent_with(root: &Value, operation: &Operation<'_>, findings: &mut Findings) {
    let field = operation.text("x-idempotent-with");
    let content = operation.body(root).and_then(|body| body.get("content")).and_then(Value::as_object);
    let schema = content.and_then(|content| content.values().next()).and_then(|media| media.get("schema"));
    let properties = schema.and_then(|schema| resolve(root, schema).get("properties"));
    if !field.is_empty() && properties.is_some_and(|properties| properties.get(field).is_none()) {
        findings.error(
            "mark",
            &child(&operation.pointer, "x-idempotent-with"),
            format!("the body has no field {field:?}"),
            "name a field of the request's body",
        );
    }
}

fn pagination(root: &Value, operation: &Operation<'_>, findings: &mut Findings) {
    let Some(paging) = operation.value.get("x-pagination").and_then(Value::as_object) else { return };
    let at = child(&operation.pointer, "x-pagination");
    fields(paging, &PAGINATION, &at, findings);
    let text = |key: &str| paging.get(key).and_then(Value::as_str);
    if text("style").is_none_or(|style| !STYLES.contains(&style)) {
        findings.error("mark", &at, "no style that is known", format!("known are {}", STYLES.join(", ")));
    }
    if text("items").is_none() && !answers_with_list(root, operation) {
        findings.error("mark", &at, "no `items`", "name the answer's list");
    }
    let parameters = operation.parameters(root);
    for key in ["param", "limit"] {
        let missing = text(key).filter(|name| {
            parameters.iter().all(|parameter| parameter.get("name").and_then(Value::as_str) != Some(name))
        });
        // A page may also be asked for in the body.
        if let Some(name) = missing.filter(|_| operation.body(root).is_none()) {
            findings.error(
                "mark",
                &child(&at, key),
                format!("there is no parameter {name:?}"),
                "name one of the operation's parameters",
            );
        }
    }
}

/// Whether a success is a bare list, which needs no name.
fn answers_with_list(root: &Value, operation: &Operation<'_>) -> bool {
    operation.responses(root).into_iter().filter(|(status, _)| status.starts_with('2')).any(|(_, response)| {
        let schema = response.pointer("/content/application~1json/schema").map(|schema| resolve(root, schema));
        schema.and_then(|schema| schema.get("type")).and_then(Value::as_str) == Some("array")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::lint::tests::broken;

    const LIST: &str = "/paths/~1orders/get";
    const CREATE: &str = "/paths/~1orders/post";

    #[test]
    fn a_misspelt_mark_is_an_error() {
        assert_eq!(broken(&format!("{CREATE}/x-idempotant"), json!(true)), ["mark"]);
        assert_eq!(broken("/components/schemas/Status/x-enum-names", json!(["A"])), ["mark"]);
    }

    #[test]
    fn marks_have_values_of_their_kind() {
        assert_eq!(broken(&format!("{CREATE}/x-idempotent"), json!("yes")), ["mark"]);
        assert_eq!(broken(&format!("{CREATE}/x-client"), json!("facade")), ["mark"]);
        assert_eq!(broken(&format!("{CREATE}/x-long-running"), json!({"pol": "list_orders"})), ["mark"]);
    }

    #[test]
    fn marks_name_what_is_there() {
        assert_eq!(broken(&format!("{CREATE}/x-idempotent-with"), json!("key")), ["mark"]);
        assert_eq!(broken(&format!("{LIST}/x-superseded-by"), json!("nothing")), ["mark"]);
        assert_eq!(broken(&format!("{LIST}/x-pagination/param"), json!("nothing")), ["mark"]);
        assert_eq!(broken(&format!("{LIST}/x-pagination/style"), json!("pages")), ["mark"]);
    }
}
