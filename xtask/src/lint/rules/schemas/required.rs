//! `required`: `required` names a field that is not among the properties.

use openapi_document::SchemaLocation;
use serde_json::Value;

use super::properties;
use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "required",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "`required` names a field that is not among the properties.",
    why: "The generated type would have no such field.",
    instead: "Describe the property, or remove it from `required`.",
    example: Example {
        pointer: "/components/schemas/Order/required/0",
        value: r#""number""#,
        found_at: "/components/schemas/Order",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for node in context.own_schemas() {
        let required = node.schema.get("required").and_then(Value::as_array).into_iter().flatten();
        // A part may require what another part describes.
        let is_part = node.location == SchemaLocation::Subschema || node.schema.contains_key("allOf");
        let is_property = |name: &str| properties(node).is_some_and(|properties| properties.contains_key(name));
        for name in required.filter_map(Value::as_str).filter(|name| !is_part && !is_property(name)) {
            let message = format!("{name:?} is required, but is not a property");
            findings.add(&node.pointer, message, "describe it, or remove it from `required`");
        }
    }
}
