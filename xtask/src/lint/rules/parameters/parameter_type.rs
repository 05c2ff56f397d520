//! `parameter-type`: the type of a parameter has no single form as a string, or another one than the generator sends.

use openapi_document::resolve;
use serde_json::Value;

use crate::lint::{Context, Example, Findings, Level, Rule, Scope, context::Parameter};

pub(crate) static RULE: Rule = Rule {
    id: "parameter-type",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "The type of a parameter has no single form as a string, or another one than the generator sends.",
    why: "The vendor would receive another value than the caller set.",
    instead: "Describe a plain string.",
    example: Example {
        pointer: "/paths/~1orders/get/parameters/2/schema",
        value: r#"{"type": "object", "additionalProperties": true}"#,
        found_at: "/paths/~1orders/get/parameters/2",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (Parameter { at, name, location, .. }, schema) in context.typed_parameters() {
        let of = |key: &str| text(schema, key);
        if of("type") == "object" || (of("type") == "array" && *location != "query") {
            let message = format!("parameter {name:?} is of type {} in {location}", of("type"));
            findings.add(at, message, "describe it as the string that is sent");
        }
        let items = schema.get("items").map(|items| resolve(context.root, items));
        let mut schemas = [Some(schema), items].into_iter().flatten();
        if schemas.any(|schema| ["decimal", "lenient-decimal"].contains(&text(schema, "format"))) {
            let message = format!("decimal {name:?} in {location} would be sent by way of a float");
            findings.add(at, message, "describe a plain string");
        }
        if !["path", "header"].contains(location) {
            continue;
        }
        if ["date-time", "lenient-date-time"].contains(&of("format")) {
            let message = format!("date-time {name:?} in {location} would not be sent as RFC 3339");
            findings.add(at, message, "describe a plain string");
        }
        for (found, what) in [
            (of("format") == "password", "a `password` is never printed, so it"),
            (schema.get("nullable") == Some(&Value::Bool(true)), "a nullable value has no form as a string, so it"),
        ] {
            if found {
                let message = format!("{what} cannot be sent in {location}: parameter {name:?}");
                findings.add(at, message, "describe a plain string");
            }
        }
    }
}

fn text<'a>(node: &'a Value, key: &str) -> &'a str {
    node.get(key).and_then(Value::as_str).unwrap_or_default()
}
