//! Requeuing and resolving events for an operator.

use chrono::{DateTime, Utc};
use rusqlite::Transaction;
use usage_billing::Result;

use super::columns::{failed, millis};
use super::pages::row;
use super::settle::remove_delay;
use super::tally::Tally;
use crate::State;

pub(super) fn requeue(transaction: &Transaction<'_>, id: i64, now: DateTime<Utc>) -> Result<Option<State>> {
    let Some(row) = row(transaction, id)? else { return Ok(None) };
    let before = row.stored.progress.state;
    let Some(progress) = row.stored.progress.requeue(now) else { return Ok(Some(before)) };
    let changed = "UPDATE event SET state = ?2, ready_at = ?3, settled_at = NULL WHERE id = ?1";
    transaction.execute(changed, (row.id, progress.state.as_str(), progress.ready_at.map(millis))).map_err(failed)?;
    remove_delay(transaction, row.id)?;
    let mut tally = Tally::default();
    tally.remove(before);
    tally.add(progress.state);
    tally.write(transaction)?;
    Ok(Some(before))
}

pub(super) fn resolve(transaction: &Transaction<'_>, id: i64, reason: &str) -> Result<Option<State>> {
    let Some(row) = row(transaction, id)? else { return Ok(None) };
    let before = row.stored.progress.state;
    if matches!(before, State::Rejected | State::Expired) {
        let changed = "UPDATE event SET state = ?2, message = ?3 WHERE id = ?1";
        transaction.execute(changed, (id, State::Resolved.as_str(), reason)).map_err(failed)?;
        let mut tally = Tally::default();
        tally.remove(before);
        tally.add(State::Resolved);
        tally.write(transaction)?;
    }
    Ok(Some(before))
}
