//! Billable usage, and the partner's overview of a customer's bill.

use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use usage_billing_genesys::types;

use super::error::Failure;
use super::{HandlerResult, Shared};
use crate::http_util::request::Params;
use crate::http_util::response::ok;

/// Returns the report; each call is a poll, and the first ones return `InProgress`.
pub(super) async fn billable_usage(State(genesys): Shared, query: Params) -> HandlerResult {
    let (start, end) = period(&query)?;
    let complete = {
        let reports = &mut genesys.jobs().reports;
        let mut progress = reports.get(&(start, end)).cloned().unwrap_or_else(|| genesys.progress());
        progress.poll();
        let complete = genesys.is_done(&progress);
        reports.insert((start, end), progress);
        complete
    };
    let report = types::BillingUsageReport {
        start_date: Some(start),
        end_date: Some(end),
        status: Some(match complete {
            true => types::BillingUsageReportStatus::Complete,
            false => types::BillingUsageReportStatus::InProgress,
        }),
        usages: Some(match complete {
            true => genesys.dataset.genesys.billable_usages(genesys.dataset.today(), start, end),
            false => Vec::new(),
        }),
        self_uri: Some("/api/v2/billing/reports/billableusage".to_owned()),
        ..Default::default()
    };
    Ok(ok(&report))
}

fn period(query: &Params) -> Result<(DateTime<Utc>, DateTime<Utc>), Failure> {
    let instant = |name: &str| {
        let text = query.get(name).ok_or_else(|| Failure::bad_request(format!("{name} is missing.")))?;
        let read = DateTime::parse_from_rfc3339(text).map(|instant| instant.to_utc());
        read.map_err(|_| Failure::invalid_date(format!("{name} is not an ISO 8601 date-time with offset: {text}")))
    };
    let (start, end) = (instant("startDate")?, instant("endDate")?);
    if end < start {
        return Err(Failure::invalid_date("endDate is before startDate."));
    }
    Ok((start, end))
}

pub(super) async fn trustee_overview(
    State(genesys): Shared,
    Path(trustor): Path<String>,
    query: Params,
) -> HandlerResult {
    let index = match query.get("billingPeriodIndex") {
        None => 0,
        Some(text) => text.parse::<u32>().map_err(|_| {
            Failure::invalid_value(format!("billingPeriodIndex is not a number from 0 upwards: {text}"))
        })?,
    };
    let overview = genesys.dataset.genesys.overview(genesys.calendar(), &trustor, index);
    Ok(ok(&overview.ok_or_else(|| Failure::not_found(&trustor))?))
}
