//! Proof that an event is at Suger: pure functions of the event, the response and the list of groups.
//!
//! | list | response | verdict |
//! |---|---|---|
//! | not read | 200 with the group that was sent, in a status on the way to the marketplace | delivered |
//! | not read | any other 200, 409, a rejection | the list decides |
//! | the event's id, entitlement and quantities, no other organization, a status on the way to the marketplace | any of these | delivered before |
//! | the event's id and entitlement, no other organization, `INVALID`, `DELETED` or other original quantities (stated, or not mapped) | any of these | rejected, id used up |
//! | the event's id, another organization, entitlement or status, or quantities that cannot be compared | any of these | open |
//! | no such id | a rejection in Suger's error format, or the event was withheld or could not be built; no earlier attempt may still arrive | rejected, id free |
//! | no such id | anything else | open |
//! | (not available) | any of these | open |
//! | - | no response, 5xx, 401, 403, 408, 429, a code of another cause in Suger's error format | open |

use usage_billing_core::{Error, ErrorKind};
use uuid::Uuid;

use super::evidence::{Evidence, evidence};
use crate::suger::UsageEvent;
use crate::suger::response::Response;
use crate::suger::types::MeteringUsageRecordGroup as Group;

/// The entry of the list for the id of an event.
#[derive(Clone, Copy, Debug)]
pub(super) enum ListEntry<'a> {
    Group(&'a Group),
    /// The complete list does not contain the id.
    Absent,
    Unavailable(&'a Error),
}

impl<'a> ListEntry<'a> {
    pub(super) fn group(self) -> Option<&'a Group> {
        match self {
            Self::Group(group) => Some(group),
            Self::Absent | Self::Unavailable(_) => None,
        }
    }
}

/// The outcome of an event, as far as it is proved.
///
/// The error of an open event never has a kind that a caller reads as a decision (see [`undecided`]).
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    /// Proved by the response.
    Delivered,
    /// Proved by the list.
    DeliveredBefore,
    /// Suger does not have the event; its id is free.
    Rejected(Error),
    /// Suger has the id, but for other usage, or will not bill it.
    IdConsumed(Error),
    /// Unknown: the event may still arrive or be reported to the marketplace.
    Open(Error),
}

/// Returns the verdict that the response alone proves, or `None` if the list has to decide.
pub(super) fn by_response(event: &UsageEvent, id: Uuid, response: &Response) -> Option<Verdict> {
    match response {
        Response::Group(group) => match evidence(event, id, group) {
            Evidence::Delivered => Some(Verdict::Delivered),
            Evidence::Contradicted(_) | Evidence::Unclear(_) => None,
        },
        Response::Unreadable(_) | Response::Conflict { .. } | Response::Rejection { .. } | Response::Withheld(_) => {
            None
        }
        Response::Unsendable(error) => Some(Verdict::Rejected(error.clone())),
        Response::Inconclusive { error, .. } => Some(open(error.clone())),
    }
}

fn open(error: Error) -> Verdict {
    Verdict::Open(undecided(error))
}

/// Returns the error of an unknown outcome. Its kind is [`ErrorKind::NotReady`], unless another attempt has to wait for
/// the connection or the operator. `Api` and `Failed` would state that the usage is not billed, and a caller would send
/// it again under another id.
pub(super) fn undecided(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Auth | ErrorKind::Permission | ErrorKind::Config | ErrorKind::Limit => error,
        ErrorKind::Connection | ErrorKind::WaitTimeout => error,
        _ => error.with_kind(ErrorKind::NotReady),
    }
}

/// Returns the verdict that the list proves, for an event that the response left open. `may_arrive` states whether an
/// earlier attempt may still be processed: the event is then not rejected, since its id may be consumed at any time.
pub(super) fn by_list(
    event: &UsageEvent,
    id: Uuid,
    response: &Response,
    listed: ListEntry<'_>,
    may_arrive: bool,
) -> Verdict {
    match (listed, response) {
        (ListEntry::Absent, Response::Rejection { error, from_suger: true } | Response::Withheld(error))
            if may_arrive =>
        {
            let message = format!("rejected and not listed, but an earlier attempt may still arrive: {error}");
            let error = Error::new(error.kind(), message).with_source(error.clone());
            open(error.with_hint("flush or send again in some minutes, with the same event"))
        }
        (ListEntry::Group(group), _) => match evidence(event, id, group) {
            Evidence::Delivered => Verdict::DeliveredBefore,
            Evidence::Contradicted(error) => Verdict::IdConsumed(error),
            Evidence::Unclear(error) => open(error),
        },
        (ListEntry::Absent, Response::Rejection { error, from_suger: true }) => Verdict::Rejected(error.clone()),
        (ListEntry::Absent, Response::Rejection { error, from_suger: false }) => open(
            error
                .clone()
                .with_hint("not in Suger's error format (a proxy?), so the outcome is unknown: flush again later"),
        ),
        (ListEntry::Absent, Response::Withheld(error) | Response::Unsendable(error)) => {
            Verdict::Rejected(error.clone())
        }
        (ListEntry::Absent, Response::Group(group)) => open(unproved(event, id, group)),
        (ListEntry::Absent, Response::Conflict { .. }) => open(unlisted(id)),
        (ListEntry::Absent, Response::Unreadable(error) | Response::Inconclusive { error, .. }) => open(error.clone()),
        (ListEntry::Unavailable(unread), _) => open(unverified(response, unread)),
    }
}

/// Returns the error of a response that the list had to verify, and could not. The list's own error may be a 404, which
/// decides nothing about the event.
fn unverified(response: &Response, unread: &Error) -> Error {
    let (what, error) = match response {
        Response::Rejection { error, .. } | Response::Withheld(error) | Response::Unsendable(error) => {
            ("rejected, but whether it arrived before", Some(error))
        }
        Response::Conflict { error, .. } => ("Suger has the id, but whether it has this usage", Some(error)),
        Response::Unreadable(error) | Response::Inconclusive { error, .. } => {
            ("the response proves no delivery, and whether it arrived", Some(error))
        }
        Response::Group(_) => ("the response proves no delivery, and whether it arrived", None),
    };
    let of_response = error.map_or_else(String::new, |error| format!(": {error}"));
    Error::new(unread.kind(), format!("{what} could not be verified ({unread}){of_response}"))
        .with_retry_after(unread.retry_after())
        .with_source(unread.clone())
}

/// Returns the error of a 200 that proves nothing, for an event that is not listed.
pub(super) fn unproved(event: &UsageEvent, id: Uuid, group: &Group) -> Error {
    let (Evidence::Contradicted(error) | Evidence::Unclear(error)) = evidence(event, id, group) else {
        return unlisted(id);
    };
    let hint = "Suger does not list the group yet: flush again later";
    Error::new(ErrorKind::Decode, format!("the response proves no delivery: {}", error.message())).with_hint(hint)
}

pub(super) fn unlisted(id: Uuid) -> Error {
    let message = format!("usage record group {id} is not among those that Suger lists for the entitlement");
    Error::new(ErrorKind::NotReady, message).with_hint("look it up in the console before the usage is sent again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suger::metering::evidence::tests::{evidence_is_delivery, group, sent};
    use serde_json::{Value, json};

    fn error() -> Error {
        Error::new(ErrorKind::Api, "the response's message")
    }

    fn verdict_name(verdict: &Verdict) -> &'static str {
        match verdict {
            Verdict::Delivered => "delivered",
            Verdict::DeliveredBefore => "delivered before",
            Verdict::Rejected(_) => "rejected",
            Verdict::IdConsumed(_) => "id used up",
            Verdict::Open(_) => "open",
        }
    }

    fn responses() -> Vec<Response> {
        let response = |other: Value| Response::Group(Box::new(group(other)));
        let mut all = vec![
            response(json!({})),
            response(json!({"id": "g-2"})),
            response(json!({"records": {"gb": 4}})),
            response(json!({"status": "DELETED"})),
            response(json!({"status": "INVALID"})),
            response(json!({"status": "REPORT_FAILED"})),
            Response::Group(Box::default()),
            Response::Unreadable(error()),
            Response::Withheld(error()),
            Response::Unsendable(error()),
        ];
        for from_suger in [true, false] {
            all.push(Response::Conflict { error: error(), from_suger });
            all.push(Response::Rejection { error: error(), from_suger });
            all.push(Response::Inconclusive { error: error(), from_suger });
        }
        all
    }

    #[test]
    fn response_alone_resolves_only_proved_outcomes() {
        let (event, id) = sent();
        for response in responses() {
            let expected = match &response {
                Response::Group(group) if evidence_is_delivery(group) => Some("delivered"),
                Response::Unsendable(_) => Some("rejected"),
                Response::Inconclusive { .. } => Some("open"),
                _ => None,
            };
            assert_eq!(by_response(&event, id, &response).as_ref().map(verdict_name), expected, "{response:?}");
        }
    }

    #[test]
    fn list_decides_regardless_of_the_response() {
        let (event, id) = sent();
        let unread = Error::new(ErrorKind::Connection, "the list was truncated");
        for response in responses() {
            for may_arrive in [false, true] {
                let verdict = |listed: ListEntry<'_>| verdict_name(&by_list(&event, id, &response, listed, may_arrive));
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
                    assert_eq!(verdict(ListEntry::Group(&group(other.clone()))), expected, "{other} {response:?}");
                }
                let of_absent = match &response {
                    Response::Unsendable(_) => "rejected",
                    Response::Rejection { from_suger: true, .. } | Response::Withheld(_) if !may_arrive => "rejected",
                    _ => "open",
                };
                assert_eq!(verdict(ListEntry::Absent), of_absent, "{response:?} {may_arrive}");
                assert_eq!(verdict(ListEntry::Unavailable(&unread)), "open", "{response:?}");
            }
        }
    }

    #[test]
    fn open_verdict_has_no_kind_that_decides() {
        let (event, id) = sent();
        let unread = Error::new(ErrorKind::Api, "entitlement not found");
        let groups = [json!({"status": "REPORT_FAILED"}), json!({"status": "NEW"}), json!({"entitlementID": "e-2"})];
        let groups = groups.map(group);
        let listed = groups.iter().map(ListEntry::Group).chain([ListEntry::Absent, ListEntry::Unavailable(&unread)]);
        for listed in listed {
            for response in responses() {
                let of_response = by_response(&event, id, &response);
                for verdict in of_response.into_iter().chain([by_list(&event, id, &response, listed, true)]) {
                    if let Verdict::Open(error) = verdict {
                        assert_eq!(error.kind(), ErrorKind::NotReady, "{listed:?} {response:?}: {error}");
                    }
                }
            }
        }
    }

    #[test]
    fn open_verdict_keeps_kinds_of_operator_and_connection() {
        let (event, id) = sent();
        for kind in [ErrorKind::Auth, ErrorKind::Permission, ErrorKind::Config, ErrorKind::Limit, ErrorKind::Connection]
        {
            let response = Response::Inconclusive { error: Error::new(kind, "no"), from_suger: false };
            let Some(Verdict::Open(error)) = by_response(&event, id, &response) else { panic!("{kind:?}") };
            assert_eq!(error.kind(), kind);
        }
    }

    #[test]
    fn open_verdict_states_the_unknown_part() {
        let (event, id) = sent();
        let open_message =
            |response: &Response, listed: ListEntry<'_>| match by_list(&event, id, response, listed, true) {
                Verdict::Open(error) => error.to_string(),
                other => panic!("{other:?}"),
            };
        let rejection = |from_suger| Response::Rejection { error: error(), from_suger };
        assert!(
            open_message(&rejection(false), ListEntry::Absent)
                .ends_with("so the outcome is unknown: flush again later")
        );
        let may_arrive = open_message(&rejection(true), ListEntry::Absent);
        let expected = "rejected and not listed, but an earlier attempt may still arrive: the response's message -> flush or send again";
        assert!(may_arrive.starts_with(expected), "{may_arrive}");
        let unread = Error::new(ErrorKind::Connection, "truncated");
        let message = open_message(&rejection(true), ListEntry::Unavailable(&unread));
        assert_eq!(
            message,
            "rejected, but whether it arrived before could not be verified (truncated): the response's message"
        );
        let conflict = Response::Conflict { error: error(), from_suger: true };
        assert!(open_message(&conflict, ListEntry::Absent).contains("is not among those that Suger lists"));
        assert_eq!(
            open_message(&conflict, ListEntry::Unavailable(&unread)),
            "Suger has the id, but whether it has this usage could not be verified (truncated): the response's message"
        );
        let other = Response::Group(Box::new(group(json!({"status": "DELETED"}))));
        assert!(
            open_message(&other, ListEntry::Absent).starts_with("the response proves no delivery: usage record group ")
        );
    }
}
