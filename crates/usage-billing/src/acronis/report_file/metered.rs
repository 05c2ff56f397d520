//! A reader with a limit for one record.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

use crate::acronis::report_file::limits::RECORD_BYTES;
use crate::acronis::report_file::meter::Meter;
use crate::acronis::reports::download::Reader;

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
