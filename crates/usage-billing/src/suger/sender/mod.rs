//! Background delivery: a queue of bounded size, flushed at intervals.

mod inbox;
mod receipts;
mod schedule;
mod task;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::instrument::WithSubscriber;
use usage_billing_core::{Error, ErrorKind, Result};
use uuid::Uuid;

use self::inbox::Inbox;
use self::receipts::Unread;
use self::schedule::Schedule;
use self::task::Task;
use super::trace::event;
use super::tracked_event::EventState;
use super::{Receipt, UndeliveredEvent, UsageEvent, UsageQueue};
pub use receipts::Receipts;
use usage_billing_core::__private::TimeLimit;

/// Default delay between two flushes.
const INTERVAL: Duration = Duration::from_secs(60);
/// Default number of unresolved events: some MB.
const CAPACITY: usize = 10_000;

/// Sends usage in the background, on the tokio runtime on which it was [started](UsageSenderBuilder::spawn). Share it
/// in an [`Arc`].
///
/// [`push`](Self::push) queues an event and returns at once. The queue is flushed at intervals, as by
/// [`UsageQueue::flush`]. Failed events stay queued and are sent again at the next interval, with the same id.
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

/// Configuration of a [`UsageSender`].
#[derive(Debug)]
#[must_use = "nothing is sent until `spawn`"]
pub struct UsageSenderBuilder {
    queue: UsageQueue,
    interval: Duration,
    capacity: usize,
}

impl UsageQueue {
    /// Converts the queue into a sender that flushes in the background, with the configuration and the queued events
    /// of this queue.
    pub fn into_sender(self) -> UsageSenderBuilder {
        UsageSenderBuilder { queue: self, interval: INTERVAL, capacity: CAPACITY }
    }
}

impl UsageSenderBuilder {
    /// Sets the delay from the end of a flush to the next one. The default is a minute, the minimum a second. It is
    /// longer after a `Retry-After`, up to an hour. New events that fill half of the capacity are sent earlier. Events
    /// whose outcome stays open although they were looked up are sent again after growing delays of up to an hour.
    pub fn interval(self, interval: Duration) -> Self {
        Self { interval, ..self }
    }

    /// Sets the maximum number of events that are queued or in flight. The default is 10,000; 0 is treated as 1. More
    /// events are rejected. Unread [`Receipts`] list at most as many resolved events.
    pub fn capacity(self, events: usize) -> Self {
        Self { capacity: events, ..self }
    }

    /// Starts the sender on the current tokio runtime of either flavor, which needs its timer (`enable_time`). Events
    /// that are already queued are sent at once, later ones after the interval.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] outside of a tokio runtime.
    pub fn spawn(self) -> Result<(UsageSender, Receipts)> {
        let Self { mut queue, interval, capacity } = self;
        let runtime = Handle::try_current()
            .map_err(|_| Error::new(ErrorKind::Config, "a sender must be started on a tokio runtime"))?;
        let mut inbox = Inbox::new(queue.client.org_id().to_owned(), capacity);
        queue.queue.values().for_each(|event| inbox.adopt(event));
        let known =
            queue.known.iter().map(|(id, known)| (*id, known.fingerprint, known.state == EventState::IdConsumed));
        let forgotten: Vec<_> = known
            .filter_map(|(id, fingerprint, is_id_consumed)| inbox.remember(id, fingerprint, is_id_consumed))
            .collect();
        forgotten.into_iter().for_each(|id| queue.forget(id));
        let schedule = Schedule::new(interval, Instant::now(), inbox.unresolved());
        let unread = Unread::new(inbox.capacity());
        let state = State { inbox, unread, is_flush_requested: false, end: None, last: None, is_running: true };
        let shared =
            Arc::new(Shared { state: Mutex::new(state), changed: Notify::new(), ended: CancellationToken::new() });
        // The task is outside of the current span, which ends long before the sender.
        runtime.spawn(Task::new(shared.clone(), queue, schedule).run().with_current_subscriber());
        Ok((UsageSender(shared.clone()), Receipts(shared)))
    }
}

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

/// State that the handle, the task and the reader of receipts share.
struct Shared {
    state: Mutex<State>,
    /// Wakes the task: there is more to send, or it is to end.
    changed: Notify,
    /// Cancelled when the task has ended.
    ended: CancellationToken,
}

struct State {
    inbox: Inbox,
    unread: Unread,
    is_flush_requested: bool,
    end: Option<End>,
    /// The receipt that the shutdown returns.
    last: Option<Receipt>,
    is_running: bool,
}

/// Why the sender ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Shutdown(TimeLimit),
    Dropped,
    /// The task ended by itself, with its runtime.
    Stopped,
}

impl State {
    /// Returns whether no further receipt will follow.
    fn has_ended(&self) -> bool {
        !self.is_running && self.last.is_none()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks the task as ended. Its last receipt is kept for the shutdown, unless no caller can request it any more.
    fn end(&self) {
        let mut state = self.state();
        state.is_running = false;
        if matches!(state.end, Some(End::Dropped))
            && let Some(last) = state.last.take()
        {
            let State { unread, inbox, .. } = &mut *state;
            unread.add(last, inbox);
        }
        state.unread.wake();
        drop(state);
        self.ended.cancel();
    }

    /// Resolves when a flush has to end, with the reason for the unresolved events.
    async fn interruption(&self) -> Error {
        loop {
            let end = self.state().end;
            match end {
                None => self.changed.notified().await,
                Some(End::Dropped | End::Stopped) => return task::dropped(),
                // The handle may have been dropped when this is woken.
                Some(End::Shutdown(limit)) => {
                    if limit.run(self.changed.notified()).await.is_none() {
                        return limit.exceeded("not confirmed").with_hint(task::PUSH_AGAIN);
                    }
                }
            }
        }
    }
}
