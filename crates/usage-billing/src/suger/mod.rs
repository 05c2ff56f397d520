#![doc = include_str!("../../docs/suger.md")]

mod catalogue;
mod metering;
mod response;
#[cfg(test)]
mod test_support;
mod usage;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use usage_billing_core::__private::TimeLimit;
use usage_billing_core::{ApiKey, CallOptions, ClientBuilder, Result};
pub use usage_billing_suger::{builder, types};
#[cfg(feature = "mock")]
#[cfg_attr(docsrs, doc(cfg(feature = "mock")))]
pub use usage_billing_suger::{httpmock, mock};

use self::metering::attempts::Attempts;
use crate::clock::Clock;
use crate::memory_limit::MAX_USAGE_BYTES;
pub use metering::attempts::MAX_PROCESSING_TIME;
pub use metering::changes::GroupChanges;
pub use metering::comparison::reconcile;
pub use metering::delivery::Delivery;
pub use metering::late_usage::{LateUsage, MarketplaceWindows};
pub use metering::receipt::{Receipt, UndeliveredEvent};
pub use metering::reconcile_period::Reconcile;
pub use metering::reconciliation::{ReconciledQuantity, Reconciliation};
pub use metering::sender::{Receipts, UsageSender, UsageSenderBuilder};
pub use metering::usage_event::UsageEvent;
pub use metering::usage_queue::UsageQueue;
pub use usage::lookups::Lookups;
pub use usage::report_rows::report_rows;
pub use usage::sums::usage_rows;

/// Default time limit of lists: one can have further pages without end.
const LIST_TIMEOUT: Duration = Duration::from_secs(600);

/// A client of one organization.
#[derive(Clone)]
pub struct Client {
    api: usage_billing_suger::Client,
    org_id: String,
    clock: Clock,
    max_usage_bytes: usize,
    list_timeout: Option<Duration>,
    attempts: Arc<Attempts>,
}

/// Omits the organization's id: a caller may have passed the key in its place.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("api", &self.api).finish_non_exhaustive()
    }
}

impl Client {
    /// Returns a builder of a client, with the organization's id and an API key of its console. The key is fixed or
    /// [supplied](ApiKey::provider) by a callback.
    pub fn builder(org_id: impl Into<String>, api_key: impl Into<ApiKey>) -> ClientBuilder<Self> {
        let org_id = org_id.into();
        usage_billing_suger::Client::builder(api_key).map(|api| Self::new(api, org_id))
    }

    /// Returns a builder with `SUGER_ORG_ID`, `SUGER_API_KEY` (or the file that `SUGER_API_KEY_FILE` names), and
    /// optionally `SUGER_BASE_URL`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), which names the missing variable.
    pub fn builder_from_env() -> Result<ClientBuilder<Self>> {
        let [org_id, _] = usage_billing_core::required_env(["SUGER_ORG_ID", "SUGER_API_KEY"])?;
        Ok(usage_billing_suger::Client::builder_from_env()?.map(|api| Self::new(api, org_id)))
    }

    fn new(api: usage_billing_suger::Client, org_id: String) -> Self {
        let clock = Clock::default();
        let (max_usage_bytes, list_timeout) = (MAX_USAGE_BYTES, Some(LIST_TIMEOUT));
        Self { api, org_id, clock, max_usage_bytes, list_timeout, attempts: Arc::default() }
    }

    /// Returns the organization's id, which is part of event ids and row keys.
    pub fn org_id(&self) -> &str {
        &self.org_id
    }

    /// Returns a handle whose calls have other options. It shares the token, the rate limit and the connections with
    /// this client.
    pub fn with_call_options(&self, options: CallOptions) -> Self {
        Self { api: self.api.with_call_options(options), ..self.clone() }
    }

    /// Uses `now` as the current time, in place of the system clock, for tests and for a sandbox with a fixed day. It
    /// determines which rows are final, which periods are open and up to which day lists are read. Retries and
    /// deadlines do not depend on it.
    pub fn with_now(self, now: chrono::DateTime<chrono::Utc>) -> Self {
        Self { clock: Clock::fixed(now), ..self }
    }

    /// Sets the memory limit for usage that is being collected, in bytes: lists, sums, ids of groups and the resulting
    /// [rows](crate::UsageRow). The default of 64 MiB is enough for about 30,000 rows. Exceeding it is an error of the
    /// kind [`Limit`](crate::ErrorKind::Limit).
    pub fn with_max_usage_bytes(self, bytes: usize) -> Self {
        Self { max_usage_bytes: bytes, ..self }
    }

    /// Sets the time limit of the lists that a method reads to their end and that have no time limit of their own: those
    /// that verify an event or a change of groups, and those of [`reported_usage`](Self::reported_usage). The default
    /// is 10 minutes; `None` removes the limit. Exceeding it is an error of the kind
    /// [`WaitTimeout`](crate::ErrorKind::WaitTimeout).
    pub fn with_list_timeout(self, limit: impl Into<Option<Duration>>) -> Self {
        Self { list_timeout: limit.into(), ..self }
    }

    /// Starts the time limit of lists.
    fn list_limit(&self) -> TimeLimit {
        TimeLimit::new(self.list_timeout.unwrap_or(Duration::MAX))
    }

    /// Returns the generated client with every operation of the OpenAPI document, authorized and retried like the
    /// wrappers.
    pub fn api(&self) -> &usage_billing_suger::Client {
        &self.api
    }
}
