//! Requeuing and resolving events for an operator.

use chrono::{DateTime, Utc};
use rusqlite::Transaction;
use usage_billing::Result;

use super::columns::failed;
use super::pages::row;
use super::settle::remove_delay;
use super::tally::write_tally;
use crate::State;
use crate::store::Tally;
use crate::store::columns::millis;

pub(super) fn requeue(transaction: &Transaction<'_>, id: i64, now: DateTime<Utc>) -> Result<Option<State>> {
    let Some(row) = row(transaction, id)? else { return Ok(None) };
    let before = row.stored.progress.state;
    let Some(progress) = row.stored.progress.requeue(now) else { return Ok(Some(before)) };
    // The window of the entitlement may have changed since, and that has changed the deadlines of open events only.
    let changed = "UPDATE event SET state = ?2, ready_at = ?3, settled_at = NULL, deadline = coalesce(
            (SELECT event.timestamp + min(window_ms, ?4 - event.timestamp) FROM entitlement WHERE id = event.entitlement), deadline)
        WHERE id = ?1";
    let latest = millis(DateTime::<Utc>::MAX_UTC);
    let changed =
        transaction.execute(changed, (row.id, progress.state.as_str(), progress.ready_at.map(millis), latest));
    changed.map_err(failed)?;
    remove_delay(transaction, row.id)?;
    count(transaction, before, progress.state)?;
    Ok(Some(before))
}

pub(super) fn resolve(transaction: &Transaction<'_>, id: i64, reason: &str) -> Result<Option<State>> {
    let Some(row) = row(transaction, id)? else { return Ok(None) };
    let before = row.stored.progress.state;
    let Some(progress) = row.stored.progress.resolve() else { return Ok(Some(before)) };
    let changed = "UPDATE event SET state = ?2, message = ?3 WHERE id = ?1";
    transaction.execute(changed, (row.id, progress.state.as_str(), reason)).map_err(failed)?;
    count(transaction, before, progress.state)?;
    Ok(Some(before))
}

fn count(transaction: &Transaction<'_>, before: State, after: State) -> Result<()> {
    let mut tally = Tally::default();
    tally.change(before, after);
    write_tally(transaction, tally)
}
