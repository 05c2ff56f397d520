//! `keyword`: a keyword is beside a type that it does not belong to.

use openapi_document::pointer::child;

use super::schema_type::TYPES;
use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "keyword",
    level: Level::Error,
    scope: Scope::Curation,
    finds: "A keyword is beside a type that it does not belong to.",
    why: "The generator makes neither type of it.",
    instead: "Write the type that the keyword belongs to.",
    example: Example {
        pointer: "/components/schemas/Order/properties/note/items",
        value: r#"{"type": "string"}"#,
        found_at: "/components/schemas/Order/properties/note/items",
    },
    check,
};

/// Keywords that only one type has.
const OF_ONE_TYPE: [(&str, &str); 4] =
    [("properties", "object"), ("required", "object"), ("additionalProperties", "object"), ("items", "array")];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for node in context.own_schemas() {
        let kind = match node.schema.get("type") {
            None => "",
            Some(kind) => match kind.as_str().filter(|kind| TYPES.contains(kind)) {
                Some(kind) => kind,
                // Another rule finds the type.
                None => continue,
            },
        };
        for (key, of) in OF_ONE_TYPE.iter().filter(|(key, of)| *of != kind && node.schema.contains_key(*key)) {
            let (message, help) = (format!("{key:?} of type {kind:?}"), format!("write `type: {of}` beside it"));
            findings.add(&child(&node.pointer, key), message, help);
        }
    }
}
