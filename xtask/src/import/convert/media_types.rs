//! Media types: which are JSON, forms, plain text or bytes.

use openapi_document::{Operation, pointer::child, resolve};
use serde_json::Value;

use crate::codegen::media_types::BodyKind;

/// A media type with its schema and where that is.
pub(super) type Media = (String, Option<Value>, String);
pub(super) type Content = Vec<Media>;

/// Returns how a media type is sent and read. Nothing for one that is neither JSON nor a single type.
pub(super) fn kind(media: &str) -> Option<BodyKind> {
    if is_any_media(media) { Some(BodyKind::Json) } else { BodyKind::of(media) }
}

/// Returns whether a media type is any: what is sent and read is JSON.
pub(crate) fn is_any_media(media: &str) -> bool {
    ["", "*/*", "application/*"].contains(&media.split(';').next().unwrap_or_default().trim())
}

/// Returns whether a media type is a form that is sent URL-encoded.
pub(crate) fn is_form(media: &str) -> bool {
    kind(media) == Some(BodyKind::Form)
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
