//! Removal of old events.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use sqlx::PgConnection;
use usage_billing::Result;

use super::PostgresStore;
use super::columns::failed;
use super::enqueue::RETENTION_LOCK;
use super::pages::all;
use super::tally::write_tally;
use super::transaction::is_lock_timeout;
use crate::store::columns::{self, IS_OPEN, millis};
use crate::store::{RemovalOutcome, Tally};

/// The time for which a removal waits for open transactions that store events. New transactions wait for the removal meanwhile.
const LOCK_WAIT: Duration = Duration::from_millis(100);
/// The delay between such attempts, in which new transactions are not held up.
const RETRY_DELAY: Duration = Duration::from_millis(400);

impl PostgresStore {
    /// Runs a removal, again while transactions that store something are open: for as long as others wait for a lock.
    pub(super) async fn remove(&self, cutoff: DateTime<Utc>, limit: usize) -> Result<RemovalOutcome> {
        let mut waited = Duration::ZERO;
        loop {
            let removed =
                self.write("settle.committed", |connection| remove_before(connection, cutoff, limit).boxed()).await;
            waited += LOCK_WAIT + RETRY_DELAY;
            match removed {
                Err(error) if is_lock_timeout(&error) && waited < self.lock_limit() => {
                    tokio::time::sleep(RETRY_DELAY).await
                }
                removed => return removed,
            }
        }
    }
}

async fn remove_before(connection: &mut PgConnection, cutoff: DateTime<Utc>, limit: usize) -> Result<RemovalOutcome> {
    // Producers wait behind this request for an exclusive lock, so it is a short one, which the caller repeats.
    let limit_wait = sqlx::query("SELECT set_config('lock_timeout', $1, true)").bind(LOCK_WAIT.as_millis().to_string());
    limit_wait.execute(&mut *connection).await.map_err(failed)?;
    // Waits for transactions that store something: a record that is not visible yet keeps its hour as well.
    let lock = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(RETENTION_LOCK);
    lock.execute(&mut *connection).await.map_err(failed)?;
    // The event of an open record is still to be enqueued.
    let open = sqlx::query_scalar("SELECT min(hour) FROM usage_billing.usage WHERE rolled_up_at IS NULL");
    let open: Option<i64> = open.fetch_one(&mut *connection).await.map_err(failed)?;
    let cutoff = open.map_or(millis(cutoff), |hour| millis(cutoff).min(hour));
    let limit = columns::limit(limit);
    let query = format!(
        "SELECT id, state FROM usage_billing.event WHERE timestamp < $1 AND NOT {IS_OPEN}
         ORDER BY timestamp LIMIT $2 FOR UPDATE SKIP LOCKED"
    );
    let query = sqlx::query(&query).bind(cutoff).bind(limit);
    let removed = all(connection, query, |row| Ok((row.required::<i64>(0)?, row.state(1)?))).await?;
    let mut tally = Tally::default();
    removed.iter().for_each(|(_, state)| tally.remove(*state));
    let ids: Vec<_> = removed.iter().map(|(id, _)| *id).collect();
    for delete in [
        "DELETE FROM usage_billing.attempt WHERE event = ANY($1)",
        "DELETE FROM usage_billing.event WHERE id = ANY($1)",
    ] {
        sqlx::query(delete).bind(&ids).execute(&mut *connection).await.map_err(failed)?;
    }
    write_tally(connection, tally).await?;
    let records = "DELETE FROM usage_billing.usage WHERE id IN (
        SELECT id FROM usage_billing.usage WHERE rolled_up_at IS NOT NULL AND hour < $1 LIMIT $2)";
    let records = sqlx::query(records).bind(cutoff).bind(limit).execute(&mut *connection).await.map_err(failed)?;
    let cutoff_stored = "UPDATE usage_billing.meta SET removed_before = greatest(removed_before, $1)";
    sqlx::query(cutoff_stored).bind(cutoff).execute(connection).await.map_err(failed)?;
    let records = usize::try_from(records.rows_affected()).unwrap_or(usize::MAX);
    Ok(RemovalOutcome { events: removed.len(), records })
}
