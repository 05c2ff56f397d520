//! Whether an attempt to send a report may still arrive at Suger.

use std::time::Duration;

use tokio::time::Instant;

use super::response::Response;

/// How long after its end an attempt without a clear response may still be worked on. No source states it; gateways give up within minutes.
const WORKED_ON: Duration = Duration::from_secs(300);

/// What is known of the attempts of one report so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Doubt {
    /// No attempt can arrive any more.
    #[default]
    None,
    /// An attempt is under way, or a flush was dropped during one.
    Open,
    /// The last attempt that may still arrive ended at this time.
    Since(Instant),
}

impl Doubt {
    /// Returns what is known after one more attempt, which ended now.
    pub(super) fn after(self, response: &Response, now: Instant) -> Self {
        if self == Self::Open || response.may_arrive_later() { Self::Since(now) } else { self }
    }

    /// Returns whether an attempt may still arrive. One that ended at an unknown time counts from now on.
    pub(super) fn holds(&mut self, now: Instant) -> bool {
        match *self {
            Self::None => false,
            Self::Open => {
                *self = Self::Since(now);
                true
            }
            Self::Since(end) => now.saturating_duration_since(end) < WORKED_ON,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use usage_billing_core::{Error, ErrorKind};

    #[test]
    fn attempt_without_a_clear_response_is_in_doubt_for_minutes() {
        let start = Instant::now();
        let lost = Response::from(Err(Error::new(ErrorKind::Connection, "lost")));
        let rejected = Response::Rejection { error: Error::new(ErrorKind::Api, "no"), from_suger: true };
        assert!(!Doubt::default().holds(start) && !Doubt::None.after(&rejected, start).holds(start));
        let mut doubt = Doubt::None.after(&lost, start);
        assert!(doubt.holds(start) && doubt.holds(start + WORKED_ON - Duration::from_nanos(1)));
        assert!(!doubt.holds(start + WORKED_ON));
        // A clear response to a later attempt says nothing of the one before.
        let later = start + Duration::from_secs(60);
        assert_eq!(doubt.after(&rejected, later), Doubt::Since(start));
        assert_eq!(doubt.after(&lost, later), Doubt::Since(later));
    }

    #[test]
    fn attempt_that_was_dropped_is_in_doubt_from_when_that_is_noticed() {
        let start = Instant::now();
        let mut dropped = Doubt::Open;
        assert!(dropped.holds(start) && !dropped.holds(start + WORKED_ON));
        let rejected = Response::Rejection { error: Error::new(ErrorKind::Api, "no"), from_suger: true };
        assert_eq!(Doubt::Open.after(&rejected, start), Doubt::Since(start));
    }
}
