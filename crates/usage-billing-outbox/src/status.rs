//! Whether usage is delivered: a pure function of the counts and times of a store.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::State;
use crate::store::Backlog;

/// How long a sender may be silent: several of its intervals.
const SILENCE: TimeDelta = TimeDelta::minutes(2);
/// How long events may wait while the vendor resolves none.
const NO_CONTACT: TimeDelta = TimeDelta::minutes(10);
/// Age of an hour's start at which it has to be reported.
const NOT_ROLLED_UP: TimeDelta = TimeDelta::hours(3);
/// How long no event may be enqueued: usage is reported by the hour.
const NO_USAGE: TimeDelta = TimeDelta::hours(2);

/// The state of an outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// When it was read.
    pub as_of: DateTime<Utc>,
    /// Whether there is no problem with the delivery. It says nothing about the producers: see [`Problem::NoUsage`].
    pub is_delivering: bool,
    /// Everything that needs attention.
    pub problems: Vec<Problem>,
    /// Counts and times.
    #[serde(flatten)]
    pub backlog: Backlog,
}

/// Something that needs attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Problem {
    /// No sender has looked for events for two minutes: it is not started, was stopped, or hangs.
    SenderNotRunning,
    /// Events wait, and the vendor has resolved none for ten minutes.
    VendorNotReached,
    /// Half of the window of an open event has passed.
    HalfOfWindowPassed,
    /// The deadline of an open event has passed.
    DeadlinePassed,
    /// Open events wait for an operator: they are not sent by themselves any more.
    WaitingForOperator,
    /// Events were rejected or have expired: their usage is not billed.
    NotBilled,
    /// Metered usage of an hour that ended two hours ago is not reported: nothing [rolls it up](crate::Outbox::roll_up).
    NotRolledUp,
    /// Nothing new was stored for two hours. Without another problem the delivery works: there is no usage, or its producers are broken.
    NoUsage,
}

impl Status {
    /// Concludes the status from the counts and times of a store at `now`.
    pub fn new(backlog: Backlog, now: DateTime<Utc>) -> Self {
        let count = |state| backlog.states.get(&state).copied().unwrap_or_default();
        let is_before = |time: Option<DateTime<Utc>>, limit: TimeDelta| time.is_none_or(|time| time < now - limit);
        let heartbeat = &backlog.heartbeat;
        let waiting_since = backlog.oldest_enqueued_at.filter(|since| *since < now - NO_CONTACT);
        let found = [
            (heartbeat.stopped_at.is_some() || is_before(heartbeat.beat_at, SILENCE), Problem::SenderNotRunning),
            (waiting_since.is_some() && is_before(heartbeat.contact_at, NO_CONTACT), Problem::VendorNotReached),
            (backlog.alarmed > 0, Problem::HalfOfWindowPassed),
            (backlog.overdue > 0, Problem::DeadlinePassed),
            (backlog.waiting_for_operator > 0, Problem::WaitingForOperator),
            (count(State::Rejected) + count(State::Expired) > 0, Problem::NotBilled),
            (backlog.oldest_open_hour.is_some_and(|hour| hour < now - NOT_ROLLED_UP), Problem::NotRolledUp),
            (is_before(backlog.enqueued_at, NO_USAGE), Problem::NoUsage),
        ];
        let problems: Vec<_> =
            found.into_iter().filter_map(|(is_found, problem)| is_found.then_some(problem)).collect();
        let is_delivering = problems.iter().all(|problem| matches!(problem, Problem::NoUsage | Problem::NotBilled));
        Self { as_of: now, is_delivering, problems, backlog }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Heartbeat;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + 60 * minutes, 0).unwrap()
    }

    /// A sender that works, with usage.
    fn good() -> Backlog {
        let heartbeat =
            Heartbeat { started_at: Some(at(0)), beat_at: Some(at(999)), contact_at: Some(at(999)), stopped_at: None };
        Backlog { enqueued_at: Some(at(999)), heartbeat, ..Backlog::default() }
    }

    #[test]
    fn each_problem_has_its_own_cause() {
        type Case = (fn(&mut Backlog), &'static [Problem]);
        let cases: [Case; 13] = [
            (|_| {}, &[]),
            (|it| it.heartbeat.beat_at = Some(at(997)), &[Problem::SenderNotRunning]),
            (|it| it.heartbeat.stopped_at = Some(at(999)), &[Problem::SenderNotRunning]),
            (|it| it.heartbeat = Heartbeat::default(), &[Problem::SenderNotRunning]),
            (|it| it.heartbeat.contact_at = Some(at(0)), &[]),
            (|it| it.oldest_enqueued_at = Some(at(0)), &[]),
            (
                |it| (it.heartbeat.contact_at, it.oldest_enqueued_at) = (Some(at(0)), Some(at(900))),
                &[Problem::VendorNotReached],
            ),
            (|it| it.alarmed = 1, &[Problem::HalfOfWindowPassed]),
            (|it| (it.alarmed, it.overdue) = (1, 1), &[Problem::HalfOfWindowPassed, Problem::DeadlinePassed]),
            (|it| it.waiting_for_operator = 1, &[Problem::WaitingForOperator]),
            (|it| it.states = [(State::Expired, 1)].into(), &[Problem::NotBilled]),
            (|it| it.oldest_open_hour = Some(at(819)), &[Problem::NotRolledUp]),
            (|it| it.enqueued_at = Some(at(100)), &[Problem::NoUsage]),
        ];
        for (change, problems) in cases {
            let mut backlog = good();
            change(&mut backlog);
            assert_eq!(Status::new(backlog.clone(), at(1000)).problems, problems, "{backlog:?}");
        }
    }

    #[test]
    fn no_usage_differs_from_broken_metering() {
        let silent = Backlog { enqueued_at: None, ..good() };
        assert!(Status::new(silent.clone(), at(1000)).is_delivering);
        let stopped = Backlog { heartbeat: Heartbeat::default(), ..silent };
        assert!(!Status::new(stopped, at(1000)).is_delivering);
    }
}
