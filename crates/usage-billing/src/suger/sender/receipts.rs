//! Receipts of a sender, as a stream of bounded memory that does not block the sender.

use std::collections::HashSet;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use uuid::Uuid;

use super::super::Receipt;
use super::Shared;

/// The outcomes of the events of a [`UsageSender`](super::UsageSender), as a stream of [`Receipt`]s. The stream ends
/// after the sender.
///
/// Each receipt contains the outcomes since the previous one: usually of one flush, or of several if the reader is
/// slower than the flushes. [`unsent`](Receipt::unsent) lists the events that stayed queued after the latest of these
/// flushes; later receipts resolve them.
///
/// A slow or absent reader does not block the sender. Unread receipts list at most as many resolved events as the
/// [`capacity`](super::UsageSenderBuilder::capacity) of the sender. Beyond it the oldest are dropped, delivered ones
/// first, with a warning in the [trace](crate::suger#traces), and [counted](Self::missed). If this stream is dropped,
/// no receipts are kept for it. The trace contains every rejected event in any case.
pub struct Receipts(pub(super) Arc<Shared>);

impl Receipts {
    /// Waits for the next receipt, and returns `None` after the last one. This method is cancel safe: a receipt that
    /// was not returned is not lost.
    pub async fn next(&mut self) -> Option<Receipt> {
        poll_fn(|context| self.poll_receipt(context)).await
    }

    /// Returns the number of resolved events that were dropped from unread receipts.
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

/// Unread outcomes, combined in one receipt.
#[derive(Debug)]
pub(super) struct Unread {
    receipt: Receipt,
    /// Maximum number of resolved events that it lists.
    limit: usize,
    missed: u64,
    has_reader: bool,
    waker: Option<Waker>,
}

impl Unread {
    pub(super) fn new(limit: usize) -> Self {
        Self { receipt: Receipt::default(), limit, missed: 0, has_reader: true, waker: None }
    }

    /// Adds a later receipt, and returns the number of resolved events that were dropped.
    pub(super) fn add(&mut self, later: Receipt) -> usize {
        if !self.has_reader {
            return 0;
        }
        absorb(&mut self.receipt, later);
        let dropped = shorten(&mut self.receipt, self.limit);
        self.missed = self.missed.saturating_add(u64::try_from(dropped).unwrap_or(u64::MAX));
        self.wake();
        dropped
    }

    /// Wakes the reader for a receipt or the end.
    pub(super) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn take(&mut self) -> Option<Receipt> {
        let has_news = self.receipt.total() > 0 || !self.receipt.merged.is_empty();
        has_news.then(|| std::mem::take(&mut self.receipt))
    }

    fn drop_reader(&mut self) {
        self.has_reader = false;
        self.receipt = Receipt::default();
        self.waker = None;
    }
}

/// Merges a later receipt into an earlier one. Each event is then listed once, as in the later one.
pub(super) fn absorb(earlier: &mut Receipt, later: Receipt) {
    let Receipt { delivered, already_delivered, unverified, rejected, unsent, removed, late, merged } = later;
    let undelivered = rejected.iter().chain(&unsent).chain(&removed).map(|it| &it.id);
    let ids: HashSet<Uuid> =
        delivered.iter().chain(&already_delivered).chain(&unverified).chain(undelivered).copied().collect();
    earlier.retain(|id| !ids.contains(id));
    earlier.delivered.extend(delivered);
    earlier.already_delivered.extend(already_delivered);
    earlier.unverified.extend(unverified);
    earlier.rejected.extend(rejected);
    earlier.unsent.extend(unsent);
    earlier.removed.extend(removed);
    earlier.late.extend(late);
    for (id, times) in merged {
        let all = earlier.merged.entry(id).or_default();
        *all = all.saturating_add(times);
    }
}

/// Drops resolved events beyond `limit`, and returns their number.
fn shorten(receipt: &mut Receipt, limit: usize) -> usize {
    let resolved = receipt.total() - receipt.unsent.len();
    let excess = resolved.saturating_sub(limit);
    let mut left = excess;
    for ids in [&mut receipt.delivered, &mut receipt.already_delivered, &mut receipt.unverified] {
        left -= ids.drain(..left.min(ids.len())).len();
    }
    for events in [&mut receipt.removed, &mut receipt.rejected] {
        left -= events.drain(..left.min(events.len())).len();
    }
    receipt.late.drain(..receipt.late.len().saturating_sub(limit));
    while receipt.merged.len() > limit {
        receipt.merged.pop_first();
    }
    excess
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suger::{UndeliveredEvent, UsageEvent};
    use usage_billing_core::{Error, ErrorKind};

    fn ids(numbers: &[u128]) -> Vec<Uuid> {
        numbers.iter().copied().map(Uuid::from_u128).collect()
    }

    fn undelivered(numbers: &[u128]) -> Vec<UndeliveredEvent> {
        let one = |id| UndeliveredEvent {
            id,
            event: UsageEvent::new("e-1", "2026-10-01T07:00:00Z".parse().unwrap()),
            error: Error::new(ErrorKind::Api, "no"),
        };
        ids(numbers).into_iter().map(one).collect()
    }

    fn numbers(list: &[UndeliveredEvent]) -> Vec<u128> {
        list.iter().map(|it| it.id.as_u128()).collect()
    }

    #[test]
    fn unread_receipts_become_one_with_each_event_once() {
        let mut receipt = Receipt { delivered: ids(&[1, 2]), unsent: undelivered(&[3, 4]), ..Receipt::default() };
        let later = Receipt {
            delivered: ids(&[3]),
            already_delivered: ids(&[1]),
            unsent: undelivered(&[4, 5]),
            removed: undelivered(&[6]),
            merged: [(Uuid::from_u128(3), 2)].into(),
            ..Receipt::default()
        };
        receipt.unsent.extend(undelivered(&[6]));
        receipt.merged = [(Uuid::from_u128(3), 1), (Uuid::from_u128(2), 1)].into();
        absorb(&mut receipt, later);
        assert_eq!((&receipt.delivered, &receipt.already_delivered), (&ids(&[2, 3]), &ids(&[1])));
        assert_eq!((numbers(&receipt.unsent), numbers(&receipt.removed)), (vec![4, 5], vec![6]));
        assert_eq!(receipt.total(), 6);
        assert_eq!(receipt.merged, [(Uuid::from_u128(2), 1), (Uuid::from_u128(3), 3)].into());
    }

    #[test]
    fn oldest_delivered_events_are_dropped_first_and_counted() {
        let mut unread = Unread::new(3);
        unread.add(Receipt { delivered: ids(&[1, 2]), rejected: undelivered(&[3]), ..Receipt::default() });
        assert_eq!(unread.missed, 0);
        unread.add(Receipt { delivered: ids(&[4]), unsent: undelivered(&[5, 6, 7, 8]), ..Receipt::default() });
        assert_eq!(unread.missed, 1);
        assert_eq!((&unread.receipt.delivered, numbers(&unread.receipt.rejected)), (&ids(&[2, 4]), vec![3]));
        unread.add(Receipt { rejected: undelivered(&[9, 10, 11]), ..Receipt::default() });
        assert_eq!((unread.missed, numbers(&unread.receipt.rejected)), (4, vec![9, 10, 11]));
        unread.add(Receipt { removed: undelivered(&[12, 13]), ..Receipt::default() });
        assert_eq!((unread.missed, numbers(&unread.receipt.rejected)), (6, vec![9, 10, 11]));
        assert_eq!(unread.take().map(|receipt| receipt.total()), Some(3 + 4), "unsent events are never dropped");
        assert!(unread.take().is_none());
    }

    #[test]
    fn nothing_is_kept_without_a_reader() {
        let mut unread = Unread::new(3);
        unread.add(Receipt { delivered: ids(&[1]), ..Receipt::default() });
        unread.drop_reader();
        unread.add(Receipt { delivered: ids(&[2, 3, 4, 5]), ..Receipt::default() });
        assert_eq!((unread.receipt.total(), unread.missed), (0, 0));
    }
}
