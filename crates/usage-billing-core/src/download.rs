//! Response bodies as streams.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use reqwest::Response;

use crate::failure_context::FailureContext;
use crate::transfer_rate::{MinRateStream, MinTransferRate};
use crate::{Error, ErrorKind, Result};

/// A body as it arrives, at the minimum transfer rate. It ends after an error.
pub(crate) struct Download {
    operation: Cow<'static, str>,
    attempts: u32,
    context: Arc<FailureContext>,
    chunks: Option<Chunks>,
}

enum Chunks {
    MinRate(MinRateStream<BoxStream<'static, reqwest::Result<Bytes>>>),
    Unlimited(BoxStream<'static, reqwest::Result<Bytes>>),
}

impl Download {
    pub(crate) fn new(
        response: Response,
        min_rate: Option<MinTransferRate>,
        operation: Cow<'static, str>,
        attempts: u32,
        context: Arc<FailureContext>,
    ) -> Self {
        let chunks = response.bytes_stream().boxed();
        let chunks = match min_rate {
            Some(rate) => Chunks::MinRate(MinRateStream::new(chunks, rate)),
            None => Chunks::Unlimited(chunks),
        };
        Self { operation, attempts, context, chunks: Some(chunks) }
    }
}

impl Stream for Download {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let chunk = match &mut self.chunks {
            None => return Poll::Ready(None),
            Some(Chunks::MinRate(chunks)) => ready!(chunks.poll_chunk(context)),
            Some(Chunks::Unlimited(chunks)) => ready!(chunks.poll_next_unpin(context)).map(Ok),
        };
        let chunk = chunk.map(|chunk| match chunk {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(error)) => Err(self.context.connection_error(error, self.operation.clone(), self.attempts).1),
            Err(too_slow) => Err(Error::new(ErrorKind::Connection, too_slow.to_string())
                .with_operation(self.operation.clone())
                .with_attempts(self.attempts)
                .with_setting("min_transfer_rate")),
        });
        if !matches!(chunk, Some(Ok(_))) {
            // Closes the connection of a download that failed.
            self.chunks = None;
        }
        Poll::Ready(chunk)
    }
}
