//! A store in a PostgreSQL database.

mod columns;
mod enqueue;
mod lease;
mod metered;
mod open;
mod overview;
mod pages;
mod requeue;
mod retention;
mod settle;
mod tally;
mod transaction;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use sqlx::{PgPool, Postgres, Transaction};
use usage_billing::suger::{MarketplaceWindows, UsageEvent};
use usage_billing::uuid::Uuid;
use usage_billing::{Error, ErrorKind, Result};

use crate::aggregation::{HourlyReports, MeteredUsage};
use crate::event::{NewEvent, StoredEvent};
use crate::store::{
    Attempt, AttemptResult, Backlog, EnqueueOutcome, EntitlementWindow, Heartbeat, LeaseRequest, LeasedBatch,
    RemovalOutcome, RollUpOutcome, Selection, WindowPage,
};
use crate::windows::window;
use crate::{Outbox, State, Store};

/// A store in a PostgreSQL database, for the processes of several machines. Any number of them send at the same time.
///
/// The tables are in the schema `usage_billing`; its view `events` is human-readable. A transaction is on the disk of the server before its
/// method returns. Every method ends in a time limit. Its errors name the host and the database, and never the password.
///
/// The senders of a database share its due events by leases, each with a fencing token. Their clocks should agree within a minute: a sender
/// whose clock is ahead takes the events of others before their leases end, which costs requests, and bills nothing twice.
#[derive(Clone, Debug)]
pub struct PostgresStore {
    pool: PgPool,
    org_id: Arc<str>,
    /// The host and the database, for errors.
    location: Arc<str>,
    time_limit: Duration,
}

impl Store for PostgresStore {
    /// The leases are the right to send.
    type SenderGuard = ();

    fn org_id(&self) -> &str {
        &self.org_id
    }

    async fn enqueue(&self, events: Vec<NewEvent>, window: Duration, now: DateTime<Utc>) -> Result<EnqueueOutcome> {
        let events: Arc<[NewEvent]> = events.into();
        self.write("enqueue.committed", |connection| {
            let events = events.clone();
            async move { enqueue::enqueue(connection, &events, window, now).await }.boxed()
        })
        .await
    }

    async fn record(&self, records: Vec<MeteredUsage>, now: DateTime<Utc>) -> Result<EnqueueOutcome> {
        let records: Arc<[MeteredUsage]> = records.into();
        self.write("enqueue.committed", |connection| {
            let records = records.clone();
            async move { metered::record(connection, &records, now).await }.boxed()
        })
        .await
    }

    async fn roll_up(&self, rule: HourlyReports, window: Duration, now: DateTime<Utc>) -> Result<RollUpOutcome> {
        let limit = self.time_limit / 4;
        self.write("roll_up.committed", |connection| metered::roll_up(connection, rule, window, now, limit).boxed())
            .await
    }

    /// Claims nothing: leases that have ended are abandoned by the next lease of any sender, and others belong to living senders.
    async fn start_sender(&self, _: DateTime<Utc>) -> Result<()> {
        Ok(())
    }

    async fn lease(&self, request: LeaseRequest) -> Result<LeasedBatch> {
        let leased = self.write("lease.committed", |connection| lease::lease(connection, request).boxed()).await?;
        if !leased.events.is_empty() {
            return Ok(leased);
        }
        let next_at = self.read(|connection| lease::next_at(connection, request.now).boxed()).await?;
        Ok(LeasedBatch { next_at, ..leased })
    }

    async fn settle(&self, token: i64, attempts: Vec<Attempt>, now: DateTime<Utc>) -> Result<usize> {
        self.write("settle.committed", |connection| settle::settle(connection, token, attempts.clone(), now).boxed())
            .await
    }

    async fn requeue(&self, key: Uuid, timestamp: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<Option<State>> {
        let Some(id) = self.read(|connection| pages::id_of(connection, key, timestamp).boxed()).await? else {
            return Ok(None);
        };
        self.write("settle.committed", |connection| requeue::requeue(connection, id, now).boxed()).await
    }

    async fn resolve(&self, key: Uuid, timestamp: Option<DateTime<Utc>>, reason: String) -> Result<Option<State>> {
        let Some(id) = self.read(|connection| pages::id_of(connection, key, timestamp).boxed()).await? else {
            return Ok(None);
        };
        self.write("settle.committed", |connection| requeue::resolve(connection, id, reason.clone()).boxed()).await
    }

    async fn event(
        &self,
        key: Uuid,
        timestamp: Option<DateTime<Utc>>,
    ) -> Result<Option<(StoredEvent, Vec<AttemptResult>)>> {
        self.read(|connection| pages::event(connection, key, timestamp).boxed()).await
    }

    async fn events(&self, selection: Selection) -> Result<Vec<StoredEvent>> {
        self.read(|connection| pages::events(connection, selection.clone()).boxed()).await
    }

    async fn backlog(&self, now: DateTime<Utc>, limit: usize) -> Result<Backlog> {
        self.read(|connection| overview::backlog(connection, now, limit).boxed()).await
    }

    async fn unknown_marketplaces(&self, limit: usize) -> Result<Vec<String>> {
        self.read(|connection| overview::unknown_marketplaces(connection, limit).boxed()).await
    }

    async fn set_window(&self, window: EntitlementWindow, from: Option<WindowPage>) -> Result<Option<WindowPage>> {
        let from = from.unwrap_or(WindowPage::FIRST);
        self.write("settle.committed", |connection| enqueue::set_window(connection, window.clone(), from).boxed()).await
    }

    async fn forget_windows(&self, windows: MarketplaceWindows) -> Result<()> {
        self.write("settle.committed", |connection| {
            let windows = windows.clone();
            async move { enqueue::forget_windows(connection, &windows).await }.boxed()
        })
        .await
    }

    async fn beat(&self, heartbeat: Heartbeat) -> Result<()> {
        self.write("settle.committed", |connection| overview::beat(connection, heartbeat.clone()).boxed()).await
    }

    async fn remove_before(&self, cutoff: DateTime<Utc>, limit: usize) -> Result<RemovalOutcome> {
        self.remove(cutoff, limit).await
    }
}

impl Outbox<PostgresStore> {
    /// Enqueues events within a transaction of the caller: they are stored if it is committed, together with its other changes, and are not
    /// otherwise. The rules are those of [`Outbox::enqueue`]; after an error, the transaction is as before the call, and can be continued. After a
    /// call whose future was dropped, roll it back: what the call has stored is unknown.
    ///
    /// The transaction is one of the store's database, at any isolation level. Keep it short: producers of the same keys wait for its end, also
    /// those of an entitlement that is new in it, and so does [`Outbox::remove_before`]. The time limits are those of the transaction: this call has
    /// none of its own.
    ///
    /// ```no_run
    /// # use usage_billing::suger::UsageEvent;
    /// # use usage_billing_outbox::{Outbox, PostgresStore, sqlx};
    /// # async fn run(outbox: Outbox<PostgresStore>, pool: sqlx::PgPool, usage: UsageEvent) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut transaction = pool.begin().await?;
    /// sqlx::query("UPDATE job SET billed = true WHERE id = $1").bind(7).execute(&mut *transaction).await?;
    /// outbox.enqueue_in(&mut transaction, &[usage]).await?;
    /// transaction.commit().await?; // the job is billed, and its usage is safe
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// - [`ErrorKind::Request`] for an invalid event, and for one with the key of a stored event and other quantities.
    /// - [`ErrorKind::File`] if the database fails. Serialization failures are among them: repeat the transaction.
    pub async fn enqueue_in(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        events: &[UsageEvent],
    ) -> Result<EnqueueOutcome> {
        let events =
            events.iter().map(|event| NewEvent::new(event, self.store.org_id())).collect::<Result<Vec<_>>>()?;
        let (window, now) = (window(&self.windows, None), self.clock.now());
        self.store
            .within(transaction, move |connection| {
                async move { enqueue::enqueue(connection, &events, window, now).await }.boxed()
            })
            .await
    }

    /// Stores metered usage within a transaction of the caller, by the rules of [`Outbox::record`] and [`Outbox::enqueue_in`].
    ///
    /// # Errors
    /// Those of [`Outbox::record`].
    pub async fn record_in(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        records: Vec<MeteredUsage>,
    ) -> Result<EnqueueOutcome> {
        let now = self.clock.now();
        self.store
            .within(transaction, move |connection| {
                async move { metered::record(connection, &records, now).await }.boxed()
            })
            .await
    }
}

/// Adds the host and the database to an error of the database.
fn located(location: &str, error: Error) -> Error {
    match error.kind() {
        ErrorKind::File | ErrorKind::Config => {
            let message = format!("{location}: {}", error.message());
            let located = Error::new(error.kind(), message);
            let located = match error.hint() {
                Some(hint) => located.with_hint(hint),
                None => located,
            };
            located.with_source(error)
        }
        _ => error,
    }
}
