//! `all-of`: `allOf` holds something other than one reference, or is beside keywords that it does not combine with.

use openapi_document::resolve;
use serde_json::Value;

use crate::{
    codegen::normalize::IGNORED_KEYWORDS,
    lint::{Context, Example, Findings, Level, Rule, Scope},
};

pub(crate) static RULE: Rule = Rule {
    id: "all-of",
    level: Level::Error,
    scope: Scope::Curation,
    finds: "`allOf` holds something other than one reference, or is beside keywords that it does not combine with.",
    why: "The generator would make a type that is neither.",
    instead: "Write the properties out, or leave the other keywords out.",
    example: Example {
        pointer: "/components/schemas/Order/properties/note",
        value: r#"{"description": "d", "allOf": [{"type": "string"}]}"#,
        found_at: "/components/schemas/Order/properties/note",
    },
    check,
};

/// Keywords that may be beside `allOf`, in addition to those that the generator does not get to see.
const BESIDE_ALL_OF: [&str; 6] = ["allOf", "description", "nullable", "deprecated", "readOnly", "writeOnly"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for node in context.own_schemas() {
        let Some(parts) = node.schema.get("allOf").and_then(Value::as_array) else { continue };
        if parts.len() != 1 || parts[0].get("$ref").is_none() {
            findings.add(&node.pointer, "allOf of something else than one $ref", "write the properties out");
        }
        // Written by many generators, and harmless: the type is that of the component.
        let is_object =
            |part: &Value| resolve(context.root, part).get("type").and_then(Value::as_str) == Some("object");
        let is_object = node.text("type") == "object" && parts.first().is_some_and(is_object);
        for key in node.schema.keys() {
            let is_kept = BESIDE_ALL_OF.contains(&key.as_str()) || IGNORED_KEYWORDS.contains(&key.as_str());
            if !(is_kept || key.starts_with("x-") || is_object && key == "type") {
                let help = "leave it out: the component that is referred to states it";
                findings.add(&node.pointer, format!("{key:?} beside allOf"), help);
            }
        }
    }
}
