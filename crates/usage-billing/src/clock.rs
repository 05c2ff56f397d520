//! The current time of a client.

use chrono::{DateTime, Utc};

/// The system's clock, or one instant.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    fixed: Option<DateTime<Utc>>,
}

impl Clock {
    pub(crate) fn fixed(now: DateTime<Utc>) -> Self {
        Self { fixed: Some(now) }
    }

    pub(crate) fn now(self) -> DateTime<Utc> {
        self.fixed.unwrap_or_else(Utc::now)
    }
}
