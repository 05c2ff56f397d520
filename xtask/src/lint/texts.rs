//! Texts: characters that do not get into the documentation.

use openapi_document::pointer::{child, item};
use serde_json::Value;

use super::{Findings, Rule};
use crate::text::markdown::unsafe_characters;

/// Checks all texts for people. A line break of Windows is one to Markdown as well.
pub(super) fn check(node: &Value, at: &str, findings: &mut Findings) {
    match node {
        Value::Object(map) => {
            for (key, value) in map.iter().filter(|(key, _)| !matches!(key.as_str(), "example" | "examples")) {
                let at = child(at, key);
                match (key.as_str(), value) {
                    ("description" | "summary" | "title", Value::String(text)) => text_of(text, &at, findings),
                    _ => check(value, &at, findings),
                }
            }
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(index, value)| check(value, &item(at, index), findings));
        }
        _ => {}
    }
}

fn text_of(text: &str, at: &str, findings: &mut Findings) {
    let found = unsafe_characters(text);
    if !found.is_empty() {
        let message = format!("{} would not be in the documentation", found.join(", "));
        findings.add(Rule::TextCharacter, at, message, "take it out");
    }
}
