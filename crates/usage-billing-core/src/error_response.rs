//! Error responses, complete or truncated.

use std::time::{Duration, SystemTime};

use bytes::BytesMut;
use http::{HeaderMap, StatusCode};

use crate::error::body::describe;
use crate::failure_context::FailureContext;
use crate::operation::{Operation, Service};
use crate::raw_response::request_id;
use crate::retry;
use crate::{Error, ErrorKind};

/// An error response with the part of its body that has arrived. It is kept outside of the attempt that reads it, so that a call that its
/// deadline ends still returns the status.
pub(crate) struct ErrorResponse {
    status: StatusCode,
    pub(crate) retry_after: Option<Duration>,
    request_id: Option<String>,
    /// The proxy that the request went through, as errors name it.
    proxy: Option<String>,
    pub(crate) body: BytesMut,
}

impl ErrorResponse {
    pub(crate) fn new(
        status: StatusCode,
        headers: &HeaderMap,
        service: &Service,
        now: SystemTime,
        proxy: Option<String>,
    ) -> Self {
        let reset = || retry::limit_reset(headers, service.limit_reset_headers);
        let is_rate_limited = status == StatusCode::TOO_MANY_REQUESTS;
        Self {
            status,
            retry_after: retry::retry_after(headers, now).or_else(|| reset().filter(|_| is_rate_limited)),
            request_id: request_id(headers, service.request_id_headers),
            proxy,
            body: BytesMut::new(),
        }
    }

    /// Returns the error of the part that has arrived, without the client's secrets. Takes the fields, so it is called once.
    pub(crate) fn take_error(&mut self, operation: &Operation, attempts: u32, context: &FailureContext) -> Error {
        let Self { status, retry_after, .. } = *self;
        // Masked before it is parsed: the body may end within a secret, and parsing changes its text.
        let body = context.secrets.masks().apply_to_body(&self.body.split().freeze());
        let description = describe(&body);
        let kind = match status {
            StatusCode::UNAUTHORIZED => ErrorKind::Auth,
            StatusCode::FORBIDDEN => ErrorKind::Permission,
            _ => ErrorKind::Api,
        };
        let default_message =
            if status.is_redirection() { "the response is a redirect: check the base URL" } else { "no reason given" };
        let error = Error::new(kind, description.message.unwrap_or_else(|| default_message.to_owned()))
            .with_operation(operation.name.clone())
            .with_response(status, self.request_id.take(), body)
            .with_code(description.code)
            .with_retry_after(retry_after)
            .with_attempts(attempts);
        let error = context.masked(error);
        match &self.proxy {
            Some(proxy) if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED => error.with_hint(format!(
                "the proxy {proxy} requires a user name and password in its URL: http://user:password@host:port"
            )),
            _ => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reset_header_counts_only_for_429_without_retry_after() {
        let service = Service {
            operations: &[],
            request_id_headers: &[],
            limit_reset_headers: &["x-reset"],
            credential_hint: "",
        };
        let read = |status: StatusCode, headers: &[(&'static str, &'static str)]| {
            let named = |(name, value): &(&'static str, &'static str)| (name.parse().unwrap(), value.parse().unwrap());
            let headers = HeaderMap::from_iter(headers.iter().map(named));
            let response = ErrorResponse::new(status, &headers, &service, SystemTime::UNIX_EPOCH, None);
            response.retry_after.map(|delay| delay.as_secs())
        };
        let limit = StatusCode::TOO_MANY_REQUESTS;
        assert_eq!(read(limit, &[("x-reset", "13")]), Some(13));
        assert_eq!(read(limit, &[("x-reset", "13"), ("retry-after", "7")]), Some(7));
        assert_eq!(read(limit, &[("x-reset", "13"), ("retry-after", "soon")]), Some(13));
        assert_eq!(read(limit, &[]), None);
        assert_eq!(read(StatusCode::SERVICE_UNAVAILABLE, &[("x-reset", "13")]), None);
    }
}
