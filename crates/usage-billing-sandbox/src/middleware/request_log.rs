//! The log of requests, their responses and the faults injected into them.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use chrono::{DateTime, Utc};
use http::{Method, StatusCode, Uri, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Serialize;
use usage_billing_core::Operation;
use uuid::Uuid;

use crate::clock::Clock;
use crate::http_util::response;
use crate::middleware::fault_injection::Fault;
use crate::vendors::{RequestContext, Vendor};

/// Requests that the log keeps.
const MAX_REQUESTS: usize = 1_000;
/// Bytes of a path or query that the log keeps.
const MAX_TEXT_BYTES: usize = 4_096;

/// A request that the sandbox received. Prints as `GET /path?query`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LoggedRequest {
    /// Position among all requests, from 1.
    pub number: u64,
    /// Time of the request, by the sandbox's clock.
    pub at: DateTime<Utc>,
    /// HTTP method.
    pub method: String,
    /// Path as it was sent, without the query; truncated after 4096 bytes.
    pub path: String,
    /// Query as it was sent, without the question mark; truncated after 4096 bytes.
    pub query: Option<String>,
    /// The vendor whose API has the path.
    pub vendor: Option<Vendor>,
    /// `operationId` in the vendor's curated document.
    pub operation: Option<&'static str>,
    /// Status of the response; `None` before there is one, and if the connection was reset instead.
    pub status: Option<u16>,
    /// Faults that were injected.
    pub faults: Vec<InjectedFault>,
    /// Violations of the vendor's curated document: location, JSON pointer and message (`query#/limit: must be at most 1000`).
    pub violations: Vec<String>,
}

/// A fault that was injected into a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct InjectedFault {
    /// The fault as it was added.
    pub fault: Fault,
    /// Its effect on this request.
    pub effect: String,
}

impl fmt::Display for LoggedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        self.query.as_ref().map_or(Ok(()), |query| write!(f, "?{query}"))
    }
}

/// The layer that logs requests.
pub(crate) struct RequestLog {
    pub(crate) log: Arc<Log>,
    pub(crate) clock: Clock,
    pub(crate) realm: Uuid,
}

/// Logs a request and the status of its response, and adds a [`RequestContext`] to the request and a `Date` to the response.
pub(crate) async fn record(State(layer): State<Arc<RequestLog>>, mut request: Request, next: Next) -> Response {
    let RequestLog { log, clock, realm } = &*layer;
    let valid = with_valid_escapes(request.uri().path());
    let path = valid.as_ref().unwrap_or(request.uri()).path();
    let vendor = Vendor::of(path);
    let operation = vendor.and_then(|vendor| vendor.operation(request.method(), path));
    let number = log.record(clock.now(), request.method(), request.uri(), vendor, operation);
    let correlation_id = Uuid::new_v5(realm, format!("request/{number}").as_bytes());
    request.extensions_mut().insert(RequestContext { number, correlation_id, vendor, operation });
    if let Some(valid) = valid {
        *request.uri_mut() = valid;
    }
    let mut response = next.run(request).await;
    if !response::is_reset(&response) {
        log.set_status(number, response.status());
    }
    response.headers_mut().entry(header::DATE).or_insert_with(|| response::http_date(clock.now()));
    response
}

/// Replaces escapes that are not UTF-8 with U+FFFD, so that the path has an id that does not exist; `None` if all are valid.
fn with_valid_escapes(path: &str) -> Option<Uri> {
    let decoded = percent_decode_str(path);
    if decoded.clone().decode_utf8().is_ok() {
        return None;
    }
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/');
    utf8_percent_encode(&decoded.decode_utf8_lossy(), ESCAPED).to_string().parse().ok()
}

#[derive(Default)]
pub(crate) struct Log(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    count: u64,
    last: VecDeque<LoggedRequest>,
}

impl Log {
    /// Adds a request, and returns its number.
    fn record(
        &self,
        at: DateTime<Utc>,
        method: &Method,
        uri: &Uri,
        vendor: Option<Vendor>,
        operation: Option<&'static Operation>,
    ) -> u64 {
        let mut entry = LoggedRequest {
            number: 0,
            at,
            method: truncated(method.as_str()),
            path: truncated(uri.path()),
            query: uri.query().map(truncated),
            vendor,
            operation: operation.map(|operation| &*operation.name),
            status: None,
            faults: Vec::new(),
            violations: Vec::new(),
        };
        let mut entries = self.entries();
        entries.count += 1;
        entry.number = entries.count;
        if entries.last.len() == MAX_REQUESTS {
            entries.last.pop_front();
        }
        entries.last.push_back(entry);
        entries.count
    }

    fn set_status(&self, number: u64, status: StatusCode) {
        self.entries().change(number, |entry| entry.status = Some(status.as_u16()));
    }

    pub(crate) fn add_fault(&self, number: u64, fault: &Fault, effect: String) {
        let injected = InjectedFault { fault: fault.clone(), effect };
        self.entries().change(number, |entry| entry.faults.push(injected));
    }

    pub(crate) fn set_violations(&self, number: u64, violations: &[String]) {
        self.entries().change(number, |entry| {
            entry.violations = violations.iter().map(|violation| truncated(violation)).collect()
        });
    }

    /// Returns all requests, the oldest first.
    pub(crate) fn all(&self) -> Vec<LoggedRequest> {
        self.entries().last.iter().cloned().collect()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    /// Does nothing if the entry was dropped.
    fn change(&mut self, number: u64, change: impl FnOnce(&mut LoggedRequest)) {
        let since = usize::try_from(self.count.saturating_sub(number)).unwrap_or(usize::MAX);
        let index = self.last.len().checked_sub(since.saturating_add(1));
        if let Some(entry) = index.and_then(|index| self.last.get_mut(index)) {
            change(entry);
        }
    }
}

fn truncated(text: &str) -> String {
    let end = (0..=text.len().min(MAX_TEXT_BYTES)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_is_set_on_requests_that_the_log_keeps() {
        let log = Log::default();
        let record = || log.record(DateTime::UNIX_EPOCH, &Method::GET, &Uri::from_static("/x?y"), None, None);
        for _ in 0..MAX_REQUESTS + 1 {
            record();
        }
        for number in [0, 1, 2, 3, u64::MAX] {
            log.set_status(number, StatusCode::IM_A_TEAPOT);
        }
        let with_response: Vec<_> = log.all().iter().filter(|it| it.status.is_some()).map(|it| it.number).collect();
        assert!(
            with_response.iter().all(|number| [2, 3, MAX_REQUESTS as u64 + 1].contains(number)),
            "{with_response:?}"
        );
        assert!(with_response.contains(&2) && with_response.contains(&3));
    }

    #[test]
    fn long_text_is_truncated_between_characters() {
        assert_eq!(truncated(&"株".repeat(2_000)).len(), MAX_TEXT_BYTES - MAX_TEXT_BYTES % 3);
        assert_eq!(truncated("x"), "x");
    }
}
