//! `pagination`: `x-pagination` has no known style, or names parameters or fields that do not exist.

use openapi_document::{Operation, field, pointer::child};
use serde_json::{Map, Value};

use super::unknown_keys;
use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "pagination",
    level: Level::Error,
    scope: Scope::Curation,
    finds: "`x-pagination` has no known style, or names parameters or fields that do not exist.",
    why: "The facade requests further pages by it.",
    instead: "Name the parameters of the operation and the fields of its response.",
    example: Example {
        pointer: "/paths/~1orders/get/x-pagination/items",
        value: r#""rows""#,
        found_at: "/paths/~1orders/get/x-pagination/items",
    },
    check,
};

const KEYS: [&str; 8] = ["style", "param", "limit", "default", "max", "items", "next", "end"];
const STYLES: [&str; 4] = ["offset", "page", "cursor", "next-uri"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for operation in &context.operations {
        match operation.value.get("x-pagination") {
            Some(Value::Object(extension)) => check_extension(context.root, operation, extension, findings),
            Some(_) => {
                let at = child(&operation.pointer, "x-pagination");
                findings.add(&at, "not an object", format!("known are {}", KEYS.join(", ")));
            }
            None => {}
        }
    }
}

fn check_extension(root: &Value, operation: &Operation<'_>, extension: &Map<String, Value>, findings: &mut Findings) {
    let at = child(&operation.pointer, "x-pagination");
    unknown_keys(extension, &KEYS, &at, findings);
    let text = |key: &str| extension.get(key).and_then(Value::as_str);
    if text("style").is_none_or(|style| !STYLES.contains(&style)) {
        findings.add(&at, "unknown style", format!("known are {}", STYLES.join(", ")));
    }
    let response = operation.success(root);
    let is_list = response.and_then(|schema| schema.get("type")).and_then(Value::as_str) == Some("array");
    if text("items").is_none() && !is_list {
        findings.add(&at, "no `items`", "name the response's array");
    }
    for key in ["items", "next"] {
        // Another rule finds that the schema is missing.
        if let (Some(path), Some(response)) = (text(key), response)
            && field(root, response, path).is_none()
        {
            let message = format!("the response has no field {path:?}");
            findings.add(&child(&at, key), message, "name a field of the response, with dots between levels");
        }
    }
    for key in ["param", "limit"] {
        let Some(name) = text(key) else { continue };
        let parameters = operation.parameters(root);
        let parameter = parameters.iter().find(|parameter| parameter.get("name").and_then(Value::as_str) == Some(name));
        // The page may also be requested in the body.
        if parameter.is_none() && operation.body(root).is_none() {
            let message = format!("there is no parameter {name:?}");
            findings.add(&child(&at, key), message, "name one of the operation's parameters");
        }
        let maximum = parameter.and_then(|parameter| parameter.pointer("/schema/maximum"));
        if let (Some(stated), Some(maximum)) = (extension.get("max"), maximum)
            && key == "limit"
            && stated != maximum
        {
            let message = format!("{stated} here, but {maximum} at the parameter {name:?}");
            findings.add(&child(&at, "max"), message, "write what the vendor documents in both");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::lint::tests::{NONE, broken};

    const MARK: &str = "/paths/~1orders/get/x-pagination";

    #[test]
    fn unknown_key_and_style_are_found() {
        assert_eq!(broken(MARK, json!(true)), ["pagination"]);
        assert_eq!(broken(&format!("{MARK}/size"), json!(1)), ["pagination"]);
        assert_eq!(broken(&format!("{MARK}/style"), json!("pages")), ["pagination"]);
    }

    #[test]
    fn unknown_parameter_and_field_are_found() {
        for key in ["param", "limit", "items", "next"] {
            assert_eq!(broken(&format!("{MARK}/{key}"), json!("nothing")), ["pagination"], "{key}");
        }
        assert_eq!(broken(&format!("{MARK}/items"), Value::Null), ["pagination"]);
        assert_eq!(broken(&format!("{MARK}/next"), Value::Null), NONE);
    }

    #[test]
    fn maximum_must_equal_that_of_the_parameter() {
        assert_eq!(broken(&format!("{MARK}/max"), json!(1000)), ["pagination"]);
    }
}
