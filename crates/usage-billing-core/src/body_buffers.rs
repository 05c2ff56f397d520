//! Keeps the buffers of decoded bodies for the next ones: allocators return blocks of this size to the system, and a list would fault in the
//! memory of each page again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// Smaller buffers cost as much to keep as to allocate.
const MIN_CAPACITY: usize = 32 << 10;
/// Larger buffers would take memory for a client that is idle.
const MAX_CAPACITY: usize = 1 << 20;
/// Buffers that are kept: two pages of a list are fetched at once.
const KEPT: usize = 2;

/// The unused buffers of a client.
#[derive(Clone, Debug, Default)]
pub(crate) struct BodyBuffers(Arc<Mutex<Vec<Vec<u8>>>>);

impl BodyBuffers {
    /// Returns an empty buffer for a body whose length is `expected`, which is 0 if it is unknown.
    pub(crate) fn take(&self, expected: usize) -> Vec<u8> {
        let is_large = (MIN_CAPACITY..=MAX_CAPACITY).contains(&expected) || expected == 0;
        let mut buffer = if is_large { self.buffers().pop().unwrap_or_default() } else { Vec::new() };
        buffer.reserve_exact(expected);
        buffer
    }

    /// Keeps the buffer of a body, unless parts of the body are still in use.
    pub(crate) fn keep(&self, body: Bytes) {
        if body.len() < MIN_CAPACITY || !body.is_unique() {
            return;
        }
        let mut buffer = Vec::from(body);
        buffer.clear();
        let mut kept = self.buffers();
        if buffer.capacity() <= MAX_CAPACITY && kept.len() < KEPT {
            kept.push(buffer);
        }
    }

    fn buffers(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_of_decoded_bodies_are_used_again() {
        let buffers = BodyBuffers::default();
        let mut body = buffers.take(MAX_CAPACITY);
        body.resize(MIN_CAPACITY, 1);
        let address = body.as_ptr();
        buffers.keep(body.into());
        let again = buffers.take(MIN_CAPACITY);
        assert_eq!((again.as_ptr(), again.len()), (address, 0));
        assert_eq!(buffers.take(0).capacity(), 0, "it is taken");
    }

    #[test]
    fn buffers_that_are_small_large_or_in_use_are_not_kept() {
        let buffers = BodyBuffers::default();
        let kept = || buffers.buffers().len();
        let body = Bytes::from(vec![1; MIN_CAPACITY]);
        let part = body.slice(..10);
        buffers.keep(body);
        buffers.keep(part);
        buffers.keep(vec![1; MAX_CAPACITY + 1].into());
        assert_eq!(kept(), 0);
        for _ in 0..=KEPT {
            buffers.keep(vec![1; MAX_CAPACITY].into());
        }
        assert_eq!(kept(), KEPT);
        buffers.take(MIN_CAPACITY - 1);
        buffers.take(MAX_CAPACITY + 1);
        assert_eq!(kept(), KEPT);
    }
}
