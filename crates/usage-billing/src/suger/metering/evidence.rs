//! Comparison of a group at Suger with the event that has its id.

use usage_billing_core::{Decimal, Error, ErrorKind, Result, printable};
use uuid::Uuid;

use crate::suger::UsageEvent;
use crate::suger::types::{MeteringUsageRecordGroup as Group, UsageRecordGroupStatus as Status};
use crate::suger::usage::groups::{id_in, name_of};
use crate::suger::usage::quantities::{differences, original_records, quantities_of};

/// The conclusion from a group about an event.
#[derive(Clone, Debug)]
pub(super) enum Evidence {
    /// The group matches the event, and is at the marketplace or on its way there.
    Delivered,
    /// The group has the event's id, but will not be billed as it was sent.
    Contradicted(Error),
    Unclear(Error),
}

/// Compares a group with an event. A delivery needs the same id, entitlement and quantities, no other organization, and a
/// status from which Suger reports the group to the marketplace.
pub(super) fn evidence(event: &UsageEvent, id: Uuid, group: &Group) -> Evidence {
    let expected = id.to_string();
    // Any spelling of a UUID is the same id.
    if group.id.as_deref().and_then(|there| there.parse().ok()) != Some(id) {
        return Evidence::Unclear(not_the_group(&format!("it is {}", name_of(group)), &expected));
    }
    if let Some(organization) = id_in(&group.organization_id).filter(|organization| event.id(organization) != id) {
        let what = format!("its organization is {}", printable(organization));
        return Evidence::Unclear(not_the_group(&what, &expected));
    }
    if group.entitlement_id.as_deref() != Some(event.entitlement_id()) {
        let entitlement = printable(group.entitlement_id.as_deref().unwrap_or("missing")).to_string();
        return Evidence::Unclear(not_the_group(&format!("its entitlement is {entitlement}"), &expected));
    }
    match &group.status {
        Some(Status::Invalid) => return Evidence::Contradicted(invalid(event, group)),
        Some(Status::Deleted) => {
            let message =
                format!("{} was deleted at Suger: it is not billed, and its id is used up", describe(event, group));
            return Evidence::Contradicted(Error::new(ErrorKind::Failed, message).with_hint(ANOTHER));
        }
        _ => {}
    }
    match compared(event, group) {
        Ok(QuantityMatch::Same) => {}
        Ok(QuantityMatch::Different { dimension, sent, there }) => {
            let message = format!(
                "Suger has {} with other quantities: {} is {there} there, not {sent}",
                name_of(group),
                printable(&dimension)
            );
            return Evidence::Contradicted(Error::new(ErrorKind::Failed, message).with_hint(MISSING));
        }
        Ok(QuantityMatch::Unknown { dimension, sent, there }) => {
            let message = format!(
                "{} does not state the quantities that were reported, and its own differ and may be mapped: {} is {there} there, not {sent}",
                describe(event, group),
                printable(&dimension)
            );
            return Evidence::Unclear(Error::new(ErrorKind::Decode, message).with_hint(MAPPED));
        }
        Err(error) => return Evidence::Unclear(error),
    }
    match &group.status {
        Some(Status::Created | Status::ReportPending | Status::Reported) => Evidence::Delivered,
        Some(Status::ReportFailed) => Evidence::Unclear(
            Error::new(
                ErrorKind::Failed,
                format!("Suger has {}, but could not report it to the marketplace", describe(event, group)),
            )
            .with_hint(
                "fix the cause, which its usage record report states, and requeue the group for the next hourly run",
            ),
        ),
        status => {
            let status = status
                .as_ref()
                .map_or_else(|| "no status".to_owned(), |it| format!("the status {}", printable(it.as_str())));
            let message = format!("{} has {status}: it is unknown whether it will be billed", describe(event, group));
            Evidence::Unclear(Error::new(ErrorKind::Decode, message))
        }
    }
}

enum QuantityMatch {
    Same,
    Different {
        dimension: String,
        sent: Decimal,
        there: Decimal,
    },
    /// The quantities differ, and may be mapped.
    Unknown {
        dimension: String,
        sent: Decimal,
        there: Decimal,
    },
}

/// Compares the quantities of an event and of the group with its id.
fn compared(event: &UsageEvent, group: &Group) -> Result<QuantityMatch> {
    let there = quantities_of(group)?;
    let Some((dimension, sent, there)) = differences(event.quantities(), &there).next() else {
        return Ok(QuantityMatch::Same);
    };
    let dimension = dimension.to_owned();
    Ok(match original_records(group).is_some() {
        true => QuantityMatch::Different { dimension, sent, there },
        false => QuantityMatch::Unknown { dimension, sent, there },
    })
}

const ANOTHER: &str = "to have the usage billed, send it again with another sequence";
const MAPPED: &str = "compare the group with the event; if the group is correct, sending the usage again with another sequence bills it twice";
/// Suger keeps the first event: a correction is a separate event.
pub(super) const MISSING: &str = "send the missing usage with another sequence";

/// Describes a group and its usage.
fn describe(event: &UsageEvent, group: &Group) -> String {
    format!("{} ({})", name_of(group), event.describe())
}

fn invalid(event: &UsageEvent, group: &Group) -> Error {
    let message =
        format!("Suger stored {} as INVALID: it will not be billed, and its id is used up", describe(event, group));
    Error::new(ErrorKind::Failed, message).with_hint(format!(
        "check that the entitlement is active and has these dimensions, and delete the group; {ANOTHER}"
    ))
}

fn not_the_group(what: &str, id: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("Suger returned a group that is not the one that was sent ({id}): {what}"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    pub(in crate::suger) fn sent() -> (UsageEvent, Uuid) {
        let event =
            UsageEvent::new("e-1", "2026-10-01T07:00:00Z".parse().unwrap()).quantity("gb", 5).quantity("calls", 0);
        let id = event.id("acme");
        (event, id)
    }

    /// Returns the group that was sent, with other fields in place of its own.
    pub(in crate::suger) fn group(other: Value) -> Group {
        let (event, id) = sent();
        let records = json!({"gb": 5.0, "calls": 0});
        let mut group =
            json!({"id": id, "entitlementID": event.entitlement_id(), "status": "CREATED", "records": records});
        group.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
        serde_json::from_value(group).unwrap()
    }

    /// `delivered`, or the kind of evidence with its message.
    fn outcome(other: Value) -> (&'static str, String) {
        let (event, id) = sent();
        match evidence(&event, id, &group(other)) {
            Evidence::Delivered => ("delivered", String::new()),
            Evidence::Contradicted(error) => ("contradicted", error.to_string()),
            Evidence::Unclear(error) => ("unclear", error.to_string()),
        }
    }

    #[test]
    fn delivery_needs_the_id_entitlement_quantities_and_status() {
        let origin = |records: Value| json!({"records": {"mapped": 1}, "metaInfo": {"originRecords": records}});
        let cases = [
            (json!({}), "delivered", ""),
            (json!({"status": "REPORTED"}), "delivered", ""),
            (json!({"status": "REPORT_PENDING"}), "delivered", ""),
            (json!({"records": {"gb": 5}}), "delivered", ""),
            (origin(json!({"gb": 5.00})), "delivered", ""),
            (json!({"id": null}), "unclear", "it is usage record group without id"),
            (json!({"id": "g-2"}), "unclear", "it is usage record group g-2"),
            (json!({"id": sent().1.to_string().to_uppercase()}), "delivered", ""),
            (json!({"organizationID": "acme"}), "delivered", ""),
            (json!({"organizationID": ""}), "delivered", ""),
            (json!({"organizationID": "acme-2"}), "unclear", "its organization is acme-2"),
            (json!({"organizationID": "acme-2", "status": "INVALID"}), "unclear", "its organization is acme-2"),
            (json!({"entitlementID": "e-2"}), "unclear", "its entitlement is e-2"),
            (json!({"entitlementID": null}), "unclear", "its entitlement is missing"),
            (json!({"records": null}), "unclear", "does not state the quantities"),
            (json!({"records": {"mapped": 5}}), "unclear", "does not state the quantities"),
            (json!({"records": {"gb": 5, "mapped": 1}}), "unclear", "does not state the quantities"),
            // A dimension can be mapped to itself, in another unit.
            (json!({"records": {"gb": 4}}), "unclear", "does not state the quantities"),
            (json!({"records": {"gb": 5, "calls": 1}}), "unclear", "does not state the quantities"),
            (
                json!({"records": {"gb": 5}, "metaInfo": {"originRecords": {"gb": 4}}}),
                "contradicted",
                "gb is 4 there, not 5",
            ),
            (origin(json!({"gb": 5, "calls": 1})), "contradicted", "with other quantities: calls is 1 there, not 0"),
            (origin(json!({"gb": 5, "seats": 1})), "contradicted", "with other quantities: seats is 1 there, not 0"),
            (origin(json!({"calls": 0})), "contradicted", "with other quantities: gb is 0 there, not 5"),
            (json!({"status": "DELETED"}), "contradicted", "was deleted at Suger"),
            (json!({"status": "INVALID"}), "contradicted", "as INVALID: it will not be billed"),
            (json!({"status": "INVALID", "records": {"gb": 4}}), "contradicted", "as INVALID: it will not be billed"),
            (json!({"status": "REPORTED", "records": {"gb": 4}}), "unclear", "does not state the quantities"),
            (json!({"status": "INVALID", "entitlementID": "e-2"}), "unclear", "its entitlement is e-2"),
            (json!({"status": "DELETED", "entitlementID": null}), "unclear", "its entitlement is missing"),
            (json!({"status": "REPORT_FAILED"}), "unclear", "could not report it to the marketplace"),
            (json!({"status": "REPORT_FAILED", "records": {"gb": 4}}), "unclear", "does not state the quantities"),
            (
                json!({"status": "REJECTED_NEW"}),
                "unclear",
                "has the status REJECTED_NEW: it is unknown whether it will be billed",
            ),
            (json!({"status": ""}), "unclear", "has the status : it is unknown"),
            (json!({"status": null}), "unclear", "has no status: it is unknown whether it will be billed"),
        ];
        for (other, kind, expected) in cases {
            let (found, message) = outcome(other.clone());
            assert!(found == kind && message.contains(expected), "{other}: {found}: {message}");
            let is_free = message.contains("with another sequence") && !message.contains("bills it twice");
            assert!(kind == "contradicted" || !is_free, "{other}: {message}");
        }
    }

    #[test]
    fn invalid_group_error_describes_the_usage() {
        let (_, message) = outcome(json!({"status": "INVALID"}));
        let expected = "(entitlement e-1, timestamp 2026-10-01T07:00:00Z, dimensions: calls, gb) as INVALID";
        assert!(message.contains(expected), "{message}");
    }

    pub(in crate::suger) fn evidence_is_delivery(group: &Group) -> bool {
        let (event, id) = sent();
        matches!(evidence(&event, id, group), Evidence::Delivered)
    }

    proptest! {
        /// A group is a delivery only if all of its fields match.
        #[test]
        fn group_with_any_difference_is_not_a_delivery(
            same_id: bool,
            entitlement in prop::option::of("e-[12]"),
            status in prop::sample::select(vec!["CREATED", "REPORTED", "REPORT_PENDING", "REPORT_FAILED", "INVALID", "DELETED", "", "NEW"]),
            quantity in 3i64..7,
            calls in 0i64..2,
        ) {
            let id = if same_id { json!(sent().1) } else { json!("g-2") };
            let there = group(json!({"id": id, "entitlementID": entitlement, "status": status, "records": {"gb": quantity, "calls": calls}}));
            let is_same = same_id && entitlement.as_deref() == Some("e-1") && quantity == 5 && calls == 0;
            let is_billed = ["CREATED", "REPORTED", "REPORT_PENDING"].contains(&status);
            prop_assert_eq!(evidence_is_delivery(&there), is_same && is_billed);
        }
    }
}
