//! What a queue remembers of an event, also after it is resolved.

use usage_billing_core::__private::Departure;
use uuid::Uuid;

/// The record of an event in the queue.
#[derive(Debug)]
pub(super) struct TrackedEvent {
    pub(super) fingerprint: Uuid,
    pub(super) state: EventState,
    /// The request in flight, or the last one if its flush was dropped.
    pub(super) departure: Option<Departure>,
    /// Number of the last flush in which it was sent and not resolved, or 0.
    pub(super) failed_in: u64,
    /// Whether the trace reports that its usage is late.
    pub(super) is_warned: bool,
}

impl TrackedEvent {
    /// Returns the state, after a dropped flush that of its request.
    pub(super) fn state(&self) -> EventState {
        match self.state {
            EventState::New if self.departure.as_ref().is_some_and(Departure::has_begun) => EventState::Sent,
            state => state,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EventState {
    /// Not sent.
    New,
    Sent,
    /// Delivered, or assumed to be.
    Delivered,
    /// Suger has the id, but as `INVALID`, deleted, or with other quantities.
    IdConsumed,
}
