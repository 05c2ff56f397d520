//! The outcome of each event of a flush.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use usage_billing_core::{Error, ErrorKind};
use uuid::Uuid;

use crate::suger::{LateUsage, UsageEvent};

/// The outcomes of the events of a [`flush`](crate::suger::UsageQueue::flush). Each event is in exactly one of the first six
/// lists. An event that was rejected and one that was pushed afterwards with the same id and other quantities are two
/// events.
///
/// Serializes in the [stable JSON form](crate::suger#json-of-receipts-and-reconciliations).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
#[must_use = "only the receipt reports events that were not delivered"]
pub struct Receipt {
    /// Ids of events whose response returned the group that was sent: Suger stored them.
    pub delivered: Vec<Uuid>,
    /// Ids under which Suger lists the same usage, in a status on the way to the marketplace. The attempt was an
    /// earlier one, of this process or another, or one whose response did not prove the delivery.
    pub already_delivered: Vec<Uuid>,
    /// Ids that Suger reported as duplicates (409), and that were not looked up because of
    /// [`trust_duplicates_unverified`](crate::suger::UsageQueue::trust_duplicates_unverified). The groups may be `INVALID`,
    /// deleted or have other quantities. The events are no longer queued.
    pub unverified: Vec<Uuid>,
    /// Events that are no longer queued, and whose usage Suger does not have as it was sent. Either they were
    /// rejected, or withheld because validation failed or the usage is too old, and Suger does not list them. Or Suger
    /// lists them as `INVALID`, deleted or with other quantities. An attempt of another process that Suger still
    /// processes is not visible.
    pub rejected: Vec<UndeliveredEvent>,
    /// Events that were not sent, or whose outcome is not proved. They are still queued: the next flush sends them
    /// again with the same ids. Some stay until a user acts, such as events whose group is `REPORT_FAILED`; a sender
    /// sends those after growing delays.
    pub unsent: Vec<UndeliveredEvent>,
    /// Events that [`UsageSender::remove`](crate::suger::UsageSender::remove) removed from the queue of a sender. The error
    /// states whether the event was sent before.
    pub removed: Vec<UndeliveredEvent>,
    /// Events with usage that is older than its marketplace accepts: delivered and already delivered ones by the time
    /// when Suger received them, unverified and unsent ones by the current time. Watch their groups, and see
    /// [`MarketplaceWindows`](crate::suger::MarketplaceWindows).
    pub late: Vec<LateUsage>,
    /// Ids of [rejected](Self::rejected) events that were not sent, because
    /// [their marketplace accepts no usage of their age](crate::suger::UsageQueue::reject_late_usage). Not in JSON, where
    /// their errors state it.
    pub too_late: BTreeSet<Uuid>,
    /// Number of duplicates by event id: events that were pushed while an equal one was queued, or after the same
    /// queue had delivered it. Their usage is counted once. If they were separate usage, add up the quantities, or
    /// number them by the [`sequence`](UsageEvent::sequence).
    pub merged: BTreeMap<Uuid, u32>,
}

/// An event that was not delivered, or is not known to be.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UndeliveredEvent {
    /// The id of the event.
    pub id: Uuid,
    /// The event.
    pub event: UsageEvent,
    /// The reason.
    pub error: Error,
}

impl Receipt {
    /// Returns the number of events, with merged ones counted once.
    pub fn total(&self) -> usize {
        let ids = self.delivered.len() + self.already_delivered.len() + self.unverified.len();
        ids + self.rejected.len() + self.unsent.len() + self.removed.len()
    }

    /// Adds numbers of duplicates.
    pub(super) fn add_merged(&mut self, merged: BTreeMap<Uuid, u32>) {
        for (id, times) in merged {
            let all = self.merged.entry(id).or_default();
            *all = all.saturating_add(times);
        }
    }

    /// Removes outcomes that later ones replace: by the id, and by the event where the receipt contains it. An event
    /// with the same id may have other quantities, and is then a separate one.
    pub(super) fn remove_replaced(&mut self, is_replaced: impl Fn(Uuid, Option<&UsageEvent>) -> bool) {
        for ids in [&mut self.delivered, &mut self.already_delivered, &mut self.unverified] {
            ids.retain(|id| !is_replaced(*id, None));
        }
        for events in [&mut self.rejected, &mut self.unsent, &mut self.removed] {
            events.retain(|it| !is_replaced(it.id, Some(&it.event)));
        }
        self.late.retain(|it| !is_replaced(it.id, None));
        self.keep_rejected_too_late();
    }

    /// Removes ids from [`too_late`](Self::too_late) whose events are no longer among the rejected ones.
    pub(super) fn keep_rejected_too_late(&mut self) {
        if !self.too_late.is_empty() {
            let rejected: HashSet<Uuid> = self.rejected.iter().map(|it| it.id).collect();
            self.too_late.retain(|id| rejected.contains(id));
        }
    }

    /// Returns whether every event is proved to be at Suger: none is rejected, unsent, removed or
    /// [unverified](Self::unverified).
    pub fn is_complete(&self) -> bool {
        [&self.rejected, &self.unsent, &self.removed].into_iter().all(Vec::is_empty) && self.unverified.is_empty()
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { delivered, already_delivered, unverified, rejected, unsent, removed, late: _, too_late: _, merged } =
            self;
        let (delivered, already) = (delivered.len(), already_delivered.len());
        write!(
            f,
            "{delivered} delivered, {already} already delivered, {} rejected, {} unsent",
            rejected.len(),
            unsent.len()
        )?;
        if !unverified.is_empty() {
            write!(f, ", {} unverified", unverified.len())?;
        }
        if !removed.is_empty() {
            write!(f, ", {} removed", removed.len())?;
        }
        if !merged.is_empty() {
            write!(f, ", {} merged", merged.len())?;
        }
        Ok(())
    }
}

impl Serialize for Receipt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut receipt = serializer.serialize_struct("Receipt", 9)?;
        receipt.serialize_field("is_complete", &self.is_complete())?;
        receipt.serialize_field("delivered", &self.delivered)?;
        receipt.serialize_field("already_delivered", &self.already_delivered)?;
        receipt.serialize_field("unverified", &self.unverified)?;
        receipt.serialize_field("rejected", &self.rejected)?;
        receipt.serialize_field("unsent", &self.unsent)?;
        receipt.serialize_field("removed", &self.removed)?;
        receipt.serialize_field("late", &self.late)?;
        receipt.serialize_field("merged", &self.merged)?;
        receipt.end()
    }
}

impl Serialize for UndeliveredEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut one = serializer.serialize_struct("UndeliveredEvent", 3)?;
        one.serialize_field("id", &self.id)?;
        one.serialize_field("event", &self.event)?;
        one.serialize_field("error", &ErrorJson(&self.error))?;
        one.end()
    }
}

/// Serializes an error: kind and status for programs, and a human-readable message.
struct ErrorJson<'a>(&'a Error);

impl Serialize for ErrorJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut error = serializer.serialize_struct("Error", 3)?;
        error.serialize_field("kind", kind(self.0.kind()))?;
        error.serialize_field("status", &self.0.status().map(|status| status.as_u16()))?;
        error.serialize_field("message", &self.0.to_string())?;
        error.end()
    }
}

fn kind(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Config => "config",
        ErrorKind::Request => "request",
        ErrorKind::Auth => "auth",
        ErrorKind::Permission => "permission",
        ErrorKind::Connection => "connection",
        ErrorKind::Api => "api",
        ErrorKind::Decode => "decode",
        ErrorKind::Limit => "limit",
        ErrorKind::NotReady => "not_ready",
        ErrorKind::WaitTimeout => "wait_timeout",
        ErrorKind::Failed => "failed",
        ErrorKind::File => "file",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn undelivered(kind: ErrorKind) -> UndeliveredEvent {
        let event = UsageEvent::new("ent-7", "2026-10-01T07:00:00Z".parse().unwrap())
            .quantity("gb", rust_decimal::Decimal::new(1_2500, 4))
            .sequence(2);
        let error = Error::new(kind, "entitlement\nnot found").with_hint("check it");
        UndeliveredEvent { id: Uuid::from_u128(7), event, error }
    }

    fn receipt() -> Receipt {
        let ids = |numbers: std::ops::Range<u128>| numbers.map(Uuid::from_u128).collect::<Vec<_>>();
        Receipt {
            delivered: ids(1..3),
            already_delivered: ids(3..4),
            unverified: ids(4..6),
            rejected: vec![undelivered(ErrorKind::Api)],
            unsent: vec![undelivered(ErrorKind::WaitTimeout)],
            removed: vec![undelivered(ErrorKind::Failed)],
            late: vec![LateUsage {
                id: Uuid::from_u128(1),
                entitlement_id: "ent-7".to_owned(),
                timestamp: "2026-10-01T07:00:00Z".parse().unwrap(),
                marketplace: Some("AWS".into()),
                age: Duration::from_millis(21_600_500),
                limit: Duration::from_secs(21_600),
            }],
            too_late: BTreeSet::new(),
            merged: [(Uuid::from_u128(1), 3)].into(),
        }
    }

    #[test]
    fn json_is_stable() {
        let written = serde_json::to_string_pretty(&receipt()).unwrap();
        assert_eq!(written, include_str!("../../../fixtures/suger/receipt.json").trim_end());
    }

    #[test]
    fn error_kinds_have_stable_names() {
        for (kind, name) in [
            (ErrorKind::Config, "config"),
            (ErrorKind::Request, "request"),
            (ErrorKind::Auth, "auth"),
            (ErrorKind::Permission, "permission"),
            (ErrorKind::Connection, "connection"),
            (ErrorKind::Api, "api"),
            (ErrorKind::Decode, "decode"),
            (ErrorKind::Limit, "limit"),
            (ErrorKind::NotReady, "not_ready"),
            (ErrorKind::WaitTimeout, "wait_timeout"),
            (ErrorKind::Failed, "failed"),
            (ErrorKind::File, "file"),
        ] {
            assert_eq!(super::kind(kind), name);
        }
    }

    #[test]
    fn display_counts_every_event_once() {
        assert_eq!(receipt().total(), 8);
        let line = "2 delivered, 1 already delivered, 1 rejected, 1 unsent, 2 unverified, 1 removed, 1 merged";
        assert_eq!(receipt().to_string(), line);
        assert_eq!(Receipt::default().to_string(), "0 delivered, 0 already delivered, 0 rejected, 0 unsent");
    }

    #[test]
    fn replaced_outcomes_are_removed_from_every_list() {
        let mut all = Receipt { merged: [].into(), ..receipt() };
        all.remove_replaced(|_, _| false);
        assert_eq!((all.total(), all.late.len()), (8, 1));
        all.remove_replaced(|id, _| id.as_u128() == 7);
        assert_eq!((all.rejected.len(), all.unsent.len(), all.removed.len()), (0, 0, 0));
        assert_eq!((all.total(), all.late.len()), (5, 1));
        all.remove_replaced(|id, _| [1, 3, 5].contains(&id.as_u128()));
        assert_eq!(all.delivered, [Uuid::from_u128(2)]);
        assert_eq!((all.already_delivered.len(), all.unverified, all.late.len()), (0, vec![Uuid::from_u128(4)], 0));
    }

    #[test]
    fn receipt_is_complete_only_if_every_event_is_proved() {
        let proved = || Receipt { rejected: vec![], unsent: vec![], unverified: vec![], removed: vec![], ..receipt() };
        assert!(proved().is_complete() && Receipt::default().is_complete());
        assert!(!Receipt { rejected: receipt().rejected, ..proved() }.is_complete());
        assert!(!Receipt { unsent: receipt().unsent, ..proved() }.is_complete());
        assert!(!Receipt { removed: receipt().removed, ..proved() }.is_complete());
        assert!(!Receipt { unverified: receipt().unverified, ..proved() }.is_complete());
        assert!(Receipt { merged: [].into(), ..proved() }.is_complete());
    }
}
