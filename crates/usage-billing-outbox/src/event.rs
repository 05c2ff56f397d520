//! An event as it is stored: its key, and the exact bytes of its request.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use usage_billing::suger::{UsageEvent, types::CreateUsageRecordGroupParams};
use usage_billing::uuid::Uuid;
use usage_billing::{Error, ErrorKind, Result, printable};

use crate::Progress;

/// An event with its key and the bytes that every attempt sends. Both follow from the event alone, so the same usage has the same key and
/// bytes in every process.
///
/// ```
/// use usage_billing::suger::UsageEvent;
/// use usage_billing_outbox::NewEvent;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let usage = UsageEvent::new("ent-1", "2026-10-07T08:00:00Z".parse()?).quantity("gb", 5);
/// let event = NewEvent::new(&usage, "your-org")?;
/// assert_eq!(event, NewEvent::new(&usage, "your-org")?);
/// assert_eq!(event.key, usage.id("your-org"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// The id under which the vendor recognizes duplicates ([`UsageEvent::id`]).
    pub key: Uuid,
    /// The id of the entitlement.
    pub entitlement_id: String,
    /// The time of the usage.
    pub timestamp: DateTime<Utc>,
    /// The sequence number of the event.
    pub sequence: u32,
    /// The JSON of the request.
    pub body: String,
}

impl NewEvent {
    /// Validates an event and fixes its key and bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for an event that Suger is known to reject ([`UsageEvent::check`]), and for one with a NUL character, which not every
    /// database stores.
    pub fn new(event: &UsageEvent, org_id: &str) -> Result<Self> {
        event.check()?;
        let mut names = event.quantities().keys().map(String::as_str).chain([event.entitlement_id()]);
        if let Some(name) = names.find(|name| name.contains('\0')) {
            let message =
                format!("{} is not a valid entitlement or dimension: expected no NUL character", printable(name));
            return Err(Error::new(ErrorKind::Request, message));
        }
        let body = serde_json::to_string(&event.body(org_id)).map_err(|error| {
            Error::new(ErrorKind::Request, "the event cannot be written as JSON").with_source(error)
        })?;
        Ok(Self {
            key: event.id(org_id),
            entitlement_id: event.entitlement_id().to_owned(),
            timestamp: event.timestamp(),
            sequence: event.sequence_number(),
            body,
        })
    }

    /// Returns the event that a sender sends.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] if the event would not be sent with this key and these bytes: the database was changed, or is of another version
    /// of this crate.
    pub fn usage(&self, org_id: &str) -> Result<UsageEvent> {
        let key = self.key;
        let changed = |reason: &str| {
            let message = format!("event {key} is not sent: {reason}");
            Error::new(ErrorKind::Decode, message)
                .with_hint("it was changed in the database, or stored by another version: send it with that version")
        };
        let body: CreateUsageRecordGroupParams = serde_json::from_str(&self.body)
            .map_err(|error| changed("its body is not a request").with_source(error))?;
        let mut event = UsageEvent::new(body.entitlement_id, self.timestamp).sequence(self.sequence);
        for (dimension, quantity) in body.records.unwrap_or_default() {
            event = event.quantity(dimension, quantity);
        }
        match Self::new(&event, org_id) {
            Ok(same) if same == *self => Ok(event),
            Ok(_) => Err(changed("its key, columns and body are not of the same event")),
            Err(error) => Err(changed("its body is not valid").with_source(error)),
        }
    }

    /// Returns the SHA-256 of the bytes that are sent.
    pub fn body_sha256(&self) -> [u8; 32] {
        Sha256::digest(self.body.as_bytes()).into()
    }
}

/// An event of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// The event.
    pub event: NewEvent,
    /// When it was enqueued.
    pub enqueued_at: DateTime<Utc>,
    /// When the window of its marketplace ends.
    pub deadline: DateTime<Utc>,
    /// How far its delivery is.
    pub progress: Progress,
    /// When its state became final.
    pub settled_at: Option<DateTime<Utc>>,
    /// The message of the last attempt.
    pub message: Option<String>,
}

/// Returns when the window of an event ends.
pub fn deadline(timestamp: DateTime<Utc>, window: Duration) -> DateTime<Utc> {
    timestamp
        .checked_add_signed(chrono::TimeDelta::from_std(window).unwrap_or(chrono::TimeDelta::MAX))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Returns when half of the window of an event has passed: undelivered usage is reported from then on.
pub fn alarm_at(timestamp: DateTime<Utc>, deadline: DateTime<Utc>) -> DateTime<Utc> {
    timestamp + (deadline - timestamp) / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use usage_billing::Decimal;

    fn event() -> NewEvent {
        let event = UsageEvent::new("ent-7", "2026-10-01T07:00:00Z".parse().unwrap()).sequence(2);
        NewEvent::new(&event.quantity("gb", Decimal::new(125, 1)).quantity("calls", 3), "acme").unwrap()
    }

    /// A change here would make events of earlier versions unsendable.
    #[test]
    fn key_and_bytes_are_stable() {
        let event = event();
        assert_eq!(
            event.body,
            r#"{"entitlementID":"ent-7","id":"KEY","organizationID":"acme","records":{"calls":3,"gb":12.5},"timestamp":"2026-10-01T07:00:00Z"}"#
                .replace("KEY", &event.key.to_string())
        );
        assert_eq!(event.key.to_string(), "73f754e7-4d55-5bb6-91a8-485a39d6a02d");
    }

    #[test]
    fn stored_event_is_sent_as_it_was_enqueued() {
        let event = event();
        assert_eq!(NewEvent::new(&event.usage("acme").unwrap(), "acme").unwrap(), event);
    }

    #[test]
    fn changed_event_is_not_sent() {
        let changes: [fn(&mut NewEvent); 6] = [
            |event| event.key = Uuid::nil(),
            |event| event.sequence = 3,
            |event| event.entitlement_id.push('8'),
            |event| event.body = event.body.replace("12.5", "12.6 "),
            |event| event.body = "{".to_owned(),
            |event| event.timestamp += chrono::TimeDelta::seconds(1),
        ];
        for change in changes {
            let mut event = event();
            change(&mut event);
            let error = event.usage("acme").unwrap_err();
            assert!(error.kind() == ErrorKind::Decode && error.to_string().contains("is not sent"), "{error}");
        }
        assert!(event().usage("other").is_err());
    }

    #[test]
    fn event_with_a_nul_character_is_not_accepted() {
        for (entitlement, dimension) in [("ent\0", "gb"), ("ent", "g\0b")] {
            let event = UsageEvent::new(entitlement, event().timestamp).quantity("calls", 3).quantity(dimension, 1);
            let error = NewEvent::new(&event, "acme").unwrap_err();
            assert!(error.kind() == ErrorKind::Request && error.to_string().contains("no NUL character"), "{error}");
        }
    }

    #[test]
    fn alarm_is_in_the_middle_of_the_window() {
        let at = event().timestamp;
        let end = deadline(at, Duration::from_secs(6 * 3600));
        assert_eq!((end - at, alarm_at(at, end) - at), (chrono::TimeDelta::hours(6), chrono::TimeDelta::hours(3)));
        assert_eq!(deadline(at, Duration::MAX), DateTime::<Utc>::MAX_UTC);
    }
}
