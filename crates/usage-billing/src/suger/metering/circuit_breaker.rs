//! The circuit breaker of a flush: it skips an entitlement whose requests fail, and all of them once the vendor is
//! unavailable.

use std::collections::{HashMap, HashSet};

use usage_billing_core::{Error, ErrorKind, printable};

/// Number of consecutive failures without a response that opens the breaker: of events of one entitlement, or of
/// entitlements.
const MAX_FAILURES: usize = 3;
/// The same with responses. A response that resolves nothing may concern its event alone, and a few such events, if
/// they are the oldest, would block the others in every flush.
const MAX_FAILURES_WITH_RESPONSE: usize = 10;

/// Failures in one flush. A failure is an outcome that resolves nothing: no response, or one without a statement about
/// the event.
#[derive(Debug, Default)]
pub(super) struct CircuitBreaker {
    tolerance: Tolerance,
    /// Failures by entitlement, with the last error.
    failures: HashMap<String, (Failures, Error)>,
    /// Entitlements that have failed since the last resolved event, without a response and with one.
    consecutive: [HashSet<String>; 2],
    opened_by: Option<Error>,
}

/// Numbers of consecutive failures that open the breaker: without a response, and of all kinds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tolerance {
    without_response: usize,
    all: usize,
}

impl Default for Tolerance {
    fn default() -> Self {
        Self { without_response: MAX_FAILURES, all: MAX_FAILURES_WITH_RESPONSE }
    }
}

impl Tolerance {
    /// Returns twice the tolerance, for a vendor that is available although it fails.
    pub(super) fn doubled(self) -> Self {
        Self { without_response: self.without_response.saturating_mul(2), all: self.all.saturating_mul(2) }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    with_response: usize,
    without_response: usize,
}

impl Failures {
    fn and(self, has_response: bool) -> Self {
        match has_response {
            true => Self { with_response: self.with_response + 1, ..self },
            false => Self { without_response: self.without_response + 1, ..self },
        }
    }

    fn all(self) -> usize {
        self.with_response + self.without_response
    }

    fn exceed(self, tolerance: Tolerance) -> bool {
        self.without_response >= tolerance.without_response || self.all() >= tolerance.all
    }
}

impl CircuitBreaker {
    pub(super) fn new(tolerance: Tolerance) -> Self {
        Self { tolerance, ..Self::default() }
    }

    /// Records a resolved event, which proves that the vendor is available.
    pub(super) fn record_success(&mut self, entitlement_id: &str) {
        self.failures.remove(entitlement_id);
        self.consecutive = Default::default();
    }

    /// Records an outcome that resolved nothing. `has_response` states whether Suger itself responded, not a gateway
    /// before it.
    pub(super) fn record_failure(&mut self, entitlement_id: &str, error: &Error, has_response: bool) {
        let failures = self.failures.get(entitlement_id).map_or_else(Failures::default, |(failures, _)| *failures);
        self.failures.insert(entitlement_id.to_owned(), (failures.and(has_response), error.clone()));
        self.consecutive[usize::from(!has_response)].remove(entitlement_id);
        self.consecutive[usize::from(has_response)].insert(entitlement_id.to_owned());
        let [without_response, with_response] = self.consecutive.each_ref().map(HashSet::len);
        let entitlements = Failures { with_response, without_response };
        if concerns_all(error) || entitlements.exceed(self.tolerance) {
            self.opened_by.get_or_insert_with(|| error.clone());
        }
    }

    /// Returns the breaker for the lookups of the flush. It is closed, unless the vendor rejects the client itself.
    pub(super) fn for_lookups(self) -> Self {
        Self { opened_by: self.opened_by.filter(concerns_all), ..Self::default() }
    }

    /// Returns the error of the events of an entitlement that are skipped, or `None` if they are not. `not_done`
    /// states what is skipped.
    pub(super) fn rejection_for(&self, entitlement_id: &str, not_done: &str) -> Option<Error> {
        if let Some(error) = &self.opened_by {
            return Some(ended(not_done, "others", error));
        }
        let (failures, error) = self.failures.get(entitlement_id)?;
        let others = || format!("{} others of {}", failures.all(), printable(entitlement_id));
        failures.exceed(self.tolerance).then(|| ended(not_done, &others(), error))
    }
}

/// Returns whether an error concerns all events: a rejected key, or a rate limit.
fn concerns_all(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Auth | ErrorKind::Config) || error.status().is_some_and(|status| status == 429)
}

fn ended(not_done: &str, others: &str, error: &Error) -> Error {
    let message = format!("{not_done}, after {others} failed: {error}");
    Error::new(error.kind(), message).with_hint("it is still queued: flush again later").with_source(error.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost() -> Error {
        Error::new(ErrorKind::Connection, "connection lost")
    }

    #[test]
    fn failing_entitlement_is_skipped_and_others_are_not() {
        let mut breaker = CircuitBreaker::default();
        for _ in 0..9 {
            breaker.record_failure("bad", &lost(), false);
        }
        assert!(breaker.rejection_for("good", "not sent").is_none());
        let why = breaker.rejection_for("bad", "not sent").unwrap();
        assert_eq!(
            why.to_string(),
            "not sent, after 9 others of bad failed: connection lost -> it is still queued: flush again later"
        );
        breaker.record_success("bad");
        assert!(breaker.rejection_for("bad", "not sent").is_none());
    }

    #[test]
    fn single_failing_event_does_not_block_its_entitlement() {
        let mut breaker = CircuitBreaker::default();
        for _ in 0..9 {
            breaker.record_failure("e", &lost(), false);
            breaker.record_failure("e", &lost(), false);
            assert!(breaker.rejection_for("e", "not sent").is_none());
            breaker.record_success("e");
        }
    }

    #[test]
    fn ten_failures_with_a_response_skip_their_entitlement() {
        let mut breaker = CircuitBreaker::default();
        for number in 0..10 {
            assert!(breaker.rejection_for("e", "not sent").is_none(), "{number}");
            // Two without a response are too few on their own, and count for the ten.
            breaker.record_failure("e", &lost(), number > 1);
        }
        let why = breaker.rejection_for("e", "not sent").unwrap();
        assert!(why.to_string().starts_with("not sent, after 10 others of e failed"), "{why}");
        breaker.record_success("e");
        for _ in 0..3 {
            assert!(breaker.rejection_for("e", "not sent").is_none());
            breaker.record_failure("e", &lost(), false);
        }
        assert!(breaker.rejection_for("e", "not sent").is_some());
    }

    #[test]
    fn three_consecutive_entitlements_open_the_breaker() {
        let mut breaker = CircuitBreaker::default();
        for entitlement in ["a", "b"] {
            breaker.record_failure(entitlement, &lost(), false);
        }
        breaker.record_success("c");
        for entitlement in ["d", "e"] {
            breaker.record_failure(entitlement, &lost(), false);
            assert!(breaker.rejection_for("f", "not sent").is_none());
        }
        breaker.record_failure("a", &lost(), false);
        assert!(breaker.rejection_for("f", "not sent").is_some());
        breaker.record_success("a");
        assert!(breaker.rejection_for("f", "not sent").is_some(), "late responses of parallel events change nothing");
    }

    #[test]
    fn entitlement_counts_once_among_consecutive_ones() {
        let mut breaker = CircuitBreaker::default();
        for number in 0..9 {
            breaker.record_failure(&format!("e-{number}"), &lost(), true);
        }
        for number in 0..2 {
            breaker.record_failure(&format!("e-{number}"), &lost(), false);
            breaker.record_failure(&format!("e-{number}"), &lost(), true);
        }
        assert!(breaker.rejection_for("other", "not sent").is_none());
        breaker.record_failure("e-9", &lost(), true);
        assert!(breaker.rejection_for("other", "not sent").is_some());
    }

    #[test]
    fn doubled_tolerance_opens_breaker_after_twice_the_failures() {
        for (has_response, expected) in [(false, 6), (true, 20)] {
            let mut breaker = CircuitBreaker::new(Tolerance::default().doubled());
            for number in 0..expected {
                assert!(breaker.rejection_for("e", "not sent").is_none(), "{number}");
                breaker.record_failure("e", &lost(), has_response);
            }
            assert!(breaker.rejection_for("e", "not sent").is_some());
        }
    }

    #[test]
    fn only_a_rejected_client_skips_the_lookups() {
        for (error, expected) in [
            (
                Error::new(ErrorKind::Auth, "no"),
                Some("not looked up, after others failed: no -> it is still queued: flush again later"),
            ),
            (lost(), None),
        ] {
            let mut breaker = CircuitBreaker::default();
            for entitlement in ["a", "b", "c"] {
                breaker.record_failure(entitlement, &error, false);
            }
            let next = breaker.for_lookups();
            assert_eq!(next.rejection_for("a", "not looked up").map(|why| why.to_string()).as_deref(), expected);
        }
    }

    #[test]
    fn rejected_key_opens_the_breaker_at_once() {
        let mut breaker = CircuitBreaker::default();
        breaker.record_failure("a", &Error::new(ErrorKind::Auth, "no"), true);
        assert!(
            breaker
                .rejection_for("b", "not sent")
                .unwrap()
                .to_string()
                .starts_with("not sent, after others failed: no")
        );
    }
}
