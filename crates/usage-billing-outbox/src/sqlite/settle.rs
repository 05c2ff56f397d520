//! Results of attempts: evidence, states, and the delays of entitlements.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Transaction;
use usage_billing::Result;

use super::columns::{EventRow, IS_OPEN, STORED_EVENT, failed, millis};
use super::lease::rows;
use super::pages::id_of;
use super::tally::Tally;
use crate::store::{Attempt, AttemptResult};
use crate::{Progress, fail_points, retry};

pub(super) fn settle(
    transaction: &Transaction<'_>,
    token: i64,
    attempts: &[Attempt],
    now: DateTime<Utc>,
) -> Result<usize> {
    let query = format!(
        "SELECT {STORED_EVENT} FROM event JOIN entitlement ON entitlement.id = event.entitlement
         WHERE event.state = 'sending' AND event.lease_token = ?1"
    );
    let leased = rows(transaction, &query, [token])?;
    let leased: HashMap<_, _> = leased.into_iter().map(|row| (row.stored.event.key, row)).collect();
    let (mut lost, mut tally) = (0, Tally::default());
    // Whether an event of the entitlement has a final result.
    let mut entitlements: HashMap<&str, bool> = HashMap::new();
    for Attempt { key, result, retry_after } in attempts {
        let row = leased.get(key);
        let settled = row.and_then(|EventRow { stored, .. }| {
            stored.progress.settle(token, result.outcome, *retry_after, stored.deadline, now)
        });
        let (Some(EventRow { id, stored }), Some(progress)) = (row, settled) else {
            // The attempt was made, also if another sender has the event now.
            if let Some(id) = id_of(transaction, *key)? {
                insert_attempt(transaction, id, result)?;
            }
            lost += 1;
            continue;
        };
        insert_attempt(transaction, *id, result)?;
        update(transaction, *id, &progress, result)?;
        tally.change(stored.progress.state, progress.state);
        *entitlements.entry(&stored.event.entitlement_id).or_default() |= progress.state.is_final();
    }
    for (entitlement, is_resolved) in entitlements {
        delay_entitlement(transaction, entitlement, is_resolved, now)?;
    }
    tally.write(transaction)?;
    fail_points::reached("settle.written");
    Ok(lost)
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
    let (failures, retry_at) = match is_resolved {
        true if failures == 0 => return Ok(()),
        true => (0, None),
        false => {
            let failures = failures.saturating_add(1);
            let delay = TimeDelta::from_std(retry::delay(failures, false)).unwrap_or_default();
            (failures, Some(millis(now + delay)))
        }
    };
    transaction
        .prepare_cached("UPDATE entitlement SET failures = ?2, retry_at = ?3 WHERE name = ?1")
        .and_then(|mut statement| statement.execute((entitlement, failures, retry_at)))
        .map_err(failed)?;
    Ok(())
}

pub(super) fn insert_attempt(transaction: &Transaction<'_>, event: i64, result: &AttemptResult) -> Result<()> {
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

/// Writes the progress of an event after an attempt.
pub(super) fn update(
    transaction: &Transaction<'_>,
    event: i64,
    progress: &Progress,
    result: &AttemptResult,
) -> Result<()> {
    let settled_at = progress.state.is_final().then(|| millis(result.ended_at));
    transaction
        .prepare_cached(
            "UPDATE event SET state = ?2, attempts = ?3, ready_at = ?4, may_have_arrived = ?5, may_arrive_until = ?6,
             lease_token = NULL, lease_since = NULL, lease_until = NULL, settled_at = ?7, message = ?8 WHERE id = ?1",
        )
        .and_then(|mut statement| {
            statement.execute((
                event,
                progress.state.as_str(),
                progress.attempts,
                progress.ready_at.map(millis),
                progress.may_have_arrived,
                progress.may_arrive_until.map(millis),
                settled_at,
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
