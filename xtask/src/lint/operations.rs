//! Operations: names that make methods, and where each comes from.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Findings;
use crate::{document::operations, names::value_name};

/// Methods that the client has already, by itself or by the runtime's traits.
const TAKEN: [&str; 8] = ["new", "new_with_client", "api_version", "baseurl", "client", "inner", "pre", "exec"];

pub(super) fn check_document(root: &Value, findings: &mut Findings) {
    if !text(root, "/openapi").starts_with("3.0.") {
        findings.error("openapi-version", "/openapi", "not OpenAPI 3.0", "convert it: the generator reads 3.0 only");
    }
    if text(root, "/info/title").is_empty() {
        findings.error("info-title", "/info", "no title", "write the name of the vendor's API");
    }
    let version = text(root, "/info/version");
    let shape = version.chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter }).collect::<String>();
    if shape != "0000-00-00" {
        findings.error(
            "info-version",
            "/info/version",
            format!("{version:?} is no date"),
            "write the date of the last check against the sources, YYYY-MM-DD, as text",
        );
    }
}

pub(super) fn check(root: &Value, findings: &mut Findings) {
    let mut seen = BTreeMap::<String, String>::new();
    for operation in operations(root) {
        let at = &operation.pointer;
        let id = operation.id();
        if id.is_empty() {
            findings.error("operation-id", at, "no operationId", "give it the name that the vendor's SDK uses");
            continue;
        }
        let name = value_name(id);
        if TAKEN.contains(&name.as_str()) || name == "post" {
            findings.error(
                "operation-id",
                at,
                format!("{id:?} is a method that every client has"),
                "name it otherwise",
            );
        }
        if let Some(other) = seen.insert(name.clone(), at.clone()) {
            findings.error(
                "operation-id",
                at,
                format!("{id:?} makes the method {name}, as {other} does"),
                "name one otherwise",
            );
        }
        sources(&operation, findings);
        if operation.text("summary").is_empty() {
            findings.warning("summary", at, "no summary", "say in a line what it is for");
        }
    }
}

fn sources(operation: &crate::document::Operation<'_>, findings: &mut Findings) {
    let sources = operation.value.get("x-source").and_then(Value::as_array);
    let complete = sources.is_some_and(|sources| {
        let said =
            |source: &Value, key: &str| source.get(key).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
        !sources.is_empty() && sources.iter().all(|source| said(source, "ref") && said(source, "seen"))
    });
    if !complete {
        findings.error(
            "source",
            &operation.pointer,
            "no complete x-source",
            "list `{ref, seen}`: page or SDK file with its version, and the date",
        );
    }
}

fn text<'a>(root: &'a Value, pointer: &str) -> &'a str {
    root.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::lint::tests::broken;

    const GET: &str = "/paths/~1orders~1{orderId}/get";

    #[test]
    fn only_openapi_3_0_is_read() {
        assert_eq!(broken("/openapi", json!("3.1.0")), ["openapi-version"]);
    }

    #[test]
    fn the_version_is_a_date() {
        assert_eq!(broken("/info/version", json!("v2")), ["info-version"]);
        assert_eq!(broken("/info/version", json!(2)), ["info-version"]);
    }

    #[test]
    fn a_document_has_a_title() {
        assert_eq!(broken("/info/title", Value::Null), ["info-title"]);
    }

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
    }

    #[test]
    fn an_operation_without_a_summary_is_warned_of() {
        assert_eq!(broken(&format!("{GET}/summary"), Value::Null), ["summary"]);
    }
}
