//! Sends a call's request, with retries, until its deadline.

use std::mem;
use std::pin::pin;
use std::sync::Arc;
use std::time::SystemTime;

use http::StatusCode;
use reqwest::{Request, Response};
use tokio::time::Instant;
use tracing::Instrument;

use crate::auth::Auth;
use crate::body_permits::{BodyPermit, BodyPermits};
use crate::call_settings::{CallSettings, Deadline};
use crate::departure::Departure;
use crate::error_response::ErrorResponse;
use crate::failure_context::FailureContext;
use crate::operation::{Operation, Service};
use crate::pause::Pause;
use crate::rate_limit::Limiter;
use crate::raw_response::RawResponse;
use crate::response_body::{BodyError, read_body, read_body_prefix, too_large};
use crate::retry::{Cause, Failure};
use crate::{Error, ErrorKind, Result, call_span};

/// One call.
pub(crate) struct Attempts<'a> {
    pub(crate) http: &'a reqwest::Client,
    pub(crate) operation: &'a Operation,
    pub(crate) service: &'a Service,
    pub(crate) settings: &'a CallSettings,
    /// `None` for requests for tokens.
    pub(crate) client: Option<ClientWide<'a>>,
    pub(crate) context: &'a Arc<FailureContext>,
    /// Shared by all requests to this endpoint: a 429 to one rejects all.
    pub(crate) pause: &'a Pause,
}

/// State that all calls of a client share.
#[derive(Clone, Copy)]
pub(crate) struct ClientWide<'a> {
    pub(crate) auth: &'a Auth,
    /// The settings that the client was built with, for requests for tokens: their result is shared.
    pub(crate) settings: &'a CallSettings,
    pub(crate) limiter: Option<&'a Limiter>,
    pub(crate) body_permits: &'a BodyPermits,
}

/// The progress of a call, for the error if its deadline ends it.
#[derive(Default)]
struct Progress {
    attempts: u32,
    /// Whether an attempt so far, or the one under way, may have arrived.
    may_have_arrived: bool,
    /// The error of the previous attempt.
    last_error: Option<Error>,
    /// The error response whose body is being read.
    error_response: Option<ErrorResponse>,
}

/// A failed attempt, for the retry policy and for the caller.
type Failed = (Failure, Error);

impl Attempts<'_> {
    /// Sends the request and returns a success, with its body unless the operation is a download.
    pub(crate) async fn send(&self, request: &mut Request) -> Result<Box<RawResponse>> {
        let span = call_span::new(self.operation, request);
        let deadline = self.settings.deadline.and_then(Deadline::after);
        let mut progress = Progress::default();
        let sent = {
            // Pinned here: the future is large, and each adapter would move it.
            let sending = pin!(self.send_with_retries(&mut *request, deadline, &mut progress));
            let sending = sending.instrument(span.clone());
            match deadline {
                Some(deadline) => tokio::time::timeout_at(deadline.end, sending).await.map_err(|_| deadline),
                None => Ok(sending.await),
            }
        };
        let may_have_arrived = progress.may_have_arrived;
        let outcome = sent.unwrap_or_else(|deadline| Err(self.deadline_error(request.url(), deadline, progress)));
        let outcome = outcome.map_err(|error| self.with_hints(error.with_may_have_arrived(may_have_arrived)));
        call_span::record_outcome(&span, &outcome);
        outcome
    }

    /// Adds a hint to the error of a rejected credential, a missing permission or a missing resource.
    fn with_hints(&self, error: Error) -> Error {
        match (error.kind(), self.operation.permissions) {
            // A token provider's failure has a hint of its own.
            (ErrorKind::Auth, _) if error.hint().is_none() && !self.service.credential_hint.is_empty() => {
                error.with_hint(self.service.credential_hint)
            }
            (ErrorKind::Permission, [one]) => error.with_hint(format!("the credential needs the permission {one}")),
            (ErrorKind::Permission, [_, ..]) => error.with_hint(format!(
                "the credential needs one of the permissions {}",
                self.operation.permissions.join(", ")
            )),
            (ErrorKind::Permission, []) => error.with_hint(
                "the credential may lack a permission, or belong to another organization than the one in the request",
            ),
            (ErrorKind::Api, _) if error.status() == Some(StatusCode::NOT_FOUND) => error.with_hint(
                "check the ids in the request: they may be deleted, or belong to another organization, tenant or region than the credential",
            ),
            _ => error,
        }
    }

    /// Returns the error of a call that its deadline ended.
    fn deadline_error(&self, url: &reqwest::Url, deadline: Deadline, progress: Progress) -> Error {
        let Progress { attempts, last_error, error_response, .. } = progress;
        if let Some(mut error_response) = error_response {
            return error_response.take_error(self.operation, attempts, self.context);
        }
        // Not the limit of the previous attempt but the deadline has to be raised.
        let last_error = last_error.map(|error| error.with_setting(None));
        let previous = last_error.as_ref().map_or_else(String::new, |error| format!("; previous attempt: {error}"));
        // Before the first attempt, the call waited for a token or for the rate limit.
        let state = if attempts == 0 { "not sent" } else { "no complete response" };
        let proxy = self.context.proxy_for(url).filter(|_| attempts > 0);
        let proxy = proxy.map_or_else(String::new, |proxy| format!(" through the proxy {proxy}"));
        let message = format!("{state}{proxy} within the deadline of {:?}{previous}", deadline.limit);
        let error = Error::new(ErrorKind::Connection, message)
            .with_operation(self.operation.name.clone())
            .with_attempts(attempts)
            .with_timeout(true)
            .with_setting("deadline");
        match last_error {
            Some(last_error) => error.with_source(last_error),
            None => error,
        }
    }

    async fn send_with_retries(
        &self,
        request: &mut Request,
        deadline: Option<Deadline>,
        progress: &mut Progress,
    ) -> Result<Box<RawResponse>> {
        // The policy's time limit starts with the first attempt: waiting before it is not the vendor's delay.
        let mut started = None;
        let mut is_reauthorized = false;
        loop {
            self.wait_to_send(deadline, progress).await?;
            let applied_token = match &self.client {
                Some(client) if !self.operation.anonymous => {
                    Some(client.auth.authorise(self.http, client.settings, request).await?)
                }
                _ => None,
            };
            progress.attempts += 1;
            let started = *started.get_or_insert_with(Instant::now);
            let previous = mem::replace(&mut progress.may_have_arrived, true);
            if self.client.is_some() {
                Departure::record();
            }
            let (response, is_streamed) = self.execute(request);
            let (failure, error) = match self.attempt(response, progress).await {
                Ok(response) => return Ok(response),
                Err(failed) => failed,
            };
            progress.may_have_arrived = previous || failure.may_have_arrived(error.status());
            if is_streamed {
                return Err(error);
            }
            let is_unauthorized = failure.cause == Cause::Status(StatusCode::UNAUTHORIZED);
            if is_unauthorized
                && !is_reauthorized
                && applied_token.is_some_and(|applied_token| applied_token.invalidate())
            {
                is_reauthorized = true;
                continue;
            }
            let is_idempotent =
                self.operation.is_idempotent(request.method(), request.body().and_then(|body| body.as_bytes()));
            let counted_attempts = progress.attempts - u32::from(is_reauthorized);
            let remaining = deadline.map(|deadline| deadline.remaining());
            let retry = &self.settings.retry;
            let random = fastrand::u64(..);
            let Some(delay) =
                retry.delay(&failure, is_idempotent, counted_attempts, started.elapsed(), remaining, random)
            else {
                return Err(error);
            };
            tracing::info!(
                target: "usage_billing::http",
                operation = &*self.operation.name,
                attempt = progress.attempts,
                delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
                %error,
                "retrying"
            );
            progress.last_error = Some(error);
            tokio::time::sleep(delay).await;
        }
    }

    /// Sends a clone of the request, or the request itself if its body is streamed. The flag is set for the latter, which is sent only once.
    fn execute(&self, request: &mut Request) -> (impl Future<Output = reqwest::Result<Response>> + use<>, bool) {
        match request.try_clone() {
            Some(clone) => (self.http.execute(clone), false),
            None => {
                let rest = Request::new(request.method().clone(), request.url().clone());
                (self.http.execute(mem::replace(request, rest)), true)
            }
        }
    }

    /// Waits until the next attempt may be sent.
    async fn wait_to_send(&self, deadline: Option<Deadline>, progress: &Progress) -> Result<()> {
        self.wait_for_pause(deadline, progress).await?;
        if let Some(limiter) = self.client.as_ref().and_then(|client| client.limiter) {
            limiter.until_ready().await;
            // A pause may have begun meanwhile.
            self.wait_for_pause(deadline, progress).await?;
        }
        Ok(())
    }

    /// Waits for the end of the pause after a 429.
    ///
    /// # Errors
    /// [`ErrorKind::Api`] with 429, immediately, if the pause ends after the deadline, or without a deadline after the policy's time limit.
    async fn wait_for_pause(&self, deadline: Option<Deadline>, progress: &Progress) -> Result<()> {
        while let Some(remaining) = self.pause.remaining() {
            let allowed = deadline.map_or(self.settings.retry.max_pause(), |deadline| deadline.remaining());
            if remaining >= allowed {
                let message = "not sent: an earlier call was rejected with 429, and the delay that the vendor requested has not passed";
                let error = Error::new(ErrorKind::Api, message).with_operation(self.operation.name.clone());
                let error = error.with_response(StatusCode::TOO_MANY_REQUESTS, None, bytes::Bytes::new());
                return Err(error.with_retry_after(Some(remaining)).with_attempts(progress.attempts));
            }
            tokio::time::sleep(remaining).await;
        }
        Ok(())
    }

    async fn attempt(
        &self,
        response: impl Future<Output = reqwest::Result<Response>>,
        progress: &mut Progress,
    ) -> Result<Box<RawResponse>, Failed> {
        let attempts = progress.attempts;
        let connection_error = |error: reqwest::Error| {
            let (cause, error) = self.context.connection_error(error, self.operation.name.clone(), attempts);
            (Failure { cause, retry_after: None }, error)
        };
        let mut response = response.await.map_err(connection_error)?;
        if !response.status().is_success() {
            return Err(Box::pin(self.read_error_response(response, progress)).await);
        }
        let settings = *self.settings;
        let mut body_permit = BodyPermit::default();
        let body = if self.operation.download {
            None
        } else {
            // Read within the attempt: a truncated body is a lost connection, which may be retried.
            let permits = self.client.map(|client| client.body_permits);
            let read = read_body(&mut response, settings.max_response_bytes, permits, &mut body_permit).await;
            Some(read.map_err(|error| match error {
                BodyError::Connection(error) => connection_error(error.with_url(response.url().clone())),
                BodyError::TooLarge => {
                    let failure = Failure { cause: Cause::Permanent, retry_after: None };
                    (failure, too_large(settings.max_response_bytes, self.operation.name.clone(), attempts))
                }
            })?)
        };
        let Service { request_id_headers, .. } = *self.service;
        let context = self.context.clone();
        let operation = self.operation.name.clone();
        Ok(Box::new(RawResponse {
            operation,
            request_id_headers,
            attempts,
            settings,
            response,
            body,
            body_permit,
            buffers: self.client.map(|client| client.body_permits.buffers.clone()),
            context,
        }))
    }

    async fn read_error_response(&self, response: Response, progress: &mut Progress) -> Failed {
        let status = response.status();
        let proxy = self.context.proxy_for(response.url()).map(|proxy| proxy.to_string());
        let error_response = ErrorResponse::new(status, response.headers(), self.service, SystemTime::now(), proxy);
        let retry_after = error_response.retry_after;
        if let (StatusCode::TOO_MANY_REQUESTS, Some(delay)) = (status, retry_after) {
            self.pause.extend(delay);
        }
        let error_response = progress.error_response.insert(error_response);
        read_body_prefix(response, &mut error_response.body).await;
        let error = error_response.take_error(self.operation, progress.attempts, self.context);
        progress.error_response = None;
        let is_final = self.operation.final_statuses.contains(&status.as_u16());
        let cause = if is_final { Cause::Permanent } else { Cause::Status(status) };
        (Failure { cause, retry_after }, error)
    }
}
