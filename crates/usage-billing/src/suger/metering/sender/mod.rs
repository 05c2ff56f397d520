//! Background delivery: a queue of bounded size, flushed at intervals.

mod builder;
mod inbox;
mod receipts;
mod schedule;
mod shared;
mod task;
mod unread;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use usage_billing_core::__private::TimeLimit;
use usage_billing_core::{Error, ErrorKind, Result};
use uuid::Uuid;

use self::shared::{End, Shared, State};
use super::trace::event;
use crate::suger::{Receipt, UndeliveredEvent, UsageEvent};
pub use builder::UsageSenderBuilder;
pub use receipts::Receipts;

/// Sends usage in the background, on the tokio runtime on which it was [started](UsageSenderBuilder::spawn). Share it
/// in an [`Arc`].
///
/// [`push`](Self::push) queues an event and returns at once. The queue is flushed at intervals, as by
/// [`UsageQueue::flush`](crate::suger::UsageQueue::flush). Failed events stay queued and are sent again at the next interval, with the same id.
/// [`shutdown`](Self::shutdown) flushes once more and returns the events that are left. The [`Receipts`] report the
/// outcome of each event.
///
/// If the sender is dropped without a shutdown, the task stops at once and aborts its requests. The last receipt then
/// lists the queued events as [`unsent`](Receipt::unsent), and a warning in the [trace](crate::suger#traces) states
/// their number. The same happens when the runtime ends. Nothing is stored on disk: push the same events again after a
/// restart. Their ids are the same, so usage that arrived is not billed twice.
///
/// ```no_run
/// # use std::time::Duration;
/// # use usage_billing::suger::{Client, UsageEvent};
/// # async fn serve(client: Client, metered: UsageEvent) -> usage_billing::Result<()> {
/// let (sender, mut receipts) = client.usage_queue().validate_first().into_sender().interval(Duration::from_secs(300)).spawn()?;
/// let reader = tokio::spawn(async move {
///     while let Some(receipt) = receipts.next().await {
///         println!("{receipt}"); // store it: rejected usage is not billed
///     }
/// });
/// sender.push(metered)?;
/// // …
/// let last = sender.shutdown(Duration::from_secs(20)).await;
/// for left in &last.unsent {
///     eprintln!("{} is still to be sent: {}", left.id, left.error);
/// }
/// # Ok(())
/// # }
/// ```
pub struct UsageSender(Arc<Shared>);

impl UsageSender {
    /// Queues an event and returns its id, without waiting. A duplicate of an event that is queued or in flight is not
    /// queued again. A duplicate of a delivered event is sent again. The receipt counts both as
    /// [merged](Receipt::merged).
    ///
    /// # Errors
    /// Returns the event with the reason:
    /// - [`ErrorKind::Limit`] if the queue is full;
    /// - [`ErrorKind::Request`] for an event that Suger is known to reject ([`UsageEvent::check`]);
    /// - [`ErrorKind::Request`] for an id with other quantities that is queued or one of the last 100,000 resolved,
    ///   and for an id that is used up at Suger;
    /// - [`ErrorKind::Request`] after the end of the sender.
    pub fn push(&self, event: UsageEvent) -> Result<Uuid, UndeliveredEvent> {
        let mut state = self.0.state();
        if state.end.is_some() {
            let error = Error::new(ErrorKind::Request, "the sender has ended and accepts no more events");
            return Err(UndeliveredEvent { id: event.id(state.inbox.org_id()), event, error });
        }
        let pushed = state.inbox.push(event);
        let is_filling = state.inbox.pushed() >= state.inbox.capacity() / 2;
        drop(state);
        if is_filling {
            self.0.changed.notify_one();
        }
        pushed
    }

    /// Removes an event from the queue, such as one that keeps failing, and returns whether it was queued or in
    /// flight. A running flush may still resolve it; otherwise it is [removed](Receipt::removed) in the next receipt.
    /// If it was never sent, its id is free for other quantities. If it is pushed again before the removal, it stays.
    pub fn remove(&self, id: Uuid) -> bool {
        let mut state = self.0.state();
        let is_queued = state.is_running && state.inbox.remove(id);
        drop(state);
        self.0.changed.notify_one();
        is_queued
    }

    /// Returns the number of events that are queued or in flight.
    pub fn pending(&self) -> usize {
        self.0.state().inbox.unresolved()
    }

    /// Starts a flush of all events now, or after the running one, without waiting for it.
    pub fn flush_now(&self) {
        let mut state = self.0.state();
        state.is_flush_requested = state.inbox.unresolved() > 0;
        drop(state);
        self.0.changed.notify_one();
    }

    /// Rejects further events, flushes once more, and returns within `limit` a receipt of everything resolved since
    /// the last one of the [`Receipts`], which end. Its [`unsent`](Receipt::unsent) events are all that are left: keep
    /// them and push them again after the restart. Requests in flight at the end of `limit` are dropped, and their
    /// events are unsent.
    ///
    /// This method is cancel safe: if the future is dropped, the shutdown continues, and another call returns its
    /// receipt. The first call sets the limit. After the receipt was returned, further calls return an empty one. The
    /// runtime of the sender enforces the limit, so do not block it.
    pub async fn shutdown(&self, limit: Duration) -> Receipt {
        self.0.state().end.get_or_insert_with(|| End::Shutdown(TimeLimit::new(limit)));
        self.0.changed.notify_one();
        self.0.ended.cancelled().await;
        let mut state = self.0.state();
        let last = state.last.take();
        state.unread.wake();
        last.unwrap_or_default()
    }
}

impl Drop for UsageSender {
    fn drop(&mut self) {
        let mut state = self.0.state();
        let mut unsent = 0;
        if state.is_running {
            state.end = Some(End::Dropped);
        } else if let Some(last) = state.last.take() {
            unsent = last.unsent.len();
            let State { unread, inbox, .. } = &mut *state;
            unread.add(last, inbox);
        }
        drop(state);
        if unsent > 0 {
            event!(WARN, unsent, "the last receipt of the sender was not taken: the queued usage is not sent");
        }
        self.0.changed.notify_one();
    }
}

impl fmt::Debug for UsageSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UsageSender").field("pending", &self.pending()).finish_non_exhaustive()
    }
}

/// Allows `?` where the event itself is not needed.
impl From<UndeliveredEvent> for Error {
    fn from(undelivered: UndeliveredEvent) -> Self {
        undelivered.error
    }
}
