//! The log of requests, for tests that ask what was called, what was answered and what was done to it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use http::{Method, StatusCode, Uri};
use serde::Serialize;
use usage_billing_core::Operation;

use crate::middleware::fault_injection::Fault;
use crate::vendors::Vendor;

/// Requests that the log holds.
const LENGTH: usize = 1_000;
/// Bytes of a path or query that the log holds.
const LONGEST: usize = 4_096;

/// A request that came in. Prints as `GET /path?query`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LoggedRequest {
    /// Its place among all requests, from 1.
    pub number: u64,
    /// When it came, by the sandbox's clock.
    pub at: DateTime<Utc>,
    /// HTTP method.
    pub method: String,
    /// Path as it came, without the query; cut after 4096 bytes.
    pub path: String,
    /// Query as it came, without the question mark; cut after 4096 bytes.
    pub query: Option<String>,
    /// Whose paths it is under.
    pub vendor: Option<Vendor>,
    /// `operationId` in the vendor's curated document.
    pub operation: Option<&'static str>,
    /// Status of the answer; none before there is one, and when the connection was reset in its place.
    pub status: Option<u16>,
    /// What was done to it on purpose.
    pub faults: Vec<InjectedFault>,
    /// What about it does not fit the vendor's curated document, with JSON pointers.
    pub misfits: Vec<String>,
}

/// A fault that a request met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct InjectedFault {
    /// The fault as it was asked for.
    pub fault: Fault,
    /// What it did to this request.
    pub did: String,
}

impl fmt::Display for LoggedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        self.query.as_ref().map_or(Ok(()), |query| write!(f, "?{query}"))
    }
}

#[derive(Default)]
pub(crate) struct Log(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    count: u64,
    last: VecDeque<LoggedRequest>,
}

impl Log {
    /// Gives the request its number.
    pub(crate) fn note(
        &self,
        at: DateTime<Utc>,
        method: &Method,
        uri: &Uri,
        vendor: Option<Vendor>,
        operation: Option<&'static Operation>,
    ) -> u64 {
        let mut entry = LoggedRequest {
            number: 0,
            at,
            method: cut(method.as_str()),
            path: cut(uri.path()),
            query: uri.query().map(cut),
            vendor,
            operation: operation.map(|operation| operation.name),
            status: None,
            faults: Vec::new(),
            misfits: Vec::new(),
        };
        let mut entries = self.entries();
        entries.count += 1;
        entry.number = entries.count;
        if entries.last.len() == LENGTH {
            entries.last.pop_front();
        }
        entries.last.push_back(entry);
        entries.count
    }

    pub(crate) fn answered(&self, number: u64, status: StatusCode) {
        self.entries().change(number, |entry| entry.status = Some(status.as_u16()));
    }

    pub(crate) fn injected(&self, number: u64, fault: &Fault, did: String) {
        let injected = InjectedFault { fault: fault.clone(), did };
        self.entries().change(number, |entry| entry.faults.push(injected));
    }

    pub(crate) fn misfits(&self, number: u64, misfits: Vec<String>) {
        self.entries().change(number, |entry| entry.misfits = misfits.iter().map(|misfit| cut(misfit)).collect());
    }

    /// Oldest first.
    pub(crate) fn all(&self) -> Vec<LoggedRequest> {
        self.entries().last.iter().cloned().collect()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    /// Nothing, if the entry is forgotten already.
    fn change(&mut self, number: u64, change: impl FnOnce(&mut LoggedRequest)) {
        let since = usize::try_from(self.count.saturating_sub(number)).unwrap_or(usize::MAX);
        let place = self.last.len().checked_sub(since.saturating_add(1));
        if let Some(entry) = place.and_then(|place| self.last.get_mut(place)) {
            change(entry);
        }
    }
}

fn cut(text: &str) -> String {
    let end = (0..=text.len().min(LONGEST)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_finds_its_request_as_long_as_it_is_remembered() {
        let log = Log::default();
        let note = || log.note(DateTime::UNIX_EPOCH, &Method::GET, &Uri::from_static("/x?y"), None, None);
        for _ in 0..LENGTH + 1 {
            note();
        }
        for number in [0, 1, 2, 3, u64::MAX] {
            log.answered(number, StatusCode::IM_A_TEAPOT);
        }
        let answered: Vec<_> = log.all().iter().filter(|it| it.status.is_some()).map(|it| it.number).collect();
        assert!(answered.iter().all(|number| [2, 3, LENGTH as u64 + 1].contains(number)), "{answered:?}");
        assert!(answered.contains(&2) && answered.contains(&3));
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(cut(&"株".repeat(2_000)).len(), LONGEST - LONGEST % 3);
        assert_eq!(cut("x"), "x");
    }
}
