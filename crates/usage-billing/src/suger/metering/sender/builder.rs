//! Configuration and start of a sender.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;
use tracing::instrument::WithSubscriber;
use usage_billing_core::{Error, ErrorKind, Result};

use super::inbox::Inbox;
use super::schedule::Schedule;
use super::shared::Shared;
use super::task::Task;
use super::{Receipts, UsageSender};
use crate::suger::UsageQueue;
use crate::suger::metering::tracked_event::EventState;

/// Default delay between two flushes.
const INTERVAL: Duration = Duration::from_secs(60);
/// Default number of unresolved events: some MB.
const CAPACITY: usize = 10_000;

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
        let shared = Arc::new(Shared::new(inbox));
        // The task is outside of the current span, which ends long before the sender.
        runtime.spawn(Task::new(shared.clone(), queue, schedule).run().with_current_subscriber());
        Ok((UsageSender(shared.clone()), Receipts(shared)))
    }
}
