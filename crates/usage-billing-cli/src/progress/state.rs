//! The activities and what they wait for.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;
use usage_billing::printable;

use crate::terminal::count;

/// A line is printed where nothing is drawn if an activity takes this time, and again after it.
const OVERDUE: Duration = Duration::from_secs(30);

pub(super) struct State {
    next_id: u64,
    activities: BTreeMap<u64, Activity>,
    parts: usize,
    parts_done: usize,
    rows: usize,
}

struct Activity {
    name: String,
    started: Instant,
    reported: Instant,
    responses: usize,
    /// The requests that have no response yet, in the order in which they were sent: operation, time, and the delay before another attempt.
    awaited: Vec<Request>,
}

struct Request {
    id: u64,
    operation: String,
    since: Instant,
    retry: Option<(u64, Duration)>,
}

impl State {
    pub(super) const fn new() -> Self {
        Self { next_id: 0, activities: BTreeMap::new(), parts: 0, parts_done: 0, rows: 0 }
    }

    pub(super) fn set_parts(&mut self, parts: usize) {
        self.parts = parts;
    }

    pub(super) fn part_done(&mut self, rows: usize) {
        self.parts_done += 1;
        self.rows += rows;
    }

    pub(super) fn start(&mut self, name: &str, now: Instant) -> u64 {
        self.next_id += 1;
        let name = printable(name).to_string();
        let activity = Activity { name, started: now, reported: now, responses: 0, awaited: Vec::new() };
        self.activities.insert(self.next_id, activity);
        self.next_id
    }

    pub(super) fn end(&mut self, activity: u64) {
        self.activities.remove(&activity);
    }

    pub(super) fn sent(&mut self, activity: u64, request: u64, operation: &str, now: Instant) {
        if let Some(activity) = self.activities.get_mut(&activity) {
            let operation = operation.to_owned();
            activity.awaited.push(Request { id: request, operation, since: now, retry: None });
        }
    }

    /// Notes that a request is sent again after a delay.
    pub(super) fn failed(&mut self, activity: u64, request: u64, attempts: u64, delay: Duration) {
        let awaited = self.activities.get_mut(&activity).into_iter().flat_map(|activity| &mut activity.awaited);
        awaited.filter(|one| one.id == request).for_each(|one| one.retry = Some((attempts, delay)));
    }

    pub(super) fn ended(&mut self, activity: u64, request: u64) {
        if let Some(activity) = self.activities.get_mut(&activity) {
            activity.awaited.retain(|one| one.id != request);
            activity.responses += 1;
        }
    }

    /// Returns a line for each activity, and one for the whole.
    pub(super) fn lines(&self, now: Instant) -> Vec<String> {
        let mut lines: Vec<_> = self.activities.values().map(|activity| activity.line(now)).collect();
        if self.parts > 1 {
            lines.push(format!("{} of {}, {}", self.parts_done, count(self.parts, "month"), count(self.rows, "row")));
        }
        lines
    }

    /// Returns the lines of activities of which nothing was printed for long.
    pub(super) fn overdue_lines(&mut self, now: Instant) -> Vec<String> {
        let overdue = self.activities.values_mut().filter(|activity| now - activity.reported >= OVERDUE);
        let report = |activity: &mut Activity| {
            activity.reported = now;
            activity.line(now)
        };
        overdue.map(report).collect()
    }
}

impl Activity {
    fn line(&self, now: Instant) -> String {
        let (name, total) = (&self.name, seconds(now - self.started));
        let responses = count(self.responses, "response");
        let Some(oldest) = self.awaited.first() else {
            return format!("{name}: {responses} in {total}");
        };
        let retry = match oldest.retry {
            Some((attempts, delay)) => {
                format!(", {} failed, next after {}", count(attempts as usize, "attempt"), seconds(delay))
            }
            None => String::new(),
        };
        let waited = seconds(now - oldest.since);
        format!("{name}: waiting for {} for {waited}{retry}; {responses} in {total}", oldest.operation)
    }
}

fn seconds(duration: Duration) -> String {
    match (duration.as_secs() / 60, duration.as_secs() % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_lines_name_the_call_and_its_duration() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut state = State::new();
        state.set_parts(3);
        let id = state.start("acronis 2026-10", at(0));
        assert_eq!(state.lines(at(1)), ["acronis 2026-10: 0 responses in 1 s", "0 of 3 months, 0 rows"]);
        state.sent(id, 7, "getReport", at(1));
        state.sent(id, 8, "listTenants", at(2));
        state.failed(id, 7, 1, Duration::from_secs(90));
        let line = "acronis 2026-10: waiting for getReport for 2 s, 1 attempt failed, next after 1 min 30 s; 0 responses in 3 s";
        assert_eq!(state.lines(at(3))[0], line);
        state.ended(id, 7);
        let line = "acronis 2026-10: waiting for listTenants for 2 min 3 s; 1 response in 2 min 5 s";
        assert_eq!(state.lines(at(125))[0], line);
        state.end(id);
        state.ended(id, 8);
        state.part_done(12);
        assert_eq!(state.lines(at(126)), ["1 of 3 months, 12 rows"]);
    }

    #[test]
    fn plain_line_is_printed_every_half_minute() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut state = State::new();
        let id = state.start("suger 2026-10", at(0));
        state.sent(id, 1, "listEntitlements", at(0));
        let printed: Vec<_> = (0..100).filter(|second| !state.overdue_lines(at(*second)).is_empty()).collect();
        assert_eq!(printed, [30, 60, 90]);
    }
}
