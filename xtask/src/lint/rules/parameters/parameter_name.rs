//! `parameter-name`: a parameter has no name, or is the same as another on the wire.

use serde_json::Value;

use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "parameter-name",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "A parameter has no name, or one that another header has in other letters.",
    why: "The generated request has one method per parameter, and HTTP has one header per name.",
    instead: "Name the parameter, or leave one of two out.",
    example: Example {
        pointer: "/paths/~1orders/get/parameters/2/name",
        value: r#""""#,
        found_at: "/paths/~1orders/get/parameters/2",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for operation in &context.operations {
        let mut headers = Vec::<String>::new();
        for (at, parameter) in operation.parameters_at(context.root) {
            let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
            if name.is_empty() {
                findings.add(&at, "a parameter without a name", "write its `name`");
            }
            if parameter.get("in").and_then(Value::as_str) == Some("header") {
                let header = name.to_lowercase();
                if headers.contains(&header) {
                    findings.add(&at, format!("the header {name:?} is listed twice"), "leave one out");
                }
                headers.push(header);
            }
        }
    }
}
