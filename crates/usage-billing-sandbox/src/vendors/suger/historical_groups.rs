//! Groups from before the start that have been through all their hourly runs, and their reports.
//!
//! They are computed on demand. Only the totals of each report are kept, because the quantities for AWS depend on all earlier reports.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use usage_billing_core::Decimal;
use usage_billing_suger::types;
use usage_billing_suger::types::{Partner, UsageRecordGroupStatus as Status};

use super::hourly_reporting::{self, CarryOver, HOUR, hour_of, last_run, settle, time_of_run};
use super::sum;
use crate::dataset::suger::{GroupOutline, InitialStatus, Measure, Organization};

pub(super) struct HistoricalGroups {
    /// The first slot of a group that is not final.
    pub(super) end: u64,
    /// In the order of the reports.
    sums: Vec<ReportTotals>,
    /// Quantities that the marketplaces accepted, by index of the entitlement and dimension.
    taken: BTreeMap<(usize, &'static str), Decimal>,
    /// Number of groups by status.
    pub(super) counts: BTreeMap<Status, usize>,
}

/// The totals of one report.
pub(super) struct ReportTotals {
    /// The hour of the report; that of a failed report is one after that of its groups.
    hour: DateTime<Utc>,
    /// Index of the entitlement.
    pub(super) spec: usize,
    quantities: BTreeMap<Measure, Decimal>,
    /// The fractions that AWS had not got yet, by dimension.
    before: Vec<(&'static str, Decimal)>,
}

impl HistoricalGroups {
    /// Computes the reports, and the state for later runs.
    pub(super) fn new(organization: &Organization, now: DateTime<Utc>) -> (Self, CarryOver) {
        let slots = organization.history.slots();
        // Groups from before the hour of the last run were reported or have failed: see [`after_runs`].
        let end = organization.history.between(DateTime::<Utc>::MIN_UTC, last_run(now)).end;
        let mut past = Self { end, sums: Vec::new(), taken: BTreeMap::new(), counts: BTreeMap::new() };
        // The reports of an hour are sorted by the ids of their entitlements.
        let mut ids: Vec<_> = organization.specs.iter().map(|spec| spec.id()).zip(0usize..).collect();
        ids.sort();
        let ranks: BTreeMap<usize, usize> = ids.into_iter().map(|(_, spec)| spec).zip(0..).collect();
        let mut sums: BTreeMap<(DateTime<Utc>, usize), ReportTotals> = BTreeMap::new();
        for outline in (slots.start..end).map(|slot| organization.outline(slot)) {
            *past.counts.entry(status(organization, outline)).or_default() += 1;
            if outline.status != InitialStatus::Created {
                continue;
            }
            let hour = report_hour(organization, outline);
            let new = || ReportTotals { hour, spec: outline.spec, quantities: BTreeMap::new(), before: Vec::new() };
            let rank = ranks.get(&outline.spec).copied().unwrap_or_default();
            let cell = sums.entry((hour, rank)).or_insert_with(new);
            for (measure, quantity) in organization.usage(outline) {
                let total = cell.quantities.entry(measure).or_default();
                *total = sum(*total, quantity);
            }
        }
        past.sums = sums.into_values().collect();
        let fractions = past.carry(organization);
        (past, CarryOver::new(fractions))
    }

    /// Carries the fractions of units over from report to report.
    fn carry(&mut self, organization: &Organization) -> BTreeMap<(String, String), Decimal> {
        let mut fractions: BTreeMap<(usize, &'static str), Decimal> = BTreeMap::new();
        for sums in &mut self.sums {
            let Some(spec) = organization.specs.get(sums.spec).filter(|spec| spec.rejection.is_none()) else {
                continue;
            };
            for (measure, quantity) in &sums.quantities {
                let Measure::Dimension(key) = *measure else { continue };
                let mut reported = *quantity;
                if spec.partner == Partner::Aws {
                    let rest = fractions.entry((sums.spec, key)).or_default();
                    sums.before.push((key, *rest));
                    reported = sum(*rest, *quantity);
                    *rest = reported.fract();
                    reported = reported.trunc();
                }
                let taken = self.taken.entry((sums.spec, key)).or_default();
                *taken = sum(*taken, reported);
            }
        }
        let named = |((index, key), rest): ((usize, &'static str), Decimal)| {
            Some(((organization.specs.get(index)?.id(), key.to_owned()), rest))
        };
        fractions.into_iter().filter_map(named).collect()
    }

    /// Iterates over the quantities of an entitlement that the marketplace accepted, by dimension.
    pub(super) fn taken(&self, spec: usize) -> impl Iterator<Item = (&'static str, Decimal)> {
        self.taken.range((spec, "")..(spec + 1, "")).map(|((_, key), quantity)| (*key, *quantity))
    }

    /// Returns the reports from the first to the last day, both included.
    pub(super) fn reports(&self, first: NaiveDate, last: NaiveDate) -> &[ReportTotals] {
        let day = |sums: &ReportTotals| time_of_run(sums.hour).date_naive();
        let from = self.sums.partition_point(|sums| day(sums) < first);
        let to = self.sums.partition_point(|sums| day(sums) <= last);
        self.sums.get(from..to).unwrap_or_default()
    }
}

impl ReportTotals {
    /// Returns the report without the ids of its groups, for which all groups of the hour are read.
    pub(super) fn report_without_groups(
        &self,
        organization: &Organization,
    ) -> Option<types::MeteringUsageRecordReport> {
        let entitlement = organization.entitlements.get(self.spec)?;
        let id = entitlement.id.as_deref().unwrap_or_default();
        // One group with the totals replaces all of them.
        let mut all = types::MeteringUsageRecordGroup::default();
        for (measure, quantity) in &self.quantities {
            measure.reported(*quantity, &mut all);
        }
        Some(match organization.rejection(id) {
            Some(reason) => hourly_reporting::failure(entitlement, self.hour, &[&all], reason),
            None => {
                let before = self.before.iter().map(|(key, rest)| ((id.to_owned(), (*key).to_owned()), *rest));
                let mut carry_over = CarryOver::new(before.collect());
                let metrics = &organization.metrics;
                hourly_reporting::success(organization, entitlement, self.hour, &[&all], &mut carry_over, metrics)
            }
        })
    }

    pub(super) fn report(&self, organization: &Organization) -> Option<types::MeteringUsageRecordReport> {
        let mut report = self.report_without_groups(organization)?;
        // The groups of a failed report were reported an hour before.
        let failed = organization.specs.get(self.spec).is_some_and(|spec| spec.rejection.is_some());
        let hour = if failed { self.hour - HOUR } else { self.hour };
        let slots = organization.history.between(hour, hour + HOUR);
        let members = slots.map(|slot| organization.outline(slot));
        let members = members.filter(|outline| outline.spec == self.spec && outline.status == InitialStatus::Created);
        let ids = members.map(|outline| organization.group_id(outline.slot)).collect();
        report.info.get_or_insert_default().usage_record_group_ids = ids;
        Some(report)
    }
}

/// Returns the final status of a group.
pub(super) fn status(organization: &Organization, outline: GroupOutline) -> Status {
    let rejected = || organization.specs.get(outline.spec).is_some_and(|spec| spec.rejection.is_some());
    match outline.status {
        InitialStatus::Created if rejected() => Status::ReportFailed,
        InitialStatus::Created => Status::Reported,
        other => other.into(),
    }
}

/// Returns a group after its runs.
pub(super) fn after_runs(organization: &Organization, outline: GroupOutline) -> types::MeteringUsageRecordGroup {
    let mut group = organization.group(outline);
    if outline.status == InitialStatus::Created {
        let hour = report_hour(organization, outline);
        let status = status(organization, outline);
        let id = group.entitlement_id.as_deref().unwrap_or_default();
        let report = (status == Status::Reported).then(|| hourly_reporting::report_id(id, hour, ""));
        settle(&mut group, status, time_of_run(hour), report.as_deref());
    }
    group
}

/// Returns the hour of a group's report. A failed report was postponed by an hour first.
fn report_hour(organization: &Organization, outline: GroupOutline) -> DateTime<Utc> {
    let hour = hour_of(organization.history.time(outline.slot));
    match organization.specs.get(outline.spec).and_then(|spec| spec.rejection) {
        Some(_) => hour + HOUR,
        None => hour,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Size;

    type Group = types::MeteringUsageRecordGroup;
    type Report = types::MeteringUsageRecordReport;

    fn all_groups(organization: &Organization) -> Vec<Group> {
        organization.history.slots().map(|slot| organization.group(organization.outline(slot))).collect()
    }

    fn sorted(mut reports: Vec<Report>) -> Vec<String> {
        reports.sort_by_key(|report| (report.creation_time, report.entitlement_id.clone()));
        reports.iter().map(|report| serde_json::to_string(report).unwrap()).collect()
    }

    #[test]
    fn computed_groups_agree_with_hourly_runs() {
        let dense = Size::default().record_groups(4_000).months(1).entitlements(60);
        let nows = ["2026-11-21T12:00:00Z", "2026-11-21T12:01:32Z", "2026-11-21T12:01:33Z", "2026-11-21T12:59:00Z"];
        for (size, seed, nows) in
            [(Size::default(), 0, &nows[..]), (Size::default(), 3, &nows[3..]), (dense, 1, &nows[2..3])]
        {
            let organization = Organization::of_size(&size, seed);
            for now in nows {
                let now: DateTime<Utc> = now.parse().unwrap();
                // All groups by runs.
                let mut groups = all_groups(&organization);
                let mut carry_over = CarryOver::default();
                let mut every: Vec<&mut Group> = groups.iter_mut().collect();
                let reports =
                    hourly_reporting::run(&mut every, &mut carry_over, &organization, &organization.metrics, now);
                // Historical groups computed, the rest by runs.
                let (past, mut carry_over) = HistoricalGroups::new(&organization, now);
                let slots = organization.history.slots();
                let mut rest: Vec<Group> =
                    (past.end..slots.end).map(|slot| organization.group(organization.outline(slot))).collect();
                let mut every: Vec<&mut Group> = rest.iter_mut().collect();
                let late =
                    hourly_reporting::run(&mut every, &mut carry_over, &organization, &organization.metrics, now);
                let computed = past.sums.iter().filter_map(|sums| sums.report(&organization));
                assert_eq!(sorted(computed.chain(late).collect()), sorted(reports), "{now} {seed}");
                let before = (slots.start..past.end).map(|slot| after_runs(&organization, organization.outline(slot)));
                let json = |group: &Group| serde_json::to_string(group).unwrap();
                assert_eq!(
                    before.chain(rest).map(|group| json(&group)).collect::<Vec<_>>(),
                    groups.iter().map(json).collect::<Vec<_>>()
                );
            }
        }
    }
}
