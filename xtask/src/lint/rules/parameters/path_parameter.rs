//! `path-parameter`: the template of a path and the path parameters do not name the same.

use serde_json::Value;

use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "path-parameter",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "The template of a path and the path parameters do not name the same.",
    why: "The URL cannot be built.",
    instead: "Describe each name of the template with `in: path`, and no others.",
    example: Example {
        pointer: "/paths/~1orders/get/parameters/2",
        value: r#"{"name": "id", "in": "path", "required": true, "description": "d", "schema": {"type": "string"}}"#,
        found_at: "/paths/~1orders/get",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for operation in &context.operations {
        let template = operation.path.split('{').skip(1).filter_map(|part| part.split('}').next()).collect::<Vec<_>>();
        let text = |node: &'_ Value, key: &str| node.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let parameters = operation.parameters(context.root).into_iter();
        let declared = parameters.filter(|parameter| text(parameter, "in") == "path");
        let declared = declared.map(|parameter| text(parameter, "name")).collect::<Vec<_>>();
        for name in template.iter().filter(|name| !declared.iter().any(|known| known == *name)) {
            let help = "add the parameter with `in: path`";
            findings.add(&operation.pointer, format!("{{{name}}} is not declared"), help);
        }
        for name in declared.iter().filter(|name| !template.contains(&name.as_str())) {
            let help = "write it into the path or declare it `in: query`";
            findings.add(&operation.pointer, format!("{name:?} is not in the path"), help);
        }
    }
}
