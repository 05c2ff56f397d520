//! Media types: which are JSON, forms, plain text or bytes.

use openapi_document::{Operation, pointer::child, resolve};
use serde_json::Value;

/// Media types with their schemas and where these are.
pub(super) type Content = Vec<(String, Option<Value>, String)>;

pub(super) const FORM: &str = "application/x-www-form-urlencoded";

/// The encoding of a body.
pub(super) enum Sent {
    Json,
    Form,
    Text,
    Bytes,
}

/// Returns how a media type is sent and read.
pub(super) fn kind(media: &str) -> Sent {
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media.as_str() {
        "" | "*/*" | "application/*" => Sent::Json,
        json if json.ends_with("/json") || json.ends_with("+json") => Sent::Json,
        // Of any characters, it could be no header.
        other if other.contains(|letter: char| !letter.is_ascii_graphic()) => Sent::Bytes,
        FORM => Sent::Form,
        text if text.starts_with("text/") => Sent::Text,
        _ => Sent::Bytes,
    }
}

/// Returns whether a media type is a form that is sent URL-encoded.
pub(crate) fn is_form(media: &str) -> bool {
    matches!(kind(media), Sent::Form)
}

pub(super) fn content(root: &Value, holder: &Value, at: &str) -> Content {
    let at = child(at, "content");
    let media = holder.get("content").and_then(Value::as_object).into_iter().flatten();
    media
        .map(|(name, media)| {
            (name.clone(), resolve(root, media).get("schema").cloned(), child(&child(&at, name), "schema"))
        })
        .collect()
}

/// Returns the media types of Swagger 2: the operation's, else the document's, else JSON.
pub(super) fn media_types(root: &Value, operation: &Operation<'_>, key: &str) -> Vec<String> {
    let list = operation.value.get(key).or_else(|| root.get(key)).and_then(Value::as_array);
    let list = list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>();
    if list.is_empty() { vec!["application/json".to_owned()] } else { list }
}

pub(super) fn text(holder: &Value, key: &str) -> String {
    holder.get(key).and_then(Value::as_str).unwrap_or_default().trim().to_owned()
}
