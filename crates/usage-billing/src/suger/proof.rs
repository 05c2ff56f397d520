//! Whether a report is proved to be at Suger: pure functions of what was sent, what the response says, and what Suger lists.
//!
//! | Suger lists | the response | verdict |
//! |---|---|---|
//! | not asked | 200 with the group that was sent, in a status on the way to the marketplace | delivered |
//! | not asked | any other 200, 409, a rejection | the list decides |
//! | the report's id, entitlement and quantities, a status on the way to the marketplace | any of these | delivered before |
//! | the report's id and entitlement, `INVALID`, `DELETED` or other quantities, which it states as those that were reported | any of these | rejected, id used up |
//! | the report's id, another entitlement or status, or quantities that cannot be compared | any of these | open |
//! | no such id | a rejection in Suger's own error format, or nothing was sent for a reason that stands; no earlier attempt may still arrive | rejected, id free |
//! | no such id | anything else | open |
//! | (no list to be had) | any of these | open |
//! | - | no response, 5xx, 401, 403, 408, 429 | open |

use usage_billing_core::{Error, ErrorKind};
use uuid::Uuid;

use super::UsageEvent;
use super::evidence::{Evidence, evidence};
use super::response::Response;
use super::types::MeteringUsageRecordGroup as Group;

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
    /// Suger has the id, but not as the report, or not to bill it.
    IdUsedUp(Error),
    /// Not known: the report may yet arrive or be reported to the marketplace.
    Open(Error),
}

/// Returns what the response alone proves; `None` if only the list can tell.
pub(super) fn by_response(report: &UsageEvent, id: Uuid, response: &Response) -> Option<Verdict> {
    match response {
        Response::Group(group) => match evidence(report, id, group) {
            Evidence::Delivered => Some(Verdict::Delivered),
            Evidence::Contradicted(_) | Evidence::Unclear(_) => None,
        },
        Response::Unreadable(_) | Response::Conflict { .. } | Response::Rejection { .. } | Response::Withheld(_) => {
            None
        }
        Response::Unsendable(error) => Some(Verdict::Rejected(error.clone())),
        Response::Nothing { error, .. } => Some(Verdict::Open(error.clone())),
    }
}

/// Returns what the list proves of a report whose response left it open. `may_arrive` states whether an earlier attempt of it may still be worked
/// on: then it is not rejected, since its id may be taken at any time.
pub(super) fn by_list(
    report: &UsageEvent,
    id: Uuid,
    response: &Response,
    listed: Listed<'_>,
    may_arrive: bool,
) -> Verdict {
    match (listed, response) {
        (Listed::Absent, Response::Rejection { error, from_suger: true } | Response::Withheld(error)) if may_arrive => {
            let message = format!("rejected and not listed, but an earlier attempt may still arrive: {error}");
            let error = Error::new(error.kind(), message).with_source(error.clone());
            Verdict::Open(error.with_hint("flush or report again in some minutes, with the same report"))
        }
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
        (Listed::Absent, Response::Unreadable(error) | Response::Nothing { error, .. }) => Verdict::Open(error.clone()),
        (Listed::Unavailable(unread), Response::Rejection { error, .. } | Response::Withheld(error)) => {
            let message = format!("rejected, but whether it arrived before could not be verified ({unread}): {error}");
            Verdict::Open(Error::new(unread.kind(), message).with_source(error.clone()))
        }
        (Listed::Unavailable(error), _) => Verdict::Open(error.clone()),
    }
}

/// The error of a 200 that proves nothing, and whose report is not listed.
pub(super) fn unproved(report: &UsageEvent, id: Uuid, group: &Group) -> Error {
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
            Response::Unreadable(error()),
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
            for may_arrive in [false, true] {
                let verdict = |listed: Listed<'_>| word(&by_list(&report, id, &response, listed, may_arrive));
                for (other, expected) in [
                    (json!({}), "delivered before"),
                    (json!({"status": "REPORTED"}), "delivered before"),
                    (json!({"metaInfo": {"originRecords": {"gb": 4}}}), "id used up"),
                    (json!({"records": {"gb": 4}}), "open"),
                    (json!({"status": "INVALID"}), "id used up"),
                    (json!({"status": "DELETED"}), "id used up"),
                    (json!({"status": "REPORT_FAILED"}), "open"),
                    (json!({"status": "NEW"}), "open"),
                    (json!({"entitlementID": "e-2"}), "open"),
                    (json!({"entitlementID": "e-2", "status": "INVALID"}), "open"),
                ] {
                    assert_eq!(verdict(Listed::Group(&group(other.clone()))), expected, "{other} {response:?}");
                }
                let of_absent = match &response {
                    Response::Unsendable(_) => "rejected",
                    Response::Rejection { from_suger: true, .. } | Response::Withheld(_) if !may_arrive => "rejected",
                    _ => "open",
                };
                assert_eq!(verdict(Listed::Absent), of_absent, "{response:?} {may_arrive}");
                assert_eq!(verdict(Listed::Unavailable(&unread)), "open", "{response:?}");
            }
        }
    }

    #[test]
    fn open_verdicts_state_what_is_not_known() {
        let (report, id) = sent();
        let said = |response: &Response, listed: Listed<'_>| match by_list(&report, id, response, listed, true) {
            Verdict::Open(error) => error.to_string(),
            other => panic!("{other:?}"),
        };
        let rejection = |from_suger| Response::Rejection { error: error(), from_suger };
        assert!(said(&rejection(false), Listed::Absent).ends_with("it decides nothing: flush again later"));
        let may_arrive = said(&rejection(true), Listed::Absent);
        let expected = "rejected and not listed, but an earlier attempt may still arrive: the response's words -> flush or report again";
        assert!(may_arrive.starts_with(expected), "{may_arrive}");
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
