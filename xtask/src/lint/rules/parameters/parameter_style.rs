//! `parameter-style`: a parameter has another style than the default one of its location.

use serde_json::Value;

use crate::lint::{Context, Example, Findings, Level, Rule, Scope, context::Parameter};

pub(crate) static RULE: Rule = Rule {
    id: "parameter-style",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "A parameter has another style than the default one of its location, or is an object in the query that is not exploded.",
    why: "The generator sends it in the default style, whatever the document states.",
    instead: "Describe the parameter as a plain string in the form in which it is sent.",
    example: Example {
        pointer: "/paths/~1orders/get/parameters/2/style",
        value: r#""deepObject""#,
        found_at: "/paths/~1orders/get/parameters/2",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (Parameter { at, name, location, value, .. }, schema) in context.typed_parameters() {
        let default = if *location == "query" { "form" } else { "simple" };
        let style = value.get("style").and_then(Value::as_str).unwrap_or(default);
        if ["query", "path", "header"].contains(location) && style != default {
            let message = format!("parameter {name:?} has the style {style:?}");
            findings.add(at, message, format!("only {default:?} is supported"));
        }
        let is_object = schema.get("type").and_then(Value::as_str) == Some("object");
        if *location == "query" && is_object && value.get("explode").and_then(Value::as_bool) == Some(false) {
            let help = "describe a plain string, and state its form";
            findings.add(at, format!("object {name:?} is not exploded, but would be sent so"), help);
        }
    }
}
