//! Requeuing and resolving events for an operator.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use usage_billing::Result;

use super::columns::failed;
use super::pages::{EVENT, all};
use super::settle::remove_delay;
use super::tally::write_tally;
use crate::store::Tally;
use crate::store::columns::{EventRow, STORED_EVENT, millis, stored_event};
use crate::{Progress, State};

pub(super) async fn requeue(connection: &mut PgConnection, id: i64, now: DateTime<Utc>) -> Result<Option<State>> {
    let Some(before) = lock(connection, id).await? else { return Ok(None) };
    let Some(progress) = before.requeue(now) else { return Ok(Some(before.state)) };
    // The window of the entitlement may have changed since, and that has changed the deadlines of open events only.
    let changed = "UPDATE usage_billing.event SET state = $2, ready_at = $3, settled_at = NULL, deadline = coalesce(
            (SELECT event.timestamp + least(window_ms, $4 - event.timestamp) FROM usage_billing.entitlement
                WHERE id = event.entitlement AND window_ms IS NOT NULL), deadline)
        WHERE id = $1";
    let changed = sqlx::query(changed).bind(id).bind(progress.state.as_str()).bind(progress.ready_at.map(millis));
    let changed = changed.bind(millis(DateTime::<Utc>::MAX_UTC));
    changed.execute(&mut *connection).await.map_err(failed)?;
    remove_delay(connection, id).await?;
    count(connection, before.state, progress.state).await?;
    Ok(Some(before.state))
}

pub(super) async fn resolve(connection: &mut PgConnection, id: i64, reason: String) -> Result<Option<State>> {
    let Some(before) = lock(connection, id).await? else { return Ok(None) };
    let Some(progress) = before.resolve() else { return Ok(Some(before.state)) };
    let changed = "UPDATE usage_billing.event SET state = $2, message = $3 WHERE id = $1";
    let changed = sqlx::query(changed).bind(id).bind(progress.state.as_str()).bind(reason);
    changed.execute(&mut *connection).await.map_err(failed)?;
    count(connection, before.state, progress.state).await?;
    Ok(Some(before.state))
}

/// Locks an event, so that no sender leases or settles it.
async fn lock(connection: &mut PgConnection, id: i64) -> Result<Option<Progress>> {
    let query = format!("SELECT {STORED_EVENT} FROM {EVENT} WHERE event.id = $1 FOR UPDATE OF event");
    let row = all(connection, sqlx::query(&query).bind(id), stored_event).await?.pop();
    Ok(row.map(|EventRow { stored, .. }| stored.progress))
}

async fn count(connection: &mut PgConnection, before: State, after: State) -> Result<()> {
    let mut tally = Tally::default();
    tally.change(before, after);
    write_tally(connection, tally).await
}
