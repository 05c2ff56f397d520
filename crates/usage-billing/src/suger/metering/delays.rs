//! Growing delays of events whose outcome stays open although they are looked up, such as those of a group that is
//! `REPORT_FAILED`: each lookup lists the groups of the entitlement, and a service looks them up for months.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;
use usage_billing_core::Error;
use uuid::Uuid;

/// The delay after the second open lookup. Each further one doubles it.
const SHORTEST: Duration = Duration::from_secs(60);
/// The longest delay of an event that Suger has.
const LONGEST: Duration = Duration::from_secs(3600);
/// The longest delay of an event that Suger may not have: it has to arrive while its marketplace accepts it.
const LONGEST_OF_MISSING: Duration = Duration::from_secs(300);

/// The events that a flush is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FlushScope {
    All,
    /// Those whose delay has ended.
    Delayed,
}

/// Delays by event.
#[derive(Debug, Default)]
pub(super) struct Delays(HashMap<Uuid, Delay>);

#[derive(Debug)]
struct Delay {
    /// Number of lookups that left the outcome open.
    lookups: u32,
    until: Instant,
    reason: Error,
}

impl Delays {
    /// Records that a lookup left the outcome of an event open. `is_there` states whether Suger has its id. After the
    /// first lookup it is not delayed.
    pub(super) fn record_open(&mut self, id: Uuid, is_there: bool, reason: &Error, now: Instant) {
        let lookups = self.0.get(&id).map_or(1, |delay| delay.lookups.saturating_add(1));
        let delay = lookups.checked_sub(2).map(|doublings| SHORTEST.saturating_mul(2u32.saturating_pow(doublings)));
        let longest = if is_there { LONGEST } else { LONGEST_OF_MISSING };
        let until = now + delay.unwrap_or_default().min(longest);
        // The vendor asked for this delay once.
        let reason = reason.clone().with_retry_after(None);
        self.0.insert(id, Delay { lookups, until, reason });
    }

    pub(super) fn forget(&mut self, id: Uuid) {
        self.0.remove(&id);
    }

    /// Returns the events that are delayed, each with the reason of its last lookup.
    pub(super) fn reasons(&self, now: Instant) -> impl Iterator<Item = (Uuid, Error)> {
        let delayed = self.0.iter().filter(move |(_, delay)| now < delay.until);
        delayed.map(|(id, delay)| (*id, delay.reason.clone()))
    }
}

#[cfg(test)]
mod tests {
    use usage_billing_core::ErrorKind;

    use super::*;

    #[test]
    fn delays_double_up_to_an_hour_or_five_minutes() {
        let reason = Error::new(ErrorKind::NotReady, "REPORT_FAILED").with_retry_after(Some(SHORTEST));
        for (is_there, longest) in [(true, 60), (false, 5)] {
            let (mut delays, id, mut now) = (Delays::default(), Uuid::from_u128(1), Instant::now());
            let minutes = [0, 1, 2, 4, 8, 16, 32].into_iter().chain([60; 50]);
            for (lookup, minutes) in minutes.map(|minutes| minutes.min(longest)).enumerate() {
                delays.record_open(id, is_there, &reason, now);
                let until = now + minutes * SHORTEST;
                if minutes > 0 {
                    let last = delays.reasons(until - Duration::from_secs(1)).next();
                    assert!(last.is_some_and(|(of, reason)| of == id && reason.retry_after().is_none()), "{lookup}");
                }
                assert!(delays.reasons(until).next().is_none(), "{lookup}");
                now = until;
            }
            delays.record_open(id, is_there, &reason, now);
            delays.record_open(Uuid::from_u128(2), is_there, &reason, now);
            assert!(delays.reasons(now).any(|(of, _)| of == id));
            delays.forget(id);
            assert!(delays.reasons(now).next().is_none());
        }
    }
}
