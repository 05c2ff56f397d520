//! `parameter-name`: a parameter has no name, or one that makes the same setter as another.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    codegen::identifiers::value_name,
    lint::{Context, Example, Findings, Level, Rule, Scope},
};

pub(crate) static RULE: Rule = Rule {
    id: "parameter-name",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "A parameter has no name, or one that makes the same setter as another.",
    why: "The generated request has one method per parameter.",
    instead: "Name the parameter, or leave one of two out.",
    example: Example {
        pointer: "/paths/~1orders/get/parameters/2",
        value: r#"{"name": "Limit", "in": "query", "description": "d", "schema": {"type": "string"}}"#,
        found_at: "/paths/~1orders/get/parameters/2",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for operation in &context.operations {
        let mut setters = BTreeMap::<String, &str>::new();
        for (at, parameter) in operation.parameters_at(context.root) {
            let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
            let setter = value_name(name);
            if name.is_empty() {
                findings.add(&at, "a parameter without a name", "write its `name`");
            }
            if setter == "body" && operation.value.contains_key("requestBody") {
                let help = "the generator has one setter for both: leave one out";
                findings.add(&at, "a parameter `body` beside a request body", help);
            }
            if let Some(other) = setters.insert(setter, name) {
                let message = format!("parameters {other:?} and {name:?} make the same setter");
                findings.add(&at, message, "the generator cannot distinguish them: leave one out");
            }
        }
    }
}
