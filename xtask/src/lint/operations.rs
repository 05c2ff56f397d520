//! Operations: names that make methods, and where each comes from.

use std::collections::BTreeMap;

use openapi_document::operations;
use serde_json::Value;

use super::{Findings, Rule};
use crate::codegen::identifiers::{CLIENT_METHODS, value_name};

pub(super) fn check(root: &Value, findings: &mut Findings) {
    let mut seen = BTreeMap::<String, String>::new();
    for operation in operations(root) {
        let at = &operation.pointer;
        let id = operation.id();
        if id.is_empty() {
            findings.add(Rule::OperationId, at, "no operationId", "give it the name that the vendor's SDK uses");
            continue;
        }
        let name = value_name(id);
        if ["options", "trace"].contains(&operation.method) {
            let message = format!("the HTTP client has no method {}", operation.method);
            findings.add(Rule::Method, at, message, "leave the operation out");
        }
        if CLIENT_METHODS.contains(&name.as_str()) {
            findings.add(
                Rule::OperationId,
                at,
                format!("{id:?} is a method that every client has"),
                "name it otherwise",
            );
        }
        if let Some(other) = seen.insert(name.clone(), at.clone()) {
            findings.add(
                Rule::OperationId,
                at,
                format!("{id:?} makes the method {name}, as {other} does"),
                "name one otherwise",
            );
        }
        sources(&operation, findings);
        if operation.text("summary").is_empty() {
            findings.add(Rule::Summary, at, "no summary", "say in a line what it is for");
        }
    }
}

fn sources(operation: &openapi_document::Operation<'_>, findings: &mut Findings) {
    let sources = operation.value.get("x-source").and_then(Value::as_array);
    let complete = sources.is_some_and(|sources| {
        let text = |source: &Value, key: &str| source.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        !sources.is_empty()
            && sources.iter().all(|source| !text(source, "ref").is_empty() && super::is_date(&text(source, "seen")))
    });
    if !complete {
        findings.add(
            Rule::Source,
            &operation.pointer,
            "no complete x-source",
            "list `{ref, seen}`: page or SDK file with its version, and the date, YYYY-MM-DD",
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::lint::tests::broken;

    const GET: &str = "/paths/~1orders~1{orderId}/get";

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        assert_eq!(broken(&format!("{GET}/operationId"), Value::Null), ["operation-id"]);
        assert_eq!(broken(&format!("{GET}/operationId"), json!("exec")), ["operation-id"]);
        assert_eq!(broken(&format!("{GET}/operationId"), json!("create_order")), ["operation-id"]);
    }

    #[test]
    fn every_operation_says_where_it_comes_from() {
        assert_eq!(broken(&format!("{GET}/x-source"), Value::Null), ["source"]);
        assert_eq!(broken(&format!("{GET}/x-source"), json!([{"ref": "page"}])), ["source"]);
        assert_eq!(broken(&format!("{GET}/x-source/0/seen"), json!("last year")), ["source"]);
    }

    #[test]
    fn an_operation_without_a_summary_is_warned_of() {
        assert_eq!(broken(&format!("{GET}/summary"), Value::Null), ["summary"]);
    }
}
