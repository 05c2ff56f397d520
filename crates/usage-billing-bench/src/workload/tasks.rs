//! Calls that several tasks make, as a service would: a future that the runtime's own thread blocks on costs another look at the sockets each
//! time it is woken.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::task::JoinSet;

use super::Result;

/// The numbers of the calls that are left.
pub(super) struct Calls {
    next: AtomicU64,
    count: u64,
}

impl Calls {
    pub(super) fn next(&self) -> Option<u64> {
        Some(self.next.fetch_add(1, Ordering::Relaxed)).filter(|index| *index < self.count)
    }
}

/// Runs `at_once` tasks that share `count` calls, and returns the sums that they made.
pub(super) async fn run<S, F>(count: u64, at_once: usize, task: impl Fn(Arc<Calls>) -> F) -> Result<Vec<S>>
where
    S: Send + 'static,
    F: Future<Output = Result<S>> + Send + 'static,
{
    let calls = Arc::new(Calls { next: AtomicU64::new(0), count });
    let tasks: JoinSet<_> = (0..at_once).map(|_| task(calls.clone())).collect();
    tasks.join_all().await.into_iter().collect()
}
