//! Totals: of groups and of reports by period and dimension, and what the marketplace has by day.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State as Extract};
use axum::response::Response;
use chrono::{DateTime, NaiveDate, Utc};
use http::StatusCode;
use usage_billing_core::{Decimal, DecimalNumber};
use usage_billing_suger::types;
use usage_billing_suger::types::{Partner, UsageRecordGroupStatus, UsageRecordReportStatus};

use super::list::{self, Page};
use super::{Failure, Suger, sum};
use crate::answer::{Values, json};
use crate::world::midnight;

struct Asked {
    partner: Partner,
    /// How a period is written, which says how long it is.
    label: &'static str,
    first: NaiveDate,
    last: NaiveDate,
}

impl Asked {
    fn read(query: &Values, today: NaiveDate) -> Result<Self, Failure> {
        for name in ["partner", "granularity", "startDate", "endDate"] {
            if query.get(name).is_none() {
                return Err(Failure::bad_request(format!("{name} is missing")));
            }
        }
        let partner = list::partner(query)?.ok_or_else(|| Failure::bad_request("partner is missing"))?;
        // Inferred: the vendor does not tell its values.
        let label = match query.get("granularity").unwrap_or_default().to_ascii_lowercase().as_str() {
            "day" => "%Y-%m-%d",
            "month" => "%Y-%m",
            other => return Err(Failure::bad_request(format!("invalid granularity, want day or month: {other}"))),
        };
        let (first, last) = list::days(query, today)?;
        Ok(Self { partner, label, first, last })
    }

    fn aggregated<'a>(
        &self,
        rows: impl Iterator<Item = (Option<DateTime<Utc>>, &'a BTreeMap<String, DecimalNumber>)>,
    ) -> Response {
        let mut totals: BTreeMap<(String, &str), Decimal> = BTreeMap::new();
        for (created, records) in rows {
            let Some(period) = created.map(|time| time.format(self.label).to_string()) else { continue };
            for (key, quantity) in records {
                let total = totals.entry((period.clone(), key)).or_default();
                *total = sum(*total, quantity.0);
            }
        }
        let aggregated = |((date, key), quantity): ((String, &str), Decimal)| types::UsageRecordAggregated {
            date: Some(date),
            dimension_key: Some(key.to_owned()),
            quantity: Some(quantity.normalize().into()),
        };
        json(StatusCode::OK, &totals.into_iter().map(aggregated).collect::<Vec<_>>())
    }
}

/// Of all that is, was or may yet be reported: not of what was deleted or is not valid.
pub(super) async fn of_groups(Extract(suger): Extract<Arc<Suger>>, query: Values) -> Result<Response, Failure> {
    let state = suger.state();
    let asked = Asked::read(&query, state.now.date_naive())?;
    let groups = list::span(&state.groups, asked.first, asked.last, |group| group.creation_time);
    let usage = groups.iter().filter(|group| {
        group.partner.as_ref() == Some(&asked.partner)
            && !matches!(group.status, Some(UsageRecordGroupStatus::Deleted | UsageRecordGroupStatus::Invalid))
    });
    Ok(asked.aggregated(usage.map(|group| (group.creation_time, &group.records))))
}

/// Of what the marketplace took.
pub(super) async fn of_reports(Extract(suger): Extract<Arc<Suger>>, query: Values) -> Result<Response, Failure> {
    let state = suger.state();
    let asked = Asked::read(&query, state.now.date_naive())?;
    let reports = list::span(&state.reports, asked.first, asked.last, |report| report.creation_time);
    let usage = reports.iter().filter(|report| report.partner.as_ref() == Some(&asked.partner));
    Ok(asked.aggregated(usage.filter_map(|report| Some((report.creation_time, &taken(report)?.reported_records)))))
}

/// What is in a report that the marketplace took.
pub(super) fn taken(report: &types::MeteringUsageRecordReport) -> Option<&types::MeteringUsageRecordReportInfo> {
    report.info.as_ref().filter(|info| info.status == Some(UsageRecordReportStatus::Success))
}

/// By the days of the usage, not of the reports: the last hour of a day is reported on the next one.
pub(super) async fn daily(
    Extract(suger): Extract<Arc<Suger>>,
    Path((_, partner)): Path<(String, String)>,
    query: Values,
) -> Result<Response, Failure> {
    let page = Page::asked(&query, 1000)?;
    let partner = list::listed_partner(&partner)?;
    let state = suger.state();
    let (first, last) = list::days(&query, state.now.date_naive())?;
    // Day, entitlement, dimension or metric, group.
    type Place<'a> = (NaiveDate, &'a str, &'a str, &'a str);
    let mut totals: BTreeMap<Place, (Decimal, Option<Decimal>)> = BTreeMap::new();
    let next_day = last.succ_opt().unwrap_or(last);
    for report in list::span(&state.reports, first, next_day, |report| report.creation_time) {
        let is = |name: &str, value: &Option<String>| query.get(name).is_none_or(|it| value.as_deref() == Some(it));
        let Some((info, start)) = taken(report).and_then(|info| Some((info, info.start_time?))) else { continue };
        let day = start.date_naive();
        if report.partner.as_ref() != Some(&partner)
            || !is("buyerId", &report.buyer_id)
            || !is("entitlementId", &report.entitlement_id)
            || !(first..=last).contains(&day)
        {
            continue;
        }
        let entitlement = report.entitlement_id.as_deref().unwrap_or_default();
        let records = info.reported_records.iter().map(|(key, quantity)| {
            let price = info.dimension_unit_price.get(key);
            let amount = price.and_then(|price| price.0.checked_mul(quantity.0));
            (key.as_str(), "", quantity.0, amount)
        });
        let events = info.aggregated_billable_records.iter().map(|total| {
            let group = total.group_bys_expression.as_deref().unwrap_or_default();
            let quantity = total.quantity.unwrap_or_default().0;
            (total.key.as_deref().unwrap_or_default(), group, quantity, total.amount.map(|amount| amount.0))
        });
        for (key, group, quantity, amount) in records.chain(events) {
            let total = totals.entry((day, entitlement, key, group)).or_default();
            total.0 = sum(total.0, quantity);
            total.1 = amount.map(|amount| sum(total.1.unwrap_or_default(), amount)).or(total.1);
        }
    }
    let record = |((day, entitlement, key, group), (quantity, amount)): (Place<'_>, (Decimal, Option<Decimal>))| {
        types::UsageMeteringDailyRecord {
            date: Some(midnight(day)),
            entitlement_id: Some(entitlement.to_owned()),
            partner: Some(partner.clone()),
            key: Some(key.to_owned()),
            group_bys_expression: Some(group.to_owned()).filter(|group| !group.is_empty()),
            quantity: Some(quantity.normalize().into()),
            amount: amount.map(|amount| amount.normalize().into()),
        }
    };
    let (rows, next_offset) = page.of(totals.into_iter());
    let usage_metering_daily_records = rows.into_iter().map(record).collect();
    Ok(json(
        StatusCode::OK,
        &types::ListUsageMeteringDailyRecordsResponse { next_offset, usage_metering_daily_records },
    ))
}
