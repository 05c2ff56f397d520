//! The current time in tests.

use chrono::{DateTime, Utc};

/// Returns noon of 2026-11-21 (UTC), when the sandboxes of tests start. Clients receive it through `with_now`: no test depends on the real date.
pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_262_400, 0).expect("a date")
}
