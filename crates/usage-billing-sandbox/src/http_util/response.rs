//! Responses, whichever vendor sends them.

use axum::body::Body;
use axum::response::Response;
use chrono::{DateTime, Utc};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::json;

/// A response with this extension is not sent: the connection is reset instead.
#[derive(Clone, Copy)]
pub(crate) struct ConnectionReset;

/// Returns the response that makes the server reset the connection.
pub(crate) fn reset_connection() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(ConnectionReset);
    response
}

pub(crate) fn is_reset(response: &Response) -> bool {
    response.extensions().get::<ConnectionReset>().is_some()
}

/// Serializes the body directly: a detour over `serde_json::Value` would turn decimals into floats.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => with_body(status, "application/json", bytes),
        Err(error) => with_body(
            StatusCode::INTERNAL_SERVER_ERROR,
            "text/plain; charset=utf-8",
            format!("the sandbox cannot serialize its response: {error}").into_bytes(),
        ),
    }
}

pub(crate) fn ok(body: &impl Serialize) -> Response {
    json(StatusCode::OK, body)
}

pub(crate) fn with_body(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Computes a response on another thread: in a large dataset it takes seconds, for which other requests would wait.
pub(crate) async fn blocking(work: impl FnOnce() -> Response + Send + 'static) -> Response {
    let failed = || json(StatusCode::INTERNAL_SERVER_ERROR, &"the sandbox cannot compute its response");
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| failed())
}

/// Formats an instant for `Date` and `Retry-After`.
pub(crate) fn http_date(instant: DateTime<Utc>) -> HeaderValue {
    // The format has no years of five digits.
    const LAST: DateTime<Utc> = DateTime::from_timestamp(253_370_764_800, 0).expect("the year 9999");
    let text = httpdate::fmt_http_date(instant.clamp(DateTime::UNIX_EPOCH, LAST).into());
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// Returns a response of the sandbox itself, not of a vendor.
pub(crate) fn message(status: StatusCode, message: &str) -> Response {
    json(status, &json!({"message": message}))
}
