//! The one error of every call.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;

use crate::foreign_text::{MAX_MESSAGE_CHARS, MAX_VALUE_CHARS, one_line};
use crate::known_secrets::Masks;
use crate::raw_response::RawResponse;
use source::Source;

pub(crate) mod body;
mod source;

/// Shorthand for results with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Characters of a hint; the rest of the line leaves room for it.
const MAX_HINT_CHARS: usize = 800;
/// Characters of the line in `Debug`.
const MAX_DEBUG_MESSAGE_CHARS: usize = 1300;
/// Characters of all sources in `Debug`.
const MAX_DEBUG_SOURCE_CHARS: usize = 500;

/// What went wrong with a call, for people (one line) and for programs (accessors).
///
/// `Display` and `Debug` are safe to log and print: one line of at most 2,000 characters, with control and invisible characters escaped
/// and each of the vendor's values limited to 200 characters. The accessors return the vendor's values as they came; print them with
/// [`printable`](crate::printable). Secrets of the client are masked (`***`) in all of it, in whatever encoding a vendor sent them back:
/// in errors of calls, and in those that methods of a client make of responses. Functions that have no client know no secrets;
/// [`Transport::masked`](crate::Transport::masked) masks them in errors of a caller's own.
///
/// Programs decide by [`kind`](Self::kind), and by [`status`](Self::status) and [`code`](Self::code) where the vendor's response matters:
///
/// ```
/// use std::time::Duration;
/// use usage_billing_core::{Error, ErrorKind};
///
/// enum Next {
///     /// Nothing is wrong with the job: run it again after this time.
///     Again(Duration),
///     /// Somebody has to change the configuration, the credential or its permissions.
///     Operator,
///     /// The request is wrong, or the vendor cannot fulfil it.
///     Developer,
/// }
///
/// fn next(error: &Error) -> Next {
///     match error.kind() {
///         ErrorKind::Config | ErrorKind::Auth | ErrorKind::Permission => Next::Operator,
///         // A certificate that is not trusted stays so.
///         ErrorKind::Connection if error.is_permanent() => Next::Operator,
///         ErrorKind::Connection | ErrorKind::NotReady | ErrorKind::WaitTimeout => {
///             Next::Again(error.retry_after().unwrap_or(Duration::from_secs(60)))
///         }
///         ErrorKind::Api => match error.status().map(|status| status.as_u16()) {
///             Some(429 | 500..) => Next::Again(error.retry_after().unwrap_or(Duration::from_secs(60))),
///             _ => Next::Developer,
///         },
///         // `ErrorKind` may get more variants.
///         _ => Next::Developer,
///     }
/// }
/// # let error = Error::new(ErrorKind::Connection, "connection lost");
/// # assert!(matches!(next(&error), Next::Again(_)));
/// ```
///
/// Opaque: more can be told later without breaking anybody.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    operation: Option<&'static str>,
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

/// What an [`Error`] is about, and so who can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client is not set up right: a URL, a variable of the environment, a credential's form.
    Config,
    /// The request was refused here, before anything was sent.
    Request,
    /// No token was to be had, or the vendor refused the credential (401).
    Auth,
    /// The credential is good but may not do this (403).
    Permission,
    /// No response, or only a part of one.
    Connection,
    /// The vendor answered with an error status.
    Api,
    /// The response is not what the curated document says.
    Decode,
    /// More than is kept in memory: the vendor sent too large a response, row of a file or list, or too much usage to add up; or the caller
    /// queued more than a sender holds. The message names the limit; [`setting`](Error::setting) or the hint says how to raise it or what to do instead.
    Limit,
    /// The vendor has not got it yet: ask again, after [`retry_after`](Error::retry_after) if that is said.
    NotReady,
    /// Waiting took longer than allowed; what was waited for may still come.
    WaitTimeout,
    /// The vendor says that what was waited for has failed.
    Failed,
    /// A file on this machine cannot be written.
    File,
}

impl Error {
    /// An error with a message of one line.
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

    /// What it is about.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The vendor's name of the operation, if one was called.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// Status of the last response.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The vendor's code, such as `invalid_client`, as it came.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The vendor's words, or ours. Control characters in it are not escaped.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What the vendor's support asks for, as it came.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// How long the vendor wants to be left alone, counted from its response.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// How often the request was sent; 0 if never.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns whether the vendor may have acted on the request, or may still do so: an attempt of the call got no response, or one that
    /// does not reject it (5xx, 408, a success that could not be read). It stays so whatever becomes of later attempts. `false` if nothing was
    /// sent, and if each attempt was rejected (4xx).
    pub fn may_have_arrived(&self) -> bool {
        self.0.may_have_arrived
    }

    /// Returns whether a deadline or a timeout ended the call: the vendor may still act on the request.
    pub fn is_timeout(&self) -> bool {
        self.0.is_timeout
    }

    /// Returns whether the connection failed for a reason that lasts until somebody changes something, such as a certificate that is not
    /// trusted: the same call fails again.
    pub fn is_permanent(&self) -> bool {
        self.0.is_permanent
    }

    /// What can be done about it, in a few words.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The setting of the client that raises the limit that was exceeded, if it was one: `deadline`, `max_response_bytes`,
    /// `min_transfer_rate` or `max_usage_bytes`. It is named at the end of the line.
    pub fn setting(&self) -> Option<&'static str> {
        self.0.setting
    }

    /// At most the first 64 KiB of the response's body, with the client's secrets masked.
    pub fn body(&self) -> &[u8] {
        &self.0.body
    }

    /// Names the operation that failed.
    pub fn with_operation(mut self, operation: &'static str) -> Self {
        self.0.operation = Some(operation);
        self
    }

    /// Says what can be done about it; stands at the end of the line, after ` -> `.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    pub(crate) fn with_timeout(mut self, is_timeout: bool) -> Self {
        self.0.is_timeout = is_timeout;
        self
    }

    /// As [`is_permanent`](Self::is_permanent) returns.
    pub fn with_permanent(mut self, is_permanent: bool) -> Self {
        self.0.is_permanent = is_permanent;
        self
    }

    /// Names the setting that raises the limit; `None` for a caller that has no access to the client's settings, such as a program's user.
    pub fn with_setting(mut self, setting: impl Into<Option<&'static str>>) -> Self {
        self.0.setting = setting.into();
        self
    }

    /// Keeps what caused it: an `Error` or an operating system's error as it is, of others the words.
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(source::sanitized(source));
        self
    }

    /// The same, seen by somebody who knows better what it is about.
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

    /// How long to wait before the next try.
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

    /// Masks the client's secrets in everything that may be of the vendor.
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

    /// All that `Display` prints.
    fn display_line(&self) -> String {
        let inner = &*self.0;
        let mut line = String::new();
        if let Some(operation) = inner.operation {
            line += &format!("{operation}: ");
        }
        if let Some(status) = inner.status {
            line += &format!("{status}: ");
        }
        let is_redundant =
            |code: &&str| *code == inner.message || inner.status.is_some_and(|status| status.as_str() == *code);
        if let Some(code) = inner.code.as_deref().filter(|code| !is_redundant(code)) {
            line += &format!("{}: ", one_line(code, MAX_VALUE_CHARS));
        }
        let mut details = Vec::new();
        if let Some(id) = &inner.request_id {
            details.push(format!("request id {}", one_line(id, MAX_VALUE_CHARS)));
        }
        if let Some(wait) = inner.retry_after {
            details.push(format!("retry after {} s", wait.as_millis().div_ceil(1000)));
        }
        if inner.attempts > 1 {
            details.push(format!("{} attempts", inner.attempts));
        }
        let mut suffix = String::new();
        if !details.is_empty() {
            suffix += &format!(" ({})", details.join(", "));
        }
        let hint = inner.hint.as_ref().map(|hint| one_line(hint, MAX_HINT_CHARS).to_string());
        let setting = inner.setting.map(|setting| format!("to allow more, set the client's `{setting}`"));
        let hints: Vec<_> = hint.into_iter().chain(setting).collect();
        if !hints.is_empty() {
            suffix += &format!(" -> {}", hints.join("; "));
        }
        // The message is cut and not the hint: it says what to do.
        let room = MAX_MESSAGE_CHARS.saturating_sub(line.chars().count() + suffix.chars().count());
        line += &one_line(&inner.message, room.max(MAX_VALUE_CHARS));
        line + &suffix
    }

    /// Named by generated code: a success status that the document does not know. Error statuses never get so far.
    #[doc(hidden)]
    pub fn unexpected_response(response: Box<RawResponse>) -> Self {
        let error = Self::new(ErrorKind::Decode, "the OpenAPI document does not list a response of this status");
        response.add_to_error(error, &Bytes::new())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&one_line(&self.display_line(), MAX_MESSAGE_CHARS))
    }
}

/// One line, also in the alternate form. Without the body: it may hold the customer's data, and errors end in logs.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        let message = self.display_line();
        let message = one_line(&message, MAX_DEBUG_MESSAGE_CHARS);
        write!(f, "Error {{ kind: {:?}, message: {message}, body_bytes: {}", inner.kind, inner.body.len())?;
        let sources: Vec<_> = sources(self).map(ToString::to_string).collect();
        if !sources.is_empty() {
            write!(f, ", source: {}", one_line(&sources.join(": "), MAX_DEBUG_SOURCE_CHARS))?;
        }
        f.write_str(" }")
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// Generated code builds requests with `?`: a header value or URL that cannot be sent.
impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        Self::new(ErrorKind::Request, format!("the request cannot be built: {}", innermost(&error)))
            .with_source(error.without_url())
    }
}

impl From<reqwest::header::InvalidHeaderValue> for Error {
    fn from(error: reqwest::header::InvalidHeaderValue) -> Self {
        Self::new(ErrorKind::Request, "the value of a header contains a character that headers cannot contain")
            .with_source(error)
    }
}

impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

/// The causes of an error, the nearest first.
pub(crate) fn sources<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(error.source(), |error: &&'a (dyn StdError + 'static)| (*error).source())
}

/// The deepest cause: "connection refused", where the outer errors only say that sending failed.
pub(crate) fn innermost(error: &(dyn StdError + 'static)) -> String {
    sources(error).last().unwrap_or(error).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_line_says_operation_status_code_message_and_request_id() {
        let error = Error::new(ErrorKind::Api, "the queue is full")
            .with_operation("createReport")
            .with_response(StatusCode::SERVICE_UNAVAILABLE, Some("r-7".into()), Bytes::from_static(b"secret customer"))
            .with_code(Some("busy".into()))
            .with_retry_after(Some(Duration::from_millis(1500)))
            .with_attempts(4);
        assert_eq!(
            error.to_string(),
            "createReport: 503 Service Unavailable: busy: the queue is full (request id r-7, retry after 2 s, 4 attempts)"
        );
        assert!(error.clone().with_hint("ask later").to_string().ends_with("4 attempts) -> ask later"));
        assert!(!format!("{error:?}").contains("secret customer"));
        assert_eq!(error.body(), b"secret customer");
    }

    #[test]
    fn a_long_message_leaves_room_for_the_hint() {
        let error = Error::new(ErrorKind::Api, "x".repeat(5_000_000)).with_hint("do this");
        let line = error.to_string();
        assert!(line.chars().count() == MAX_MESSAGE_CHARS && line.ends_with("xx… -> do this"), "{line}");
    }

    #[test]
    fn a_forged_line_stays_in_its_line() {
        let error = Error::new(ErrorKind::Failed, "the report is RUN\nerror: forged line").with_hint("\u{202e}");
        assert_eq!(error.to_string(), r"the report is RUN\nerror: forged line -> \u{202e}");
        assert_eq!(error.message(), "the report is RUN\nerror: forged line", "as it came");
    }

    proptest! {
        #[test]
        fn any_error_is_one_bounded_line(texts in prop::collection::vec(".{0,60}|\\PC{300,400}|[\\p{Cc}\\p{Cf}]{0,400}", 7)) {
            let [message, code, id, hint, body, source, outer] = texts.try_into().unwrap();
            let source = Error::new(ErrorKind::Decode, outer).with_source(std::io::Error::other(source));
            let error = Error::new(ErrorKind::Api, message)
                .with_operation("createReport")
                .with_response(StatusCode::SERVICE_UNAVAILABLE, Some(id), body.into())
                .with_code(Some(code))
                .with_hint(hint)
                .with_source(source);
            let mut causes = vec![&error as &dyn StdError];
            causes.extend(sources(&error));
            for cause in causes {
                for text in [cause.to_string(), format!("{cause:?}"), format!("{cause:#?}")] {
                    prop_assert!(!text.contains(crate::foreign_text::is_escaped), "{}", text);
                    prop_assert!(text.chars().count() <= MAX_MESSAGE_CHARS);
                }
            }
        }
    }

    #[test]
    fn an_error_is_one_pointer_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
