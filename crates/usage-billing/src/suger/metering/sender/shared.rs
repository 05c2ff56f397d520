//! State that the handle of a sender, its task and the reader of its receipts share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use usage_billing_core::__private::TimeLimit;
use usage_billing_core::{Error, ErrorKind};

use super::inbox::Inbox;
use super::unread::Unread;
use crate::suger::Receipt;

/// State that the handle, the task and the reader of receipts share.
pub(super) struct Shared {
    state: Mutex<State>,
    /// Wakes the task: there is more to send, or it is to end.
    pub(super) changed: Notify,
    /// Cancelled when the task has ended.
    pub(super) ended: CancellationToken,
}

pub(super) struct State {
    pub(super) inbox: Inbox,
    pub(super) unread: Unread,
    pub(super) is_flush_requested: bool,
    pub(super) end: Option<End>,
    /// The receipt that the shutdown returns.
    pub(super) last: Option<Receipt>,
    pub(super) is_running: bool,
}

/// Why the sender ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Shutdown(TimeLimit),
    Dropped,
    /// The task ended by itself, with its runtime.
    Stopped,
}

impl State {
    /// Returns whether no further receipt will follow.
    pub(super) fn has_ended(&self) -> bool {
        !self.is_running && self.last.is_none()
    }
}

impl Shared {
    pub(super) fn new(inbox: Inbox) -> Self {
        let unread = Unread::new(inbox.capacity());
        let state = State { inbox, unread, is_flush_requested: false, end: None, last: None, is_running: true };
        Self { state: Mutex::new(state), changed: Notify::new(), ended: CancellationToken::new() }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks the task as ended. Its last receipt is kept for the shutdown, unless no caller can request it any more.
    pub(super) fn end(&self) {
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
    pub(super) async fn interruption(&self) -> Error {
        loop {
            let end = self.state().end;
            match end {
                None => self.changed.notified().await,
                Some(End::Dropped | End::Stopped) => return dropped(),
                // The handle may have been dropped when this is woken.
                Some(End::Shutdown(limit)) => {
                    if limit.run(self.changed.notified()).await.is_none() {
                        return limit.exceeded("not confirmed").with_hint(PUSH_AGAIN);
                    }
                }
            }
        }
    }
}

pub(super) const PUSH_AGAIN: &str = "push it again: its id is the same, so it is not billed twice";

/// Returns the reason for unsent events after the drop of the handle.
pub(super) fn dropped() -> Error {
    Error::new(ErrorKind::Failed, "not confirmed: the sender was dropped without a shutdown").with_hint(PUSH_AGAIN)
}
