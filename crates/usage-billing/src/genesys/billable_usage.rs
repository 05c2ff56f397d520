//! Billable licences and devices of a period.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use usage_billing_core::{ClientInfo as _, Error, ErrorKind, Result};

use super::{Client, LAG, Organization, types};
use crate::failed_month::in_month;
use crate::period::instant;
use crate::rows::identity::{RowIdentity, disambiguate_keys};
use crate::rows::period::RowPeriod;
use crate::time_limit::TimeLimit;
use crate::{BillingReason, Period, PollResult, Poller, UsageRow, Vendor};

const OPERATION: &str = "getBillingReportsBillableusage";

impl Client {
    /// The report of billable usage, asked for again (the same request) until it is complete. There is no failed state.
    ///
    /// Genesys bills by periods from the day of activation, not by calendar months: take the period's bounds from the bill. The
    /// `resources` of each usage are left out; [`billable_usage_with_resources`](Self::billable_usage_with_resources) keeps them. A period in the
    /// future is an error at the first poll.
    pub fn billable_usage(&self, period: Period) -> Poller<types::BillingUsageReport> {
        self.billable_usage_report(period, false)
    }

    /// As [`billable_usage`](Self::billable_usage), with the `resources` behind each number: who or what was used, and when first.
    ///
    /// They hold users' e-mail addresses, which are personal data.
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
                let report = request.end_date(period.last_millisecond()).send().await?;
                match &report.status {
                    Some(types::BillingUsageReportStatus::Complete) => {
                        let mut report = report.into_inner();
                        check_period(&report, period)?;
                        let usages = report.usages.as_mut().ok_or_else(without_usages)?;
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

    /// Billable usage as rows; the customer is the organization itself. A period of more than a month is fetched month by month, each from the
    /// day of the month on which the period begins; months that have not begun are left out.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a period in the future; as [`Poller::wait`]. The error of one month of several has a hint that names the month and
    /// the periods to ask for instead: no rows are returned beside it.
    pub async fn usage(&self, period: Period, timeout: Duration) -> Result<Vec<UsageRow>> {
        // Before the answer: what is complete at the end of a long wait may have been counted at its beginning.
        let now = self.clock.now();
        period.require_started(now)?;
        let limit = TimeLimit::new(timeout);
        let mut reports = Vec::new();
        for month in period.billing_months().take_while(|month| month.start() <= now) {
            let report = self.billable_usage(month).wait_within(limit).await;
            reports.push((month, in_month(report, month, period)?));
        }
        let account = limit.run(self.organization()).await;
        let account = account.unwrap_or_else(|| Err(limit.exceeded("the own organization was not named")))?;
        let mut rows = Vec::new();
        for (month, report) in &reports {
            let of_month = usage_rows(report, &account, *month, now);
            rows.extend(in_month(of_month, *month, period).map_err(|error| self.api.inner().masked(error))?);
        }
        Ok(rows)
    }
}

/// The vendor's model requires the list: a report without it is not a bill of nothing.
fn without_usages() -> Error {
    let error = Error::new(ErrorKind::Decode, "the report is complete, but has no list `usages`");
    error
        .with_operation(OPERATION)
        .with_hint("the vendor's API has changed, or something on the way changed the response")
}

/// Genesys bills by periods of its own: rows of another period than was asked for would be billed in the wrong one. Whether the end is
/// included, and how times of a day are taken, is not documented.
fn check_period(report: &types::BillingUsageReport, asked: Period) -> Result<()> {
    let far = |told: Option<DateTime<Utc>>, asked: DateTime<Utc>| {
        told.is_some_and(|told| (told - asked).abs() > TimeDelta::days(1))
    };
    if !far(report.start_date, asked.start()) && !far(report.end_date, asked.end()) {
        return Ok(());
    }
    let told = |end: Option<DateTime<Utc>>| end.map_or_else(|| "?".to_owned(), instant);
    let message = format!(
        "asked for the billable usage of {asked}, Genesys answers with that of {} to {}: ask for a period that it bills by",
        told(report.start_date),
        told(report.end_date)
    );
    Err(Error::new(ErrorKind::Decode, message).with_operation(OPERATION))
}

/// Returns one row per usage, never of its resources. Final a day after the period, if the report is complete. The month so far has rows of
/// the whole month, the same every day, that are not final. Only one whole month, from whichever day, may be billed as it is.
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
    let asked = RowPeriod::of(period, now);
    let period = asked.period;
    let is_of_whole_months = asked.is_complete() && period.billing_months().all(|month| month.is_billing_month());
    let is_final = is_complete && is_of_whole_months && period.has_ended(now - LAG);
    let is_whole = is_of_whole_months && period.is_billing_month();
    let reason = if is_whole { BillingReason::SeeInvoice } else { BillingReason::NotAWholePeriod };
    let row = |(usage, place): (&types::BillingUsage, u64)| {
        let identity = RowIdentity {
            sku: &usage.name,
            metric: &usage.name,
            ..RowIdentity::new(Vendor::Genesys, OPERATION, &account.id, period)
        };
        UsageRow {
            account_name: account.name.clone(),
            as_of: Some(now).filter(|_| !is_final),
            is_final,
            source_row: Some(place),
            ..identity.row(usage.total_usage.0, reason)
        }
    };
    match &report.usages {
        None if is_complete => Err(without_usages()),
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
    fn a_complete_report_without_usages_is_an_error_and_an_empty_one_is_not() {
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
    fn rows_hold_the_number_exactly_and_no_address() {
        let rows = rows("2026-11-20T00:00:00Z");
        let read: Vec<_> = rows.iter().map(|row| (row.sku.as_str(), row.quantity.to_string())).collect();
        assert_eq!(read, [("CX 3", "2".to_owned()), ("IVR Minutes", "20451.50".to_owned()), ("CX 3", "3".to_owned())]);
        assert!(
            rows.iter().all(|row| row.is_billable.is_none() && row.customer_id.is_none() && row.unit_price.is_none())
        );
        assert!(rows.iter().all(|row| row.account_name == account().name && row.account_id == account().id));
        assert!(rows.iter().zip(1..).all(|(row, place)| row.metric == row.sku && row.source_row == Some(place)));
        assert!(!serde_json::to_string(&rows).unwrap().contains('@'));
    }

    #[test]
    fn a_report_of_another_period_is_refused_however_its_ends_are_written() {
        let asked = "2026-10-15/2026-11-15".parse().unwrap();
        for (start, end, is_right) in [
            ("2026-10-15T00:00:00Z", "2026-11-14T23:59:59.999Z", true),
            ("2026-10-15T00:00:00Z", "2026-11-15T00:00:00Z", true),
            ("2026-10-15T00:00:00Z", "2026-11-14T00:00:00Z", true),
            ("2026-10-14T22:00:00Z", "2026-11-14T22:00:00Z", true),
            ("2026-10-01T00:00:00Z", "2026-11-15T00:00:00Z", false),
            ("2026-10-15T00:00:00Z", "2026-11-30T23:59:59Z", false),
        ] {
            let report = serde_json::json!({"status": "Complete", "startDate": start, "endDate": end, "usages": []});
            let checked = check_period(&serde_json::from_value(report).unwrap(), asked);
            assert_eq!(checked.is_ok(), is_right, "{start} {end} {checked:?}");
        }
        let silent = serde_json::from_value(serde_json::json!({"status": "Complete", "usages": []})).unwrap();
        assert!(check_period(&silent, asked).is_ok());
    }

    #[test]
    fn the_same_name_twice_is_two_rows_with_two_keys() {
        let keys: std::collections::BTreeSet<_> = rows("2026-11-20T00:00:00Z").iter().map(|row| row.row_key).collect();
        assert_eq!(keys.len(), 3);
    }

    proptest::proptest! {
        #[test]
        fn the_keys_of_a_month_are_the_same_on_every_day_of_it(month in months_and_days()) {
            let report = serde_json::json!({"status": "Complete", "usages": [{"name": "CX 3", "totalUsage": "2"}]});
            let report = serde_json::from_value(report).unwrap();
            check_keys_stay(month, LAG, None, |period, now| {
                usage_rows(&report, &account(), period, now).unwrap().remove(0)
            })?;
        }
    }

    #[test]
    fn only_a_whole_month_that_has_ended_may_be_billed_as_it_is() {
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
    fn a_row_is_final_a_day_after_the_period_because_the_figures_lag() {
        for (now, expected) in [("2026-11-15T23:59:59Z", false), ("2026-11-16T00:00:00Z", true)] {
            assert!(rows(now).iter().all(|row| row.is_final == expected), "{now}");
            assert!(rows_of("InProgress", now).iter().all(|row| !row.is_final), "{now}");
        }
    }
}
