//! Injects faults into requests and responses, outside the vendors' handlers.

mod fault;
mod fault_error;
mod json_rewrite;
mod response_faults;
mod rules;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::Value;

pub use self::fault::{Fault, FaultKind};
pub use self::fault_error::FaultError;
pub(crate) use self::rules::Faults;
use crate::clock::Clock;
use crate::http_util::response::{self, is_reset, reset_connection};
use crate::middleware::rate_limit::too_many_requests;
use crate::middleware::request_log::Log;
use crate::vendors::RequestContext;

/// Adds a fault to a request; may be repeated.
const HEADER: &str = "x-sandbox-fault";

/// The layer that injects faults.
pub(crate) struct FaultInjection {
    pub(crate) faults: Arc<Faults>,
    pub(crate) clock: Clock,
    pub(crate) log: Arc<Log>,
}

/// Applies the faults that match a request, and logs their effects.
pub(crate) async fn inject(State(layer): State<Arc<FaultInjection>>, mut request: Request, next: Next) -> Response {
    let Some(context) = request.extensions().get::<RequestContext>().copied() else {
        return next.run(request).await;
    };
    let from_header = take_header_faults(request.headers_mut());
    let drawn = match layer.faults.draw(&context, &from_header) {
        Ok(drawn) => drawn,
        Err(error) => return response::message(StatusCode::BAD_REQUEST, &format!("X-Sandbox-Fault: {error}")),
    };
    if drawn.is_empty() {
        return next.run(request).await;
    }
    let log = |fault: &Fault, effect: String| layer.log.add_fault(context.number, fault, effect);
    for (_, fault) in &drawn {
        if let FaultKind::Latency { millis } = fault.kind() {
            log(fault, format!("waited for {millis} ms"));
            tokio::time::sleep(Duration::from_millis(*millis)).await;
        }
    }
    let mut replacement = None;
    for (_, fault) in &drawn {
        match fault.kind() {
            FaultKind::ResetBefore {} => {
                log(fault, "reset the connection before the effect".to_owned());
                return reset_connection();
            }
            FaultKind::Status { status, retry_after, as_date, after_effect: false } if replacement.is_none() => {
                log(fault, format!("responded with {status} before the effect"));
                replacement = Some(error_response(&context, *status, *retry_after, *as_date, layer.clock.now()));
            }
            FaultKind::ReplaceResponse { status, body, content_type, after_effect: false } if replacement.is_none() => {
                log(fault, format!("responded with {status} and another body before the effect"));
                replacement = Some(replacement_response(*status, body, content_type.as_deref()));
            }
            _ => {}
        }
    }
    let uri = request.uri().clone();
    let mut response = match replacement {
        Some(replacement) => replacement,
        None => next.run(request).await,
    };
    for (origin, fault) in &drawn {
        let effect = match fault.kind() {
            FaultKind::Latency { .. }
            | FaultKind::ResetBefore {}
            | FaultKind::Status { after_effect: false, .. }
            | FaultKind::ReplaceResponse { after_effect: false, .. } => continue,
            FaultKind::ReplaceResponse { status, body, content_type, after_effect: true } => {
                let lost = response.status().as_u16();
                response = replacement_response(*status, body, content_type.as_deref());
                Some(format!("responded with {status} and another body in place of {lost}, after the effect"))
            }
            FaultKind::Status { status, retry_after, as_date, after_effect: true } => {
                let lost = response.status().as_u16();
                response = error_response(&context, *status, *retry_after, *as_date, layer.clock.now());
                Some(format!("responded with {status} in place of {lost}, after the effect"))
            }
            FaultKind::ResetAfter {} => {
                let lost = response.status().as_u16();
                response = reset_connection();
                Some(format!("reset the connection in place of {lost}, after the effect"))
            }
            kind => {
                let effect;
                (response, effect) =
                    response_faults::apply(kind, response, context.vendor, &uri, layer.clock.now()).await;
                effect
            }
        };
        match effect {
            Some(effect) => log(fault, effect),
            None => layer.faults.undo_draw(origin),
        }
        if is_reset(&response) {
            break;
        }
    }
    response
}

/// Removes the header, which is not part of any vendor's API.
fn take_header_faults(headers: &mut HeaderMap) -> Vec<String> {
    let values = headers.get_all(HEADER).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let values = values.collect();
    headers.remove(HEADER);
    values
}

/// Returns the vendor's error response with a status, perhaps with `Retry-After`.
fn error_response(
    context: &RequestContext,
    status: u16,
    retry_after: Option<u32>,
    as_date: bool,
    now: DateTime<Utc>,
) -> Response {
    // The range 400..600 was checked when the fault was added.
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let message = status.canonical_reason().unwrap_or("Rejected");
    let mut response = match context.vendor {
        Some(vendor) if status == StatusCode::TOO_MANY_REQUESTS => {
            too_many_requests(vendor, context, retry_after.unwrap_or_default().into())
        }
        Some(vendor) => vendor.error_response(context, status, message),
        None => response::message(status, message),
    };
    let retry_after = retry_after.map(|seconds| match as_date {
        false => HeaderValue::from(seconds),
        true => response::http_date(now.checked_add_signed(chrono::TimeDelta::seconds(seconds.into())).unwrap_or(now)),
    });
    if let Some(retry_after) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, retry_after);
    }
    response
}

/// Returns the response of [`FaultKind::ReplaceResponse`].
fn replacement_response(status: u16, body: &Value, content_type: Option<&str>) -> Response {
    let (text, default) = match body {
        Value::String(text) => (text.clone(), "text/html"),
        other => (other.to_string(), "application/json"),
    };
    let mut response = Response::new(Body::from(text));
    // Both were checked when the fault was added.
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    let media_type = HeaderValue::from_str(content_type.unwrap_or(default));
    response.headers_mut().insert(header::CONTENT_TYPE, media_type.unwrap_or(HeaderValue::from_static("text/html")));
    response
}
