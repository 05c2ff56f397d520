//! Hints on errors: what the user can do about a failed call.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use usage_billing_core::{Error, ErrorKind};

use crate::Period;

/// The delay until the next attempt, if the vendor states none. The history is built "between 1 and 6 am" in an undocumented time zone; an
/// hourly attempt is at most an hour late.
const RETRY_DELAY: Duration = Duration::from_secs(3600);

const CREATE_REPORT: &str = "create_report";

pub(crate) const PERHAPS_CREATED: &str =
    "the report may exist nevertheless: look for it among the tenant's reports before creating another one";

/// Adds a hint at the most likely cause; core adds hints for credentials and permissions.
pub(crate) fn hinted(error: Error) -> Error {
    let not_found = error.status().is_some_and(|status| status.as_u16() == 404);
    match error.operation() {
        Some("get_client") if not_found => error
            .with_hint("the data centre may be another one: use the one that the console shows beside the client id"),
        _ if not_found => {
            error.with_hint("it may have been deleted, or belong to a tenant that the API client cannot see")
        }
        _ => error,
    }
}

/// Sets kind and hint of a failed creation. The report may be possible later, or may exist despite the error.
pub(crate) fn creation_error(error: Error, period: Option<Period>, now: DateTime<Utc>) -> Error {
    if error.operation() != Some(CREATE_REPORT) {
        return hinted(error);
    }
    match classify(error.kind(), error.status().map(|status| status.as_u16()), error.message(), period, now) {
        CreationFailure::NotReady => {
            let delay = error.retry_after().unwrap_or(RETRY_DELAY);
            error.with_kind(ErrorKind::NotReady).with_retry_after(Some(delay)).with_hint(
                "the usage history of the period is not ready (Acronis makes it between 1 and 6 am): create the report later",
            )
        }
        CreationFailure::PeriodNotEnded => error.with_hint(
            "the period ends in the future: request one that has ended, or one up to today (its rows are not final)",
        ),
        CreationFailure::NotReadyOrInvalid => error.with_hint(
            "if the request is valid, the usage history may not be ready (Acronis makes it between 1 and 6 am): create the report later",
        ),
        CreationFailure::Unknown => error.with_hint(PERHAPS_CREATED),
        CreationFailure::Other => hinted(error),
    }
}

/// The meaning of a failed creation.
#[derive(Debug, PartialEq, Eq)]
enum CreationFailure {
    /// The history of the period is not ready.
    NotReady,
    /// The period ends after today.
    PeriodNotEnded,
    /// The history is not ready, or the request is invalid: both have the same status.
    NotReadyOrInvalid,
    /// It is unknown whether the report was created.
    Unknown,
    Other,
}

/// Classifies a failure by its kind, its status, and the vendor's message. The vendor's document states 400 at night, when the history is not
/// ready and not due, and 500 when it is due and not ready (CreateReport, seen 2026-10-04). Messages are not documented.
fn classify(
    kind: ErrorKind,
    status: Option<u16>,
    message: &str,
    period: Option<Period>,
    now: DateTime<Utc>,
) -> CreationFailure {
    let message = message.to_lowercase();
    match (kind, status) {
        _ if is_unsettled(kind, status) => CreationFailure::Unknown,
        (_, Some(400)) if message.contains("history") || message.contains("not ready") => CreationFailure::NotReady,
        (_, Some(400)) if period.is_some_and(|period| !period.has_ended(now + TimeDelta::days(1))) => {
            CreationFailure::PeriodNotEnded
        }
        (_, Some(400)) => CreationFailure::NotReadyOrInvalid,
        (_, Some(500)) => CreationFailure::NotReady,
        _ => CreationFailure::Other,
    }
}

/// Returns whether a report may have been created despite the error.
pub(crate) fn may_have_been_created(error: &Error) -> bool {
    let is_creation = error.operation() == Some(CREATE_REPORT);
    is_creation && is_unsettled(error.kind(), error.status().map(|status| status.as_u16()))
}

/// Returns whether the vendor has ended its work on the failed request, so that a report that it does not list will not appear later. After a
/// timeout of the vendor or the client, the work may continue.
pub(crate) fn has_request_ended(error: &Error) -> bool {
    request_has_ended(error.kind(), error.status().map(|status| status.as_u16()), error.is_timeout())
}

fn request_has_ended(kind: ErrorKind, status: Option<u16>, timed_out: bool) -> bool {
    match status {
        // A gateway sends 504 while its server may still be working. A success that could not be decoded has created a report.
        Some(status) => matches!(status, 408 | 502 | 503),
        None => kind == ErrorKind::Connection && !timed_out,
    }
}

fn is_unsettled(kind: ErrorKind, status: Option<u16>) -> bool {
    use ErrorKind::{Connection, Decode, Limit};
    matches!((kind, status), (Connection | Decode | Limit, _) | (_, Some(408 | 502..=504)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn creation_failure_is_classified_by_kind_status_and_message() {
        let night = "2026-11-01T04:00:00Z".parse().unwrap();
        use ErrorKind::{Api, Connection, Decode, Permission, Request};
        for (kind, status, message, expected) in [
            (Api, Some(400), "The usage history is not ready.", CreationFailure::NotReady),
            (Api, Some(400), "NOT READY", CreationFailure::NotReady),
            (Api, Some(400), "parameters.period: reaches into the future.", CreationFailure::NotReadyOrInvalid),
            (Api, Some(500), "Internal error.", CreationFailure::NotReady),
            (Api, Some(503), "The usage history is not ready.", CreationFailure::Unknown),
            (Api, Some(504), "", CreationFailure::Unknown),
            (Connection, None, "connection lost", CreationFailure::Unknown),
            (Decode, Some(200), "missing field `id`", CreationFailure::Unknown),
            (ErrorKind::Limit, None, "the response body is larger", CreationFailure::Unknown),
            (Permission, Some(403), "", CreationFailure::Other),
            (Api, Some(429), "", CreationFailure::Other),
            (Request, None, "not ready", CreationFailure::Other),
        ] {
            let period = "2026-10".parse().ok();
            assert_eq!(classify(kind, status, message, period, night), expected, "{kind:?} {status:?} {message}");
        }
        for (period, expected) in [
            ("2026-11", CreationFailure::PeriodNotEnded),
            ("2026-10-15/2026-11-03", CreationFailure::PeriodNotEnded),
            ("2026-10-15/2026-11-02", CreationFailure::NotReadyOrInvalid),
        ] {
            assert_eq!(classify(Api, Some(400), "", period.parse().ok(), night), expected, "{period}");
        }
    }

    #[test]
    fn request_has_ended_unless_timed_out_or_succeeded() {
        use ErrorKind::{Api, Connection, Decode, Limit};
        for (kind, status, timed_out, expected) in [
            (Api, Some(503), false, true),
            (Api, Some(502), false, true),
            (Api, Some(408), false, true),
            (Api, Some(504), false, false),
            (Connection, None, false, true),
            (Connection, None, true, false),
            (Decode, Some(200), false, false),
            (Limit, None, false, false),
        ] {
            assert_eq!(request_has_ended(kind, status, timed_out), expected, "{kind:?} {status:?} {timed_out}");
        }
    }
}
