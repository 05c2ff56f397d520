//! The outcome of each event of a receipt.

use std::time::Duration;

use usage_billing::suger::{LateUsage, Receipt, UndeliveredEvent, UsageQueue};
use usage_billing::uuid::Uuid;
use usage_billing::{Error, ErrorKind};

use crate::Outcome;
use crate::store::AttemptResult;

/// Maximum length of a stored message.
const MAX_MESSAGE: usize = 1000;

/// The result of one event of a batch.
#[derive(Clone, Debug)]
pub(super) struct EventResult {
    pub(super) outcome: Outcome,
    pub(super) status: Option<u16>,
    pub(super) message: Option<String>,
    pub(super) retry_after: Option<Duration>,
}

/// An event without a result in the receipt: nothing is known of it.
impl Default for EventResult {
    fn default() -> Self {
        let message = Some("the flush returned no result".to_owned());
        Self { outcome: Outcome::Unknown, status: None, message, retry_after: None }
    }
}

/// Returns the result of an event that cannot be sent.
pub(super) fn unsendable(error: &Error) -> EventResult {
    undelivered(Outcome::NotSent, error)
}

fn undelivered(outcome: Outcome, error: &Error) -> EventResult {
    EventResult {
        outcome,
        status: error.status().map(|status| status.as_u16()),
        message: Some(error.to_string().chars().take(MAX_MESSAGE).collect()),
        retry_after: error.retry_after(),
    }
}

/// Returns the results of the events of a flush.
pub(super) fn from_receipt(receipt: &Receipt, queue: &UsageQueue) -> Vec<(Uuid, EventResult)> {
    let late = |id: Uuid| receipt.late.iter().find(|late| late.id == id).map(late_message);
    let delivered =
        |outcome| move |id: &Uuid| (*id, EventResult { outcome, status: None, message: late(*id), retry_after: None });
    let rejected = receipt.rejected.iter().map(|it| (it.id, undelivered(rejection(it, receipt), &it.error)));
    let unsent = receipt.unsent.iter().map(|it| {
        let outcome = if queue.is_id_free(it.id) { Outcome::NotSent } else { Outcome::Unknown };
        (it.id, undelivered(outcome, &it.error))
    });
    let delivered_now = receipt.delivered.iter().map(delivered(Outcome::Delivered));
    let delivered_before = receipt.already_delivered.iter().map(delivered(Outcome::AlreadyDelivered));
    delivered_now.chain(delivered_before).chain(rejected).chain(unsent).collect()
}

fn late_message(late: &LateUsage) -> String {
    let marketplace = late.marketplace.as_ref().map_or("its marketplace", |marketplace| marketplace.as_str());
    format!(
        "delivered {} min after its timestamp, and {marketplace} accepts usage for {} min: check that it is billed",
        late.age.as_secs() / 60,
        late.limit.as_secs() / 60
    )
}

fn rejection(it: &UndeliveredEvent, receipt: &Receipt) -> Outcome {
    match it.error.kind() {
        ErrorKind::Failed => Outcome::IdConsumed,
        _ if receipt.too_late.contains(&it.id) => Outcome::Expired,
        _ => Outcome::Rejected,
    }
}

pub(super) fn is_final(outcome: Outcome) -> bool {
    !matches!(outcome, Outcome::NotSent | Outcome::Unknown | Outcome::Abandoned)
}

/// Returns whether the vendor itself resolved the event.
pub(super) fn is_contact(result: &AttemptResult) -> bool {
    is_final(result.outcome)
}
