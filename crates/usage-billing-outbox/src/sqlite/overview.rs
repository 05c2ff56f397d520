//! Counts and times for the status, and the sender's signs of life.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rusqlite::{Row, Transaction};
use usage_billing::{Error, ErrorKind, Result, printable};

use super::columns::{IS_OPEN, failed, get, millis, time};
use super::pages::failed_attempts;
use crate::State;
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
    one(transaction, &open, [millis(now)], |row| {
        backlog.oldest_timestamp = optional_time(row, 0)?;
        backlog.oldest_enqueued_at = optional_time(row, 1)?;
        backlog.next_deadline = optional_time(row, 2)?;
        (backlog.alarmed, backlog.overdue, backlog.waiting_for_operator) = (get(row, 3)?, get(row, 4)?, get(row, 5)?);
        Ok(())
    })?;
    let usage = "SELECT min(hour), count(*) FROM usage INDEXED BY usage_open WHERE rolled_up_at IS NULL";
    one(transaction, usage, [], |row| {
        backlog.oldest_open_hour = optional_time(row, 0)?;
        backlog.open_records = get(row, 1)?;
        Ok(())
    })?;
    one(transaction, "SELECT enqueued_at, started_at, beat_at, contact_at, stopped_at FROM meta", [], |row| {
        backlog.enqueued_at = optional_time(row, 0)?;
        backlog.heartbeat = Heartbeat {
            started_at: optional_time(row, 1)?,
            beat_at: optional_time(row, 2)?,
            contact_at: optional_time(row, 3)?,
            stopped_at: optional_time(row, 4)?,
        };
        Ok(())
    })?;
    Ok(backlog)
}

fn one(
    transaction: &Transaction<'_>,
    query: &str,
    parameters: impl rusqlite::Params,
    read: impl FnOnce(&Row<'_>) -> Result<()>,
) -> Result<()> {
    let mut statement = transaction.prepare_cached(query).map_err(failed)?;
    let mut rows = statement.query(parameters).map_err(failed)?;
    rows.next().map_err(failed)?.map_or(Ok(()), read)
}

fn optional_time(row: &Row<'_>, column: usize) -> Result<Option<DateTime<Utc>>> {
    Ok(get::<Option<i64>>(row, column)?.map(time))
}

fn states(transaction: &Transaction<'_>) -> Result<BTreeMap<State, u64>> {
    let mut states: BTreeMap<_, _> = State::ALL.into_iter().map(|state| (state, 0)).collect();
    let mut statement = transaction.prepare_cached("SELECT state, events FROM tally").map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let name: String = get(row, 0)?;
        let state = State::from_name(&name)
            .ok_or_else(|| Error::new(ErrorKind::File, format!("{} is not a valid state", printable(&name))))?;
        states.insert(state, get(row, 1)?);
    }
    Ok(states)
}

fn entitlements(transaction: &Transaction<'_>, limit: usize) -> Result<Vec<EntitlementBacklog>> {
    let query = format!(
        "SELECT entitlement.name, entitlement.marketplace, count(*) AS open, min(event.timestamp), entitlement.failures,
             entitlement.retry_at
         FROM event JOIN entitlement ON entitlement.id = event.entitlement
         WHERE {IS_OPEN} GROUP BY entitlement.id ORDER BY open DESC, entitlement.name LIMIT ?1"
    );
    let mut statement = transaction.prepare_cached(&query).map_err(failed)?;
    let mut rows = statement.query([i64::try_from(limit).unwrap_or(i64::MAX)]).map_err(failed)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        found.push(EntitlementBacklog {
            entitlement_id: get(row, 0)?,
            marketplace: get(row, 1)?,
            open: get(row, 2)?,
            oldest_timestamp: time(get(row, 3)?),
            failures: get(row, 4)?,
            retry_at: optional_time(row, 5)?,
        });
    }
    Ok(found)
}

pub(super) fn unknown_marketplaces(transaction: &Transaction<'_>, limit: usize) -> Result<Vec<String>> {
    let query = format!(
        "SELECT name FROM entitlement WHERE marketplace IS NULL
         AND EXISTS (SELECT 1 FROM event WHERE event.entitlement = entitlement.id AND {IS_OPEN}) LIMIT ?1"
    );
    let mut statement = transaction.prepare_cached(&query).map_err(failed)?;
    let names = statement.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| row.get(0)).map_err(failed)?;
    names.collect::<rusqlite::Result<_>>().map_err(failed)
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
