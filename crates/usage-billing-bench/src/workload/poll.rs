//! Polls a report of billable usage until it is complete.

use chrono::{DateTime, Days, SecondsFormat, Utc};
use usage_billing::genesys::types::{BillingUsageReport, BillingUsageReportStatus};
use usage_billing::{Decimal, Period, PollResult};

use super::{Result, Side};
use crate::clients::{self, ByHand};

pub(super) async fn run(side: Side, base: &str, cycles: u64) -> Result<String> {
    let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse()?;
    let day = |cycle| Period::new(start + Days::new(cycle), start + Days::new(cycle + 1));
    let mut sum = Sum::default();
    match side {
        Side::Ours => {
            let client = clients::genesys(base).await?;
            for cycle in 0..cycles {
                let mut report = client.billable_usage_with_resources(day(cycle)?);
                loop {
                    sum.calls += 1;
                    if let PollResult::Ready(done) = report.poll().await? {
                        break sum.add(&done);
                    }
                }
            }
        }
        Side::ByHand => {
            let client = ByHand::bearer(base)?;
            for cycle in 0..cycles {
                let day = day(cycle)?;
                let instant = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
                let path = format!(
                    "/api/v2/billing/reports/billableusage?startDate={}&endDate={}",
                    instant(day.start()),
                    instant(day.end())
                );
                loop {
                    sum.calls += 1;
                    let report: BillingUsageReport = client.get(&path).await?;
                    if report.status == Some(BillingUsageReportStatus::Complete) {
                        break sum.add(&report);
                    }
                }
            }
        }
    }
    let Sum { calls, usages, total, resources, length } = sum;
    Ok(format!(
        "CHECKSUM poll cycles={cycles} calls={calls} usages={usages} total={total} resources={resources} namelen={length}"
    ))
}

#[derive(Default)]
struct Sum {
    calls: u64,
    usages: usize,
    total: Decimal,
    resources: usize,
    length: usize,
}

impl Sum {
    fn add(&mut self, report: &BillingUsageReport) {
        self.usages += report.usages.as_ref().map_or(0, Vec::len);
        for usage in report.usages.iter().flatten() {
            self.total += usage.total_usage.0;
            self.resources += usage.resources.len();
            self.length += usage.resources.iter().map(|resource| resource.name.len()).sum::<usize>();
        }
    }
}
