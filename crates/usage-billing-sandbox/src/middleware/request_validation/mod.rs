//! Validates requests against the curated documents, before the handlers.

mod error_response;
mod field_names;
mod request;
mod schema;
mod violation;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::http_util::request::is_json;
use crate::http_util::response;
use crate::middleware::request_log::Log;
use crate::vendors::document::Document;
use crate::vendors::{RequestContext, Vendor, acronis, genesys, suger};

/// Overrides for one request whether the sandbox is strict.
const STRICT: &str = "x-sandbox-strict";

/// The layer that validates requests.
pub(crate) struct RequestValidation {
    /// Whether unknown parameters, fields and headers are violations.
    pub(crate) strict: bool,
    pub(crate) log: Arc<Log>,
}

/// Rejects a request that violates the document. Credentials were checked before, so that strangers learn nothing about their requests.
pub(crate) async fn check(State(layer): State<Arc<RequestValidation>>, mut request: Request, next: Next) -> Response {
    let Some(context) = request.extensions().get::<RequestContext>().copied() else { return next.run(request).await };
    let (Some(vendor), Some(operation)) = (context.vendor, context.operation) else { return next.run(request).await };
    let document = Document::of(vendor);
    let Some(operation) = document.operation(&operation.name) else { return next.run(request).await };
    let mut body = Bytes::new();
    if let Some(schema) = operation.body.filter(|_| reads_json(vendor, request.headers())) {
        let taken = std::mem::take(request.body_mut());
        *request.body_mut() = match read_body(taken, max_body_bytes(vendor)).await {
            Ok(bytes) => {
                // Only Suger's servers are written in Go.
                body = match vendor {
                    Vendor::Suger => field_names::as_documented(document.root, schema, &bytes),
                    Vendor::Genesys | Vendor::Acronis => bytes,
                };
                Body::from(body.clone())
            }
            Err(body) => body,
        };
    }
    let strict = match strictness(request.headers()) {
        Ok(strict) => strict.unwrap_or(layer.strict),
        Err(message) => return response::message(StatusCode::BAD_REQUEST, message),
    };
    let incoming =
        request::IncomingRequest { vendor, uri: request.uri(), headers: request.headers(), body: &body, strict };
    let violations = incoming.violations(document, operation);
    let Some(first) = violations.first() else { return next.run(request).await };
    let messages: Vec<String> = violations.iter().map(ToString::to_string).collect();
    layer.log.set_violations(context.number, &messages);
    error_response::error_response(vendor, first)
}

/// Returns the length up to which bodies are validated. Longer ones are rejected by the handlers.
fn max_body_bytes(vendor: Vendor) -> usize {
    match vendor {
        Vendor::Genesys => genesys::MAX_BODY_BYTES,
        Vendor::Suger => suger::MAX_BODY_BYTES,
        Vendor::Acronis => acronis::MAX_BODY_BYTES,
    }
}

/// Returns whether a vendor reads the body as JSON: Suger ignores the content type, the others reject another one with
/// 415.
fn reads_json(vendor: Vendor, headers: &HeaderMap) -> bool {
    is_json(headers) || vendor == Vendor::Suger
}

/// Reads the header. Other values are errors, because callers would believe that they have set strictness.
fn strictness(headers: &HeaderMap) -> Result<Option<bool>, &'static str> {
    match headers.get(STRICT).map(HeaderValue::as_bytes) {
        None => Ok(None),
        Some(b"true" | b"1") => Ok(Some(true)),
        Some(b"false" | b"0") => Ok(Some(false)),
        Some(_) => Err("Invalid X-Sandbox-Strict: expected true or false."),
    }
}

/// Reads a body. If it is too large or truncated, returns it as it was, so that the handler rejects it.
async fn read_body(body: Body, max: usize) -> Result<Bytes, Body> {
    let mut rest = body.into_data_stream();
    let mut read = BytesMut::new();
    while let Some(chunk) = rest.next().await {
        match chunk {
            Ok(chunk) => read.extend_from_slice(&chunk),
            Err(error) => return Err(Body::from_stream(stream::iter([Ok(read.freeze()), Err(error)]))),
        }
        if read.len() > max {
            return Err(Body::from_stream(stream::iter([Ok(read.freeze())]).chain(rest)));
        }
    }
    Ok(read.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 1_000;

    #[tokio::test]
    async fn oversized_or_truncated_body_is_forwarded_unchanged() {
        assert_eq!(read_body(Body::from("[1]"), MAX).await.unwrap(), "[1]");
        let chunk = || Ok::<_, std::io::Error>(Bytes::from(vec![b' '; MAX / 2]));
        let large = read_body(Body::from_stream(stream::iter([chunk(), chunk(), chunk()])), MAX).await.unwrap_err();
        assert_eq!(axum::body::to_bytes(large, usize::MAX).await.unwrap().len(), MAX / 2 * 3);
        let cut = stream::iter([chunk(), Err(std::io::Error::other("reset"))]);
        let cut = read_body(Body::from_stream(cut), MAX).await.unwrap_err();
        assert!(axum::body::to_bytes(cut, usize::MAX).await.is_err());
    }
}
