//! Settings and limits of single calls.

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use crate::request_additions::RequestAdditions;
use crate::{MinTransferRate, RetryPolicy};

/// Default deadline of a call: enough for the default retries (2 minutes) and a large response after the last one.
const DEADLINE: Duration = Duration::from_secs(300);
/// Default limit of a buffered response body. The largest pages of the vendors have a few MiB.
const MAX_RESPONSE_BYTES: usize = 64 * 1024 * 1024;

/// Overrides settings of the client for some calls. Pass them to `with_call_options` of a client: the handle that it returns shares the
/// token, the rate limit and the connections with the client.
///
/// ```
/// use std::time::Duration;
/// use usage_billing_core::{CallOptions, RetryPolicy};
///
/// // A health check: one attempt of at most 2 s.
/// let options = CallOptions::new().retry(RetryPolicy::none()).deadline(Duration::from_secs(2));
/// // A header and a query parameter that the OpenAPI document lacks.
/// let options = options.header("X-Trace-Id", "7").query("verbose", true);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "options have no effect until a client takes them"]
pub struct CallOptions {
    retry: Option<RetryPolicy>,
    deadline: Option<Option<Duration>>,
    pub(crate) additions: RequestAdditions,
}

impl CallOptions {
    /// Creates options that override nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the retry policy. Requests for tokens keep the client's policy, because their result is shared.
    pub fn retry(self, policy: RetryPolicy) -> Self {
        Self { retry: Some(policy), ..self }
    }

    /// Sets the time limit of a call, as [`ClientBuilder::deadline`](crate::ClientBuilder::deadline) does; `None` for no limit.
    pub fn deadline(self, limit: impl Into<Option<Duration>>) -> Self {
        Self { deadline: Some(limit.into()), ..self }
    }

    /// Sends a header, such as `X-Trace-Id`, in place of one of the same name. A call fails with the kind
    /// [`Request`](crate::ErrorKind::Request) if the header is invalid, or is one that the client sets for the credentials or the connection.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.additions.add_header(name.as_ref(), value.as_ref());
        self
    }

    /// Sends a query parameter, beside those of the operation. An array is sent as one parameter for each item, and `None` not at all.
    pub fn query(mut self, name: impl AsRef<str>, value: impl Serialize) -> Self {
        self.additions.add_query(name.as_ref(), &value);
        self
    }

    /// Fetches the page that a link leads to. Generated code calls it.
    #[doc(hidden)]
    pub fn follow(mut self, link: String) -> Self {
        self.additions.follow(link);
        self
    }
}

/// The settings that apply to a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallSettings {
    pub(crate) retry: RetryPolicy,
    pub(crate) deadline: Option<Duration>,
    pub(crate) max_response_bytes: usize,
    pub(crate) min_transfer_rate: Option<MinTransferRate>,
}

impl CallSettings {
    pub(crate) fn with(self, options: &CallOptions) -> Self {
        Self { retry: options.retry.unwrap_or(self.retry), deadline: options.deadline.unwrap_or(self.deadline), ..self }
    }
}

impl Default for CallSettings {
    fn default() -> Self {
        Self {
            retry: RetryPolicy::default(),
            deadline: Some(DEADLINE),
            max_response_bytes: MAX_RESPONSE_BYTES,
            min_transfer_rate: Some(MinTransferRate::default()),
        }
    }
}

/// The time at which a call has to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    pub(crate) end: Instant,
    pub(crate) limit: Duration,
}

impl Deadline {
    /// Returns the deadline `limit` from now, or `None` if the clock cannot represent it.
    pub(crate) fn after(limit: Duration) -> Option<Self> {
        Some(Self { end: Instant::now().checked_add(limit)?, limit })
    }

    pub(crate) fn remaining(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_override_only_the_settings_they_set() {
        let client = CallSettings { deadline: Some(Duration::from_secs(7)), ..CallSettings::default() };
        let short = CallOptions::new().deadline(Duration::from_secs(1));
        assert_eq!(client.with(&CallOptions::new()).deadline, Some(Duration::from_secs(7)));
        assert_eq!(client.with(&short).deadline, Some(Duration::from_secs(1)));
        assert_eq!(client.with(&CallOptions::new().deadline(None)).deadline, None);
        assert_eq!(client.with(&short).retry, client.retry);
        assert_eq!(client.with(&CallOptions::new().retry(RetryPolicy::none())).retry, RetryPolicy::none());
    }

    #[test]
    fn deadline_beyond_the_clock_is_unlimited() {
        assert!(Deadline::after(Duration::MAX).is_none());
        assert!(Deadline::after(Duration::ZERO).is_some());
    }
}
