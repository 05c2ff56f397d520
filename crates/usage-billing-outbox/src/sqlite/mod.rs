//! A store in one SQLite file.

mod columns;
mod enqueue;
mod lease;
mod metered;
mod open;
mod overview;
mod pages;
mod requeue;
mod retention;
mod sender_lock;
mod settle;
mod tally;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use usage_billing::suger::MarketplaceWindows;
use usage_billing::uuid::Uuid;
use usage_billing::{Error, ErrorKind, Result};

use crate::aggregation::{HourlyReports, MeteredUsage};
use crate::event::{NewEvent, StoredEvent};
use crate::store::{
    Attempt, AttemptResult, Backlog, EnqueueOutcome, EntitlementWindow, Heartbeat, LeaseRequest, LeasedBatch,
    RemovalOutcome, RollUpOutcome, Selection, WindowPage,
};
use crate::{State, Store, fail_points};
pub use sender_lock::SenderLock;

/// A store in one SQLite file, for the processes of one host. One of them sends at a time.
///
/// The file is in WAL mode with `synchronous=FULL`: a transaction is on the disk before its method returns. `FILE-wal` and `FILE-shm` belong
/// to the file, and `FILE.sender` is the lock of the sender. The file must be on a local disk, because SQLite needs its locks and shared
/// memory. It can be opened with any SQLite tool while it is in use; the view `events` is human-readable.
///
/// Times are milliseconds since 1970 in UTC. Quantities are decimals in the JSON of the bodies.
#[derive(Clone, Debug)]
pub struct SqliteStore(Arc<File>);

#[derive(Debug)]
struct File {
    path: PathBuf,
    org_id: String,
    /// One for changes and one for reading, so that a status does not delay an event. Reads of one handle wait for each other.
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
    max_pages: AtomicU32,
}

impl SqliteStore {
    /// Runs work in a transaction that is committed if it succeeds.
    async fn write<T: Send + 'static>(
        &self,
        committed: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let file = self.0.clone();
        self.blocking(move || {
            let mut writer = file.writer.lock().unwrap_or_else(PoisonError::into_inner);
            let begin = writer.transaction_with_behavior(TransactionBehavior::Immediate);
            let transaction = begin.map_err(|error| file.failed(error))?;
            let found = work(&transaction).map_err(|error| file.located(error))?;
            transaction.commit().map_err(|error| file.failed(error))?;
            fail_points::reached(committed);
            Ok(found)
        })
        .await
    }

    /// Stores something new, unless the file is full then.
    async fn accept(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<EnqueueOutcome> + Send + 'static,
    ) -> Result<EnqueueOutcome> {
        let file = self.0.clone();
        self.write("enqueue.committed", move |transaction| {
            let enqueued = work(transaction)?;
            let limit = file.max_pages.load(Ordering::Relaxed);
            if enqueued.new > 0 && used_pages(transaction)? > i64::from(limit) {
                let message = format!(
                    "the file is full, and nothing was enqueued: remove old events, or raise its limit of {limit} pages"
                );
                return Err(Error::new(ErrorKind::File, message));
            }
            Ok(enqueued)
        })
        .await
    }

    /// Runs work on one state of the file.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let file = self.0.clone();
        self.blocking(move || {
            let mut reader = file.reader.lock().unwrap_or_else(PoisonError::into_inner);
            let transaction = reader.transaction().map_err(|error| file.failed(error))?;
            work(&transaction).map_err(|error| file.located(error))
        })
        .await
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let ended = tokio::task::spawn_blocking(work).await;
        ended.unwrap_or_else(|error| {
            Err(Error::new(ErrorKind::File, "the outbox was not read or written").with_source(error))
        })
    }
}

fn used_pages(transaction: &Transaction<'_>) -> Result<i64> {
    let number = |pragma| transaction.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    number("page_count").and_then(|pages| Ok(pages - number("freelist_count")?)).map_err(columns::failed)
}

impl File {
    fn failed(&self, error: rusqlite::Error) -> Error {
        self.located(columns::failed(error))
    }

    /// Adds the path to an error of the file.
    fn located(&self, error: Error) -> Error {
        match error.kind() {
            ErrorKind::File => {
                let message = format!("{}: {}", self.path.display(), error.message());
                Error::new(ErrorKind::File, message).with_source(error)
            }
            _ => error,
        }
    }
}

impl Store for SqliteStore {
    type SenderGuard = SenderLock;

    fn org_id(&self) -> &str {
        &self.0.org_id
    }

    async fn enqueue(&self, events: Vec<NewEvent>, window: Duration, now: DateTime<Utc>) -> Result<EnqueueOutcome> {
        self.accept(move |transaction| enqueue::enqueue(transaction, &events, window, now)).await
    }

    async fn record(&self, records: Vec<MeteredUsage>, now: DateTime<Utc>) -> Result<EnqueueOutcome> {
        self.accept(move |transaction| metered::record(transaction, &records, now)).await
    }

    async fn roll_up(&self, rule: HourlyReports, window: Duration, now: DateTime<Utc>) -> Result<RollUpOutcome> {
        self.write("roll_up.committed", move |transaction| metered::roll_up(transaction, rule, window, now)).await
    }

    async fn start_sender(&self, now: DateTime<Utc>) -> Result<SenderLock> {
        let file = self.0.clone();
        let lock = self.blocking(move || SenderLock::acquire(&file.path)).await?;
        // The sender that had the lock before is dead, so its leases have ended.
        self.write("lease.committed", move |transaction| lease::abandon_all(transaction, now)).await?;
        Ok(lock)
    }

    async fn lease(&self, request: LeaseRequest) -> Result<LeasedBatch> {
        // Finding out that nothing is due reads all open events, which would delay all writers.
        if let Some(idle) = self.read(move |transaction| lease::idle(transaction, request)).await? {
            return Ok(idle);
        }
        self.write("lease.committed", move |transaction| lease::lease(transaction, &request)).await
    }

    async fn settle(&self, token: i64, attempts: Vec<Attempt>, now: DateTime<Utc>) -> Result<usize> {
        self.write("settle.committed", move |transaction| settle::settle(transaction, token, attempts, now)).await
    }

    async fn requeue(&self, key: Uuid, timestamp: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<Option<State>> {
        // Reads something for each day of the file, which would delay other writers.
        let Some(id) = self.read(move |transaction| pages::id_of(transaction, key, timestamp)).await? else {
            return Ok(None);
        };
        self.write("settle.committed", move |transaction| requeue::requeue(transaction, id, now)).await
    }

    async fn resolve(&self, key: Uuid, timestamp: Option<DateTime<Utc>>, reason: String) -> Result<Option<State>> {
        let Some(id) = self.read(move |transaction| pages::id_of(transaction, key, timestamp)).await? else {
            return Ok(None);
        };
        self.write("settle.committed", move |transaction| requeue::resolve(transaction, id, &reason)).await
    }

    async fn event(
        &self,
        key: Uuid,
        timestamp: Option<DateTime<Utc>>,
    ) -> Result<Option<(StoredEvent, Vec<AttemptResult>)>> {
        self.read(move |transaction| pages::event(transaction, key, timestamp)).await
    }

    async fn events(&self, selection: Selection) -> Result<Vec<StoredEvent>> {
        self.read(move |transaction| pages::events(transaction, &selection)).await
    }

    async fn backlog(&self, now: DateTime<Utc>, limit: usize) -> Result<Backlog> {
        self.read(move |transaction| overview::backlog(transaction, now, limit)).await
    }

    async fn unknown_marketplaces(&self, limit: usize) -> Result<Vec<String>> {
        self.read(move |transaction| overview::unknown_marketplaces(transaction, limit)).await
    }

    async fn set_window(&self, window: EntitlementWindow, from: Option<WindowPage>) -> Result<Option<WindowPage>> {
        let from = from.unwrap_or(WindowPage::FIRST);
        self.write("settle.committed", move |transaction| enqueue::set_window(transaction, &window, from)).await
    }

    async fn forget_windows(&self, windows: MarketplaceWindows) -> Result<()> {
        self.write("settle.committed", move |transaction| enqueue::forget_windows(transaction, &windows)).await
    }

    async fn beat(&self, heartbeat: Heartbeat) -> Result<()> {
        self.write("settle.committed", move |transaction| overview::beat(transaction, &heartbeat)).await
    }

    async fn remove_before(&self, cutoff: DateTime<Utc>, limit: usize) -> Result<RemovalOutcome> {
        self.write("settle.committed", move |transaction| retention::remove_before(transaction, cutoff, limit)).await
    }
}
