//! The tracing span of a call.

use reqwest::Request;
use tracing::{Span, field};

use crate::Result;
use crate::operation::Operation;
use crate::raw_response::RawResponse;

/// Creates the span of a call.
pub(crate) fn new(operation: &Operation, request: &Request) -> Span {
    let template = match &*operation.path {
        // The document does not contain the token endpoint, which has a fixed address.
        "" => request.url().path(),
        path => path,
    };
    // Names of OpenTelemetry's conventions for HTTP clients (1.37). No query, header or body: they may contain secrets.
    tracing::info_span!(
        target: "usage_billing::http",
        "http_call",
        otel.name = &*operation.name,
        otel.kind = "client",
        otel.status_code = field::Empty,
        http.request.method = %request.method(),
        url.template = template,
        server.address = request.url().host_str(),
        server.port = request.url().port_or_known_default(),
        http.response.status_code = field::Empty,
        http.request.resend_count = field::Empty,
        error.type = field::Empty,
    )
}

/// Records the status or the error of a call, and the number of its retries.
pub(crate) fn record_outcome(span: &Span, outcome: &Result<Box<RawResponse>>) {
    let (status, attempts) = match outcome {
        Ok(response) => (Some(response.status()), response.attempts),
        Err(error) => {
            span.record("otel.status_code", "ERROR");
            match error.status() {
                Some(status) => span.record("error.type", status.as_str()),
                None => span.record("error.type", field::debug(error.kind())),
            };
            (error.status(), error.attempts())
        }
    };
    if let Some(status) = status {
        span.record("http.response.status_code", status.as_u16());
    }
    if attempts > 1 {
        span.record("http.request.resend_count", attempts - 1);
    }
}
