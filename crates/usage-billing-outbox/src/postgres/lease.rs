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
use crate::store::{LeaseRequest, Leased, Settlement, Tally};
use crate::{Lease, State, fail_points};

/// Number of leases that are abandoned in one transaction.
const ABANDONED_AT_ONCE: i64 = 1000;

pub(super) async fn lease(connection: &mut PgConnection, request: LeaseRequest) -> Result<Leased> {
    abandon(connection, request.now).await?;
    let due = due(connection, &request).await?;
    if due.is_empty() {
        return Ok(Leased::default());
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
    write_tally(connection, tally, None).await?;
    fail_points::reached("lease.written");
    Ok(Leased { token, events, next_at: None })
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
    let is_due = "event.state IN ('pending', 'unknown') AND (event.ready_at <= $1 OR event.ready_at > $2)";
    let is_entitlement_due = "(coalesce(entitlement.retry_at, 0) <= $1 OR entitlement.retry_at > $2)";
    // In one statement: of two, both would find the events of an entitlement that begins to fail in between.
    let query = format!(
        "WITH working AS (
             SELECT {STORED_EVENT} FROM {EVENT} WHERE {IS_OPEN} AND {is_due} AND entitlement.failures = 0
             ORDER BY event.deadline, event.id LIMIT $3 FOR UPDATE OF event SKIP LOCKED),
         -- The fewest attempts first: events that fail each time would be the probes forever, and new ones would expire behind them.
         probes AS (
             SELECT {STORED_EVENT} FROM usage_billing.entitlement CROSS JOIN LATERAL (
                 SELECT * FROM usage_billing.event WHERE event.entitlement = entitlement.id AND {IS_OPEN} AND {is_due}
                 ORDER BY attempts, deadline, id LIMIT $4 FOR UPDATE SKIP LOCKED) AS event
             WHERE entitlement.failures > 0 AND {is_entitlement_due} ORDER BY event.deadline, event.id LIMIT $3)
         SELECT * FROM working UNION ALL SELECT * FROM probes"
    );
    let query = sqlx::query(&query).bind(now).bind(moved).bind(limit(request.limit)).bind(limit(request.probes));
    let mut found = all(connection, query, stored_event).await?;
    found.sort_by_key(|row| (row.stored.deadline, row.id));
    found.truncate(request.limit);
    Ok(found)
}

/// Returns when the next event is due.
pub(super) async fn next_at(connection: &mut PgConnection) -> Result<Option<DateTime<Utc>>> {
    let query = format!(
        "SELECT min(greatest(coalesce(event.ready_at, event.lease_until), coalesce(entitlement.retry_at, 0)))
         FROM {EVENT} WHERE {IS_OPEN} AND coalesce(event.ready_at, event.lease_until) IS NOT NULL"
    );
    let row = sqlx::query(&query).fetch_one(connection).await.map_err(failed)?;
    let row: &dyn Columns = &row;
    row.optional_time(0)
}
