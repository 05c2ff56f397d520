//! Usage record groups sent, in batches.

use std::collections::BTreeMap;

use chrono::DateTime;
use futures_util::{StreamExt, TryStreamExt, stream};
use usage_billing::suger::types::{MeteringUsageRecordGroup, NewUsageRecordGroup};
use usage_billing::{Decimal, DecimalNumber};

use super::list::Sum;
use super::{Result, Side};
use crate::clients::{self, ByHand};

const ORG: &str = "bench-0001";

pub(super) async fn batches(side: Side, base: &str, count: u64, batch: usize, at_once: usize) -> Result<String> {
    let starts = (0..count).step_by(batch);
    let bodies = starts.map(|start| (start..count.min(start + batch as u64)).map(group).collect::<Vec<_>>());
    let mut sum = Sum::default();
    let mut add = |groups: Vec<MeteringUsageRecordGroup>| {
        groups.iter().for_each(|group| sum.add(group));
        std::future::ready(Ok(()))
    };
    match side {
        Side::Ours => {
            let client = clients::suger(base, ORG)?;
            let calls = bodies.map(|body| {
                let call = client.api().batch_report_usage_record_groups().org_id(ORG).body(body);
                async move { Result::Ok(call.send().await?.into_inner()) }
            });
            stream::iter(calls).buffer_unordered(at_once).try_for_each(&mut add).await?;
        }
        Side::ByHand => {
            let client = ByHand::key(base)?;
            let path = format!("/org/{ORG}/batchCreateUsageRecordGroups");
            let calls = bodies.map(|body| {
                let (client, path) = (&client, &path);
                async move { client.post(path, &body).await }
            });
            stream::iter(calls).buffer_unordered(at_once).try_for_each(&mut add).await?;
        }
    }
    Ok(format!("CHECKSUM report count={} records={:.3} serial={}", sum.count, sum.records, sum.serial))
}

/// The `index`th group: three dimensions, a second after the one before.
fn group(index: u64) -> NewUsageRecordGroup {
    let eighths = |count: u64| DecimalNumber(Decimal::from(count) * Decimal::new(125, 3));
    let records = [
        ("api_calls", eighths(index % 1000 + 8)),
        ("egress_gb", eighths(index % 77 * 4)),
        ("active_users", eighths(index % 13 * 8)),
    ];
    let records: BTreeMap<_, _> =
        records.into_iter().map(|(dimension, quantity)| (dimension.to_owned(), quantity)).collect();
    let timestamp = DateTime::from_timestamp(1_767_225_600 + index.cast_signed(), 0);
    let group = NewUsageRecordGroup::builder().entitlement_id(format!("ent-{:08}", index % 1000)).records(records);
    group.timestamp(timestamp).try_into().expect("all parts are given")
}
