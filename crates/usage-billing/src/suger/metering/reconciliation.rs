//! The result of the comparison of sent usage with the groups of Suger and the responses of the marketplaces.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use usage_billing_core::Decimal;

use crate::Period;
use crate::rows::decimal_text;
use crate::suger::types::UsageRecordGroupStatus as Status;
use crate::suger::usage::quantities::is_same_quantity;

/// Every quantity that was sent or is at Suger, by its state: one for each dimension of an event and the group with
/// its id, and one for each entitlement, timestamp and dimension of usage without a counterpart by id. Each list is
/// sorted by entitlement, timestamp and dimension.
///
/// Serializes in the [stable JSON form](crate::suger#json-of-receipts-and-reconciliations).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reconciliation {
    /// The period, if the comparison is limited to one ([`Client::reconcile`](crate::suger::Client::reconcile)).
    pub period: Option<Period>,
    /// When the lists were read, if they were.
    pub as_of: Option<DateTime<Utc>>,
    /// Equal on both sides, reported, and accepted by the marketplace: according to its own response if the report has
    /// one, otherwise according to Suger alone. Nothing of it is left to a later report.
    pub billed: Vec<ReconciledQuantity>,
    /// Equal on both sides, but not reported to the marketplace yet, or not in full (a fraction of a unit is left to
    /// the next report), or with an unknown response of the marketplace.
    pub pending: Vec<ReconciledQuantity>,
    /// Equal on both sides, but not accepted by the marketplace, and therefore not billed.
    pub failed: Vec<ReconciledQuantity>,
    /// At Suger in another quantity than sent.
    pub different: Vec<ReconciledQuantity>,
    /// Sent, but not at Suger, or at Suger as `INVALID` or `DELETED`: not billed.
    pub missing: Vec<ReconciledQuantity>,
    /// At Suger, but not sent. It may be billed for a reason that is unknown here.
    pub extra: Vec<ReconciledQuantity>,
    /// Quantities of groups that do not state what was reported: their quantities differ and may be mapped, and they
    /// have no `originRecords`; or they have no entitlement. `sent` and `vendor` are of one dimension each, and not
    /// comparable.
    pub not_comparable: Vec<ReconciledQuantity>,
    /// Number of given events with timestamps outside the period, which are not compared. They do not affect
    /// [`is_clean`](Self::is_clean).
    pub outside_period: usize,
}

/// One quantity on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReconciledQuantity {
    /// The id of the entitlement.
    pub entitlement_id: String,
    /// The timestamp of the event; at Suger the time of the usage.
    pub timestamp: DateTime<Utc>,
    /// The dimension as it was sent, before the dimension mapping of Suger; for events of a billable metric the id of
    /// the metric.
    pub dimension: String,
    /// Sum of the sent quantities in the unit of the dimension, or 0.
    #[serde(serialize_with = "decimal_text::serialize")]
    pub sent: Decimal,
    /// Sum of the quantities at Suger, without groups that are `INVALID` or `DELETED`, or 0.
    #[serde(serialize_with = "decimal_text::serialize")]
    pub vendor: Decimal,
    /// Id of the group with the event's id, or of the only group of this entitlement, timestamp and dimension.
    pub group_id: Option<String>,
    /// Status of that group.
    pub status: Option<Status>,
    /// Id of the usage record report in which the group was last sent to the marketplace, if that report was read.
    pub report_id: Option<String>,
    /// Reasons of Suger and the marketplace against the billing, one line each: `AWS: CustomerNotSubscribed for gb`.
    pub reasons: Vec<String>,
}

impl Reconciliation {
    /// Returns whether all quantities are equal and billed, and there is at least one. A comparison of nothing with
    /// nothing is not clean, because it may be of the wrong period. Events [outside of the
    /// period](Self::outside_period) are ignored.
    pub fn is_clean(&self) -> bool {
        self.agrees() && self.pending.is_empty() && !self.billed.is_empty()
    }

    /// Returns whether all quantities are billed, or may still be billed without intervention: Suger has exactly the
    /// sent usage, and none of it has failed. It is also true if nothing was compared.
    pub fn agrees(&self) -> bool {
        let others = [&self.failed, &self.different, &self.missing, &self.extra, &self.not_comparable];
        others.into_iter().all(Vec::is_empty)
    }

    pub(super) fn note(&mut self, found: ReconciledQuantity, state: State) {
        let list = match (state, found.sent, found.vendor) {
            (State::NotComparable, ..) => &mut self.not_comparable,
            // Zero on both sides is not listed.
            (_, sent, vendor) if sent.is_zero() && vendor.is_zero() => return,
            (_, _, vendor) if vendor.is_zero() => &mut self.missing,
            (_, sent, _) if sent.is_zero() => &mut self.extra,
            (_, sent, vendor) if !is_same_quantity(sent, vendor) => &mut self.different,
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
            f.write_str("nothing to compare: no usage was sent or is at Suger")?;
        } else {
            f.write_str(&counts.join(", "))?;
        }
        if !not_comparable.is_empty() {
            write!(f, ", {} not comparable", not_comparable.len())?;
        }
        match self.outside_period {
            0 => Ok(()),
            1 => f.write_str("; 1 event outside of the period"),
            events => write!(f, "; {events} events outside of the period"),
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

/// State of a quantity that is equal on both sides, or cannot be compared; of several groups the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Billed,
    Pending,
    Failed,
    NotComparable,
}
