//! `enum-names`: an enum has no values, values that are not strings, or values without a Rust name of their own.

use std::collections::BTreeSet;

use openapi_document::{
    SchemaNode,
    pointer::{child, item},
};
use serde_json::Value;

use super::named_enums;
use crate::{
    codegen::open_enum,
    lint::{Context, Example, Findings, Level, Rule, Scope},
};

pub(crate) static RULE: Rule = Rule {
    id: "enum-names",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "An enum has no values, values that are not strings, or values without a Rust name of their own.",
    why: "The type would not compile.",
    instead: "List each value once, as a string; name them in `x-enum-varnames` where they make no name.",
    example: Example {
        pointer: "/components/schemas/Status",
        value: r#"{"type": "string", "description": "- `unknown`: d", "enum": ["unknown"]}"#,
        found_at: "/components/schemas/Status/enum/0",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for node in context.own_schemas() {
        let Some(list) = node.schema.get("enum").and_then(Value::as_array) else { continue };
        if list.iter().all(Value::is_null) {
            findings.add(&node.pointer, "an enum without values", "list them, or leave `enum` out");
        }
    }
    for (node, list) in named_enums(context) {
        let at = child(&node.pointer, "enum");
        let others = list.iter().enumerate().filter(|(_, value)| !value.is_string() && !value.is_null());
        let others = others.collect::<Vec<_>>();
        for (index, other) in &others {
            findings.add(&item(&at, *index), format!("the value {other} is not a string"), "write it in quotes");
        }
        if others.is_empty() {
            let pointers = list.iter().enumerate().filter(|(_, value)| value.is_string());
            names(node, &pointers.map(|(index, _)| item(&at, index)).collect::<Vec<_>>(), findings);
        }
    }
}

/// Checks the names of the values, which are at `pointers`.
fn names(node: &SchemaNode<'_>, pointers: &[String], findings: &mut Findings) {
    let (schema, at) = (Value::Object(node.schema.clone()), &node.pointer);
    let (values, names) = (open_enum::values(&schema), open_enum::variant_names(&schema));
    let help = "name them all in `x-enum-varnames`, in their order";
    if values.len() != names.len() {
        return findings.add(at, format!("{} values and {} names", values.len(), names.len()), help);
    }
    let mut seen = BTreeSet::new();
    let mut listed = BTreeSet::new();
    for ((value, name), at) in values.iter().zip(&names).zip(pointers) {
        let usable = syn::parse_str::<syn::Ident>(name).is_ok() && name.starts_with(char::is_uppercase);
        if !usable || name == "Unknown" || value.is_empty() && name == "X" {
            findings.add(at, format!("the value {value:?} has no name of its own ({name})"), help);
        }
        if !listed.insert(value) {
            findings.add(at, "duplicate value", "list each once");
        } else if !seen.insert(name) {
            findings.add(at, format!("two values have the name {name}"), help);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{lint::lint, test_support::changed};

    const STATUS: &str = "/components/schemas/Status";

    #[test]
    fn each_value_is_reported_at_its_own_place() {
        let pointers = |values: Value| {
            let document = changed(STATUS, json!({"type": "string", "description": "d", "enum": values}));
            let found = lint(&document).into_iter().filter(|finding| finding.rule.id == "enum-names");
            found.map(|finding| finding.pointer).collect::<Vec<_>>()
        };
        let pointer = |index: usize| format!("{STATUS}/enum/{index}");
        assert_eq!(pointers(json!(["a", true, null, 3])), [pointer(1), pointer(3)]);
        assert_eq!(pointers(json!([null, "a", "b", "a"])), [pointer(3)]);
        assert_eq!(pointers(json!(["a", "unknown"])), [pointer(1)]);
    }
}
