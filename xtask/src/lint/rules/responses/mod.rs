//! Rules about responses.

pub(in crate::lint) mod errors;
pub(in crate::lint) mod example;
pub(in crate::lint) mod media_type;
pub(in crate::lint) mod response_limit;
pub(in crate::lint) mod secret;
pub(in crate::lint) mod status;
pub(in crate::lint) mod success;

use openapi_document::{pointer::child, resolve_at};
use serde_json::{Value, json};

use crate::{codegen::successes::is_json, lint::Context};

/// The responses of an operation that is generated.
pub(in crate::lint) struct Responses<'a> {
    /// The pointer of `responses`.
    pub(in crate::lint) at: String,
    pub(in crate::lint) successes: Vec<Response<'a>>,
    pub(in crate::lint) errors: Vec<Response<'a>>,
    pub(in crate::lint) download: bool,
}

/// One resolved response.
pub(in crate::lint) struct Response<'a> {
    pub(in crate::lint) status: &'a str,
    pub(in crate::lint) at: String,
    pub(in crate::lint) value: &'a Value,
}

pub(in crate::lint) fn responses<'a>(context: &Context<'a>) -> impl Iterator<Item = Responses<'a>> {
    let root = context.root;
    context.generated_operations().map(move |operation| {
        let at = child(&operation.pointer, "responses");
        let all = operation.value.get("responses").and_then(Value::as_object).into_iter().flatten();
        let response = |(status, value): (&'a String, &'a Value)| {
            let (at, value) = resolve_at(root, child(&at, status), value);
            Response { status, at, value }
        };
        let (successes, errors) = all.map(response).partition(|response| response.status.starts_with('2'));
        Responses { successes, errors, download: operation.flag("x-download"), at }
    })
}

const BYTES: &str = "bytes";

/// Returns what a client reads of a success response: nothing, JSON of a schema, or bytes.
fn read_type(response: &Value, download: bool) -> Value {
    let is_empty = response.get("content").and_then(Value::as_object).is_none_or(|content| content.is_empty());
    match only_media_type(response) {
        Some((name, media)) if is_json(name) && !download => media.get("schema").cloned().unwrap_or_default(),
        None if is_empty => Value::Null,
        _ => json!(BYTES),
    }
}

/// Returns the media type of a response that has one.
fn only_media_type(response: &Value) -> Option<(&String, &Value)> {
    let mut content = response.get("content")?.as_object()?.iter();
    content.next().filter(|_| content.next().is_none())
}
