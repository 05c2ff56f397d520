//! A success on its way from the transport to the value that is made of it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::Response;

use crate::body_permits::{BodyPermit, BodyPermits, MEDIUM, SMALL};
use crate::call_options::CallSettings;
use crate::failure_context::FailureContext;
use crate::transfer_rate::MinRateStream;
use crate::{Error, ErrorKind, Result};

/// How much of a response's body an error keeps.
pub(crate) const MAX_KEPT_BODY: usize = 64 * 1024;
/// Room that is made for a body before it comes, at most: its stated length may be wrong.
const MAX_PREALLOCATION: usize = 16 * 1024 * 1024;
/// Room that is made for a body that turns out to be large.
const LARGE_BODY_CAPACITY: usize = 64 * 1024 * 1024;

/// A response of a success status, as generated code hands it on: in a box, because it is handed on many times.
#[derive(Debug)]
pub struct RawResponse {
    pub(crate) operation: &'static str,
    pub(crate) request_id_headers: &'static [&'static str],
    pub(crate) attempts: u32,
    pub(crate) settings: CallSettings,
    pub(crate) response: Response,
    /// `None` while it is still to come, as it is of a download.
    pub(crate) body: Option<Bytes>,
    /// Of a large body, until the value is made.
    pub(crate) body_permit: BodyPermit,
    pub(crate) context: Arc<FailureContext>,
}

impl RawResponse {
    /// One of 2xx.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(crate) fn take_headers(&mut self) -> HeaderMap {
        std::mem::take(self.response.headers_mut())
    }

    /// All of the body.
    pub(crate) async fn take_body(&mut self) -> Result<Bytes> {
        let limit = self.settings.max_response_bytes;
        match self.body.take() {
            Some(body) => Ok(body),
            // In a box, because nearly all bodies are here already.
            None => {
                Box::pin(read_body(&mut self.response, limit, None, &mut self.body_permit)).await.map_err(|error| {
                    match error {
                        BodyError::Connection(error) => {
                            self.context.connection_error(error, self.operation, self.attempts).1
                        }
                        BodyError::TooLarge => too_large(limit, self.operation, self.attempts),
                    }
                })
            }
        }
    }

    /// The body as it arrives.
    pub(crate) fn into_download(self) -> Download {
        let Self { operation, attempts, settings, response, context, .. } = self;
        let chunks = response.bytes_stream().boxed();
        let chunks = match settings.min_transfer_rate {
            Some(rate) => Chunks::MinRate(MinRateStream::new(chunks, rate)),
            None => Chunks::Unlimited(chunks),
        };
        Download { operation, attempts, context, chunks: Some(chunks) }
    }

    /// The error of a response that is not what the document says, with the body if that is the reason.
    pub(crate) fn add_to_error(&self, error: Error, body: &Bytes) -> Error {
        let body = Bytes::copy_from_slice(&body[..body.len().min(MAX_KEPT_BODY)]);
        let request_id = request_id(self.response.headers(), self.request_id_headers);
        let error = error.with_operation(self.operation).with_response(self.status(), request_id, body);
        self.context.masked(error.with_attempts(self.attempts).with_may_have_arrived(true))
    }
}

/// A body as it arrives, at the minimum transfer rate. Ends after an error.
pub(crate) struct Download {
    operation: &'static str,
    attempts: u32,
    context: Arc<FailureContext>,
    chunks: Option<Chunks>,
}

enum Chunks {
    MinRate(MinRateStream<BoxStream<'static, reqwest::Result<Bytes>>>),
    Unlimited(BoxStream<'static, reqwest::Result<Bytes>>),
}

impl Stream for Download {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let (operation, attempts) = (self.operation, self.attempts);
        let chunk = match &mut self.chunks {
            None => return Poll::Ready(None),
            Some(Chunks::MinRate(chunks)) => ready!(chunks.poll_chunk(context)),
            Some(Chunks::Unlimited(chunks)) => ready!(chunks.poll_next_unpin(context)).map(Ok),
        };
        let chunk = chunk.map(|chunk| match chunk {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(error)) => Err(self.context.connection_error(error, operation, attempts).1),
            Err(too_slow) => Err(Error::new(ErrorKind::Connection, too_slow.to_string())
                .with_operation(operation)
                .with_attempts(attempts)
                .with_setting("min_transfer_rate")),
        });
        if !matches!(chunk, Some(Ok(_))) {
            // Closes the connection of a download that failed.
            self.chunks = None;
        }
        Poll::Ready(chunk)
    }
}

/// Why a body was not read to its end.
pub(crate) enum BodyError {
    Connection(reqwest::Error),
    TooLarge,
}

impl From<reqwest::Error> for BodyError {
    fn from(error: reqwest::Error) -> Self {
        Self::Connection(error)
    }
}

/// Reads a body of at most `limit` bytes; a large one in its permit. A larger stated length fails before anything is read.
pub(crate) async fn read_body(
    response: &mut Response,
    limit: usize,
    permits: Option<&BodyPermits>,
    permit: &mut BodyPermit,
) -> Result<Bytes, BodyError> {
    // Requests for tokens have a limit of their own, and no turns. In a box, because few bodies are large.
    let mut acquire = async |bytes| match permits {
        Some(permits) if bytes > SMALL => Box::pin(permits.acquire(permit, bytes)).await,
        _ => {}
    };
    let content_length = response.content_length().map_or(Some(0), |length| usize::try_from(length).ok());
    let content_length = content_length.filter(|content_length| *content_length <= limit).ok_or(BodyError::TooLarge)?;
    acquire(content_length).await;
    let Some(first) = response.chunk().await? else { return Ok(Bytes::new()) };
    // Most answers come in one piece.
    let Some(second) = response.chunk().await? else {
        return if first.len() <= limit { Ok(first) } else { Err(BodyError::TooLarge) };
    };
    let mut body = Vec::with_capacity(content_length.min(MAX_PREALLOCATION));
    for chunk in [first, second] {
        append(&mut body, &chunk, limit)?;
    }
    while let Some(chunk) = response.chunk().await? {
        acquire(body.len() + chunk.len()).await;
        append(&mut body, &chunk, limit)?;
    }
    Ok(body.into())
}

fn append(body: &mut Vec<u8>, chunk: &[u8], limit: usize) -> Result<(), BodyError> {
    let length = body.len() + chunk.len();
    if length > limit {
        return Err(BodyError::TooLarge);
    }
    if length > body.capacity() {
        body.reserve_exact(next_capacity(body.capacity(), length, limit) - body.len());
    }
    body.extend_from_slice(chunk);
    Ok(())
}

/// The next capacity of a buffer: twice the last one, but never more than the limit, which doubling would exceed by up to a half. A large
/// body gets all that most limits allow at once: memory that is not written to is only an address, while copies of growing buffers stay
/// behind in the allocator.
fn next_capacity(capacity: usize, needed: usize, limit: usize) -> usize {
    let minimum = match needed {
        _ if needed > MEDIUM => LARGE_BODY_CAPACITY,
        _ if needed > SMALL => MEDIUM,
        _ => 0,
    };
    capacity.saturating_mul(2).max(minimum).min(limit).max(needed)
}

/// The response is larger than the client allows. Not sent again: the next response would be as large.
pub(crate) fn too_large(limit: usize, operation: &'static str, attempts: u32) -> Error {
    let message = format!("the response body is larger than the limit of {}", display_bytes(limit));
    Error::new(ErrorKind::Limit, message)
        .with_operation(operation)
        .with_attempts(attempts)
        .with_setting("max_response_bytes")
}

/// A limit in words: `64 MiB`, or `1000 bytes` of what is not whole.
pub fn display_bytes(bytes: usize) -> String {
    const MIB: usize = 1024 * 1024;
    if bytes > 0 && bytes.is_multiple_of(MIB) { format!("{} MiB", bytes / MIB) } else { format!("{bytes} bytes") }
}

/// Reads as much of an error response as comes and is kept: the status says enough if the rest does not.
pub(crate) async fn read_body_prefix(response: Response, body: &mut BytesMut) {
    let mut chunks = response.bytes_stream();
    while let Some(Ok(chunk)) = chunks.next().await {
        let room = MAX_KEPT_BODY - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() >= room {
            break;
        }
    }
}

/// The name that the vendor's logs have for a request.
pub(crate) fn request_id(headers: &HeaderMap, names: &[&str]) -> Option<String> {
    let value: &HeaderValue = names.iter().find_map(|name| headers.get(*name))?;
    value.to_str().ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_grows_by_doubling_up_to_the_limit() {
        for (capacity, needed, limit, expected) in [
            (0, 10, 100, 10),
            (10, 11, 100, 20),
            (10, 50, 100, 50),
            (60, 61, 100, 100),
            (100, 100, 100, 100),
            (usize::MAX / 2 + 1, 10, usize::MAX, usize::MAX),
            (SMALL - 1, SMALL + 1, 1 << 40, MEDIUM),
            (MEDIUM, MEDIUM + 1, 1 << 40, LARGE_BODY_CAPACITY),
            (MEDIUM, MEDIUM + 1, MEDIUM + 7, MEDIUM + 7),
            (LARGE_BODY_CAPACITY, LARGE_BODY_CAPACITY + 1, 1 << 40, 2 * LARGE_BODY_CAPACITY),
        ] {
            assert_eq!(next_capacity(capacity, needed, limit), expected, "{capacity} {needed} {limit}");
        }
    }

    #[test]
    fn body_over_the_limit_is_an_error_at_its_first_byte_too_many() {
        let mut body = Vec::new();
        assert!(append(&mut body, &[0; 60], 100).is_ok() && append(&mut body, &[0; 40], 100).is_ok());
        assert_eq!((body.len(), body.capacity()), (100, 100));
        assert!(append(&mut body, &[], 100).is_ok());
        assert!(append(&mut body, &[0], 100).is_err());
        assert_eq!(
            too_large(64 * 1024 * 1024, "listBuyers", 1).to_string(),
            "listBuyers: the response body is larger than the limit of 64 MiB -> to allow more, set the client's `max_response_bytes`"
        );
        assert_eq!(display_bytes(1000), "1000 bytes");
    }
}
