//! What became of each report of a flush.

use std::collections::BTreeMap;
use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use usage_billing_core::{Error, ErrorKind};
use uuid::Uuid;

use super::{LateUsage, UsageEvent};

/// What became of the reports of a [`flush`](super::UsageQueue::flush). Each is in one of the first six lists, and in it once.
///
/// Serializes in the [stable JSON form](crate::suger#json-of-receipts-and-reconciliations).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
#[must_use = "what was not delivered is told here and nowhere else"]
pub struct Receipt {
    /// Ids of reports whose response returned the group that was sent: Suger stored them.
    pub delivered: Vec<Uuid>,
    /// Ids under which Suger lists the same usage, in a status on the way to the marketplace: from an earlier attempt, of this process or another, or
    /// from this one, whose response did not prove it.
    pub already_delivered: Vec<Uuid>,
    /// Ids that Suger says it has (409), and that were not looked up because of
    /// [`trust_duplicates_unverified`](super::UsageQueue::trust_duplicates_unverified): they may be there as `INVALID`, deleted or with other
    /// quantities. No longer queued.
    pub unverified: Vec<Uuid>,
    /// Rejected by Suger, or withheld because its check failed or the usage is too old, and not listed; or listed, but `INVALID`, deleted or
    /// with other quantities. No longer queued, and Suger does not have the usage as it was reported. What another process sent and
    /// Suger still works on is not seen.
    pub rejected: Vec<UndeliveredEvent>,
    /// Not sent, or sent without proof of what became of them. Still queued: the next flush sends them again under the same ids, and settles what
    /// can be proved by then. Some stay until somebody acts, such as those whose group is `REPORT_FAILED`.
    pub unsent: Vec<UndeliveredEvent>,
    /// Taken out of a sender's queue by [`UsageSender::remove`](super::UsageSender::remove), each with whether it was sent before.
    pub removed: Vec<UndeliveredEvent>,
    /// Those of the delivered and already delivered reports whose usage was older than its marketplace accepts when Suger received it, and those
    /// of the unverified and unsent ones whose usage is that old now: watch their groups, and see [`MarketplaceWindows`](super::MarketplaceWindows).
    pub late: Vec<LateUsage>,
    /// Ids of reports that were pushed again while an equal one was queued, or after the same queue had delivered it, with how many times: their
    /// usage is counted once. If these were several events, their quantities have to be added up, or numbered by the
    /// [`sequence`](UsageEvent::sequence).
    pub merged: BTreeMap<Uuid, u32>,
}

/// A report that was not delivered, or is not known to be.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UndeliveredEvent {
    /// The report's id.
    pub id: Uuid,
    /// The report.
    pub report: UsageEvent,
    /// Why.
    pub error: Error,
}

impl Receipt {
    /// How many reports it is about, merged ones counted once.
    pub fn total(&self) -> usize {
        let ids = self.delivered.len() + self.already_delivered.len() + self.unverified.len();
        ids + self.rejected.len() + self.unsent.len() + self.removed.len()
    }

    /// Keeps what is said of some reports, by their ids.
    pub(super) fn retain(&mut self, keep: impl Fn(&Uuid) -> bool) {
        for ids in [&mut self.delivered, &mut self.already_delivered, &mut self.unverified] {
            ids.retain(&keep);
        }
        for reports in [&mut self.rejected, &mut self.unsent, &mut self.removed] {
            reports.retain(|it| keep(&it.id));
        }
        self.late.retain(|it| keep(&it.id));
    }

    /// Returns whether every report is proved to be at Suger: none was rejected or removed, is unsent, or was
    /// [taken for delivered](Self::unverified) without a look.
    pub fn is_complete(&self) -> bool {
        [&self.rejected, &self.unsent, &self.removed].into_iter().all(Vec::is_empty) && self.unverified.is_empty()
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { delivered, already_delivered, unverified, rejected, unsent, removed, late: _, merged } = self;
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
        one.serialize_field("report", &self.report)?;
        one.serialize_field("error", &ErrorJson(&self.error))?;
        one.end()
    }
}

/// An error in JSON: for programs its kind and status, for people its line.
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
        let report = UsageEvent::new("ent-7", "2026-10-01T07:00:00Z".parse().unwrap())
            .quantity("gb", rust_decimal::Decimal::new(1_2500, 4))
            .sequence(2);
        let error = Error::new(kind, "entitlement\nnot found").with_hint("check it");
        UndeliveredEvent { id: Uuid::from_u128(7), report, error }
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
                window: "2026-10-01T07:00:00Z".parse().unwrap(),
                marketplace: Some("AWS".into()),
                age: Duration::from_millis(21_600_500),
                limit: Duration::from_secs(21_600),
            }],
            merged: [(Uuid::from_u128(1), 3)].into(),
        }
    }

    #[test]
    fn json_is_stable() {
        let written = serde_json::to_string_pretty(&receipt()).unwrap();
        assert_eq!(written, include_str!("../../fixtures/suger/receipt.json").trim_end());
    }

    #[test]
    fn kinds_of_errors_have_stable_names() {
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
    fn line_counts_every_report_once() {
        assert_eq!(receipt().total(), 8);
        let line = "2 delivered, 1 already delivered, 1 rejected, 1 unsent, 2 unverified, 1 removed, 1 merged";
        assert_eq!(receipt().to_string(), line);
        assert_eq!(Receipt::default().to_string(), "0 delivered, 0 already delivered, 0 rejected, 0 unsent");
    }

    #[test]
    fn what_is_said_of_some_reports_is_kept_in_every_list() {
        let mut all = Receipt { merged: [].into(), ..receipt() };
        all.retain(|_| true);
        assert_eq!((all.total(), all.late.len()), (8, 1));
        all.retain(|id| id.as_u128() != 7);
        assert_eq!((all.rejected.len(), all.unsent.len(), all.removed.len()), (0, 0, 0));
        assert_eq!((all.total(), all.late.len()), (5, 1));
        all.retain(|id| ![1, 3, 5].contains(&id.as_u128()));
        assert_eq!(all.delivered, [Uuid::from_u128(2)]);
        assert_eq!((all.already_delivered.len(), all.unverified, all.late.len()), (0, vec![Uuid::from_u128(4)], 0));
    }

    #[test]
    fn receipt_is_complete_only_if_every_report_is_proved() {
        let proved = || Receipt { rejected: vec![], unsent: vec![], unverified: vec![], removed: vec![], ..receipt() };
        assert!(proved().is_complete() && Receipt::default().is_complete());
        assert!(!Receipt { rejected: receipt().rejected, ..proved() }.is_complete());
        assert!(!Receipt { unsent: receipt().unsent, ..proved() }.is_complete());
        assert!(!Receipt { removed: receipt().removed, ..proved() }.is_complete());
        assert!(!Receipt { unverified: receipt().unverified, ..proved() }.is_complete());
        assert!(Receipt { merged: [].into(), ..proved() }.is_complete());
    }
}
