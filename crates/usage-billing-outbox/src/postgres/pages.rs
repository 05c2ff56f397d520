//! Reading events and the evidence of their attempts.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{PgConnection, Postgres};
use usage_billing::Result;
use usage_billing::uuid::Uuid;

use super::columns::failed;
use crate::event::StoredEvent;
use crate::store::columns::{
    self, ATTEMPT, Columns, EventRow, FAILED_ATTEMPT, STORED_EVENT, attempt_result, failed_attempt, millis,
    stored_event,
};
use crate::store::{AttemptResult, FailedAttempt, Selection};

/// The tables of the columns of an event.
pub(super) const EVENT: &str =
    "usage_billing.event JOIN usage_billing.entitlement ON entitlement.id = event.entitlement";

/// Returns the row of a key.
pub(super) async fn id_of(
    connection: &mut PgConnection,
    key: Uuid,
    timestamp: Option<DateTime<Utc>>,
) -> Result<Option<i64>> {
    let by_key = columns::id_of_key("usage_billing.event");
    let query = match timestamp {
        Some(timestamp) => sqlx::query_scalar("SELECT id FROM usage_billing.event WHERE key = $1 AND timestamp = $2")
            .bind(&key.as_bytes()[..])
            .bind(millis(timestamp)),
        None => sqlx::query_scalar(&by_key).bind(&key.as_bytes()[..]),
    };
    query.fetch_optional(connection).await.map_err(failed)
}

pub(super) async fn event(
    connection: &mut PgConnection,
    key: Uuid,
    timestamp: Option<DateTime<Utc>>,
) -> Result<Option<(StoredEvent, Vec<AttemptResult>)>> {
    let Some(id) = id_of(connection, key, timestamp).await? else { return Ok(None) };
    let query = format!("SELECT {STORED_EVENT} FROM {EVENT} WHERE event.id = $1");
    let Some(EventRow { stored, .. }) = all(connection, sqlx::query(&query).bind(id), stored_event).await?.pop() else {
        return Ok(None);
    };
    let query = format!("SELECT {ATTEMPT} FROM usage_billing.attempt WHERE event = $1 ORDER BY id");
    let attempts = all(connection, sqlx::query(&query).bind(id), attempt_result).await?;
    Ok(Some((stored, attempts)))
}

/// Returns all rows of a query.
pub(super) async fn all<T>(
    connection: &mut PgConnection,
    query: Query<'_, Postgres, PgArguments>,
    read: impl Fn(&dyn Columns) -> Result<T>,
) -> Result<Vec<T>> {
    let rows = query.fetch_all(connection).await.map_err(failed)?;
    rows.iter().map(|row| read(row)).collect()
}

pub(super) async fn events(connection: &mut PgConnection, selection: Selection) -> Result<Vec<StoredEvent>> {
    // Without a page before, no key is excluded.
    let after = selection
        .after
        .map_or("$3::bigint IS NULL AND $4::bytea IS NULL", |_| "(event.timestamp, event.key) > ($3, $4)");
    let query = format!(
        "SELECT {STORED_EVENT} FROM {EVENT}
         WHERE event.timestamp >= $1 AND event.timestamp < $2 AND {after}
         AND ($5::text IS NULL OR event.state = $5) AND ($6::text IS NULL OR entitlement.name = $6)
         ORDER BY event.timestamp, event.key LIMIT $7"
    );
    let query = sqlx::query(&query)
        .bind(millis(selection.period.start()))
        .bind(millis(selection.period.end()))
        .bind(selection.after.map(|(timestamp, _)| millis(timestamp)))
        .bind(selection.after.map(|(_, key)| key.as_bytes().to_vec()))
        .bind(selection.state.map(crate::State::as_str))
        .bind(&selection.entitlement_id)
        .bind(columns::limit(selection.limit));
    Ok(all(connection, query, stored_event).await?.into_iter().map(|row| row.stored).collect())
}

/// Returns the latest attempts without a delivery.
pub(super) async fn failed_attempts(connection: &mut PgConnection, limit: usize) -> Result<Vec<FailedAttempt>> {
    let query = format!(
        "SELECT {FAILED_ATTEMPT} FROM usage_billing.attempt JOIN ({EVENT}) ON event.id = attempt.event
         WHERE attempt.outcome NOT IN ('delivered', 'already_delivered') ORDER BY attempt.ended_at DESC LIMIT $1"
    );
    all(connection, sqlx::query(&query).bind(columns::limit(limit)), failed_attempt).await
}
