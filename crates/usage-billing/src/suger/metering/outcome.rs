//! How the outcome of an event changes the queue and the receipt.

use std::collections::HashMap;

use usage_billing_core::{ClientInfo as _, Error};
use uuid::Uuid;

use super::proof::Verdict;
use super::trace;
use super::tracked_event::EventState;
use super::usage_queue::{QueueKey, UsageQueue};
use crate::suger::types::MeteringUsageRecordGroup as Group;
use crate::suger::{UndeliveredEvent, UsageEvent};

impl UsageQueue {
    /// Records the outcome of an event: in the receipt, or as the reason why it stays queued.
    pub(super) fn resolve_as(
        &mut self,
        key: QueueKey,
        verdict: Verdict,
        group: Option<&Group>,
        reasons: &mut HashMap<Uuid, Error>,
    ) {
        // Events that stay queued are traced with their last reason, at the end of the flush.
        if let Some(event) = self.queue.get(&key).filter(|_| !matches!(verdict, Verdict::Open(_))) {
            trace::verdict(&self.client, event, key.1, &verdict);
        }
        match verdict {
            Verdict::Delivered => {
                self.note_late_usage(key, group);
                self.resolve_as_delivered(key);
                self.resolved.delivered.push(key.1);
            }
            Verdict::DeliveredBefore => {
                self.note_late_usage(key, group);
                self.resolve_as_delivered(key);
                self.resolved.already_delivered.push(key.1);
            }
            // The id is free for other quantities.
            Verdict::Rejected(error) => {
                self.known.remove(&key.1);
                if self.withheld.remove(&key.1) {
                    self.resolved.too_late.insert(key.1);
                }
                self.resolve_as_rejected(key, self.client.api.inner().masked(error));
            }
            Verdict::IdConsumed(error) => {
                if let Some(known) = self.known.get_mut(&key.1) {
                    known.state = EventState::IdConsumed;
                }
                self.resolve_as_rejected(key, self.client.api.inner().masked(error));
            }
            Verdict::Open(error) => _ = reasons.insert(key.1, self.client.api.inner().masked(error)),
        }
    }

    pub(super) fn resolve_as_delivered(&mut self, key: QueueKey) {
        self.dequeue(key);
        if let Some(known) = self.known.get_mut(&key.1) {
            known.state = EventState::Delivered;
        }
    }

    /// Removes a resolved event from the queue. Its entitlement no longer counts as failing.
    fn dequeue(&mut self, key: QueueKey) -> Option<UsageEvent> {
        let event = self.queue.remove(&key)?;
        self.delays.forget(key.1);
        self.failed_in.remove(event.entitlement_id());
        Some(event)
    }

    fn resolve_as_rejected(&mut self, key: QueueKey, error: Error) {
        let event = self.dequeue(key);
        self.resolved.rejected.extend(event.map(|event| UndeliveredEvent { id: key.1, event, error }));
    }

    /// Records an event whose usage is late: by the arrival of its group, or by the current time without one.
    pub(super) fn note_late_usage(&mut self, key: QueueKey, group: Option<&Group>) {
        let Some(event) = self.queue.get(&key) else { return };
        let marketplace = self.marketplaces.get(event.entitlement_id());
        let now = self.client.clock.now();
        let late = match group {
            Some(group) => self.windows.check_group(event, key.1, group, marketplace, now),
            None => self.windows.check(marketplace, event, key.1, now),
        };
        if let Some(late) = late {
            trace::late(&self.client, &late);
            self.resolved.late.push(late);
        }
    }
}
