//! Counts and times for the status, and the sender's signs of life.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rusqlite::Transaction;
use usage_billing::Result;

use super::columns::failed;
use super::pages::{all, failed_attempts};
use crate::State;
use crate::store::columns::{self, Columns, IS_OPEN, entitlement_backlog, millis};
use crate::store::{Backlog, EntitlementBacklog, Heartbeat};

pub(super) fn backlog(transaction: &Transaction<'_>, now: DateTime<Utc>, limit: usize) -> Result<Backlog> {
    let open = format!(
        "SELECT min(event.timestamp), min(event.enqueued_at), min(event.deadline),
             coalesce(sum((event.timestamp + event.deadline) / 2 <= ?1), 0), coalesce(sum(event.deadline <= ?1), 0),
             coalesce(sum(event.ready_at IS NULL AND event.lease_token IS NULL), 0)
         FROM event INDEXED BY event_open WHERE {IS_OPEN}"
    );
    let mut backlog = Backlog {
        states: states(transaction)?,
        entitlements: entitlements(transaction, limit)?,
        failed_attempts: failed_attempts(transaction, limit)?,
        ..Backlog::default()
    };
    read_first_row(transaction, &open, [millis(now)], |row| {
        backlog.oldest_timestamp = row.optional_time(0)?;
        backlog.oldest_enqueued_at = row.optional_time(1)?;
        backlog.next_deadline = row.optional_time(2)?;
        (backlog.alarmed, backlog.overdue, backlog.waiting_for_operator) =
            (row.required(3)?, row.required(4)?, row.required(5)?);
        Ok(())
    })?;
    let usage = "SELECT min(hour), count(*) FROM usage INDEXED BY usage_open WHERE rolled_up_at IS NULL";
    read_first_row(transaction, usage, [], |row| {
        backlog.oldest_open_hour = row.optional_time(0)?;
        backlog.open_records = row.required(1)?;
        Ok(())
    })?;
    read_first_row(
        transaction,
        "SELECT enqueued_at, started_at, beat_at, contact_at, stopped_at FROM meta",
        [],
        |row| {
            backlog.enqueued_at = row.optional_time(0)?;
            backlog.heartbeat = Heartbeat {
                started_at: row.optional_time(1)?,
                beat_at: row.optional_time(2)?,
                contact_at: row.optional_time(3)?,
                stopped_at: row.optional_time(4)?,
            };
            Ok(())
        },
    )?;
    Ok(backlog)
}

fn read_first_row(
    transaction: &Transaction<'_>,
    query: &str,
    parameters: impl rusqlite::Params,
    read: impl FnOnce(&dyn Columns) -> Result<()>,
) -> Result<()> {
    let mut statement = transaction.prepare_cached(query).map_err(failed)?;
    let mut rows = statement.query(parameters).map_err(failed)?;
    rows.next().map_err(failed)?.map_or(Ok(()), |row| read(row))
}

fn states(transaction: &Transaction<'_>) -> Result<BTreeMap<State, u64>> {
    let counted = all(transaction, "SELECT state, events FROM tally", [], |row| Ok((row.state(0)?, row.required(1)?)))?;
    Ok(State::ALL.into_iter().map(|state| (state, 0)).chain(counted).collect())
}

fn entitlements(transaction: &Transaction<'_>, limit: usize) -> Result<Vec<EntitlementBacklog>> {
    let query = format!(
        "SELECT entitlement.name, entitlement.marketplace, count(*) AS open, min(event.timestamp), entitlement.failures,
             entitlement.retry_at
         FROM event JOIN entitlement ON entitlement.id = event.entitlement
         WHERE {IS_OPEN} GROUP BY entitlement.id ORDER BY open DESC, entitlement.name LIMIT ?1"
    );
    all(transaction, &query, [columns::limit(limit)], entitlement_backlog)
}

pub(super) fn unknown_marketplaces(transaction: &Transaction<'_>, limit: usize) -> Result<Vec<String>> {
    let query = format!(
        "SELECT name FROM entitlement WHERE marketplace IS NULL
         AND EXISTS (SELECT 1 FROM event WHERE event.entitlement = entitlement.id AND {IS_OPEN}) LIMIT ?1"
    );
    all(transaction, &query, [columns::limit(limit)], |row| row.required_text(0))
}

pub(super) fn beat(transaction: &Transaction<'_>, heartbeat: &Heartbeat) -> Result<()> {
    let Heartbeat { started_at, beat_at, contact_at, stopped_at } = heartbeat;
    let times = [started_at, beat_at, contact_at, stopped_at].map(|time| time.map(millis));
    // The last contact is also that of earlier senders.
    let update =
        "UPDATE meta SET started_at = ?1, beat_at = ?2, contact_at = coalesce(?3, contact_at), stopped_at = ?4";
    transaction.execute(update, times).map_err(failed)?;
    Ok(())
}
