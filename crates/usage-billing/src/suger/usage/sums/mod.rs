//! Usage added up from usage record groups.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use usage_billing_core::{Decimal, Error, ErrorKind, Result, printable};

use super::groups::{events, id_in, name_of, too_long, used_at};
use super::listed_days::MAX_LATENESS;
use super::pending_acceptance::PendingAcceptance;
use super::quantities::is_void;
use super::report_rows::{self, REPORTS};
use super::reported_again::ReadGroups;
use super::sum_key::SumKey;
use crate::memory_limit::{MemoryLimit, ROW};
use crate::rows::identity::UNITS;
use crate::rows::period::RowPeriod;
use crate::suger::{Lookups, types};
use crate::{BillingReason, Period, UsageRow};

/// Adds up the usage in `period` by the time of use. Each group counts once, however often it is listed. Deleted and
/// invalid groups are left out.
///
/// A row is final when the period ended at least a day ago and the marketplace accepted all of its usage according to
/// `reports`. Pass the reports in which the groups were sent, and later ones, which bill fractions of units that AWS
/// left to them. Pass all groups of these reports, also those of other periods: a row is not final if a report of it
/// names a group that is not passed, or names only others than one of its own. Nor is it if a group of it is in several
/// reports that are not void. Only rows of one whole calendar month that has ended are billable. The current month has rows of the
/// whole month, the same every day.
///
/// Events of metrics that do not add up are taken from `reports`, by the hour of the report. Events that are not in a
/// report yet become a row of quantity 0 for their hour, which is not final; its key is not that of the row of the
/// report.
///
/// # Errors
/// [`ErrorKind::Decode`] for a group without any time, for a sum of more than 28 digits, and for a group with events
/// that do not add up whose report is not among `reports`.
pub fn usage_rows(
    groups: &[types::MeteringUsageRecordGroup],
    reports: &[types::MeteringUsageRecordReport],
    lookups: &Lookups,
    org_id: &str,
    period: Period,
    now: DateTime<Utc>,
) -> Result<Vec<UsageRow>> {
    let (mut sums, mut memory) = (UsageAggregator::new(period), MemoryLimit::new(usize::MAX));
    groups.iter().try_for_each(|group| sums.add(group, lookups, &mut memory))?;
    reports.iter().try_for_each(|report| sums.apply(report, &mut memory))?;
    groups.iter().try_for_each(|group| sums.add_other(group, &mut memory))?;
    sums.rows(reports, lookups, org_id, now)
}

/// Usage that is added up so far.
pub(super) struct UsageAggregator {
    period: Period,
    sums: BTreeMap<Arc<SumKey>, Sum>,
    /// Sums that wait for acceptance by the marketplaces.
    pending: PendingAcceptance,
    /// Events that do not add up and are not in a report yet, by hour.
    open: BTreeSet<(SumKey, DateTime<Utc>)>,
    /// Ids of reports with events that do not add up, each with a group and its metric as a reason.
    in_reports: BTreeMap<String, (String, String)>,
    /// The groups. New ones shift the pages while they are read, so a group may appear again on the next page.
    read: ReadGroups,
}

impl UsageAggregator {
    pub(super) fn new(period: Period) -> Self {
        let (sums, open, in_reports) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        Self { period, sums, pending: PendingAcceptance::default(), open, in_reports, read: ReadGroups::default() }
    }

    /// Returns whether some rows are made of reports, because their events do not add up.
    pub(super) fn has_events_in_reports(&self) -> bool {
        !self.in_reports.is_empty() || !self.open.is_empty()
    }

    /// Returns whether a report contains events that do not add up.
    pub(super) fn is_wanted(&self, report_id: &str) -> bool {
        self.in_reports.contains_key(report_id)
    }

    /// Returns whether anything was reported, so that reports determine its acceptance.
    pub(super) fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Applies the outcome in a report to the sums, after all groups are added up.
    pub(super) fn apply(&mut self, report: &types::MeteringUsageRecordReport, memory: &mut MemoryLimit) -> Result<()> {
        self.pending.apply(report, &self.read, memory)
    }

    /// Returns the ids of groups that are not in the sums, but in reports of them.
    pub(super) fn unread(&self) -> impl Iterator<Item = &str> {
        self.pending.unread()
    }

    /// Adds the usage of such a group to that of its report.
    pub(super) fn add_other(
        &mut self,
        group: &types::MeteringUsageRecordGroup,
        memory: &mut MemoryLimit,
    ) -> Result<()> {
        self.pending.add_other(group, memory)
    }

    pub(super) fn add(
        &mut self,
        group: &types::MeteringUsageRecordGroup,
        lookups: &Lookups,
        memory: &mut MemoryLimit,
    ) -> Result<()> {
        let used_at = used_at(group)?;
        if !self.period.contains(used_at) || id_in(&group.id).is_some_and(|id| !self.read.insert(id)) {
            return Ok(());
        }
        if is_void(group) {
            return Ok(());
        }
        let reported = group.status == Some(types::UsageRecordGroupStatus::Reported);
        let records = group.records.iter().map(|(dimension, quantity)| (dimension.clone(), Some(UNITS), quantity.0));
        let events = events(group).map(|event| {
            let metric = event.key.clone().unwrap_or_default();
            let unit = lookups.unit_of_sum(&metric);
            let quantity = if unit == Some("events") { Decimal::ONE } else { event.quantity.unwrap_or_default().0 };
            (metric, unit, quantity)
        });
        let mut of_group = Vec::new();
        for (metric, unit, quantity) in records.chain(events) {
            let key = Arc::new(SumKey {
                buyer: group.buyer_id.clone(),
                entitlement: group.entitlement_id.clone().unwrap_or_default(),
                metric,
                unit: unit.unwrap_or(UNITS),
            });
            let text_bytes = key.entitlement.len() + key.metric.len() + key.buyer.as_ref().map_or(0, String::len);
            // A row copies the strings, and so do the fractions that wait for acceptance. Nodes of a tree may be half full.
            let of_row = 2 * (size_of::<(SumKey, DateTime<Utc>)>() + 2 * text_bytes) + ROW;
            let is_new = if unit.is_some() {
                let known = self.sums.get_key_value(&key).map(|(known, _)| known.clone());
                let (is_new, key) = (known.is_none(), known.unwrap_or(key));
                let sum = self.sums.entry(key.clone()).or_default();
                sum.quantity = sum.quantity.checked_add(quantity).ok_or_else(|| too_long(&name_of(group)))?;
                sum.is_unreported |= !reported;
                if reported {
                    of_group.extend((!quantity.is_zero()).then(|| key.clone()));
                    self.pending.add(group, key, quantity, memory)?;
                }
                is_new
            } else if !reported {
                let key = Arc::unwrap_or_clone(key);
                self.open.insert((key, used_at.duration_trunc(TimeDelta::hours(1)).unwrap_or(used_at)))
            } else {
                let report = group.usage_record_report_id.clone().unwrap_or_default();
                let before = self.in_reports.len();
                self.in_reports.entry(report).or_insert_with(|| (name_of(group), key.metric.clone()));
                self.in_reports.len() > before
            };
            if is_new {
                memory.keep(of_row, || "the usage of all groups")?;
            }
        }
        self.read.record(group, of_group, memory)
    }

    pub(super) fn rows(
        self,
        reports: &[types::MeteringUsageRecordReport],
        lookups: &Lookups,
        org_id: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<UsageRow>> {
        let given: BTreeSet<&str> = reports.iter().filter_map(|report| report.id.as_deref()).collect();
        if let Some((report, (group, metric))) = self.in_reports.iter().find(|(id, _)| !given.contains(id.as_str())) {
            return Err(unaccounted(report, group, metric));
        }
        let requested = RowPeriod::new(self.period, now);
        let period = requested.period;
        let has_ended = requested.is_complete() && period.has_ended(now - MAX_LATENESS);
        let reason = if requested.is_whole_month() { BillingReason::Usage } else { BillingReason::NotAWholePeriod };
        let mut rows = Vec::with_capacity(self.sums.len());
        let pending = self.pending.keys();
        for (key, sum) in self.sums {
            let row = key.row("listUsageRecordGroups", period, sum.quantity, reason, lookups, org_id);
            let is_final = has_ended && !sum.is_unreported && !pending.contains(&key);
            rows.push(UsageRow { is_final, as_of: Some(now).filter(|_| !is_final), ..row });
        }
        for (key, hour) in self.open {
            let hour = Period::new(hour, hour + TimeDelta::hours(1))?;
            let row = key.row(REPORTS, hour, Decimal::ZERO, BillingReason::Usage, lookups, org_id);
            rows.push(UsageRow { as_of: Some(now), ..row });
        }
        let unsummed = |metric: &str| lookups.unit_of_sum(metric).is_none();
        rows.extend(report_rows::of_metrics(reports, &lookups.buyers, org_id, self.period, unsummed)?);
        Ok(rows)
    }
}

#[derive(Default)]
struct Sum {
    quantity: Decimal,
    /// Something of it was not reported.
    is_unreported: bool,
}

fn unaccounted(report: &str, group: &str, metric: &str) -> Error {
    let report = if report.is_empty() { "without id" } else { report };
    let message = format!(
        "{group} has events of the billable metric {}, which do not add up; their usage record report {} \
         is not among the given reports",
        printable(metric),
        printable(report)
    );
    Error::new(ErrorKind::Decode, message).with_hint("pass the reports of all hours in which the groups were reported")
}

#[cfg(test)]
mod tests;
