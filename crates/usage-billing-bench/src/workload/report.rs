//! Sends usage record groups in batches.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::DateTime;
use usage_billing::suger::types::{MeteringUsageRecordGroup, NewUsageRecordGroup};
use usage_billing::{Decimal, DecimalNumber};

use super::list::Sum;
use super::{Result, Side, tasks};
use crate::clients::{self, ByHand};

const ORG: &str = "bench-0001";

pub(super) async fn batches(side: Side, base: &str, count: u64, batch: usize, concurrency: usize) -> Result<String> {
    let batch = batch as u64;
    let body = move |index| (index * batch..count.min((index + 1) * batch)).map(group).collect::<Vec<_>>();
    let sums = match side {
        Side::Ours => {
            let client = clients::suger(base, ORG)?;
            let task = |calls: Arc<tasks::Calls>| {
                let client = client.clone();
                async move {
                    let mut sum = Sum::default();
                    while let Some(index) = calls.next() {
                        let call = client.api().batch_report_usage_record_groups().org_id(ORG).body(body(index));
                        call.send().await?.iter().for_each(|group| sum.add(group));
                    }
                    Ok(sum)
                }
            };
            tasks::run(count.div_ceil(batch), concurrency, task).await?
        }
        Side::ByHand => {
            let client = Arc::new(ByHand::key(base)?);
            let task = |calls: Arc<tasks::Calls>| {
                let client = client.clone();
                async move {
                    let path = format!("/org/{ORG}/batchCreateUsageRecordGroups");
                    let mut sum = Sum::default();
                    while let Some(index) = calls.next() {
                        let groups: Vec<MeteringUsageRecordGroup> = client.post(&path, &body(index)).await?;
                        groups.iter().for_each(|group| sum.add(group));
                    }
                    Ok(sum)
                }
            };
            tasks::run(count.div_ceil(batch), concurrency, task).await?
        }
    };
    let count: u64 = sums.iter().map(|sum| sum.count).sum();
    let records: Decimal = sums.iter().map(|sum| sum.records).sum();
    let serial: i64 = sums.iter().map(|sum| sum.serial).sum();
    Ok(format!("CHECKSUM report count={count} records={records:.3} serial={serial}"))
}

/// Returns the group of an index: three dimensions, one second later than the previous group.
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
