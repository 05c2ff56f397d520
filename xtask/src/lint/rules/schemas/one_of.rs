//! `one-of`: a schema has `oneOf`, `anyOf` or `not`.

use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "one-of",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "A schema has `oneOf`, `anyOf` or `not`.",
    why: "Their types reject values that fit no part, or do not decode at all.",
    instead: "Describe one object with the fields that all parts have, and the others optional.",
    example: Example {
        pointer: "/components/schemas/Order/properties/note",
        value: r#"{"description": "d", "oneOf": [{"type": "string"}]}"#,
        found_at: "/components/schemas/Order/properties/note",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for node in context.own_schemas() {
        for (key, harm) in [
            ("oneOf", "a value that fits none of its parts, such as one that the vendor adds, would fail the response"),
            ("anyOf", "its type takes only what fits objects of all parts at once: a string never decodes"),
            ("not", "its type rejects responses"),
        ] {
            if node.schema.contains_key(key) {
                let help = "describe one object with the fields that all have, and the rest optional";
                findings.add(&node.pointer, format!("{key}: {harm}"), help);
            }
        }
    }
}
