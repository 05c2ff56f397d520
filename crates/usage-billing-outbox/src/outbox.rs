//! The outbox of one organization: what programs call.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use usage_billing::suger::{MarketplaceWindows, UsageEvent};
use usage_billing::uuid::Uuid;
use usage_billing::{Error, ErrorKind, Result};

use crate::aggregation::{HourlyReports, MeteredUsage};
use crate::store::{EnqueueOutcome, RemovalOutcome, RollUpOutcome};
use crate::windows::window;
use crate::{Clock, NewEvent, State, Status, Store, StoreFailure};

/// Number of entitlements and of failed attempts in a status.
const STATUS_LIMIT: usize = 20;
/// Number of events that one transaction removes, so that others are not delayed for long.
const REMOVED_AT_ONCE: usize = 1000;

/// Maximum length of the reason of a resolved event.
const MAX_REASON: usize = 1000;

/// The outbox of one organization.
///
/// ```no_run
/// # use usage_billing::suger::{self, UsageEvent};
/// # use usage_billing_outbox::{Outbox, SqliteStore};
/// # async fn run(client: suger::Client, metered: UsageEvent) -> usage_billing::Result<()> {
/// let outbox = Outbox::new(SqliteStore::open("usage.sqlite", client.org_id()).await?);
/// outbox.enqueue(&[metered]).await?; // from here on it is safe
///
/// let mut sender = outbox.sender(client).start().await?;
/// let stop = async { /* a signal */ };
/// sender.run(stop, std::time::Duration::from_secs(20)).await?;
/// println!("{}", serde_json::to_string_pretty(&outbox.status().await?).expect("a status is JSON"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Outbox<S> {
    pub(crate) store: S,
    pub(crate) windows: MarketplaceWindows,
    pub(crate) clock: Clock,
    /// The failure that the sender of a clone found.
    pub(crate) store_failure: Arc<Mutex<Option<StoreFailure>>>,
}

impl<S: Store> Outbox<S> {
    /// Creates the outbox of a store.
    pub fn new(store: S) -> Self {
        Self { store, windows: MarketplaceWindows::default(), clock: Clock::default(), store_failure: Arc::default() }
    }

    /// Sets the maximum age of usage by marketplace, in place of the [defaults](MarketplaceWindows). All processes of a store have the same.
    /// After a change, a new sender looks the marketplaces up again, and sets the deadlines of open events.
    pub fn marketplace_windows(self, windows: MarketplaceWindows) -> Self {
        Self { windows, ..self }
    }

    /// Sets the current time, for tests and for a sandbox with a fixed day.
    pub fn clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Returns the store.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Stores events durably: all of them, or none. They are safe when this returns. Events that are stored already, with the same
    /// quantities, are duplicates, and change nothing: after an error, enqueue the same events again.
    ///
    /// # Errors
    /// - [`ErrorKind::Request`] for an event that Suger is known to reject
    ///   ([`UsageEvent::check`]), and for one with the key of a stored event and other quantities.
    /// - [`ErrorKind::File`] if the store fails.
    pub async fn enqueue(&self, events: &[UsageEvent]) -> Result<EnqueueOutcome> {
        let events = events.iter().map(|event| NewEvent::new(event, self.store.org_id())).collect::<Result<_>>()?;
        self.store.enqueue(events, window(&self.windows, None), self.clock.now()).await
    }

    /// Stores metered usage durably, to be added up by the hour: all records, or none. Records that are stored already are duplicates.
    ///
    /// # Errors
    /// - [`ErrorKind::Request`] for an [invalid](MeteredUsage::check) record, and for one with the id of
    ///   a stored record and other content.
    /// - [`ErrorKind::File`] if the store fails.
    pub async fn record(&self, records: Vec<MeteredUsage>) -> Result<EnqueueOutcome> {
        self.store.record(records, self.clock.now()).await
    }

    /// Enqueues a report for each entitlement and ended hour with records that no report contains. Late records become a further report of
    /// their hour, with the next sequence. A sender can [do this](crate::SenderBuilder::hourly_reports). While another process does it, this
    /// reports nothing.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if the store fails.
    pub async fn roll_up(&self, rule: HourlyReports) -> Result<RollUpOutcome> {
        let mut all = RollUpOutcome::default();
        loop {
            let RollUpOutcome { events, records } =
                self.store.roll_up(rule, window(&self.windows, None), self.clock.now()).await?;
            all = RollUpOutcome { events: all.events + events, records: all.records + records };
            if records == 0 {
                return Ok(all);
            }
        }
    }

    /// Makes an event due at once that was rejected, has expired or waits, after its cause was fixed. Returns its state before: one that is
    /// delivered, resolved or being sent stays. `None` if there is no such event. State its timestamp where it is known, as after a page of events: a key
    /// alone is looked for among all events.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if the store fails.
    pub async fn requeue(&self, key: Uuid, timestamp: Option<DateTime<Utc>>) -> Result<Option<State>> {
        self.store.requeue(key, timestamp, self.clock.now()).await
    }

    /// Acknowledges an event that was rejected or has expired: its usage is billed by another event, or not at all. The reason becomes its
    /// message, and it does not count as not billed. Returns its state before: one in another state stays. `None` if there is no such event.
    /// Its timestamp is as for [`requeue`](Self::requeue).
    ///
    /// # Errors
    /// - [`ErrorKind::Request`] if the reason is blank, has a NUL character, or is longer than 1000 bytes.
    /// - [`ErrorKind::File`] if the store fails.
    pub async fn resolve(
        &self,
        key: Uuid,
        timestamp: Option<DateTime<Utc>>,
        reason: impl Into<String>,
    ) -> Result<Option<State>> {
        let reason = reason.into();
        if reason.trim().is_empty() || reason.len() > MAX_REASON || reason.contains('\0') {
            let message = format!("the reason is not valid: expected a text of at most {MAX_REASON} bytes without NUL");
            return Err(Error::new(ErrorKind::Request, message));
        }
        self.store.resolve(key, timestamp, reason).await
    }

    /// Returns the state of the outbox.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if the store fails.
    pub async fn status(&self) -> Result<Status> {
        let now = self.clock.now();
        let backlog = self.store.backlog(now, STATUS_LIMIT).await?;
        Ok(Status::new(backlog, self.store_failure(), now))
    }

    /// Returns since when and why the sender of this process cannot use the store. `None` if it can, or if there is no sender in this process.
    pub fn store_failure(&self) -> Option<StoreFailure> {
        self.store_failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes whether the sender can use the store, for the status of this process.
    pub(crate) fn note_store(&self, failed: Option<&Error>) {
        let mut noted = self.store_failure.lock().unwrap_or_else(PoisonError::into_inner);
        *noted = failed.map(|error| {
            let since = noted.as_ref().map_or_else(|| self.clock.now(), |earlier| earlier.since);
            StoreFailure { since, message: error.to_string() }
        });
    }

    /// Removes events in final states with timestamps before `cutoff`, the evidence of their attempts, and reported metered usage. Keep them
    /// as long as bills can be disputed: 13 months or more. Afterwards, events from before `cutoff` are not accepted. Metered usage that is
    /// not reported yet stays, and so does everything from its hour on.
    ///
    /// # Errors
    /// - [`ErrorKind::Request`] if `cutoff` is not in the past: no new event would be accepted.
    /// - [`ErrorKind::File`] if the store fails.
    pub async fn remove_before(&self, cutoff: DateTime<Utc>) -> Result<RemovalOutcome> {
        let now = self.clock.now();
        if now <= cutoff {
            let message = format!("{cutoff} is not a valid cutoff: expected a time before {now}");
            return Err(Error::new(ErrorKind::Request, message));
        }
        let mut all = RemovalOutcome::default();
        loop {
            let RemovalOutcome { events, records } = self.store.remove_before(cutoff, REMOVED_AT_ONCE).await?;
            all = RemovalOutcome { events: all.events + events, records: all.records + records };
            if events < REMOVED_AT_ONCE && records < REMOVED_AT_ONCE {
                return Ok(all);
            }
        }
    }
}
