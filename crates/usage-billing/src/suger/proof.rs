//! Whether a report is proved to be at Suger: pure functions of what was sent, what the response says, and what Suger lists.
//!
//! | Suger lists | the response | verdict |
//! |---|---|---|
//! | not asked | 200 with the group that was sent, in a status that will be billed | delivered |
//! | not asked | 200 with this id as `INVALID` | rejected, id used up |
//! | not asked | any other 200, 409, a rejection | the list decides |
//! | the report's id, same quantities, a status that will be billed | any of these | delivered before |
//! | the report's id, `INVALID`, `DELETED` or other quantities | any of these | rejected, id used up |
//! | the report's id, any other status, or quantities that cannot be compared | any of these | open |
//! | no such id | a rejection in Suger's own error format, or nothing was sent for a reason that stands | rejected, id free |
//! | no such id | anything else | open |
//! | (no list to be had) | any of these | open |
//! | - | no response, 5xx, 401, 403, 408, 429 | open |

use serde_json::Value;
use usage_billing_core::{Decimal, Error, ErrorKind, Result, printable};
use uuid::Uuid;

use super::UsageReport;
use super::comparison::{differences, quantities_of};
use super::groups::name_of;
use super::types::{MeteringUsageRecordGroup as Group, UsageRecordGroupStatus as Status};

/// What the response to a report says. `from_suger` states whether Suger itself responded, not a gateway before it.
#[derive(Clone, Debug)]
pub(super) enum Response {
    /// 200 with a group.
    Group(Box<Group>),
    /// Suger has the id (409).
    Conflict { error: Error, from_suger: bool },
    /// An error status that rejects this report, and would reject it again.
    Rejection { error: Error, from_suger: bool },
    /// Nothing about the report: no response, 5xx, 401, 403, 408, 429.
    Nothing { error: Error, from_suger: bool },
    /// Not sent, for a reason that stands: Suger's own check failed, or the usage is too old.
    Withheld(Error),
    /// The request cannot be built.
    Unsendable(Error),
}

impl From<Result<Group>> for Response {
    fn from(outcome: Result<Group>) -> Self {
        let error = match outcome {
            Ok(group) => return Self::Group(Box::new(group)),
            Err(error) => error,
        };
        let from_suger = is_of_suger(error.body());
        match error.status().map(|status| status.as_u16()) {
            Some(409) => Self::Conflict { error, from_suger },
            // Of the caller or of the moment.
            Some(401 | 403 | 407 | 408 | 425 | 429) => Self::Nothing { error, from_suger },
            Some(400..500) => Self::Rejection { error, from_suger },
            Some(status) => Self::Nothing { error, from_suger: from_suger && status == 500 },
            None if error.kind() == ErrorKind::Request => Self::Unsendable(error),
            None => Self::Nothing { error, from_suger: false },
        }
    }
}

/// Returns whether the body of an error response is in a format of Suger's, a JSON string or an object with a message or a code. Anything else
/// is a page of a proxy on the way.
pub(super) fn is_of_suger(body: &[u8]) -> bool {
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::String(text)) => !text.trim().is_empty(),
        Ok(Value::Object(fields)) => ["message", "error", "code"].iter().any(|name| fields.contains_key(*name)),
        _ => false,
    }
}

/// What Suger lists under the id of a report.
#[derive(Clone, Copy, Debug)]
pub(super) enum Listed<'a> {
    Group(&'a Group),
    /// The list was read to its end without the id.
    Absent,
    Unavailable(&'a Error),
}

/// What is known of a report.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    /// The response proves it.
    Delivered,
    /// The list proves it.
    DeliveredBefore,
    /// Suger does not have the report; its id is free.
    Rejected(Error),
    /// Suger has the id, but will not bill the report under it.
    IdUsedUp(Error),
    /// Not known: the report may arrive, or be billed, yet.
    Open(Error),
}

/// Returns what the response alone proves; `None` if only the list can tell.
pub(super) fn by_response(report: &UsageReport, id: Uuid, response: &Response) -> Option<Verdict> {
    match response {
        Response::Group(group) => match evidence(report, id, group) {
            Evidence::Delivered => Some(Verdict::Delivered),
            Evidence::Contradicted(error) if group.status == Some(Status::Invalid) => Some(Verdict::IdUsedUp(error)),
            Evidence::Contradicted(_) | Evidence::Unclear(_) => None,
        },
        Response::Conflict { .. } | Response::Rejection { .. } | Response::Withheld(_) => None,
        Response::Unsendable(error) => Some(Verdict::Rejected(error.clone())),
        Response::Nothing { error, .. } => Some(Verdict::Open(error.clone())),
    }
}

/// Returns what the list proves of a report whose response left it open.
pub(super) fn by_list(report: &UsageReport, id: Uuid, response: &Response, listed: Listed<'_>) -> Verdict {
    match (listed, response) {
        (Listed::Group(group), _) => match evidence(report, id, group) {
            Evidence::Delivered => Verdict::DeliveredBefore,
            Evidence::Contradicted(error) => Verdict::IdUsedUp(error),
            Evidence::Unclear(error) => Verdict::Open(error),
        },
        (Listed::Absent, Response::Rejection { error, from_suger: true }) => Verdict::Rejected(error.clone()),
        (Listed::Absent, Response::Rejection { error, from_suger: false }) => {
            Verdict::Open(error.clone().with_hint(
                "not in Suger's error format (a proxy on the way?), so it decides nothing: flush again later",
            ))
        }
        (Listed::Absent, Response::Withheld(error) | Response::Unsendable(error)) => Verdict::Rejected(error.clone()),
        (Listed::Absent, Response::Group(group)) => Verdict::Open(unproved(report, id, group)),
        (Listed::Absent, Response::Conflict { .. }) => Verdict::Open(unlisted(id)),
        (Listed::Absent, Response::Nothing { error, .. }) => Verdict::Open(error.clone()),
        (Listed::Unavailable(unread), Response::Rejection { error, .. } | Response::Withheld(error)) => {
            let message = format!("rejected, but whether it arrived before could not be verified ({unread}): {error}");
            Verdict::Open(Error::new(unread.kind(), message).with_source(error.clone()))
        }
        (Listed::Unavailable(error), _) => Verdict::Open(error.clone()),
    }
}

/// What a group proves of a report.
#[derive(Clone, Debug)]
pub(super) enum Evidence {
    /// It is the report, and will be billed.
    Delivered,
    /// It has the report's id, but will not be billed as the report says.
    Contradicted(Error),
    Unclear(Error),
}

/// Returns what a group proves: it has to be the one that was sent, by id, entitlement and quantities, in a status that will be billed.
pub(super) fn evidence(report: &UsageReport, id: Uuid, group: &Group) -> Evidence {
    let expected = id.to_string();
    if group.id.as_deref() != Some(expected.as_str()) {
        return Evidence::Unclear(not_the_group(&format!("it is {}", name_of(group)), &expected));
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
    if group.entitlement_id.as_deref() != Some(report.entitlement_id()) {
        let entitlement = printable(group.entitlement_id.as_deref().unwrap_or("none")).to_string();
        return Evidence::Unclear(not_the_group(&format!("its entitlement is {entitlement}"), &expected));
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
            return Evidence::Unclear(not_the_group("it does not state the quantities that were reported", &expected));
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

/// Compares the quantities of a report and of the group with its id. A group that states only other dimensions than the report has was
/// mapped; what it was made of is then not known.
fn compared(report: &UsageReport, group: &Group) -> Result<Compared> {
    let there = quantities_of(group)?;
    let is_original = group.meta_info.as_ref().is_some_and(|info| !info.origin_records.is_empty());
    let is_comparable = !there.is_empty() && there.keys().all(|dimension| report.quantities().contains_key(dimension));
    if !is_original && !is_comparable {
        return Ok(Compared::Unknown);
    }
    Ok(match differences(report.quantities(), &there).next() {
        None => Compared::Same,
        Some((dimension, sent, there)) => Compared::Different { dimension: dimension.to_owned(), sent, there },
    })
}

const ANOTHER: &str = "if the usage is to be billed, report it again under another sequence";
/// The first attempt stands: a correction is a report of its own.
pub(super) const MISSING: &str = "report what is missing under another sequence";

/// A group with what identifies its usage.
fn place(report: &UsageReport, group: &Group) -> String {
    format!("{} ({})", name_of(group), report.place())
}

fn invalid(report: &UsageReport, group: &Group) -> Error {
    let message =
        format!("Suger stored {} as INVALID: it will not be billed, and its id is used up", place(report, group));
    Error::new(ErrorKind::Failed, message).with_hint(format!(
        "check that the entitlement is active and has these dimensions, and delete the group; {ANOTHER}"
    ))
}

fn not_the_group(what: &str, id: &str) -> Error {
    Error::new(ErrorKind::Decode, format!("Suger returned a group that is not the one that was sent ({id}): {what}"))
}

/// The error of a 200 that proves nothing, and whose report is not listed.
pub(super) fn unproved(report: &UsageReport, id: Uuid, group: &Group) -> Error {
    let (Evidence::Contradicted(error) | Evidence::Unclear(error)) = evidence(report, id, group) else {
        return unlisted(id);
    };
    let hint = "Suger lists no such group yet: flush again later";
    Error::new(ErrorKind::Decode, format!("the response proves no delivery: {}", error.message())).with_hint(hint)
}

pub(super) fn unlisted(id: Uuid) -> Error {
    let message = format!("usage record group {id} is not among those that Suger lists for the entitlement");
    Error::new(ErrorKind::Failed, message).with_hint("look for it in the console before the usage is reported again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn sent() -> (UsageReport, Uuid) {
        let report =
            UsageReport::new("e-1", "2026-10-01T07:00:00Z".parse().unwrap()).quantity("gb", 5).quantity("calls", 0);
        let id = report.id("acme");
        (report, id)
    }

    /// The group that was sent, with other fields in place of its own.
    fn group(other: Value) -> Group {
        let (report, id) = sent();
        let records = json!({"gb": 5.0, "calls": 0});
        let mut group =
            json!({"id": id, "entitlementID": report.entitlement_id(), "status": "CREATED", "records": records});
        group.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
        serde_json::from_value(group).unwrap()
    }

    fn error() -> Error {
        Error::new(ErrorKind::Api, "the response's words")
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
            (json!({"records": null}), "unclear", "it does not state the quantities"),
            (json!({"records": {"mapped": 5}}), "unclear", "it does not state the quantities"),
            (json!({"records": {"gb": 5, "mapped": 1}}), "unclear", "it does not state the quantities"),
            (json!({"records": {"gb": 4}}), "contradicted", "with other quantities: gb is 4 there, not 5"),
            (
                json!({"records": {"gb": 5, "calls": 1}}),
                "contradicted",
                "with other quantities: calls is 1 there, not 0",
            ),
            (origin(json!({"gb": 5, "seats": 1})), "contradicted", "with other quantities: seats is 1 there, not 0"),
            (origin(json!({"calls": 0})), "contradicted", "with other quantities: gb is 0 there, not 5"),
            (json!({"status": "DELETED"}), "contradicted", "was deleted at Suger"),
            (json!({"status": "INVALID"}), "contradicted", "as INVALID: it will not be billed"),
            (json!({"status": "INVALID", "records": {"gb": 4}}), "contradicted", "as INVALID: it will not be billed"),
            (json!({"status": "REPORT_FAILED"}), "unclear", "could not report it to the marketplace"),
            (json!({"status": "REPORT_FAILED", "records": {"gb": 4}}), "contradicted", "with other quantities"),
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
        }
    }

    #[test]
    fn error_of_an_invalid_group_names_entitlement_window_and_dimensions() {
        let (_, said) = told(json!({"status": "INVALID"}));
        let expected = "(entitlement e-1, window 2026-10-01T07:00:00Z, dimensions: calls, gb) as INVALID";
        assert!(said.contains(expected), "{said}");
    }

    #[test]
    fn error_format_of_suger_is_a_json_string_or_an_object_with_a_message() {
        for body in
            [r#""entitlement not found""#, r#"{"message": "no"}"#, r#"{"code": 7}"#, r#"{"error": {"message": "no"}}"#]
        {
            assert!(is_of_suger(body.as_bytes()), "{body}");
        }
        for body in [
            "",
            r#""""#,
            r#"" ""#,
            "{}",
            "[]",
            "null",
            "7",
            "404 page not found",
            "<html><title>Gone</title></html>",
            r#"{"message": "#,
        ] {
            assert!(!is_of_suger(body.as_bytes()), "{body}");
        }
    }

    fn word(verdict: &Verdict) -> &'static str {
        match verdict {
            Verdict::Delivered => "delivered",
            Verdict::DeliveredBefore => "delivered before",
            Verdict::Rejected(_) => "rejected",
            Verdict::IdUsedUp(_) => "id used up",
            Verdict::Open(_) => "open",
        }
    }

    fn responses() -> Vec<Response> {
        let of = |other: Value| Response::Group(Box::new(group(other)));
        let mut all = vec![
            of(json!({})),
            of(json!({"id": "g-2"})),
            of(json!({"records": {"gb": 4}})),
            of(json!({"status": "DELETED"})),
            of(json!({"status": "INVALID"})),
            of(json!({"status": "REPORT_FAILED"})),
            Response::Group(Box::default()),
            Response::Withheld(error()),
            Response::Unsendable(error()),
        ];
        for from_suger in [true, false] {
            all.push(Response::Conflict { error: error(), from_suger });
            all.push(Response::Rejection { error: error(), from_suger });
            all.push(Response::Nothing { error: error(), from_suger });
        }
        all
    }

    #[test]
    fn response_alone_settles_what_it_proves_and_nothing_else() {
        let (report, id) = sent();
        for response in responses() {
            let expected = match &response {
                Response::Group(group) if evidence_is_delivery(group) => Some("delivered"),
                Response::Group(group) if group.status == Some(Status::Invalid) => Some("id used up"),
                Response::Unsendable(_) => Some("rejected"),
                Response::Nothing { .. } => Some("open"),
                _ => None,
            };
            assert_eq!(by_response(&report, id, &response).as_ref().map(word), expected, "{response:?}");
        }
    }

    fn evidence_is_delivery(group: &Group) -> bool {
        let (report, id) = sent();
        matches!(evidence(&report, id, group), Evidence::Delivered)
    }

    #[test]
    fn list_decides_whatever_the_response_says() {
        let (report, id) = sent();
        let unread = Error::new(ErrorKind::Connection, "the list was cut off");
        for response in responses() {
            let verdict = |listed: Listed<'_>| word(&by_list(&report, id, &response, listed));
            for (other, expected) in [
                (json!({}), "delivered before"),
                (json!({"status": "REPORTED"}), "delivered before"),
                (json!({"records": {"gb": 4}}), "id used up"),
                (json!({"status": "INVALID"}), "id used up"),
                (json!({"status": "DELETED"}), "id used up"),
                (json!({"status": "REPORT_FAILED"}), "open"),
                (json!({"status": "NEW"}), "open"),
                (json!({"entitlementID": "e-2"}), "open"),
            ] {
                assert_eq!(verdict(Listed::Group(&group(other.clone()))), expected, "{other} {response:?}");
            }
            let of_absent = match &response {
                Response::Rejection { from_suger: true, .. } | Response::Withheld(_) | Response::Unsendable(_) => {
                    "rejected"
                }
                _ => "open",
            };
            assert_eq!(verdict(Listed::Absent), of_absent, "{response:?}");
            assert_eq!(verdict(Listed::Unavailable(&unread)), "open", "{response:?}");
        }
    }

    #[test]
    fn open_verdicts_state_what_is_not_known() {
        let (report, id) = sent();
        let said = |response: &Response, listed: Listed<'_>| match by_list(&report, id, response, listed) {
            Verdict::Open(error) => error.to_string(),
            other => panic!("{other:?}"),
        };
        let rejection = |from_suger| Response::Rejection { error: error(), from_suger };
        assert!(said(&rejection(false), Listed::Absent).ends_with("it decides nothing: flush again later"));
        let unread = Error::new(ErrorKind::Connection, "cut off");
        let told = said(&rejection(true), Listed::Unavailable(&unread));
        assert_eq!(
            told,
            "rejected, but whether it arrived before could not be verified (cut off): the response's words"
        );
        let conflict = Response::Conflict { error: error(), from_suger: true };
        assert!(said(&conflict, Listed::Absent).contains("is not among those that Suger lists"));
        assert_eq!(said(&conflict, Listed::Unavailable(&unread)), "cut off");
        let other = Response::Group(Box::new(group(json!({"status": "DELETED"}))));
        assert!(said(&other, Listed::Absent).starts_with("the response proves no delivery: usage record group "));
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
