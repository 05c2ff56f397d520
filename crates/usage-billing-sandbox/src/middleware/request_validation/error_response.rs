//! The vendor's error response for a violation of its document.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use openapi_document::pointer;

use super::violation::{Violation, ViolationKind};
use crate::vendors::document::Location;
use crate::vendors::{Vendor, acronis, genesys, suger};

/// Returns the vendor's 400.
pub(super) fn error_response(vendor: Vendor, violation: &Violation) -> Response {
    let (name, message) = (field_name(violation), &violation.message);
    match vendor {
        Vendor::Genesys => {
            let code = genesys_code(violation);
            genesys::Failure::new(StatusCode::BAD_REQUEST, code, format!("{name} {message}.")).into_response()
        }
        Vendor::Suger => suger::Failure::bad_request(format!("invalid {name}: {message}")).into_response(),
        Vendor::Acronis => acronis::Failure::bad_request(match violation.kind {
            ViolationKind::Unknown => format!("There is no such field: {}", violation.pointer),
            _ => format!("{name}: {message}."),
        })
        .into_response(),
    }
}

/// Returns the platform's `x-inin-error-codes`.
fn genesys_code(violation: &Violation) -> &'static str {
    match violation.kind {
        ViolationKind::Format => "invalid.date",
        ViolationKind::Unlisted | ViolationKind::Range => "invalid.value",
        ViolationKind::Type if violation.location != Location::Body => "invalid.value",
        ViolationKind::Type | ViolationKind::Missing | ViolationKind::Unknown => "bad.request",
    }
}

/// Returns the name of a field or parameter in a message: `parameters.period.start`.
fn field_name(violation: &Violation) -> String {
    let name = pointer::keys(&violation.pointer).collect::<Vec<_>>().join(".");
    if name.is_empty() { "request body".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use usage_billing_genesys::types::ErrorBody;

    fn violation(location: Location, pointer: &str, kind: ViolationKind) -> Violation {
        Violation { location, pointer: pointer.to_owned(), kind, message: "must be at most 1000".to_owned() }
    }

    #[test]
    fn field_name_is_unescaped_pointer() {
        for (pointer, expected) in [("", "request body"), ("/a/0/b", "a.0.b"), ("/a~1b~0", "a/b~")] {
            assert_eq!(field_name(&violation(Location::Body, pointer, ViolationKind::Type)), expected);
        }
    }

    #[tokio::test]
    async fn violation_becomes_error_of_the_vendor() {
        let limit = violation(Location::Query, "/limit", ViolationKind::Range);
        let text = async |vendor| {
            let body = axum::body::to_bytes(error_response(vendor, &limit).into_body(), 1000).await.unwrap();
            String::from_utf8(body.to_vec()).unwrap()
        };
        assert_eq!(text(Vendor::Suger).await, r#""invalid limit: must be at most 1000""#);
        assert!(text(Vendor::Acronis).await.contains(r#""details":{"info":"limit: must be at most 1000."}"#));
        let genesys = error_response(Vendor::Genesys, &limit).extensions().get::<ErrorBody>().cloned().unwrap();
        assert_eq!((genesys.code.as_deref(), genesys.status), (Some("invalid.value"), Some(400)));
    }
}
