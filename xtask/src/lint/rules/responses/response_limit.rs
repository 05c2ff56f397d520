//! `response-limit`: a schema that only responses hold has a constraint.

use openapi_document::{SCHEMAS, pointer::child};

use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "response-limit",
    level: Level::Warning,
    scope: Scope::Curation,
    finds: "A schema that only responses hold has a constraint.",
    why: "The vendor enforces its own limits, and a response that breaks one is still a response.",
    instead: "Leave it out, or state it in the description.",
    example: Example {
        pointer: "/components/schemas/OrderPage/properties/next/maxLength",
        value: "9",
        found_at: "/components/schemas/OrderPage/properties/next/maxLength",
    },
    check,
};

const CONSTRAINTS: [&str; 9] =
    ["pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "uniqueItems", "multipleOf"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    let requests = context.in_requests();
    for node in &context.schemas {
        let is_in_response = match node.pointer.split('/').collect::<Vec<_>>().as_slice() {
            ["", "components", "schemas", name, ..] => !requests.contains(format!("{SCHEMAS}{name}").as_str()),
            ["", "components", "responses", ..] | ["", "paths", _, _, "responses", ..] => true,
            _ => false,
        };
        let constraint = CONSTRAINTS.iter().find(|key| node.schema.contains_key(**key));
        if let (true, Some(key)) = (is_in_response, constraint) {
            let help = "leave it out, or state it in the description: a response that breaks it is still a response";
            findings.add(&child(&node.pointer, key), format!("{key:?} on a response"), help);
        }
    }
}
