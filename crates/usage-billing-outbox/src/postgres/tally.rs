//! Writing the numbers of events by state, as changes that are added up later.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use usage_billing::Result;

use super::columns::failed;
use crate::store::Tally;
use crate::store::columns::millis;

pub(super) async fn write_tally(connection: &mut PgConnection, tally: Tally) -> Result<()> {
    let (states, events): (Vec<_>, Vec<_>) = tally.changes().unzip();
    if states.is_empty() {
        return Ok(());
    }
    let insert = "INSERT INTO usage_billing.tally (state, events) SELECT * FROM unnest($1::text[], $2::bigint[])";
    sqlx::query(insert).bind(states).bind(events).execute(connection).await.map_err(failed)?;
    Ok(())
}

/// States that records of metered usage were stored, which do not count as events.
pub(super) async fn write_recorded_at(connection: &mut PgConnection, now: DateTime<Utc>) -> Result<()> {
    let insert = "INSERT INTO usage_billing.tally (state, events, enqueued_at) VALUES ('pending', 0, $1)";
    sqlx::query(insert).bind(millis(now)).execute(connection).await.map_err(failed)?;
    Ok(())
}

/// Adds up changes that no other transaction adds up. The last time keeps its order.
pub(super) async fn add_up(connection: &mut PgConnection) -> Result<()> {
    let add_up = "WITH removed AS (
            DELETE FROM usage_billing.tally WHERE id IN (
                SELECT id FROM usage_billing.tally WHERE (SELECT count(*) > 100 FROM usage_billing.tally)
                ORDER BY id LIMIT 100000 FOR UPDATE SKIP LOCKED)
            RETURNING *)
        INSERT INTO usage_billing.tally (id, state, events, enqueued_at)
        SELECT coalesce(max(id) FILTER (WHERE enqueued_at IS NOT NULL), max(id)), state, sum(events)::bigint,
            (array_agg(enqueued_at ORDER BY id DESC) FILTER (WHERE enqueued_at IS NOT NULL))[1]
        FROM removed GROUP BY state";
    sqlx::query(add_up).execute(connection).await.map_err(failed)?;
    Ok(())
}
