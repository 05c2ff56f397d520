//! Classification of the response to an event.

use serde::Deserialize;
use usage_billing_core::{Error, ErrorKind, Result};

use super::types::MeteringUsageRecordGroup as Group;

/// The response to an event. `from_suger` states whether Suger itself responded, not a gateway before it.
#[derive(Clone, Debug)]
pub(super) enum Response {
    /// 200 with a group.
    Group(Box<Group>),
    /// 200 with a body that is not a group: a page, `null`, truncated JSON. Suger may have the event.
    Unreadable(Error),
    /// Suger has the id (409).
    Conflict { error: Error, from_suger: bool },
    /// An error status that rejects this event permanently.
    Rejection { error: Error, from_suger: bool },
    /// Without a statement about the event: no response, 5xx, 401, 403, 408, 429, a code of another cause.
    Inconclusive { error: Error, from_suger: bool },
    /// Not sent, for a permanent reason: Suger's validation failed, or the usage is too old.
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
        match meaning(status, error.kind(), error.body()) {
            ErrorMeaning::Unreadable => Self::Unreadable(error),
            ErrorMeaning::Conflict => Self::Conflict { error, from_suger },
            ErrorMeaning::Rejection => Self::Rejection { error, from_suger },
            ErrorMeaning::Inconclusive => {
                Self::Inconclusive { error, from_suger: from_suger && matches!(status, Some(400..=500)) }
            }
            ErrorMeaning::Unsendable => Self::Unsendable(error),
        }
    }
}

/// The statement of an error about the event.
#[derive(Debug, PartialEq, Eq)]
enum ErrorMeaning {
    Unreadable,
    Conflict,
    Rejection,
    Inconclusive,
    Unsendable,
}

fn meaning(status: Option<u16>, kind: ErrorKind, body: &[u8]) -> ErrorMeaning {
    match status {
        Some(200..300) => ErrorMeaning::Unreadable,
        Some(409) => ErrorMeaning::Conflict,
        // The caller is the cause, or the cause is temporary: nothing is stated about the event.
        Some(401 | 403 | 407 | 408 | 425 | 429) => ErrorMeaning::Inconclusive,
        Some(400..500) if has_other_cause(body) => ErrorMeaning::Inconclusive,
        Some(400..500) => ErrorMeaning::Rejection,
        Some(_) => ErrorMeaning::Inconclusive,
        None if kind == ErrorKind::Request => ErrorMeaning::Unsendable,
        None => ErrorMeaning::Inconclusive,
    }
}

impl Response {
    /// Returns whether a request was sent that has this response.
    pub(super) fn was_sent(&self) -> bool {
        match self {
            Self::Inconclusive { error, .. } => error.status().is_some() || error.may_have_arrived(),
            Self::Withheld(_) | Self::Unsendable(_) => false,
            Self::Group(_) | Self::Unreadable(_) | Self::Conflict { .. } | Self::Rejection { .. } => true,
        }
    }

    /// Returns whether Suger may still process the request or an earlier attempt of it. Until then, the absence of the
    /// event from the list proves nothing. An attempt that Suger itself rejects has ended.
    pub(super) fn may_arrive_later(&self) -> bool {
        match self {
            Self::Group(_) | Self::Unreadable(_) | Self::Conflict { .. } => true,
            // A proxy may respond in place of Suger after it has forwarded the request. It has not forwarded one without
            // a credential or over its rate limit: such a response, which is retried at once, ends an attempt in any
            // format, and so does the same status without an attempt, for a call that was not sent.
            Self::Rejection { error, from_suger } | Self::Inconclusive { error, from_suger } => {
                let is_forwarded = error.status().is_some_and(|status| !matches!(status.as_u16(), 401 | 429));
                error.may_have_arrived() || !from_suger && is_forwarded
            }
            Self::Withheld(_) | Self::Unsendable(_) => false,
        }
    }
}

/// Returns whether an error response has a documented format of Suger: a JSON string, or an `ErrorResponse`, which newer
/// operations declare, with one of its codes. Other objects may be of gateways as well, and no header distinguishes them.
/// Like any other body, they decide nothing.
pub(super) fn is_of_suger(error: &Error) -> bool {
    has_format_of_suger(error.body())
}

fn has_format_of_suger(body: &[u8]) -> bool {
    match serde_json::from_slice(body) {
        Ok(Body::Text(text)) => !text.trim().is_empty(),
        Ok(Body::ErrorResponse { code, message, .. }) => {
            let is_known = REJECTIONS.contains(&&*code) || OTHER_CAUSES.contains(&&*code);
            is_known && !message.trim().is_empty()
        }
        Err(_) => false,
    }
}

/// Returns whether the code of an `ErrorResponse` states another cause than the event: the marketplace, Suger or the API
/// key.
fn has_other_cause(body: &[u8]) -> bool {
    matches!(serde_json::from_slice(body), Ok(Body::ErrorResponse { code, .. }) if OTHER_CAUSES.contains(&&*code))
}

/// The codes of an `ErrorResponse` about the event.
const REJECTIONS: [&str; 2] = ["BadRequest", "NotFound"];
/// The codes of an `ErrorResponse` that state nothing about the event.
const OTHER_CAUSES: [&str; 3] = ["InternalServerError", "3rdPartyError", "Unauthorized"];

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Body {
    Text(String),
    ErrorResponse {
        code: String,
        message: String,
        #[serde(rename = "info")]
        _info: Option<serde_json::Value>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_format_of_suger_is_a_json_string_or_an_error_response() {
        for text in [
            r#""entitlement not found""#,
            r#" "no such route" "#,
            r#"{"code": "NotFound", "info": "", "message": "entitlement not found"}"#,
            r#"{"code": "BadRequest", "info": null, "message": "no"}"#,
            r#"{"code": "3rdPartyError", "message": "no"}"#,
        ] {
            assert!(has_format_of_suger(text.as_bytes()), "{text}");
        }
        for body in [
            r#"{"message": "no"}"#,
            r#"{"code": 7}"#,
            r#"{"code": "NotFound"}"#,
            r#"{"code": "NotFound", "message": ""}"#,
            r#"{"code": "NotFound", "message": "no", "requestId": "7"}"#,
            r#"{"code": "ResourceNotFound", "message": "no"}"#,
            r#"{"code": 404, "message": "no"}"#,
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
    fn status_rejects_the_event_or_is_inconclusive() {
        for (meant, statuses) in [
            (ErrorMeaning::Unreadable, &[200, 201, 204, 299][..]),
            (ErrorMeaning::Conflict, &[409]),
            (ErrorMeaning::Rejection, &[400, 402, 404, 405, 410, 413, 421, 422, 423, 499]),
            (ErrorMeaning::Inconclusive, &[199, 300, 302, 401, 403, 407, 408, 425, 429, 500, 501, 502, 503, 504, 599]),
        ] {
            for status in statuses {
                assert_eq!(meaning(Some(*status), ErrorKind::Api, b""), meant, "{status}");
            }
        }
        assert_eq!(meaning(None, ErrorKind::Request, b""), ErrorMeaning::Unsendable);
        assert_eq!(meaning(Some(503), ErrorKind::Request, b""), ErrorMeaning::Inconclusive);
        assert_eq!(meaning(None, ErrorKind::Connection, b""), ErrorMeaning::Inconclusive);
    }

    #[test]
    fn code_of_another_cause_does_not_reject_the_event() {
        for (code, meant) in [
            ("BadRequest", ErrorMeaning::Rejection),
            ("NotFound", ErrorMeaning::Rejection),
            ("3rdPartyError", ErrorMeaning::Inconclusive),
            ("InternalServerError", ErrorMeaning::Inconclusive),
            ("Unauthorized", ErrorMeaning::Inconclusive),
        ] {
            let body = format!(r#"{{"code": "{code}", "info": null, "message": "AWS is throttling"}}"#);
            for status in [400, 402, 404, 413, 422] {
                assert_eq!(meaning(Some(status), ErrorKind::Api, body.as_bytes()), meant, "{status} {code}");
            }
            assert_eq!(meaning(Some(409), ErrorKind::Api, body.as_bytes()), ErrorMeaning::Conflict);
        }
        // A text is a reason.
        assert_eq!(meaning(Some(400), ErrorKind::Api, br#""Unauthorized dimension""#), ErrorMeaning::Rejection);
    }

    #[test]
    fn clear_rejection_cannot_arrive_later() {
        let error = || Error::new(ErrorKind::Api, "no");
        assert!(Response::Group(Box::default()).may_arrive_later() && Response::Unreadable(error()).may_arrive_later());
        assert!(Response::Conflict { error: error(), from_suger: true }.may_arrive_later());
        assert!(!Response::Rejection { error: error(), from_suger: true }.may_arrive_later());
        assert!(!Response::Withheld(error()).may_arrive_later() && !Response::Unsendable(error()).may_arrive_later());
    }

    #[test]
    fn only_a_response_proves_that_a_request_was_sent() {
        let error = || Error::new(ErrorKind::Api, "no");
        for from_suger in [true, false] {
            assert!(Response::Conflict { error: error(), from_suger }.was_sent());
            assert!(Response::Rejection { error: error(), from_suger }.was_sent());
            assert!(!Response::Inconclusive { error: error(), from_suger }.was_sent());
        }
        assert!(Response::Group(Box::default()).was_sent() && Response::Unreadable(error()).was_sent());
        assert!(!Response::Withheld(error()).was_sent() && !Response::Unsendable(error()).was_sent());
    }

    #[test]
    fn error_without_a_response_is_inconclusive_or_unsendable() {
        let response = |kind| Response::from(Err(Error::new(kind, "no")));
        assert!(matches!(response(ErrorKind::Connection), Response::Inconclusive { from_suger: false, .. }));
        assert!(matches!(response(ErrorKind::Auth), Response::Inconclusive { from_suger: false, .. }));
        assert!(matches!(response(ErrorKind::Request), Response::Unsendable(_)));
        assert!(!response(ErrorKind::Auth).may_arrive_later() && !response(ErrorKind::Request).may_arrive_later());
    }
}
