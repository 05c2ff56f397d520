//! Media types: ours is one of those that the vendor documents.

use std::collections::BTreeSet;

use openapi_document::{Operation, pointer::child, resolve};
use serde_json::Value;

use super::Comparison;
use crate::import::Published;

impl Comparison<'_> {
    /// Compares the media types of the body and of the success with those in the vendor's file.
    pub(super) fn media_types(&mut self, own: &Operation<'_>, (theirs, other): (&Published, &Operation<'_>)) {
        let root = &theirs.root;
        let body = other.value.get("requestBody").map(|body| resolve(root, body));
        let sent = [own.body(self.ours)].into_iter().flatten().flat_map(names).collect();
        let taken = body.map_or_else(|| swagger(root, other, "consumes"), |body| names(body).collect());
        self.media_type(&child(&own.pointer, "requestBody"), &sent, &taken);
        let success = |operation: &Operation<'_>, root: &Value| {
            let successes = operation.responses(root).into_iter().filter(|(status, _)| status.starts_with('2'));
            successes.flat_map(|(_, response)| names(response).collect::<Vec<_>>()).collect::<BTreeSet<_>>()
        };
        let mut sent = success(other, root);
        if sent.is_empty() && other.responses(root).iter().any(|(_, response)| response.get("schema").is_some()) {
            sent = swagger(root, other, "produces");
        }
        self.media_type(&child(&own.pointer, "responses"), &success(own, self.ours), &sent);
    }

    fn media_type(&mut self, at: &str, own: &BTreeSet<String>, theirs: &BTreeSet<String>) {
        let is_any = |media: &String| matches!(media.as_str(), "*/*" | "application/octet-stream");
        if theirs.is_empty() || theirs.iter().any(|media| media.contains('*')) {
            return;
        }
        let all = theirs.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        for media in own.iter().filter(|media| !is_any(media) && !theirs.contains(*media)) {
            self.add(at, "media-type", format!("{media} here, {all} at the vendor's"));
        }
    }
}

/// Returns the media types of a body in one form of letters, without blanks.
fn names(holder: &Value) -> impl Iterator<Item = String> {
    let content = holder.get("content").and_then(Value::as_object).into_iter().flatten();
    content.map(|(media, _)| media.to_lowercase().replace(' ', ""))
}

/// Returns the media types of Swagger 2.0: those of the operation, or else of the document.
fn swagger(root: &Value, operation: &Operation<'_>, key: &str) -> BTreeSet<String> {
    let stated = operation.value.get(key).or_else(|| root.get(key)).and_then(Value::as_array).into_iter().flatten();
    stated.filter_map(Value::as_str).map(|media| media.to_lowercase().replace(' ', "")).collect()
}
