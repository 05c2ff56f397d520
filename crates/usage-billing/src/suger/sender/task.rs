//! The task of a sender: flushes when the schedule says so, until it is shut down or dropped.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::time::Instant;
use usage_billing_core::{Error, ErrorKind};

use super::super::reporter::{Reporter, State as IdState};
use super::super::trace::event;
use super::super::{Receipt, Undelivered};
use super::inbox::Fate;
use super::receipts::absorb;
use super::schedule::{Load, Phase, Schedule, Step};
use super::{End, Shared};

pub(super) struct Task {
    shared: Arc<Shared>,
    reporter: Reporter,
    schedule: Schedule,
    /// Pushed, but not taken by the reporter.
    refused: Vec<Undelivered>,
}

impl Task {
    pub(super) fn new(shared: Arc<Shared>, reporter: Reporter, schedule: Schedule) -> Self {
        Self { shared, reporter, schedule, refused: Vec::new() }
    }

    pub(super) async fn run(mut self) {
        loop {
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
        self.take_pushed();
        self.shared.state().is_flush_requested = false;
        let receipt = self.reporter.flush_until(self.shared.interruption()).await;
        let retry_after = receipt.unsent.iter().filter_map(|it| it.error.retry_after()).max();
        self.schedule.flushed(Instant::now(), retry_after);
        self.hand_out(receipt);
    }

    fn take_pushed(&mut self) {
        let pushed = self.shared.state().inbox.take();
        for report in pushed {
            let id = report.id(self.reporter.client.org_id());
            // It knows no more than the inbox does; if it did, the next receipt would have the report.
            if let Err(error) = self.reporter.push(report.clone()) {
                self.refused.push(Undelivered { id, report, error });
            }
        }
    }

    /// Frees the queue of what is settled, and passes the receipt on: to the shutdown once it has begun, before to the stream.
    fn hand_out(&mut self, mut receipt: Receipt) {
        receipt.rejected.append(&mut self.refused);
        let mut state = self.shared.state();
        let delivered = receipt.delivered.iter().chain(&receipt.already_delivered).chain(&receipt.unverified);
        let delivered = delivered.map(|id| (*id, Fate::Delivered));
        let rejected = receipt.rejected.iter().map(|it| match self.reporter.known.get(&it.id) {
            None => (it.id, Fate::IdFree),
            Some(known) if known.state == IdState::IdConsumed => (it.id, Fate::IdUsedUp),
            Some(_) => (it.id, Fate::Delivered),
        });
        let forgotten: Vec<_> =
            delivered.chain(rejected).filter_map(|(id, fate)| state.inbox.settle(id, fate)).collect();
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
        forgotten.iter().for_each(|id| self.reporter.forget(*id));
    }
}

/// Whatever ends the task (a shutdown, the handle's drop, the end of the runtime, a panic): what is left is handed out.
impl Drop for Task {
    fn drop(&mut self) {
        self.take_pushed();
        let (why, reason) = match &self.shared.state().end {
            Some(End::Shutdown(limit)) => ("shutdown", limit.exceeded("not sent")),
            Some(End::Dropped) => ("the sender was dropped without a shutdown", dropped()),
            Some(End::Stopped) | None => {
                let ended = "the sender's task ended without a shutdown, with its runtime or by a panic";
                (ended, Error::new(ErrorKind::Failed, format!("not confirmed: {ended}")))
            }
        };
        let (mut reasons, is_shutdown) = {
            let state = self.shared.state();
            let last = state.last.iter().flat_map(|last| &last.unsent);
            let reasons: HashMap<_, _> = last.map(|it| (it.id, it.error.clone())).collect();
            (reasons, matches!(state.end, Some(End::Shutdown(_))))
        };
        for (_, id) in self.reporter.queue.keys() {
            reasons.entry(*id).or_insert_with(|| reason.clone());
        }
        let receipt = self.reporter.receipt(reasons);
        let (unsent, oldest) = (receipt.unsent.len(), receipt.unsent.iter().map(|it| it.report.window()).min());
        if unsent > 0 && !is_shutdown {
            let oldest = oldest.map(tracing::field::display);
            event!(WARN, unsent, oldest, "{why}: the queued usage is not sent");
        } else {
            event!(INFO, unsent, "sender ended");
        }
        self.shared.state().end.get_or_insert(End::Stopped);
        self.hand_out(receipt);
        self.shared.end();
    }
}

/// Why a report is not sent any more after the handle's drop.
pub(super) fn dropped() -> Error {
    Error::new(ErrorKind::Failed, "not confirmed: the sender was dropped without a shutdown")
        .with_hint("push it again: its id is the same, so that it is not billed twice")
}
