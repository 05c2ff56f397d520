//! The large response bodies of a client, a few at a time: calls run in parallel, and the limit on a body would hold for each of them.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bodies up to this size are read and decoded without waiting for others.
pub(crate) const SMALL: usize = 512 << 10;
/// Two up to this size are read at a time, as the pages of a list are; larger ones one at a time.
pub(crate) const MEDIUM: usize = 1 << 20;

/// Shared by all calls of a client.
#[derive(Clone, Debug)]
pub(crate) struct BodyPermits {
    medium: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

/// The turn of one call, from where its body becomes larger until it is decoded, but for the time in which a body that was read ahead waits
/// for its reader (see `read_ahead`). It ends with the call, and so at its deadline. There is no
/// deadlock: whoever has the turn of a large body waits for no other, and whoever has that of a medium one only for that of a large one.
#[derive(Debug, Default)]
pub(crate) struct BodyPermit {
    semaphore_permit: Option<OwnedSemaphorePermit>,
    is_large: bool,
}

impl Default for BodyPermits {
    fn default() -> Self {
        Self { medium: Arc::new(Semaphore::new(2)), large: Arc::new(Semaphore::new(1)) }
    }
}

impl BodyPermits {
    /// Waits for a turn if the body has, or will have, so many bytes; once for each size.
    pub(crate) async fn acquire(&self, permit: &mut BodyPermit, bytes: usize) {
        // Nobody closes the semaphores.
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
    fn large_bodies_wait_for_each_other_and_small_ones_do_not() {
        let bodies = BodyPermits::default();
        let mut permits: [BodyPermit; 4] = Default::default();
        let [first, second, third, small] = &mut permits;
        let waits =
            |permit: &mut BodyPermit, bytes_of_body| bodies.acquire(permit, bytes_of_body).now_or_never().is_none();
        assert!(!waits(first, SMALL + 1) && !waits(second, SMALL + 1));
        assert!(waits(third, SMALL + 1), "two at a time");
        assert!(!waits(small, SMALL));
        assert!(!waits(first, MEDIUM + 1) && !waits(first, MEDIUM + 2), "it has its turn");
        assert!(!waits(third, SMALL + 1), "the turn of the first is free again");
        assert!(waits(second, MEDIUM + 1) && waits(third, MEDIUM + 1));
        *first = BodyPermit::default();
        assert!(!waits(third, MEDIUM + 1) && waits(second, MEDIUM + 1));
    }
}
