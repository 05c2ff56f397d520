//! Receipts of a sender, as a stream of bounded memory that does not block the sender.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::shared::Shared;
use crate::suger::Receipt;

/// The outcomes of the events of a [`UsageSender`](super::UsageSender), as a stream of [`Receipt`]s. The stream ends
/// after the sender.
///
/// Each receipt contains the outcomes since the previous one: usually of one flush, or of several if the reader is
/// slower than the flushes. [`unsent`](Receipt::unsent) lists the events that stayed queued after the latest of these
/// flushes; later receipts resolve them.
///
/// A slow or absent reader does not block the sender. Unread receipts list at most as many resolved events as the
/// [`capacity`](super::UsageSenderBuilder::capacity) of the sender. Beyond it the oldest are dropped, delivered ones
/// first, with a warning in the [trace](crate::suger#traces), and [counted](Self::missed). The same limit applies to the
/// lists of [late](Receipt::late) usage and of [duplicates](Receipt::merged). If this stream is dropped,
/// no receipts are kept for it. The trace contains every rejected event in any case.
pub struct Receipts(pub(super) Arc<Shared>);

impl Receipts {
    /// Waits for the next receipt, and returns `None` after the last one. This method is cancel safe: a receipt that
    /// was not returned is not lost.
    pub async fn next(&mut self) -> Option<Receipt> {
        poll_fn(|context| self.poll_receipt(context)).await
    }

    /// Returns the number of entries that were dropped from unread receipts: resolved events, entries of
    /// [late](Receipt::late) usage, and ids with duplicates ([`merged`](Receipt::merged)).
    pub fn missed(&self) -> u64 {
        self.0.state().unread.missed
    }

    fn poll_receipt(&self, context: &Context<'_>) -> Poll<Option<Receipt>> {
        let mut state = self.0.state();
        let receipt = state.unread.take();
        if receipt.is_none() && !state.has_ended() {
            state.unread.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(receipt)
    }
}

impl Stream for Receipts {
    type Item = Receipt;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Receipt>> {
        self.poll_receipt(context)
    }
}

impl Drop for Receipts {
    fn drop(&mut self) {
        self.0.state().unread.drop_reader();
    }
}

impl fmt::Debug for Receipts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipts").finish_non_exhaustive()
    }
}
