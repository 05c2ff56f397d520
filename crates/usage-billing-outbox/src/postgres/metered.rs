//! Records of metered usage, and the reports of ended hours, which consume them in one transaction.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use tokio::time::Instant;
use usage_billing::{Decimal, Result};

use super::columns::failed;
use super::enqueue::{entitlements, insert, removed_before};
use super::pages::all;
use super::tally::write_recorded_at;
use crate::aggregation::{HourlyReports, MeteredUsage, hour_of, report};
use crate::store::acceptance::{check_record, check_same_record};
use crate::store::columns::{millis, time};
use crate::store::{EnqueueOutcome, RECORDS, RECORDS_AT_ONCE, REPORTS, RollUpOutcome};
use crate::{NewEvent, fail_points};

/// The advisory lock of reports: one transaction reports ended hours.
const REPORTS_LOCK: i64 = 0x7562_6f78_0000_0003;

pub(super) async fn record(
    connection: &mut PgConnection,
    records: &[MeteredUsage],
    now: DateTime<Utc>,
) -> Result<EnqueueOutcome> {
    fail_points::reached("enqueue.begun");
    let cutoff = removed_before(connection).await?;
    records.iter().try_for_each(|usage| check_record(usage, cutoff))?;
    let names = records.iter().map(|usage| usage.entitlement_id.as_str()).collect();
    let entitlements = entitlements(connection, names).await?;
    let entitlement = |usage: &MeteredUsage| entitlements[&usage.entitlement_id].0;
    let quantity = |usage: &MeteredUsage| usage.quantity.normalize().to_string();
    let insert = "INSERT INTO usage_billing.usage (source_id, entitlement, dimension, timestamp, hour, quantity)
        SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::text[]) AS new (source_id)
        ORDER BY source_id COLLATE \"C\" ON CONFLICT (source_id) DO NOTHING RETURNING source_id";
    let insert = sqlx::query_scalar(insert)
        .bind(records.iter().map(|usage| usage.id.as_str()).collect::<Vec<_>>())
        .bind(records.iter().map(entitlement).collect::<Vec<_>>())
        .bind(records.iter().map(|usage| usage.dimension.as_str()).collect::<Vec<_>>())
        .bind(records.iter().map(|usage| millis(usage.timestamp)).collect::<Vec<_>>())
        .bind(records.iter().map(|usage| millis(hour_of(usage.timestamp))).collect::<Vec<_>>())
        .bind(records.iter().map(quantity).collect::<Vec<_>>());
    let mut inserted: HashSet<String> = insert.fetch_all(&mut *connection).await.map_err(failed)?.into_iter().collect();
    let (new, duplicates): (Vec<_>, Vec<_>) = records.iter().partition(|usage| inserted.remove(&usage.id));
    if !duplicates.is_empty() {
        let ids: Vec<_> = duplicates.iter().map(|usage| usage.id.as_str()).collect();
        let query = "SELECT source_id, entitlement, dimension, timestamp, quantity FROM usage_billing.usage WHERE source_id = ANY($1)";
        let stored = all(connection, sqlx::query(query).bind(ids), |row| {
            let content =
                (row.required::<i64>(1)?, row.required_text(2)?, row.required::<i64>(3)?, row.required_text(4)?);
            Ok((row.required_text(0)?, content))
        });
        let stored: HashMap<_, _> = stored.await?.into_iter().collect();
        for usage in &duplicates {
            let content = (entitlement(usage), usage.dimension.clone(), millis(usage.timestamp), quantity(usage));
            check_same_record(usage, stored.get(&usage.id) == Some(&content))?;
        }
    }
    if !new.is_empty() {
        write_recorded_at(connection, now).await?;
    }
    fail_points::reached("enqueue.written");
    Ok(EnqueueOutcome { new: new.len(), duplicates: duplicates.len() })
}

/// Reports nothing while another transaction does. Each report takes several round trips, so after `limit` the rest is left to the next transaction.
pub(super) async fn roll_up(
    connection: &mut PgConnection,
    rule: HourlyReports,
    window: Duration,
    now: DateTime<Utc>,
    limit: Duration,
) -> Result<RollUpOutcome> {
    let began = Instant::now();
    let lock = sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)").bind(REPORTS_LOCK);
    let is_locked: bool = lock.fetch_one(&mut *connection).await.map_err(failed)?;
    if !is_locked {
        return Ok(RollUpOutcome::default());
    }
    let org_id: String = sqlx::query_scalar("SELECT org_id FROM usage_billing.meta")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
    let mut rolled_up = RollUpOutcome::default();
    for (hour, entitlement, name) in closed_hours(connection, rule.closed_before(now)).await? {
        let records = open_records(connection, hour, entitlement).await?;
        let quantities = records.iter().map(|(_, dimension, quantity)| (dimension.clone(), *quantity));
        let carried = carried(connection, entitlement).await?;
        let (found, key) = loop {
            let sequence = next_sequence(connection, hour, entitlement).await?;
            let found = report(&name, time(hour), sequence, quantities.clone(), &carried, rule.whole_units);
            let Some(event) = &found.event else { break (found, None) };
            let event = NewEvent::new(event, &org_id)?;
            let enqueued = insert(connection, std::slice::from_ref(&event), window, now, None).await?;
            // A producer may have stored the same event since the sequence was read: it is other usage.
            if enqueued.new > 0 {
                rolled_up.events += 1;
                break (found, Some(event.key));
            }
        };
        let ids: Vec<_> = records[..found.records].iter().map(|(id, ..)| *id).collect();
        let consumed = "UPDATE usage_billing.usage SET rolled_up_at = $2, event_key = $3 WHERE id = ANY($1)";
        let consumed = sqlx::query(consumed).bind(ids).bind(millis(now)).bind(key.map(|key| key.as_bytes().to_vec()));
        consumed.execute(&mut *connection).await.map_err(failed)?;
        carry_over(connection, entitlement, found.carried).await?;
        rolled_up.records += found.records;
        if rolled_up.records >= RECORDS_AT_ONCE || began.elapsed() >= limit {
            break;
        }
    }
    fail_points::reached("roll_up.written");
    Ok(rolled_up)
}

/// Returns ended hours with open records: the hour, and the entitlement with its name.
async fn closed_hours(connection: &mut PgConnection, before: DateTime<Utc>) -> Result<Vec<(i64, i64, String)>> {
    let query = "SELECT DISTINCT usage.hour, usage.entitlement, entitlement.name
        FROM usage_billing.usage JOIN usage_billing.entitlement ON entitlement.id = usage.entitlement
        WHERE usage.rolled_up_at IS NULL AND usage.hour < $1 ORDER BY usage.hour, usage.entitlement LIMIT $2";
    let query = sqlx::query(query).bind(millis(before)).bind(REPORTS);
    all(connection, query, |row| Ok((row.required(0)?, row.required(1)?, row.required_text(2)?))).await
}

async fn open_records(
    connection: &mut PgConnection,
    hour: i64,
    entitlement: i64,
) -> Result<Vec<(i64, String, Decimal)>> {
    let query = "SELECT id, dimension, quantity FROM usage_billing.usage
        WHERE rolled_up_at IS NULL AND hour = $1 AND entitlement = $2 ORDER BY id LIMIT $3";
    let query = sqlx::query(query).bind(hour).bind(entitlement).bind(RECORDS);
    all(connection, query, |row| Ok((row.required(0)?, row.required_text(1)?, row.decimal(2)?))).await
}

/// Returns the fractions that are left of an entitlement.
async fn carried(connection: &mut PgConnection, entitlement: i64) -> Result<BTreeMap<String, Decimal>> {
    let query = "SELECT dimension, fraction FROM usage_billing.carried WHERE entitlement = $1";
    let query = sqlx::query(query).bind(entitlement);
    let carried = all(connection, query, |row| Ok((row.required_text(0)?, row.decimal(1)?))).await?;
    Ok(carried.into_iter().collect())
}

async fn carry_over(connection: &mut PgConnection, entitlement: i64, carried: BTreeMap<String, Decimal>) -> Result<()> {
    if carried.is_empty() {
        return Ok(());
    }
    let (dimensions, fractions): (Vec<_>, Vec<_>) =
        carried.into_iter().map(|(dimension, fraction)| (dimension, fraction.normalize().to_string())).unzip();
    let insert = "INSERT INTO usage_billing.carried (entitlement, dimension, fraction)
        SELECT $1, * FROM unnest($2::text[], $3::text[])
        ON CONFLICT (entitlement, dimension) DO UPDATE SET fraction = excluded.fraction";
    let insert = sqlx::query(insert).bind(entitlement).bind(dimensions).bind(fractions);
    insert.execute(connection).await.map_err(failed)?;
    Ok(())
}

/// Returns the first sequence that no event of the entitlement and hour has.
async fn next_sequence(connection: &mut PgConnection, hour: i64, entitlement: i64) -> Result<u32> {
    let query = "SELECT max(sequence) FROM usage_billing.event WHERE timestamp = $1 AND entitlement = $2";
    let last = sqlx::query_scalar(query).bind(hour).bind(entitlement);
    let last: Option<i64> = last.fetch_one(connection).await.map_err(failed)?;
    Ok(last.map_or(0, |last| u32::try_from(last).unwrap_or(u32::MAX).saturating_add(1)))
}
