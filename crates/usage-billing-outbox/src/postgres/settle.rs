//! Results of attempts: evidence, states, and the delays of entitlements.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use usage_billing::Result;

use super::columns::failed;
use super::pages::{EVENT, all};
use super::tally::write_tally;
use crate::store::columns::{IS_OPEN, STORED_EVENT, millis, stored_event};
use crate::store::{Attempt, AttemptResult, SettledAttempt, Settlement};
use crate::{fail_points, retry};

/// Locks are taken in the order of the ids: first of events, then of entitlements.
pub(super) async fn settle(
    connection: &mut PgConnection,
    token: i64,
    attempts: Vec<Attempt>,
    now: DateTime<Utc>,
) -> Result<usize> {
    let query = format!(
        "SELECT {STORED_EVENT} FROM {EVENT} WHERE event.state = 'sending' AND event.lease_token = $1
         ORDER BY event.id FOR UPDATE OF event"
    );
    let leased = all(connection, sqlx::query(&query).bind(token), stored_event).await?;
    let mut settlement = Settlement::of_attempts(token, attempts, leased, now);
    let lost = std::mem::take(&mut settlement.lost);
    let lost = insert_lost(connection, token, &lost).await?;
    let entitlements = std::mem::take(&mut settlement.entitlements);
    write(connection, settlement).await?;
    delay_entitlements(connection, entitlements, now).await?;
    fail_points::reached("settle.written");
    Ok(lost)
}

/// Writes results into their events, with their evidence.
pub(super) async fn write(connection: &mut PgConnection, settlement: Settlement) -> Result<()> {
    let Settlement { settled, tally, .. } = settlement;
    if settled.is_empty() {
        return Ok(());
    }
    insert_attempts(connection, settled.iter().map(|settled| (settled.id, &settled.result)).collect()).await?;
    let progress = || settled.iter().map(|SettledAttempt { progress, .. }| progress);
    let update = "UPDATE usage_billing.event SET state = new.state, attempts = new.attempts, ready_at = new.ready_at,
            may_have_arrived = new.may_have_arrived, may_arrive_until = new.may_arrive_until,
            lease_token = NULL, lease_since = NULL, lease_until = NULL, settled_at = new.settled_at, message = new.message
        FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::boolean[], $6::bigint[], $7::bigint[], $8::text[])
            AS new (id, state, attempts, ready_at, may_have_arrived, may_arrive_until, settled_at, message)
        WHERE event.id = new.id";
    let update = sqlx::query(update)
        .bind(settled.iter().map(|settled| settled.id).collect::<Vec<_>>())
        .bind(progress().map(|progress| progress.state.as_str()).collect::<Vec<_>>())
        .bind(progress().map(|progress| i64::from(progress.attempts)).collect::<Vec<_>>())
        .bind(progress().map(|progress| progress.ready_at.map(millis)).collect::<Vec<_>>())
        .bind(progress().map(|progress| progress.may_have_arrived).collect::<Vec<_>>())
        .bind(progress().map(|progress| progress.may_arrive_until.map(millis)).collect::<Vec<_>>())
        .bind(settled.iter().map(|settled| settled.settled_at().map(millis)).collect::<Vec<_>>())
        .bind(settled.iter().map(|settled| settled.result.message.as_deref()).collect::<Vec<_>>());
    update.execute(&mut *connection).await.map_err(failed)?;
    write_tally(connection, tally).await
}

/// Writes the evidence of attempts whose lease had ended. Their events are those with an attempt under the same lease: the end of the lease
/// left one. A result that is stored again, because it was unknown whether it was committed, leaves no second row. Returns the number of the others.
async fn insert_lost(connection: &mut PgConnection, token: i64, lost: &[Attempt]) -> Result<usize> {
    if lost.is_empty() {
        return Ok(0);
    }
    let keys: Vec<_> = lost.iter().map(|attempt| &attempt.key.as_bytes()[..]).collect();
    let query = "SELECT event.id, event.key, attempt.outcome, attempt.ended_at
        FROM usage_billing.attempt JOIN usage_billing.event ON event.id = attempt.event
        WHERE attempt.token = $1 AND event.key = ANY($2)";
    let known = all(connection, sqlx::query(query).bind(token).bind(keys), |row| {
        Ok((row.required::<i64>(0)?, row.key(1)?, row.outcome(2)?, row.time(3)?))
    })
    .await?;
    let of_event = |key| known.iter().filter(move |(_, known, ..)| *known == key);
    let is_known = |Attempt { key, result, .. }: &Attempt| {
        let ended_at = millis(result.ended_at);
        of_event(*key).any(|(.., outcome, at)| *outcome == result.outcome && millis(*at) == ended_at)
    };
    let unknown: Vec<_> = lost.iter().filter(|attempt| !is_known(attempt)).collect();
    let of_known_event = |attempt: &&Attempt| of_event(attempt.key).next().map(|(id, ..)| *id);
    let attempts = unknown.iter().filter_map(|attempt| Some((of_known_event(attempt)?, &attempt.result)));
    insert_attempts(connection, attempts.collect()).await?;
    Ok(unknown.len())
}

async fn insert_attempts(connection: &mut PgConnection, attempts: Vec<(i64, &AttemptResult)>) -> Result<()> {
    if attempts.is_empty() {
        return Ok(());
    }
    let results = || attempts.iter().map(|(_, result)| result);
    let insert = "INSERT INTO usage_billing.attempt (event, token, started_at, ended_at, body_sha256, outcome, status, message)
        SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[], $6::text[], $7::bigint[], $8::text[])";
    let insert = sqlx::query(insert)
        .bind(attempts.iter().map(|(id, _)| *id).collect::<Vec<_>>())
        .bind(results().map(|result| result.token).collect::<Vec<_>>())
        .bind(results().map(|result| millis(result.started_at)).collect::<Vec<_>>())
        .bind(results().map(|result| millis(result.ended_at)).collect::<Vec<_>>())
        .bind(results().map(|result| result.body_sha256.to_vec()).collect::<Vec<_>>())
        .bind(results().map(|result| result.outcome.as_str()).collect::<Vec<_>>())
        .bind(results().map(|result| result.status.map(i64::from)).collect::<Vec<_>>())
        .bind(results().map(|result| result.message.as_deref()).collect::<Vec<_>>());
    insert.execute(connection).await.map_err(failed)?;
    Ok(())
}

async fn delay_entitlements(
    connection: &mut PgConnection,
    entitlements: BTreeMap<String, bool>,
    now: DateTime<Utc>,
) -> Result<()> {
    let names: Vec<_> = entitlements.keys().collect();
    // Only of those that change: other senders have results of the same entitlements.
    let query = "SELECT id, name, failures FROM usage_billing.entitlement
        WHERE name = ANY($1) AND (failures > 0 OR name = ANY($2)) ORDER BY id FOR NO KEY UPDATE";
    let failing: Vec<_> = entitlements.iter().filter(|(_, is_resolved)| !**is_resolved).map(|(name, _)| name).collect();
    let known = all(connection, sqlx::query(query).bind(names).bind(failing), |row| {
        Ok((row.required::<i64>(0)?, row.required_text(1)?, row.required::<u32>(2)?))
    })
    .await?;
    let mut changes = (Vec::new(), Vec::new(), Vec::new());
    for (id, name, failures) in known {
        if let Some((failures, retry_at)) = retry::entitlement_delay(failures, entitlements[&name], now) {
            changes.0.push(id);
            changes.1.push(i64::from(failures));
            changes.2.push(retry_at.map(millis));
        }
    }
    let update = "UPDATE usage_billing.entitlement SET failures = new.failures, retry_at = new.retry_at
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS new (id, failures, retry_at) WHERE entitlement.id = new.id";
    if !changes.0.is_empty() {
        let update = sqlx::query(update).bind(changes.0).bind(changes.1).bind(changes.2);
        update.execute(connection).await.map_err(failed)?;
    }
    Ok(())
}

/// Removes the delay of an entitlement with open events.
pub(super) async fn remove_delay(connection: &mut PgConnection, event: i64) -> Result<()> {
    let query = format!(
        "UPDATE usage_billing.entitlement SET failures = 0, retry_at = NULL
         WHERE id = (SELECT entitlement FROM usage_billing.event WHERE id = $1 AND {IS_OPEN}) AND failures > 0"
    );
    sqlx::query(&query).bind(event).execute(connection).await.map_err(failed)?;
    Ok(())
}
