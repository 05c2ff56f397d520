//! Traces of the delivery of usage, with the target `usage_billing::suger`: see [Traces](crate::suger#traces).

use std::time::Duration;

use usage_billing_core::{ClientInfo as _, Error, printable};
use uuid::Uuid;

use super::proof::Verdict;
use crate::suger::{Client, LateUsage, Receipt, UsageEvent};

macro_rules! event {
    ($level:ident, $($fields:tt)*) => {
        tracing::event!(target: "usage_billing::suger", tracing::Level::$level, $($fields)*)
    };
}
pub(super) use event;

/// Traces a usage event. The fields are computed only if a subscriber listens.
macro_rules! about_event {
    ($level:ident, $client:expr, $event:expr, $id:expr, $($fields:tt)*) => {
        event!(
            $level,
            id = %$id,
            entitlement_id = %printable(&masked_text($client, $event.entitlement_id())),
            usage_timestamp = %$event.timestamp(),
            $($fields)*
        )
    };
}

/// Traces the outcome of an attempt to deliver an event.
pub(super) fn verdict(client: &Client, event: &UsageEvent, id: Uuid, verdict: &Verdict) {
    match verdict {
        Verdict::Delivered => resolved(client, event, id, "usage delivered"),
        Verdict::DeliveredBefore => resolved(client, event, id, "usage delivered before"),
        Verdict::Rejected(error) | Verdict::IdConsumed(error) => {
            about_event!(WARN, client, event, id, error = %masked(client, error), "usage rejected: it is not billed");
        }
        Verdict::Open(error) => unsent(client, event, id, error),
    }
}

/// Traces an event that was not sent, or whose outcome is not proved.
pub(super) fn unsent(client: &Client, event: &UsageEvent, id: Uuid, error: &Error) {
    about_event!(INFO, client, event, id, error = %masked(client, error), "usage not confirmed");
}

/// Traces an event whose usage is late for its marketplace.
pub(super) fn late(client: &Client, late: &LateUsage) {
    event!(
        WARN,
        id = %late.id,
        entitlement_id = %printable(&masked_text(client, &late.entitlement_id)),
        usage_timestamp = %late.timestamp,
        marketplace = %printable(late.marketplace()),
        age_s = late.age.as_secs(),
        limit_s = late.limit.as_secs(),
        "usage is older than its marketplace accepts"
    );
}

/// Traces an event that is assumed to be delivered without proof.
pub(super) fn unverified(client: &Client, event: &UsageEvent, id: Uuid) {
    resolved(client, event, id, "usage taken for delivered, unverified");
}

fn resolved(client: &Client, event: &UsageEvent, id: Uuid, message: &'static str) {
    about_event!(INFO, client, event, id, "{message}");
}

fn masked(client: &Client, error: &Error) -> Error {
    client.api.inner().masked(error.clone())
}

fn masked_text(client: &Client, text: &str) -> String {
    client.api.inner().masked_text(text)
}

/// Traces an event that was removed from the queue of a sender.
pub(super) fn removed(client: &Client, event: &UsageEvent, id: Uuid, error: &Error) {
    about_event!(WARN, client, event, id, %error, "usage removed from the queue");
}

/// Traces that the settings of the dimension mapping cannot be read: events with other quantities then stay queued.
pub(super) fn unknown_mapping(client: &Client, error: &Error) {
    event!(WARN, error = %masked(client, error), "dimension mapping unknown: other quantities cannot be compared");
}

/// Traces the end of a flush that had events to send.
pub(super) fn flushed(receipt: &Receipt, elapsed: Duration) {
    if receipt.total() == 0 {
        return;
    }
    // This is one of the reasons: events that were not sent have the same one.
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
