//! The task of a sender: it flushes according to the schedule, until it is shut down or dropped.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::time::Instant;
use usage_billing_core::{Error, ErrorKind};
use uuid::Uuid;

use super::super::delays::FlushScope;
use super::super::trace::{self, event};
use super::super::tracked_event::EventState;
use super::super::usage_queue::UsageQueue;
use super::inbox::IdState;
use super::schedule::{Load, Phase, Schedule, Step};
use super::shared::{End, PUSH_AGAIN, Shared, dropped};
use super::unread::absorb;
use crate::suger::{Receipt, UndeliveredEvent, UsageEvent};

pub(super) struct Task {
    shared: Arc<Shared>,
    queue: UsageQueue,
    schedule: Schedule,
    /// Pushed events that the queue rejected.
    not_queued: Vec<UndeliveredEvent>,
}

impl Task {
    pub(super) fn new(shared: Arc<Shared>, queue: UsageQueue, schedule: Schedule) -> Self {
        Self { shared, queue, schedule, not_queued: Vec::new() }
    }

    pub(super) async fn run(mut self) {
        loop {
            self.process_removals();
            let load = self.load();
            match self.schedule.next(Instant::now(), &load) {
                Step::Flush => self.flush().await,
                Step::Wait(Some(due)) => _ = tokio::time::timeout_at(due, self.shared.changed.notified()).await,
                Step::Wait(None) => self.shared.changed.notified().await,
                Step::End => return,
            }
        }
    }

    fn load(&self) -> Load {
        let state = self.shared.state();
        Load {
            unresolved: state.inbox.unresolved(),
            pushed: state.inbox.pushed(),
            capacity: state.inbox.capacity(),
            is_flush_requested: state.is_flush_requested,
            phase: match &state.end {
                None => Phase::Running,
                Some(End::Shutdown(limit)) => Phase::Closing { has_time: !limit.is_over() },
                Some(End::Dropped | End::Stopped) => Phase::Abandoned,
            },
        }
    }

    async fn flush(&mut self) {
        // This comes before the events are taken: a later request is for later events.
        let due = {
            let mut state = self.shared.state();
            let is_requested = std::mem::take(&mut state.is_flush_requested) || state.end.is_some();
            if is_requested { FlushScope::All } else { FlushScope::Delayed }
        };
        self.take_pushed();
        let receipt = self.queue.flush_until(due, self.shared.interruption()).await;
        let retry_after = receipt.unsent.iter().filter_map(|it| it.error.retry_after()).max();
        self.schedule.flushed(Instant::now(), retry_after);
        self.publish(receipt);
    }

    fn take_pushed(&mut self) {
        let taken = self.shared.state().inbox.take();
        self.queue_all(taken);
    }

    fn queue_all(&mut self, (pushed, merged): (Vec<UsageEvent>, BTreeMap<Uuid, u32>)) {
        self.queue.resolved.add_merged(merged);
        for event in pushed {
            // The queue has the events of the inbox only. Otherwise the next receipt would contain the event.
            if let Err(rejected) = self.queue.try_push(event) {
                self.not_queued.push(rejected);
            }
        }
    }

    /// Removes the events from the queue that the caller removed, unless a flush has resolved them meanwhile.
    fn process_removals(&mut self) {
        let shared = self.shared.clone();
        let (mut removed, mut forgotten) = (Vec::new(), Vec::new());
        // The queue and the inbox lose an event under one lock: a push is before the removal and stops it, or after
        // it and queues the event again.
        let mut state = shared.state();
        let removals = state.inbox.take_removals();
        if removals.is_empty() {
            return;
        }
        self.queue_all(state.inbox.take());
        for id in removals {
            let is_id_free = self.queue.is_id_free(id);
            let Some(event) = self.queue.remove(id) else { continue };
            let error = match is_id_free {
                true => Error::new(ErrorKind::Failed, "removed from the queue before this sender sent it"),
                false => Error::new(ErrorKind::Failed, "removed from the queue; it may still be at Suger")
                    .with_hint("look it up there before the usage is sent in another way"),
            };
            forgotten.extend(state.inbox.resolve(id, if is_id_free { IdState::Free } else { IdState::Sent }));
            removed.push(UndeliveredEvent { id, event, error });
        }
        drop(state);
        forgotten.iter().for_each(|id| self.queue.forget(*id));
        for UndeliveredEvent { id, event, error } in &removed {
            trace::removed(&self.queue.client, event, *id, error);
        }
        self.publish(Receipt { removed, ..Receipt::default() });
    }

    /// Records resolved events in the inbox, except removed ones, and adds the receipt to that of the shutdown, or to
    /// the stream if none has started.
    fn publish(&mut self, mut receipt: Receipt) {
        receipt.rejected.append(&mut self.not_queued);
        let mut guard = self.shared.state();
        let state = &mut *guard;
        let delivered = receipt.delivered.iter().chain(&receipt.already_delivered).chain(&receipt.unverified);
        let delivered = delivered.map(|id| (*id, IdState::Sent));
        let rejected = receipt.rejected.iter().filter_map(|it| match self.queue.known.get(&it.id) {
            None => Some((it.id, IdState::Free)),
            Some(known) if known.state == EventState::IdConsumed => Some((it.id, IdState::Consumed)),
            // Another event has the id: its own outcome is recorded.
            Some(_) => None,
        });
        let forgotten: Vec<_> =
            delivered.chain(rejected).filter_map(|(id, fate)| state.inbox.resolve(id, fate)).collect();
        let dropped = match state.end {
            Some(_) => {
                absorb(state.last.get_or_insert_default(), receipt, &state.inbox);
                0
            }
            None => state.unread.add(receipt, &state.inbox),
        };
        drop(guard);
        if dropped > 0 {
            event!(WARN, dropped, "receipts are not read: the oldest resolved events are dropped from them");
        }
        forgotten.iter().for_each(|id| self.queue.forget(*id));
    }
}

/// Publishes the remaining events, whatever ends the task: a shutdown, the drop of the handle, the end of the runtime,
/// a panic.
impl Drop for Task {
    fn drop(&mut self) {
        // This comes first: events that are pushed later would stay in the inbox.
        let end = *self.shared.state().end.get_or_insert(End::Stopped);
        self.take_pushed();
        self.process_removals();
        let (why, reason) = match end {
            // An earlier flush may have sent some of them.
            End::Shutdown(limit) => ("shutdown", limit.exceeded("not confirmed").with_hint(PUSH_AGAIN)),
            End::Dropped => ("the sender was dropped without a shutdown", dropped()),
            End::Stopped => {
                let ended = "the sender's task ended without a shutdown, with its runtime or by a panic";
                (ended, Error::new(ErrorKind::Failed, format!("not confirmed: {ended}")))
            }
        };
        let mut reasons: HashMap<_, _> = {
            let state = self.shared.state();
            state.last.iter().flat_map(|last| &last.unsent).map(|it| (it.id, it.error.clone())).collect()
        };
        for (_, id) in self.queue.queue.keys() {
            reasons.entry(*id).or_insert_with(|| reason.clone());
        }
        let receipt = self.queue.receipt(reasons);
        let (unsent, oldest) = (receipt.unsent.len(), receipt.unsent.iter().map(|it| it.event.timestamp()).min());
        if unsent > 0 && !matches!(end, End::Shutdown(_)) {
            let oldest = oldest.map(tracing::field::display);
            event!(WARN, unsent, oldest, "{why}: the queued usage is not sent");
        } else {
            event!(INFO, unsent, "sender ended");
        }
        self.publish(receipt);
        self.shared.end();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::inbox::{Inbox, REMEMBERED};
    use super::*;
    use crate::suger::Client;

    fn event() -> UsageEvent {
        UsageEvent::new("e-1", "2026-10-01T07:00:00Z".parse().unwrap()).quantity("gb", 1)
    }

    /// A task with one queued event.
    fn task() -> (Task, Uuid) {
        let client = Client::builder("acme", "hush").base_url("http://127.0.0.1:1").build().unwrap();
        let mut queue = client.usage_queue();
        let id = queue.push(event()).unwrap();
        let mut inbox = Inbox::new("acme".to_owned(), 9);
        inbox.adopt(&event());
        let shared = Arc::new(Shared::new(inbox));
        (Task::new(shared, queue, Schedule::new(Duration::MAX, Instant::now(), 0)), id)
    }

    /// Pushes an event again when the trace reports its removal.
    struct PushOnTrace(Arc<Shared>);

    impl tracing::Subscriber for PushOnTrace {
        fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }

        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

        fn event(&self, _: &tracing::Event<'_>) {
            self.0.state().inbox.push(event()).unwrap();
        }

        fn enter(&self, _: &tracing::span::Id) {}

        fn exit(&self, _: &tracing::span::Id) {}
    }

    #[test]
    fn event_pushed_again_during_its_removal_is_queued() {
        let (mut task, id) = task();
        let shared = task.shared.clone();
        assert!(shared.state().inbox.remove(id));
        tracing::subscriber::with_default(PushOnTrace(shared.clone()), || task.process_removals());
        assert_eq!((shared.state().inbox.unresolved(), task.queue.pending()), (1, 0));
        task.take_pushed();
        assert_eq!((shared.state().inbox.unresolved(), task.queue.pending()), (1, 1));
    }

    #[test]
    fn rejection_of_other_quantities_leaves_event_queued() {
        let (mut task, id) = task();
        let error = Error::new(ErrorKind::Api, "no");
        let rejected = vec![UndeliveredEvent { id, event: event().quantity("gb", 2), error }];
        task.publish(Receipt { rejected, ..Receipt::default() });
        assert_eq!((task.shared.state().inbox.unresolved(), task.queue.pending()), (1, 1));
        assert!(task.shared.state().inbox.push(event()).is_ok());
    }

    #[test]
    fn queue_forgets_events_that_the_inbox_forgets() {
        let (mut task, id) = task();
        let shared = task.shared.clone();
        let delivered = |id| Receipt { delivered: vec![id], ..Receipt::default() };

        task.queue.queue.clear();
        task.publish(delivered(id));
        for number in 1..u128::try_from(REMEMBERED).unwrap() {
            shared.state().inbox.resolve(Uuid::from_u128(number), IdState::Sent);
        }
        assert!(task.queue.known.contains_key(&id));
        task.publish(delivered(Uuid::max()));
        assert!(!task.queue.known.contains_key(&id));
    }
}
