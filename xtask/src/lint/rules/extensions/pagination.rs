//! `pagination`: `x-pagination` has no known style, or names parameters or fields that do not exist.

use openapi_document::{Operation, field, pointer::child};
use serde_json::{Map, Value};

use super::unknown_fields;
use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "pagination",
    level: Level::Error,
    scope: Scope::Curation,
    finds: "`x-pagination` has no known style, or names parameters or fields that do not exist.",
    why: "The method `stream` of the call requests further pages by it.",
    instead: "Name the parameters of the operation and the fields of its response, as docs/documents.md describes.",
    example: Example {
        pointer: "/paths/~1orders/get/x-pagination/items",
        value: r#""rows""#,
        found_at: "/paths/~1orders/get/x-pagination/items",
    },
    check,
};

const KEYS: [&str; 15] = [
    "style", "param", "first", "alone", "limit", "default", "max", "items", "optional", "next", "more", "pages",
    "error", "reasons", "end",
];
/// The styles with the keys that they need.
const STYLES: [(&str, &[&str]); 5] = [
    ("offset", &["param"]),
    ("page", &["param"]),
    ("cursor", &["param", "next"]),
    ("next-uri", &["next"]),
    ("link", &[]),
];

/// Returns the types that the field of a key may have.
fn wanted_types(key: &str) -> &'static [&'static str] {
    match key {
        "items" => &["array"],
        "more" => &["boolean"],
        "pages" => &["integer", "number"],
        // Of any type.
        "error" => &["string", "integer", "number", "boolean", "object", "array"],
        _ => &["string", "integer", "number"],
    }
}

/// Checks the keys that do not name anything.
fn check_values(extension: &Map<String, Value>, at: &str, findings: &mut Findings) {
    for key in ["first", "default", "max"] {
        if extension.get(key).is_some_and(|value| value.as_i64().is_none_or(|number| number < 0)) {
            findings.add(&child(at, key), "not a whole number", "write the number that the vendor documents");
        }
    }
    for key in ["alone", "optional"] {
        if extension.get(key).is_some_and(|value| *value != Value::Bool(true)) {
            findings.add(&child(at, key), "not true", "write `true` or leave it out");
        }
    }
}

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
    unknown_fields(extension, &KEYS, &at, findings);
    let text = |key: &str| extension.get(key).and_then(Value::as_str);
    match text("style").and_then(|style| STYLES.iter().find(|(known, _)| *known == style)) {
        None => {
            let known = STYLES.map(|(style, _)| style).join(", ");
            findings.add(&at, "unknown style", format!("known are {known}"));
        }
        Some((style, needed)) => {
            for key in needed.iter().filter(|key| text(key).is_none()) {
                let message = format!("the style {style} has no `{key}`");
                findings.add(&at, message, "name the parameter that selects a page, and the field of the next page");
            }
        }
    }
    check_values(extension, &at, findings);
    let response = operation.success(root);
    let is_list = response.and_then(|schema| schema.get("type")).and_then(Value::as_str) == Some("array");
    if text("items").is_none() && !is_list {
        findings.add(&at, "no `items`", "name the response's array");
    }
    let reasons = extension.get("reasons").and_then(Value::as_array).into_iter().flatten();
    let reasons = reasons.map(|path| ("reasons", path.as_str()));
    for (key, path) in
        ["items", "next", "more", "pages", "error"].map(|key| (key, text(key))).into_iter().chain(reasons)
    {
        // Another rule finds that the schema is missing.
        let (Some(path), Some(response)) = (path, response) else { continue };
        match field(root, response, path).map(|field| field.get("type").and_then(Value::as_str)) {
            None => {
                let message = format!("the response has no field {path:?}");
                findings.add(&child(&at, key), message, "name a field of the response, with dots between levels");
            }
            Some(of) => {
                let wanted = wanted_types(key);
                if of.is_some_and(|of| !wanted.contains(&of)) {
                    let message = format!("the field {path:?} is not of the type {}", wanted.join(" or "));
                    findings.add(&child(&at, key), message, "name the field that the vendor documents for it");
                }
            }
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
