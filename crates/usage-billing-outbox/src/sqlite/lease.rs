//! Leases: which events a sender sends next.

use chrono::{DateTime, Utc};
use rusqlite::Transaction;
use usage_billing::Result;

use super::columns::{EventRow, IS_OPEN, STORED_EVENT, failed, millis, stored_event, time};
use super::settle::{insert_attempt, update};
use super::tally::Tally;
use crate::progress::latest_delay;
use crate::store::{AttemptResult, LeaseRequest, Leased};
use crate::{Lease, Outcome, State, fail_points};

/// The message of an attempt whose result is not known.
const ABANDONED: &str = "the sender ended without a result, or later than its lease";

/// Ends all leases: their sender is dead.
pub(super) fn abandon_all(transaction: &Transaction<'_>, now: DateTime<Utc>) -> Result<()> {
    abandon(transaction, now, DateTime::<Utc>::MAX_UTC)
}

/// Ends the leases that end before `before`.
fn abandon(transaction: &Transaction<'_>, now: DateTime<Utc>, before: DateTime<Utc>) -> Result<()> {
    let query = format!(
        "SELECT {STORED_EVENT} FROM event JOIN entitlement ON entitlement.id = event.entitlement
         WHERE event.state = 'sending' AND event.lease_until <= ?1"
    );
    let rows = rows(transaction, &query, [millis(before)])?;
    let mut tally = Tally::default();
    for EventRow { id, stored } in rows {
        let Some(lease) = stored.progress.lease else { continue };
        let progress = stored.progress.abandon(stored.deadline, now);
        let result = AttemptResult {
            token: lease.token,
            started_at: lease.since,
            ended_at: now,
            body_sha256: stored.event.body_sha256(),
            outcome: Outcome::Abandoned,
            status: None,
            message: Some(ABANDONED.to_owned()),
        };
        insert_attempt(transaction, id, &result)?;
        update(transaction, id, &progress, &result)?;
        tally.change(stored.progress.state, progress.state);
    }
    tally.write(transaction)
}

pub(super) fn rows(
    transaction: &Transaction<'_>,
    query: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<EventRow>> {
    let mut statement = transaction.prepare_cached(query).map_err(failed)?;
    let mut rows = statement.query(parameters).map_err(failed)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        found.push(stored_event(row)?);
    }
    Ok(found)
}

pub(super) fn lease(transaction: &Transaction<'_>, request: &LeaseRequest) -> Result<Leased> {
    abandon(transaction, request.now, request.now)?;
    let due = due(transaction, request)?;
    if due.is_empty() {
        return Ok(Leased { next_at: next_at(transaction)?, ..Leased::default() });
    }
    let token = transaction
        .query_row("UPDATE meta SET next_token = next_token + 1 RETURNING next_token - 1", [], |row| row.get(0))
        .map_err(failed)?;
    let lease = Lease { token, since: request.now, until: request.until };
    let (mut events, mut tally) = (Vec::with_capacity(due.len()), Tally::default());
    for EventRow { id, stored } in due {
        let Some(progress) = stored.progress.lease(lease) else { continue };
        transaction
            .prepare_cached(
                "UPDATE event SET state = ?2, ready_at = NULL, lease_token = ?3, lease_since = ?4, lease_until = ?5 WHERE id = ?1",
            )
            .and_then(|mut statement| {
                statement.execute((id, progress.state.as_str(), token, millis(lease.since), millis(lease.until)))
            })
            .map_err(failed)?;
        tally.change(stored.progress.state, State::Sending);
        events.push(stored.event);
    }
    tally.write(transaction)?;
    fail_points::reached("lease.written");
    Ok(Leased { token, events, next_at: None })
}

/// Returns due events, the earliest deadline first.
fn due(transaction: &Transaction<'_>, request: &LeaseRequest) -> Result<Vec<EventRow>> {
    let (now, moved) = (millis(request.now), millis(latest_delay(request.now)));
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let is_due = "(ready_at <= ?1 OR ready_at > ?2)";
    let is_entitlement_due = "(coalesce(entitlement.retry_at, 0) <= ?1 OR entitlement.retry_at > ?2)";
    let working = format!(
        "SELECT {STORED_EVENT}
         FROM event INDEXED BY event_open CROSS JOIN entitlement ON entitlement.id = event.entitlement
         WHERE {IS_OPEN} AND {is_due} AND entitlement.failures = 0 ORDER BY event.deadline, event.id LIMIT ?3"
    );
    let mut found = rows(transaction, &working, (now, moved, count(request.limit)))?;
    // The fewest attempts first: events that fail each time would be the probes forever, and new ones would expire behind them.
    let probes = format!(
        "SELECT {STORED_EVENT} FROM entitlement CROSS JOIN event ON event.id IN (
             SELECT id FROM event INDEXED BY event_open_by_entitlement
             WHERE event.entitlement = entitlement.id AND {IS_OPEN} AND {is_due} ORDER BY attempts, deadline, id LIMIT ?4)
         WHERE entitlement.failures > 0 AND {is_entitlement_due} ORDER BY event.deadline, event.id LIMIT ?3"
    );
    found.extend(rows(transaction, &probes, (now, moved, count(request.limit), count(request.probes)))?);
    found.sort_by_key(|row| (row.stored.deadline, row.id));
    found.truncate(request.limit);
    Ok(found)
}

/// Returns when the next event is due.
fn next_at(transaction: &Transaction<'_>) -> Result<Option<DateTime<Utc>>> {
    let query = format!(
        "SELECT min(max(coalesce(event.ready_at, event.lease_until), coalesce(entitlement.retry_at, 0)))
         FROM event JOIN entitlement ON entitlement.id = event.entitlement
         WHERE {IS_OPEN} AND coalesce(event.ready_at, event.lease_until) IS NOT NULL"
    );
    let mut statement = transaction.prepare_cached(&query).map_err(failed)?;
    let next: Option<i64> = statement.query_row([], |row| row.get(0)).map_err(failed)?;
    Ok(next.map(time))
}
