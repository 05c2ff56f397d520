//! The hourly run: it reports the usage of an hour to the marketplaces, in one report for each entitlement.
//!
//! A pure function of the groups and the time. It performs all runs that are due, so that the time and number of calls do not matter.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use usage_billing_core::{Decimal, DecimalNumber};
use usage_billing_suger::types;
use usage_billing_suger::types::{Partner, UsageRecordGroupStatus as Status, UsageRecordReportStatus};

use super::events::{self, SeenValues};
use super::{marketplace_reporting, sum};
use crate::dataset::{self, suger::Organization};
use crate::demo_credentials::SUGER_ORG_ID;

type Group = types::MeteringUsageRecordGroup;
type Report = types::MeteringUsageRecordReport;

pub(super) const HOUR: TimeDelta = TimeDelta::hours(1);
/// Time between the end of an hour and its run.
const AFTER: TimeDelta = TimeDelta::seconds(93);

/// State that a run leaves to the next one.
#[derive(Default)]
pub(super) struct CarryOver {
    /// Fractions that AWS, which accepts whole units only, has not got yet: by entitlement and dimension.
    fractions: BTreeMap<(String, String), Decimal>,
    /// Unique values of `day`.
    seen: SeenValues,
    day: Option<NaiveDate>,
}

impl CarryOver {
    pub(super) fn new(fractions: BTreeMap<(String, String), Decimal>) -> Self {
        Self { fractions, ..Self::default() }
    }
}

/// Updates groups, and returns the new reports in order.
pub(super) fn run(
    groups: &mut [&mut Group],
    carry_over: &mut CarryOver,
    organization: &Organization,
    metrics: &BTreeMap<String, types::BillableMetric>,
    now: DateTime<Utc>,
) -> Vec<Report> {
    let mut waiting: BTreeMap<(DateTime<Utc>, String), Vec<usize>> = BTreeMap::new();
    for (at, group) in groups.iter().enumerate() {
        if let (Some(Status::Created | Status::ReportPending), Some(entitlement), Some(since)) =
            (&group.status, &group.entitlement_id, group.last_update_time)
        {
            waiting.entry((hour_of(since), entitlement.clone())).or_default().push(at);
        }
    }
    let mut reports = Vec::new();
    while let Some(((hour, id), members)) = waiting.pop_first() {
        let made = time_of_run(hour);
        if made > now {
            break;
        }
        let Some(entitlement) = organization.entitlement(&id) else { continue };
        let is_pending = |at: &usize| groups.get(*at).is_some_and(|group| group.status == Some(Status::ReportPending));
        let (retried, fresh): (Vec<usize>, Vec<usize>) = members.iter().copied().partition(is_pending);
        match organization.rejection(&id) {
            None => {
                let report = success(organization, entitlement, hour, &pick(groups, &members), carry_over, metrics);
                settle_all(groups, &members, Status::Reported, made, report.id.as_deref());
                reports.push(report);
            }
            // Inferred: after the first failure Suger tries again by itself; after the second one it gives up.
            Some(reason) => {
                if !retried.is_empty() {
                    reports.push(failure(entitlement, hour, &pick(groups, &retried), reason));
                    settle_all(groups, &retried, Status::ReportFailed, made, None);
                }
                if !fresh.is_empty() {
                    settle_all(groups, &fresh, Status::ReportPending, made, None);
                    waiting.entry((hour_of(made), id)).or_default().extend(fresh);
                }
            }
        }
    }
    reports
}

/// Returns the time of the next run.
pub(super) fn next_run(now: DateTime<Utc>) -> DateTime<Utc> {
    time_of_run(hour_of(now.checked_sub_signed(AFTER).unwrap_or(now)))
}

/// Returns the hour of the last run.
pub(super) fn last_run(now: DateTime<Utc>) -> DateTime<Utc> {
    let hour = hour_of(now.checked_sub_signed(AFTER).unwrap_or(now));
    hour.checked_sub_signed(HOUR).unwrap_or(hour)
}

pub(super) fn hour_of(time: DateTime<Utc>) -> DateTime<Utc> {
    let seconds = time.timestamp();
    DateTime::from_timestamp(seconds - seconds.rem_euclid(3600), 0).unwrap_or(time)
}

pub(super) fn time_of_run(hour: DateTime<Utc>) -> DateTime<Utc> {
    hour.checked_add_signed(HOUR + AFTER).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

fn pick<'a>(groups: &'a [&mut Group], members: &[usize]) -> Vec<&'a Group> {
    members.iter().filter_map(|at| groups.get(*at)).map(|group| &**group).collect()
}

fn settle_all(groups: &mut [&mut Group], members: &[usize], status: Status, made: DateTime<Utc>, report: Option<&str>) {
    for at in members {
        if let Some(group) = groups.get_mut(*at) {
            settle(group, status.clone(), made, report);
        }
    }
}

/// Updates a group after a run.
pub(super) fn settle(group: &mut Group, status: Status, made: DateTime<Utc>, report: Option<&str>) {
    group.status = Some(status);
    group.last_update_time = Some(made);
    if let Some(report) = report {
        group.usage_record_report_id = Some(report.to_owned());
        group.reported_time = Some(made);
    }
}

pub(super) fn success(
    organization: &Organization,
    entitlement: &types::WorkloadEntitlement,
    hour: DateTime<Utc>,
    members: &[&Group],
    carry_over: &mut CarryOver,
    metrics: &BTreeMap<String, types::BillableMetric>,
) -> Report {
    let mut report = report(entitlement, hour, members, "");
    let id = entitlement.id.clone().unwrap_or_default();
    let product = organization.product(entitlement.product_id.as_deref().unwrap_or_default());
    let mut info = types::MeteringUsageRecordReportInfo {
        status: Some(UsageRecordReportStatus::Success),
        message: Some(String::new()),
        aggregated_billable_records: of_events(entitlement, hour, members, carry_over, metrics),
        aggregated_usage_allocations: allocations(members),
        dimension_unit_price: prices(entitlement.info.iter().flat_map(|info| &info.dimensions)),
        dimension_unit_list_price: prices(
            product.iter().filter_map(|product| product.info.as_ref()).flat_map(|info| &info.dimensions),
        ),
        ..report.info.take().map(|info| *info).unwrap_or_default()
    };
    for (key, quantity) in sums(members) {
        let mut reported = quantity;
        if entitlement.partner == Some(Partner::Aws) {
            let rest = carry_over.fractions.entry((id.clone(), key.clone())).or_default();
            let before = *rest;
            reported = sum(before, quantity);
            *rest = reported.fract();
            reported = reported.trunc();
            info.decimal_parts.insert(key.clone(), before.normalize().into());
            info.new_decimal_parts.insert(key.clone(), rest.normalize().into());
        }
        info.reported_records.insert(key, reported.normalize().into());
    }
    let report_id = report.id.clone().unwrap_or_default();
    marketplace_reporting::accepted(&mut info, entitlement, &report_id);
    report.info = Some(Box::new(info));
    report
}

/// Returns a report without usage, which states that it failed.
pub(super) fn failure(
    entitlement: &types::WorkloadEntitlement,
    hour: DateTime<Utc>,
    members: &[&Group],
    reason: &str,
) -> Report {
    let mut report = report(entitlement, hour, members, "/failed");
    let mut info = report.info.take().unwrap_or_default();
    info.status = Some(UsageRecordReportStatus::Failed);
    info.message = Some(reason.to_owned());
    marketplace_reporting::rejected(&mut info, entitlement, &sums(members), reason);
    report.info = Some(info);
    report
}

pub(super) fn report_id(entitlement: &str, hour: DateTime<Utc>, suffix: &str) -> String {
    dataset::id(&format!("suger/report/{entitlement}/{}{suffix}", hour.timestamp())).to_string()
}

fn report(entitlement: &types::WorkloadEntitlement, hour: DateTime<Utc>, members: &[&Group], suffix: &str) -> Report {
    let id = entitlement.id.as_deref().unwrap_or_default();
    Report {
        id: Some(report_id(id, hour, suffix)),
        organization_id: Some(SUGER_ORG_ID.to_owned()),
        entitlement_id: entitlement.id.clone(),
        entitlement_term_id: entitlement.entitlement_term_id.clone(),
        product_id: entitlement.product_id.clone(),
        buyer_id: entitlement.buyer_id.clone(),
        partner: entitlement.partner.clone(),
        info: Some(Box::new(types::MeteringUsageRecordReportInfo {
            partner: entitlement.partner.clone(),
            start_time: Some(hour),
            end_time: hour.checked_add_signed(HOUR),
            usage_record_group_ids: members.iter().filter_map(|group| group.id.clone()).collect(),
            ..Default::default()
        })),
        creation_time: Some(time_of_run(hour)),
    }
}

fn sums(members: &[&Group]) -> BTreeMap<String, Decimal> {
    let mut sums = BTreeMap::new();
    for (key, quantity) in members.iter().flat_map(|group| &group.records) {
        let total: &mut Decimal = sums.entry(key.clone()).or_default();
        *total = sum(*total, quantity.0);
    }
    sums
}

fn prices<'a>(dimensions: impl Iterator<Item = &'a types::MeteringDimension>) -> BTreeMap<String, DecimalNumber> {
    dimensions.filter_map(|dimension| Some((dimension.key.clone()?, dimension.rate?))).collect()
}

fn of_events(
    entitlement: &types::WorkloadEntitlement,
    hour: DateTime<Utc>,
    members: &[&Group],
    carry_over: &mut CarryOver,
    metrics: &BTreeMap<String, types::BillableMetric>,
) -> Vec<types::AggregatedMeteringUsageRecord> {
    let day = Some(hour.date_naive());
    if carry_over.day != day {
        carry_over.seen.clear();
        carry_over.day = day;
    }
    let mut infos: Vec<_> = members.iter().filter_map(|group| group.meta_info.as_ref()).collect();
    infos.sort_by_key(|info| info.timestamp);
    let mut events: BTreeMap<&str, Vec<&types::MeteringUsageRecord>> = BTreeMap::new();
    for event in infos.into_iter().flat_map(|info| &info.billable_records) {
        events.entry(event.key.as_deref().unwrap_or_default()).or_default().push(event);
    }
    let id = entitlement.id.as_deref().unwrap_or_default();
    let of_metric = |(key, events): (&str, Vec<_>)| {
        let price = price(entitlement, key);
        let mut totals =
            metrics.get(key).map(|it| events::totals(id, it, &events, &mut carry_over.seen)).unwrap_or_default();
        for total in &mut totals {
            let amount = price.zip(total.quantity).and_then(|(price, quantity)| price.checked_mul(quantity.0));
            total.amount = amount.map(|amount| amount.normalize().into());
        }
        totals
    };
    events.into_iter().flat_map(of_metric).collect()
}

/// Returns the price of a unit of a billable metric, for the simple price models of the dataset.
fn price(entitlement: &types::WorkloadEntitlement, metric: &str) -> Option<Decimal> {
    let dimensions = &entitlement.info.as_ref()?.billable_dimensions;
    let dimension = dimensions.iter().find(|one| one.billable_metric_id.as_deref() == Some(metric))?;
    Some(dimension.price_model_basic.as_ref()?.unit_amount?.0)
}

/// Adds up shares of the same dimension with the same tags.
fn allocations(members: &[&Group]) -> BTreeMap<String, Vec<types::UsageAllocation>> {
    let mut all: BTreeMap<String, Vec<types::UsageAllocation>> = BTreeMap::new();
    let infos = members.iter().filter_map(|group| group.meta_info.as_ref());
    for (key, shares) in infos.flat_map(|info| &info.usage_allocations) {
        let merged = all.entry(key.clone()).or_default();
        for share in shares {
            let tags = |one: &types::UsageAllocation| -> Vec<_> {
                one.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
            };
            match merged.iter_mut().find(|one| tags(one) == tags(share)) {
                Some(one) => {
                    let quantity = |share: &types::UsageAllocation| share.quantity.unwrap_or_default().0;
                    one.quantity = Some(sum(quantity(one), quantity(share)).into());
                }
                None => merged.push(share.clone()),
            }
        }
    }
    all
}

#[cfg(test)]
mod tests;
