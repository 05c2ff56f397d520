//! Responses: one kind of success for the client, every documented success for the mock helpers, no errors.

use serde_json::{Map, Value, json};

use crate::codegen::successes::{is_json, not_null};

/// The statuses that the success responses keep.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Success {
    /// Any 2xx: a vendor that responds with 201 for a documented 200 has still succeeded.
    Any,
    /// The documented ones, so that mocks have a function for each.
    AsDocumented,
}

/// Success only. progenitor panics on two kinds of error, and loses status and headers of an error whose body is not what was
/// promised; core reads error responses itself.
pub(super) fn responses(all: &[(&str, &Value)], download: bool, success: Success) -> Value {
    let successes = all.iter().filter(|(status, _)| status.starts_with('2'));
    let mut kept = Map::new();
    for (status, response) in successes {
        let status = if success == Success::Any { "2XX" } else { status };
        let mut entry = json!({"description": ""});
        if let Some(content) = response_content(response, download) {
            entry["content"] = content;
        }
        // One without a body adds nothing to one that has it.
        if entry.get("content").is_some() || !kept.contains_key(status) {
            kept.insert(status.to_owned(), entry);
        }
    }
    Value::Object(kept)
}

fn response_content(response: &Value, download: bool) -> Option<Value> {
    let media = response.get("content")?.as_object().filter(|media| !media.is_empty())?;
    let json = media.iter().find(|(name, _)| is_json(name));
    Some(match json {
        Some((_, json)) if media.len() == 1 && !download => {
            json!({"application/json": {"schema": json.get("schema").map(not_null)}})
        }
        // Of several media types progenitor takes JSON, whatever comes.
        _ => json!({"*/*": {"schema": {"type": "string", "format": "binary"}}}),
    })
}
