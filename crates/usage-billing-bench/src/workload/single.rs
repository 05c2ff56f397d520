//! Sends usage one by one, each with its id, to a sandbox, which stores ids.

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use usage_billing::suger::types::MeteringUsageRecordGroup;
use usage_billing::suger::{Delivery, UsageEvent};
use usage_billing::{Decimal, DecimalNumber};
use uuid::Uuid;

use super::list::Sum;
use super::{Result, Side};
use crate::clients::{self, ByHand};

/// An entitlement of the sandbox.
const ENTITLEMENT: &str = "ent-azu01";
const DIMENSION: &str = "seats";

pub(super) async fn run(side: Side, base: &str, count: u64, concurrency: usize) -> Result<String> {
    let org = clients::org("bench-0001");
    let start = Utc::now() - TimeDelta::hours(20);
    let mut sum = Sum::default();
    let mut add = |group: MeteringUsageRecordGroup| {
        sum.add(&group);
        std::future::ready(Ok(()))
    };
    match side {
        Side::Ours => {
            let client = clients::suger(base, &org)?;
            let calls = (0..count).map(|index| {
                let report = report(start, index);
                let client = &client;
                async move {
                    match client.send_usage(&report).await? {
                        Delivery::Delivered(group) => Result::Ok(*group),
                        other => Err(format!("{other:?}, although it was never sent before").into()),
                    }
                }
            });
            stream::iter(calls).buffer_unordered(concurrency).try_for_each(&mut add).await?;
        }
        Side::ByHand => {
            let client = ByHand::key(base)?;
            let path = format!("/org/{org}/entitlement/{ENTITLEMENT}/usageRecordGroup");
            let calls = (0..count).map(|index| {
                let report = report(start, index);
                let body = Body {
                    // The same work with another id, because the sandbox may know ours from a previous run.
                    id: Uuid::new_v5(&report.id(&org), b"by hand"),
                    organization_id: &org,
                    entitlement_id: ENTITLEMENT,
                    timestamp: start + TimeDelta::milliseconds(index.cast_signed()),
                    records: [(DIMENSION, quantity(index))].into(),
                };
                let (client, path) = (&client, &path);
                async move { client.post(path, &body).await }
            });
            stream::iter(calls).buffer_unordered(concurrency).try_for_each(&mut add).await?;
        }
    }
    Ok(format!("CHECKSUM single count={} records={:.3}", sum.count, sum.records))
}

fn report(start: DateTime<Utc>, index: u64) -> UsageEvent {
    let second = TimeDelta::seconds((index % 60_000).cast_signed());
    let report = UsageEvent::new(ENTITLEMENT, start + second).quantity(DIMENSION, quantity(index).0);
    report.sequence(u32::try_from(index / 60_000).unwrap_or_default())
}

fn quantity(index: u64) -> DecimalNumber {
    Decimal::from(index % 1000 + 1).into()
}

#[derive(Serialize)]
struct Body<'a> {
    id: Uuid,
    #[serde(rename = "organizationID")]
    organization_id: &'a str,
    #[serde(rename = "entitlementID")]
    entitlement_id: &'a str,
    timestamp: DateTime<Utc>,
    records: std::collections::BTreeMap<&'static str, DecimalNumber>,
}
