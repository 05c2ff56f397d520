//! Receipts of sent events as a table.

use std::collections::HashMap;

use chrono::SecondsFormat;
use usage_billing::suger::{Receipt, UsageEvent};
use usage_billing::uuid::Uuid;

use crate::commands::output;
use crate::formats::table::Content::{Prose, Text, Word};
use crate::formats::table::Display::{Always, IfDiffers};

/// Events of one outcome that a table lists.
const LISTED: usize = 100;

/// Returns one line for each event, those that are not delivered first, and a summary. Of many events with one outcome, the first ones are listed.
pub(super) fn table(receipt: &Receipt, sent: &HashMap<Uuid, UsageEvent>) -> String {
    let row = |outcome: &str, event: &UsageEvent, reason: String| {
        let quantities: Vec<_> =
            event.quantities().iter().map(|(dimension, quantity)| format!("{dimension} {quantity}")).collect();
        let time = event.timestamp().to_rfc3339_opts(SecondsFormat::Secs, true);
        [outcome.to_owned(), event.entitlement_id().to_owned(), time, quantities.join(", "), reason]
    };
    let (mut rows, mut more) = (Vec::new(), String::new());
    let mut count = |outcome: &str, events: usize| {
        if events > LISTED {
            more += &format!("{} more {outcome}: --format json lists all\n", events - LISTED);
        }
    };
    for (outcome, events) in
        [("rejected", &receipt.rejected), ("unsent", &receipt.unsent), ("removed", &receipt.removed)]
    {
        count(outcome, events.len());
        rows.extend(events.iter().take(LISTED).map(|one| row(outcome, &one.event, one.error.to_string())));
    }
    let late: HashMap<_, _> = receipt.late.iter().map(|late| (late.id, late)).collect();
    for (outcome, ids) in [
        ("unverified", &receipt.unverified),
        ("delivered", &receipt.delivered),
        ("already delivered", &receipt.already_delivered),
    ] {
        count(outcome, ids.len());
        for id in ids.iter().take(LISTED) {
            let Some(event) = sent.get(id) else { continue };
            let reason = late
                .get(id)
                .map_or_else(String::new, |late| format!("late: {} h after the usage", late.age.as_secs() / 3600));
            rows.push(row(outcome, event, reason));
        }
    }
    let columns = [
        ("OUTCOME", Text, Always),
        ("ENTITLEMENT", Text, Always),
        ("TIMESTAMP", Word, Always),
        ("QUANTITIES", Prose, Always),
        ("REASON", Prose, IfDiffers),
    ];
    let table = output::table(columns, rows);
    format!("{table}{more}{receipt}\n")
}
