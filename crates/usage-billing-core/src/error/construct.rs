//! Construction of errors, for this workspace's crates.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::header::InvalidHeaderValue;

use super::{Error, ErrorKind, Inner, innermost, source};
use crate::known_secrets::Masks;
use crate::raw_response::RawResponse;

impl Error {
    /// Creates an error with a message.
    #[doc(hidden)]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            operation: None,
            status: None,
            code: None,
            request_id: None,
            retry_after: None,
            attempts: 0,
            may_have_arrived: false,
            hint: None,
            setting: None,
            is_timeout: false,
            is_permanent: false,
            body: Bytes::new(),
            source: None,
        }))
    }

    /// Sets the operation that failed.
    #[doc(hidden)]
    pub fn with_operation(mut self, operation: impl Into<Cow<'static, str>>) -> Self {
        self.0.operation = Some(operation.into());
        self
    }

    /// Sets the hint, which `Display` prints at the end of the line, after ` -> `.
    #[doc(hidden)]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    pub(crate) fn with_timeout(mut self, is_timeout: bool) -> Self {
        self.0.is_timeout = is_timeout;
        self
    }

    /// Sets what [`is_permanent`](Self::is_permanent) returns.
    #[doc(hidden)]
    pub fn with_permanent(mut self, is_permanent: bool) -> Self {
        self.0.is_permanent = is_permanent;
        self
    }

    /// Sets the setting that raises the limit; `None` for callers without access to the client's settings, such as users of a program.
    #[doc(hidden)]
    pub fn with_setting(mut self, setting: impl Into<Option<&'static str>>) -> Self {
        self.0.setting = setting.into();
        self
    }

    /// Sets the cause. An `Error` or an error of the operating system is kept; of others only the messages are.
    #[doc(hidden)]
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(source::sanitized(source));
        self
    }

    /// Overrides the kind.
    #[doc(hidden)]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    pub(crate) fn with_response(mut self, status: StatusCode, request_id: Option<String>, body: Bytes) -> Self {
        self.0.status = Some(status);
        self.0.request_id = request_id;
        self.0.body = body;
        self
    }

    pub(crate) fn with_code(mut self, code: Option<String>) -> Self {
        self.0.code = code;
        self
    }

    /// Sets the delay before the next attempt.
    #[doc(hidden)]
    pub fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.0.retry_after = retry_after;
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    pub(crate) fn with_may_have_arrived(mut self, may_have_arrived: bool) -> Self {
        self.0.may_have_arrived = may_have_arrived;
        self
    }

    /// Masks the client's secrets in all strings that may come from the vendor.
    pub(crate) fn masked(mut self, masks: &Masks) -> Self {
        let inner = &mut *self.0;
        inner.message = masks.apply(&inner.message);
        for text in [&mut inner.code, &mut inner.request_id, &mut inner.hint].into_iter().flatten() {
            *text = masks.apply(text);
        }
        inner.body = masks.apply_to_body(&inner.body);
        inner.source = inner.source.take().map(|source| source::masked(source, masks));
        self
    }

    /// Creates the error of a success status that the OpenAPI document does not list. Generated code calls it; error statuses have failed before.
    #[doc(hidden)]
    pub fn unexpected_response(response: Box<RawResponse>) -> Self {
        let error = Self::new(ErrorKind::Decode, "the OpenAPI document does not list a response of this status");
        response.add_to_error(error, &Bytes::new())
    }
}

/// Creates the error of a request that cannot be built.
pub(crate) fn invalid_request(error: reqwest::Error) -> Error {
    Error::new(ErrorKind::Request, format!("the request cannot be built: {}", innermost(&error)))
        .with_source(error.without_url())
}

/// Creates the error of a header parameter whose value cannot be sent. Generated code calls it.
pub fn invalid_header(error: InvalidHeaderValue) -> Error {
    Error::new(ErrorKind::Request, "the value of a header contains a character that headers cannot contain")
        .with_source(error)
}
