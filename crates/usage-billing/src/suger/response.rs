//! What the response to a report says.

use serde_json::Value;
use usage_billing_core::{Error, ErrorKind, Result};

use super::types::MeteringUsageRecordGroup as Group;

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
