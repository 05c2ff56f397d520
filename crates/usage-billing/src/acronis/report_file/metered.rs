//! A reader with a limit for one record.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

use crate::acronis::report_file::limits::RECORD_BYTES;
use crate::acronis::reports::download::Reader;

/// Counts the bytes since the last [`reset`](Self::reset).
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Arc<AtomicU64>);

impl Meter {
    pub(crate) fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Relaxed);
    }

    pub(crate) fn reset(&self) {
        self.0.store(0, Relaxed);
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A reader that fails once the bytes since the last row exceed the limit of one row.
pub(crate) struct Metered {
    reader: Reader,
    meter: Meter,
}

impl Metered {
    pub(crate) fn new(reader: Reader, meter: Meter) -> Self {
        Self { reader, meter }
    }
}

impl AsyncRead for Metered {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.meter.bytes() >= RECORD_BYTES {
            return Poll::Ready(Err(io::ErrorKind::OutOfMemory.into()));
        }
        let before = to.filled().len();
        ready!(self.reader.as_mut().poll_read(context, to))?;
        self.meter.add(to.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}
