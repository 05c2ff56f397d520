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

    /// Keeps the buffer of a body, unless parts of the body are still in use. A small body may be in a large buffer.
    pub(crate) fn keep(&self, body: Bytes) {
        if !body.is_unique() {
            return;
        }
        let mut buffer = Vec::from(body);
        if !(MIN_CAPACITY..=MAX_CAPACITY).contains(&buffer.capacity()) {
            return;
        }
        buffer.clear();
        let mut kept = self.buffers();
        if kept.len() < KEPT {
            kept.push(buffer);
        }
    }

    /// Returns a body for a caller who may keep it. A small one is copied: it may be in a large buffer.
    pub(crate) fn release(&self, body: Bytes) -> Bytes {
        if body.len() >= MIN_CAPACITY {
            return body;
        }
        let copy = Bytes::copy_from_slice(&body);
        self.keep(body);
        copy
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
        let mut small = again;
        small.push(1);
        buffers.keep(small.into());
        let again = buffers.take(0);
        assert_eq!(again.as_ptr(), address, "the body is small, its buffer is not");
    }

    #[test]
    fn small_body_leaves_without_its_large_buffer() {
        let buffers = BodyBuffers::default();
        let mut body = Vec::with_capacity(MAX_CAPACITY);
        body.extend_from_slice(b"small");
        let address = body.as_ptr();
        let released = buffers.release(body.into());
        let kept = buffers.take(0);
        assert_eq!((&released[..], kept.as_ptr()), (&b"small"[..], address));
        let large = vec![1; MIN_CAPACITY];
        let address = large.as_ptr();
        assert_eq!(buffers.release(large.into()).as_ptr(), address);
    }

    #[test]
    fn buffers_that_are_small_large_or_in_use_are_not_kept() {
        let buffers = BodyBuffers::default();
        let kept = || buffers.buffers().len();
        let body = Bytes::from(vec![1; MIN_CAPACITY]);
        let part = body.slice(..10);
        buffers.keep(body);
        assert_eq!((kept(), part.len()), (0, 10), "a part is in use");
        buffers.keep(vec![1; MIN_CAPACITY - 1].into());
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
