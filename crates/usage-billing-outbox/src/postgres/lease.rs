//! Leases: which events a sender sends next.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use usage_billing::Result;

use super::columns::failed;
use super::pages::{EVENT, all};
use super::settle::write;
use super::tally::write_tally;
use crate::progress::latest_delay;
use crate::store::columns::{Columns, EventRow, IS_OPEN, STORED_EVENT, limit, millis, stored_event};
use crate::store::scan::{self, ATTEMPTS, SCANNED};
use crate::store::{LeaseRequest, LeasedBatch, Settlement, Tally};
use crate::{Lease, State, fail_points};

/// Number of leases that are abandoned in one transaction.
const ABANDONED_AT_ONCE: i64 = 1000;

pub(super) async fn lease(connection: &mut PgConnection, request: LeaseRequest) -> Result<LeasedBatch> {
    abandon(connection, request.now).await?;
    let due = due(connection, &request).await?;
    if due.is_empty() {
        return Ok(LeasedBatch::default());
    }
    // After the events are locked, so that the tokens of each event grow.
    let token = sqlx::query_scalar("SELECT nextval('usage_billing.lease_token')");
    let token: i64 = token.fetch_one(&mut *connection).await.map_err(failed)?;
    let lease = Lease { token, since: request.now, until: request.until };
    let (mut ids, mut events, mut tally) = (Vec::new(), Vec::new(), Tally::default());
    for EventRow { id, stored } in due {
        if stored.progress.lease(lease).is_some() {
            tally.change(stored.progress.state, State::Sending);
            ids.push(id);
            events.push(stored.event);
        }
    }
    let update = "UPDATE usage_billing.event
        SET state = $2, ready_at = NULL, lease_token = $3, lease_since = $4, lease_until = $5 WHERE id = ANY($1)";
    let update = sqlx::query(update).bind(ids).bind(State::Sending.as_str()).bind(token);
    let update = update.bind(millis(lease.since)).bind(millis(lease.until));
    update.execute(&mut *connection).await.map_err(failed)?;
    write_tally(connection, tally).await?;
    fail_points::reached("lease.written");
    Ok(LeasedBatch { token, events, next_at: None })
}

/// Ends leases that have ended. Another sender may do so at the same time, or store a result.
async fn abandon(connection: &mut PgConnection, now: DateTime<Utc>) -> Result<()> {
    let query = format!(
        "SELECT {STORED_EVENT} FROM {EVENT} WHERE event.state = 'sending' AND event.lease_until <= $1
         ORDER BY event.id LIMIT $2 FOR UPDATE OF event SKIP LOCKED"
    );
    let query = sqlx::query(&query).bind(millis(now)).bind(ABANDONED_AT_ONCE);
    let ended = all(connection, query, stored_event).await?;
    write(connection, Settlement::of_abandoned(ended, now)).await
}

/// Returns due events that no other transaction changes, the earliest deadline first. It locks them.
async fn due(connection: &mut PgConnection, request: &LeaseRequest) -> Result<Vec<EventRow>> {
    let (now, moved) = (millis(request.now), millis(latest_delay(request.now)));
    let last = last_scanned(connection).await?;
    let (last_deadline, last_id) = last.unwrap_or((i64::MAX, i64::MAX));
    let is_entitlement_due = "(coalesce(entitlement.retry_at, 0) <= $1 OR entitlement.retry_at > $2)";
    // In one statement: of two, both would find the events of an entitlement that begins to fail in between.
    let query = format!(
        "WITH working AS (
             SELECT {STORED_EVENT} FROM {EVENT} WHERE {IS_OPEN} AND {IS_DUE} AND entitlement.failures = 0
                 AND (event.deadline, event.id) <= ($5, $6)
             ORDER BY event.deadline, event.id LIMIT $3 FOR UPDATE OF event SKIP LOCKED),
         -- At most half of a lease, so that many failing entitlements do not keep the others waiting. The fewest attempts first: events
         -- that fail each time would be the probes forever, and new ones would expire behind them.
         probes AS (
             SELECT {STORED_EVENT} FROM usage_billing.entitlement CROSS JOIN LATERAL (
                 SELECT * FROM usage_billing.event WHERE event.entitlement = entitlement.id AND {IS_OPEN} AND {IS_DUE}
                 ORDER BY attempts, deadline LIMIT $4 FOR UPDATE SKIP LOCKED) AS event
             WHERE entitlement.failures > 0 AND {is_entitlement_due} ORDER BY event.deadline, event.id LIMIT $7)
         SELECT * FROM working UNION ALL SELECT * FROM probes"
    );
    let query = sqlx::query(&query).bind(now).bind(moved).bind(limit(request.limit)).bind(limit(request.probes));
    let mut found =
        all(connection, query.bind(last_deadline).bind(last_id).bind(limit(request.limit.div_ceil(2))), stored_event)
            .await?;
    if last.is_some() && found.len() < request.limit {
        found.extend(due_by_entitlement(connection, request).await?);
    }
    found.sort_by_key(|row| (row.stored.deadline, row.id));
    // Both queries find some events.
    found.dedup_by_key(|row| row.id);
    found.truncate(request.limit);
    Ok(found)
}

/// The condition of an event that is due at $1. Delays beyond $2 are those of a clock that has moved back.
const IS_DUE: &str = "event.state IN ('pending', 'unknown') AND (event.ready_at <= $1 OR event.ready_at > $2)";

/// Returns deadline and id of the last open event that [`due`] reads. `None` if it reads them all.
async fn last_scanned(connection: &mut PgConnection) -> Result<Option<(i64, i64)>> {
    let query = format!(
        "SELECT event.deadline, event.id FROM usage_billing.event WHERE {IS_OPEN}
         ORDER BY event.deadline, event.id OFFSET $1 LIMIT 1"
    );
    let query = sqlx::query_as(&query).bind(SCANNED - 1);
    query.fetch_optional(connection).await.map_err(failed)
}

/// Returns due events of entitlements that work, without reading those of others. The earliest events are those of the entitlements whose first
/// event is early.
async fn due_by_entitlement(connection: &mut PgConnection, request: &LeaseRequest) -> Result<Vec<EventRow>> {
    let (now, moved) = (millis(request.now), millis(latest_delay(request.now)));
    // Without the id, which the index does not have: events of one hour have the same deadline.
    let first = |entitlement: &str, count: &str| {
        format!(
            "SELECT id, deadline FROM usage_billing.event WHERE event.entitlement = {entitlement} AND attempts BETWEEN fewest AND most
                 AND {IS_OPEN} AND {IS_DUE} ORDER BY attempts, deadline LIMIT {count}"
        )
    };
    let query = format!(
        "WITH heads AS (
             SELECT entitlement.id, fewest, most
             FROM usage_billing.entitlement CROSS JOIN ({ATTEMPTS}) AS tried CROSS JOIN LATERAL ({}) AS head
             WHERE entitlement.failures = 0 ORDER BY head.deadline LIMIT $3),
         early AS (
             SELECT event.id FROM heads CROSS JOIN LATERAL ({}) AS event ORDER BY event.deadline, event.id LIMIT $4)
         SELECT {STORED_EVENT} FROM {EVENT}
         WHERE event.id = ANY(ARRAY(SELECT id FROM early)) AND {IS_OPEN} AND {IS_DUE} AND entitlement.failures = 0
         ORDER BY event.deadline, event.id LIMIT $3 FOR UPDATE OF event SKIP LOCKED",
        first("entitlement.id", "1"),
        first("heads.id", "$4"),
    );
    let query = sqlx::query(&query).bind(now).bind(moved).bind(limit(request.limit));
    // Some more than are leased: another sender may lock the first ones.
    all(connection, query.bind(limit(request.limit.saturating_mul(2))), stored_event).await
}

/// Returns when the next event is due, or is to be looked for.
pub(super) async fn next_at(connection: &mut PgConnection, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
    let query = format!(
        "SELECT min(greatest(coalesce(event.ready_at, event.lease_until), coalesce(entitlement.retry_at, 0)))
             FILTER (WHERE coalesce(event.ready_at, event.lease_until) IS NOT NULL), count(*)
         FROM (SELECT * FROM usage_billing.event WHERE {IS_OPEN} ORDER BY event.deadline, event.id LIMIT $1) AS event
         JOIN usage_billing.entitlement ON entitlement.id = event.entitlement"
    );
    let row = sqlx::query(&query).bind(SCANNED).fetch_one(&mut *connection).await.map_err(failed)?;
    let row: &dyn Columns = &row;
    let (found, read) = (row.optional_time(0)?, row.required(1)?);
    if found.is_none() && read >= SCANNED && !is_any_sent(connection).await? {
        return Ok(None);
    }
    Ok(scan::next_at(found, read, now))
}

/// Returns whether an open event does not wait for an operator.
async fn is_any_sent(connection: &mut PgConnection) -> Result<bool> {
    let query = format!(
        "SELECT EXISTS (SELECT 1 FROM usage_billing.event WHERE {IS_OPEN} AND coalesce(event.ready_at, event.lease_until) IS NOT NULL)"
    );
    sqlx::query_scalar(&query).fetch_one(connection).await.map_err(failed)
}
