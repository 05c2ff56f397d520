//! Successful answers.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::answer::Answer;
use crate::error_body::describe;
use crate::json_shape;
use crate::retry::retry_after;
use crate::{Error, ErrorKind, Result};

/// A decoded body with the status and headers that it came with.
pub struct ResponseValue<T> {
    value: T,
    status: StatusCode,
    headers: HeaderMap,
}

impl<T> ResponseValue<T> {
    /// Puts an answer together, for tests.
    pub fn new(value: T, status: StatusCode, headers: HeaderMap) -> Self {
        Self { value, status, headers }
    }

    /// The body.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The status, one of 2xx.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// All headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// How long the vendor wants to be left alone, counted from its answer: a job that is not done says so.
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.headers, SystemTime::now())
    }
}

impl<T: DeserializeOwned> ResponseValue<T> {
    /// Named by generated code.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] with the place in the body, [`ErrorKind::Limit`] if it would take far more memory than the body, or
    /// [`ErrorKind::Connection`] if the body was cut off.
    #[doc(hidden)]
    pub async fn from_response(mut answer: Answer) -> Result<Self> {
        let body = answer.take_body().await?;
        if let Err(reason) = json_shape::check(&body, answer.settings.max_response_bytes) {
            let error = Error::new(ErrorKind::Limit, reason.to_string()).with_setting("max_response_bytes");
            return Err(answer.unexpected(error, &Bytes::new()));
        }
        // Some operations answer "" and some nothing at all where the document says a string.
        let json = if body.is_empty() { &b"\"\""[..] } else { &body };
        match from_json(json) {
            Ok(value) => Ok(Self { value, status: answer.status(), headers: answer.take_headers() }),
            Err(error) => Err(answer.unexpected(misfit::<T>(&body, error), &body)),
        }
    }
}

impl<T: DeserializeOwned> ResponseValue<Vec<T>> {
    /// Named by generated code for answers that are a list: `null` is an empty one.
    ///
    /// # Errors
    /// As [`from_response`](ResponseValue::from_response).
    #[doc(hidden)]
    pub async fn from_list_response(answer: Answer) -> Result<Self> {
        let ResponseValue { value, status, headers } = ResponseValue::<Option<Vec<T>>>::from_response(answer).await?;
        Ok(Self { value: value.unwrap_or_default(), status, headers })
    }
}

/// Bytes are checked for UTF-8 all at once: quicker than string by string.
fn from_json<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    match std::str::from_utf8(body) {
        Ok(text) => serde_json::from_str(text),
        // Fails as well, and says where.
        Err(_) => serde_json::from_slice(body),
    }
}

/// Decoding once more, slower, finds the place.
fn misfit<T: DeserializeOwned>(body: &[u8], error: serde_json::Error) -> Error {
    let message = match serde_path_to_error::deserialize::<_, T>(&mut serde_json::Deserializer::from_slice(body)) {
        Err(located) if !matches!(located.path().to_string().as_str(), "." | "?") => {
            format!("unexpected body at {}: {}", located.path(), located.inner())
        }
        _ if body.is_empty() => "the body is empty".to_owned(),
        _ if body.trim_ascii_start().starts_with(b"<") => {
            format!("unexpected body: {}", describe(body).message.unwrap_or_default())
        }
        _ => format!("unexpected body: {error}"),
    };
    Error::new(ErrorKind::Decode, message).with_source(error)
}

impl ResponseValue<ByteStream> {
    /// Named by generated code.
    #[doc(hidden)]
    pub fn stream(mut answer: Answer) -> Self {
        let (status, headers) = (answer.status(), answer.take_headers());
        Self { value: ByteStream(Box::pin(answer.into_stream())), status, headers }
    }
}

impl ResponseValue<()> {
    /// Named by generated code.
    #[doc(hidden)]
    pub fn empty(mut answer: Answer) -> Self {
        Self { value: (), status: answer.status(), headers: answer.take_headers() }
    }
}

impl<T> Deref for ResponseValue<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for ResponseValue<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for ResponseValue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseValue")
            .field("status", &self.status)
            .field("value", &self.value)
            .finish_non_exhaustive()
    }
}

/// A body as it arrives; nothing of it is kept.
pub struct ByteStream(Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>);

impl Stream for ByteStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ByteStream")
    }
}
