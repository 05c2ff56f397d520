//! Limits how many large response bodies of a client are in memory at once: the limit on one body applies to each of many parallel calls.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::body_buffers::BodyBuffers;

/// Bodies up to this size need no permit.
pub(crate) const SMALL: usize = 512 << 10;
/// Two bodies up to this size are read at once, as the pages of a list are; of larger ones, one.
pub(crate) const MEDIUM: usize = 1 << 20;

/// The permits for large bodies and their buffers, shared by all calls of a client.
#[derive(Clone, Debug)]
pub(crate) struct BodyPermits {
    medium: Arc<Semaphore>,
    large: Arc<Semaphore>,
    pub(crate) buffers: BodyBuffers,
}

/// The permit of one call, held from the time at which its body becomes larger until the body is decoded. A body that was read ahead holds
/// none while it waits for its reader (see `read_ahead`).
///
/// It is released with the call, at the latest at its deadline. There is no deadlock: a call with a permit for a large body waits for no
/// other, and a call with one for a medium body only for one for a large body.
#[derive(Debug, Default)]
pub(crate) struct BodyPermit {
    semaphore_permit: Option<OwnedSemaphorePermit>,
    is_large: bool,
}

impl Default for BodyPermits {
    fn default() -> Self {
        Self {
            medium: Arc::new(Semaphore::new(2)),
            large: Arc::new(Semaphore::new(1)),
            buffers: BodyBuffers::default(),
        }
    }
}

impl BodyPermits {
    /// Waits for a permit if a body of this many bytes needs one that it does not have yet.
    pub(crate) async fn acquire(&self, permit: &mut BodyPermit, bytes: usize) {
        // The semaphores are never closed.
        if bytes > MEDIUM && !permit.is_large {
            *permit = BodyPermit { semaphore_permit: self.large.clone().acquire_owned().await.ok(), is_large: true };
        } else if bytes > SMALL && permit.semaphore_permit.is_none() {
            permit.semaphore_permit = self.medium.clone().acquire_owned().await.ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn large_bodies_wait_for_each_other_and_small_do_not() {
        let bodies = BodyPermits::default();
        let mut permits: [BodyPermit; 4] = Default::default();
        let [first, second, third, small] = &mut permits;
        let waits =
            |permit: &mut BodyPermit, bytes_of_body| bodies.acquire(permit, bytes_of_body).now_or_never().is_none();
        assert!(!waits(first, SMALL + 1) && !waits(second, SMALL + 1));
        assert!(waits(third, SMALL + 1), "two at once");
        assert!(!waits(small, SMALL));
        assert!(!waits(first, MEDIUM + 1) && !waits(first, MEDIUM + 2), "it has its permit");
        assert!(!waits(third, SMALL + 1), "the permit of the first is free again");
        assert!(waits(second, MEDIUM + 1) && waits(third, MEDIUM + 1));
        *first = BodyPermit::default();
        assert!(!waits(third, MEDIUM + 1) && waits(second, MEDIUM + 1));
    }
}
