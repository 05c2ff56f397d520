//! Reads response bodies into memory, within limits.

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use reqwest::Response;

use crate::body_permits::{BodyPermit, BodyPermits, MEDIUM, SMALL};
use crate::display_bytes::display_bytes;
use crate::{Error, ErrorKind};

/// Bytes of a response body that an error keeps.
pub(crate) const MAX_KEPT_BODY: usize = 64 * 1024;
/// Largest capacity that is reserved before a body arrives: its `Content-Length` may be wrong.
const MAX_PREALLOCATION: usize = 16 * 1024 * 1024;
/// Capacity that is reserved once a body turns out to be large.
const LARGE_BODY_CAPACITY: usize = 64 * 1024 * 1024;

/// The reason why a body was not read completely.
pub(crate) enum BodyError {
    Connection(reqwest::Error),
    TooLarge,
}

impl From<reqwest::Error> for BodyError {
    fn from(error: reqwest::Error) -> Self {
        Self::Connection(error)
    }
}

/// Reads a body of at most `limit` bytes. Large bodies wait for a permit. A larger `Content-Length` is an error before anything is read.
pub(crate) async fn read_body(
    response: &mut Response,
    limit: usize,
    permits: Option<&BodyPermits>,
    permit: &mut BodyPermit,
) -> Result<Bytes, BodyError> {
    // Requests for tokens have a smaller limit, and no permits. In a box, because few bodies are large.
    let mut acquire = async |bytes| match permits {
        Some(permits) if bytes > SMALL => Box::pin(permits.acquire(permit, bytes)).await,
        _ => {}
    };
    let content_length = response.content_length().map_or(Some(0), |length| usize::try_from(length).ok());
    let content_length = content_length.filter(|length| *length <= limit).ok_or(BodyError::TooLarge)?;
    acquire(content_length).await;
    let Some(first) = response.chunk().await? else { return Ok(Bytes::new()) };
    // Most responses arrive in one chunk.
    let Some(second) = response.chunk().await? else {
        return if first.len() <= limit { Ok(first) } else { Err(BodyError::TooLarge) };
    };
    let expected = content_length.min(MAX_PREALLOCATION);
    let mut body = permits.map_or_else(|| Vec::with_capacity(expected), |permits| permits.buffers.take(expected));
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

/// Returns the next capacity of a buffer: twice the last one, but at most the limit. A large body gets the default limit at once: memory
/// that is not written to costs nothing, while the copies of a growing buffer fragment the allocator's memory.
fn next_capacity(capacity: usize, needed: usize, limit: usize) -> usize {
    let minimum = match needed {
        _ if needed > MEDIUM => LARGE_BODY_CAPACITY,
        _ if needed > SMALL => MEDIUM,
        _ => 0,
    };
    capacity.saturating_mul(2).max(minimum).min(limit).max(needed)
}

/// Creates the error of a response that is larger than the client allows. It is not retried: the next response would be as large.
pub(crate) fn too_large(limit: usize, operation: impl Into<Cow<'static, str>>, attempts: u32) -> Error {
    let message = format!("the response body is larger than the limit of {}", display_bytes(limit));
    Error::new(ErrorKind::Limit, message)
        .with_operation(operation)
        .with_attempts(attempts)
        .with_setting("max_response_bytes")
}

/// Reads the part of an error response's body that errors keep. A failure is ignored: the status is known.
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
    fn body_is_rejected_at_the_first_byte_over_the_limit() {
        let mut body = Vec::new();
        assert!(append(&mut body, &[0; 60], 100).is_ok() && append(&mut body, &[0; 40], 100).is_ok());
        assert_eq!((body.len(), body.capacity()), (100, 100));
        assert!(append(&mut body, &[], 100).is_ok());
        assert!(append(&mut body, &[0], 100).is_err());
        assert_eq!(
            too_large(64 * 1024 * 1024, "listBuyers", 1).to_string(),
            "listBuyers: the response body is larger than the limit of 64 MiB -> to allow more, set the client's `max_response_bytes`"
        );
    }
}
