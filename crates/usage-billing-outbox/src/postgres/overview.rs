//! Counts and times for the status, and the senders' signs of life.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use usage_billing::Result;

use super::columns::failed;
use super::pages::{EVENT, all, failed_attempts};
use super::tally::add_up;
use crate::State;
use crate::store::columns::{self, Columns, IS_OPEN, entitlement_backlog, millis};
use crate::store::{Backlog, Heartbeat};

/// How far the clocks of senders may differ.
const CLOCKS: TimeDelta = TimeDelta::minutes(1);

pub(super) async fn backlog(connection: &mut PgConnection, now: DateTime<Utc>, limit: usize) -> Result<Backlog> {
    let mut backlog = Backlog {
        states: states(connection).await?,
        failed_attempts: failed_attempts(connection, limit).await?,
        ..Backlog::default()
    };
    let entitlements = format!(
        "SELECT entitlement.name, entitlement.marketplace, count(*) AS open, min(event.timestamp), entitlement.failures,
             entitlement.retry_at
         FROM {EVENT} WHERE {IS_OPEN} GROUP BY entitlement.id ORDER BY open DESC, entitlement.name LIMIT $1"
    );
    let entitlements = sqlx::query(&entitlements).bind(columns::limit(limit));
    backlog.entitlements = all(connection, entitlements, entitlement_backlog).await?;
    let counts = format!(
        "SELECT open.*, records.*, enqueued.at, heartbeat.started_at, heartbeat.beat_at, heartbeat.contact_at, heartbeat.stopped_at
         FROM (
             SELECT min(timestamp), min(enqueued_at), min(deadline),
                 count(*) FILTER (WHERE (timestamp + deadline) / 2 <= $1), count(*) FILTER (WHERE deadline <= $1),
                 count(*) FILTER (WHERE ready_at IS NULL AND lease_token IS NULL)
             FROM usage_billing.event WHERE {IS_OPEN}) AS open,
             (SELECT min(hour), count(*) FROM usage_billing.usage WHERE rolled_up_at IS NULL) AS records,
             (SELECT (SELECT enqueued_at FROM usage_billing.tally WHERE enqueued_at IS NOT NULL ORDER BY id DESC LIMIT 1) AS at) AS enqueued,
             usage_billing.heartbeat"
    );
    let row = sqlx::query(&counts).bind(millis(now)).fetch_one(connection).await.map_err(failed)?;
    let row: &dyn Columns = &row;
    Ok(Backlog {
        oldest_timestamp: row.optional_time(0)?,
        oldest_enqueued_at: row.optional_time(1)?,
        next_deadline: row.optional_time(2)?,
        alarmed: row.required(3)?,
        overdue: row.required(4)?,
        waiting_for_operator: row.required(5)?,
        oldest_open_hour: row.optional_time(6)?,
        open_records: row.required(7)?,
        enqueued_at: row.optional_time(8)?,
        heartbeat: Heartbeat {
            started_at: row.optional_time(9)?,
            beat_at: row.optional_time(10)?,
            contact_at: row.optional_time(11)?,
            stopped_at: row.optional_time(12)?,
        },
        ..backlog
    })
}

async fn states(connection: &mut PgConnection) -> Result<BTreeMap<State, u64>> {
    let query = "SELECT state, sum(events)::bigint FROM usage_billing.tally GROUP BY state";
    let counted = all(connection, sqlx::query(query), |row| Ok((row.state(0)?, row.required(1)?))).await?;
    Ok(State::ALL.into_iter().map(|state| (state, 0)).chain(counted).collect())
}

pub(super) async fn unknown_marketplaces(connection: &mut PgConnection, limit: usize) -> Result<Vec<String>> {
    let query = format!(
        "SELECT name FROM usage_billing.entitlement WHERE marketplace IS NULL
         AND EXISTS (SELECT 1 FROM usage_billing.event WHERE event.entitlement = entitlement.id AND {IS_OPEN}) LIMIT $1"
    );
    all(connection, sqlx::query(&query).bind(columns::limit(limit)), |row| row.required_text(0)).await
}

/// Stores a sign of life, and does the work that a living sender does from time to time.
pub(super) async fn beat(connection: &mut PgConnection, heartbeat: Heartbeat) -> Result<()> {
    let Heartbeat { started_at, beat_at, contact_at, stopped_at } = heartbeat;
    add_up(connection).await?;
    // Of several senders, the latest times count, but none of a clock that is ahead. A sender that stops leaves the signs of life of one that was
    // seen after it.
    let update = "UPDATE usage_billing.heartbeat
         SET started_at = $1, stopped_at = $4,
             contact_at = greatest($3, CASE WHEN contact_at > $2 + $5 THEN $2 ELSE contact_at END),
             beat_at = CASE WHEN $2::bigint IS NULL OR beat_at > $2 + $5 THEN $2 ELSE greatest(beat_at, $2) END
         WHERE $4::bigint IS NULL OR beat_at IS NULL OR beat_at <= coalesce($2, $4)";
    let mut update = sqlx::query(update);
    for time in [started_at, beat_at, contact_at, stopped_at] {
        update = update.bind(time.map(millis));
    }
    update.bind(CLOCKS.num_milliseconds()).execute(connection).await.map_err(failed)?;
    Ok(())
}
