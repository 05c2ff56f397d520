//! `parameter-name`: a parameter has no name, or the name of another one in the same location.

use openapi_document::is_same_parameter;
use serde_json::Value;

use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "parameter-name",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "A parameter has no name, or the name of another one in the same location.",
    why: "Two of one name are one in HTTP, where the case of headers does not count.",
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
        let mut known = Vec::<&Value>::new();
        for (at, parameter) in operation.parameters_at(context.root) {
            let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
            if name.is_empty() {
                findings.add(&at, "a parameter without a name", "write its `name`");
                continue;
            }
            if known.iter().any(|other| is_same_parameter(other, parameter)) {
                let location = parameter.get("in").and_then(Value::as_str).unwrap_or_default();
                findings.add(&at, format!("{name:?} is listed twice in {location}"), "leave one out");
            }
            known.push(parameter);
        }
    }
}
