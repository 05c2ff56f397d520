//! Results of attempts: evidence, states, and the delays of entitlements.

use chrono::{DateTime, Utc};
use rusqlite::Transaction;
use usage_billing::Result;

use super::columns::failed;
use super::pages::{id_of, rows};
use super::tally::write_tally;
use crate::store::columns::{IS_OPEN, STORED_EVENT, millis};
use crate::store::{Attempt, AttemptResult, SettledAttempt, Settlement};
use crate::{fail_points, retry};

pub(super) fn settle(
    transaction: &Transaction<'_>,
    token: i64,
    attempts: Vec<Attempt>,
    now: DateTime<Utc>,
) -> Result<usize> {
    let query = format!(
        "SELECT {STORED_EVENT} FROM event JOIN entitlement ON entitlement.id = event.entitlement
         WHERE event.state = 'sending' AND event.lease_token = ?1"
    );
    let settlement = Settlement::of_attempts(token, attempts, rows(transaction, &query, [token])?, now);
    let mut lost = settlement.lost.len();
    for Attempt { key, result, .. } in &settlement.lost {
        let Some(id) = id_of(transaction, *key, None)? else { continue };
        match is_stored(transaction, id, result)? {
            true => lost -= 1,
            false => insert_attempt(transaction, id, result)?,
        }
    }
    for (entitlement, is_resolved) in &settlement.entitlements {
        delay_entitlement(transaction, entitlement, *is_resolved, now)?;
    }
    write(transaction, settlement)?;
    fail_points::reached("settle.written");
    Ok(lost)
}

fn is_stored(transaction: &Transaction<'_>, event: i64, result: &AttemptResult) -> Result<bool> {
    transaction
        .prepare_cached("SELECT 1 FROM attempt WHERE event = ?1 AND token = ?2 AND outcome = ?3 AND ended_at = ?4")
        .and_then(|mut statement| {
            statement.exists((event, result.token, result.outcome.as_str(), millis(result.ended_at)))
        })
        .map_err(failed)
}

/// Writes results into their events, with their evidence.
pub(super) fn write(transaction: &Transaction<'_>, settlement: Settlement) -> Result<()> {
    for settled in &settlement.settled {
        insert_attempt(transaction, settled.id, &settled.result)?;
        update(transaction, settled)?;
    }
    write_tally(transaction, settlement.tally)
}

fn delay_entitlement(
    transaction: &Transaction<'_>,
    entitlement: &str,
    is_resolved: bool,
    now: DateTime<Utc>,
) -> Result<()> {
    let failures: u32 = transaction
        .prepare_cached("SELECT failures FROM entitlement WHERE name = ?1")
        .and_then(|mut statement| statement.query_row([entitlement], |row| row.get(0)))
        .map_err(failed)?;
    if let Some((failures, retry_at)) = retry::entitlement_delay(failures, is_resolved, now) {
        transaction
            .prepare_cached("UPDATE entitlement SET failures = ?2, retry_at = ?3 WHERE name = ?1")
            .and_then(|mut statement| statement.execute((entitlement, failures, retry_at.map(millis))))
            .map_err(failed)?;
    }
    Ok(())
}

fn insert_attempt(transaction: &Transaction<'_>, event: i64, result: &AttemptResult) -> Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO attempt (event, number, token, started_at, ended_at, body_sha256, outcome, status, message)
             SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM attempt WHERE event = ?1",
        )
        .and_then(|mut statement| {
            statement.execute((
                event,
                result.token,
                millis(result.started_at),
                millis(result.ended_at),
                result.body_sha256,
                result.outcome.as_str(),
                result.status,
                &result.message,
            ))
        })
        .map_err(failed)?;
    Ok(())
}

fn update(transaction: &Transaction<'_>, settled: &SettledAttempt) -> Result<()> {
    let SettledAttempt { id, progress, result } = settled;
    transaction
        .prepare_cached(
            "UPDATE event SET state = ?2, attempts = ?3, ready_at = ?4, may_have_arrived = ?5, may_arrive_until = ?6,
             lease_token = NULL, lease_since = NULL, lease_until = NULL, settled_at = ?7, message = ?8 WHERE id = ?1",
        )
        .and_then(|mut statement| {
            statement.execute((
                id,
                progress.state.as_str(),
                progress.attempts,
                progress.ready_at.map(millis),
                progress.may_have_arrived,
                progress.may_arrive_until.map(millis),
                settled.settled_at().map(millis),
                &result.message,
            ))
        })
        .map_err(failed)?;
    Ok(())
}

/// Removes the delay of an entitlement with open events.
pub(super) fn remove_delay(transaction: &Transaction<'_>, event: i64) -> Result<()> {
    let query = format!(
        "UPDATE entitlement SET failures = 0, retry_at = NULL
         WHERE id = (SELECT entitlement FROM event WHERE id = ?1 AND {IS_OPEN})"
    );
    transaction.execute(&query, [event]).map_err(failed)?;
    Ok(())
}
