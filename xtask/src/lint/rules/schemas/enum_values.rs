//! `enum-values`: the description of an enum has no line for a value.

use serde_json::Value;

use super::named_enums;
use crate::{
    codegen::open_enum,
    lint::{Context, Example, Findings, Level, Rule, Scope},
};

pub(crate) static RULE: Rule = Rule {
    id: "enum-values",
    level: Level::Warning,
    scope: Scope::Curation,
    finds: "The description of an enum has no line for a value.",
    why: "It becomes the documentation of the type's variants.",
    instead: "Add a line ``- `VALUE`: what it means``.",
    example: Example {
        pointer: "/components/schemas/Status",
        value: r#"{"type": "string", "description": "State.", "enum": ["OPEN"]}"#,
        found_at: "/components/schemas/Status",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (node, list) in named_enums(context) {
        let schema = Value::Object(node.schema.clone());
        let (values, described) = (open_enum::values(&schema), open_enum::described(&schema));
        let is_valid = list.iter().all(|value| value.is_string() || value.is_null())
            && values.len() == open_enum::variant_names(&schema).len();
        for value in values.iter().filter(|value| is_valid && !described.contains(value)) {
            let help = "add a line \"- `VALUE`: what it means\"";
            findings.add(&node.pointer, format!("the value {value:?} is not described"), help);
        }
    }
}
