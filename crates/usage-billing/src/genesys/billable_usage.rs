//! Billable licences and devices of a period.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use usage_billing_core::{Error, ErrorKind, Result};

use super::{Client, types};
use crate::row_identity::RowIdentity;
use crate::{Period, Progress, Report, UsageRow, Vendor};

const OPERATION: &str = "getBillingReportsBillableusage";

/// The vendor's figures lag by a day (its billing pages, seen 2026-11-21).
const LAG: TimeDelta = TimeDelta::days(1);

impl Client {
    /// The report of billable usage, asked for again (the same request) until it is complete. There is no failed state.
    ///
    /// Genesys bills by periods from the day of activation, not by calendar months: take the period's bounds from the bill. The
    /// `resources` of a usage hold e-mail addresses.
    pub fn billable_usage(&self, period: Period) -> Report<types::BillingUsageReport> {
        let api = self.api.clone();
        Report::new("billable usage of", period.to_string(), move || {
            let api = api.clone();
            async move {
                let request = api.get_billing_reports_billableusage().start_date(period.start());
                // Whether the end is included is not documented; the last millisecond is right either way.
                let report = request.end_date(period.last_millisecond()).send().await?;
                match &report.status {
                    Some(types::BillingUsageReportStatus::Complete) => Ok(Progress::Ready(report.into_inner())),
                    Some(state @ types::BillingUsageReportStatus::InProgress) => {
                        Ok(Progress::pending(&report, Some(state)))
                    }
                    // Complete or not decides what is billed: a state that is not known is not guessed.
                    other => {
                        let message = match other {
                            Some(state) => format!("the report's status is {state}, neither InProgress nor Complete"),
                            None => "the report has no status".to_owned(),
                        };
                        Err(Error::new(ErrorKind::Failed, message).with_operation(OPERATION))
                    }
                }
            }
        })
    }

    /// Billable usage as rows; the customer is the organization itself.
    ///
    /// # Errors
    /// As [`Report::wait`].
    pub async fn usage(&self, period: Period, timeout: Duration) -> Result<Vec<UsageRow>> {
        let report = self.billable_usage(period).wait(timeout).await?;
        Ok(usage_rows(&report, &self.account, period, Utc::now()))
    }
}

/// One row per usage, without its resources.
pub fn usage_rows(
    report: &types::BillingUsageReport,
    account: &str,
    period: Period,
    now: DateTime<Utc>,
) -> Vec<UsageRow> {
    let row = |(usage, place): (&types::BillingUsage, u64)| {
        let identity = RowIdentity {
            vendor: Vendor::Genesys,
            operation: OPERATION,
            account,
            customer_id: None,
            sku: &usage.name,
            metric: &usage.name,
            unit: "units",
            period,
            apart: &[],
        };
        UsageRow {
            is_final: period.is_closed(now - LAG),
            billable: true,
            report_row: Some(place),
            ..identity.row(usage.total_usage.0)
        }
    };
    report.usages.iter().zip(1..).map(row).collect()
}
