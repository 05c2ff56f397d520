//! Storing events, and the windows of their entitlements.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use usage_billing::Result;
use usage_billing::suger::MarketplaceWindows;
use usage_billing::uuid::Uuid;

use super::columns::failed;
use super::pages::all;
use crate::event::{NewEvent, deadline};
use crate::store::acceptance::{check_age, check_overlap, check_same};
use crate::store::columns::{Columns, IS_OPEN, limit, millis, time};
use crate::store::{EnqueueOutcome, EntitlementWindow, WINDOW_PAGE, WindowPage};
use crate::windows::{is_outdated, window_ms};
use crate::{Progress, State, fail_points};

/// The advisory lock of retention: shared by transactions that store something.
pub(super) const RETENTION_LOCK: i64 = 0x7562_6f78_0000_0002;

pub(super) async fn enqueue(
    connection: &mut PgConnection,
    events: &[NewEvent],
    window: Duration,
    now: DateTime<Utc>,
) -> Result<EnqueueOutcome> {
    fail_points::reached("enqueue.begun");
    check_age(events, removed_before(connection).await?)?;
    let enqueued = insert(connection, events, window, now, Some(now)).await?;
    fail_points::reached("enqueue.written");
    Ok(enqueued)
}

/// Stores events, also of a time whose events were removed: reports of records, which are not removed before they are reported. `enqueued_at` is the
/// time at which a producer stored something new.
pub(super) async fn insert(
    connection: &mut PgConnection,
    events: &[NewEvent],
    window: Duration,
    now: DateTime<Utc>,
    enqueued_at: Option<DateTime<Utc>>,
) -> Result<EnqueueOutcome> {
    let names = events.iter().map(|event| event.entitlement_id.as_str()).collect();
    let entitlements = entitlements(connection, names).await?;
    let known = |event: &NewEvent| entitlements[&event.entitlement_id];
    // It is due at once, also if the clock moves back.
    let progress = |event: &NewEvent| Progress::new(event.timestamp.min(now));
    let deadline = |event: &NewEvent| deadline(event.timestamp, known(event).1.unwrap_or(window));
    // In the order of the index, so that transactions with the same events wait for each other without a deadlock. With their numbers in one
    // statement: a caller may drop a call, and commit what it has stored.
    let insert = "WITH inserted AS (
            INSERT INTO usage_billing.event (key, entitlement, timestamp, sequence, body, enqueued_at, deadline, state, ready_at)
            SELECT key, entitlement, timestamp, sequence, body, $6, deadline, state, ready_at
            FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $7::bigint[], $8::text[], $9::bigint[])
                AS new (key, entitlement, timestamp, sequence, body, deadline, state, ready_at)
            ORDER BY timestamp, key ON CONFLICT (timestamp, key) DO NOTHING RETURNING key, state),
        counted AS (
            INSERT INTO usage_billing.tally (state, events, enqueued_at)
            SELECT state, count(*), $10::bigint FROM inserted GROUP BY state)
        SELECT key FROM inserted";
    let insert = sqlx::query(insert)
        .bind(events.iter().map(|event| &event.key.as_bytes()[..]).collect::<Vec<_>>())
        .bind(events.iter().map(|event| known(event).0).collect::<Vec<_>>())
        .bind(events.iter().map(|event| millis(event.timestamp)).collect::<Vec<_>>())
        .bind(events.iter().map(|event| i64::from(event.sequence)).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.body.as_str()).collect::<Vec<_>>())
        .bind(millis(now))
        .bind(events.iter().map(|event| millis(deadline(event))).collect::<Vec<_>>())
        .bind(events.iter().map(|event| progress(event).state.as_str()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| progress(event).ready_at.map(millis)).collect::<Vec<_>>())
        .bind(enqueued_at.map(millis));
    let mut inserted: HashSet<Uuid> = all(connection, insert, |row| row.key(0)).await?.into_iter().collect();
    // The call may have an event twice.
    let (new, duplicates): (Vec<_>, Vec<_>) = events.iter().partition(|event| inserted.remove(&event.key));
    check_stored(connection, &duplicates).await?;
    check_hours(connection, &new, &entitlements).await?;
    Ok(EnqueueOutcome { new: new.len(), duplicates: duplicates.len() })
}

/// Checks that the stored events with the same keys have the same bodies.
async fn check_stored(connection: &mut PgConnection, events: &[&NewEvent]) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let query = "SELECT event.key, event.body FROM usage_billing.event
        JOIN unnest($1::bigint[], $2::bytea[]) AS wanted (timestamp, key)
        ON event.timestamp = wanted.timestamp AND event.key = wanted.key";
    let query = sqlx::query(query)
        .bind(events.iter().map(|event| millis(event.timestamp)).collect::<Vec<_>>())
        .bind(events.iter().map(|event| &event.key.as_bytes()[..]).collect::<Vec<_>>());
    let stored = all(connection, query, |row| Ok((row.key(0)?, row.required_text(1)?))).await?;
    let stored: HashMap<Uuid, String> = stored.into_iter().collect();
    events.iter().try_for_each(|event| check_same(event, stored.get(&event.key).map_or("", String::as_str)))
}

/// Checks new events against the others of their entitlements, timestamps and sequences. Those that another transaction stores at the same time are not
/// seen.
async fn check_hours(
    connection: &mut PgConnection,
    events: &[&NewEvent],
    entitlements: &HashMap<String, (i64, Option<Duration>)>,
) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let query = "SELECT wanted.key, event.key, event.body FROM usage_billing.event
        JOIN unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[]) AS wanted (timestamp, entitlement, sequence, key)
        ON event.timestamp = wanted.timestamp AND event.entitlement = wanted.entitlement AND event.sequence = wanted.sequence
            AND event.key <> wanted.key
        WHERE event.state <> $5";
    let query = sqlx::query(query)
        .bind(events.iter().map(|event| millis(event.timestamp)).collect::<Vec<_>>())
        .bind(events.iter().map(|event| entitlements[&event.entitlement_id].0).collect::<Vec<_>>())
        .bind(events.iter().map(|event| i64::from(event.sequence)).collect::<Vec<_>>())
        .bind(events.iter().map(|event| &event.key.as_bytes()[..]).collect::<Vec<_>>())
        .bind(State::Resolved.as_str());
    let others = all(connection, query, |row| Ok((row.key(0)?, row.key(1)?, row.required_text(2)?))).await?;
    let by_key: HashMap<Uuid, &NewEvent> = events.iter().map(|event| (event.key, *event)).collect();
    others.iter().try_for_each(|(key, stored, body)| check_overlap(by_key[key], *stored, body))
}

/// Returns the time before which events were removed, and keeps it until the end of the transaction.
pub(super) async fn removed_before(connection: &mut PgConnection) -> Result<Option<DateTime<Utc>>> {
    let lock =
        "SELECT current_setting('transaction_isolation') = 'read committed' FROM pg_advisory_xact_lock_shared($1)";
    let lock = sqlx::query_scalar::<_, bool>(lock).bind(RETENTION_LOCK);
    let query = match lock.fetch_one(&mut *connection).await.map_err(failed)? {
        true => "SELECT removed_before FROM usage_billing.meta",
        // A snapshot from before a removal would state the time before it. With a lock of the row, that is a serialization failure.
        false => "SELECT removed_before FROM usage_billing.meta FOR SHARE",
    };
    let cutoff: Option<i64> = sqlx::query_scalar(query).fetch_one(connection).await.map_err(failed)?;
    Ok(cutoff.map(time))
}

/// Returns the ids and the windows of entitlements, which are inserted if they are new.
pub(super) async fn entitlements(
    connection: &mut PgConnection,
    names: BTreeSet<&str>,
) -> Result<HashMap<String, (i64, Option<Duration>)>> {
    let names: Vec<_> = names.into_iter().collect();
    let mut known = known_entitlements(connection, &names).await?;
    let new: Vec<_> = names.into_iter().filter(|name| !known.contains_key(*name)).collect();
    if !new.is_empty() {
        let insert = "INSERT INTO usage_billing.entitlement (name)
            SELECT name FROM unnest($1::text[]) AS new (name) ORDER BY name COLLATE \"C\" ON CONFLICT (name) DO NOTHING";
        sqlx::query(insert).bind(&new).execute(&mut *connection).await.map_err(failed)?;
        known.extend(known_entitlements(connection, &new).await?);
    }
    Ok(known)
}

async fn known_entitlements(
    connection: &mut PgConnection,
    names: &[&str],
) -> Result<HashMap<String, (i64, Option<Duration>)>> {
    let query = "SELECT name, id, window_ms FROM usage_billing.entitlement WHERE name = ANY($1)";
    let known = all(connection, sqlx::query(query).bind(names), |row| {
        let window = row.number(2)?.and_then(|window| u64::try_from(window).ok()).map(Duration::from_millis);
        Ok((row.required_text(0)?, (row.required(1)?, window)))
    });
    Ok(known.await?.into_iter().collect())
}

/// Sets the deadlines of a page of open events, and returns the next page if there may be one. An event that another transaction stores or changes at
/// the same time may keep the deadline of the window before.
pub(super) async fn set_window(
    connection: &mut PgConnection,
    window: EntitlementWindow,
    from: WindowPage,
) -> Result<Option<WindowPage>> {
    let name = window.entitlement_id.as_str();
    let (id, _) = entitlements(connection, BTreeSet::from([name])).await?[name];
    let window_ms = window_ms(window.window);
    let changed = "UPDATE usage_billing.entitlement SET window_ms = $2 WHERE id = $1 AND window_ms IS DISTINCT FROM $2";
    sqlx::query(changed).bind(id).bind(window_ms).execute(&mut *connection).await.map_err(failed)?;
    // A page limits the rows that are read: also where few are to change. The deadline saturates, as `deadline` does. It waits for no event, so it does
    // not matter that others lock entitlements after events.
    let new = "timestamp + least($2, $3 - timestamp)";
    let deadlines = format!(
        "WITH page AS (
             SELECT attempts, deadline, id FROM usage_billing.event
             WHERE entitlement = $1 AND {IS_OPEN} AND (attempts, deadline, id) > ($4, $5, $6)
             ORDER BY attempts, deadline, id LIMIT $7),
         locked AS (
             SELECT id FROM usage_billing.event
             WHERE id = ANY(ARRAY(SELECT id FROM page)) AND {IS_OPEN} AND deadline <> {new} FOR UPDATE SKIP LOCKED),
         changed AS (
             UPDATE usage_billing.event SET deadline = {new} WHERE id = ANY(ARRAY(SELECT id FROM locked)))
         SELECT attempts, deadline, id FROM page"
    );
    let deadlines = sqlx::query(&deadlines)
        .bind(id)
        .bind(window_ms)
        .bind(millis(DateTime::<Utc>::MAX_UTC))
        .bind(from.attempts)
        .bind(from.deadline)
        .bind(from.id)
        .bind(limit(WINDOW_PAGE));
    let event = |row: &dyn Columns| {
        Ok(WindowPage { attempts: row.required(0)?, deadline: row.required(1)?, id: row.required(2)? })
    };
    let page = all(connection, deadlines, event).await?;
    if page.len() == WINDOW_PAGE {
        return Ok(page.into_iter().max());
    }
    // At the end: it is looked up again if this stops before.
    let changed = "UPDATE usage_billing.entitlement SET marketplace = $2 WHERE id = $1";
    sqlx::query(changed).bind(id).bind(&window.marketplace).execute(connection).await.map_err(failed)?;
    Ok(None)
}

/// Makes the marketplaces of entitlements unknown that have the window of another configuration.
pub(super) async fn forget_windows(connection: &mut PgConnection, windows: &MarketplaceWindows) -> Result<()> {
    let query = "SELECT DISTINCT marketplace, window_ms FROM usage_billing.entitlement WHERE marketplace IS NOT NULL";
    let known = all(connection, sqlx::query(query), |row| Ok((row.required_text(0)?, row.number(1)?))).await?;
    for (marketplace, window_ms) in known.into_iter().filter(|(name, stored)| is_outdated(windows, name, *stored)) {
        let forget = "UPDATE usage_billing.entitlement SET marketplace = NULL
            WHERE marketplace = $1 AND window_ms IS NOT DISTINCT FROM $2";
        sqlx::query(forget).bind(marketplace).bind(window_ms).execute(&mut *connection).await.map_err(failed)?;
    }
    Ok(())
}
