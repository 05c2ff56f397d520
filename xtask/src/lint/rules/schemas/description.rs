//! `description`: a type, field, parameter or response has no description.

use openapi_document::{SchemaLocation, resolve};
use serde_json::Value;

use crate::lint::{
    Context, Example, Findings, Level, Rule, Scope,
    context::Parameter,
    rules::responses::{Responses, responses},
};

pub(crate) static RULE: Rule = Rule {
    id: "description",
    level: Level::Warning,
    scope: Scope::Curation,
    finds: "A type, field, parameter or response has no description.",
    why: "It becomes the documentation of the generated code.",
    instead: "Describe it, with its unit.",
    example: Example {
        pointer: "/components/schemas/Order/properties/note/description",
        value: "null",
        found_at: "/components/schemas/Order/properties/note",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for node in context
        .own_schemas()
        .filter(|node| matches!(node.location, SchemaLocation::Property | SchemaLocation::Component))
    {
        let part = node.schema.get("allOf").and_then(|parts| parts.get(0));
        let is_described_there = |part: &Value| resolve(context.root, part).get("description").is_some();
        if node.text("description").is_empty() && !part.is_some_and(is_described_there) {
            findings.add(&node.pointer, "no description", "describe it, with its unit");
        }
    }
    for (Parameter { at, name, value, .. }, _) in context.typed_parameters() {
        if is_empty(value) {
            let message = format!("parameter {name:?} has no description");
            findings.add(at, message, "describe it, with unit and limits");
        }
    }
    for Responses { successes, errors, .. } in responses(context) {
        for response in successes.iter().chain(&errors).filter(|response| is_empty(response.value)) {
            findings.add(&response.at, "a response without a description", "describe when it is returned");
        }
    }
}

fn is_empty(node: &Value) -> bool {
    node.get("description").and_then(Value::as_str).is_none_or(str::is_empty)
}
