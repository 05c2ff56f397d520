//! Lists all usage record groups of an organization, 1000 per page.

use usage_billing::Decimal;
use usage_billing::suger::types::{ListUsageRecordGroupsResponse, MeteringUsageRecordGroup, UsageRecordGroupStatus};

use super::{Result, Side};
use crate::clients::{self, ByHand};

pub(super) async fn run(side: Side, base: &str, count: u64) -> Result<String> {
    let org = clients::org(&format!("bench-{count}"));
    let mut sum = Sum::default();
    match side {
        Side::Ours => {
            let mut groups = clients::suger(base, &org)?.usage_record_groups(|request| request);
            while let Some(group) = groups.next().await {
                sum.add(&group?);
            }
        }
        Side::ByHand => {
            let client = ByHand::key(base)?;
            let mut next = Some(0);
            while let Some(offset) = next {
                let path = format!("/org/{org}/usageRecordGroup?limit=1000&offset={offset}");
                let page: ListUsageRecordGroupsResponse = client.get(&path).await?;
                page.usage_record_groups.iter().for_each(|group| sum.add(group));
                next = page.next_offset;
            }
        }
    }
    let Sum { count, records, billable, serial, reported, length } = sum;
    Ok(format!(
        "CHECKSUM list count={count} records={records:.3} billable={billable:.3} serial={serial} reported={reported} idlen={length}"
    ))
}

/// Checksum over the decoded fields, so that no side omits work.
#[derive(Default)]
pub(super) struct Sum {
    pub(super) count: u64,
    pub(super) records: Decimal,
    billable: Decimal,
    pub(super) serial: i64,
    reported: u64,
    length: usize,
}

impl Sum {
    pub(super) fn add(&mut self, group: &MeteringUsageRecordGroup) {
        self.count += 1;
        self.records += group.records.values().map(|quantity| quantity.0).sum::<Decimal>();
        let events = group.meta_info.iter().flat_map(|info| &info.billable_records);
        self.billable += events.filter_map(|event| event.quantity).map(|quantity| quantity.0).sum::<Decimal>();
        self.serial += group.serial_id.unwrap_or_default();
        self.reported += u64::from(group.status == Some(UsageRecordGroupStatus::Reported));
        let ids = [&group.id, &group.entitlement_id, &group.buyer_id];
        self.length += ids.into_iter().flatten().map(String::len).sum::<usize>();
    }
}
