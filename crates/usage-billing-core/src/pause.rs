//! The pause of a client, or of its token requests, after a 429.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Longest pause: an invalid `Retry-After` must not block the client.
const MAX_PAUSE: Duration = Duration::from_secs(3600);

/// The time until which no request is sent. Shared by all clones of a client.
#[derive(Debug, Default)]
pub(crate) struct Pause(Mutex<Option<Instant>>);

impl Pause {
    /// Pauses the client for `delay` from now, unless it is paused for longer already.
    pub(crate) fn extend(&self, delay: Duration) {
        let until = Instant::now() + delay.min(MAX_PAUSE);
        let mut end = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *end = Some(end.map_or(until, |end| end.max(until)));
    }

    /// Returns how long the pause still lasts.
    pub(crate) fn remaining(&self) -> Option<Duration> {
        let mut end = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = (*end)?.saturating_duration_since(Instant::now());
        if left.is_zero() {
            *end = None;
            return None;
        }
        Some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pause_ends_with_the_longest_of_its_delays() {
        let pause = Pause::default();
        assert_eq!(pause.remaining(), None);
        pause.extend(Duration::from_secs(30));
        pause.extend(Duration::from_secs(5));
        assert_eq!(pause.remaining(), Some(Duration::from_secs(30)));
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!(pause.remaining(), None);
        pause.extend(Duration::MAX);
        assert_eq!(pause.remaining(), Some(MAX_PAUSE));
    }
}
