//! The log of requests, for tests that ask what was called.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use http::{Method, Uri};

/// Requests that the log holds.
const LENGTH: usize = 1_000;

/// A request that came in. Prints as `GET /path?query`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedRequest {
    /// HTTP method.
    pub method: String,
    /// Path as it came, without the query.
    pub path: String,
    /// Query as it came, without the question mark.
    pub query: Option<String>,
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
    pub(crate) fn note(&self, method: &Method, uri: &Uri) -> u64 {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.last.len() == LENGTH {
            entries.last.pop_front();
        }
        entries.last.push_back(LoggedRequest {
            method: method.to_string(),
            path: uri.path().to_owned(),
            query: uri.query().map(str::to_owned),
        });
        entries.count += 1;
        entries.count
    }

    /// Oldest first.
    pub(crate) fn all(&self) -> Vec<LoggedRequest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).last.iter().cloned().collect()
    }
}
