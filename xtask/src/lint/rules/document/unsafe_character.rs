//! `unsafe-character`: a string has characters that rustc rejects in comments.

use openapi_document::pointer::{child, item};
use serde_json::Value;

use crate::{
    lint::{Context, Example, Findings, Level, Rule, Scope},
    text::markdown::unsafe_characters,
};

pub(crate) static RULE: Rule = Rule {
    id: "unsafe-character",
    level: Level::Warning,
    scope: Scope::Generator,
    finds: "A string has characters that rustc rejects in comments.",
    why: "They are removed from the documentation.",
    instead: "Remove them.",
    example: Example {
        pointer: "/components/schemas/Order/properties/note/description",
        value: r#""A \u202enote.""#,
        found_at: "/components/schemas/Order/properties/note/description",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    strings(context.root, "", findings);
}

/// Checks all strings that become documentation. A line feed of Windows is a line feed to Markdown as well.
fn strings(node: &Value, at: &str, findings: &mut Findings) {
    match node {
        Value::Object(map) => {
            for (key, value) in map.iter().filter(|(key, _)| !matches!(key.as_str(), "example" | "examples")) {
                let at = child(at, key);
                match (key.as_str(), value) {
                    ("description" | "summary" | "title", Value::String(text)) => {
                        let found = unsafe_characters(text);
                        if !found.is_empty() {
                            let message = format!("{} would not be in the documentation", found.join(", "));
                            findings.add(&at, message, "remove it");
                        }
                    }
                    _ => strings(value, &at, findings),
                }
            }
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(index, value)| strings(value, &item(at, index), findings));
        }
        _ => {}
    }
}
