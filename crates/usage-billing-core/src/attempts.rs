//! One call: as many copies of a request as are needed and allowed.

use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::{Request, Response, Url};
use tokio::time::Instant;
use tracing::{Instrument, Span, field};

use crate::auth::Auth;
use crate::error::innermost;
use crate::error_body::describe;
use crate::operation::{Operation, Service};
use crate::rate_limit::Limiter;
use crate::retry::{self, Cause, Failure, RetryPolicy};
use crate::{Error, ErrorKind, Result};

/// How much of an error answer is kept.
const KEPT_BODY: usize = 64 * 1024;
/// Room that is made for a body before it comes, at most: its stated length may be wrong.
const LARGEST_GUESS: usize = 16 * 1024 * 1024;

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
    pub(crate) async fn send(&self, request: Request) -> Result<Response> {
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

    async fn send_all(&self, request: Request) -> Result<Response> {
        let repeatable = self.operation.is_repeatable(request.body().and_then(|body| body.as_bytes()));
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
                Ok(response) => return Ok(response),
                Err(failed) => failed,
            };
            let Some(next) = copy else { return Err(error) };
            current = next;
            let refused = failure.cause == Cause::Status(StatusCode::UNAUTHORIZED);
            if refused && !reauthorised && lease.is_some_and(|lease| lease.refused()) {
                reauthorised = true;
                continue;
            }
            let roll = fastrand::u64(..);
            let counted = attempts - u32::from(reauthorised);
            let Some(pause) = self.retry.pause(&failure, repeatable, counted, started.elapsed(), roll) else {
                return Err(error);
            };
            tracing::debug!(%error, attempts, ?pause, "sending again");
            tokio::time::sleep(pause).await;
        }
    }

    async fn attempt(&self, request: Request, attempts: u32) -> Result<Response, (Failure, Error)> {
        let lost = |error: reqwest::Error| {
            let cause = if error.is_connect() { Cause::NotConnected } else { Cause::Lost };
            let error = connection(error).with_operation(self.operation.name).with_attempts(attempts);
            (Failure { cause, retry_after: None }, error)
        };
        let mut response = self.http.execute(request).await.map_err(lost)?;
        let mut answered = Answered {
            operation: self.operation.name,
            request_id: request_id(response.headers(), self.service.request_id_headers),
            attempts,
            body: None,
        };
        if !response.status().is_success() {
            return Err(answered.refused(response).await);
        }
        if !self.operation.download {
            // Read here and not by the caller: a body that is cut off is a lost connection like any other.
            let body = whole(&mut response).await.map_err(|error| lost(error.with_url(response.url().clone())))?;
            answered.body = Some(body);
        }
        response.extensions_mut().insert(answered);
        Ok(response)
    }
}

/// All of an answer's body.
async fn whole(response: &mut Response) -> reqwest::Result<Bytes> {
    let Some(first) = response.chunk().await? else { return Ok(Bytes::new()) };
    // Most answers come in one piece.
    let Some(second) = response.chunk().await? else { return Ok(first) };
    let stated = response.content_length().and_then(|rest| usize::try_from(rest).ok()).unwrap_or_default();
    let mut body = BytesMut::with_capacity(first.len() + second.len() + stated.min(LARGEST_GUESS));
    body.extend_from_slice(&first);
    body.extend_from_slice(&second);
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// What is known of an answer beside the answer itself; rides in its extensions to where the body is decoded.
#[derive(Clone)]
pub(crate) struct Answered {
    operation: &'static str,
    request_id: Option<HeaderValue>,
    attempts: u32,
    /// `None` for downloads, whose body is still to come.
    body: Option<Bytes>,
}

impl Answered {
    pub(crate) fn of(response: &mut Response) -> Self {
        let unknown = Self { operation: "unknown operation", request_id: None, attempts: 1, body: None };
        response.extensions_mut().remove::<Self>().unwrap_or(unknown)
    }

    /// The body, if it is here already.
    pub(crate) fn take_body(&mut self) -> Option<Bytes> {
        self.body.take()
    }

    /// The body ended early.
    pub(crate) fn broken(&self, error: reqwest::Error) -> Error {
        connection(error).with_operation(self.operation).with_attempts(self.attempts)
    }

    pub(crate) fn undecodable(&self, error: Error, status: StatusCode, body: Bytes) -> Error {
        let body = Bytes::copy_from_slice(&body[..body.len().min(KEPT_BODY)]);
        error.with_operation(self.operation).with_answer(status, self.request_id(), body).with_attempts(self.attempts)
    }

    fn request_id(&self) -> Option<String> {
        self.request_id.as_ref()?.to_str().ok().map(str::to_owned)
    }

    async fn refused(self, response: Response) -> (Failure, Error) {
        let status = response.status();
        let retry_after = retry::retry_after(response.headers(), SystemTime::now());
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
            .with_operation(self.operation)
            .with_answer(status, self.request_id(), body)
            .with_code(said.code)
            .with_retry_after(retry_after)
            .with_attempts(self.attempts);
        (Failure { cause: Cause::Status(status), retry_after }, error)
    }
}

/// As much of an error answer as comes and is kept: the status says enough if the rest does not.
async fn beginning(response: Response) -> Bytes {
    let mut body = BytesMut::new();
    let mut chunks = response.bytes_stream();
    while let Some(Ok(chunk)) = chunks.next().await {
        let room = KEPT_BODY - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() >= room {
            break;
        }
    }
    body.freeze()
}

fn connection(error: reqwest::Error) -> Error {
    let address = |url: &Url| Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?));
    let peer = error.url().and_then(address).unwrap_or_else(|| "the vendor".to_owned());
    let what = if error.is_connect() {
        "no connection to"
    } else if error.is_timeout() {
        "no answer in time from"
    } else {
        "connection lost to"
    };
    Error::new(ErrorKind::Connection, format!("{what} {peer}: {}", innermost(&error))).with_source(error.without_url())
}

fn request_id(headers: &HeaderMap, names: &[&str]) -> Option<HeaderValue> {
    names.iter().find_map(|name| headers.get(*name)).cloned()
}

fn record(span: &Span, outcome: &Result<Response>) {
    let (status, attempts) = match outcome {
        Ok(response) => {
            (Some(response.status()), response.extensions().get::<Answered>().map_or(1, |answered| answered.attempts))
        }
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
