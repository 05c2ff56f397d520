//! Reading events and the evidence of their attempts.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension as _, Transaction};
use usage_billing::Result;
use usage_billing::uuid::Uuid;

use super::columns::failed;
use crate::event::StoredEvent;
use crate::store::columns::{
    self, ATTEMPT, Columns, EventRow, FAILED_ATTEMPT, STORED_EVENT, attempt_result, failed_attempt, millis,
    stored_event,
};
use crate::store::{AttemptResult, FailedAttempt, Selection};

/// Returns the row of a key.
pub(super) fn id_of(transaction: &Transaction<'_>, key: Uuid, timestamp: Option<DateTime<Utc>>) -> Result<Option<i64>> {
    let found = match timestamp {
        Some(timestamp) => transaction
            .prepare_cached("SELECT id FROM event WHERE timestamp = ?1 AND key = ?2")
            .and_then(|mut statement| statement.query_row((millis(timestamp), key.as_bytes()), |row| row.get(0))),
        None => transaction
            .prepare_cached(&columns::id_of_key("event INDEXED BY event_by_day"))
            .and_then(|mut statement| statement.query_row([key.as_bytes()], |row| row.get(0))),
    };
    found.optional().map_err(failed)
}

pub(super) fn row(transaction: &Transaction<'_>, id: i64) -> Result<Option<EventRow>> {
    let query = format!(
        "SELECT {STORED_EVENT} FROM event JOIN entitlement ON entitlement.id = event.entitlement WHERE event.id = ?1"
    );
    Ok(rows(transaction, &query, [id])?.pop())
}

pub(super) fn event(
    transaction: &Transaction<'_>,
    key: Uuid,
    timestamp: Option<DateTime<Utc>>,
) -> Result<Option<(StoredEvent, Vec<AttemptResult>)>> {
    let Some(id) = id_of(transaction, key, timestamp)? else { return Ok(None) };
    let Some(EventRow { stored, .. }) = row(transaction, id)? else { return Ok(None) };
    let query = format!("SELECT {ATTEMPT} FROM attempt WHERE event = ?1 ORDER BY number");
    let attempts = all(transaction, &query, [id], attempt_result)?;
    Ok(Some((stored, attempts)))
}

pub(super) fn rows(
    transaction: &Transaction<'_>,
    query: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<EventRow>> {
    all(transaction, query, parameters, stored_event)
}

/// Returns all rows of a query.
pub(super) fn all<T>(
    transaction: &Transaction<'_>,
    query: &str,
    parameters: impl rusqlite::Params,
    read: impl Fn(&dyn Columns) -> Result<T>,
) -> Result<Vec<T>> {
    let mut statement = transaction.prepare_cached(query).map_err(failed)?;
    let mut rows = statement.query(parameters).map_err(failed)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        found.push(read(row)?);
    }
    Ok(found)
}

pub(super) fn events(transaction: &Transaction<'_>, selection: &Selection) -> Result<Vec<StoredEvent>> {
    let query = format!(
        "SELECT {STORED_EVENT} FROM event INDEXED BY event_by_time JOIN entitlement ON entitlement.id = event.entitlement
         WHERE event.timestamp >= ?1 AND event.timestamp < ?2 AND (event.timestamp, event.key) > (?3, ?4)
         AND (?5 IS NULL OR event.state = ?5) AND (?6 IS NULL OR entitlement.name = ?6)
         ORDER BY event.timestamp, event.key LIMIT ?7"
    );
    let (after, after_key) = match selection.after {
        Some((timestamp, key)) => (millis(timestamp), key.into_bytes().to_vec()),
        // Before any key.
        None => (millis(selection.period.start()), Vec::new()),
    };
    let start = millis(selection.period.start()).max(after);
    let parameters = (
        start,
        millis(selection.period.end()),
        after,
        after_key,
        selection.state.map(crate::State::as_str),
        &selection.entitlement_id,
        columns::limit(selection.limit),
    );
    Ok(rows(transaction, &query, parameters)?.into_iter().map(|row| row.stored).collect())
}

/// Returns the latest attempts without a delivery.
pub(super) fn failed_attempts(transaction: &Transaction<'_>, limit: usize) -> Result<Vec<FailedAttempt>> {
    let query = format!(
        "SELECT {FAILED_ATTEMPT}
         FROM attempt JOIN event ON event.id = attempt.event JOIN entitlement ON entitlement.id = event.entitlement
         WHERE attempt.outcome NOT IN ('delivered', 'already_delivered') ORDER BY attempt.ended_at DESC LIMIT ?1"
    );
    all(transaction, &query, [columns::limit(limit)], failed_attempt)
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, StatementStatus};

    use super::*;

    #[test]
    fn event_is_found_by_its_key_without_reading_others() {
        let file = Connection::open_in_memory().unwrap();
        file.execute_batch(include_str!("schema.sql")).unwrap();
        let events = "INSERT INTO entitlement (name) VALUES ('e-1');
            WITH RECURSIVE numbers (number) AS (SELECT 0 UNION ALL SELECT number + 1 FROM numbers WHERE number < 9999)
            INSERT INTO event (key, entitlement, timestamp, sequence, body, enqueued_at, deadline, state)
            SELECT CAST(printf('%016d', number) AS BLOB), 1, number * 60000, 0, '{}', 0, 0, 'delivered' FROM numbers";
        file.execute_batch(events).unwrap();
        let mut statement = file.prepare(&columns::id_of_key("event INDEXED BY event_by_day")).unwrap();
        for (key, found) in
            [(b"0000000000000000", Some(1)), (b"0000000000009999", Some(10_000)), (b"0000000000010000", None)]
        {
            let id = statement.query_row([key], |row| row.get::<_, i64>(0)).optional().unwrap();
            assert_eq!(id, found);
        }
        let steps = statement.get_status(StatementStatus::VmStep);
        assert!(steps < 3000, "{steps} for three keys in 7 days");
    }
}
