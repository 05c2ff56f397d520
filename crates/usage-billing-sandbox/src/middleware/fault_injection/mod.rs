//! Faults on demand. The vendors know nothing of them: this stands between them and the connection.

mod enum_fields;
mod fault;
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
use serde_json::{Value, json};

pub use self::fault::{Fault, FaultKind};
pub(crate) use self::rules::Faults;
use crate::clock::Clock;
use crate::http_util::response;
use crate::middleware::rate_limit::too_many;
use crate::middleware::request_log::Log;
use crate::server::connections::{HangUp, hang_up};
use crate::vendors::Call;

/// Brings faults along with a request; may be there more than once.
const HEADER: &str = "x-sandbox-fault";

/// What is needed to do harm.
pub(crate) struct Harm {
    pub(crate) faults: Arc<Faults>,
    pub(crate) clock: Clock,
    pub(crate) log: Arc<Log>,
}

/// Stands before the vendors, and does to a request and its answer what is due.
pub(crate) async fn inject(State(harm): State<Arc<Harm>>, mut request: Request, next: Next) -> Response {
    let Some(call) = request.extensions().get::<Call>().copied() else {
        return next.run(request).await;
    };
    let brought = brought(request.headers_mut());
    let met = match harm.faults.draw(&call, &brought) {
        Ok(met) => met,
        Err(reason) => {
            return response::json(StatusCode::BAD_REQUEST, &json!({"message": format!("X-Sandbox-Fault: {reason}")}));
        }
    };
    if met.is_empty() {
        return next.run(request).await;
    }
    let did = |fault: &Fault, what: String| harm.log.injected(call.number, fault, what);
    for (_, fault) in &met {
        if let FaultKind::Latency { millis } = fault.kind() {
            did(fault, format!("waited for {millis} ms"));
            tokio::time::sleep(Duration::from_millis(*millis)).await;
        }
    }
    let mut refusal = None;
    for (_, fault) in &met {
        match fault.kind() {
            FaultKind::ResetBefore {} => {
                did(fault, "reset the connection before the effect".to_owned());
                return hang_up();
            }
            FaultKind::Status { status, retry_after, as_date, after_effect: false } if refusal.is_none() => {
                did(fault, format!("answered {status} before the effect"));
                refusal = Some(refuse(&call, *status, *retry_after, *as_date, harm.clock.now()));
            }
            FaultKind::ReplaceResponse { status, body, content_type, after_effect: false } if refusal.is_none() => {
                did(fault, format!("answered {status} with another body before the effect"));
                refusal = Some(other(*status, body, content_type.as_deref()));
            }
            _ => {}
        }
    }
    let uri = request.uri().clone();
    let mut response = match refusal {
        Some(refusal) => refusal,
        None => next.run(request).await,
    };
    for (origin, fault) in &met {
        let what = match fault.kind() {
            FaultKind::Latency { .. }
            | FaultKind::ResetBefore {}
            | FaultKind::Status { after_effect: false, .. }
            | FaultKind::ReplaceResponse { after_effect: false, .. } => continue,
            FaultKind::ReplaceResponse { status, body, content_type, after_effect: true } => {
                let lost = response.status().as_u16();
                response = other(*status, body, content_type.as_deref());
                Some(format!("answered {status} with another body in place of {lost}, after the effect"))
            }
            FaultKind::Status { status, retry_after, as_date, after_effect: true } => {
                let lost = response.status().as_u16();
                response = refuse(&call, *status, *retry_after, *as_date, harm.clock.now());
                Some(format!("answered {status} in place of {lost}, after the effect"))
            }
            FaultKind::ResetAfter {} => {
                let lost = response.status().as_u16();
                response = hang_up();
                Some(format!("reset the connection in place of {lost}, after the effect"))
            }
            kind => {
                let what;
                (response, what) = response_faults::harm(kind, response, call.vendor, &uri, harm.clock.now()).await;
                what
            }
        };
        match what {
            Some(what) => did(fault, what),
            None => harm.faults.give_back(origin),
        }
        if response.extensions().get::<HangUp>().is_some() {
            break;
        }
    }
    response
}

/// Taken out: no vendor knows the header.
fn brought(headers: &mut HeaderMap) -> Vec<String> {
    let texts = headers.get_all(HEADER).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let texts = texts.collect();
    headers.remove(HEADER);
    texts
}

/// The vendor's own words for a status, with or without a hint when to come again.
fn refuse(call: &Call, status: u16, retry_after: Option<u32>, as_date: bool, now: DateTime<Utc>) -> Response {
    // Held to 400..600 when the fault was added.
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let message = status.canonical_reason().unwrap_or("Refused");
    let mut response = match call.vendor {
        Some(vendor) if status == StatusCode::TOO_MANY_REQUESTS => {
            too_many(vendor, call, retry_after.unwrap_or_default().into())
        }
        Some(vendor) => vendor.refuse(call, status, message),
        None => response::json(status, &json!({"message": message})),
    };
    let hint = retry_after.map(|seconds| match as_date {
        false => HeaderValue::from(seconds),
        true => response::http_date(now.checked_add_signed(chrono::TimeDelta::seconds(seconds.into())).unwrap_or(now)),
    });
    if let Some(hint) = hint {
        response.headers_mut().insert(header::RETRY_AFTER, hint);
    }
    response
}

/// A response that is not the vendor's.
fn other(status: u16, body: &Value, content_type: Option<&str>) -> Response {
    let (text, usual) = match body {
        Value::String(text) => (text.clone(), "text/html"),
        other => (other.to_string(), "application/json"),
    };
    let mut response = Response::new(Body::from(text));
    // Both were checked when the fault was added.
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    let media_type = HeaderValue::from_str(content_type.unwrap_or(usual));
    response.headers_mut().insert(header::CONTENT_TYPE, media_type.unwrap_or(HeaderValue::from_static("text/html")));
    response
}

/// For [`answer`]: bytes that come as they are told to.
fn replace(response: Response, body: Body) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, body)
}
