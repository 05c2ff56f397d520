//! Tracks attempts to send an event that may still arrive at Suger.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use usage_billing_core::__private::Departure;
use uuid::Uuid;

use crate::suger::response::Response;

/// How long Suger may process an attempt that ended without a clear response. This is an assumption without a source;
/// gateways time out within minutes.
pub const MAX_PROCESSING_TIME: Duration = Duration::from_secs(300);
/// Minimum number of tracked events at which ended ones are purged.
const MIN_PURGE_COUNT: usize = 1000;

/// Events with an attempt that may still arrive. All queues, senders and single calls of a client and its clones share
/// them.
#[derive(Debug, Default)]
pub(in crate::suger) struct Attempts(Mutex<AttemptStates>);

#[derive(Debug, Default)]
struct AttemptStates {
    by_id: HashMap<Uuid, AttemptState>,
    /// The number of events at which ended ones are purged.
    purge_at: usize,
}

/// State of the attempts of one event.
#[derive(Clone, Copy, Debug, Default)]
struct AttemptState {
    in_flight: usize,
    /// End of the last attempt that may still arrive.
    since: Option<Instant>,
}

impl AttemptState {
    fn may_arrive(self, now: Instant) -> bool {
        self.in_flight > 0 || self.since.is_some_and(|end| now.saturating_duration_since(end) < MAX_PROCESSING_TIME)
    }
}

impl Attempts {
    /// Registers an attempt to send an event, which `departure` observes.
    pub(super) fn begin(self: &Arc<Self>, id: Uuid, departure: Departure) -> Attempt {
        let mut states = self.states();
        if states.by_id.len() >= states.purge_at {
            let now = Instant::now();
            states.by_id.retain(|_, state| state.may_arrive(now));
            states.purge_at = (2 * states.by_id.len()).max(MIN_PURGE_COUNT);
        }
        states.by_id.entry(id).or_default().in_flight += 1;
        drop(states);
        Attempt { attempts: self.clone(), id, departure, may_arrive: true }
    }

    /// Returns whether an attempt to send an event may still arrive.
    pub(super) fn may_arrive(&self, id: Uuid) -> bool {
        self.states().by_id.get(&id).is_some_and(|state| state.may_arrive(Instant::now()))
    }

    fn states(&self) -> MutexGuard<'_, AttemptStates> {
        // No code that can panic runs under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An attempt in flight. If it is dropped without `end` after its request was sent, it may still arrive.
#[derive(Debug)]
pub(super) struct Attempt {
    attempts: Arc<Attempts>,
    id: Uuid,
    departure: Departure,
    may_arrive: bool,
}

impl Attempt {
    pub(super) fn end(mut self, response: &Response) {
        self.may_arrive = response.may_arrive_later();
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let now = Instant::now();
        let mut states = self.attempts.states();
        let Some(state) = states.by_id.get_mut(&self.id) else { return };
        state.in_flight -= 1;
        if self.may_arrive && self.departure.has_begun() {
            state.since = Some(now);
        }
        // A clear response to this attempt proves nothing about the others.
        if !state.may_arrive(now) {
            states.by_id.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use usage_billing_core::{Error, ErrorKind};

    const SECOND: Duration = Duration::from_secs(1);

    /// The departure of a request that was sent.
    async fn sent() -> Departure {
        let client = crate::suger::Client::builder("acme", "hush").base_url("http://127.0.0.1:1");
        let client = client.retry(usage_billing_core::RetryPolicy::none()).build().unwrap();
        let departure = Departure::default();
        let request = client.api.list_billable_metrics().org_id("acme");
        departure.watch(async { request.send().await.map(drop) }).await.unwrap_err();
        departure
    }

    fn rejected() -> Response {
        Response::Rejection { error: Error::new(ErrorKind::Api, "no"), from_suger: true }
    }

    fn unclear() -> Response {
        Response::Unreadable(Error::new(ErrorKind::Decode, "a page"))
    }

    #[tokio::test(start_paused = true)]
    async fn attempt_without_a_clear_response_may_arrive_for_minutes() {
        let sent = sent().await;
        let (attempts, id) = (Arc::new(Attempts::default()), Uuid::from_u128(1));
        assert!(!attempts.may_arrive(id));
        attempts.begin(id, sent.clone()).end(&rejected());
        assert!(!attempts.may_arrive(id) && attempts.states().by_id.is_empty());
        attempts.begin(id, sent.clone()).end(&unclear());
        tokio::time::advance(MAX_PROCESSING_TIME - SECOND).await;
        // A clear response to a later attempt proves nothing about the earlier one, and extends nothing.
        attempts.begin(id, sent.clone()).end(&rejected());
        assert!(attempts.may_arrive(id) && !attempts.may_arrive(Uuid::from_u128(2)));
        tokio::time::advance(SECOND).await;
        assert!(!attempts.may_arrive(id));
    }

    #[tokio::test(start_paused = true)]
    async fn attempt_in_flight_or_dropped_may_arrive() {
        let sent = sent().await;
        let (attempts, id) = (Arc::new(Attempts::default()), Uuid::from_u128(1));
        let first = attempts.begin(id, sent.clone());
        let second = attempts.begin(id, sent.clone());
        tokio::time::advance(MAX_PROCESSING_TIME * 2).await;
        second.end(&rejected());
        assert!(attempts.may_arrive(id), "the first one is in flight");
        drop(first);
        tokio::time::advance(MAX_PROCESSING_TIME - SECOND).await;
        assert!(attempts.may_arrive(id));
        tokio::time::advance(SECOND).await;
        assert!(!attempts.may_arrive(id));
    }

    #[tokio::test(start_paused = true)]
    async fn attempt_that_was_not_sent_does_not_arrive() {
        let (attempts, id) = (Arc::new(Attempts::default()), Uuid::from_u128(1));
        let attempt = attempts.begin(id, Departure::default());
        assert!(attempts.may_arrive(id), "it is in flight");
        drop(attempt);
        assert!(!attempts.may_arrive(id) && attempts.states().by_id.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn ended_attempts_are_purged() {
        let sent = sent().await;
        let attempts = Arc::new(Attempts::default());
        let lose = |number| attempts.begin(Uuid::from_u128(number), sent.clone()).end(&unclear());
        (0..1500).for_each(lose);
        assert_eq!(attempts.states().by_id.len(), 1500, "all may arrive");
        tokio::time::advance(MAX_PROCESSING_TIME).await;
        (2000..2501).for_each(lose);
        assert_eq!(attempts.states().by_id.len(), 501);
    }
}
