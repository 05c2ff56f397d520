//! Which changes follow from results of attempts.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use usage_billing::uuid::Uuid;

use super::columns::EventRow;
use super::{Attempt, AttemptResult, Tally};
use crate::event::StoredEvent;
use crate::{Outcome, Progress};

/// The message of an attempt whose result is not known.
const ABANDONED: &str = "the sender ended without a result, or later than its lease";

/// A result that changes its event.
#[derive(Debug)]
pub(crate) struct SettledAttempt {
    /// The row of the event.
    pub(crate) id: i64,
    pub(crate) progress: Progress,
    pub(crate) result: AttemptResult,
}

impl SettledAttempt {
    /// Returns when the state became final.
    pub(crate) fn settled_at(&self) -> Option<DateTime<Utc>> {
        self.progress.state.is_final().then_some(self.result.ended_at)
    }
}

/// The changes that results cause.
#[derive(Debug, Default)]
pub(crate) struct Settlement {
    pub(crate) settled: Vec<SettledAttempt>,
    /// Attempts whose lease has ended. They were made, so they are evidence.
    pub(crate) lost: Vec<Attempt>,
    /// Entitlements by name, and whether an event of theirs has a final result.
    pub(crate) entitlements: BTreeMap<String, bool>,
    pub(crate) tally: Tally,
}

impl Settlement {
    /// Applies attempts under the lease `token` to the events that still have it.
    pub(crate) fn of_attempts(token: i64, attempts: Vec<Attempt>, leased: Vec<EventRow>, now: DateTime<Utc>) -> Self {
        let mut leased: HashMap<Uuid, _> = leased.into_iter().map(|row| (row.stored.event.key, row)).collect();
        let mut settlement = Self::default();
        for attempt in attempts {
            let Attempt { key, result, retry_after } = &attempt;
            let settled = leased.get(key).and_then(|EventRow { stored, .. }| {
                stored.progress.settle(token, result.outcome, *retry_after, stored.deadline, now)
            });
            match (settled, leased.remove(key)) {
                (Some(progress), Some(EventRow { id, stored })) => {
                    settlement.tally.change(stored.progress.state, progress.state);
                    let is_resolved = settlement.entitlements.entry(stored.event.entitlement_id).or_default();
                    *is_resolved |= progress.state.is_final();
                    settlement.settled.push(SettledAttempt { id, progress, result: attempt.result });
                }
                _ => settlement.lost.push(attempt),
            }
        }
        settlement
    }

    /// Ends leases without a result.
    pub(crate) fn of_abandoned(leased: Vec<EventRow>, now: DateTime<Utc>) -> Self {
        let mut settlement = Self::default();
        for EventRow { id, stored } in leased {
            if let Some(result) = abandoned(&stored, now) {
                let progress = stored.progress.abandon(stored.deadline, now);
                settlement.tally.change(stored.progress.state, progress.state);
                settlement.settled.push(SettledAttempt { id, progress, result });
            }
        }
        settlement
    }
}

fn abandoned(stored: &StoredEvent, now: DateTime<Utc>) -> Option<AttemptResult> {
    stored.progress.lease.map(|lease| AttemptResult {
        token: lease.token,
        started_at: lease.since,
        ended_at: now,
        body_sha256: stored.event.body_sha256(),
        outcome: Outcome::Abandoned,
        status: None,
        message: Some(ABANDONED.to_owned()),
    })
}
