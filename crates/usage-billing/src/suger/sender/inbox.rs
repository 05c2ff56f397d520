//! Reports that were pushed and are not settled: so many and no more, each once.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use usage_billing_core::{Error, ErrorKind, Result};
use uuid::Uuid;

use super::super::usage_queue::taken;
use super::super::{UndeliveredEvent, UsageEvent};

/// How many settled reports are remembered, some 150 bytes each, to reject their ids with other quantities. Suger rejects those that are
/// forgotten.
pub(super) const REMEMBERED: usize = 100_000;

#[derive(Debug)]
pub(super) struct Inbox {
    org_id: String,
    capacity: usize,
    /// Pushed since the task took them last.
    pushed: Vec<UsageEvent>,
    /// How often reports were pushed again since then, while an equal one was not settled.
    merged: BTreeMap<Uuid, u32>,
    unsettled: HashSet<Uuid>,
    /// Those of them that the task is to take out.
    removals: HashSet<Uuid>,
    /// Of unsettled reports, and of the last settled ones.
    known: HashMap<Uuid, Known>,
    /// Oldest first.
    settled: VecDeque<Uuid>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    fingerprint: Uuid,
    is_id_used_up: bool,
}

/// What a flush means for the id of a report that it settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Its usage is at Suger, or may be.
    Sent,
    /// Suger has the id, but not this usage.
    IdUsedUp,
    /// Another report may have the id.
    IdFree,
}

impl Inbox {
    pub(super) fn new(org_id: String, capacity: usize) -> Self {
        Self {
            org_id,
            capacity: capacity.max(1),
            pushed: Vec::new(),
            merged: BTreeMap::new(),
            unsettled: HashSet::new(),
            removals: HashSet::new(),
            known: HashMap::new(),
            settled: VecDeque::new(),
        }
    }

    pub(super) fn org_id(&self) -> &str {
        &self.org_id
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many reports are not settled.
    pub(super) fn unsettled(&self) -> usize {
        self.unsettled.len()
    }

    /// How many of them the task has not taken.
    pub(super) fn pushed(&self) -> usize {
        self.pushed.len()
    }

    /// Takes a report that the queue has queued already, whatever the capacity.
    pub(super) fn adopt(&mut self, report: &UsageEvent) {
        let id = report.id(&self.org_id);
        self.unsettled.insert(id);
        self.known.insert(id, Known { fingerprint: report.fingerprint(id), is_id_used_up: false });
    }

    /// Queues a report, once.
    pub(super) fn push(&mut self, report: UsageEvent) -> Result<Uuid, UndeliveredEvent> {
        let id = report.id(&self.org_id);
        match self.accept(&report, id) {
            Ok(()) => {
                let stays = self.removals.remove(&id);
                if self.unsettled.insert(id) {
                    self.pushed.push(report);
                } else if !stays {
                    let merged = self.merged.entry(id).or_default();
                    *merged = merged.saturating_add(1);
                }
                Ok(id)
            }
            Err(error) => Err(UndeliveredEvent { id, report, error }),
        }
    }

    fn accept(&mut self, report: &UsageEvent, id: Uuid) -> Result<()> {
        report.check()?;
        let fingerprint = report.fingerprint(id);
        match self.known.get(&id) {
            Some(Known { is_id_used_up: true, .. }) => {
                return Err(taken("the report's id is used up at Suger", report, id));
            }
            Some(known) if known.fingerprint != fingerprint => {
                return Err(taken("a report with this id has other quantities", report, id));
            }
            _ => {}
        }
        if self.unsettled.len() >= self.capacity && !self.unsettled.contains(&id) {
            let message = format!("the queue is full: {} reports are not settled", self.unsettled.len());
            let hint = "push it again after a flush, or set a larger `capacity`";
            return Err(Error::new(ErrorKind::Limit, message).with_hint(hint));
        }
        self.known.insert(id, Known { fingerprint, is_id_used_up: false });
        Ok(())
    }

    /// Marks a report for the task to take out, and returns whether it is unsettled.
    pub(super) fn remove(&mut self, id: Uuid) -> bool {
        let is_unsettled = self.unsettled.contains(&id);
        if is_unsettled {
            self.removals.insert(id);
        }
        is_unsettled
    }

    /// Hands the marked reports to the task. They stay unsettled.
    pub(super) fn take_removals(&mut self) -> HashSet<Uuid> {
        std::mem::take(&mut self.removals)
    }

    /// Hands the pushed reports to the task, and how often others were pushed again. They stay unsettled.
    pub(super) fn take(&mut self) -> (Vec<UsageEvent>, BTreeMap<Uuid, u32>) {
        (std::mem::take(&mut self.pushed), std::mem::take(&mut self.merged))
    }

    /// Notes what became of a report, and returns the one that is forgotten for it.
    pub(super) fn settle(&mut self, id: Uuid, fate: Fate) -> Option<Uuid> {
        self.unsettled.remove(&id);
        self.removals.remove(&id);
        match fate {
            Fate::IdFree => {
                self.known.remove(&id);
                return None;
            }
            Fate::IdUsedUp => _ = self.known.get_mut(&id).map(|known| known.is_id_used_up = true),
            Fate::Sent => {}
        }
        self.settled.push_back(id);
        if self.settled.len() <= REMEMBERED {
            return None;
        }
        // It may be queued once more.
        let oldest = self.settled.pop_front().filter(|id| !self.unsettled.contains(id))?;
        self.known.remove(&oldest).map(|_| oldest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(number: u32) -> UsageEvent {
        UsageEvent::new("e-1", "2026-10-01T07:00:00Z".parse().unwrap()).sequence(number).quantity("gb", 1)
    }

    fn inbox(capacity: usize) -> Inbox {
        Inbox::new("acme".to_owned(), capacity)
    }

    #[test]
    fn full_queue_returns_the_report_and_takes_it_once_another_is_settled() {
        let mut inbox = inbox(2);
        let first = inbox.push(report(1)).unwrap();
        inbox.push(report(2)).unwrap();
        // Taking them makes no room: they are still in memory.
        assert_eq!(inbox.take().0.len(), 2);
        let full = inbox.push(report(3)).unwrap_err();
        assert_eq!((full.error.kind(), &full.report), (ErrorKind::Limit, &report(3)));
        inbox.settle(first, Fate::Sent);
        assert!(inbox.push(full.report).is_ok());
        assert_eq!((inbox.unsettled(), inbox.pushed()), (2, 1));
    }

    #[test]
    fn report_that_is_queued_already_is_queued_once_even_in_a_full_queue() {
        let mut inbox = inbox(1);
        let id = inbox.push(report(1)).unwrap();
        assert_eq!(inbox.push(report(1)).unwrap(), id);
        assert_eq!(inbox.take(), (vec![report(1)], [(id, 1)].into()));
        assert_eq!(inbox.push(report(1)).unwrap(), id, "while it is sent");
        assert_eq!((inbox.unsettled(), inbox.pushed()), (1, 0));
    }

    #[test]
    fn id_with_other_quantities_is_rejected_while_the_first_report_is_known() {
        let mut inbox = inbox(9);
        let id = inbox.push(report(1)).unwrap();
        let other = || report(1).quantity("gb", 2);
        assert_eq!(inbox.push(other()).unwrap_err().error.kind(), ErrorKind::Request);
        inbox.settle(id, Fate::Sent);
        assert!(
            inbox.push(other()).unwrap_err().error.message().starts_with("a report with this id has other quantities")
        );
        assert!(inbox.push(report(1)).is_ok(), "the same usage may be sent again");
        inbox.settle(id, Fate::IdUsedUp);
        assert!(inbox.push(report(1)).unwrap_err().error.message().starts_with("the report's id is used up"));
    }

    #[test]
    fn report_to_be_taken_out_is_unsettled_until_then_and_stays_if_it_is_pushed_again() {
        let mut inbox = inbox(9);
        let [first, second, third] = [1, 2, 3].map(|number| inbox.push(report(number)).unwrap());
        assert!(!inbox.remove(Uuid::nil()));
        assert!(inbox.remove(first) && inbox.remove(first) && inbox.remove(second) && inbox.remove(third));
        inbox.push(report(2)).unwrap();
        inbox.settle(third, Fate::Sent);
        assert_eq!((inbox.take_removals(), inbox.unsettled()), ([first].into(), 2));
        assert!(inbox.take_removals().is_empty() && inbox.take().1.is_empty());
        assert!(!inbox.remove(third), "it is settled");
    }

    #[test]
    fn id_of_a_rejected_report_is_free_for_other_quantities() {
        let mut inbox = inbox(9);
        let id = inbox.push(report(1)).unwrap();
        inbox.settle(id, Fate::IdFree);
        assert_eq!(inbox.push(report(1).quantity("gb", 2)).unwrap(), id);
    }

    #[test]
    fn report_that_suger_would_reject_is_returned() {
        let invalid = UsageEvent::new("", "2026-10-01T07:00:00Z".parse().unwrap()).quantity("gb", 1);
        assert_eq!(inbox(9).push(invalid).unwrap_err().error.kind(), ErrorKind::Request);
    }

    #[test]
    fn memory_of_settled_reports_is_bounded() {
        let mut inbox = inbox(1);
        let mut forgotten = Vec::new();
        for number in 0..u128::try_from(REMEMBERED).unwrap() + 3 {
            let id = Uuid::from_u128(number);
            inbox.known.insert(id, Known { fingerprint: id, is_id_used_up: false });
            forgotten.extend(inbox.settle(id, Fate::Sent));
        }
        assert_eq!(forgotten, [0, 1, 2].map(Uuid::from_u128));
        assert_eq!((inbox.known.len(), inbox.settled.len()), (REMEMBERED, REMEMBERED));
    }
}
