//! When to stop sending, or looking up: an entitlement that brings no answers is left alone, and so is a vendor that is down.

use std::collections::{BTreeMap, HashMap};

use usage_billing_core::{Error, ErrorKind, printable};

/// So many failures in a row without an answer are enough: of reports of one entitlement, or of entitlements.
const ENOUGH: usize = 3;
/// An answer, though it settles nothing, may be about its report alone. A few such that are the oldest would hold up all others, flush after
/// flush.
const ENOUGH_ANSWERED: usize = 10;

/// What one flush has met so far. A failure here is an outcome that settles nothing: no answer, or one that says nothing of the report.
#[derive(Debug, Default)]
pub(super) struct CircuitBreaker {
    /// By entitlement, each with the last error.
    failures: HashMap<String, (Failures, Error)>,
    /// Entitlements that have failed since the last answer that settled anything, and whether with an answer.
    in_a_row: BTreeMap<String, bool>,
    stopped: Option<Error>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    answered: usize,
    silent: usize,
}

impl Failures {
    fn and(self, answered: bool) -> Self {
        match answered {
            true => Self { answered: self.answered + 1, ..self },
            false => Self { silent: self.silent + 1, ..self },
        }
    }

    fn all(self) -> usize {
        self.answered + self.silent
    }

    fn are_enough(self) -> bool {
        self.silent >= ENOUGH || self.all() >= ENOUGH_ANSWERED
    }
}

impl CircuitBreaker {
    /// A report was settled: the vendor is there.
    pub(super) fn settled(&mut self, entitlement_id: &str) {
        self.failures.remove(entitlement_id);
        self.in_a_row.clear();
    }

    /// A report's response settled nothing; `answered` if it was Suger's own, not a gateway's before it.
    pub(super) fn failed(&mut self, entitlement_id: &str, error: &Error, answered: bool) {
        let (failures, last) =
            self.failures.entry(entitlement_id.to_owned()).or_insert_with(|| (Failures::default(), error.clone()));
        *failures = failures.and(answered);
        *last = error.clone();
        self.in_a_row.insert(entitlement_id.to_owned(), answered);
        let entitlements = self.in_a_row.values().fold(Failures::default(), |all, answered| all.and(*answered));
        if concerns_all(error) || entitlements.are_enough() {
            self.stopped.get_or_insert_with(|| error.clone());
        }
    }

    /// Returns what the next step of the flush begins with: nothing, unless the vendor refuses the client itself.
    pub(super) fn of_next_step(self) -> Self {
        Self { stopped: self.stopped.filter(concerns_all), ..Self::default() }
    }

    /// Why no report of an entitlement is sent any more, or looked up; `not_done` states that.
    pub(super) fn ends(&self, entitlement_id: &str, not_done: &str) -> Option<Error> {
        if let Some(error) = &self.stopped {
            return Some(ended(not_done, "others", error));
        }
        let (failures, error) = self.failures.get(entitlement_id)?;
        let others = || format!("{} others of {}", failures.all(), printable(entitlement_id));
        failures.are_enough().then(|| ended(not_done, &others(), error))
    }
}

/// A refused key, or a vendor that wants to be left alone: the next report would fare the same.
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
    fn an_entitlement_that_fails_is_left_alone_and_stops_no_other() {
        let mut breaker = CircuitBreaker::default();
        for _ in 0..9 {
            breaker.failed("bad", &lost(), false);
        }
        assert!(breaker.ends("good", "not sent").is_none());
        let why = breaker.ends("bad", "not sent").unwrap();
        assert_eq!(
            why.to_string(),
            "not sent, after 9 others of bad failed: connection lost -> it is still queued: flush again later"
        );
        breaker.settled("bad");
        assert!(breaker.ends("bad", "not sent").is_none());
    }

    #[test]
    fn one_report_that_fails_does_not_hold_up_its_entitlement() {
        let mut breaker = CircuitBreaker::default();
        for _ in 0..9 {
            breaker.failed("e", &lost(), false);
            breaker.failed("e", &lost(), false);
            assert!(breaker.ends("e", "not sent").is_none());
            breaker.settled("e");
        }
    }

    #[test]
    fn three_entitlements_in_a_row_are_the_vendors_fault() {
        let mut breaker = CircuitBreaker::default();
        for entitlement in ["a", "b"] {
            breaker.failed(entitlement, &lost(), false);
        }
        breaker.settled("c");
        for entitlement in ["d", "e"] {
            breaker.failed(entitlement, &lost(), false);
            assert!(breaker.ends("f", "not sent").is_none());
        }
        breaker.failed("a", &lost(), false);
        assert!(breaker.ends("f", "not sent").is_some());
        breaker.settled("a");
        assert!(breaker.ends("f", "not sent").is_some(), "late answers of parallel reports change nothing");
    }

    #[test]
    fn only_a_vendor_that_refuses_the_client_ends_the_next_step_as_well() {
        for (error, expected) in [
            (
                Error::new(ErrorKind::Auth, "no"),
                Some("not looked up, after others failed: no -> it is still queued: flush again later"),
            ),
            (lost(), None),
        ] {
            let mut breaker = CircuitBreaker::default();
            for entitlement in ["a", "b", "c"] {
                breaker.failed(entitlement, &error, false);
            }
            let next = breaker.of_next_step();
            assert_eq!(next.ends("a", "not looked up").map(|why| why.to_string()).as_deref(), expected);
        }
    }

    #[test]
    fn a_refused_key_ends_it_at_once() {
        let mut breaker = CircuitBreaker::default();
        breaker.failed("a", &Error::new(ErrorKind::Auth, "no"), true);
        assert!(breaker.ends("b", "not sent").unwrap().to_string().starts_with("not sent, after others failed: no"));
    }
}
