//! Outcomes of groups according to the usage record reports that contain them.

use std::collections::{HashMap, HashSet};

use usage_billing_core::{Decimal, printable};

use super::carried::{Billings, carried_in, carried_out, start_of};
use super::groups::{events, id_in};
use super::marketplace::{Acceptance, acceptance, is_success, partner_of};
use super::quantities::is_unmapped;
use super::reconciliation::State;
use super::report_quantities::unstated;
use super::types::{
    MeteringUsageRecordGroup as Group, MeteringUsageRecordReport as Report, MeteringUsageRecordReportInfo as Info,
    UsageRecordGroupStatus as Status,
};

/// Usage record reports by their own ids, and by the groups that they contain.
pub(super) struct Reported<'a> {
    by_id: HashMap<&'a str, &'a Report>,
    /// The latest report of each group: a failed group may have been requeued.
    by_group: HashMap<&'a str, &'a Report>,
    /// By entitlement and dimension, the reports that bill fractions of earlier ones.
    billings: HashMap<(&'a str, &'a str), Billings>,
    /// By report and dimension, the usage of the groups that were sent in the report.
    used: HashMap<(*const Report, &'a str), Decimal>,
    /// Ids of the groups.
    read: HashSet<&'a str>,
}

impl<'a> Reported<'a> {
    /// `groups` are all of the reports, each once: a report states the sum of their usage.
    pub(super) fn new(reports: &'a [Report], groups: impl Iterator<Item = &'a Group>) -> Self {
        let mut by_group: HashMap<&str, &Report> = HashMap::new();
        let mut billings: HashMap<_, Billings> = HashMap::new();
        for report in reports {
            if let (Some(start), Some(info)) = (start_of(report), &report.info) {
                for (dimension, is_accepted) in carried_in(report, info) {
                    let key = (report.entitlement_id.as_deref().unwrap_or_default(), dimension);
                    billings.entry(key).or_default().add(start, is_accepted);
                }
            }
            for group in report.info.iter().flat_map(|info| &info.usage_record_group_ids) {
                let latest = by_group.entry(group).or_insert(report);
                if report.creation_time > latest.creation_time {
                    *latest = report;
                }
            }
        }
        let mut all = Self {
            by_id: reports.iter().filter_map(|report| Some((id_in(&report.id)?, report))).collect(),
            by_group,
            billings,
            used: HashMap::new(),
            read: HashSet::new(),
        };
        for group in groups {
            all.read.extend(id_in(&group.id));
            let Some(report) = all.of(group).filter(|_| group.status == Some(Status::Reported)) else { continue };
            for (dimension, quantity) in &group.records {
                let used = all.used.entry((std::ptr::from_ref(report), dimension)).or_default();
                *used = used.saturating_add(quantity.0);
            }
        }
        all
    }

    /// Returns the report that a group names, or the latest one that names the group.
    pub(super) fn of(&self, group: &Group) -> Option<&'a Report> {
        match id_in(&group.usage_record_report_id) {
            Some(id) => self.by_id.get(id).copied(),
            None => self.by_group.get(id_in(&group.id)?).copied(),
        }
    }

    /// Returns a message about the fraction of a group's usage that a report leaves to the next one, if no later
    /// report has billed it.
    fn carried(&self, report: &Report, info: &Info, group: &Group, dimensions: &[&str]) -> Option<String> {
        let entitlement = report.entitlement_id.as_deref().unwrap_or_default();
        dimensions.iter().find_map(|dimension| {
            group.records.get(*dimension).filter(|quantity| !quantity.0.is_zero())?;
            let part = carried_out(info, dimension)?;
            let billings = self.billings.get(&(entitlement, *dimension));
            let is_billed =
                billings.zip(start_of(report)).is_some_and(|(billings, start)| billings.is_billed_after(start));
            let reasons = || format!("Suger: {part} of {} left to the next report", printable(dimension));
            (!is_billed).then(reasons)
        })
    }

    /// Returns a message about usage of the groups of a report that the report does not state.
    fn unstated(&self, report: &Report, info: &Info, dimensions: &[&str]) -> Option<String> {
        dimensions.iter().find_map(|dimension| {
            let used = self.used.get(&(std::ptr::from_ref(report), *dimension))?;
            let part = unstated(info, dimension, *used)?;
            Some(format!(
                "Suger: {part} of {used} {} in the groups of the report is not in the report",
                printable(dimension)
            ))
        })
    }

    /// Returns a message about a group of a report that was not read. The report may state the usage of that one only.
    fn unread(&self, info: &Info) -> Option<String> {
        let unread = info.usage_record_group_ids.iter().find(|id| !self.read.contains(id.as_str()))?;
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
        let report = self.of(group).and_then(|report| Some((report, report.info.as_ref()?)));
        let is_unused = mapped == [dimension] && !is_used(dimension);
        let outcome = report.map(|(report, info)| {
            let partner = partner_of(report, group.partner.as_ref());
            match acceptance(info, partner, &mapped) {
                Acceptance::Pending(_) if is_unused && is_success(info) => (Acceptance::Accepted, None),
                acceptance => {
                    let carried = || self.carried(report, info, group, &mapped);
                    (acceptance, self.unread(info).or_else(|| self.unstated(report, info, &mapped)).or_else(carried))
                }
            }
        });
        let (outcome, open) = outcome.unzip();
        match (&group.status, outcome) {
            (Some(Status::Reported), Some(Acceptance::Accepted)) => match open.flatten() {
                Some(reasons) => (State::Pending, vec![reasons]),
                None => (State::Billed, Vec::new()),
            },
            (Some(Status::Reported), Some(Acceptance::Pending(reasons))) => (State::Pending, reasons),
            (Some(Status::Reported), Some(Acceptance::Rejected(reasons))) => (State::Failed, reasons),
            (Some(Status::Reported), None) => {
                (State::Pending, vec!["its usage record report is not among those that were read".to_owned()])
            }
            (Some(Status::ReportFailed), Some(Acceptance::Rejected(reasons))) => (State::Failed, reasons),
            (Some(Status::ReportFailed), _) => (State::Failed, vec!["Suger: REPORT_FAILED".to_owned()]),
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
