//! The outcome of a comparison of what was sent with what Suger has and what the marketplaces said of it.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use usage_billing_core::Decimal;

use super::types::UsageRecordGroupStatus as Status;
use crate::Period;
use crate::rows::decimal_text;

/// Every quantity that was sent or is at Suger, by what became of it: one for each dimension of a report and the group with its id, and one for
/// each entitlement, window and dimension of what has no partner by id. Each list is sorted by entitlement, window and dimension.
///
/// Serializes in the [stable JSON form](crate::suger#json-of-receipts-and-reconciliations).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reconciliation {
    /// The period that it is limited to, if it is ([`Client::reconcile`](super::Client::reconcile)).
    pub period: Option<Period>,
    /// When its lists were read, if they were.
    pub as_of: Option<DateTime<Utc>>,
    /// The same on both sides, reported, and accepted by the marketplace: in its own response where the report has one, else in Suger's word
    /// alone. Nothing of it is left to a later report.
    pub billed: Vec<ReconciledQuantity>,
    /// The same on both sides, but not reported to the marketplace yet, or not in full (a fraction of a unit is left to the next report), or what
    /// the marketplace said is not known.
    pub pending: Vec<ReconciledQuantity>,
    /// The same on both sides, but not accepted by the marketplace: not billed.
    pub failed: Vec<ReconciledQuantity>,
    /// There in another quantity than sent.
    pub different: Vec<ReconciledQuantity>,
    /// Sent, and not there, or there as `INVALID` or `DELETED`: not billed.
    pub missing: Vec<ReconciledQuantity>,
    /// There, and not sent: may be billed without a reason that is known here.
    pub extra: Vec<ReconciledQuantity>,
    /// Of groups that do not state what was reported: they have other quantities than were sent, which may be mapped, and no `originRecords`; or
    /// no entitlement. `sent` and `vendor` are of these dimensions each, and not comparable.
    pub not_comparable: Vec<ReconciledQuantity>,
    /// How many of the reports that were given are of windows outside the period, and so not compared. They do not keep it from being
    /// [clean](Self::is_clean).
    pub outside_period: usize,
}

/// One quantity on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReconciledQuantity {
    /// Whose usage.
    pub entitlement_id: String,
    /// Start of the report's window; at Suger the time of the usage.
    pub window: DateTime<Utc>,
    /// Dimension, as it was reported (before Suger's dimension mapping); of events the billable metric's id.
    pub dimension: String,
    /// Sum of what was sent, in the dimension's unit; 0 if nothing was.
    #[serde(serialize_with = "decimal_text::serialize")]
    pub sent: Decimal,
    /// Sum of what Suger has, without what is `INVALID` or `DELETED`; 0 if nothing.
    #[serde(serialize_with = "decimal_text::serialize")]
    pub vendor: Decimal,
    /// Id of the group: the one that has the report's id, or the only one of this entitlement, window and dimension.
    pub group_id: Option<String>,
    /// Its status.
    pub status: Option<Status>,
    /// Id of the usage record report in which the group was last sent to the marketplace, if it is among those that were read.
    pub report_id: Option<String>,
    /// What Suger and the marketplace said against it, one line each: `AWS: CustomerNotSubscribed for gb`.
    pub words: Vec<String>,
}

impl Reconciliation {
    /// Returns whether everything is agreed and billed: something is, and nothing is pending, failed, different, missing, extra or not comparable.
    /// A comparison of nothing with nothing is not clean: it may be that of another period. Reports
    /// [outside of the period](Self::outside_period) are not looked at.
    pub fn is_clean(&self) -> bool {
        self.agrees() && self.pending.is_empty() && !self.billed.is_empty()
    }

    /// Returns whether everything is billed or may yet be without anybody's doing: Suger has what was sent and nothing else, and nothing of it
    /// has failed. So it is if nothing was compared.
    pub fn agrees(&self) -> bool {
        let others = [&self.failed, &self.different, &self.missing, &self.extra, &self.not_comparable];
        others.into_iter().all(Vec::is_empty)
    }

    pub(super) fn note(&mut self, found: ReconciledQuantity, state: State) {
        let list = match (state, found.sent, found.vendor) {
            (State::NotComparable, ..) => &mut self.not_comparable,
            // Nothing on both sides is no quantity.
            (_, sent, vendor) if sent.is_zero() && vendor.is_zero() => return,
            (_, _, vendor) if vendor.is_zero() => &mut self.missing,
            (_, sent, _) if sent.is_zero() => &mut self.extra,
            (_, sent, vendor) if sent != vendor => &mut self.different,
            (State::Billed, ..) => &mut self.billed,
            (State::Pending, ..) => &mut self.pending,
            (State::Failed, ..) => &mut self.failed,
        };
        list.push(found);
    }

    fn lists(&self) -> [(&'static str, &Vec<ReconciledQuantity>); 7] {
        [
            ("billed", &self.billed),
            ("pending", &self.pending),
            ("failed", &self.failed),
            ("different", &self.different),
            ("missing", &self.missing),
            ("extra", &self.extra),
            ("not_comparable", &self.not_comparable),
        ]
    }
}

impl fmt::Display for Reconciliation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [others @ .., (_, not_comparable)] = self.lists();
        let counts: Vec<_> = others.iter().map(|(name, list)| format!("{} {name}", list.len())).collect();
        if self.lists().iter().all(|(_, list)| list.is_empty()) {
            f.write_str("nothing to compare: no usage was sent or is there")?;
        } else {
            f.write_str(&counts.join(", "))?;
        }
        if !not_comparable.is_empty() {
            write!(f, ", {} not comparable", not_comparable.len())?;
        }
        match self.outside_period {
            0 => Ok(()),
            1 => f.write_str("; 1 report outside of the period"),
            reports => write!(f, "; {reports} reports outside of the period"),
        }
    }
}

impl Serialize for Reconciliation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all = serializer.serialize_struct("Reconciliation", 12)?;
        all.serialize_field("is_clean", &self.is_clean())?;
        all.serialize_field("period_start", &self.period.map(|period| period.start()))?;
        all.serialize_field("period_end", &self.period.map(|period| period.end()))?;
        all.serialize_field("as_of", &self.as_of)?;
        all.serialize_field("outside_period", &self.outside_period)?;
        for (name, list) in self.lists() {
            all.serialize_field(name, list)?;
        }
        all.end()
    }
}

/// What became of a quantity that is the same on both sides, or that it cannot be compared; of several groups the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Billed,
    Pending,
    Failed,
    NotComparable,
}
