//! What became of each report of a flush.

use std::fmt;

use usage_billing_core::Error;
use uuid::Uuid;

use super::UsageReport;

/// What became of the reports of a [`flush`](super::Reporter::flush). Each is in one of the four lists, and in it once.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
#[must_use = "what was not delivered is told here and nowhere else"]
pub struct Receipt {
    /// Ids of reports that Suger took now.
    pub delivered: Vec<Uuid>,
    /// Ids that Suger had already, from an earlier copy. Read back if an answer to this reporter got lost, or with
    /// [`confirm_duplicates`](super::Reporter::confirm_duplicates); otherwise (a copy of another process) they may be there as `INVALID`, deleted or with
    /// other quantities, and so not billed as they stand.
    pub already_delivered: Vec<Uuid>,
    /// Refused for good, with Suger's words; or there, but `INVALID`, deleted or with other quantities. No longer queued, and not billed as they
    /// stand.
    pub rejected: Vec<Undelivered>,
    /// Never sent, or sent without an answer that settles it; still queued, so that the next flush sends them (again).
    pub unsent: Vec<Undelivered>,
}

/// A report that was not delivered, or is not known to be.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Undelivered {
    /// The report's id.
    pub id: Uuid,
    /// The report.
    pub report: UsageReport,
    /// Why.
    pub error: Error,
}

impl Receipt {
    /// How many reports it is about.
    pub fn total(&self) -> usize {
        self.delivered.len() + self.already_delivered.len() + self.rejected.len() + self.unsent.len()
    }

    /// Whether Suger has all of them, those that are [already delivered](Self::already_delivered) included.
    pub fn is_complete(&self) -> bool {
        self.rejected.is_empty() && self.unsent.is_empty()
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { delivered, already_delivered, rejected, unsent } = self;
        let (delivered, already) = (delivered.len(), already_delivered.len());
        write!(
            f,
            "{delivered} delivered, {already} already delivered, {} rejected, {} unsent",
            rejected.len(),
            unsent.len()
        )
    }
}
