//! The delivery of one event: a state machine of pure functions. Stores read a [`Progress`], apply a step, and write the result.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use usage_billing::suger::MAX_PROCESSING_TIME;

use crate::State;
use crate::retry::{GIVE_UP, LONGEST, delay};

/// How far the delivery of an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The state.
    pub state: State,
    /// Number of attempts that ended, with or without a result.
    pub attempts: u32,
    /// When the next attempt is due. `None` in a final state, while it is leased, and for an event that waits for an operator.
    pub ready_at: Option<DateTime<Utc>>,
    /// Whether an attempt without a result may have reached the vendor.
    pub may_have_arrived: bool,
    /// Until when such an attempt may still arrive. Until then, a rejection is not final.
    pub may_arrive_until: Option<DateTime<Utc>>,
    /// The lease of the sender that sends it.
    pub lease: Option<Lease>,
}

/// The right of one sender to send some events for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Fencing token: grows with each lease of a store. A result under another token than that of the event is ignored.
    pub token: i64,
    /// When it was taken.
    pub since: DateTime<Utc>,
    /// When another sender may take the event. Its owner sends nothing afterwards.
    pub until: DateTime<Utc>,
}

/// The result of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The response or the list proves this delivery.
    Delivered,
    /// The list proves a delivery.
    AlreadyDelivered,
    /// The vendor lists the key as unusable: `INVALID`, deleted, or with other usage.
    IdConsumed,
    /// The vendor rejects the event and does not list it.
    Rejected,
    /// The marketplace accepts no usage of this age, and the vendor does not list it.
    Expired,
    /// No attempt left this process.
    NotSent,
    /// Anything else.
    Unknown,
    /// The lease ended without a result, as after a crash.
    Abandoned,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 8] = [
        Self::Delivered,
        Self::AlreadyDelivered,
        Self::IdConsumed,
        Self::Rejected,
        Self::Expired,
        Self::NotSent,
        Self::Unknown,
        Self::Abandoned,
    ];

    /// Returns the name, as in databases and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::AlreadyDelivered => "already_delivered",
            Self::IdConsumed => "id_consumed",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::NotSent => "not_sent",
            Self::Unknown => "unknown",
            Self::Abandoned => "abandoned",
        }
    }
}

impl Progress {
    /// Returns the progress of a new event that is due at `ready_at`.
    pub fn new(ready_at: DateTime<Utc>) -> Self {
        let (state, ready_at) = (State::Pending, Some(ready_at));
        Self { state, attempts: 0, ready_at, may_have_arrived: false, may_arrive_until: None, lease: None }
    }

    /// Leases the event, or returns `None` if it is not due. A delay that is longer than any other is one of a clock that has moved back
    /// since, and has ended.
    pub fn lease(self, lease: Lease) -> Option<Self> {
        let (now, moved) = (lease.since, latest_delay(lease.since));
        let is_due = self.ready_at.is_some_and(|ready_at| ready_at <= now || moved < ready_at);
        let is_open = matches!(self.state, State::Pending | State::Unknown);
        (is_due && is_open).then_some(Self { state: State::Sending, ready_at: None, lease: Some(lease), ..self })
    }

    /// Returns whether the lease has ended without a result.
    pub fn is_abandoned(&self, now: DateTime<Utc>) -> bool {
        self.lease.is_some_and(|lease| lease.until <= now)
    }

    /// Ends the lease of a sender that is dead or late. The event may have been sent, and is sent again at once: with the same key and bytes.
    pub fn abandon(self, deadline: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        let Some(lease) = self.lease else { return self };
        let next = self.settle(lease.token, Outcome::Abandoned, None, deadline, now).unwrap_or(self);
        Self { ready_at: next.ready_at.map(|_| now), ..next }
    }

    /// Applies the result of an attempt under the lease `token`, and returns `None` if that lease has ended: another sender has the event, or
    /// it has a result. `retry_after` is the delay that the vendor requested.
    pub fn settle(
        self,
        token: i64,
        outcome: Outcome,
        retry_after: Option<Duration>,
        deadline: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        self.lease.filter(|lease| lease.token == token)?;
        let attempts = self.attempts.saturating_add(1);
        let ended = Self { attempts, lease: None, ready_at: None, ..self };
        let is_past_deadline = deadline <= now;
        let again = after(now, delay(attempts, is_past_deadline).max(retry_after.unwrap_or_default().min(LONGEST)));
        // Without an operator, attempts end some time after the deadline.
        let again = (now < after(deadline, GIVE_UP)).then_some(again);
        let is_arriving = self.may_arrive_until.is_some_and(|end| now < end);
        Some(match outcome {
            Outcome::Delivered => Self { state: State::Delivered, ..ended },
            Outcome::AlreadyDelivered => Self { state: State::AlreadyDelivered, ..ended },
            Outcome::IdConsumed => Self { state: State::Rejected, ..ended },
            // An attempt of another sender may still arrive: its absence from the list proves nothing yet.
            Outcome::Rejected | Outcome::Expired if is_arriving => {
                Self { state: State::Unknown, ready_at: self.may_arrive_until, ..ended }
            }
            Outcome::Rejected => Self { state: State::Rejected, ..ended },
            Outcome::Expired => Self { state: State::Expired, ..ended },
            Outcome::NotSent if !self.may_have_arrived => Self { state: State::Pending, ready_at: again, ..ended },
            Outcome::NotSent => Self { state: State::Unknown, ready_at: again, ..ended },
            Outcome::Unknown | Outcome::Abandoned => Self {
                state: State::Unknown,
                ready_at: again,
                may_have_arrived: true,
                may_arrive_until: self.may_arrive_until.max(Some(after(now, MAX_PROCESSING_TIME))),
                ..ended
            },
        })
    }

    /// Makes an event due at once for an operator, or returns `None` if it is delivered, resolved or being sent.
    pub fn requeue(self, now: DateTime<Utc>) -> Option<Self> {
        let state = if self.may_have_arrived { State::Unknown } else { State::Pending };
        self.state.can_be_requeued().then_some(Self { state, ready_at: Some(now), ..self })
    }

    /// Ends an event that is billed otherwise, or returns `None` unless it was rejected or has expired.
    pub fn resolve(self) -> Option<Self> {
        self.state.can_be_resolved().then_some(Self { state: State::Resolved, ..self })
    }

    /// Returns whether only an operator can continue the delivery.
    pub fn waits_for_operator(&self) -> bool {
        !self.state.is_final() && self.lease.is_none() && self.ready_at.is_none()
    }
}

/// Returns the end of the longest delay that begins at `now`.
pub(crate) fn latest_delay(now: DateTime<Utc>) -> DateTime<Utc> {
    after(now, LONGEST)
}

/// Returns the time after a delay.
fn after(time: DateTime<Utc>, delay: Duration) -> DateTime<Utc> {
    let delay = TimeDelta::from_std(delay).unwrap_or(TimeDelta::MAX);
    time.checked_add_signed(delay).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    const DEADLINE: i64 = 6 * 3600;

    fn lease(token: i64, since: i64) -> Lease {
        Lease { token, since: at(since), until: at(since + 60) }
    }

    fn leased(token: i64, since: i64) -> Progress {
        Progress::new(at(since)).lease(lease(token, since)).unwrap()
    }

    fn settled(outcome: Outcome) -> Progress {
        leased(1, 0).settle(1, outcome, None, at(DEADLINE), at(10)).unwrap()
    }

    #[test]
    fn outcome_decides_the_state_and_the_next_attempt() {
        for (outcome, state, ready_at) in [
            (Outcome::Delivered, State::Delivered, None),
            (Outcome::AlreadyDelivered, State::AlreadyDelivered, None),
            (Outcome::IdConsumed, State::Rejected, None),
            (Outcome::Rejected, State::Rejected, None),
            (Outcome::Expired, State::Expired, None),
            (Outcome::NotSent, State::Pending, Some(at(25))),
            (Outcome::Unknown, State::Unknown, Some(at(25))),
            (Outcome::Abandoned, State::Unknown, Some(at(25))),
        ] {
            let found = settled(outcome);
            assert_eq!(
                (found.state, found.ready_at, found.attempts, found.lease),
                (state, ready_at, 1, None),
                "{outcome:?}"
            );
            assert_eq!(found.state.is_final(), ready_at.is_none(), "{outcome:?}");
        }
    }

    #[test]
    fn result_under_another_token_is_ignored() {
        for outcome in Outcome::ALL {
            assert_eq!(leased(2, 0).settle(1, outcome, None, at(DEADLINE), at(10)), None);
            assert_eq!(settled(outcome).settle(1, outcome, None, at(DEADLINE), at(10)), None, "settled twice");
        }
    }

    #[test]
    fn leased_event_is_not_leased_again() {
        assert_eq!(leased(1, 0).lease(lease(2, 100)), None);
        assert_eq!(settled(Outcome::Unknown).lease(lease(2, 24)), None, "it is not due");
        assert!(settled(Outcome::Unknown).lease(lease(2, 25)).is_some());
        assert_eq!(settled(Outcome::Delivered).lease(lease(2, 1_000_000)), None);
    }

    #[test]
    fn rejection_is_final_only_when_no_earlier_attempt_may_arrive() {
        let abandoned = leased(1, 0).abandon(at(DEADLINE), at(20));
        assert_eq!((abandoned.state, abandoned.ready_at), (State::Unknown, Some(at(20))));
        let again = |since| abandoned.lease(lease(2, since)).unwrap();
        for outcome in [Outcome::Rejected, Outcome::Expired] {
            let open = again(21).settle(2, outcome, None, at(DEADLINE), at(22)).unwrap();
            assert_eq!((open.state, open.ready_at), (State::Unknown, Some(at(20 + 300))), "{outcome:?}");
            let settled = open.lease(lease(3, 320)).unwrap().settle(3, outcome, None, at(DEADLINE), at(321)).unwrap();
            assert!(settled.state.is_final(), "{outcome:?}");
        }
        let consumed = again(21).settle(2, Outcome::IdConsumed, None, at(DEADLINE), at(22)).unwrap();
        assert_eq!(consumed.state, State::Rejected, "the list proves it");
    }

    #[test]
    fn attempt_of_a_dead_sender_may_arrive_for_five_minutes() {
        let late = leased(1, 0).abandon(at(DEADLINE), at(1000));
        assert_eq!(late.may_arrive_until, Some(at(1000 + 300)));
        assert!(leased(1, 0).is_abandoned(at(60)) && !leased(1, 0).is_abandoned(at(59)));
    }

    #[test]
    fn event_that_may_have_arrived_is_never_pending_again() {
        let unknown = settled(Outcome::Unknown);
        let not_sent =
            unknown.lease(lease(2, 30)).unwrap().settle(2, Outcome::NotSent, None, at(DEADLINE), at(31)).unwrap();
        assert_eq!((not_sent.state, unknown.requeue(at(40)).unwrap().state), (State::Unknown, State::Unknown));
        assert_eq!(settled(Outcome::Rejected).requeue(at(40)).unwrap().state, State::Pending);
        assert_eq!(settled(Outcome::Delivered).requeue(at(40)), None);
        assert_eq!(leased(1, 0).requeue(at(40)), None);
    }

    #[test]
    fn only_rejected_and_expired_events_are_resolved() {
        for state in State::ALL {
            let resolved = Progress { state, ..settled(Outcome::Rejected) }.resolve().map(|progress| progress.state);
            let is_unbilled = matches!(state, State::Rejected | State::Expired);
            assert_eq!(resolved, is_unbilled.then_some(State::Resolved), "{state}");
        }
    }

    #[test]
    fn event_waits_for_an_operator_a_week_after_its_deadline() {
        let late = DEADLINE + 7 * 24 * 3600;
        let settle = |now| leased(1, 0).settle(1, Outcome::Unknown, None, at(DEADLINE), at(now)).unwrap();
        assert!(!settle(late - 1).waits_for_operator() && settle(late).waits_for_operator());
        assert_eq!(settle(late).requeue(at(late)).unwrap().ready_at, Some(at(late)));
    }

    #[test]
    fn retry_after_of_the_vendor_is_a_minimum() {
        let settle = |seconds| {
            let retry_after = Some(Duration::from_secs(seconds));
            leased(1, 0).settle(1, Outcome::NotSent, retry_after, at(DEADLINE), at(0)).unwrap().ready_at
        };
        assert_eq!((settle(1), settle(900), settle(9000)), (Some(at(15)), Some(at(900)), Some(at(3600))));
    }

    #[test]
    fn delay_of_a_clock_that_moved_back_has_ended() {
        let far = Progress { ready_at: Some(at(5000)), ..Progress::new(at(0)) };
        assert_eq!((far.lease(lease(1, 1400)), far.lease(lease(1, 4999))), (None, None));
        assert!(far.lease(lease(1, 1399)).is_some() && far.lease(lease(1, 5000)).is_some());
    }
}
