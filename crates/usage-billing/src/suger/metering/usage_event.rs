//! One usage event, and the id by which its duplicates are recognized.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use usage_billing_core::{Decimal, DecimalNumber, Error, ErrorKind, Result, printable};
use uuid::Uuid;

use crate::suger::types;

/// Namespace of event ids, generated for this purpose. It must never change: an event must have the same id in every
/// later version.
const NAMESPACE: Uuid = Uuid::from_u128(0x9957_d223_2c4d_48f1_a13b_32af_f8bc_9cdc);

/// Usage of one entitlement at one time, by dimension. Usually it covers an hour. Suger stores it as one usage record
/// group.
///
/// Suger identifies an event by its [`id`](Self::id), which contains the timestamp to the second. Usage within one
/// second must therefore be added up in one event, or numbered by [`sequence`](Self::sequence). A timestamp with a
/// fraction of a second is rejected, because two such events could have the same id.
///
/// JSON (serialization only): `entitlement_id`, `timestamp` (RFC 3339, UTC), `sequence`, and `quantities` by
/// dimension, as strings.
///
/// ```
/// use usage_billing::{Decimal, suger::UsageEvent};
///
/// let hour = "2026-10-01T07:00:00Z".parse().expect("a date-time");
/// let event = UsageEvent::new("ent-7", hour).quantity("gb_hours", Decimal::new(125, 1)).quantity("api_calls", 40_000);
/// assert!(event.check().is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UsageEvent {
    entitlement_id: String,
    timestamp: DateTime<Utc>,
    sequence: u32,
    #[serde(rename = "quantities", serialize_with = "exact_quantities")]
    records: BTreeMap<String, Decimal>,
}

impl UsageEvent {
    /// Creates an event without quantities. `timestamp` is sent as the time of the usage and must be a whole second:
    /// the start of the hour, if usage is added up by the hour.
    pub fn new(entitlement_id: impl Into<String>, timestamp: DateTime<Utc>) -> Self {
        Self { entitlement_id: entitlement_id.into(), timestamp, records: BTreeMap::new(), sequence: 0 }
    }

    /// Sets the quantity of a dimension (its key at the marketplace), in the unit of the dimension. A second call with
    /// the same dimension replaces the first.
    pub fn quantity(mut self, dimension: impl Into<String>, quantity: impl Into<Decimal>) -> Self {
        self.records.insert(dimension.into(), quantity.into().normalize());
        self
    }

    /// Sets the sequence number, which distinguishes events with the same dimensions and timestamp, such as late
    /// usage. The default is 0.
    pub fn sequence(self, number: u32) -> Self {
        Self { sequence: number, ..self }
    }

    /// Returns the id of the entitlement.
    pub fn entitlement_id(&self) -> &str {
        &self.entitlement_id
    }

    /// Returns the time of the usage.
    pub fn timestamp(&self) -> DateTime<Utc> {
        self.timestamp
    }

    /// Returns the sequence number.
    pub fn sequence_number(&self) -> u32 {
        self.sequence
    }

    /// Returns the quantities by dimension.
    pub fn quantities(&self) -> &BTreeMap<String, Decimal> {
        &self.records
    }

    /// Returns the id by which Suger recognizes a duplicate. It depends on the organization, entitlement, timestamp
    /// (to the second), set of dimensions and sequence, and is the same in every later version. Quantities are not
    /// part of it: an event with changed quantities keeps its id.
    ///
    /// It is a UUID version 5 over the JSON array `["usage-billing/1", organization, entitlement, timestamp,
    /// [dimensions, sorted], sequence]` without blanks, with the timestamp as `2026-10-01T07:00:00Z`. The namespace is
    /// `9957d223-2c4d-48f1-a13b-32aff8bc9cdc`.
    pub fn id(&self, org_id: &str) -> Uuid {
        let timestamp = self.timestamp.to_rfc3339_opts(SecondsFormat::Secs, true);
        let dimensions: Vec<_> = self.records.keys().collect();
        let name =
            serde_json::json!(["usage-billing/1", org_id, self.entitlement_id, timestamp, dimensions, self.sequence]);
        Uuid::new_v5(&NAMESPACE, name.to_string().as_bytes())
    }

    /// Returns a hash of the quantities, which distinguishes events with the same id.
    pub(super) fn fingerprint(&self, id: Uuid) -> Uuid {
        Uuid::new_v5(&id, format!("{:?}", self.records).as_bytes())
    }

    /// Validates the event against rules that Suger is known to enforce, without a request.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] if the entitlement is empty, the timestamp has a fraction of a second, a dimension has
    /// no name, a quantity is negative, or all quantities are zero.
    pub fn check(&self) -> Result<()> {
        let wrong = |message: String| Err(Error::new(ErrorKind::Request, message));
        if self.entitlement_id.is_empty() {
            return wrong("the event has no entitlement".to_owned());
        }
        if self.timestamp.timestamp_subsec_nanos() != 0 {
            return wrong(format!(
                "the timestamp of {} is {}, with a fraction of a second: events of one second have the same id, so add up \
                 their usage, or use whole seconds and a sequence",
                printable(&self.entitlement_id),
                self.timestamp
            ));
        }
        if self.records.contains_key("") {
            return wrong(format!("a quantity of {} has no dimension", printable(&self.entitlement_id)));
        }
        if let Some((dimension, quantity)) = self.records.iter().find(|(_, quantity)| quantity.is_sign_negative()) {
            return wrong(format!(
                "{} of {} is {quantity}: marketplaces do not accept negative quantities; settle excess usage with \
                 the buyer, or send a smaller quantity later",
                printable(dimension),
                printable(&self.entitlement_id)
            ));
        }
        if self.records.values().all(Decimal::is_zero) {
            return wrong(format!(
                "all quantities of {} are zero: Suger rejects such an event, and there is nothing to bill",
                printable(&self.entitlement_id)
            ));
        }
        Ok(())
    }

    /// Describes the usage for error messages: entitlement, timestamp and dimensions.
    pub(super) fn describe(&self) -> String {
        let dimensions: Vec<_> = self.records.keys().map(|dimension| printable(dimension).to_string()).collect();
        let timestamp = self.timestamp.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        format!(
            "entitlement {}, timestamp {timestamp}, dimensions: {}",
            printable(&self.entitlement_id),
            dimensions.join(", ")
        )
    }

    fn wire_records(&self) -> BTreeMap<String, DecimalNumber> {
        self.records.iter().map(|(dimension, quantity)| (dimension.clone(), (*quantity).into())).collect()
    }

    /// Returns the body of the request that sends the event. The same event always serializes to the same bytes.
    pub fn body(&self, org_id: &str) -> types::CreateUsageRecordGroupParams {
        self.body_with_id(org_id, self.id(org_id))
    }

    /// Returns the same for an id that is computed already.
    pub(super) fn body_with_id(&self, org_id: &str, id: Uuid) -> types::CreateUsageRecordGroupParams {
        types::CreateUsageRecordGroupParams {
            organization_id: org_id.to_owned(),
            entitlement_id: self.entitlement_id.clone(),
            id: Some(id.to_string()),
            records: Some(self.wire_records()),
            timestamp: Some(self.timestamp),
            billable_records: Vec::new(),
            usage_allocations: BTreeMap::new(),
            meta_info: None,
        }
    }
}

fn exact_quantities<S: Serializer>(quantities: &BTreeMap<String, Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(quantities.iter().map(|(dimension, quantity)| (dimension, quantity.to_string())))
}

/// Converts an event for the calls without ids: validation, and the batch, which must never be sent twice.
impl From<&UsageEvent> for types::NewUsageRecordGroup {
    fn from(event: &UsageEvent) -> Self {
        Self {
            entitlement_id: event.entitlement_id.clone(),
            records: Some(event.wire_records()),
            timestamp: Some(event.timestamp),
            billable_records: Vec::new(),
            usage_allocations: BTreeMap::new(),
            meta_info: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use proptest::prelude::*;

    fn event() -> UsageEvent {
        UsageEvent::new("ent-7", "2026-10-01T07:00:00Z".parse().unwrap())
            .quantity("gb", Decimal::new(125, 1))
            .quantity("calls", 3)
    }

    #[test]
    fn id_is_stable() {
        assert_eq!(event().id("acme").to_string(), "7a64bcbe-2432-5e73-a338-6ac53aff01d1");
    }

    #[test]
    fn id_depends_on_all_fields_but_the_quantities() {
        let id = event().id("acme");
        assert_eq!(event().quantity("gb", 99).id("acme"), id);
        let others = [
            event().id("acme2"),
            event().sequence(1).id("acme"),
            event().quantity("more", 1).id("acme"),
            UsageEvent { timestamp: "2026-10-01T08:00:00Z".parse().unwrap(), ..event() }.id("acme"),
            UsageEvent { entitlement_id: "ent-8".to_owned(), ..event() }.id("acme"),
        ];
        assert!(others.iter().all(|other| *other != id));
    }

    #[test]
    fn invalid_event_is_rejected_before_it_is_sent() {
        let timestamp = "2026-10-01T07:00:00Z".parse().unwrap();
        let cases = [
            (UsageEvent::new("", timestamp).quantity("gb", 1), "has no entitlement"),
            (UsageEvent::new("e", timestamp), "all quantities of e are zero"),
            (UsageEvent::new("e", timestamp).quantity("gb", 0), "all quantities of e are zero"),
            (UsageEvent::new("e", timestamp).quantity("gb", 1).quantity("calls", -1), "calls of e is -1"),
            (UsageEvent::new("e", timestamp).quantity("", 1), "has no dimension"),
            (
                UsageEvent::new("e", timestamp + TimeDelta::nanoseconds(1)).quantity("gb", 1),
                "with a fraction of a second",
            ),
        ];
        for (event, expected) in cases {
            let error = event.check().unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
        assert!(UsageEvent::new("e", timestamp).quantity("gb", 1).quantity("calls", 0).check().is_ok());
    }

    #[test]
    fn dimension_names_with_separators_do_not_collide() {
        let with = |dimensions: &[&str]| {
            dimensions.iter().fold(UsageEvent::new("e", event().timestamp), |event, it| event.quantity(*it, 1)).id("o")
        };
        assert_ne!(with(&["a,b"]), with(&["a", "b"]));
        assert_ne!(with(&["a\",\"b"]), with(&["a", "b"]));
    }

    proptest! {
        #[test]
        fn equal_usage_has_the_same_id_and_bytes_in_any_order(
            quantities in proptest::collection::btree_map("[a-z]{1,3}", 0i64..1_000_000, 1..5),
            zeros in 0u32..4,
        ) {
            let at = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
            let forth = quantities.iter().fold(UsageEvent::new("e", at), |event, (dimension, quantity)| {
                event.quantity(dimension, Decimal::new(*quantity, 2))
            });
            let back = quantities.iter().rev().fold(UsageEvent::new("e", at), |event, (dimension, quantity)| {
                event.quantity(dimension, Decimal::new(*quantity * 10i64.pow(zeros), 2 + zeros))
            });
            prop_assert_eq!(forth.id("o"), back.id("o"));
            let bytes = |event: &UsageEvent| serde_json::to_vec(&event.body("o")).unwrap();
            prop_assert_eq!(bytes(&forth), bytes(&back));
        }
    }
}
