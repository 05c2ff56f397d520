//! Usage that is sent in the background: a queue of bounded size, flushed at intervals.

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
use super::{Receipt, UndeliveredEvent, UsageEvent, UsageQueue};
use crate::time_limit::TimeLimit;
pub use receipts::Receipts;

/// Time between two flushes unless set otherwise.
const INTERVAL: Duration = Duration::from_secs(60);
/// Reports that are not settled, unless set otherwise: some MB.
const CAPACITY: usize = 10_000;

/// Sends usage in the background, on the tokio runtime on which it was [started](UsageSenderBuilder::spawn). Share it in an [`Arc`].
///
/// [`push`](Self::push) queues a report and returns at once. The queue is flushed at intervals, as by [`UsageQueue::flush`]: what fails stays
/// queued and is sent again at the next interval, under the same id. [`shutdown`](Self::shutdown) flushes once more and returns what is
/// left. What became of each report is in the [`Receipts`].
///
/// If this is dropped without a shutdown, the task stops at once, requests under way included. What was queued then is in the last
/// receipt as [`unsent`](Receipt::unsent), and a warning in the [trace](crate::suger#traces) states how many reports these are. The same
/// happens if the runtime ends. Nothing is kept on disk: push the same reports again after a restart. Their ids are the same, so that what
/// arrived is not billed twice.
///
/// ```no_run
/// # use std::time::Duration;
/// # use usage_billing::suger::{Client, UsageEvent};
/// # async fn serve(client: Client, metered: UsageEvent) -> usage_billing::Result<()> {
/// let (sender, mut receipts) = client.usage_queue().validate_first().into_sender().interval(Duration::from_secs(300)).spawn()?;
/// let reader = tokio::spawn(async move {
///     while let Some(receipt) = receipts.next().await {
///         println!("{receipt}"); // store it: what was rejected is not billed
///     }
/// });
/// sender.push(metered)?;
/// // …
/// let last = sender.shutdown(Duration::from_secs(20)).await;
/// for left in &last.unsent {
///     eprintln!("{} is still to be reported: {}", left.id, left.error);
/// }
/// # Ok(())
/// # }
/// ```
pub struct UsageSender(Arc<Shared>);

/// Settings of a [`UsageSender`].
#[derive(Debug)]
#[must_use = "nothing is sent until `spawn`"]
pub struct UsageSenderBuilder {
    queue: UsageQueue,
    interval: Duration,
    capacity: usize,
}

impl UsageQueue {
    /// Makes a sender of it that flushes in the background, with the settings of this queue and what it has queued.
    pub fn into_sender(self) -> UsageSenderBuilder {
        UsageSenderBuilder { queue: self, interval: INTERVAL, capacity: CAPACITY }
    }
}

impl UsageSenderBuilder {
    /// Sets the time from the end of a flush to the next one, in place of a minute; a second at least. It is longer if the vendor asks for
    /// that (`Retry-After`), an hour at most. Reports that fill half of the capacity between two flushes are sent earlier.
    pub fn interval(self, interval: Duration) -> Self {
        Self { interval, ..self }
    }

    /// Sets how many reports may be queued and under way, in place of 10,000; 0 is taken as 1. Reports beyond it are not taken. Unread
    /// [`Receipts`] list as many settled reports at most.
    pub fn capacity(self, reports: usize) -> Self {
        Self { capacity: reports, ..self }
    }

    /// Starts the sender on the current tokio runtime, of either flavour, which needs its timer (`enable_time`). Reports that the queue has
    /// queued are sent at once, the first of the others after the interval.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] outside of a tokio runtime.
    pub fn spawn(self) -> Result<(UsageSender, Receipts)> {
        let Self { queue, interval, capacity } = self;
        let runtime = Handle::try_current()
            .map_err(|_| Error::new(ErrorKind::Config, "a sender has to be started on a tokio runtime"))?;
        let mut inbox = Inbox::new(queue.client.org_id().to_owned(), capacity);
        queue.queue.values().for_each(|report| inbox.adopt(report));
        let schedule = Schedule::new(interval, Instant::now(), inbox.unsettled());
        let unread = Unread::new(inbox.capacity());
        let state = State { inbox, unread, is_flush_requested: false, end: None, last: None, is_running: true };
        let shared =
            Arc::new(Shared { state: Mutex::new(state), changed: Notify::new(), ended: CancellationToken::new() });
        // Without the current span, which ends long before the sender.
        runtime.spawn(Task::new(shared.clone(), queue, schedule).run().with_current_subscriber());
        Ok((UsageSender(shared.clone()), Receipts(shared)))
    }
}

impl UsageSender {
    /// Queues a report, and returns its id. It never waits. A report that is queued already, or under way, stays queued once, and is
    /// counted as [merged](Receipt::merged) in the receipt; so is one that was delivered before, and is sent again.
    ///
    /// # Errors
    /// The report that was not taken, with the reason:
    /// - [`ErrorKind::Limit`] if the queue is full;
    /// - [`ErrorKind::Request`] for what Suger is known to reject ([`UsageEvent::check`]), for an id that is queued, or was one of the last
    ///   100,000 settled, with other quantities, for an id that is used up at Suger, and after the end of the sender.
    pub fn push(&self, report: UsageEvent) -> Result<Uuid, UndeliveredEvent> {
        let mut state = self.0.state();
        if state.end.is_some() {
            let error = Error::new(ErrorKind::Request, "the sender has ended: it takes no more reports");
            return Err(UndeliveredEvent { id: report.id(state.inbox.org_id()), report, error });
        }
        let pushed = state.inbox.push(report);
        let is_filling = state.inbox.pushed() >= state.inbox.capacity() / 2;
        drop(state);
        if is_filling {
            self.0.changed.notify_one();
        }
        pushed
    }

    /// Takes a report out of the queue, such as one that never gets through, and returns whether it was queued or under way. A flush that is under
    /// way may still settle it; otherwise it is [removed](Receipt::removed) in the next receipt. Its id is free for other quantities if it was
    /// never sent. Pushed again before it is taken out, it stays.
    pub fn remove(&self, id: Uuid) -> bool {
        let mut state = self.0.state();
        let is_queued = state.is_running && state.inbox.remove(id);
        drop(state);
        self.0.changed.notify_one();
        is_queued
    }

    /// Returns how many reports are queued or under way.
    pub fn pending(&self) -> usize {
        self.0.state().inbox.unsettled()
    }

    /// Begins a flush now, or after the one that is under way, without waiting for it.
    pub fn flush_now(&self) {
        let mut state = self.0.state();
        state.is_flush_requested = state.inbox.unsettled() > 0;
        drop(state);
        self.0.changed.notify_one();
    }

    /// Takes no more reports, flushes what is queued once more, and returns within `limit` the receipt of all that was settled since the
    /// last one of the [`Receipts`], which end. [`unsent`](Receipt::unsent) is all that is left, with the report and the reason: keep it and
    /// push it again after the restart. Requests that are under way at the end of `limit` are dropped, and their reports are unsent.
    ///
    /// Cancel safe: if the future is dropped, the shutdown goes on, and another call returns its receipt. The first call sets the limit; after
    /// the receipt was returned, further calls return an empty one. The limit is kept by the sender's runtime: do not block it meanwhile.
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
            state.unread.add(last);
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

/// For `?` where the report itself is not needed.
impl From<UndeliveredEvent> for Error {
    fn from(undelivered: UndeliveredEvent) -> Self {
        undelivered.error
    }
}

/// What the handle, the task and the reader of receipts have in common.
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
    /// Whether no receipt is to come any more.
    fn has_ended(&self) -> bool {
        !self.is_running && self.last.is_none()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The task has ended: its last receipt is kept for the shutdown, unless nobody can ask for it any more.
    fn end(&self) {
        let mut state = self.state();
        state.is_running = false;
        if matches!(state.end, Some(End::Dropped))
            && let Some(last) = state.last.take()
        {
            state.unread.add(last);
        }
        state.unread.wake();
        drop(state);
        self.ended.cancel();
    }

    /// Resolves when a flush has to end, with the reason for what it leaves.
    async fn interruption(&self) -> Error {
        loop {
            let end = self.state().end;
            match end {
                None => self.changed.notified().await,
                Some(End::Dropped | End::Stopped) => return task::dropped(),
                // Woken, it may have been dropped meanwhile.
                Some(End::Shutdown(limit)) => {
                    if limit.run(self.changed.notified()).await.is_none() {
                        return limit.exceeded("not confirmed").with_hint("push it again: its id is the same");
                    }
                }
            }
        }
    }
}
