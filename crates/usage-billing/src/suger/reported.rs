//! What usage record reports say of the groups in them.

use std::collections::HashMap;

use usage_billing_core::printable;

use super::groups::id_in;
use super::marketplace::{Acceptance, acceptance};
use super::reconciliation::State;
use super::types::{
    MeteringUsageRecordGroup as Group, MeteringUsageRecordReport as Report, UsageRecordGroupStatus as Status,
};

/// Usage record reports by their own ids, and by the groups in them.
pub(super) struct Reported<'a> {
    by_id: HashMap<&'a str, &'a Report>,
    /// The latest one of each group: one that failed may have been put back.
    by_group: HashMap<&'a str, &'a Report>,
}

impl<'a> Reported<'a> {
    pub(super) fn new(reports: &'a [Report]) -> Self {
        let mut by_group: HashMap<&str, &Report> = HashMap::new();
        for report in reports {
            for group in report.info.iter().flat_map(|info| &info.usage_record_group_ids) {
                let latest = by_group.entry(group).or_insert(report);
                if report.creation_time > latest.creation_time {
                    *latest = report;
                }
            }
        }
        Self { by_id: reports.iter().filter_map(|report| Some((id_in(&report.id)?, report))).collect(), by_group }
    }

    /// The report that a group names, or the latest one that names the group.
    pub(super) fn of(&self, group: &Group) -> Option<&'a Report> {
        match id_in(&group.usage_record_report_id) {
            Some(id) => self.by_id.get(id).copied(),
            None => self.by_group.get(id_in(&group.id)?).copied(),
        }
    }

    /// What became of a dimension of a group, with the words against it.
    pub(super) fn state(&self, group: &Group, dimension: &str) -> (State, Vec<String>) {
        let mapped: Vec<&str> = match group.records.contains_key(dimension) {
            true => vec![dimension],
            // What it was mapped to is not stated.
            false => group.records.keys().map(String::as_str).collect(),
        };
        let outcome = self.of(group).and_then(|report| report.info.as_ref()).map(|info| acceptance(info, &mapped));
        match (&group.status, outcome) {
            (Some(Status::Reported), Some(Acceptance::Accepted)) => (State::Billed, Vec::new()),
            (Some(Status::Reported), Some(Acceptance::Pending(words))) => (State::Pending, words),
            (Some(Status::Reported), Some(Acceptance::Refused(words))) => (State::Failed, words),
            (Some(Status::Reported), None) => {
                (State::Pending, vec!["its usage record report is not among those that were read".to_owned()])
            }
            (Some(Status::ReportFailed), Some(Acceptance::Refused(words))) => (State::Failed, words),
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
