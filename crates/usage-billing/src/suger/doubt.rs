//! Whether an attempt to send a report may still arrive at Suger.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::response::Response;

/// How long after its end an attempt without a clear response may still be worked on. No source states it; gateways give up within minutes.
pub(super) const WORKED_ON: Duration = Duration::from_secs(300);
/// Fewer reports in doubt are not searched for those that have come to an end.
const FEW: usize = 1000;

/// Reports of which an attempt may still arrive, of all reporters, senders and single reports of a client and its clones.
#[derive(Debug, Default)]
pub(super) struct Doubts(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    by_id: HashMap<Uuid, Doubt>,
    /// The number at which those that have come to an end are removed.
    too_many: usize,
}

/// What is known of the attempts of one report.
#[derive(Clone, Copy, Debug, Default)]
struct Doubt {
    under_way: usize,
    /// When the last attempt ended that may still arrive.
    since: Option<Instant>,
}

impl Doubt {
    fn holds(self, now: Instant) -> bool {
        self.under_way > 0 || self.since.is_some_and(|end| now.saturating_duration_since(end) < WORKED_ON)
    }
}

impl Doubts {
    /// Begins an attempt to send a report.
    pub(super) fn attempt(self: &Arc<Self>, id: Uuid) -> Attempt {
        let mut known = self.known();
        if known.by_id.len() >= known.too_many {
            let now = Instant::now();
            known.by_id.retain(|_, doubt| doubt.holds(now));
            known.too_many = (2 * known.by_id.len()).max(FEW);
        }
        known.by_id.entry(id).or_default().under_way += 1;
        drop(known);
        Attempt { doubts: self.clone(), id, may_arrive: true }
    }

    /// Returns whether an attempt to send a report may still arrive.
    pub(super) fn hold(&self, id: Uuid) -> bool {
        self.known().by_id.get(&id).is_some_and(|doubt| doubt.holds(Instant::now()))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // No code that can panic runs under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An attempt that is under way. Dropped without an end, it may still arrive.
#[derive(Debug)]
pub(super) struct Attempt {
    doubts: Arc<Doubts>,
    id: Uuid,
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
        let mut known = self.doubts.known();
        let Some(doubt) = known.by_id.get_mut(&self.id) else { return };
        doubt.under_way -= 1;
        if self.may_arrive {
            doubt.since = Some(now);
        }
        // A clear response to this attempt says nothing of the others.
        if !doubt.holds(now) {
            known.by_id.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use usage_billing_core::{Error, ErrorKind};

    const SECOND: Duration = Duration::from_secs(1);

    fn rejected() -> Response {
        Response::Rejection { error: Error::new(ErrorKind::Api, "no"), from_suger: true }
    }

    fn unclear() -> Response {
        Response::Unreadable(Error::new(ErrorKind::Decode, "a page"))
    }

    #[tokio::test(start_paused = true)]
    async fn attempt_without_a_clear_response_is_in_doubt_for_minutes() {
        let (doubts, id) = (Arc::new(Doubts::default()), Uuid::from_u128(1));
        assert!(!doubts.hold(id));
        doubts.attempt(id).end(&rejected());
        assert!(!doubts.hold(id) && doubts.known().by_id.is_empty());
        doubts.attempt(id).end(&unclear());
        tokio::time::advance(WORKED_ON - SECOND).await;
        // A clear response to a later attempt says nothing of the one before, and prolongs nothing.
        doubts.attempt(id).end(&rejected());
        assert!(doubts.hold(id) && !doubts.hold(Uuid::from_u128(2)));
        tokio::time::advance(SECOND).await;
        assert!(!doubts.hold(id));
    }

    #[tokio::test(start_paused = true)]
    async fn attempt_that_is_under_way_or_was_dropped_is_in_doubt() {
        let (doubts, id) = (Arc::new(Doubts::default()), Uuid::from_u128(1));
        let first = doubts.attempt(id);
        let second = doubts.attempt(id);
        tokio::time::advance(WORKED_ON * 2).await;
        second.end(&rejected());
        assert!(doubts.hold(id), "the first one is under way");
        drop(first);
        tokio::time::advance(WORKED_ON - SECOND).await;
        assert!(doubts.hold(id));
        tokio::time::advance(SECOND).await;
        assert!(!doubts.hold(id));
    }

    #[tokio::test(start_paused = true)]
    async fn memory_of_doubts_is_bounded_by_those_that_hold() {
        let doubts = Arc::new(Doubts::default());
        let lose = |number| doubts.attempt(Uuid::from_u128(number)).end(&unclear());
        (0..1500).for_each(lose);
        assert_eq!(doubts.known().by_id.len(), 1500, "all hold");
        tokio::time::advance(WORKED_ON).await;
        (2000..2501).for_each(lose);
        assert_eq!(doubts.known().by_id.len(), 501);
    }
}
