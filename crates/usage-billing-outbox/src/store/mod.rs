//! What a database has to do for the outbox. Decisions are in [`Progress`](crate::Progress): a store reads rows, applies its functions, and writes the result in one
//! transaction.

#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) mod acceptance;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) mod columns;
mod evidence;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) mod scan;
mod selection;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod settlement;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod tally;

use std::future::Future;
use std::time::Duration;

use chrono::{DateTime, Utc};
use usage_billing::Result;
use usage_billing::suger::MarketplaceWindows;
use usage_billing::uuid::Uuid;

use crate::NewEvent;
use crate::aggregation::{HourlyReports, MeteredUsage};
use crate::event::StoredEvent;
pub use evidence::{Attempt, AttemptResult};
pub use selection::{Backlog, EntitlementBacklog, EntitlementWindow, FailedAttempt, Heartbeat, Selection, WindowPage};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) use settlement::{SettledAttempt, Settlement};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) use tally::Tally;

/// Number of hourly reports of one transaction, so that others are not delayed for long.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) const REPORTS: i64 = 500;
/// Number of records of one report: the rest belongs to the next one.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) const RECORDS: i64 = 100_000;
/// Number of reported records after which a transaction ends.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) const RECORDS_AT_ONCE: usize = 10_000;

/// Number of events whose deadlines one transaction sets.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) const WINDOW_PAGE: usize = 1000;

/// A database of events.
///
/// Every method is one transaction, and its changes are durable before it returns. If its future is dropped, the transaction may still be
/// committed. All errors have the kind [`ErrorKind::File`](usage_billing::ErrorKind::File), unless stated otherwise: also those of a database on
/// another machine, so that they differ from those of the vendor.
pub trait Store: Clone + Send + Sync + 'static {
    /// The right to send, which ends when it is dropped.
    type SenderGuard: Send;

    /// Returns the organization whose events the store contains.
    fn org_id(&self) -> &str;

    /// Stores events: all of them, or none. An event with the key and the body of a stored one is a duplicate, and changes nothing. The
    /// deadline of an event follows from the window of its entitlement, or from `window` if that is not known.
    ///
    /// # Errors
    /// [`ErrorKind::Request`](usage_billing::ErrorKind::Request) if an event has the key of another one, with another body.
    fn enqueue(
        &self,
        events: Vec<NewEvent>,
        window: Duration,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<EnqueueOutcome>> + Send;

    /// Stores records of metered usage: all of them, or none. A record with the id and the content of a stored one is a duplicate.
    ///
    /// # Errors
    /// [`ErrorKind::Request`](usage_billing::ErrorKind::Request) for an [invalid](MeteredUsage::check) record, and for one with the id of
    /// another.
    fn record(
        &self,
        records: Vec<MeteredUsage>,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<EnqueueOutcome>> + Send;

    /// Reports ended hours, the earliest first, by [`report`](crate::report): enqueues the events, with the first sequence that no event of the
    /// entitlement and hour has, and consumes their records in the same transaction. Call it until it returns no records:
    /// none is left then, or another process reports them.
    fn roll_up(
        &self,
        rule: HourlyReports,
        window: Duration,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<RollUpOutcome>> + Send;

    /// Claims the right to send. A store for one host has one sender at a time, and abandons the leases of a dead one.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](usage_billing::ErrorKind::Config) if another sender has it.
    fn start_sender(&self, now: DateTime<Utc>) -> impl Future<Output = Result<Self::SenderGuard>> + Send;

    /// Abandons leases that ended without a result, and leases due events: the earliest deadlines first, none of an entitlement whose delay
    /// has not ended, and at most `probes` events of an entitlement that failed last, those with the fewest attempts.
    fn lease(&self, request: LeaseRequest) -> impl Future<Output = Result<LeasedBatch>> + Send;

    /// Writes the evidence of attempts, and their results into the events whose lease is still `token`. Returns the number of the others.
    /// An attempt that is stored already, with its token, outcome and end, is not stored or counted again: the same call may be repeated after an
    /// error.
    /// Each entitlement of the attempts is delayed if none of its events has a final result, and has no delay otherwise.
    fn settle(
        &self,
        token: i64,
        attempts: Vec<Attempt>,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<usize>> + Send;

    /// Makes an event due for an operator, and returns its state before. `None` if there is no such event. An event that
    /// is delivered, resolved or being sent stays as it is. The deadline follows from the entitlement's window, if that is known. With its `timestamp` it is found at once, and without it in the time of two steps for each day
    /// that has events.
    fn requeue(
        &self,
        key: Uuid,
        timestamp: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<Option<crate::State>>> + Send;

    /// Makes a rejected or expired event resolved, with a reason as its message, and returns its state before. `None` if there is no such
    /// event. Another one stays as it is. `timestamp` is as for [`requeue`](Self::requeue).
    fn resolve(
        &self,
        key: Uuid,
        timestamp: Option<DateTime<Utc>>,
        reason: String,
    ) -> impl Future<Output = Result<Option<crate::State>>> + Send;

    /// Returns an event and all attempts to send it, in order. `timestamp` is as for [`requeue`](Self::requeue).
    fn event(
        &self,
        key: Uuid,
        timestamp: Option<DateTime<Utc>>,
    ) -> impl Future<Output = Result<Option<(StoredEvent, Vec<AttemptResult>)>>> + Send;

    /// Returns a page of events in the order of their timestamps and keys.
    fn events(&self, selection: Selection) -> impl Future<Output = Result<Vec<StoredEvent>>> + Send;

    /// Returns the counts and times from which the status follows. `limit` is the maximum number of entitlements and of failed attempts.
    fn backlog(&self, now: DateTime<Utc>, limit: usize) -> impl Future<Output = Result<Backlog>> + Send;

    /// Returns entitlements with open events whose marketplace is not known.
    fn unknown_marketplaces(&self, limit: usize) -> impl Future<Output = Result<Vec<String>>> + Send;

    /// Sets the deadlines of a page of an entitlement's open events, from `from` on, which is what the call for the page before has returned. The
    /// call for the last page stores the marketplace, and returns `None`: it is not known before.
    fn set_window(
        &self,
        window: EntitlementWindow,
        from: Option<WindowPage>,
    ) -> impl Future<Output = Result<Option<WindowPage>>> + Send;

    /// Makes the marketplaces of entitlements unknown that have another window than that of `windows`, so that it is set.
    fn forget_windows(&self, windows: MarketplaceWindows) -> impl Future<Output = Result<()>> + Send;

    /// Stores a sign of life of the sender.
    fn beat(&self, heartbeat: Heartbeat) -> impl Future<Output = Result<()>> + Send;

    /// Removes at most `limit` final events with a timestamp before `cutoff`, with their attempts, and at most `limit` reported records of
    /// metered usage. Afterwards, enqueueing an event from before `cutoff` is an error. A record that is not reported yet moves `cutoff` to
    /// its hour.
    fn remove_before(&self, cutoff: DateTime<Utc>, limit: usize)
    -> impl Future<Output = Result<RemovalOutcome>> + Send;
}

/// The number of events that were enqueued.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct EnqueueOutcome {
    /// Events that are new.
    pub new: usize,
    /// Events that the store had already, with the same bytes.
    pub duplicates: usize,
}

/// The reports of ended hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct RollUpOutcome {
    /// Events that were enqueued.
    pub events: usize,
    /// Records that were consumed.
    pub records: usize,
}

/// The number of events and records that were removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct RemovalOutcome {
    /// Final events.
    pub events: usize,
    /// Reported records of metered usage.
    pub records: usize,
}

/// A request for events to send.
#[derive(Clone, Copy, Debug)]
pub struct LeaseRequest {
    /// The current time.
    pub now: DateTime<Utc>,
    /// The end of the lease.
    pub until: DateTime<Utc>,
    /// The maximum number of events.
    pub limit: usize,
    /// The maximum number of events of an entitlement that failed last.
    pub probes: usize,
}

/// Events that a sender may send until the end of the lease.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeasedBatch {
    /// The fencing token.
    pub token: i64,
    /// The events, the earliest deadline first.
    pub events: Vec<NewEvent>,
    /// If there are no events: when the next one is due, or an earlier time if too many are open to read them all.
    pub next_at: Option<DateTime<Utc>>,
}
