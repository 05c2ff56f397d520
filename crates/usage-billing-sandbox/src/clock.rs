//! The sandbox's time: a wall clock that goes on by itself and that a test pushes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use tokio::time::Instant;

/// How long a report or query takes at most by this clock, however seldom it is asked for.
const JOB_TAKES: TimeDelta = TimeDelta::minutes(10);
/// As far as the world reaches. Nothing is counted after it, so that no date overflows.
const LAST_DAY: NaiveDate = NaiveDate::from_ymd_opt(9998, 12, 31).expect("a date");

/// All clones show the same time.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    base: DateTime<Utc>,
    started: Instant,
    /// Milliseconds that were pushed on.
    pushed: Arc<AtomicU64>,
}

impl Clock {
    /// Starts now, or at noon of a given day.
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

    /// Since the start: what really passed (by Tokio's clock, which tests may pause) and what was pushed on. Grows only.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed().saturating_add(Duration::from_millis(self.pushed.load(Ordering::SeqCst)))
    }

    /// Whether a report or query that began then is done.
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
    async fn time_passes_by_itself_and_when_pushed() {
        let clock = Clock::start(NaiveDate::from_ymd_opt(2026, 11, 21));
        let other = clock.clone();
        tokio::time::advance(Duration::from_secs(1)).await;
        clock.advance(Duration::from_secs(3600));
        assert_eq!(other.now().to_rfc3339(), "2026-11-21T13:00:01+00:00");
        assert_eq!(other.elapsed(), Duration::from_secs(3601));
    }

    #[tokio::test]
    async fn the_end_of_time_is_no_reason_to_panic() {
        for today in [None, Some(NaiveDate::MIN), Some(NaiveDate::MAX)] {
            let clock = Clock::start(today);
            for _ in 0..3 {
                clock.advance(Duration::MAX);
            }
            assert!(clock.now().date_naive() <= LAST_DAY);
        }
    }
}
