//! The settings and the deadline of a call.

use std::time::Duration;

use tokio::time::Instant;

use crate::{MinTransferRate, RetryPolicy};

/// Default deadline of a call: enough for the default retries (2 minutes) and a large response after the last one.
const DEADLINE: Duration = Duration::from_secs(300);
/// Default limit of a buffered response body. The largest pages of the vendors have a few MiB.
const MAX_RESPONSE_BYTES: usize = 64 * 1024 * 1024;

/// The settings that apply to a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallSettings {
    pub(crate) retry: RetryPolicy,
    pub(crate) deadline: Option<Duration>,
    pub(crate) max_response_bytes: usize,
    pub(crate) min_transfer_rate: Option<MinTransferRate>,
}

impl Default for CallSettings {
    fn default() -> Self {
        Self {
            retry: RetryPolicy::default(),
            deadline: Some(DEADLINE),
            max_response_bytes: MAX_RESPONSE_BYTES,
            min_transfer_rate: Some(MinTransferRate::default()),
        }
    }
}

/// The time at which a call has to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    pub(crate) end: Instant,
    pub(crate) limit: Duration,
}

impl Deadline {
    /// Returns the deadline `limit` from now, or `None` if the clock cannot represent it.
    pub(crate) fn after(limit: Duration) -> Option<Self> {
        Some(Self { end: Instant::now().checked_add(limit)?, limit })
    }

    pub(crate) fn remaining(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadline_beyond_the_clock_is_unlimited() {
        assert!(Deadline::after(Duration::MAX).is_none());
        assert!(Deadline::after(Duration::ZERO).is_some());
    }
}
