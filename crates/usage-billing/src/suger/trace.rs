//! What is traced of the delivery of usage: [the events](crate::suger#traces) have the target `usage_billing::suger`.

use std::time::Duration;

use usage_billing_core::{ClientInfo as _, Error, printable};
use uuid::Uuid;

use super::proof::Verdict;
use super::{Client, LateUsage, Receipt, UsageEvent};

macro_rules! event {
    ($level:ident, $($fields:tt)*) => {
        tracing::event!(target: "usage_billing::suger", tracing::Level::$level, $($fields)*)
    };
}
pub(super) use event;

/// What is known of a report after an attempt to deliver it.
pub(super) fn verdict(client: &Client, report: &UsageEvent, id: Uuid, verdict: &Verdict) {
    match verdict {
        Verdict::Delivered => settled(client, report, id, "usage delivered"),
        Verdict::DeliveredBefore => settled(client, report, id, "usage delivered before"),
        Verdict::Rejected(error) | Verdict::IdUsedUp(error) => {
            let entitlement_id = masked_text(client, report.entitlement_id());
            let (entitlement_id, window) = (printable(&entitlement_id), report.window());
            let error = masked(client, error);
            event!(WARN, %id, %entitlement_id, %window, %error, "usage rejected: it is not billed");
        }
        Verdict::Open(error) => unsent(client, report, id, error),
    }
}

/// A report that was not sent, or without proof of what became of it.
pub(super) fn unsent(client: &Client, report: &UsageEvent, id: Uuid, error: &Error) {
    let entitlement_id = masked_text(client, report.entitlement_id());
    let (entitlement_id, window) = (printable(&entitlement_id), report.window());
    let error = masked(client, error);
    event!(INFO, %id, %entitlement_id, %window, %error, "usage not confirmed");
}

/// A report whose usage came too late for its marketplace.
pub(super) fn late(client: &Client, late: &LateUsage) {
    let entitlement_id = masked_text(client, &late.entitlement_id);
    let entitlement_id = printable(&entitlement_id);
    let marketplace = printable(late.marketplace());
    let (id, window, age_s, limit_s) = (late.id, late.window, late.age.as_secs(), late.limit.as_secs());
    event!(WARN, %id, %entitlement_id, %window, %marketplace, age_s, limit_s, "usage is older than its marketplace accepts");
}

/// A report that is taken for delivered without proof.
pub(super) fn unverified(client: &Client, report: &UsageEvent, id: Uuid) {
    settled(client, report, id, "usage taken for delivered, unverified");
}

fn settled(client: &Client, report: &UsageEvent, id: Uuid, message: &'static str) {
    let entitlement_id = masked_text(client, report.entitlement_id());
    let (entitlement_id, window) = (printable(&entitlement_id), report.window());
    event!(INFO, %id, %entitlement_id, %window, "{message}");
}

fn masked(client: &Client, error: &Error) -> Error {
    client.api.inner().masked(error.clone())
}

fn masked_text(client: &Client, text: &str) -> String {
    client.api.inner().masked_text(text)
}

/// A report that was taken out of a sender's queue.
pub(super) fn removed(client: &Client, report: &UsageEvent, id: Uuid, error: &Error) {
    let entitlement_id = masked_text(client, report.entitlement_id());
    let (entitlement_id, window) = (printable(&entitlement_id), report.window());
    event!(WARN, %id, %entitlement_id, %window, %error, "usage removed from the queue");
}

/// The end of a flush that had anything to send.
pub(super) fn flushed(receipt: &Receipt, elapsed: Duration) {
    if receipt.total() == 0 {
        return;
    }
    // One of the reasons: the reports that were not sent have the same.
    let error = receipt.unsent.first().map(|it| tracing::field::display(&it.error));
    event!(
        INFO,
        delivered = receipt.delivered.len(),
        already_delivered = receipt.already_delivered.len(),
        unverified = receipt.unverified.len(),
        rejected = receipt.rejected.len(),
        unsent = receipt.unsent.len(),
        late = receipt.late.len(),
        merged = receipt.merged.len(),
        elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        error,
        "flush finished"
    );
}
