//! Storing events, and the windows of their entitlements.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension as _, Transaction};
use usage_billing::Result;
use usage_billing::suger::MarketplaceWindows;
use usage_billing::uuid::Uuid;

use super::columns::failed;
use super::pages::all;
use super::tally::write_tally;
use crate::event::{NewEvent, deadline};
use crate::store::acceptance::{check_age, check_overlap, check_same};
use crate::store::columns::{IS_OPEN, limit, millis, time};
use crate::store::{EnqueueOutcome, EntitlementWindow, Tally, WINDOW_PAGE, WindowPage};
use crate::windows::{is_outdated, window_ms};
use crate::{Progress, State, fail_points};

pub(super) fn enqueue(
    transaction: &Transaction<'_>,
    events: &[NewEvent],
    window: Duration,
    now: DateTime<Utc>,
) -> Result<EnqueueOutcome> {
    fail_points::reached("enqueue.begun");
    check_age(events, removed_before(transaction)?)?;
    let enqueued = insert(transaction, events, window, now)?;
    if enqueued.new > 0 {
        transaction.execute("UPDATE meta SET enqueued_at = ?1", [millis(now)]).map_err(failed)?;
    }
    fail_points::reached("enqueue.written");
    Ok(enqueued)
}

/// Stores events, also of a time whose events were removed: reports of records, which are not removed before they are reported.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    events: &[NewEvent],
    window: Duration,
    now: DateTime<Utc>,
) -> Result<EnqueueOutcome> {
    let mut entitlements = HashMap::new();
    let (mut enqueued, mut tally) = (EnqueueOutcome::default(), Tally::default());
    for event in events {
        // It is due at once, also if the clock moves back.
        let progress = Progress::new(event.timestamp.min(now));
        let (entitlement, known_window) = match entitlements.get(event.entitlement_id.as_str()) {
            Some(known) => *known,
            None => {
                let found = entitlement(transaction, &event.entitlement_id)?;
                entitlements.insert(event.entitlement_id.as_str(), found);
                found
            }
        };
        let deadline = deadline(event.timestamp, known_window.unwrap_or(window));
        let is_new = transaction
            .prepare_cached(
                "INSERT INTO event (key, entitlement, timestamp, sequence, body, enqueued_at, deadline, state, ready_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (timestamp, key) DO NOTHING",
            )
            .and_then(|mut statement| {
                statement.execute((
                    event.key.as_bytes(),
                    entitlement,
                    millis(event.timestamp),
                    event.sequence,
                    &event.body,
                    millis(now),
                    millis(deadline),
                    progress.state.as_str(),
                    progress.ready_at.map(millis),
                ))
            })
            .map_err(failed)?
            == 1;
        match is_new {
            true => {
                check_hour(transaction, event, entitlement)?;
                tally.add(progress.state);
                enqueued.new += 1;
            }
            false => {
                check_stored(transaction, event)?;
                enqueued.duplicates += 1;
            }
        }
    }
    write_tally(transaction, tally)?;
    Ok(enqueued)
}

/// Returns the time before which events were removed.
pub(super) fn removed_before(transaction: &Transaction<'_>) -> Result<Option<DateTime<Utc>>> {
    let cutoff: Option<i64> =
        transaction.query_row("SELECT removed_before FROM meta", [], |row| row.get(0)).map_err(failed)?;
    Ok(cutoff.map(time))
}

fn check_stored(transaction: &Transaction<'_>, event: &NewEvent) -> Result<()> {
    let stored: String = transaction
        .prepare_cached("SELECT body FROM event WHERE timestamp = ?1 AND key = ?2")
        .and_then(|mut statement| {
            statement.query_row((millis(event.timestamp), event.key.as_bytes()), |row| row.get(0))
        })
        .map_err(failed)?;
    check_same(event, &stored)
}

/// Checks a new event against the others of its entitlement, timestamp and sequence.
fn check_hour(transaction: &Transaction<'_>, event: &NewEvent, entitlement: i64) -> Result<()> {
    let others = "SELECT key, body FROM event INDEXED BY event_of_hour
         WHERE timestamp = ?1 AND entitlement = ?2 AND sequence = ?3 AND key <> ?4 AND state <> ?5";
    let others: Vec<(Vec<u8>, String)> = transaction
        .prepare_cached(others)
        .and_then(|mut statement| {
            let parameters =
                (millis(event.timestamp), entitlement, event.sequence, event.key.as_bytes(), State::Resolved.as_str());
            statement.query_map(parameters, |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
        .map_err(failed)?;
    others.iter().try_for_each(|(key, body)| check_overlap(event, Uuid::from_slice(key).unwrap_or_default(), body))
}

/// Returns the id and the window of an entitlement, which is inserted if it is new.
pub(super) fn entitlement(transaction: &Transaction<'_>, name: &str) -> Result<(i64, Option<Duration>)> {
    let known = transaction
        .prepare_cached("SELECT id, window_ms FROM entitlement WHERE name = ?1")
        .and_then(|mut statement| {
            statement.query_row([name], |row| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?))).optional()
        })
        .map_err(failed)?;
    if let Some((id, window)) = known {
        return Ok((id, window.and_then(|window| u64::try_from(window).ok()).map(Duration::from_millis)));
    }
    transaction.execute("INSERT INTO entitlement (name) VALUES (?1)", [name]).map_err(failed)?;
    Ok((transaction.last_insert_rowid(), None))
}

/// Sets the deadlines of a page of open events, and returns the next page if there may be one.
pub(super) fn set_window(
    transaction: &Transaction<'_>,
    window: &EntitlementWindow,
    from: WindowPage,
) -> Result<Option<WindowPage>> {
    let (id, _) = entitlement(transaction, &window.entitlement_id)?;
    let window_ms = window_ms(window.window);
    transaction.execute("UPDATE entitlement SET window_ms = ?2 WHERE id = ?1", (id, window_ms)).map_err(failed)?;
    // A page limits the rows that are read: also where few are to change. The deadline saturates, as `deadline` does.
    let new = "timestamp + min(?2, ?3 - timestamp)";
    let page = format!(
        "SELECT attempts, deadline, id, {new} FROM event INDEXED BY event_open_by_entitlement
         WHERE entitlement = ?1 AND {IS_OPEN} AND (attempts, deadline, id) > (?4, ?5, ?6)
         ORDER BY attempts, deadline, id LIMIT ?7"
    );
    let latest = millis(DateTime::<Utc>::MAX_UTC);
    let parameters = (id, window_ms, latest, from.attempts, from.deadline, from.id, limit(WINDOW_PAGE));
    let page: Vec<(WindowPage, i64)> = all(transaction, &page, parameters, |row| {
        let event = WindowPage { attempts: row.required(0)?, deadline: row.required(1)?, id: row.required(2)? };
        Ok((event, row.required(3)?))
    })?;
    for (event, deadline) in page.iter().filter(|(event, deadline)| event.deadline != *deadline) {
        transaction
            .prepare_cached("UPDATE event SET deadline = ?2 WHERE id = ?1")
            .and_then(|mut statement| statement.execute((event.id, deadline)))
            .map_err(failed)?;
    }
    if page.len() == WINDOW_PAGE {
        return Ok(page.last().map(|(event, _)| *event));
    }
    // At the end: it is looked up again if this stops before.
    let changed = "UPDATE entitlement SET marketplace = ?2 WHERE id = ?1";
    transaction.execute(changed, (id, &window.marketplace)).map_err(failed)?;
    Ok(None)
}

/// Makes the marketplaces of entitlements unknown that have the window of another configuration.
pub(super) fn forget_windows(transaction: &Transaction<'_>, windows: &MarketplaceWindows) -> Result<()> {
    let query = "SELECT DISTINCT marketplace, window_ms FROM entitlement WHERE marketplace IS NOT NULL";
    let known = all(transaction, query, [], |row| Ok((row.required_text(0)?, row.number(1)?)))?;
    for (marketplace, window_ms) in known.into_iter().filter(|(name, stored)| is_outdated(windows, name, *stored)) {
        let forget = "UPDATE entitlement SET marketplace = NULL WHERE marketplace = ?1 AND window_ms IS ?2";
        transaction.execute(forget, (marketplace, window_ms)).map_err(failed)?;
    }
    Ok(())
}
