//! The task of a sender: flushes when the schedule says so, until it is shut down or dropped.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::time::Instant;
use usage_billing_core::{Error, ErrorKind};

use super::super::trace::{self, event};
use super::super::usage_queue::{State as ReportState, UsageQueue};
use super::super::{Receipt, UndeliveredEvent};
use super::inbox::Fate;
use super::receipts::absorb;
use super::schedule::{Load, Phase, Schedule, Step};
use super::{End, Shared};

pub(super) struct Task {
    shared: Arc<Shared>,
    queue: UsageQueue,
    schedule: Schedule,
    /// Pushed, but not taken by the queue.
    refused: Vec<UndeliveredEvent>,
}

impl Task {
    pub(super) fn new(shared: Arc<Shared>, queue: UsageQueue, schedule: Schedule) -> Self {
        Self { shared, queue, schedule, refused: Vec::new() }
    }

    pub(super) async fn run(mut self) {
        loop {
            self.take_out_removed();
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
            unsettled: state.inbox.unsettled(),
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
        // Before the reports are taken: a request that comes later is for later reports.
        self.shared.state().is_flush_requested = false;
        self.take_pushed();
        let receipt = self.queue.flush_until(self.shared.interruption()).await;
        let retry_after = receipt.unsent.iter().filter_map(|it| it.error.retry_after()).max();
        self.schedule.flushed(Instant::now(), retry_after);
        self.hand_out(receipt);
    }

    fn take_pushed(&mut self) {
        let (pushed, merged) = self.shared.state().inbox.take();
        self.queue.settled.merged.extend(merged);
        for report in pushed {
            let id = report.id(self.queue.client.org_id());
            // It knows no more than the inbox does; if it did, the next receipt would have the report.
            if let Err(error) = self.queue.push(report.clone()) {
                self.refused.push(UndeliveredEvent { id, report, error });
            }
        }
    }

    /// Takes the reports out of the queue that the caller no longer wants to be sent, unless a flush has settled them meanwhile.
    fn take_out_removed(&mut self) {
        let removals = self.shared.state().inbox.take_removals();
        if removals.is_empty() {
            return;
        }
        self.take_pushed();
        let mut removed = Vec::new();
        for id in removals {
            let is_new = self.queue.known.get(&id).is_some_and(|known| known.state == ReportState::New);
            let Some(report) = self.queue.remove(id) else { continue };
            let error = match is_new {
                true => Error::new(ErrorKind::Failed, "removed from the queue before it was sent"),
                false => Error::new(ErrorKind::Failed, "removed from the queue; it may be at Suger all the same")
                    .with_hint("look for it there before the usage is reported in another way"),
            };
            trace::removed(&self.queue.client, &report, id, &error);
            removed.push(UndeliveredEvent { id, report, error });
        }
        self.hand_out(Receipt { removed, ..Receipt::default() });
    }

    /// Frees the queue of what is settled, and passes the receipt on: to the shutdown once it has begun, before to the stream.
    fn hand_out(&mut self, mut receipt: Receipt) {
        receipt.rejected.append(&mut self.refused);
        let mut state = self.shared.state();
        let delivered = receipt.delivered.iter().chain(&receipt.already_delivered).chain(&receipt.unverified);
        let delivered = delivered.map(|id| (*id, Fate::Sent));
        let removed = receipt.removed.iter().map(|it| match self.queue.known.get(&it.id) {
            None => (it.id, Fate::IdFree),
            Some(_) => (it.id, Fate::Sent),
        });
        let rejected = receipt.rejected.iter().map(|it| match self.queue.known.get(&it.id) {
            None => (it.id, Fate::IdFree),
            Some(_) => (it.id, Fate::IdUsedUp),
        });
        let forgotten: Vec<_> =
            delivered.chain(rejected).chain(removed).filter_map(|(id, fate)| state.inbox.settle(id, fate)).collect();
        let dropped = match state.end {
            Some(_) => {
                absorb(state.last.get_or_insert_default(), receipt);
                0
            }
            None => state.unread.add(receipt),
        };
        drop(state);
        if dropped > 0 {
            event!(WARN, dropped, "receipts are not read: the oldest settled reports are dropped from them");
        }
        forgotten.iter().for_each(|id| self.queue.forget(*id));
    }
}

/// Whatever ends the task (a shutdown, the handle's drop, the end of the runtime, a panic): what is left is handed out.
impl Drop for Task {
    fn drop(&mut self) {
        // First of all: from here on, nothing is pushed that nobody would take.
        let end = *self.shared.state().end.get_or_insert(End::Stopped);
        self.take_pushed();
        self.take_out_removed();
        let (why, reason) = match end {
            End::Shutdown(limit) => ("shutdown", limit.exceeded("not sent")),
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
        let (unsent, oldest) = (receipt.unsent.len(), receipt.unsent.iter().map(|it| it.report.window()).min());
        if unsent > 0 && !matches!(end, End::Shutdown(_)) {
            let oldest = oldest.map(tracing::field::display);
            event!(WARN, unsent, oldest, "{why}: the queued usage is not sent");
        } else {
            event!(INFO, unsent, "sender ended");
        }
        self.hand_out(receipt);
        self.shared.end();
    }
}

/// Why a report is not sent any more after the handle's drop.
pub(super) fn dropped() -> Error {
    Error::new(ErrorKind::Failed, "not confirmed: the sender was dropped without a shutdown")
        .with_hint("push it again: its id is the same, so that it is not billed twice")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use tokio::sync::Notify;
    use tokio_util::sync::CancellationToken;
    use uuid::Uuid;

    use super::super::State;
    use super::super::inbox::{Inbox, REMEMBERED};
    use super::super::receipts::Unread;
    use super::*;
    use crate::suger::{Client, UsageEvent};

    #[test]
    fn reporter_forgets_what_the_inbox_forgets() {
        let client = Client::builder("acme", "hush").base_url("http://127.0.0.1:1").build().unwrap();
        let report = UsageEvent::new("e-1", "2026-10-01T07:00:00Z".parse().unwrap()).quantity("gb", 1);
        let mut queue = client.usage_queue();
        let id = queue.push(report.clone()).unwrap();
        let mut inbox = Inbox::new("acme".to_owned(), 9);
        inbox.adopt(&report);
        let unread = Unread::new(9);
        let state = State { inbox, unread, is_flush_requested: false, end: None, last: None, is_running: true };
        let (changed, ended) = (Notify::new(), CancellationToken::new());
        let shared = Arc::new(Shared { state: Mutex::new(state), changed, ended });
        let mut task = Task::new(shared.clone(), queue, Schedule::new(Duration::MAX, Instant::now(), 0));
        let delivered = |id| Receipt { delivered: vec![id], ..Receipt::default() };

        task.queue.queue.clear();
        task.hand_out(delivered(id));
        for number in 1..u128::try_from(REMEMBERED).unwrap() {
            shared.state().inbox.settle(Uuid::from_u128(number), Fate::Sent);
        }
        assert!(task.queue.known.contains_key(&id));
        task.hand_out(delivered(Uuid::max()));
        assert!(!task.queue.known.contains_key(&id));
    }
}
