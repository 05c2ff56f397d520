//! The clock of the sandbox: it follows the real time, and tests advance it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use tokio::time::Instant;

/// Maximum duration of a report or query by this clock, even if it is not polled.
const JOB_TAKES: TimeDelta = TimeDelta::minutes(10);
/// The last day of the clock, so that no date overflows.
const LAST_DAY: NaiveDate = NaiveDate::from_ymd_opt(9998, 12, 31).expect("a date");

/// Clones share the time.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    base: DateTime<Utc>,
    started: Instant,
    /// Milliseconds by which the clock was advanced.
    pushed: Arc<AtomicU64>,
}

impl Clock {
    /// Starts at the real time, or at noon of a day.
    pub(crate) fn start(today: Option<NaiveDate>) -> Self {
        let base = match today.and_then(|day| day.and_hms_opt(12, 0, 0)) {
            Some(noon) => noon.and_utc(),
            None => Utc::now(),
        };
        Self { base, started: Instant::now(), pushed: Arc::default() }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        let last = LAST_DAY.and_time(NaiveTime::MIN).and_utc();
        let elapsed = TimeDelta::from_std(self.elapsed()).unwrap_or(TimeDelta::MAX);
        self.base.checked_add_signed(elapsed).unwrap_or(last).min(last)
    }

    /// Returns the time since the start: the real time that passed (by Tokio's clock, which tests may pause) and the time by which the clock was
    /// advanced. It never decreases.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed().saturating_add(Duration::from_millis(self.pushed.load(Ordering::SeqCst)))
    }

    /// Returns whether a report or query that began at an instant is done.
    pub(crate) fn is_job_done(&self, began: DateTime<Utc>) -> bool {
        self.now().signed_duration_since(began) >= JOB_TAKES
    }

    pub(crate) fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        let pushed = |pushed: u64| Some(pushed.saturating_add(by));
        let _ = self.pushed.fetch_update(Ordering::SeqCst, Ordering::SeqCst, pushed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn clock_follows_real_time_and_advances() {
        let clock = Clock::start(NaiveDate::from_ymd_opt(2026, 11, 21));
        let other = clock.clone();
        tokio::time::advance(Duration::from_secs(1)).await;
        clock.advance(Duration::from_secs(3600));
        assert_eq!(other.now().to_rfc3339(), "2026-11-21T13:00:01+00:00");
        assert_eq!(other.elapsed(), Duration::from_secs(3601));
    }

    #[tokio::test]
    async fn end_of_time_does_not_overflow() {
        for today in [None, Some(NaiveDate::MIN), Some(NaiveDate::MAX)] {
            let clock = Clock::start(today);
            for _ in 0..3 {
                clock.advance(Duration::MAX);
            }
            assert!(clock.now().date_naive() <= LAST_DAY);
        }
    }
}
