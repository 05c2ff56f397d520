//! Leases: which events a sender sends next.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension as _, Transaction};
use usage_billing::Result;

use super::columns::failed;
use super::pages::rows;
use super::settle::write;
use super::tally::write_tally;
use crate::progress::latest_delay;
use crate::store::columns::{EventRow, IS_OPEN, STORED_EVENT, limit, millis, time};
use crate::store::scan::{self, ATTEMPTS, SCANNED};
use crate::store::{LeaseRequest, LeasedBatch, Settlement, Tally};
use crate::{Lease, State, fail_points};

/// Ends all leases: their sender is dead.
pub(super) fn abandon_all(transaction: &Transaction<'_>, now: DateTime<Utc>) -> Result<()> {
    abandon(transaction, now, DateTime::<Utc>::MAX_UTC)
}

/// Ends the leases that end before `before`.
fn abandon(transaction: &Transaction<'_>, now: DateTime<Utc>, before: DateTime<Utc>) -> Result<()> {
    write(transaction, Settlement::of_abandoned(ended(transaction, before)?, now))
}

fn ended(transaction: &Transaction<'_>, before: DateTime<Utc>) -> Result<Vec<EventRow>> {
    let query = format!(
        "SELECT {STORED_EVENT} FROM event JOIN entitlement ON entitlement.id = event.entitlement
         WHERE event.state = 'sending' AND event.lease_until <= ?1"
    );
    rows(transaction, &query, [millis(before)])
}

/// Returns when the next event is due, or `None` if there is something to lease or abandon.
pub(super) fn idle(transaction: &Transaction<'_>, request: LeaseRequest) -> Result<Option<LeasedBatch>> {
    let one = LeaseRequest { limit: 1, ..request };
    match ended(transaction, request.now)?.is_empty() && due(transaction, &one)?.is_empty() {
        true => Ok(Some(LeasedBatch { next_at: next_at(transaction, request.now)?, ..LeasedBatch::default() })),
        false => Ok(None),
    }
}

pub(super) fn lease(transaction: &Transaction<'_>, request: &LeaseRequest) -> Result<LeasedBatch> {
    abandon(transaction, request.now, request.now)?;
    let due = due(transaction, request)?;
    if due.is_empty() {
        return Ok(LeasedBatch { next_at: next_at(transaction, request.now)?, ..LeasedBatch::default() });
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
    write_tally(transaction, tally)?;
    fail_points::reached("lease.written");
    Ok(LeasedBatch { token, events, next_at: None })
}

/// Returns due events, the earliest deadline first.
fn due(transaction: &Transaction<'_>, request: &LeaseRequest) -> Result<Vec<EventRow>> {
    let (now, moved) = (millis(request.now), millis(latest_delay(request.now)));
    let last = last_scanned(transaction)?;
    let (last_deadline, last_id) = last.unwrap_or((i64::MAX, i64::MAX));
    let is_entitlement_due = "(coalesce(entitlement.retry_at, 0) <= ?1 OR entitlement.retry_at > ?2)";
    let working = format!(
        "SELECT {STORED_EVENT}
         FROM event INDEXED BY event_open CROSS JOIN entitlement ON entitlement.id = event.entitlement
         WHERE {IS_OPEN} AND {IS_DUE} AND entitlement.failures = 0 AND (event.deadline, event.id) <= (?4, ?5)
         ORDER BY event.deadline, event.id LIMIT ?3"
    );
    let mut found = rows(transaction, &working, (now, moved, limit(request.limit), last_deadline, last_id))?;
    if last.is_some() && found.len() < request.limit {
        found.extend(due_by_entitlement(transaction, request)?);
    }
    // At most half of a lease, so that many failing entitlements do not keep the others waiting. The fewest attempts first: events that fail
    // each time would be the probes forever, and new ones would expire behind them.
    let probes = format!(
        "SELECT {STORED_EVENT} FROM entitlement CROSS JOIN event ON event.id IN (
             SELECT id FROM event INDEXED BY event_open_by_entitlement
             WHERE event.entitlement = entitlement.id AND {IS_OPEN} AND {IS_DUE} ORDER BY attempts, deadline, id LIMIT ?4)
         WHERE entitlement.failures > 0 AND {is_entitlement_due} ORDER BY event.deadline, event.id LIMIT ?3"
    );
    found.extend(rows(transaction, &probes, (now, moved, limit(request.limit.div_ceil(2)), limit(request.probes)))?);
    found.sort_by_key(|row| (row.stored.deadline, row.id));
    found.dedup_by_key(|row| row.id);
    found.truncate(request.limit);
    Ok(found)
}

/// The condition of an event that is due at ?1. Delays beyond ?2 are those of a clock that has moved back.
const IS_DUE: &str = "(event.ready_at <= ?1 OR event.ready_at > ?2)";

/// Returns deadline and id of the last open event that [`due`] reads. `None` if it reads them all.
fn last_scanned(transaction: &Transaction<'_>) -> Result<Option<(i64, i64)>> {
    let query = format!(
        "SELECT deadline, id FROM event INDEXED BY event_open WHERE {IS_OPEN} ORDER BY deadline, id LIMIT 1 OFFSET ?1"
    );
    transaction
        .prepare_cached(&query)
        .and_then(|mut statement| statement.query_row([SCANNED - 1], |row| Ok((row.get(0)?, row.get(1)?))).optional())
        .map_err(failed)
}

/// Returns due events of entitlements that work, without reading those of others. The earliest events are those of the entitlements whose first
/// event is early.
fn due_by_entitlement(transaction: &Transaction<'_>, request: &LeaseRequest) -> Result<Vec<EventRow>> {
    let (now, moved) = (millis(request.now), millis(latest_delay(request.now)));
    let first = |column: &str, entitlement: &str, count: &str| {
        format!(
            "SELECT {column} FROM event INDEXED BY event_open_by_entitlement
             WHERE event.entitlement = {entitlement} AND attempts BETWEEN fewest AND most AND {IS_OPEN} AND {IS_DUE}
             ORDER BY attempts, deadline, id LIMIT {count}"
        )
    };
    let query = format!(
        "WITH heads AS (
             SELECT entitlement.id AS of, fewest, most, ({}) AS head FROM entitlement CROSS JOIN ({ATTEMPTS})
             WHERE entitlement.failures = 0 AND head IS NOT NULL ORDER BY head LIMIT ?3)
         SELECT {STORED_EVENT} FROM heads CROSS JOIN event ON event.id IN ({})
             CROSS JOIN entitlement ON entitlement.id = event.entitlement
         ORDER BY event.deadline, event.id LIMIT ?3",
        first("deadline", "entitlement.id", "1"),
        first("id", "heads.of", "?3"),
    );
    rows(transaction, &query, (now, moved, limit(request.limit)))
}

/// Returns when the next event is due, or is to be looked for.
fn next_at(transaction: &Transaction<'_>, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
    let query = format!(
        "SELECT min(max(coalesce(event.ready_at, event.lease_until), coalesce(entitlement.retry_at, 0))), count(*)
         FROM (SELECT * FROM event INDEXED BY event_open WHERE {IS_OPEN} ORDER BY deadline, id LIMIT ?1) AS event
         JOIN entitlement ON entitlement.id = event.entitlement"
    );
    let mut statement = transaction.prepare_cached(&query).map_err(failed)?;
    let (found, read): (Option<i64>, i64) =
        statement.query_row([SCANNED], |row| Ok((row.get(0)?, row.get(1)?))).map_err(failed)?;
    if found.is_none() && read >= SCANNED && !is_any_sent(transaction)? {
        return Ok(None);
    }
    Ok(scan::next_at(found.map(time), read, now))
}

/// Returns whether an open event does not wait for an operator.
fn is_any_sent(transaction: &Transaction<'_>) -> Result<bool> {
    let query = format!(
        "SELECT EXISTS (SELECT 1 FROM event INDEXED BY event_open WHERE {IS_OPEN} AND coalesce(ready_at, lease_until) IS NOT NULL)"
    );
    transaction
        .prepare_cached(&query)
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
        .map_err(failed)
}
