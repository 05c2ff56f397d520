//! What the response to a report says.

use usage_billing_core::{Error, ErrorKind, Result};

use super::types::MeteringUsageRecordGroup as Group;

/// What the response to a report says. `from_suger` states whether Suger itself responded, not a gateway before it.
#[derive(Clone, Debug)]
pub(super) enum Response {
    /// 200 with a group.
    Group(Box<Group>),
    /// 200 with a body that is not a group: a page, `null`, JSON that was cut off. The report may be there.
    Unreadable(Error),
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
        let from_suger = is_of_suger(&error);
        let status = error.status().map(|status| status.as_u16());
        match meaning(status, error.kind()) {
            Meaning::Unreadable => Self::Unreadable(error),
            Meaning::Conflict => Self::Conflict { error, from_suger },
            Meaning::Rejection => Self::Rejection { error, from_suger },
            Meaning::Nothing => Self::Nothing { error, from_suger: from_suger && matches!(status, Some(400..=500)) },
            Meaning::Unsendable => Self::Unsendable(error),
        }
    }
}

/// What an error says of the report.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    Unreadable,
    Conflict,
    Rejection,
    Nothing,
    Unsendable,
}

fn meaning(status: Option<u16>, kind: ErrorKind) -> Meaning {
    match status {
        Some(200..300) => Meaning::Unreadable,
        Some(409) => Meaning::Conflict,
        // Of the caller or of the moment.
        Some(408) => Meaning::Nothing,
        Some(status) if REFUSALS.contains(&status) => Meaning::Nothing,
        Some(400..500) => Meaning::Rejection,
        Some(_) => Meaning::Nothing,
        None if kind == ErrorKind::Request => Meaning::Unsendable,
        None => Meaning::Nothing,
    }
}

impl Response {
    /// Returns whether Suger may yet come to work on the request, or on an attempt before it: it decides nothing that the report is not
    /// listed meanwhile. An attempt that was rejected is over.
    pub(super) fn may_arrive_later(&self) -> bool {
        match self {
            Self::Group(_) | Self::Unreadable(_) | Self::Conflict { .. } => true,
            Self::Rejection { error, .. } | Self::Nothing { error, .. } => error.may_have_arrived(),
            Self::Withheld(_) | Self::Unsendable(_) => false,
        }
    }
}

/// Statuses that turn a request away before anybody has looked at the report.
const REFUSALS: [u16; 5] = [401, 403, 407, 425, 429];

/// Returns whether an error response is Suger's: a JSON string, which is the documented format. Suger may send objects as well, but so do gateways,
/// and no header that gateways cannot send tells the two apart. So an object decides nothing, and neither does anything else.
pub(super) fn is_of_suger(error: &Error) -> bool {
    has_format_of_suger(error.body())
}

fn has_format_of_suger(body: &[u8]) -> bool {
    serde_json::from_slice(body).is_ok_and(|text: String| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_format_of_suger_is_a_json_string() {
        for text in [r#""entitlement not found""#, r#" "no such route" "#] {
            assert!(has_format_of_suger(text.as_bytes()), "{text}");
        }
        for body in [
            r#"{"message": "no"}"#,
            r#"{"code": 7}"#,
            r#"{"error": {"message": "no"}}"#,
            "",
            r#""""#,
            r#"" ""#,
            "{}",
            r#"{"path": "/org"}"#,
            "[]",
            "null",
            "7",
            "404 page not found",
            "<html><title>Gone</title></html>",
            r#"{"message": "#,
        ] {
            assert!(!has_format_of_suger(body.as_bytes()), "{body}");
        }
    }

    #[test]
    fn statuses_reject_the_report_or_say_nothing_of_it() {
        for (meant, statuses) in [
            (Meaning::Unreadable, &[200, 201, 204, 299][..]),
            (Meaning::Conflict, &[409]),
            (Meaning::Rejection, &[400, 402, 404, 405, 410, 413, 421, 422, 423, 499]),
            (Meaning::Nothing, &[199, 300, 302, 401, 403, 407, 408, 425, 429, 500, 501, 502, 503, 504, 599]),
        ] {
            for status in statuses {
                assert_eq!(meaning(Some(*status), ErrorKind::Api), meant, "{status}");
            }
        }
        assert_eq!(meaning(None, ErrorKind::Request), Meaning::Unsendable);
        assert_eq!(meaning(Some(503), ErrorKind::Request), Meaning::Nothing);
        assert_eq!(meaning(None, ErrorKind::Connection), Meaning::Nothing);
    }

    #[test]
    fn only_one_clear_rejection_leaves_nothing_to_arrive() {
        let error = || Error::new(ErrorKind::Api, "no");
        assert!(Response::Group(Box::default()).may_arrive_later() && Response::Unreadable(error()).may_arrive_later());
        assert!(Response::Conflict { error: error(), from_suger: true }.may_arrive_later());
        assert!(!Response::Rejection { error: error(), from_suger: true }.may_arrive_later());
        assert!(!Response::Withheld(error()).may_arrive_later() && !Response::Unsendable(error()).may_arrive_later());
    }

    #[test]
    fn errors_without_a_response_say_nothing_or_that_nothing_can_be_sent() {
        let of = |kind| Response::from(Err(Error::new(kind, "no")));
        assert!(matches!(of(ErrorKind::Connection), Response::Nothing { from_suger: false, .. }));
        assert!(matches!(of(ErrorKind::Auth), Response::Nothing { from_suger: false, .. }));
        assert!(matches!(of(ErrorKind::Request), Response::Unsendable(_)));
        assert!(!of(ErrorKind::Auth).may_arrive_later() && !of(ErrorKind::Request).may_arrive_later());
    }
}
