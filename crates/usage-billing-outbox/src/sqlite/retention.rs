//! Removal of old events.

use chrono::{DateTime, Utc};
use rusqlite::Transaction;
use usage_billing::Result;

use super::columns::failed;
use super::pages::rows;
use super::tally::write_tally;
use crate::store::columns::{self, IS_OPEN, STORED_EVENT, millis, time};
use crate::store::{RemovalOutcome, Tally};

pub(super) fn remove_before(
    transaction: &Transaction<'_>,
    cutoff: DateTime<Utc>,
    limit: usize,
) -> Result<RemovalOutcome> {
    // The event of an open record is still to be enqueued.
    let open: Option<i64> = transaction
        .query_row("SELECT min(hour) FROM usage INDEXED BY usage_open WHERE rolled_up_at IS NULL", [], |row| row.get(0))
        .map_err(failed)?;
    let cutoff = open.map_or(cutoff, |hour| cutoff.min(time(hour)));
    let query = format!(
        "SELECT {STORED_EVENT} FROM event INDEXED BY event_by_time JOIN entitlement ON entitlement.id = event.entitlement
         WHERE event.timestamp < ?1 AND NOT {IS_OPEN}
         ORDER BY event.timestamp LIMIT ?2"
    );
    let limit = columns::limit(limit);
    let removed = rows(transaction, &query, [millis(cutoff), limit])?;
    let mut tally = Tally::default();
    for row in &removed {
        for delete in ["DELETE FROM attempt WHERE event = ?1", "DELETE FROM event WHERE id = ?1"] {
            transaction.prepare_cached(delete).and_then(|mut statement| statement.execute([row.id])).map_err(failed)?;
        }
        tally.remove(row.stored.progress.state);
    }
    write_tally(transaction, tally)?;
    let records = transaction
        .execute(
            "DELETE FROM usage WHERE id IN (SELECT id FROM usage INDEXED BY usage_rolled_up
             WHERE rolled_up_at IS NOT NULL AND hour < ?1 LIMIT ?2)",
            [millis(cutoff), limit],
        )
        .map_err(failed)?;
    let cutoff_stored = "UPDATE meta SET removed_before = max(coalesce(removed_before, ?1), ?1)";
    transaction.execute(cutoff_stored, [millis(cutoff)]).map_err(failed)?;
    Ok(RemovalOutcome { events: removed.len(), records })
}
