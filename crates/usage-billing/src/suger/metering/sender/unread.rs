//! Outcomes that the reader of the receipts has not taken, in bounded memory.

use std::collections::{HashMap, HashSet};
use std::task::Waker;

use uuid::Uuid;

use super::inbox::Inbox;
use crate::suger::{Receipt, UsageEvent};

/// Unread outcomes, combined in one receipt.
#[derive(Debug)]
pub(super) struct Unread {
    receipt: Receipt,
    /// Maximum number of resolved events, of late usage and of ids with duplicates that it lists.
    limit: usize,
    pub(super) missed: u64,
    has_reader: bool,
    pub(super) waker: Option<Waker>,
}

impl Unread {
    pub(super) fn new(limit: usize) -> Self {
        Self { receipt: Receipt::default(), limit, missed: 0, has_reader: true, waker: None }
    }

    /// Adds a later receipt, and returns the number of entries that were dropped.
    pub(super) fn add(&mut self, later: Receipt, inbox: &Inbox) -> usize {
        if !self.has_reader {
            return 0;
        }
        absorb(&mut self.receipt, later, inbox);
        let dropped = shorten(&mut self.receipt, self.limit);
        self.missed = self.missed.saturating_add(u64::try_from(dropped).unwrap_or(u64::MAX));
        self.wake();
        dropped
    }

    /// Wakes the reader for a receipt or the end.
    pub(super) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    pub(super) fn take(&mut self) -> Option<Receipt> {
        let has_news = self.receipt.total() > 0 || !self.receipt.merged.is_empty();
        has_news.then(|| std::mem::take(&mut self.receipt))
    }

    pub(super) fn drop_reader(&mut self) {
        self.has_reader = false;
        self.receipt = Receipt::default();
        self.waker = None;
    }
}

/// Merges a later receipt into an earlier one. Each event is then listed once, as in the later one. The inbox has
/// the quantities of delivered events, of which a receipt has the ids only.
pub(super) fn absorb(earlier: &mut Receipt, later: Receipt, inbox: &Inbox) {
    let Receipt { delivered, already_delivered, unverified, rejected, unsent, removed, late, too_late, merged } = later;
    let ids: HashSet<Uuid> = delivered.iter().chain(&already_delivered).chain(&unverified).copied().collect();
    let mut undelivered: HashMap<Uuid, Vec<&UsageEvent>> = HashMap::new();
    for it in rejected.iter().chain(&unsent).chain(&removed) {
        undelivered.entry(it.id).or_default().push(&it.event);
    }
    earlier.remove_replaced(|id, event| {
        let is_delivered = ids.contains(&id) && event.is_none_or(|event| inbox.may_be(id, event));
        let is_same = |events: &Vec<_>| event.is_none_or(|event| events.contains(&event));
        is_delivered || undelivered.get(&id).is_some_and(is_same)
    });
    earlier.delivered.extend(delivered);
    earlier.already_delivered.extend(already_delivered);
    earlier.unverified.extend(unverified);
    earlier.rejected.extend(rejected);
    earlier.unsent.extend(unsent);
    earlier.removed.extend(removed);
    earlier.late.extend(late);
    earlier.too_late.extend(too_late);
    earlier.add_merged(merged);
}

/// Drops resolved events, late usage and ids with duplicates beyond `limit` each, and returns the number of entries.
fn shorten(receipt: &mut Receipt, limit: usize) -> usize {
    let resolved = receipt.total() - receipt.unsent.len();
    let excess = resolved.saturating_sub(limit);
    let mut left = excess;
    for ids in [&mut receipt.delivered, &mut receipt.already_delivered, &mut receipt.unverified] {
        left -= ids.drain(..left.min(ids.len())).len();
    }
    for events in [&mut receipt.removed, &mut receipt.rejected] {
        left -= events.drain(..left.min(events.len())).len();
    }
    receipt.keep_rejected_too_late();
    let late = receipt.late.drain(..receipt.late.len().saturating_sub(limit)).len();
    let merged = receipt.merged.len().saturating_sub(limit);
    for _ in 0..merged {
        receipt.merged.pop_first();
    }
    excess + late + merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suger::{UndeliveredEvent, UsageEvent};
    use usage_billing_core::{Error, ErrorKind};

    fn inbox() -> Inbox {
        Inbox::new("acme".to_owned(), 9)
    }

    fn ids(numbers: &[u128]) -> Vec<Uuid> {
        numbers.iter().copied().map(Uuid::from_u128).collect()
    }

    fn undelivered(numbers: &[u128]) -> Vec<UndeliveredEvent> {
        let one = |id| UndeliveredEvent {
            id,
            event: UsageEvent::new("e-1", "2026-10-01T07:00:00Z".parse().unwrap()),
            error: Error::new(ErrorKind::Api, "no"),
        };
        ids(numbers).into_iter().map(one).collect()
    }

    fn numbers(list: &[UndeliveredEvent]) -> Vec<u128> {
        list.iter().map(|it| it.id.as_u128()).collect()
    }

    #[test]
    fn unread_receipts_become_one_with_each_event_once() {
        let mut receipt = Receipt { delivered: ids(&[1, 2]), unsent: undelivered(&[3, 4]), ..Receipt::default() };
        let later = Receipt {
            delivered: ids(&[3]),
            already_delivered: ids(&[1]),
            unsent: undelivered(&[4, 5]),
            removed: undelivered(&[6]),
            merged: [(Uuid::from_u128(3), 2)].into(),
            ..Receipt::default()
        };
        receipt.unsent.extend(undelivered(&[6]));
        receipt.merged = [(Uuid::from_u128(3), 1), (Uuid::from_u128(2), 1)].into();
        absorb(&mut receipt, later, &inbox());
        assert_eq!((&receipt.delivered, &receipt.already_delivered), (&ids(&[2, 3]), &ids(&[1])));
        assert_eq!((numbers(&receipt.unsent), numbers(&receipt.removed)), (vec![4, 5], vec![6]));
        assert_eq!(receipt.total(), 6);
        assert_eq!(receipt.merged, [(Uuid::from_u128(2), 1), (Uuid::from_u128(3), 3)].into());
    }

    #[test]
    fn oldest_delivered_events_are_dropped_first_and_counted() {
        let mut unread = Unread::new(3);
        unread.add(Receipt { delivered: ids(&[1, 2]), rejected: undelivered(&[3]), ..Receipt::default() }, &inbox());
        assert_eq!(unread.missed, 0);
        unread
            .add(Receipt { delivered: ids(&[4]), unsent: undelivered(&[5, 6, 7, 8]), ..Receipt::default() }, &inbox());
        assert_eq!(unread.missed, 1);
        assert_eq!((&unread.receipt.delivered, numbers(&unread.receipt.rejected)), (&ids(&[2, 4]), vec![3]));
        unread.add(Receipt { rejected: undelivered(&[9, 10, 11]), ..Receipt::default() }, &inbox());
        assert_eq!((unread.missed, numbers(&unread.receipt.rejected)), (4, vec![9, 10, 11]));
        unread.add(Receipt { removed: undelivered(&[12, 13]), ..Receipt::default() }, &inbox());
        assert_eq!((unread.missed, numbers(&unread.receipt.rejected)), (6, vec![9, 10, 11]));
        assert_eq!(unread.take().map(|receipt| receipt.total()), Some(3 + 4), "unsent events are never dropped");
        assert!(unread.take().is_none());
    }

    #[test]
    fn nothing_is_kept_without_a_reader() {
        let mut unread = Unread::new(3);
        unread.add(Receipt { delivered: ids(&[1]), ..Receipt::default() }, &inbox());
        unread.drop_reader();
        unread.add(Receipt { delivered: ids(&[2, 3, 4, 5]), ..Receipt::default() }, &inbox());
        assert_eq!((unread.receipt.total(), unread.missed), (0, 0));
    }

    #[test]
    fn rejection_stays_if_other_quantities_are_resolved_with_its_id() {
        let event = |gb: i64| UsageEvent::new("e-1", "2026-10-01T07:00:00Z".parse().unwrap()).quantity("gb", gb);
        let id = event(5).id("acme");
        let one = |gb: i64| UndeliveredEvent { id, event: event(gb), error: Error::new(ErrorKind::Api, "no") };
        let mut inbox = inbox();
        inbox.push(event(6)).unwrap();
        let rejection = || Receipt { rejected: vec![one(5)], ..Receipt::default() };
        let merged = |later: Receipt| {
            let mut receipt = rejection();
            absorb(&mut receipt, later, &inbox);
            receipt.rejected.iter().map(|it| it.event.clone()).collect::<Vec<_>>()
        };
        assert_eq!(merged(Receipt { delivered: vec![id], ..Receipt::default() }), [event(5)]);
        assert_eq!(merged(Receipt { unsent: vec![one(6)], ..Receipt::default() }), [event(5)]);
        assert_eq!(merged(Receipt { rejected: vec![one(6)], ..Receipt::default() }), [event(5), event(6)]);
        assert_eq!(merged(rejection()), [event(5)]);
        assert!(merged(Receipt { unsent: vec![one(5)], ..Receipt::default() }).is_empty());
        let mut inbox = super::Inbox::new("acme".to_owned(), 9);
        inbox.push(event(5)).unwrap();
        let mut receipt = rejection();
        absorb(&mut receipt, Receipt { delivered: vec![id], ..Receipt::default() }, &inbox);
        assert!(receipt.rejected.is_empty(), "the same event was delivered");
    }

    #[test]
    fn dropped_duplicates_are_counted() {
        let mut unread = Unread::new(2);
        let merged = [1, 2, 3].map(|number| (Uuid::from_u128(number), 1)).into();
        assert_eq!(unread.add(Receipt { merged, ..Receipt::default() }, &inbox()), 1);
        assert_eq!((unread.receipt.merged.len(), unread.missed), (2, 1));
    }
}
