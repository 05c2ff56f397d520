//! The date of the tests.

use chrono::{DateTime, Utc};

/// Noon of 2026-11-21, when the sandboxes of the tests start. Clients get it by `with_now`, so that no test depends on the day on which it runs.
pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_262_400, 0).expect("a date")
}
