//! Options that callers set for single calls.

use std::time::Duration;

use serde::Serialize;

use crate::RetryPolicy;
use crate::call_settings::CallSettings;
use crate::request_additions::RequestAdditions;

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

    /// Returns the settings of the client with those that these options override.
    pub(crate) fn apply(&self, settings: CallSettings) -> CallSettings {
        let (retry, deadline) = (self.retry.unwrap_or(settings.retry), self.deadline.unwrap_or(settings.deadline));
        CallSettings { retry, deadline, ..settings }
    }

    /// Fetches the page that a link leads to. Generated code calls it.
    #[doc(hidden)]
    pub fn follow(mut self, link: String) -> Self {
        self.additions.follow(link);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_override_only_the_settings_they_set() {
        let client = CallSettings { deadline: Some(Duration::from_secs(7)), ..CallSettings::default() };
        let short = CallOptions::new().deadline(Duration::from_secs(1));
        assert_eq!(CallOptions::new().apply(client).deadline, Some(Duration::from_secs(7)));
        assert_eq!(short.apply(client).deadline, Some(Duration::from_secs(1)));
        assert_eq!(CallOptions::new().deadline(None).apply(client).deadline, None);
        assert_eq!(short.apply(client).retry, client.retry);
        assert_eq!(CallOptions::new().retry(RetryPolicy::none()).apply(client).retry, RetryPolicy::none());
    }
}
