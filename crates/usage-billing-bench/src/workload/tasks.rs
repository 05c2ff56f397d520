//! Calls from several tasks, as in a service: a future that the runtime's thread blocks on costs an additional poll of the sockets at each
//! wake-up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::task::JoinSet;

use super::Result;

/// Indexes of the remaining calls.
pub(super) struct Calls {
    next: AtomicU64,
    count: u64,
}

impl Calls {
    pub(super) fn next(&self) -> Option<u64> {
        Some(self.next.fetch_add(1, Ordering::Relaxed)).filter(|index| *index < self.count)
    }
}

/// Runs `concurrency` tasks that share `count` calls, and returns their sums.
pub(super) async fn run<S, F>(count: u64, concurrency: usize, task: impl Fn(Arc<Calls>) -> F) -> Result<Vec<S>>
where
    S: Send + 'static,
    F: Future<Output = Result<S>> + Send + 'static,
{
    let calls = Arc::new(Calls { next: AtomicU64::new(0), count });
    let tasks: JoinSet<_> = (0..concurrency).map(|_| task(calls.clone())).collect();
    tasks.join_all().await.into_iter().collect()
}
