//! Outcomes of groups according to the usage record reports that contain them.

use std::collections::{HashMap, HashSet};
use std::ptr;

use usage_billing_core::{Decimal, printable};

use super::reconciliation::State;
use crate::suger::types::{
    MeteringUsageRecordGroup as Group, MeteringUsageRecordReport as Report, MeteringUsageRecordReportInfo as Info,
    Partner, UsageRecordGroupStatus as Status,
};
use crate::suger::usage::carried::{FractionId, Fractions, carried_out, order};
use crate::suger::usage::groups::{events, id_in, name_of};
use crate::suger::usage::marketplace::{
    Acceptance, acceptance, is_of_another_entitlement, is_success, is_void, partner_of,
};
use crate::suger::usage::quantities::is_unmapped;
use crate::suger::usage::report_quantities::contradiction;

/// Usage record reports by their own ids, and by the groups that they contain.
pub(super) struct ReportIndex<'a> {
    by_id: HashMap<&'a str, &'a Report>,
    /// The reports that name each group.
    by_group: HashMap<&'a str, Vec<&'a Report>>,
    /// The fractions that later reports bill.
    billed_fractions: HashSet<FractionId>,
    /// By report and dimension, the usage of the groups that were sent in the report.
    used: HashMap<(*const Report, &'a str), Decimal>,
    /// By report, a group in it that was not read.
    unread: HashMap<*const Report, &'a str>,
    /// By report that names groups, one with usage that names the report, and is not among them.
    unnamed: HashMap<*const Report, &'a Group>,
}

impl<'a> ReportIndex<'a> {
    /// Creates the lookup of reports. `groups` are all of the reports, each once: a report states the sum of their usage. `fractions` are those of all
    /// reports of their entitlements.
    pub(super) fn new(reports: &'a [Report], fractions: Fractions, groups: impl Iterator<Item = &'a Group>) -> Self {
        let by_id: HashMap<_, _> = reports.iter().filter_map(|report| Some((id_in(&report.id)?, report))).collect();
        let nameless = reports.iter().filter(|report| id_in(&report.id).is_none());
        let mut by_group: HashMap<&str, Vec<&Report>> = HashMap::new();
        for report in by_id.values().copied().chain(nameless) {
            for group in report.info.iter().flat_map(|info| &info.usage_record_group_ids) {
                let reports = by_group.entry(group).or_default();
                if !reports.last().is_some_and(|last| ptr::eq(*last, report)) {
                    reports.push(report);
                }
            }
        }
        let (used, unread, unnamed) = (HashMap::new(), HashMap::new(), HashMap::new());
        let mut all = Self { by_id, by_group, billed_fractions: fractions.billed(), used, unread, unnamed };
        let mut read = HashSet::new();
        for group in groups {
            read.extend(id_in(&group.id));
            let Some(report) = all.report_of(group).filter(|_| group.status == Some(Status::Reported)) else {
                continue;
            };
            let has_usage = events(group).next().is_some() || group.records.values().any(|it| !it.0.is_zero());
            if has_usage && !all.names(report, group) {
                all.unnamed.entry(ptr::from_ref(report)).or_insert(group);
            }
            for (dimension, quantity) in &group.records {
                let used = all.used.entry((ptr::from_ref(report), dimension)).or_default();
                *used = used.saturating_add(quantity.0);
            }
        }
        for (group, reports) in all.by_group.iter().filter(|(group, _)| !read.contains(*group)) {
            for report in reports {
                let unread = all.unread.entry(ptr::from_ref(*report)).or_insert(group);
                *unread = (*unread).min(group);
            }
        }
        all
    }

    /// Returns the report that a group names, or the latest one that names the group, if possible one that is not void: a
    /// failed group may have been requeued.
    pub(super) fn report_of(&self, group: &Group) -> Option<&'a Report> {
        match id_in(&group.usage_record_report_id) {
            Some(id) => self.by_id.get(id).copied(),
            None => {
                let reports = self.by_group.get(id_in(&group.id)?)?.iter().copied();
                reports.max_by_key(|report| (is_valid(report), order(report), &report.id))
            }
        }
    }

    /// Returns a message about the fraction of a group's usage that a report leaves to the next one, if no later
    /// report has billed it.
    fn carried(&self, report: &Report, info: &Info, group: &Group, dimensions: &[&str]) -> Option<String> {
        dimensions.iter().find_map(|dimension| {
            group.records.get(*dimension).filter(|quantity| !quantity.0.is_zero())?;
            let part = carried_out(info, dimension)?;
            let is_billed = self.billed_fractions.contains(&FractionId::new(report, dimension));
            let reasons = || format!("Suger: {part} of {} left to the next report", printable(dimension));
            (!is_billed).then(reasons)
        })
    }

    /// Returns a message if a report bills other usage than that of its groups.
    fn contradiction(
        &self,
        report: &Report,
        info: &Info,
        partner: Option<&Partner>,
        dimensions: &[&str],
    ) -> Option<String> {
        dimensions.iter().find_map(|dimension| {
            let used = self.used.get(&(ptr::from_ref(report), *dimension))?;
            contradiction(info, partner, dimension, *used)
        })
    }

    /// Returns a message if another report that is not void, and that `counts`, contains a group as well.
    fn reported_again(&self, report: &Report, group: &Group, counts: impl Fn(&Report) -> bool) -> Option<String> {
        let mut reports = self.by_group.get(id_in(&group.id)?)?.iter();
        let other = reports.find(|other| !ptr::eq(**other, report) && is_valid(other) && counts(other))?;
        let other = other.id.as_deref().unwrap_or("without id");
        Some(format!("Suger: usage record report {} contains the same group", printable(other)))
    }

    /// Returns whether a report names a group. An empty list, which is optional, states nothing about the groups.
    fn names(&self, report: &Report, group: &Group) -> bool {
        let reports = id_in(&group.id).and_then(|id| self.by_group.get(id));
        report.info.as_ref().is_none_or(|info| info.usage_record_group_ids.is_empty())
            || reports.is_some_and(|reports| reports.iter().any(|listing| ptr::eq(*listing, report)))
    }

    /// Returns a message if the groups of a report are not known in full: the report may state the usage of others only.
    fn incomplete(&self, report: &Report, group: &Group) -> Option<String> {
        // A report that does not name one group may not name others either.
        if let Some(unnamed) = self.unnamed.get(&ptr::from_ref(report)) {
            return Some(format!("Suger: its usage record report does not name {}", name_of(unnamed)));
        }
        if is_of_another_entitlement(report, id_in(&group.entitlement_id)) {
            let entitlement = printable(report.entitlement_id.as_deref().unwrap_or_default());
            return Some(format!("Suger: its usage record report is of entitlement {entitlement}"));
        }
        let unread = self.unread.get(&ptr::from_ref(report))?;
        Some(format!("usage record group {} of the same report is not among those that were read", printable(unread)))
    }

    /// Returns the state of a dimension of a group, with the reasons against its billing.
    pub(super) fn state(&self, group: &Group, dimension: &str) -> (State, Vec<String>) {
        let is_used = |name: &str| group.records.get(name).is_some_and(|quantity| !quantity.0.is_zero());
        let mapped: Vec<&str> = match is_unmapped(group) && group.records.contains_key(dimension) {
            true => vec![dimension],
            // A dimension is mapped to one or several others, and maybe to itself as well; the group does not state
            // to which. A report need not mention unused ones.
            false => group.records.keys().map(String::as_str).filter(|name| is_used(name)).collect(),
        };
        let is_reported = group.status == Some(Status::Reported);
        if is_reported && mapped.is_empty() && events(group).next().is_none() {
            let reasons = "Suger: the group has no quantity after the dimension mapping";
            return (State::Pending, vec![reasons.to_owned()]);
        }
        let report = self.report_of(group).and_then(|report| Some((report, report.info.as_ref()?)));
        let is_unused = mapped == [dimension] && !is_used(dimension);
        let outcome = report.map(|(report, info)| {
            let partner = partner_of(report, group.partner.as_ref());
            match acceptance(info, partner, &mapped) {
                Acceptance::Pending(_) if is_unused && is_success(info) => (Acceptance::Accepted, None),
                acceptance => {
                    let contradiction = || self.contradiction(report, info, partner, &mapped);
                    let again = || self.reported_again(report, group, |_| true);
                    let carried = || self.carried(report, info, group, &mapped);
                    let open = self.incomplete(report, group).or_else(contradiction).or_else(again).or_else(carried);
                    (acceptance, open)
                }
            }
        });
        let (outcome, open) = outcome.unzip();
        // A report that rejects a part of the group may bill the rest. Without known dimensions, none is known to be rejected.
        let is_rejected = |other: &Report| {
            let Some(info) = &other.info else { return false };
            let partner = partner_of(other, group.partner.as_ref());
            let mut all = mapped.iter().map(|one| acceptance(info, partner, &[*one]));
            !mapped.is_empty() && all.all(|one| matches!(one, Acceptance::Rejected(_)))
        };
        let again = || self.reported_again(report?.0, group, |other| !is_rejected(other));
        match (&group.status, outcome) {
            (Some(Status::Reported), Some(Acceptance::Accepted)) => match open.flatten() {
                Some(reasons) => (State::Pending, vec![reasons]),
                None => (State::Billed, Vec::new()),
            },
            (Some(Status::Reported), Some(Acceptance::Pending(reasons))) => (State::Pending, reasons),
            // Another report may bill it. No source states how a group comes into a second report then, nor whether the
            // rejected usage is sent again.
            (Some(Status::Reported), Some(Acceptance::Rejected(reasons))) => match again() {
                Some(again) => (State::Pending, [reasons, vec![again]].concat()),
                None => (State::Failed, reasons),
            },
            (Some(Status::Reported), None) => {
                (State::Pending, vec!["its usage record report is not among those that were read".to_owned()])
            }
            // Requeued, it may be billed twice if a report was accepted.
            (Some(Status::ReportFailed), outcome) => {
                let mut reasons = match outcome {
                    Some(Acceptance::Rejected(reasons)) => reasons,
                    Some(Acceptance::Accepted) => vec!["Suger: REPORT_FAILED, but its report was accepted".to_owned()],
                    _ => vec!["Suger: REPORT_FAILED".to_owned()],
                };
                reasons.extend(again());
                (State::Failed, reasons)
            }
            (Some(Status::Created | Status::ReportPending | Status::Invalid | Status::Deleted), _) => {
                (State::Pending, Vec::new())
            }
            (status, _) => {
                let status = status.as_ref().map_or("none", |status| status.as_str());
                (State::Pending, vec![format!("Suger: the status {} is not known", printable(status))])
            }
        }
    }
}

/// Returns whether the marketplace may bill by a report.
fn is_valid(report: &Report) -> bool {
    !report.info.as_deref().is_some_and(is_void)
}
