//! Successful responses before they are decoded.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::Response;

use crate::body_buffers::BodyBuffers;
use crate::body_permits::BodyPermit;
use crate::call_settings::CallSettings;
use crate::download::Download;
use crate::failure_context::FailureContext;
use crate::response_body::{BodyError, MAX_KEPT_BODY, read_body, too_large};
use crate::{Error, Result};

/// A response with a success status. Generated code passes it on in a box, because it is moved many times.
#[derive(Debug)]
pub struct RawResponse {
    pub(crate) operation: Cow<'static, str>,
    pub(crate) request_id_headers: &'static [&'static str],
    pub(crate) attempts: u32,
    pub(crate) settings: CallSettings,
    pub(crate) response: Response,
    /// `None` for a download, whose body is read later.
    pub(crate) body: Option<Bytes>,
    /// Held for a large body until it is decoded.
    pub(crate) body_permit: BodyPermit,
    /// Keeps the buffer of a body that was read with the buffers of its client.
    pub(crate) buffers: Option<BodyBuffers>,
    pub(crate) context: Arc<FailureContext>,
}

impl RawResponse {
    /// Returns the status, one of 2xx.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// Returns whether the status has no body by definition.
    pub(crate) fn has_no_content(&self) -> bool {
        [StatusCode::NO_CONTENT, StatusCode::RESET_CONTENT].contains(&self.status())
    }

    pub(crate) fn take_headers(&mut self) -> HeaderMap {
        std::mem::take(self.response.headers_mut())
    }

    /// Returns the complete body.
    pub(crate) async fn take_body(&mut self) -> Result<Bytes> {
        let limit = self.settings.max_response_bytes;
        match self.body.take() {
            Some(body) => Ok(body),
            // In a box, because nearly all bodies have been read already.
            None => {
                Box::pin(read_body(&mut self.response, limit, None, &mut self.body_permit)).await.map_err(|error| {
                    match error {
                        BodyError::Connection(error) => {
                            self.context.connection_error(error, self.operation.clone(), self.attempts).1
                        }
                        BodyError::TooLarge => too_large(limit, self.operation.clone(), self.attempts),
                    }
                })
            }
        }
    }

    /// Keeps the buffer of a decoded body for the next ones.
    pub(crate) fn keep_buffer(&self, body: Bytes) {
        if let Some(buffers) = &self.buffers {
            buffers.keep(body);
        }
    }

    /// Returns the body as a stream.
    pub(crate) fn into_download(self) -> Download {
        let Self { operation, attempts, settings, response, context, .. } = self;
        Download::new(response, settings.min_transfer_rate, operation, attempts, context)
    }

    /// Adds this response's status and request id, and the start of `body`, to an error about it.
    pub(crate) fn add_to_error(&self, error: Error, body: &Bytes) -> Error {
        let body = Bytes::copy_from_slice(&body[..body.len().min(MAX_KEPT_BODY)]);
        let request_id = request_id(self.response.headers(), self.request_id_headers);
        let error = error.with_operation(self.operation.clone()).with_response(self.status(), request_id, body);
        self.context.masked(error.with_attempts(self.attempts).with_may_have_arrived(true))
    }
}

/// Returns the id of the request in the vendor's logs.
pub(crate) fn request_id(headers: &HeaderMap, names: &[&str]) -> Option<String> {
    let value: &HeaderValue = names.iter().find_map(|name| headers.get(*name))?;
    value.to_str().ok().map(str::to_owned)
}
