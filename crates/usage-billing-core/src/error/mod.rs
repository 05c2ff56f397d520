//! The error type of all calls.

pub(crate) mod body;
mod construct;
mod display;
mod kind;
mod source;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;

pub use construct::invalid_header;
pub(crate) use construct::invalid_request;
pub use kind::ErrorKind;
use source::Source;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The error of a call: one human-readable line, and accessors for programs.
///
/// `Display` and `Debug` are safe to log and print: one line of at most 2,000 characters, with control and invisible characters escaped
/// and each of the vendor's values limited to 200 characters. The accessors return the vendor's values unchanged; print them with
/// [`printable`](crate::printable).
///
/// Secrets of the client are masked (`***`) in all of it, in any encoding that a vendor returns them in: in errors of calls, and in errors
/// of methods of a client that read responses. Functions without a client know no secrets;
/// [`Transport::masked`](crate::Transport::masked) masks them in other errors.
///
/// Match on [`kind`](Self::kind), and on [`status`](Self::status) and [`code`](Self::code) where the vendor's response matters:
///
/// ```
/// use std::time::Duration;
/// use usage_billing_core::{Error, ErrorKind};
///
/// enum Next {
///     /// Run the job again after this time.
///     RetryAfter(Duration),
///     /// The configuration, the credential or its permissions have to be changed.
///     AlertOperator,
///     /// The request is invalid, or the vendor cannot fulfil it.
///     FixRequest,
/// }
///
/// fn next(error: &Error) -> Next {
///     match error.kind() {
///         // A limit is a setting of the client: the same request may succeed with another one.
///         ErrorKind::Config | ErrorKind::Auth | ErrorKind::Permission | ErrorKind::Limit => Next::AlertOperator,
///         // For example, a certificate that is not trusted.
///         ErrorKind::Connection if error.is_permanent() => Next::AlertOperator,
///         ErrorKind::Connection | ErrorKind::NotReady | ErrorKind::WaitTimeout => {
///             Next::RetryAfter(error.retry_after().unwrap_or(Duration::from_secs(60)))
///         }
///         ErrorKind::Api => match error.status().map(|status| status.as_u16()) {
///             Some(429 | 500..) => Next::RetryAfter(error.retry_after().unwrap_or(Duration::from_secs(60))),
///             _ => Next::FixRequest,
///         },
///         // `ErrorKind` may get more variants.
///         _ => Next::FixRequest,
///     }
/// }
/// # let error = Error::new(ErrorKind::Connection, "connection lost");
/// # assert!(matches!(next(&error), Next::RetryAfter(_)));
/// ```
///
/// The type is opaque, so that it can get more fields without a breaking change.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    operation: Option<Cow<'static, str>>,
    status: Option<StatusCode>,
    code: Option<String>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    attempts: u32,
    may_have_arrived: bool,
    hint: Option<String>,
    setting: Option<&'static str>,
    is_timeout: bool,
    is_permanent: bool,
    body: Bytes,
    source: Option<Source>,
}

impl Error {
    /// Returns the category of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the operation as the OpenAPI document names it, if one was called. For a request that the document lacks, it is method and path
    /// template.
    pub fn operation(&self) -> Option<&str> {
        self.0.operation.as_deref()
    }

    /// Returns the status of the last response.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// Returns the vendor's error code, such as `invalid_client`, unchanged.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Returns the message of the vendor or of this crate. Control characters in it are not escaped.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the id of the request, unchanged, for the vendor's support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Returns how long to wait before the next attempt, counted from the response (`Retry-After`).
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns how often the request was sent; 0 if it was not sent.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns whether the vendor may have acted on the request, or may still do so: an attempt of the call got no response, or one that
    /// does not reject it (5xx, 408, a success that could not be read). Later attempts do not change that. `false` if nothing was sent, and if
    /// each attempt was rejected (4xx).
    pub fn may_have_arrived(&self) -> bool {
        self.0.may_have_arrived
    }

    /// Returns whether a deadline or a timeout ended the call: the vendor may still act on the request.
    pub fn is_timeout(&self) -> bool {
        self.0.is_timeout
    }

    /// Returns whether the connection failed for a permanent reason, such as a certificate that is not trusted: the same call fails again
    /// until the configuration changes.
    pub fn is_permanent(&self) -> bool {
        self.0.is_permanent
    }

    /// Returns a short instruction that may solve the problem.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Returns the setting of the client that raises the exceeded limit: `deadline`, `max_response_bytes`, `min_transfer_rate` or
    /// `max_usage_bytes`. `None` if no limit was exceeded or no setting raises it. `Display` names it at the end of the line.
    pub fn setting(&self) -> Option<&'static str> {
        self.0.setting
    }

    /// Returns at most the first 64 KiB of the response body, with the client's secrets masked.
    pub fn body(&self) -> &[u8] {
        &self.0.body
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// Returns the causes of an error, the nearest first.
pub(crate) fn sources<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(error.source(), |error: &&'a (dyn StdError + 'static)| (*error).source())
}

/// Returns the message of the deepest cause: "connection refused", where the outer errors only state that sending failed.
pub(crate) fn innermost(error: &(dyn StdError + 'static)) -> String {
    sources(error).last().unwrap_or(error).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_is_one_pointer_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
