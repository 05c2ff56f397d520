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
    /// Since when the sender of this process cannot use the store, and why.
    pub store_failure: Option<StoreFailure>,
    /// Whether there is no problem with the delivery. It states nothing about the producers: see [`Problem::NoUsage`].
    pub is_delivering: bool,
    /// Everything that needs attention.
    pub problems: Vec<Problem>,
    /// Counts and times.
    #[serde(flatten)]
    pub backlog: Backlog,
}

/// A store that fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StoreFailure {
    /// When it failed first, after it worked.
    pub since: DateTime<Utc>,
    /// The latest reason.
    pub message: String,
}

/// Something that needs attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Problem {
    /// The sender of this process cannot read or write the store, and tries again. In another process, this is [`SenderNotRunning`](Self::SenderNotRunning).
    StoreFails,
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

impl Problem {
    /// All problems.
    pub const ALL: [Self; 9] = [
        Self::StoreFails,
        Self::SenderNotRunning,
        Self::VendorNotReached,
        Self::HalfOfWindowPassed,
        Self::DeadlinePassed,
        Self::WaitingForOperator,
        Self::NotBilled,
        Self::NotRolledUp,
        Self::NoUsage,
    ];

    /// Returns the name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StoreFails => "store_fails",
            Self::SenderNotRunning => "sender_not_running",
            Self::VendorNotReached => "vendor_not_reached",
            Self::HalfOfWindowPassed => "half_of_window_passed",
            Self::DeadlinePassed => "deadline_passed",
            Self::WaitingForOperator => "waiting_for_operator",
            Self::NotBilled => "not_billed",
            Self::NotRolledUp => "not_rolled_up",
            Self::NoUsage => "no_usage",
        }
    }

    /// Returns what it means, and what to do.
    pub fn advice(self) -> &'static str {
        match self {
            Self::StoreFails => "the sender cannot use the store: check the disk, the database and their limits",
            Self::SenderNotRunning => {
                "no sender has looked for events for two minutes: start it, or read its log for errors of the store"
            }
            Self::VendorNotReached => {
                "events wait, and Suger has resolved none for ten minutes: read the latest failures, check the network and the API key"
            }
            Self::HalfOfWindowPassed => {
                "half of the time in which a marketplace accepts usage has passed: read the failures of its entitlement"
            }
            Self::DeadlinePassed => {
                "usage is older than its marketplace accepts, and may not be billed: settle it with the buyer if it expires"
            }
            Self::WaitingForOperator => "events are not sent any more: read their failures, then requeue them",
            Self::NotBilled => {
                "events were rejected or have expired: fix the cause and requeue them, or resolve them with a reason"
            }
            Self::NotRolledUp => {
                "metered usage of an hour that ended two hours ago is not reported: run a sender with hourly reports"
            }
            Self::NoUsage => "nothing new was stored for two hours: if there is usage, its producers are broken",
        }
    }

    /// Returns whether usage is not delivered. Otherwise the delivery works, and something else needs attention.
    pub fn is_of_delivery(self) -> bool {
        !matches!(self, Self::NoUsage | Self::NotBilled)
    }
}

impl Status {
    /// Concludes the status from the counts and times of a store at `now`.
    pub fn new(backlog: Backlog, store_failure: Option<StoreFailure>, now: DateTime<Utc>) -> Self {
        let count = |state| backlog.states.get(&state).copied().unwrap_or_default();
        let is_before = |time: Option<DateTime<Utc>>, limit: TimeDelta| time.is_none_or(|time| time < now - limit);
        let heartbeat = &backlog.heartbeat;
        let waiting_since = backlog.oldest_enqueued_at.filter(|since| *since < now - NO_CONTACT);
        let found = [
            (store_failure.is_some(), Problem::StoreFails),
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
        let is_delivering = !problems.iter().any(|problem| problem.is_of_delivery());
        Self { as_of: now, store_failure, is_delivering, problems, backlog }
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
            assert_eq!(Status::new(backlog.clone(), None, at(1000)).problems, problems, "{backlog:?}");
        }
    }

    #[test]
    fn no_usage_differs_from_broken_metering() {
        let silent = Backlog { enqueued_at: None, ..good() };
        assert!(Status::new(silent.clone(), None, at(1000)).is_delivering);
        let stopped = Backlog { heartbeat: Heartbeat::default(), ..silent };
        assert!(!Status::new(stopped, None, at(1000)).is_delivering);
    }

    #[test]
    fn store_that_fails_is_a_problem_of_the_delivery() {
        let failure = StoreFailure { since: at(900), message: "the disk is full".to_owned() };
        let status = Status::new(good(), Some(failure), at(1000));
        assert_eq!((status.problems, status.is_delivering), (vec![Problem::StoreFails], false));
    }

    #[test]
    fn name_of_a_problem_is_that_of_its_json() {
        for problem in Problem::ALL {
            assert_eq!(serde_json::to_value(problem).unwrap(), problem.as_str());
        }
    }
}
