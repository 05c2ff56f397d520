//! Observes whether the request of a call has left this process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

tokio::task_local! {
    static WATCHED: Departure;
}

/// Whether the request of a call may have left this process. It is known even if the call is dropped.
#[derive(Clone, Debug, Default)]
pub struct Departure(Arc<AtomicBool>);

impl Departure {
    /// Runs a call, and records the start of its first attempt. Requests for tokens do not count.
    pub async fn watch<F: Future>(&self, call: F) -> F::Output {
        WATCHED.scope(self.clone(), call).await
    }

    /// Returns whether an attempt has started. Before, a call waits for a token or for the rate limit.
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Records the start of an attempt in the current call.
    pub(crate) fn record() {
        // Most calls are not watched.
        let _ = WATCHED.try_with(|departure| departure.0.store(true, Ordering::Release));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn departure_is_of_the_watched_call_only() {
        let [one, other] = [Departure::default(), Departure::default()];
        Departure::record();
        one.watch(async {
            other.watch(async {}).await;
            assert!(!one.has_begun());
            Departure::record();
        })
        .await;
        assert!(one.has_begun() && !other.has_begun());
    }
}
