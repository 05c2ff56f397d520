//! Unresolved events that were pushed to a sender: a bounded number, each once.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use usage_billing_core::{Error, ErrorKind, Result};
use uuid::Uuid;

use super::super::usage_queue::id_unavailable;
use crate::suger::{UndeliveredEvent, UsageEvent};

/// Number of resolved events that are remembered, about 150 bytes each, to reject their ids with other quantities.
/// Suger rejects the older ones.
pub(super) const REMEMBERED: usize = 100_000;

#[derive(Debug)]
pub(super) struct Inbox {
    org_id: String,
    capacity: usize,
    /// Events that the task has not taken yet.
    pushed: Vec<UsageEvent>,
    /// Number of duplicates of unresolved events since the task took the last ones.
    merged: BTreeMap<Uuid, u32>,
    unresolved: HashSet<Uuid>,
    /// Unresolved events that the task must remove.
    removals: HashSet<Uuid>,
    /// Unresolved events, and the last resolved ones.
    known: HashMap<Uuid, KnownEvent>,
    /// Resolved events, oldest first.
    resolved: VecDeque<Uuid>,
}

#[derive(Clone, Copy, Debug)]
struct KnownEvent {
    fingerprint: Uuid,
    is_id_consumed: bool,
}

/// State of the id of an event after a flush resolved it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IdState {
    /// Suger has the usage, or may have it.
    Sent,
    /// Suger has the id, but not this usage.
    Consumed,
    /// Another event may have the id.
    Free,
}

impl Inbox {
    pub(super) fn new(org_id: String, capacity: usize) -> Self {
        Self {
            org_id,
            capacity: capacity.max(1),
            pushed: Vec::new(),
            merged: BTreeMap::new(),
            unresolved: HashSet::new(),
            removals: HashSet::new(),
            known: HashMap::new(),
            resolved: VecDeque::new(),
        }
    }

    pub(super) fn org_id(&self) -> &str {
        &self.org_id
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Returns the number of unresolved events.
    pub(super) fn unresolved(&self) -> usize {
        self.unresolved.len()
    }

    /// Returns the number of events that the task has not taken yet.
    pub(super) fn pushed(&self) -> usize {
        self.pushed.len()
    }

    /// Registers an event that is already queued, regardless of the capacity.
    pub(super) fn adopt(&mut self, event: &UsageEvent) {
        let id = event.id(&self.org_id);
        self.unresolved.insert(id);
        self.known.insert(id, KnownEvent { fingerprint: event.fingerprint(id), is_id_consumed: false });
    }

    /// Registers an event that the queue resolved before, unless it is queued again, and returns the event that is
    /// forgotten in its place.
    pub(super) fn remember(&mut self, id: Uuid, fingerprint: Uuid, is_id_consumed: bool) -> Option<Uuid> {
        if self.unresolved.contains(&id) {
            return None;
        }
        self.known.insert(id, KnownEvent { fingerprint, is_id_consumed });
        self.note_resolved(id)
    }

    /// Queues an event, once.
    pub(super) fn push(&mut self, event: UsageEvent) -> Result<Uuid, UndeliveredEvent> {
        let id = event.id(&self.org_id);
        match self.accept(&event, id) {
            Ok(()) => {
                let stays = self.removals.remove(&id);
                if self.unresolved.insert(id) {
                    self.pushed.push(event);
                } else if !stays {
                    let merged = self.merged.entry(id).or_default();
                    *merged = merged.saturating_add(1);
                }
                Ok(id)
            }
            Err(error) => Err(UndeliveredEvent { id, event, error }),
        }
    }

    fn accept(&mut self, event: &UsageEvent, id: Uuid) -> Result<()> {
        event.check()?;
        let fingerprint = event.fingerprint(id);
        match self.known.get(&id) {
            Some(KnownEvent { is_id_consumed: true, .. }) => {
                return Err(id_unavailable("the event's id is used up at Suger", event, id));
            }
            Some(known) if known.fingerprint != fingerprint => {
                return Err(id_unavailable("an event with this id has other quantities", event, id));
            }
            _ => {}
        }
        if self.unresolved.len() >= self.capacity && !self.unresolved.contains(&id) {
            let message = format!("the queue is full: {} events are unresolved", self.unresolved.len());
            let hint = "push it again after a flush, or set a larger `capacity`";
            return Err(Error::new(ErrorKind::Limit, message).with_hint(hint));
        }
        self.known.insert(id, KnownEvent { fingerprint, is_id_consumed: false });
        Ok(())
    }

    /// Returns whether an event is the one that has its id, or another that is no longer known.
    pub(super) fn may_be(&self, id: Uuid, event: &UsageEvent) -> bool {
        self.known.get(&id).is_none_or(|known| known.fingerprint == event.fingerprint(id))
    }

    /// Marks an event for removal by the task, and returns whether it is unresolved.
    pub(super) fn remove(&mut self, id: Uuid) -> bool {
        let is_unsettled = self.unresolved.contains(&id);
        if is_unsettled {
            self.removals.insert(id);
        }
        is_unsettled
    }

    /// Returns the marked events for the task. They stay unresolved.
    pub(super) fn take_removals(&mut self) -> HashSet<Uuid> {
        std::mem::take(&mut self.removals)
    }

    /// Returns the pushed events and the numbers of duplicates for the task. The events stay unresolved.
    pub(super) fn take(&mut self) -> (Vec<UsageEvent>, BTreeMap<Uuid, u32>) {
        (std::mem::take(&mut self.pushed), std::mem::take(&mut self.merged))
    }

    /// Records the outcome of an event, and returns the event that is forgotten in its place.
    pub(super) fn resolve(&mut self, id: Uuid, state: IdState) -> Option<Uuid> {
        self.unresolved.remove(&id);
        self.removals.remove(&id);
        match state {
            IdState::Free => {
                self.known.remove(&id);
                return None;
            }
            IdState::Consumed => _ = self.known.get_mut(&id).map(|known| known.is_id_consumed = true),
            IdState::Sent => {}
        }
        self.note_resolved(id)
    }

    fn note_resolved(&mut self, id: Uuid) -> Option<Uuid> {
        self.resolved.push_back(id);
        if self.resolved.len() <= REMEMBERED {
            return None;
        }
        // The oldest one may be queued again.
        let oldest = self.resolved.pop_front().filter(|id| !self.unresolved.contains(id))?;
        self.known.remove(&oldest).map(|_| oldest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(number: u32) -> UsageEvent {
        UsageEvent::new("e-1", "2026-10-01T07:00:00Z".parse().unwrap()).sequence(number).quantity("gb", 1)
    }

    fn inbox(capacity: usize) -> Inbox {
        Inbox::new("acme".to_owned(), capacity)
    }

    #[test]
    fn full_queue_returns_the_event_until_another_is_resolved() {
        let mut inbox = inbox(2);
        let first = inbox.push(event(1)).unwrap();
        inbox.push(event(2)).unwrap();
        // Taking them frees no capacity: they are still in memory.
        assert_eq!(inbox.take().0.len(), 2);
        let full = inbox.push(event(3)).unwrap_err();
        assert_eq!((full.error.kind(), &full.event), (ErrorKind::Limit, &event(3)));
        inbox.resolve(first, IdState::Sent);
        assert!(inbox.push(full.event).is_ok());
        assert_eq!((inbox.unresolved(), inbox.pushed()), (2, 1));
    }

    #[test]
    fn duplicate_of_a_queued_event_is_queued_once_in_a_full_queue() {
        let mut inbox = inbox(1);
        let id = inbox.push(event(1)).unwrap();
        assert_eq!(inbox.push(event(1)).unwrap(), id);
        assert_eq!(inbox.take(), (vec![event(1)], [(id, 1)].into()));
        assert_eq!(inbox.push(event(1)).unwrap(), id, "while it is sent");
        assert_eq!((inbox.unresolved(), inbox.pushed()), (1, 0));
    }

    #[test]
    fn known_id_with_other_quantities_is_rejected() {
        let mut inbox = inbox(9);
        let id = inbox.push(event(1)).unwrap();
        let other = || event(1).quantity("gb", 2);
        assert_eq!(inbox.push(other()).unwrap_err().error.kind(), ErrorKind::Request);
        inbox.resolve(id, IdState::Sent);
        assert!(
            inbox.push(other()).unwrap_err().error.message().starts_with("an event with this id has other quantities")
        );
        assert!(inbox.push(event(1)).is_ok(), "the same usage may be sent again");
        inbox.resolve(id, IdState::Consumed);
        assert!(inbox.push(event(1)).unwrap_err().error.message().starts_with("the event's id is used up"));
    }

    #[test]
    fn removed_event_is_unresolved_until_taken_and_stays_if_pushed() {
        let mut inbox = inbox(9);
        let [first, second, third] = [1, 2, 3].map(|number| inbox.push(event(number)).unwrap());
        assert!(!inbox.remove(Uuid::nil()));
        assert!(inbox.remove(first) && inbox.remove(first) && inbox.remove(second) && inbox.remove(third));
        inbox.push(event(2)).unwrap();
        inbox.resolve(third, IdState::Sent);
        assert_eq!((inbox.take_removals(), inbox.unresolved()), ([first].into(), 2));
        assert!(inbox.take_removals().is_empty() && inbox.take().1.is_empty());
        assert!(!inbox.remove(third), "it is resolved");
    }

    #[test]
    fn id_of_a_rejected_event_is_free_for_other_quantities() {
        let mut inbox = inbox(9);
        let id = inbox.push(event(1)).unwrap();
        inbox.resolve(id, IdState::Free);
        assert_eq!(inbox.push(event(1).quantity("gb", 2)).unwrap(), id);
    }

    #[test]
    fn event_that_suger_would_reject_is_returned() {
        let invalid = UsageEvent::new("", "2026-10-01T07:00:00Z".parse().unwrap()).quantity("gb", 1);
        assert_eq!(inbox(9).push(invalid).unwrap_err().error.kind(), ErrorKind::Request);
    }

    #[test]
    fn resolved_event_is_remembered_unless_it_is_queued() {
        let mut inbox = inbox(9);
        assert_eq!((inbox.org_id(), inbox.capacity()), ("acme", 9));
        let id = inbox.push(event(1)).unwrap();
        assert_eq!(inbox.remember(id, Uuid::nil(), true), None);
        assert!(inbox.push(event(1)).is_ok(), "it is queued");
        let (other, resolved) = (event(2), Uuid::from_u128(7));
        assert_eq!(inbox.remember(other.id("acme"), other.fingerprint(other.id("acme")), true), None);
        assert_eq!(inbox.push(event(2)).unwrap_err().error.kind(), ErrorKind::Request);
        for number in 0..u128::try_from(REMEMBERED).unwrap() - 1 {
            assert_eq!(inbox.remember(Uuid::from_u128(1 << 64 | number), Uuid::nil(), false), None);
        }
        assert_eq!(inbox.remember(resolved, Uuid::nil(), false), Some(other.id("acme")), "the oldest is forgotten");
    }

    #[test]
    fn memory_of_resolved_events_is_bounded() {
        let mut inbox = inbox(1);
        let mut forgotten = Vec::new();
        for number in 0..u128::try_from(REMEMBERED).unwrap() + 3 {
            let id = Uuid::from_u128(number);
            inbox.known.insert(id, KnownEvent { fingerprint: id, is_id_consumed: false });
            forgotten.extend(inbox.resolve(id, IdState::Sent));
        }
        assert_eq!(forgotten, [0, 1, 2].map(Uuid::from_u128));
        assert_eq!((inbox.known.len(), inbox.resolved.len()), (REMEMBERED, REMEMBERED));
    }
}
