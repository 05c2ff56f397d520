//! A success on its way from the transport to the value that is made of it.

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::{Response, Url};

use crate::error::innermost;
use crate::{Error, ErrorKind, Result};

/// How much of an answer's body an error keeps.
pub(crate) const KEPT_BODY: usize = 64 * 1024;
/// Room that is made for a body before it comes, at most: its stated length may be wrong.
const LARGEST_GUESS: usize = 16 * 1024 * 1024;

/// An answer of a success status, as generated code hands it on.
#[derive(Debug)]
pub struct Answer {
    pub(crate) operation: &'static str,
    pub(crate) request_id_headers: &'static [&'static str],
    pub(crate) attempts: u32,
    pub(crate) response: Response,
    /// `None` while it is still to come, as it is of a download.
    pub(crate) body: Option<Bytes>,
}

impl Answer {
    /// One of 2xx.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(crate) fn take_headers(&mut self) -> HeaderMap {
        std::mem::take(self.response.headers_mut())
    }

    /// All of the body.
    pub(crate) async fn take_body(&mut self) -> Result<Bytes> {
        match self.body.take() {
            Some(body) => Ok(body),
            None => whole(&mut self.response).await.map_err(|error| broken(error, self.operation, self.attempts)),
        }
    }

    /// The body as it arrives.
    pub(crate) fn into_stream(self) -> impl Stream<Item = Result<Bytes>> + Send + use<> {
        let Self { operation, attempts, response, .. } = self;
        response.bytes_stream().map(move |chunk| chunk.map_err(|error| broken(error, operation, attempts)))
    }

    /// The error of an answer that is not what the document says, with the body if that is the reason.
    pub(crate) fn unexpected(&self, error: Error, body: &Bytes) -> Error {
        let body = Bytes::copy_from_slice(&body[..body.len().min(KEPT_BODY)]);
        let request_id = request_id(self.response.headers(), self.request_id_headers);
        error.with_operation(self.operation).with_answer(self.status(), request_id, body).with_attempts(self.attempts)
    }
}

/// All of an answer's body.
pub(crate) async fn whole(response: &mut Response) -> reqwest::Result<Bytes> {
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

/// As much of an error answer as comes and is kept: the status says enough if the rest does not.
pub(crate) async fn beginning(response: Response) -> Bytes {
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

/// The name that the vendor's logs have for a request.
pub(crate) fn request_id(headers: &HeaderMap, names: &[&str]) -> Option<String> {
    let value: &HeaderValue = names.iter().find_map(|name| headers.get(*name))?;
    value.to_str().ok().map(str::to_owned)
}

/// No connection, or one that ended early.
pub(crate) fn broken(error: reqwest::Error, operation: &'static str, attempts: u32) -> Error {
    let address = |url: &Url| Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?));
    let peer = error.url().and_then(address).unwrap_or_else(|| "the vendor".to_owned());
    let what = if error.is_connect() {
        "no connection to"
    } else if error.is_timeout() {
        "no answer in time from"
    } else {
        "connection lost to"
    };
    Error::new(ErrorKind::Connection, format!("{what} {peer}: {}", innermost(&error)))
        .with_source(error.without_url())
        .with_operation(operation)
        .with_attempts(attempts)
}
