//! Records of metered usage, and the reports of ended hours, which consume them in one transaction.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension as _, Transaction};
use usage_billing::{Decimal, Result};

use super::columns::failed;
use super::enqueue::{entitlement, insert, removed_before};
use super::pages::all;
use crate::aggregation::{HourlyReports, MeteredUsage, hour_of, report};
use crate::store::acceptance::{check_record, check_same_record};
use crate::store::columns::{millis, time};
use crate::store::{EnqueueOutcome, RECORDS, RECORDS_AT_ONCE, REPORTS, RollUpOutcome};
use crate::{NewEvent, fail_points};

pub(super) fn record(
    transaction: &Transaction<'_>,
    records: &[MeteredUsage],
    now: DateTime<Utc>,
) -> Result<EnqueueOutcome> {
    fail_points::reached("enqueue.begun");
    let mut recorded = EnqueueOutcome::default();
    let cutoff = removed_before(transaction)?;
    for usage in records {
        check_record(usage, cutoff)?;
        let (entitlement, _) = entitlement(transaction, &usage.entitlement_id)?;
        let quantity = usage.quantity.normalize().to_string();
        let hour = millis(hour_of(usage.timestamp));
        let is_new = transaction
            .prepare_cached(
                "INSERT INTO usage (source_id, entitlement, dimension, timestamp, hour, quantity)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (source_id) DO NOTHING",
            )
            .and_then(|mut statement| {
                let timestamp = millis(usage.timestamp);
                statement.execute((&usage.id, entitlement, &usage.dimension, timestamp, hour, &quantity))
            })
            .map_err(failed)?
            == 1;
        match is_new {
            true => recorded.new += 1,
            false => {
                check_same_record(usage, is_same(transaction, usage, entitlement, &quantity)?)?;
                recorded.duplicates += 1;
            }
        }
    }
    if recorded.new > 0 {
        transaction.execute("UPDATE meta SET enqueued_at = ?1", [millis(now)]).map_err(failed)?;
    }
    fail_points::reached("enqueue.written");
    Ok(recorded)
}

fn is_same(transaction: &Transaction<'_>, usage: &MeteredUsage, entitlement: i64, quantity: &str) -> Result<bool> {
    transaction
        .prepare_cached(
            "SELECT 1 FROM usage WHERE source_id = ?1 AND entitlement = ?2 AND dimension = ?3 AND timestamp = ?4 AND quantity = ?5",
        )
        .and_then(|mut statement| {
            statement.exists((&usage.id, entitlement, &usage.dimension, millis(usage.timestamp), quantity))
        })
        .map_err(failed)
}

pub(super) fn roll_up(
    transaction: &Transaction<'_>,
    rule: HourlyReports,
    window: Duration,
    now: DateTime<Utc>,
) -> Result<RollUpOutcome> {
    let mut rolled_up = RollUpOutcome::default();
    for (hour, entitlement, name) in closed_hours(transaction, rule.closed_before(now))? {
        let records = open_records(transaction, hour, entitlement)?;
        let quantities = records.iter().map(|(_, dimension, quantity)| (dimension.clone(), *quantity));
        let carried = carried(transaction, entitlement)?;
        let sequence = next_sequence(transaction, hour, entitlement)?;
        let found = report(&name, time(hour), sequence, quantities, &carried, rule.whole_units);
        let mut key = None;
        if let Some(event) = &found.event {
            let event = NewEvent::new(event, org_id(transaction)?.as_str())?;
            insert(transaction, std::slice::from_ref(&event), window, now)?;
            key = Some(event.key);
            rolled_up.events += 1;
        }
        for (id, ..) in &records[..found.records] {
            transaction
                .prepare_cached("UPDATE usage SET rolled_up_at = ?2, event_key = ?3 WHERE id = ?1")
                .and_then(|mut statement| statement.execute((id, millis(now), key.map(|key| *key.as_bytes()))))
                .map_err(failed)?;
        }
        for (dimension, fraction) in &found.carried {
            transaction
                .prepare_cached(
                    "INSERT INTO carried (entitlement, dimension, fraction) VALUES (?1, ?2, ?3)
                     ON CONFLICT (entitlement, dimension) DO UPDATE SET fraction = excluded.fraction",
                )
                .and_then(|mut statement| statement.execute((entitlement, dimension, fraction.normalize().to_string())))
                .map_err(failed)?;
        }
        rolled_up.records += found.records;
        if rolled_up.records >= RECORDS_AT_ONCE {
            break;
        }
    }
    fail_points::reached("roll_up.written");
    Ok(rolled_up)
}

/// Returns ended hours with open records: the hour, and the entitlement with its name.
fn closed_hours(transaction: &Transaction<'_>, before: DateTime<Utc>) -> Result<Vec<(i64, i64, String)>> {
    let query = "SELECT DISTINCT usage.hour, usage.entitlement, entitlement.name
         FROM usage INDEXED BY usage_open JOIN entitlement ON entitlement.id = usage.entitlement
         WHERE usage.rolled_up_at IS NULL AND usage.hour < ?1 ORDER BY usage.hour, usage.entitlement LIMIT ?2";
    all(transaction, query, (millis(before), REPORTS), |row| {
        Ok((row.required(0)?, row.required(1)?, row.required_text(2)?))
    })
}

fn open_records(transaction: &Transaction<'_>, hour: i64, entitlement: i64) -> Result<Vec<(i64, String, Decimal)>> {
    let query = "SELECT id, dimension, quantity FROM usage INDEXED BY usage_open
         WHERE rolled_up_at IS NULL AND hour = ?1 AND entitlement = ?2 ORDER BY id LIMIT ?3";
    all(transaction, query, (hour, entitlement, RECORDS), |row| {
        Ok((row.required(0)?, row.required_text(1)?, row.decimal(2)?))
    })
}

/// Returns the fractions that are left of an entitlement.
fn carried(transaction: &Transaction<'_>, entitlement: i64) -> Result<BTreeMap<String, Decimal>> {
    let query = "SELECT dimension, fraction FROM carried WHERE entitlement = ?1";
    let carried = all(transaction, query, [entitlement], |row| Ok((row.required_text(0)?, row.decimal(1)?)))?;
    Ok(carried.into_iter().collect())
}

/// Returns the first sequence that no event of the entitlement and hour has.
fn next_sequence(transaction: &Transaction<'_>, hour: i64, entitlement: i64) -> Result<u32> {
    let last: Option<u32> = transaction
        .prepare_cached(
            "SELECT max(sequence) FROM event INDEXED BY event_of_hour WHERE timestamp = ?1 AND entitlement = ?2",
        )
        .and_then(|mut statement| statement.query_row((hour, entitlement), |row| row.get(0)).optional())
        .map_err(failed)?
        .flatten();
    Ok(last.map_or(0, |last| last.saturating_add(1)))
}

fn org_id(transaction: &Transaction<'_>) -> Result<String> {
    transaction.query_row("SELECT org_id FROM meta", [], |row| row.get(0)).map_err(failed)
}
