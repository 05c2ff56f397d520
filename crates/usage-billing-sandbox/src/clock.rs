//! The sandbox's time: a wall clock that a test can stop and push on.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use tokio::time::Instant;

#[derive(Clone, Copy)]
pub(crate) struct Clock {
    base: DateTime<Utc>,
    started: Instant,
}

impl Clock {
    /// Starts now, or at noon of a given day.
    pub(crate) fn start(today: Option<NaiveDate>) -> Self {
        let base = match today.and_then(|day| day.and_hms_opt(12, 0, 0)) {
            Some(noon) => noon.and_utc(),
            None => Utc::now(),
        };
        Self { base, started: Instant::now() }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        let elapsed = TimeDelta::from_std(self.started.elapsed()).unwrap_or(TimeDelta::MAX);
        self.base.checked_add_signed(elapsed).unwrap_or(self.base)
    }
}
