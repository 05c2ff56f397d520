//! Totals of groups and of reports by period and dimension, and the daily records of a marketplace.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, NaiveDate, Utc};
use usage_billing_core::{Decimal, DecimalNumber};
use usage_billing_suger::types;
use usage_billing_suger::types::{Partner, UsageRecordGroupStatus, UsageRecordReportStatus};

use super::pagination::{self, Page};
use super::state::{UsageState, batches};
use super::{Failure, HandlerResult, Shared, sum};
use crate::dataset::midnight;
use crate::dataset::suger::{InitialStatus, Measure, Organization};
use crate::http_util::request::Params;
use crate::http_util::response::ok;

struct AggregateQuery {
    partner: Partner,
    /// Format of a period, which determines its length.
    label: &'static str,
    first: NaiveDate,
    last: NaiveDate,
}

impl AggregateQuery {
    fn read(query: &Params, today: NaiveDate) -> Result<Self, Failure> {
        for name in ["partner", "granularity", "startDate", "endDate"] {
            if query.get(name).is_none() {
                return Err(Failure::bad_request(format!("{name} is missing")));
            }
        }
        let partner = pagination::partner(query)?.ok_or_else(|| Failure::bad_request("partner is missing"))?;
        // Inferred: the vendor does not document the values.
        let label = match query.get("granularity").unwrap_or_default().to_ascii_lowercase().as_str() {
            "day" => "%Y-%m-%d",
            "month" => "%Y-%m",
            other => return Err(Failure::bad_request(format!("invalid granularity, expected day or month: {other}"))),
        };
        let (first, last) = pagination::days(query, today)?;
        Ok(Self { partner, label, first, last })
    }

    fn aggregated(&self, totals: Totals<'_>) -> Response {
        let mut by_period: BTreeMap<(String, &str), Decimal> = BTreeMap::new();
        for ((day, key), quantity) in &totals.0 {
            let total = by_period.entry((day.format(self.label).to_string(), key)).or_default();
            *total = sum(*total, *quantity);
        }
        let aggregated = |((date, key), quantity): ((String, &str), Decimal)| types::UsageRecordAggregated {
            date: Some(date),
            dimension_key: Some(key.to_owned()),
            quantity: Some(quantity.normalize().into()),
        };
        ok(&by_period.into_iter().map(aggregated).collect::<Vec<_>>())
    }
}

/// Quantities by day and dimension.
#[derive(Default)]
struct Totals<'a>(BTreeMap<(NaiveDate, Cow<'a, str>), Decimal>);

impl<'a> Totals<'a> {
    fn add(&mut self, day: NaiveDate, key: impl Into<Cow<'a, str>>, quantity: Decimal) {
        let total = self.0.entry((day, key.into())).or_default();
        *total = sum(*total, quantity);
    }

    fn add_records(&mut self, created: Option<DateTime<Utc>>, records: &BTreeMap<String, DecimalNumber>) {
        for (key, quantity) in records {
            if let Some(created) = created {
                self.add(created.date_naive(), key.clone(), quantity.0);
            }
        }
    }
}

/// Totals of groups that are or may be reported, without deleted and invalid ones.
pub(super) async fn of_groups(State(suger): Shared, query: Params) -> HandlerResult {
    let organization = &suger.dataset.suger;
    let (asked, slots) = {
        let state = suger.state();
        let asked = AggregateQuery::read(&query, state.now.date_naive())?;
        let slots = state.past_slots(organization, asked.first, asked.last);
        (asked, slots)
    };
    let mut totals = Totals::default();
    // Changes of historical groups by callers (invalid to deleted, failed to created) do not change the totals, so that the state is not
    // needed.
    for batch in batches(slots) {
        tokio::task::yield_now().await;
        for outline in batch.map(|slot| organization.outline(slot)) {
            let spec = organization.specs.get(outline.spec);
            if outline.status == InitialStatus::Created && spec.is_some_and(|spec| spec.partner == asked.partner) {
                let day = organization.history.time(outline.slot).date_naive();
                for (measure, quantity) in organization.usage(outline) {
                    if let Measure::Dimension(key) = measure {
                        totals.add(day, key, quantity);
                    }
                }
            }
        }
    }
    let state = suger.state();
    let groups = pagination::span(&state.groups, asked.first, asked.last, |group| group.creation_time);
    let usage = groups.iter().filter(|group| {
        group.partner.as_ref() == Some(&asked.partner)
            && !matches!(group.status, Some(UsageRecordGroupStatus::Deleted | UsageRecordGroupStatus::Invalid))
    });
    usage.for_each(|group| totals.add_records(group.creation_time, &group.records));
    Ok(asked.aggregated(totals))
}

/// Totals of reports that the marketplace accepted.
pub(super) async fn of_reports(State(suger): Shared, query: Params) -> HandlerResult {
    let state = suger.state();
    let asked = AggregateQuery::read(&query, state.now.date_naive())?;
    let mut totals = Totals::default();
    for report in reports(&suger.dataset.suger, &state, asked.first, asked.last, &asked.partner) {
        if let Some(info) = taken(&report) {
            totals.add_records(report.creation_time, &info.reported_records);
        }
    }
    Ok(asked.aggregated(totals))
}

/// Iterates over the reports of a marketplace from the first to the last day, both included; historical reports have no group ids.
fn reports<'a>(
    organization: &'a Organization,
    state: &'a UsageState,
    first: NaiveDate,
    last: NaiveDate,
    partner: &'a Partner,
) -> impl Iterator<Item = Cow<'a, types::MeteringUsageRecordReport>> {
    let past = state.past.reports(first, last).iter();
    let past = past.filter(|sums| organization.specs.get(sums.spec).is_some_and(|spec| spec.partner == *partner));
    let kept = pagination::span(&state.reports, first, last, |report| report.creation_time).iter();
    let kept = kept.filter(|report| report.partner.as_ref() == Some(partner));
    past.filter_map(|sums| sums.report_without_groups(organization)).map(Cow::Owned).chain(kept.map(Cow::Borrowed))
}

/// Returns the details of a report that the marketplace accepted.
pub(super) fn taken(report: &types::MeteringUsageRecordReport) -> Option<&types::MeteringUsageRecordReportInfo> {
    report.info.as_deref().filter(|info| info.status == Some(UsageRecordReportStatus::Success))
}

/// Returns records by the days of the usage, not of the reports: the last hour of a day is reported on the next one.
pub(super) async fn daily(
    State(suger): Shared,
    Path((_, partner)): Path<(String, String)>,
    query: Params,
) -> HandlerResult {
    let page = Page::from_query(&query, 1000)?;
    let partner = pagination::listed_partner(&partner)?;
    let state = suger.state();
    let (first, last) = pagination::days(&query, state.now.date_naive())?;
    // Day, entitlement, dimension or metric, group.
    type Place = (NaiveDate, String, String, String);
    let mut totals: BTreeMap<Place, (Decimal, Option<Decimal>)> = BTreeMap::new();
    let next_day = last.succ_opt().unwrap_or(last);
    for report in reports(&suger.dataset.suger, &state, first, next_day, &partner) {
        let is = |name: &str, value: &Option<String>| query.get(name).is_none_or(|it| value.as_deref() == Some(it));
        let Some((info, start)) = taken(&report).and_then(|info| Some((info, info.start_time?))) else { continue };
        let day = start.date_naive();
        if !is("buyerId", &report.buyer_id)
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
            let index = (day, entitlement.to_owned(), key.to_owned(), group.to_owned());
            let total = totals.entry(index).or_default();
            total.0 = sum(total.0, quantity);
            total.1 = amount.map(|amount| sum(total.1.unwrap_or_default(), amount)).or(total.1);
        }
    }
    let record = |((day, entitlement, key, group), (quantity, amount)): (Place, (Decimal, Option<Decimal>))| {
        types::UsageMeteringDailyRecord {
            date: Some(midnight(day)),
            entitlement_id: Some(entitlement),
            partner: Some(partner.clone()),
            key: Some(key),
            group_bys_expression: Some(group).filter(|group| !group.is_empty()),
            quantity: Some(quantity.normalize().into()),
            amount: amount.map(|amount| amount.normalize().into()),
        }
    };
    let (rows, next_offset) = page.of(totals.into_iter());
    let usage_metering_daily_records = rows.into_iter().map(record).collect();
    Ok(ok(&types::ListUsageMeteringDailyRecordsResponse {
        next_offset,
        usage_metering_daily_records,
        error: None,
        code: None,
        message: None,
    }))
}
