//! Which events and records are stored, and the errors of the others.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::IgnoredAny;
use usage_billing::uuid::Uuid;
use usage_billing::{Error, ErrorKind, Result, printable};

use crate::aggregation::{MeteredUsage, hour_of};
use crate::event::NewEvent;

/// Checks that no event is from before the time whose events were removed.
pub(crate) fn check_age(events: &[NewEvent], removed_before: Option<DateTime<Utc>>) -> Result<()> {
    let Some(cutoff) = removed_before else { return Ok(()) };
    let Some(event) = events.iter().find(|event| event.timestamp < cutoff) else { return Ok(()) };
    let (entitlement, timestamp) = (printable(&event.entitlement_id), event.timestamp);
    let message = format!(
        "event {} ({entitlement}, {timestamp}) is older than {cutoff}, and events before that were removed: nothing was enqueued",
        event.key
    );
    Err(Error::new(ErrorKind::Request, message)
        .with_hint("whether it was billed is unknown here: look it up at the vendor"))
}

/// Checks that the stored event with the same key has the same body.
pub(crate) fn check_same(event: &NewEvent, stored_body: &str) -> Result<()> {
    if stored_body == event.body {
        return Ok(());
    }
    let (entitlement, timestamp) = (printable(&event.entitlement_id), event.timestamp);
    let message = format!(
        "event {} ({entitlement}, {timestamp}) is stored with other quantities: nothing was enqueued",
        event.key
    );
    Err(Error::new(ErrorKind::Request, message).with_hint("send the difference as an event with another sequence"))
}

/// Checks that a stored event of the same entitlement, timestamp and sequence, which is not resolved, has none of the dimensions of a new one. The
/// set of dimensions is part of the key, so the vendor would bill the quantity of such a dimension twice.
pub(crate) fn check_overlap(event: &NewEvent, stored_key: Uuid, stored_body: &str) -> Result<()> {
    let stored = dimensions(stored_body);
    let Some(dimension) = dimensions(&event.body).into_keys().find(|dimension| stored.contains_key(dimension)) else {
        return Ok(());
    };
    let (entitlement, timestamp, key) = (printable(&event.entitlement_id), event.timestamp, event.key);
    let message = format!(
        "event {key} ({entitlement}, {timestamp}) has the dimension {}, and event {stored_key} has it with other dimensions: nothing was \
         enqueued",
        printable(&dimension)
    );
    Err(Error::new(ErrorKind::Request, message).with_hint(
        "enqueue only dimensions that are new, give additional usage another sequence, or resolve a rejected event before it is replaced",
    ))
}

/// Returns the dimensions of a request. A stored body that cannot be read has none; its event is not sent
/// ([`NewEvent::usage`]).
fn dimensions(body: &str) -> BTreeMap<String, IgnoredAny> {
    #[derive(Default, Deserialize)]
    struct Request {
        records: BTreeMap<String, IgnoredAny>,
    }
    serde_json::from_str::<Request>(body).unwrap_or_default().records
}

/// Checks that a record is valid, and not of an hour that was removed.
pub(crate) fn check_record(usage: &MeteredUsage, removed_before: Option<DateTime<Utc>>) -> Result<()> {
    usage.check()?;
    match removed_before.is_some_and(|cutoff| hour_of(usage.timestamp) < cutoff) {
        true => Err(not_recorded(usage, "is older than the usage that was removed")),
        false => Ok(()),
    }
}

/// Checks that the stored record with the same id has the same content.
pub(crate) fn check_same_record(usage: &MeteredUsage, is_same: bool) -> Result<()> {
    match is_same {
        true => Ok(()),
        false => Err(not_recorded(usage, "is stored with other usage")),
    }
}

fn not_recorded(usage: &MeteredUsage, reason: &str) -> Error {
    let (id, entitlement) = (printable(&usage.id), printable(&usage.entitlement_id));
    let message = format!("metered usage {id} ({entitlement}, {}) {reason}: nothing was recorded", usage.timestamp);
    Error::new(ErrorKind::Request, message).with_hint("give each record an id of its own, and never change a record")
}
