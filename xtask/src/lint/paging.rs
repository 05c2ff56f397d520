//! `x-pagination`: the facade turns pages by what it says, so what it names has to be there; and what is paged has to say so.

use openapi_document::{Operation, operations, pointer::child};
use serde_json::{Map, Value};

use super::{Findings, Rule, marks::fields};
use crate::codegen::identifiers::value_name;

const KEYS: [&str; 8] = ["style", "param", "limit", "default", "max", "items", "next", "end"];
const STYLES: [&str; 4] = ["offset", "page", "cursor", "next-uri"];

/// Parameters of which one means that there is more than one page.
const TURNING: [&str; 12] = [
    "offset",
    "page",
    "page_number",
    "page_num",
    "page_token",
    "next_token",
    "next_page_token",
    "continuation_token",
    "cursor",
    "skip",
    "starting_after",
    "after",
];

pub(super) fn check(root: &Value, findings: &mut Findings) {
    for operation in operations(root) {
        match operation.value.get("x-pagination") {
            Some(Value::Object(mark)) => marked(root, &operation, mark, findings),
            Some(_) => {
                let at = child(&operation.pointer, "x-pagination");
                findings.add(Rule::Pagination, &at, "not a mapping", format!("known are {}", KEYS.join(", ")));
            }
            None => unmarked(root, &operation, findings),
        }
    }
}

fn marked(root: &Value, operation: &Operation<'_>, mark: &Map<String, Value>, findings: &mut Findings) {
    let at = child(&operation.pointer, "x-pagination");
    fields(Rule::Pagination, mark, &KEYS, &at, findings);
    let text = |key: &str| mark.get(key).and_then(Value::as_str);
    if text("style").is_none_or(|style| !STYLES.contains(&style)) {
        findings.add(Rule::Pagination, &at, "no style that is known", format!("known are {}", STYLES.join(", ")));
    }
    let answer = operation.success(root);
    let is_list = answer.and_then(|schema| schema.get("type")).and_then(Value::as_str) == Some("array");
    if text("items").is_none() && !is_list {
        findings.add(Rule::Pagination, &at, "no `items`", "name the answer's list");
    }
    for key in ["items", "next"] {
        // Without a schema another rule speaks.
        if let (Some(path), Some(answer)) = (text(key), answer)
            && openapi_document::field(root, answer, path).is_none()
        {
            let message = format!("the answer has no field {path:?}");
            findings.add(
                Rule::Pagination,
                &child(&at, key),
                message,
                "name a field of the answer, with dots between levels",
            );
        }
    }
    for key in ["param", "limit"] {
        let Some(name) = text(key) else { continue };
        let parameters = operation.parameters(root);
        let parameter = parameters.iter().find(|parameter| parameter.get("name").and_then(Value::as_str) == Some(name));
        // A page may also be asked for in the body.
        if parameter.is_none() && operation.body(root).is_none() {
            let message = format!("there is no parameter {name:?}");
            findings.add(Rule::Pagination, &child(&at, key), message, "name one of the operation's parameters");
        }
        let maximum = parameter.and_then(|parameter| parameter.pointer("/schema/maximum"));
        if let (Some(said), Some(maximum)) = (mark.get("max"), maximum)
            && key == "limit"
            && said != maximum
        {
            let message = format!("{said} here, but {maximum} at the parameter {name:?}");
            findings.add(Rule::Pagination, &child(&at, "max"), message, "write what the vendor documents in both");
        }
    }
}

fn unmarked(root: &Value, operation: &Operation<'_>, findings: &mut Findings) {
    let parameters = operation
        .parameters(root)
        .into_iter()
        .filter(|parameter| parameter.get("in").and_then(Value::as_str) == Some("query"));
    let mut names = parameters.filter_map(|parameter| parameter.get("name").and_then(Value::as_str));
    if let Some(name) = names.find(|name| TURNING.contains(&value_name(name).as_str())) {
        let help = "write `x-pagination`: the README of openapi/ says how";
        findings.add(Rule::Unmarked, &operation.pointer, format!("the parameter {name:?} turns pages"), help);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::lint::tests::{NONE, broken};

    const MARK: &str = "/paths/~1orders/get/x-pagination";

    #[test]
    fn the_mark_has_known_keys_and_a_known_style() {
        assert_eq!(broken(MARK, json!(true)), ["pagination"]);
        assert_eq!(broken(&format!("{MARK}/size"), json!(1)), ["pagination"]);
        assert_eq!(broken(&format!("{MARK}/style"), json!("pages")), ["pagination"]);
    }

    #[test]
    fn the_mark_names_what_is_there() {
        for key in ["param", "limit", "items", "next"] {
            assert_eq!(broken(&format!("{MARK}/{key}"), json!("nothing")), ["pagination"], "{key}");
        }
        assert_eq!(broken(&format!("{MARK}/items"), Value::Null), ["pagination"]);
        assert_eq!(broken(&format!("{MARK}/next"), Value::Null), NONE);
    }

    #[test]
    fn the_largest_page_is_said_once() {
        assert_eq!(broken(&format!("{MARK}/max"), json!(1000)), ["pagination"]);
    }

    #[test]
    fn what_turns_pages_is_marked() {
        assert_eq!(broken(MARK, Value::Null), ["unmarked"]);
    }
}
