//! Reading events and the evidence of their attempts.

use rusqlite::{OptionalExtension as _, Transaction};
use usage_billing::uuid::Uuid;
use usage_billing::{Error, ErrorKind, Result, printable};

use super::columns::{EventRow, STORED_EVENT, failed, get, key, millis, time};
use super::lease::rows;
use crate::Outcome;
use crate::event::StoredEvent;
use crate::store::{AttemptResult, FailedAttempt, Selection};

/// Returns the row of a key. This reads the index of all events, because it begins with the time: a second for some millions.
pub(super) fn id_of(transaction: &Transaction<'_>, key: Uuid) -> Result<Option<i64>> {
    transaction
        .prepare_cached("SELECT id FROM event INDEXED BY event_by_time WHERE key = ?1 LIMIT 1")
        .and_then(|mut statement| statement.query_row([key.as_bytes()], |row| row.get(0)).optional())
        .map_err(failed)
}

pub(super) fn row(transaction: &Transaction<'_>, id: i64) -> Result<Option<EventRow>> {
    let query = format!(
        "SELECT {STORED_EVENT} FROM event JOIN entitlement ON entitlement.id = event.entitlement WHERE event.id = ?1"
    );
    Ok(rows(transaction, &query, [id])?.pop())
}

pub(super) fn event(transaction: &Transaction<'_>, key: Uuid) -> Result<Option<(StoredEvent, Vec<AttemptResult>)>> {
    let Some(id) = id_of(transaction, key)? else { return Ok(None) };
    let Some(EventRow { stored, .. }) = row(transaction, id)? else { return Ok(None) };
    let mut statement = transaction
        .prepare_cached(
            "SELECT token, started_at, ended_at, body_sha256, outcome, status, message FROM attempt
             WHERE event = ?1 ORDER BY number",
        )
        .map_err(failed)?;
    let mut rows = statement.query([id]).map_err(failed)?;
    let mut attempts = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        attempts.push(AttemptResult {
            token: get(row, 0)?,
            started_at: time(get(row, 1)?),
            ended_at: time(get(row, 2)?),
            body_sha256: get(row, 3)?,
            outcome: outcome(&get::<String>(row, 4)?)?,
            status: get(row, 5)?,
            message: get(row, 6)?,
        });
    }
    Ok(Some((stored, attempts)))
}

fn outcome(name: &str) -> Result<Outcome> {
    let found = Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == name);
    found.ok_or_else(|| Error::new(ErrorKind::File, format!("{} is not a valid outcome", printable(name))))
}

pub(super) fn events(transaction: &Transaction<'_>, selection: &Selection) -> Result<Vec<StoredEvent>> {
    let query = format!(
        "SELECT {STORED_EVENT} FROM event INDEXED BY event_by_time JOIN entitlement ON entitlement.id = event.entitlement
         WHERE event.timestamp >= ?1 AND event.timestamp < ?2 AND (event.timestamp, event.key) > (?3, ?4)
         AND (?5 IS NULL OR event.state = ?5) AND (?6 IS NULL OR entitlement.name = ?6)
         ORDER BY event.timestamp, event.key LIMIT ?7"
    );
    let (after, after_key) = match selection.after {
        Some((timestamp, key)) => (millis(timestamp), key.into_bytes().to_vec()),
        // Before any key.
        None => (millis(selection.period.start()), Vec::new()),
    };
    let start = millis(selection.period.start()).max(after);
    let parameters = (
        start,
        millis(selection.period.end()),
        after,
        after_key,
        selection.state.map(crate::State::as_str),
        &selection.entitlement_id,
        i64::try_from(selection.limit).unwrap_or(i64::MAX),
    );
    Ok(rows(transaction, &query, parameters)?.into_iter().map(|row| row.stored).collect())
}

/// Returns the latest attempts without a delivery.
pub(super) fn failed_attempts(transaction: &Transaction<'_>, limit: usize) -> Result<Vec<FailedAttempt>> {
    let mut statement = transaction
        .prepare_cached(
            "SELECT event.key, entitlement.name, attempt.ended_at, attempt.outcome, attempt.status, attempt.message
             FROM attempt JOIN event ON event.id = attempt.event JOIN entitlement ON entitlement.id = event.entitlement
             WHERE attempt.outcome NOT IN ('delivered', 'already_delivered') ORDER BY attempt.ended_at DESC LIMIT ?1",
        )
        .map_err(failed)?;
    let mut rows = statement.query([i64::try_from(limit).unwrap_or(i64::MAX)]).map_err(failed)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        found.push(FailedAttempt {
            key: key(row, 0)?,
            entitlement_id: get(row, 1)?,
            ended_at: time(get(row, 2)?),
            outcome: outcome(&get::<String>(row, 3)?)?,
            status: get(row, 4)?,
            message: get(row, 5)?,
        });
    }
    Ok(found)
}
