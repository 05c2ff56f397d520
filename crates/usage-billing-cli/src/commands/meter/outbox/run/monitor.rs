//! The status of a running sender, as its server states it.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;
use usage_billing::{Error, ErrorKind, Result};
use usage_billing_outbox::Status;

/// How long a status is used again: reading one takes time in a large outbox, and anyone on this machine may ask.
const MAX_AGE: Duration = Duration::from_secs(2);
/// How often a run that ends by itself looks whether the store works, and after which time of failures it ends.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);
const MAX_FAILURE_TIME: Duration = Duration::from_secs(60);
/// Time limit of reading one.
const READ_TIMEOUT: Duration = Duration::from_secs(20);

type Reading = Pin<Box<dyn Future<Output = Result<Status>> + Send>>;

/// Reads the status of an outbox, at most once in a while.
pub(super) struct Monitor {
    pub(super) organization: String,
    read: Box<dyn Fn() -> Reading + Send + Sync>,
    last: Mutex<Option<(Instant, Result<Arc<Status>>)>>,
}

impl Monitor {
    pub(super) fn new(organization: String, read: impl Fn() -> Reading + Send + Sync + 'static) -> Self {
        Self { organization, read: Box::new(read), last: Mutex::new(None) }
    }

    /// Returns the status of now, or of a moment ago. Callers wait for each other.
    pub(super) async fn status(&self) -> Result<Arc<Status>> {
        let mut last = self.last.lock().await;
        match &*last {
            Some((read_at, status)) if read_at.elapsed() < MAX_AGE => status.clone(),
            _ => {
                let status = match tokio::time::timeout(READ_TIMEOUT, (self.read)()).await {
                    Ok(status) => status.map(Arc::new),
                    Err(_) => Err(Error::new(ErrorKind::File, "the outbox was not read in time")),
                };
                *last = Some((Instant::now(), status.clone()));
                status
            }
        }
    }
}

/// Waits until the sender of this process has failed to use the store for a minute.
pub(super) async fn store_fails(is_failing: impl Fn() -> bool) {
    let mut since = None;
    loop {
        tokio::time::sleep(CHECK_INTERVAL).await;
        since = is_failing().then(|| since.unwrap_or_else(Instant::now));
        if since.is_some_and(|since: Instant| since.elapsed() >= MAX_FAILURE_TIME) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use chrono::Utc;
    use usage_billing_outbox::store::Backlog;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn status_is_read_at_most_every_two_seconds() {
        let reads = Arc::new(AtomicUsize::new(0));
        let counted = reads.clone();
        let monitor = Monitor::new("acme".to_owned(), move || {
            counted.fetch_add(1, Ordering::Relaxed);
            Box::pin(async { Ok(Status::new(Backlog::default(), None, Utc::now())) })
        });
        for expected in [1, 1, 2] {
            assert!(monitor.status().await.is_ok());
            assert_eq!(reads.load(Ordering::Relaxed), expected);
            tokio::time::advance(MAX_AGE / 2).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn store_fails_after_a_minute_without_a_success() {
        let looks = AtomicUsize::new(0);
        let start = Instant::now();
        // It works at the fifth time, once.
        store_fails(|| looks.fetch_add(1, Ordering::Relaxed) != 4).await;
        assert_eq!((start.elapsed(), looks.into_inner()), (6 * CHECK_INTERVAL + MAX_FAILURE_TIME, 18));
    }

    #[tokio::test(start_paused = true)]
    async fn outbox_that_hangs_is_an_error() {
        let monitor = Monitor::new("acme".to_owned(), || Box::pin(std::future::pending()));
        assert_eq!(monitor.status().await.unwrap_err().kind(), ErrorKind::File);
    }
}
