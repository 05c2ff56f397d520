//! The times at which the files of a report are built: once, or on the first of each month.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use usage_billing_acronis::types::{Report, ReportFormat, ReportParameters, ReportPeriod, ReportScheduleType};
use uuid::Uuid;

use crate::dataset::{days_before, midnight, month_of, months_after, months_before};

/// Number of files of a schedule that are kept.
const MAX_RUNS: usize = 36;

/// A report, the times of its files, and its polls.
#[derive(Clone)]
pub(super) struct ScheduledReport {
    pub(super) report: Report,
    /// Oldest first.
    pub(super) runs: Vec<DateTime<Utc>>,
    /// Polls since the last run.
    pub(super) polls: u32,
    /// Time up to which the runs are known.
    until: DateTime<Utc>,
}

impl ScheduledReport {
    pub(super) fn new(report: Report, now: DateTime<Utc>) -> Self {
        let mut stored = Self { report, runs: Vec::new(), polls: 0, until: now };
        stored.advance(now);
        stored
    }

    /// Adds the runs that are due, unless the schedule is disabled.
    pub(super) fn advance(&mut self, now: DateTime<Utc>) {
        let since = self.until;
        self.until = now.max(since);
        let schedule = self.report.schedule.as_ref();
        if schedule.is_none_or(|schedule| schedule.type_ == ReportScheduleType::Once) {
            // A report for a later day is built at its beginning.
            let day = midnight(self.report.generation_date);
            if self.runs.is_empty() && day <= now {
                self.runs.push(since.max(day));
            }
        } else if schedule.is_some_and(|schedule| schedule.enabled) {
            let before = self.runs.len();
            self.runs.extend(monthly(since, now));
            if self.runs.len() > before {
                self.polls = 0;
            }
            let excess = self.runs.len().saturating_sub(MAX_RUNS);
            self.runs.drain(..excess);
        }
    }

    /// Returns the parameters of a run. Inferred: a schedule reports the month before.
    pub(super) fn parameters(&self, run: DateTime<Utc>) -> ReportParameters {
        let mut parameters = self.report.parameters.clone();
        if self.is_monthly() {
            let this = month_of(run.date_naive());
            parameters.period = ReportPeriod { start: months_before(this, 1), end: days_before(this, 1) };
        }
        parameters
    }

    pub(super) fn file_id(&self, run: DateTime<Utc>, format: &ReportFormat) -> Uuid {
        let name = match self.is_monthly() {
            true => format!("{}/{}", format.as_str(), run.date_naive()),
            false => format.as_str().to_owned(),
        };
        Uuid::new_v5(&self.report.id, name.as_bytes())
    }

    fn is_monthly(&self) -> bool {
        self.report.schedule.as_ref().is_some_and(|schedule| schedule.type_ == ReportScheduleType::Monthly)
    }
}

/// Iterates over the runs of a period, at most the last ones: "On day 1 of each month at 23:59:59 UTC".
fn monthly(after: DateTime<Utc>, until: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
    let most = u32::try_from(MAX_RUNS).unwrap_or(u32::MAX);
    let first: NaiveDate = month_of(after.date_naive()).max(months_before(month_of(until.date_naive()), most));
    (0..=most)
        .map(move |months| midnight(months_after(first, months)) + TimeDelta::seconds(86_399))
        .filter(move |run| (after..=until).contains(run) && *run != after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn month_has_one_run_at_the_end_of_its_first_day() {
        let time = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let runs =
            |after, until| -> Vec<String> { monthly(time(after), time(until)).map(|run| run.to_rfc3339()).collect() };
        let december = "2026-12-01T23:59:59+00:00";
        assert_eq!(runs("2026-11-21T12:00:00Z", "2026-12-01T23:59:59Z"), [december]);
        assert_eq!(runs("2026-12-01T23:59:59Z", "2026-12-31T00:00:00Z"), [""; 0]);
        assert_eq!(runs("2026-12-01T12:00:00Z", "2027-01-15T00:00:00Z"), [december, "2027-01-01T23:59:59+00:00"]);
        assert!(runs("2016-01-01T00:00:00Z", "2026-12-31T00:00:00Z").len() <= MAX_RUNS + 1);
    }
}
