//! When a sender flushes: a pure function of the time and the queue.

use std::time::Duration;

use tokio::time::Instant;

/// Minimum delay between two flushes without a full queue or a request of the caller, so that an unavailable vendor is
/// not called in a loop.
const MIN_INTERVAL: Duration = Duration::from_secs(1);
/// Maximum delay after a `Retry-After`, as in the client itself.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// The next step of the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Flush,
    /// Wait until then or until the load changes; `None` for the latter alone.
    Wait(Option<Instant>),
    End,
}

/// The state that determines the next step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// Number of unresolved events.
    pub(super) unresolved: usize,
    /// Number of those that were pushed since the last flush began.
    pub(super) pushed: usize,
    pub(super) capacity: usize,
    pub(super) is_flush_requested: bool,
    pub(super) phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Running,
    /// Shut down: the queue is flushed once more, if there is time.
    Closing {
        has_time: bool,
    },
    /// Dropped without a shutdown.
    Abandoned,
}

/// The time at which the next flush is due.
#[derive(Debug)]
pub(super) struct Schedule {
    interval: Duration,
    /// `None` for a time that no clock reaches.
    due: Option<Instant>,
    /// Whether the flush of the shutdown has started.
    is_last: bool,
}

impl Schedule {
    /// Creates a schedule whose first flush is due after the interval, or now if events are already queued.
    pub(super) fn new(interval: Duration, now: Instant, queued: usize) -> Self {
        let interval = interval.max(MIN_INTERVAL);
        let due = if queued > 0 { Some(now) } else { now.checked_add(interval) };
        Self { interval, due, is_last: false }
    }

    pub(super) fn next(&mut self, now: Instant, load: &Load) -> Step {
        match load.phase {
            Phase::Abandoned => return Step::End,
            Phase::Closing { has_time: true } if load.unresolved > 0 && !self.is_last => {
                self.is_last = true;
                return Step::Flush;
            }
            Phase::Closing { .. } => return Step::End,
            Phase::Running => {}
        }
        // Only new events count: those that stay queued while the vendor is unavailable would cause continuous flushes.
        let is_filling = load.pushed >= (load.capacity / 2).max(1);
        if load.unresolved > 0 && (load.is_flush_requested || is_filling) {
            return Step::Flush;
        }
        if self.due.is_some_and(|due| due <= now) {
            if load.unresolved > 0 {
                return Step::Flush;
            }
            self.due = now.checked_add(self.interval);
        }
        Step::Wait(self.due)
    }

    /// Records the end of a flush. `retry_after` is the longest delay that the vendor requested in it.
    pub(super) fn flushed(&mut self, now: Instant, retry_after: Option<Duration>) {
        let asked = retry_after.unwrap_or_default().min(MAX_RETRY_AFTER);
        self.due = now.checked_add(self.interval.max(asked));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn load(unresolved: usize, pushed: usize) -> Load {
        Load { unresolved, pushed, capacity: 10, is_flush_requested: false, phase: Phase::Running }
    }

    #[test]
    fn queue_is_flushed_once_per_interval_after_the_last_flush() {
        let start = Instant::now();
        let mut schedule = Schedule::new(MINUTE, start, 0);
        assert_eq!(schedule.next(start, &load(1, 1)), Step::Wait(Some(start + MINUTE)));
        assert_eq!(schedule.next(start + MINUTE, &load(1, 1)), Step::Flush);
        // It failed and took ten minutes.
        let end = start + MINUTE * 11;
        schedule.flushed(end, None);
        assert_eq!(schedule.next(end, &load(1, 0)), Step::Wait(Some(end + MINUTE)));
        assert_eq!(schedule.next(end + MINUTE, &load(1, 0)), Step::Flush);
    }

    #[test]
    fn empty_queue_is_not_flushed() {
        let start = Instant::now();
        let mut schedule = Schedule::new(MINUTE, start, 0);
        assert_eq!(schedule.next(start + MINUTE, &load(0, 0)), Step::Wait(Some(start + MINUTE * 2)));
        assert_eq!(
            schedule.next(start, &Load { is_flush_requested: true, ..load(0, 0) }),
            Step::Wait(Some(start + MINUTE * 2))
        );
    }

    #[test]
    fn events_queued_before_the_start_are_sent_at_once() {
        let start = Instant::now();
        assert_eq!(Schedule::new(MINUTE, start, 3).next(start, &load(3, 0)), Step::Flush);
    }

    #[test]
    fn only_new_events_that_fill_half_of_the_queue_are_sent_early() {
        let start = Instant::now();
        let mut schedule = Schedule::new(MINUTE, start, 0);
        assert_eq!(schedule.next(start, &load(4, 4)), Step::Wait(Some(start + MINUTE)));
        assert_eq!(schedule.next(start, &load(5, 5)), Step::Flush);
        schedule.flushed(start, None);
        assert_eq!(schedule.next(start, &load(10, 4)), Step::Wait(Some(start + MINUTE)));
        assert_eq!(schedule.next(start, &Load { capacity: 1, ..load(1, 1) }), Step::Flush);
    }

    #[test]
    fn request_to_flush_does_not_wait_for_the_interval() {
        let start = Instant::now();
        let requested = Load { is_flush_requested: true, ..load(1, 0) };
        assert_eq!(Schedule::new(MINUTE, start, 0).next(start, &requested), Step::Flush);
    }

    #[test]
    fn retry_after_delays_the_next_flush_up_to_an_hour() {
        let start = Instant::now();
        let mut schedule = Schedule::new(MINUTE, start, 0);
        for (asked, expected) in [(5, 60), (300, 300), (1 << 40, 3600)] {
            schedule.flushed(start, Some(Duration::from_secs(asked)));
            let due = start + Duration::from_secs(expected);
            assert_eq!(schedule.next(start, &load(1, 0)), Step::Wait(Some(due)), "{asked}");
        }
    }

    #[test]
    fn shutdown_flushes_once_if_there_is_anything_and_time() {
        let start = Instant::now();
        let closing = |has_time, unresolved| Load { phase: Phase::Closing { has_time }, ..load(unresolved, 0) };
        let mut schedule = Schedule::new(MINUTE, start, 0);
        assert_eq!(schedule.next(start, &closing(true, 2)), Step::Flush);
        schedule.flushed(start, None);
        assert_eq!(schedule.next(start, &closing(true, 2)), Step::End);
        assert_eq!(Schedule::new(MINUTE, start, 0).next(start, &closing(false, 2)), Step::End);
        assert_eq!(Schedule::new(MINUTE, start, 0).next(start, &closing(true, 0)), Step::End);
    }

    #[test]
    fn abandoned_sender_ends_without_a_flush() {
        let start = Instant::now();
        let abandoned = Load { phase: Phase::Abandoned, is_flush_requested: true, ..load(9, 9) };
        assert_eq!(Schedule::new(MINUTE, start, 9).next(start, &abandoned), Step::End);
    }

    #[test]
    fn absurd_intervals_neither_panic_nor_loop() {
        let start = Instant::now();
        let mut forever = Schedule::new(Duration::MAX, start, 0);
        assert_eq!(forever.next(start, &load(1, 1)), Step::Wait(None));
        forever.flushed(start, Some(Duration::MAX));
        assert_eq!(forever.next(start, &load(1, 0)), Step::Wait(None));
        let mut zero = Schedule::new(Duration::ZERO, start, 0);
        assert_eq!(zero.next(start, &load(1, 1)), Step::Wait(Some(start + MIN_INTERVAL)));
    }
}
