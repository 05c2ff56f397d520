//! What a group at Suger proves of a report.

use usage_billing_core::{Decimal, Error, ErrorKind, Result, printable};
use uuid::Uuid;

use super::UsageEvent;
use super::groups::name_of;
use super::quantities::{differences, quantities_of, states_what_was_reported};
use super::types::{MeteringUsageRecordGroup as Group, UsageRecordGroupStatus as Status};

/// What a group proves of a report.
#[derive(Clone, Debug)]
pub(super) enum Evidence {
    /// It is the report, and at the marketplace or on its way there.
    Delivered,
    /// It has the report's id, but will not be billed as the report says.
    Contradicted(Error),
    Unclear(Error),
}

/// Returns what a group proves: it has to be the one that was sent, by id, entitlement and quantities, in a status from which it is reported to
/// the marketplace.
pub(super) fn evidence(report: &UsageEvent, id: Uuid, group: &Group) -> Evidence {
    let expected = id.to_string();
    if group.id.as_deref() != Some(expected.as_str()) {
        return Evidence::Unclear(not_the_group(&format!("it is {}", name_of(group)), &expected));
    }
    if group.entitlement_id.as_deref() != Some(report.entitlement_id()) {
        let entitlement = printable(group.entitlement_id.as_deref().unwrap_or("none")).to_string();
        return Evidence::Unclear(not_the_group(&format!("its entitlement is {entitlement}"), &expected));
    }
    match &group.status {
        Some(Status::Invalid) => return Evidence::Contradicted(invalid(report, group)),
        Some(Status::Deleted) => {
            let message =
                format!("{} was deleted at Suger: it is not billed, and its id is used up", place(report, group));
            return Evidence::Contradicted(Error::new(ErrorKind::Failed, message).with_hint(ANOTHER));
        }
        _ => {}
    }
    match compared(report, group) {
        Ok(Compared::Same) => {}
        Ok(Compared::Different { dimension, sent, there }) => {
            let message = format!(
                "Suger has {} with other quantities: {} is {there} there, not {sent}",
                name_of(group),
                printable(&dimension)
            );
            return Evidence::Contradicted(Error::new(ErrorKind::Failed, message).with_hint(MISSING));
        }
        Ok(Compared::Unknown) => {
            let message = format!(
                "{} does not state the quantities that were reported, and those that it has are others: they may be mapped",
                place(report, group)
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
                format!("Suger has {}, but could not report it to the marketplace", place(report, group)),
            )
            .with_hint(
                "fix the cause, which its usage record report names, and put the group back for the next hourly run",
            ),
        ),
        status => {
            let status = status
                .as_ref()
                .map_or_else(|| "no status".to_owned(), |it| format!("the status {}", printable(it.as_str())));
            let message = format!("{} has {status}: whether it will be billed is not known", place(report, group));
            Evidence::Unclear(Error::new(ErrorKind::Decode, message))
        }
    }
}

enum Compared {
    Same,
    Different { dimension: String, sent: Decimal, there: Decimal },
    Unknown,
}

/// Compares the quantities of a report and of the group with its id.
fn compared(report: &UsageEvent, group: &Group) -> Result<Compared> {
    let there = quantities_of(group)?;
    Ok(match differences(report.quantities(), &there).next() {
        None => Compared::Same,
        Some(_) if !states_what_was_reported(group) => Compared::Unknown,
        Some((dimension, sent, there)) => Compared::Different { dimension: dimension.to_owned(), sent, there },
    })
}

const ANOTHER: &str = "if the usage is to be billed, report it again under another sequence";
const MAPPED: &str = "compare the group with what was sent; reported again under another sequence, the usage would be billed twice if it is there";
/// The first attempt stands: a correction is a report of its own.
pub(super) const MISSING: &str = "report what is missing under another sequence";

/// A group with what identifies its usage.
fn place(report: &UsageEvent, group: &Group) -> String {
    format!("{} ({})", name_of(group), report.place())
}

fn invalid(report: &UsageEvent, group: &Group) -> Error {
    let message =
        format!("Suger stored {} as INVALID: it will not be billed, and its id is used up", place(report, group));
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
        let report =
            UsageEvent::new("e-1", "2026-10-01T07:00:00Z".parse().unwrap()).quantity("gb", 5).quantity("calls", 0);
        let id = report.id("acme");
        (report, id)
    }

    /// The group that was sent, with other fields in place of its own.
    pub(in crate::suger) fn group(other: Value) -> Group {
        let (report, id) = sent();
        let records = json!({"gb": 5.0, "calls": 0});
        let mut group =
            json!({"id": id, "entitlementID": report.entitlement_id(), "status": "CREATED", "records": records});
        group.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
        serde_json::from_value(group).unwrap()
    }

    /// `delivered`, or the kind of evidence with its words.
    fn told(other: Value) -> (&'static str, String) {
        let (report, id) = sent();
        match evidence(&report, id, &group(other)) {
            Evidence::Delivered => ("delivered", String::new()),
            Evidence::Contradicted(error) => ("contradicted", error.to_string()),
            Evidence::Unclear(error) => ("unclear", error.to_string()),
        }
    }

    #[test]
    fn group_is_evidence_only_by_id_entitlement_quantities_and_a_status_that_is_billed() {
        let origin = |records: Value| json!({"records": {"mapped": 1}, "metaInfo": {"originRecords": records}});
        let cases = [
            (json!({}), "delivered", ""),
            (json!({"status": "REPORTED"}), "delivered", ""),
            (json!({"status": "REPORT_PENDING"}), "delivered", ""),
            (json!({"records": {"gb": 5}}), "delivered", ""),
            (origin(json!({"gb": 5.00})), "delivered", ""),
            (json!({"id": null}), "unclear", "it is usage record group without id"),
            (json!({"id": "g-2"}), "unclear", "it is usage record group g-2"),
            (json!({"entitlementID": "e-2"}), "unclear", "its entitlement is e-2"),
            (json!({"entitlementID": null}), "unclear", "its entitlement is none"),
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
            (json!({"status": "DELETED", "entitlementID": null}), "unclear", "its entitlement is none"),
            (json!({"status": "REPORT_FAILED"}), "unclear", "could not report it to the marketplace"),
            (json!({"status": "REPORT_FAILED", "records": {"gb": 4}}), "unclear", "does not state the quantities"),
            (
                json!({"status": "REJECTED_NEW"}),
                "unclear",
                "has the status REJECTED_NEW: whether it will be billed is not known",
            ),
            (json!({"status": ""}), "unclear", "has the status : whether"),
            (json!({"status": null}), "unclear", "has no status: whether it will be billed is not known"),
        ];
        for (other, kind, words) in cases {
            let (found, said) = told(other.clone());
            assert!(found == kind && said.contains(words), "{other}: {found}: {said}");
            let is_free = said.contains("under another sequence") && !said.contains("billed twice");
            assert!(kind == "contradicted" || !is_free, "{other}: {said}");
        }
    }

    #[test]
    fn error_of_an_invalid_group_names_entitlement_window_and_dimensions() {
        let (_, said) = told(json!({"status": "INVALID"}));
        let expected = "(entitlement e-1, window 2026-10-01T07:00:00Z, dimensions: calls, gb) as INVALID";
        assert!(said.contains(expected), "{said}");
    }

    pub(in crate::suger) fn evidence_is_delivery(group: &Group) -> bool {
        let (report, id) = sent();
        matches!(evidence(&report, id, group), Evidence::Delivered)
    }

    proptest! {
        /// Whatever a group says: it is a delivery only if all of it is right.
        #[test]
        fn group_that_differs_in_anything_is_no_delivery(
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
