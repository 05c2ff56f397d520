//! Enums: components of texts, each with a Rust name of its own and a line that says what it means.

use std::collections::BTreeSet;

use openapi_document::{Place, SchemaNode};
use serde_json::Value;

use super::{Findings, Rule};
use crate::codegen::open_enum;

pub(super) fn check(root: &Value, findings: &mut Findings) {
    for node in openapi_document::schemas(root).into_iter().filter(|node| !node.schema.contains_key("$ref")) {
        one(&node, findings);
    }
}

fn one(node: &SchemaNode<'_>, findings: &mut Findings) {
    let (schema, at) = (node.schema, &node.pointer);
    let Some(list) = schema.get("enum").and_then(Value::as_array) else { return };
    if list.iter().all(Value::is_null) {
        return findings.add(Rule::Enum, at, "an enum without values", "list them, or leave `enum` out");
    }
    if node.text("type") != "string" {
        let help = "leave `enum` out and list the values in the description";
        return findings.add(Rule::EnumType, at, "an enum of other than text", help);
    }
    if node.place != Place::Component {
        return findings.add(Rule::InlineEnum, at, "an enum without a name", "make it a component and refer to it");
    }
    if let Some(odd) = list.iter().find(|value| !value.is_string() && !value.is_null()) {
        return findings.add(Rule::Enum, at, format!("the value {odd} is no text"), "write it in quotes");
    }
    let schema = Value::Object(schema.clone());
    let (values, names) = (open_enum::values(&schema), open_enum::variant_names(&schema));
    let help = "name them all in `x-enum-varnames`, in their order";
    if values.len() != names.len() {
        return findings.add(Rule::Enum, at, format!("{} values and {} names", values.len(), names.len()), help);
    }
    let mut seen = BTreeSet::new();
    for (value, name) in values.iter().zip(&names) {
        let usable = syn::parse_str::<syn::Ident>(name).is_ok() && name.starts_with(char::is_uppercase);
        if !usable || name == "Unknown" || value.is_empty() && name == "X" {
            findings.add(Rule::Enum, at, format!("the value {value:?} makes no name of its own ({name})"), help);
        }
        if !seen.insert(name) {
            findings.add(Rule::Enum, at, format!("two values make the name {name}"), help);
        }
    }
    if values.iter().collect::<BTreeSet<_>>().len() != values.len() {
        findings.add(Rule::Enum, at, "a value stands twice", "list each once");
    }
    let described = open_enum::described(&schema);
    for value in values.iter().filter(|value| !described.contains(value)) {
        let help = "add a line \"- `VALUE`: what it means\"";
        findings.add(Rule::EnumValues, at, format!("the value {value:?} is not described"), help);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::lint::tests::broken;

    const STATUS: &str = "/components/schemas/Status";

    #[test]
    fn enum_values_have_names_of_their_own() {
        let status = |values: Value, names: Value| {
            broken(STATUS, json!({"type": "string", "description": "d", "enum": values, "x-enum-varnames": names}))
                .into_iter()
                .filter(|rule| rule != "enum-values")
                .collect::<Vec<_>>()
        };
        assert_eq!(status(json!(["a", "A"]), json!(["A", "A"])), ["enum"]);
        assert_eq!(status(json!(["a", "b"]), json!(["A"])), ["enum"]);
        assert_eq!(status(json!(["<"]), json!(["<"])), ["enum"]);
        assert_eq!(status(json!(["unknown"]), json!(["Unknown"])), ["enum"]);
        assert_eq!(status(json!(["", "a"]), json!(["X", "A"])), ["enum"]);
    }

    #[test]
    fn enums_have_values_and_these_are_texts() {
        for values in [json!([]), json!([null]), json!(["a", 1]), json!([true])] {
            let schema = json!({"type": "string", "description": "d", "enum": values});
            assert_eq!(broken(STATUS, schema), ["enum"], "{values}");
        }
    }
}
