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

use usage_billing_core::{Error, ErrorKind};
use uuid::Uuid;

use super::UsageReport;
use super::evidence::{Evidence, evidence};
use super::response::Response;
use super::types::{MeteringUsageRecordGroup as Group, UsageRecordGroupStatus as Status};

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
    use crate::suger::evidence::tests::{evidence_is_delivery, group, sent};
    use serde_json::{Value, json};

    fn error() -> Error {
        Error::new(ErrorKind::Api, "the response's words")
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
}
