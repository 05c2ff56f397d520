//! Requests are held against the curated documents before a handler sees them.

mod document;
mod error_response;
mod field_names;
mod request;
mod schema;

use std::fmt;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, StatusCode, header};

pub(crate) use self::document::{Document, json, yaml};
use crate::http_util::response;
use crate::middleware::request_log::Log;
use crate::vendors::{Call, Vendor};
use crate::vendors::{acronis, genesys, suger};

/// Turns strictness on (`true`) or off (`false`) for one request, whatever the sandbox was started with.
const STRICT: &str = "x-sandbox-strict";

/// One thing about a request that does not fit the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    pub(crate) place: Place,
    /// JSON pointer within the place: into the body, or `/` and the name of a parameter or header.
    pub(crate) pointer: String,
    pub(crate) kind: Kind,
    /// What was wanted, in words.
    pub(crate) says: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
    Header,
    Body,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Missing,
    /// Another JSON type, or text that is no number or boolean.
    Type,
    /// A date, date-time, UUID or decimal that is none.
    Format,
    /// Not one of the listed values.
    Unlisted,
    /// Too small, too large, too long.
    Range,
    /// Not in the document: an error in strict mode only.
    Unknown,
}

impl fmt::Display for Misfit {
    /// As the log has it: `query#/limit: must be at most 1000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self.place {
            Place::Path => "path",
            Place::Query => "query",
            Place::Header => "header",
            Place::Body => "body",
        };
        write!(f, "{place}#{}: {}", self.pointer, self.says)
    }
}

/// How requests are taken, and where it is written down what did not fit.
pub(crate) struct Gate {
    /// Whether what the document does not know is an error.
    pub(crate) strict: bool,
    pub(crate) log: Arc<Log>,
}

/// The layer before the vendors' handlers and behind their sign-in: who may not ask is not told what is wrong.
pub(crate) async fn check(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    let Some(call) = request.extensions().get::<Call>().copied() else { return next.run(request).await };
    let (Some(vendor), Some(operation)) = (call.vendor, call.operation) else { return next.run(request).await };
    let document = Document::of(vendor);
    let Some(operation) = document.operation(operation.name) else { return next.run(request).await };
    let mut body = Bytes::new();
    if let Some(schema) = operation.body.as_ref().filter(|_| is_for_us(vendor, request.headers())) {
        let taken = std::mem::take(request.body_mut());
        *request.body_mut() = match whole(taken, largest_body(vendor)).await {
            Ok(bytes) => {
                // Its servers are written in Go, the others' are not.
                body = match vendor {
                    Vendor::Suger => field_names::as_documented(document, schema, &bytes),
                    Vendor::Genesys | Vendor::Acronis => bytes,
                };
                Body::from(body.clone())
            }
            Err(body) => body,
        };
    }
    let strict = match strictness(request.headers()) {
        Ok(strict) => strict.unwrap_or(gate.strict),
        Err(message) => return response::json(StatusCode::BAD_REQUEST, &serde_json::json!({"message": message})),
    };
    let asked = request::Asked { vendor, uri: request.uri(), headers: request.headers(), body: &body, strict };
    let misfits = asked.misfits(document, operation);
    let Some(first) = misfits.first() else { return next.run(request).await };
    gate.log.misfits(call.number, misfits.iter().map(ToString::to_string).collect());
    error_response::error_response(vendor, first)
}

/// What is longer is left to the handlers, which refuse it.
fn largest_body(vendor: Vendor) -> usize {
    match vendor {
        Vendor::Genesys => genesys::LARGEST_BODY,
        Vendor::Suger => suger::LARGEST_BODY,
        Vendor::Acronis => acronis::LARGEST_BODY,
    }
}

/// Whether a body is taken as JSON at all: Suger does not ask what it is declared as, the others refuse it (415).
fn is_for_us(vendor: Vendor, headers: &HeaderMap) -> bool {
    let declared = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()?.split(';').next());
    let is_json = declared.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"));
    is_json || vendor == Vendor::Suger
}

/// Whatever else it says would be taken for strictness by whoever said it.
fn strictness(headers: &HeaderMap) -> Result<Option<bool>, &'static str> {
    match headers.get(STRICT).map(HeaderValue::as_bytes) {
        None => Ok(None),
        Some(b"true" | b"1") => Ok(Some(true)),
        Some(b"false" | b"0") => Ok(Some(false)),
        Some(_) => Err("X-Sandbox-Strict is true or false."),
    }
}

/// All of a body; or, if it is too large or cut off, the body as it was, for the handler to refuse.
async fn whole(body: Body, most: usize) -> Result<Bytes, Body> {
    let mut rest = body.into_data_stream();
    let mut read = BytesMut::new();
    while let Some(chunk) = rest.next().await {
        match chunk {
            Ok(chunk) => read.extend_from_slice(&chunk),
            Err(error) => return Err(Body::from_stream(stream::iter([Ok(read.freeze()), Err(error)]))),
        }
        if read.len() > most {
            return Err(Body::from_stream(stream::iter([Ok(read.freeze())]).chain(rest)));
        }
    }
    Ok(read.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 1_000;

    #[tokio::test]
    async fn a_body_that_is_too_large_or_cut_off_is_handed_on_as_it_came() {
        assert_eq!(whole(Body::from("[1]"), MOST).await.unwrap(), "[1]");
        let chunk = || Ok::<_, std::io::Error>(Bytes::from(vec![b' '; MOST / 2]));
        let large = whole(Body::from_stream(stream::iter([chunk(), chunk(), chunk()])), MOST).await.unwrap_err();
        assert_eq!(axum::body::to_bytes(large, usize::MAX).await.unwrap().len(), MOST / 2 * 3);
        let cut = stream::iter([chunk(), Err(std::io::Error::other("reset"))]);
        let cut = whole(Body::from_stream(cut), MOST).await.unwrap_err();
        assert!(axum::body::to_bytes(cut, usize::MAX).await.is_err());
    }

    #[test]
    fn a_misfit_names_its_place() {
        let says = "must be at most 1000".to_owned();
        let misfit = Misfit { place: Place::Query, pointer: "/limit".to_owned(), kind: Kind::Range, says };
        assert_eq!(misfit.to_string(), "query#/limit: must be at most 1000");
    }
}
