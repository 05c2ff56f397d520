//! One call: as many copies of a request as are needed and allowed.

use std::time::SystemTime;

use http::StatusCode;
use reqwest::{Request, Response};
use tokio::time::Instant;
use tracing::{Instrument, Span, field};

use crate::answer::{Answer, beginning, broken, request_id, whole};
use crate::auth::Auth;
use crate::error_body::describe;
use crate::operation::{Operation, Service};
use crate::rate_limit::Limiter;
use crate::retry::{self, Cause, Failure, RetryPolicy};
use crate::{Error, ErrorKind, Result};

pub(crate) struct Attempts<'a> {
    pub(crate) http: &'a reqwest::Client,
    pub(crate) operation: Operation,
    pub(crate) service: &'a Service,
    pub(crate) retry: &'a RetryPolicy,
    pub(crate) auth: Option<&'a Auth>,
    pub(crate) limiter: Option<&'a Limiter>,
}

impl Attempts<'_> {
    /// A success, with its body already here unless the operation is a download.
    pub(crate) async fn send(&self, request: Request) -> Result<Answer> {
        // Names as in OpenTelemetry's conventions for HTTP clients (1.37). No query, no header, no body: they may hold secrets.
        let span = tracing::info_span!(
            "http_call",
            otel.name = self.operation.name,
            otel.kind = "client",
            otel.status_code = field::Empty,
            http.request.method = %request.method(),
            url.template = self.operation.path,
            server.address = request.url().host_str(),
            server.port = request.url().port_or_known_default(),
            http.response.status_code = field::Empty,
            http.request.resend_count = field::Empty,
            error.type = field::Empty,
        );
        let outcome = self.send_all(request).instrument(span.clone()).await.map_err(|error| self.advised(error));
        record(&span, &outcome);
        outcome
    }

    /// Says what can be done about a credential that is not taken or may not do this.
    fn advised(&self, error: Error) -> Error {
        match (error.kind(), self.operation.permissions) {
            (ErrorKind::Auth, _) if !self.service.credential_hint.is_empty() => {
                error.with_hint(self.service.credential_hint)
            }
            (ErrorKind::Permission, [one]) => error.with_hint(format!("the credential needs the permission {one}")),
            (ErrorKind::Permission, [_, ..]) => error.with_hint(format!(
                "the credential needs one of the permissions {}",
                self.operation.permissions.join(", ")
            )),
            _ => error,
        }
    }

    async fn send_all(&self, request: Request) -> Result<Answer> {
        // The budget runs from the first copy: a queue before it is not the vendor's fault.
        let mut started = None;
        let mut attempts = 0;
        let mut reauthorised = false;
        let mut current = request;
        loop {
            // A streamed body cannot be cloned: such a request goes out once.
            let copy = current.try_clone();
            if let Some(limiter) = self.limiter {
                limiter.ready().await;
            }
            let lease = match self.auth {
                Some(auth) => Some(auth.authorise(self.http, self.retry, &mut current).await?),
                None => None,
            };
            attempts += 1;
            let started = *started.get_or_insert_with(Instant::now);
            let (failure, error) = match self.attempt(current, attempts).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            let Some(next) = copy else { return Err(error) };
            current = next;
            let refused = failure.cause == Cause::Status(StatusCode::UNAUTHORIZED);
            if refused && !reauthorised && lease.is_some_and(|lease| lease.refused()) {
                reauthorised = true;
                continue;
            }
            let repeatable = self.operation.is_repeatable(current.body().and_then(|body| body.as_bytes()));
            let roll = fastrand::u64(..);
            let counted = attempts - u32::from(reauthorised);
            let Some(pause) = self.retry.pause(&failure, repeatable, counted, started.elapsed(), roll) else {
                return Err(error);
            };
            tracing::debug!(%error, attempts, ?pause, "sending again");
            tokio::time::sleep(pause).await;
        }
    }

    async fn attempt(&self, request: Request, attempts: u32) -> Result<Answer, (Failure, Error)> {
        let lost = |error: reqwest::Error| {
            let cause = if error.is_connect() { Cause::NotConnected } else { Cause::Lost };
            (Failure { cause, retry_after: None }, broken(error, self.operation.name, attempts))
        };
        let mut response = self.http.execute(request).await.map_err(lost)?;
        if !response.status().is_success() {
            return Err(self.refused(response, attempts).await);
        }
        let body = if self.operation.download {
            None
        } else {
            // Read here and not by the caller: a body that is cut off is a lost connection like any other.
            Some(whole(&mut response).await.map_err(|error| lost(error.with_url(response.url().clone())))?)
        };
        let Service { request_id_headers, .. } = *self.service;
        Ok(Answer { operation: self.operation.name, request_id_headers, attempts, response, body })
    }

    async fn refused(&self, response: Response, attempts: u32) -> (Failure, Error) {
        let status = response.status();
        let retry_after = retry::retry_after(response.headers(), SystemTime::now());
        let request_id = request_id(response.headers(), self.service.request_id_headers);
        let body = beginning(response).await;
        let said = describe(&body);
        let kind = match status {
            StatusCode::UNAUTHORIZED => ErrorKind::Auth,
            StatusCode::FORBIDDEN => ErrorKind::Permission,
            _ => ErrorKind::Api,
        };
        let unsaid =
            if status.is_redirection() { "it redirects elsewhere: check the base URL" } else { "no reason given" };
        let error = Error::new(kind, said.message.unwrap_or_else(|| unsaid.to_owned()))
            .with_operation(self.operation.name)
            .with_answer(status, request_id, body)
            .with_code(said.code)
            .with_retry_after(retry_after)
            .with_attempts(attempts);
        (Failure { cause: Cause::Status(status), retry_after }, error)
    }
}

fn record(span: &Span, outcome: &Result<Answer>) {
    let (status, attempts) = match outcome {
        Ok(answer) => (Some(answer.status()), answer.attempts),
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
