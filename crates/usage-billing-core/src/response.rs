//! Decoded responses.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use crate::decode_memory::{DecodeMemory, from_json};
use crate::error::body::describe;
use crate::foreign_text::maskable_prefix;
use crate::known_secrets::Masks;
use crate::raw_response::RawResponse;
use crate::retry::retry_after;
use crate::{Error, ErrorKind, Result, printable};

/// Maximum characters of a path in a decode error.
const MAX_PATH_CHARS: usize = 400;

/// A decoded body with the status and headers of its response. It dereferences to the body.
pub struct ResponseValue<T> {
    value: T,
    status: StatusCode,
    headers: HeaderMap,
}

impl<T> ResponseValue<T> {
    /// Creates a response, for tests.
    pub fn new(value: T, status: StatusCode, headers: HeaderMap) -> Self {
        Self { value, status, headers }
    }

    /// Returns the body.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// Returns the status, one of 2xx.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the same response with another body.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> ResponseValue<U> {
        ResponseValue { value: change(self.value), status: self.status, headers: self.headers }
    }

    /// Returns how long to wait before the next request (`Retry-After`), such as for a job that is in progress.
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.headers, SystemTime::now())
    }
}

impl<T: DeserializeOwned> ResponseValue<T> {
    /// Decodes a JSON body. Generated code calls it.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] with the path in the body, [`ErrorKind::Limit`] if the value would take too much memory, and
    /// [`ErrorKind::Connection`] if the body is truncated.
    #[doc(hidden)]
    pub async fn from_response(response: Box<RawResponse>) -> Result<Self> {
        // For a string, some operations return "" and some an empty body.
        Self::decode(response, b"\"\"").await
    }

    /// Decodes the body; an empty one is taken for the JSON `empty`.
    async fn decode(mut response: Box<RawResponse>, empty: &'static [u8]) -> Result<Self> {
        let body = response.take_body().await?;
        // Gateways add a byte order mark, which is not JSON.
        let text = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&body);
        let json = if text.is_empty() { empty } else { text };
        let memory = DecodeMemory::new(body.len(), response.settings.max_response_bytes);
        match from_json(json, &memory) {
            Ok(value) => {
                response.keep_buffer(body);
                Ok(Self { value, status: response.status(), headers: response.take_headers() })
            }
            Err(_) if memory.is_exceeded() => {
                let error = Error::new(ErrorKind::Limit, memory.to_string()).with_setting("max_response_bytes");
                Err(response.add_to_error(error, &Bytes::new()))
            }
            Err(error) => {
                Err(response.add_to_error(decode_error::<T>(text, error, &response.context.secrets.masks()), &body))
            }
        }
    }
}

impl<T: DeserializeOwned> ResponseValue<Vec<T>> {
    /// Decodes a JSON array; `null` and a status without a body (204, 205) are an empty one. Generated code calls it.
    ///
    /// # Errors
    /// The same as of [`from_response`](ResponseValue::from_response).
    #[doc(hidden)]
    pub async fn from_list_response(response: Box<RawResponse>) -> Result<Self> {
        if response.has_no_content() {
            return Ok(ResponseValue::empty(response).map(|()| Vec::new()));
        }
        // An empty body of another status is an error: items may be missing.
        Ok(ResponseValue::<Option<Vec<T>>>::from_response(response).await?.map(Option::unwrap_or_default))
    }
}

impl<T: DeserializeOwned> ResponseValue<Option<T>> {
    /// Decodes a JSON body that may be missing. Generated code calls it.
    ///
    /// # Errors
    /// The same as of [`from_response`](ResponseValue::from_response).
    #[doc(hidden)]
    pub async fn from_optional_response(response: Box<RawResponse>) -> Result<Self> {
        if response.has_no_content() {
            return Ok(ResponseValue::empty(response).map(|()| None));
        }
        Self::decode(response, b"null").await
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// The first bytes of gzip data.
const GZIP: &[u8] = &[0x1F, 0x8B];

/// Returns the error of a body that cannot be decoded. Decoding it again, more slowly, finds the path, and takes no more memory than before.
/// Quotes of the body are masked here, before they are truncated.
fn decode_error<T: DeserializeOwned>(body: &[u8], error: serde_json::Error, masks: &Masks) -> Error {
    let message = match serde_path_to_error::deserialize::<_, T>(&mut serde_json::Deserializer::from_slice(body)) {
        Err(located) if !matches!(located.path().to_string().as_str(), "." | "?") => {
            format!(
                "unexpected body at {}: {}",
                display_path(located.path(), masks),
                display_reason(located.inner(), masks)
            )
        }
        _ if body.is_empty() => "the body is empty".to_owned(),
        _ if body.starts_with(GZIP) => {
            "the body is compressed with gzip, which was not requested (from a proxy?)".to_owned()
        }
        _ if body.trim_ascii_start().starts_with(b"<") => {
            let text = describe(body).message.unwrap_or_default();
            format!("unexpected body: {}", printable(&masks.apply(&maskable_prefix(&text))))
        }
        _ => format!("unexpected body: {}", display_reason(&error, masks)),
    };
    Error::new(ErrorKind::Decode, message).with_source(error)
}

/// Returns a path with fields of bounded length: those of a map are the vendor's.
fn display_path(path: &Path, masks: &Masks) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { .. } => text += &segment.to_string(),
            key => {
                let dot = if text.is_empty() { "" } else { "." };
                text += &format!("{dot}{}", printable(&masks.apply(&maskable_prefix(&key.to_string()))));
            }
        }
    }
    path_suffix(&text)
}

/// Returns the end of a long path, which names the field.
fn path_suffix(path: &str) -> String {
    let count = path.chars().count();
    match count.checked_sub(MAX_PATH_CHARS) {
        Some(cut) if cut > 0 => format!("…{}", path.chars().skip(cut + 1).collect::<String>()),
        _ => path.to_owned(),
    }
}

/// Returns a message of serde_json with its position. Its reason is limited, because it quotes the vendor's value.
fn display_reason(error: &serde_json::Error, masks: &Masks) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&position) {
        Some(reason) => format!("{}{position}", printable(&masks.apply(&maskable_prefix(reason)))),
        None => printable(&masks.apply(&maskable_prefix(&text))).to_string(),
    }
}

impl ResponseValue<ByteStream> {
    /// Returns the body as a stream. Generated code calls it.
    #[doc(hidden)]
    pub fn stream(mut response: Box<RawResponse>) -> Self {
        let (status, headers) = (response.status(), response.take_headers());
        Self { value: ByteStream(Box::pin(response.into_download())), status, headers }
    }
}

impl ResponseValue<Bytes> {
    /// Returns the complete body.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`] for a body that is too large, and [`ErrorKind::Connection`] if it is truncated.
    pub(crate) async fn bytes(mut response: Box<RawResponse>) -> Result<Self> {
        let body = response.take_body().await?;
        let value = match &response.buffers {
            Some(buffers) => buffers.release(body),
            None => body,
        };
        Ok(Self { value, status: response.status(), headers: response.take_headers() })
    }
}

impl ResponseValue<()> {
    /// Ignores the body. Generated code calls it.
    #[doc(hidden)]
    pub fn empty(mut response: Box<RawResponse>) -> Self {
        Self { value: (), status: response.status(), headers: response.take_headers() }
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

/// A response body as a stream of chunks. Nothing is buffered.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::known_secrets::KnownSecrets;
    use std::collections::BTreeMap;

    fn decode_error_of(body: &str) -> String {
        type Body = BTreeMap<String, Vec<crate::DecimalNumber>>;
        decode_error::<Body>(
            body.as_bytes(),
            serde_json::from_str::<Body>(body).unwrap_err(),
            &KnownSecrets::default().masks(),
        )
        .to_string()
    }

    #[test]
    fn decode_error_is_bounded_and_names_path_and_position() {
        let key = format!("\\u001b\\u0000\\u202e{}", "k".repeat(5000));
        let error = decode_error_of(&format!(r#"{{"{key}":[1,"{}\n"]}}"#, "v".repeat(5000)));
        assert!(error.starts_with(r"unexpected body at \u{1b}\u{0}\u{202e}kkk"), "{error}");
        assert!(error.contains("kkk…[1]: not a decimal number: ") && error.contains(" at line 1 column 1"), "{error}");
        assert!(error.chars().count() < 600, "{error}");
    }

    #[test]
    fn long_path_keeps_its_end() {
        assert_eq!(path_suffix("a.b[1]"), "a.b[1]");
        let path = path_suffix(&format!("{}.name", "a.".repeat(500)));
        assert!(path.starts_with("…") && path.ends_with("a..name") && path.chars().count() == MAX_PATH_CHARS, "{path}");
    }
}
