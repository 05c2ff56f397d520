//! Billable licences and devices of a period.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use usage_billing_core::{ClientInfo as _, Error, ErrorKind, Result};

use super::{Client, LAG, Organization, types};
use crate::failed_month::in_month;
use crate::period::instant;
use crate::rows::identity::{RowIdentity, disambiguate_keys};
use crate::rows::period::RowPeriod;
use crate::{BillingReason, Period, PollResult, Poller, UsageRow, Vendor};
use usage_billing_core::__private::TimeLimit;

const OPERATION: &str = "getBillingReportsBillableusage";

impl Client {
    /// Returns a poller for the report of billable usage. It repeats the same request until the report is complete; there is no failed state.
    ///
    /// Genesys bills by periods from the day of activation, not by calendar months: take the period's bounds from the bill. The
    /// `resources` of each usage are removed; [`billable_usage_with_resources`](Self::billable_usage_with_resources) keeps them. A period in the
    /// future is an error at the first poll.
    pub fn billable_usage(&self, period: Period) -> Poller<types::BillingUsageReport> {
        self.billable_usage_report(period, false)
    }

    /// Returns a poller like [`billable_usage`](Self::billable_usage), with the `resources` of each number: users or devices, and when first used.
    ///
    /// They contain users' e-mail addresses, which are personal data.
    pub fn billable_usage_with_resources(&self, period: Period) -> Poller<types::BillingUsageReport> {
        self.billable_usage_report(period, true)
    }

    fn billable_usage_report(&self, period: Period, resources: bool) -> Poller<types::BillingUsageReport> {
        let (api, clock) = (self.api.clone(), self.clock);
        Poller::new("billable usage of", period.to_string(), move || {
            let api = api.clone();
            async move {
                period.require_started(clock.now())?;
                let request = api.get_billing_reports_billableusage().start_date(period.start());
                // Whether the end is included is not documented; the last millisecond is right either way.
                let report = request.end_date(period.end() - TimeDelta::milliseconds(1)).send().await?;
                match &report.status {
                    Some(types::BillingUsageReportStatus::Complete) => {
                        let mut report = report.into_inner();
                        check_period(&report, period)?;
                        let usages = report.usages.as_mut().ok_or_else(missing_usages)?;
                        if !resources {
                            usages.iter_mut().for_each(|usage| usage.resources = Vec::new());
                        }
                        Ok(PollResult::Ready(report))
                    }
                    other => Ok(PollResult::pending(&report, other.as_ref())),
                }
            }
        })
        .masking(&self.api)
    }

    /// Returns billable usage as rows; the customer is the organization itself. A period of more than a month is fetched month by month, each from
    /// the day of the month on which the period begins. Months that have not begun are omitted.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a period in the future; otherwise those of [`Poller::wait`]. An error of one month of several returns no rows: its
    /// hint names the month and the periods to request instead.
    pub async fn usage(&self, period: Period, timeout: Duration) -> Result<Vec<UsageRow>> {
        // Before the response: a report that is complete after a long wait may have been counted at its start.
        let now = self.clock.now();
        period.require_started(now)?;
        let limit = TimeLimit::new(timeout);
        let mut reports = Vec::new();
        for month in period.billing_months().take_while(|month| month.start() <= now) {
            let report = self.billable_usage(month).wait_within(limit).await;
            reports.push((month, in_month(report, month, period)?));
        }
        let account = limit.run(self.organization()).await;
        let account = account.unwrap_or_else(|| Err(limit.exceeded("the own organization was not looked up")))?;
        let mut rows = Vec::new();
        for (month, report) in &reports {
            let month_rows = usage_rows(report, &account, *month, now);
            rows.extend(in_month(month_rows, *month, period).map_err(|error| self.api.inner().masked(error))?);
        }
        Ok(rows)
    }
}

/// Returns the error of a report without its list, which the vendor's model requires: it is not an empty bill.
fn missing_usages() -> Error {
    let error = Error::new(ErrorKind::Decode, "the report is complete, but has no list `usages`");
    error.with_operation(OPERATION).with_hint("the vendor's API has changed, or an intermediary changed the response")
}

/// Rejects a report of another period: its rows would be billed in the wrong one, because Genesys bills by periods of its own. Whether the end
/// is included, and how times of day are interpreted, is not documented.
fn check_period(report: &types::BillingUsageReport, requested: Period) -> Result<()> {
    let is_far = |returned: Option<DateTime<Utc>>, requested: DateTime<Utc>| {
        returned.is_some_and(|returned| (returned - requested).abs() > TimeDelta::days(1))
    };
    if !is_far(report.start_date, requested.start()) && !is_far(report.end_date, requested.end()) {
        return Ok(());
    }
    let bound = |end: Option<DateTime<Utc>>| end.map_or_else(|| "?".to_owned(), instant);
    let message = format!(
        "requested the billable usage of {requested}, Genesys returned that of {} to {}: request a period by which it bills",
        bound(report.start_date),
        bound(report.end_date)
    );
    Err(Error::new(ErrorKind::Decode, message).with_operation(OPERATION))
}

/// Returns one row per usage, without its resources. Rows are final a day after the period, if the report is complete. The month to date has
/// rows of the complete month, with the same keys every day, that are not final. Only one complete month, from any day, may be billed unchanged.
///
/// # Errors
/// [`ErrorKind::Decode`] for a complete report without the list of usages.
pub fn usage_rows(
    report: &types::BillingUsageReport,
    account: &Organization,
    period: Period,
    now: DateTime<Utc>,
) -> Result<Vec<UsageRow>> {
    let is_complete = report.status == Some(types::BillingUsageReportStatus::Complete);
    let row_period = RowPeriod::new(period, now);
    let period = row_period.period;
    let is_of_whole_months = row_period.is_complete() && period.billing_months().all(|month| month.is_billing_month());
    let is_final = is_complete && is_of_whole_months && period.has_ended(now - LAG);
    let is_whole = is_of_whole_months && period.is_billing_month();
    let reason = if is_whole { BillingReason::SeeInvoice } else { BillingReason::NotAWholePeriod };
    let row = |(usage, position): (&types::BillingUsage, u64)| {
        let identity = RowIdentity {
            sku: &usage.name,
            metric: &usage.name,
            ..RowIdentity::new(Vendor::Genesys, OPERATION, &account.id, period)
        };
        UsageRow {
            account_name: account.name.clone(),
            as_of: Some(now).filter(|_| !is_final),
            is_final,
            source_row: Some(position),
            ..identity.row(usage.total_usage.0, reason)
        }
    };
    match &report.usages {
        None if is_complete => Err(missing_usages()),
        usages => Ok(disambiguate_keys(usages.iter().flatten().zip(1..).map(row).collect())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::month_to_date::{check_keys_stay, months_and_days};

    fn rows(now: &str) -> Vec<UsageRow> {
        rows_of("Complete", now)
    }

    fn rows_of(status: &str, now: &str) -> Vec<UsageRow> {
        let report = serde_json::json!({
            "status": status,
            "usages": [
                {"name": "CX 3", "totalUsage": "2", "resources": [{"name": "ana@birch.example"}]},
                {"name": "IVR Minutes", "totalUsage": "20451.50"},
                {"name": "CX 3", "totalUsage": "3"},
            ],
        });
        let period = "2026-10-15/2026-11-15".parse().unwrap();
        usage_rows(&serde_json::from_value(report).unwrap(), &account(), period, now.parse().unwrap()).unwrap()
    }

    fn account() -> Organization {
        Organization::new("org-1", Some("Northwind".to_owned()))
    }

    #[test]
    fn complete_report_without_usages_is_an_error() {
        let rows = |report: serde_json::Value| {
            let report = serde_json::from_value(report).unwrap();
            let period = "2026-10-15/2026-11-15".parse().unwrap();
            usage_rows(&report, &account(), period, "2026-11-20T00:00:00Z".parse().unwrap()).map(|rows| rows.len())
        };
        for wrong in [
            serde_json::json!({"status": "Complete"}),
            serde_json::json!({"status": "Complete", "usages": null}),
            serde_json::json!({"status": "Complete", "usage": [{"name": "CX 3", "totalUsage": "2"}]}),
        ] {
            assert_eq!(rows(wrong.clone()).unwrap_err().kind(), ErrorKind::Decode, "{wrong}");
        }
        assert_eq!(rows(serde_json::json!({"status": "Complete", "usages": []})).unwrap(), 0);
        assert_eq!(rows(serde_json::json!({"status": "InProgress"})).unwrap(), 0);
    }

    #[test]
    fn rows_contain_exact_numbers_and_no_addresses() {
        let rows = rows("2026-11-20T00:00:00Z");
        let read: Vec<_> = rows.iter().map(|row| (row.sku.as_str(), row.quantity.to_string())).collect();
        assert_eq!(read, [("CX 3", "2".to_owned()), ("IVR Minutes", "20451.50".to_owned()), ("CX 3", "3".to_owned())]);
        assert!(
            rows.iter().all(|row| row.is_billable.is_none() && row.customer_id.is_none() && row.unit_price.is_none())
        );
        assert!(rows.iter().all(|row| row.account_name == account().name && row.account_id == account().id));
        assert!(rows.iter().zip(1..).all(|(row, position)| row.metric == row.sku && row.source_row == Some(position)));
        assert!(!serde_json::to_string(&rows).unwrap().contains('@'));
    }

    #[test]
    fn report_of_another_period_is_rejected() {
        let requested = "2026-10-15/2026-11-15".parse().unwrap();
        for (start, end, is_right) in [
            ("2026-10-15T00:00:00Z", "2026-11-14T23:59:59.999Z", true),
            ("2026-10-15T00:00:00Z", "2026-11-15T00:00:00Z", true),
            ("2026-10-15T00:00:00Z", "2026-11-14T00:00:00Z", true),
            ("2026-10-14T22:00:00Z", "2026-11-14T22:00:00Z", true),
            ("2026-10-01T00:00:00Z", "2026-11-15T00:00:00Z", false),
            ("2026-10-15T00:00:00Z", "2026-11-30T23:59:59Z", false),
        ] {
            let report = serde_json::json!({"status": "Complete", "startDate": start, "endDate": end, "usages": []});
            let checked = check_period(&serde_json::from_value(report).unwrap(), requested);
            assert_eq!(checked.is_ok(), is_right, "{start} {end} {checked:?}");
        }
        let without_dates = serde_json::from_value(serde_json::json!({"status": "Complete", "usages": []})).unwrap();
        assert!(check_period(&without_dates, requested).is_ok());
    }

    #[test]
    fn repeated_name_becomes_two_rows_with_two_keys() {
        let keys: std::collections::BTreeSet<_> = rows("2026-11-20T00:00:00Z").iter().map(|row| row.row_key).collect();
        assert_eq!(keys.len(), 3);
    }

    proptest::proptest! {
        #[test]
        fn row_keys_are_the_same_on_every_day_of_a_month(month in months_and_days()) {
            let report = serde_json::json!({"status": "Complete", "usages": [{"name": "CX 3", "totalUsage": "2"}]});
            let report = serde_json::from_value(report).unwrap();
            check_keys_stay(month, LAG, None, |period, now| {
                usage_rows(&report, &account(), period, now).unwrap().remove(0)
            })?;
        }
    }

    #[test]
    fn only_a_complete_ended_month_may_be_billed_unchanged() {
        let reason = |period: &str, now: &str| {
            let report = serde_json::json!({"status": "Complete", "usages": [{"name": "CX 3", "totalUsage": "2"}]});
            let report = serde_json::from_value(report).unwrap();
            let rows = usage_rows(&report, &account(), period.parse().unwrap(), now.parse().unwrap());
            let row = rows.unwrap().remove(0);
            (row.billing_reason, row.is_final)
        };
        for whole in ["2026-10", "2026-10-15/2026-11-15", "2026-02-28/2026-03-31"] {
            assert_eq!(reason(whole, "2026-11-20T00:00:00Z"), (BillingReason::SeeInvoice, true), "{whole}");
            assert_eq!(reason(whole, "2026-02-28T12:00:00Z"), (BillingReason::NotAWholePeriod, false), "{whole}");
        }
        for part in ["2026-10-03/2026-10-29", "2026-10-01/2026-10-31", "2026-10-15/2026-11-14", "2026-10-15/2026-11-16"]
        {
            assert_eq!(reason(part, "2026-11-20T00:00:00Z"), (BillingReason::NotAWholePeriod, false), "{part}");
        }
        let several = reason("2026-09-01/2026-11-01", "2026-11-20T00:00:00Z");
        assert_eq!(several, (BillingReason::NotAWholePeriod, true));
    }

    #[test]
    fn row_is_final_a_day_after_the_period() {
        for (now, expected) in [("2026-11-15T23:59:59Z", false), ("2026-11-16T00:00:00Z", true)] {
            assert!(rows(now).iter().all(|row| row.is_final == expected), "{now}");
            assert!(rows_of("InProgress", now).iter().all(|row| !row.is_final), "{now}");
        }
    }
}
