//! Where every request comes in: what is known of it, whose it is, and what is said where nobody is at home.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{StatusCode, Uri, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::json;
use uuid::Uuid;

use crate::clock::Clock;
use crate::http_util::response;
use crate::middleware::request_log::Log;
use crate::server::connections::HangUp;
use crate::vendors::acronis::Acronis;
use crate::vendors::genesys::Genesys;
use crate::vendors::suger::Suger;
use crate::vendors::{Call, Vendor};

pub(crate) struct Door {
    pub(crate) realm: Uuid,
    pub(crate) clock: Clock,
    pub(crate) log: Arc<Log>,
    pub(crate) genesys: Arc<Genesys>,
    pub(crate) suger: Arc<Suger>,
    pub(crate) acronis: Arc<Acronis>,
}

/// The outermost layer: what is known of a request is written down, and in the end how it was answered.
pub(crate) async fn note(State(door): State<Arc<Door>>, mut request: Request, next: Next) -> Response {
    let readable = readable_path(request.uri().path());
    let path = readable.as_ref().unwrap_or(request.uri()).path();
    let vendor = Vendor::of(path);
    let operation = vendor.and_then(|vendor| vendor.operation(request.method(), path));
    let number = door.log.note(door.clock.now(), request.method(), request.uri(), vendor, operation);
    let correlation_id = Uuid::new_v5(&door.realm, format!("request/{number}").as_bytes());
    request.extensions_mut().insert(Call { number, correlation_id, vendor, operation });
    if let Some(readable) = readable {
        *request.uri_mut() = readable;
    }
    let mut response = next.run(request).await;
    if response.extensions().get::<HangUp>().is_none() {
        door.log.answered(number, response.status());
    }
    let now = || response::http_date(door.clock.now());
    response.headers_mut().entry(header::DATE).or_insert_with(now);
    response
}

/// The innermost layer before the routes: the vendor's own frame around each answer.
pub(crate) async fn enter(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let Some(call) = request.extensions().get::<Call>().copied() else {
        return next.run(request).await;
    };
    match call.vendor {
        Some(Vendor::Genesys) => door.genesys.frame(call.correlation_id, request, next).await,
        Some(Vendor::Suger) => door.suger.frame(call.correlation_id, request, next).await,
        Some(Vendor::Acronis) => door.acronis.frame(request, next).await,
        None => next.run(request).await,
    }
}

/// A path whose escapes are no UTF-8, with U+FFFD in their place: an id that nothing has.
fn readable_path(path: &str) -> Option<Uri> {
    let decoded = percent_decode_str(path);
    if decoded.clone().decode_utf8().is_ok() {
        return None;
    }
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/');
    utf8_percent_encode(&decoded.decode_utf8_lossy(), ESCAPED).to_string().parse().ok()
}

pub(crate) async fn no_such_path(uri: Uri) -> Response {
    match Vendor::of(uri.path()) {
        Some(Vendor::Genesys) => Genesys::no_such_path(),
        Some(Vendor::Suger) => Suger::no_such_path(),
        Some(Vendor::Acronis) => Acronis::no_such_path(),
        None => {
            let message = "The sandbox answers for Genesys Cloud under /api/v2 and /oauth/token, for Suger under /org, \
                           and for Acronis under /api/2 and /api/price_sync.";
            response::json(StatusCode::NOT_FOUND, &json!({"message": message}))
        }
    }
}

pub(crate) async fn no_such_method(uri: Uri) -> Response {
    match Vendor::of(uri.path()) {
        Some(Vendor::Genesys) => Genesys::no_such_method(),
        Some(Vendor::Suger) => Suger::no_such_method(),
        Some(Vendor::Acronis) => Acronis::no_such_method(),
        None => response::json(StatusCode::METHOD_NOT_ALLOWED, &json!({"message": "The path has no such method."})),
    }
}
