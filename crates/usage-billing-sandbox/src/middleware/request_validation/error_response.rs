//! What does not fit, said as the vendor says it.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use usage_billing_acronis::types::{ApiError, ApiErrorBody, ApiErrorDetails};
use usage_billing_genesys::types::ErrorBody;

use super::{Kind, Misfit, Place};
use crate::http_util::response::json;
use crate::vendors::Vendor;

/// The vendor's 400.
pub(super) fn error_response(vendor: Vendor, misfit: &Misfit) -> Response {
    let status = StatusCode::BAD_REQUEST;
    match vendor {
        Vendor::Genesys => {
            let body = ErrorBody {
                message: Some(format!("{} {}.", name(misfit), misfit.says)),
                code: Some(genesys_code(misfit).to_owned()),
                status: Some(status.as_u16().into()),
                ..ErrorBody::default()
            };
            // The frame writes it, once it has put in the correlation id.
            let mut response = status.into_response();
            response.extensions_mut().insert(body);
            response
        }
        Vendor::Suger => json(status, &format!("invalid {}: {}", name(misfit), misfit.says)),
        Vendor::Acronis => {
            let info = match misfit.kind {
                Kind::Unknown => format!("There is no such field: {}", misfit.pointer),
                _ => format!("{}: {}.", name(misfit), misfit.says),
            };
            let body = ApiErrorBody {
                code: Some(status.as_u16().into()),
                domain: Some("PlatformAccountServer".to_owned()),
                message: Some("The request is not valid.".to_owned()),
                details: Some(ApiErrorDetails { info: Some(info), ..ApiErrorDetails::default() }),
                ..ApiErrorBody::default()
            };
            json(status, &ApiError { error: body })
        }
    }
}

/// The platform's `x-inin-error-codes`.
fn genesys_code(misfit: &Misfit) -> &'static str {
    match misfit.kind {
        Kind::Format => "invalid.date",
        Kind::Unlisted | Kind::Range => "invalid.value",
        Kind::Type if misfit.place != Place::Body => "invalid.value",
        Kind::Type | Kind::Missing | Kind::Unknown => "bad.request",
    }
}

/// `parameters.period.start`, or what the whole body is called.
fn name(misfit: &Misfit) -> String {
    match misfit.pointer.trim_start_matches('/') {
        "" => "request body".to_owned(),
        pointer => pointer.replace('/', ".").replace("~1", "/").replace("~0", "~"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_becomes_a_name() {
        for (pointer, wanted) in [("", "request body"), ("/a/0/b", "a.0.b"), ("/a~1b~0", "a/b~")] {
            let pointer = pointer.to_owned();
            let misfit = Misfit { place: Place::Body, pointer, kind: Kind::Type, says: String::new() };
            assert_eq!(name(&misfit), wanted);
        }
    }

    #[tokio::test]
    async fn each_vendor_refuses_in_its_own_form() {
        let says = "must be at most 1000".to_owned();
        let misfit = Misfit { place: Place::Query, pointer: "/limit".to_owned(), kind: Kind::Range, says };
        let text = async |vendor| {
            let body = axum::body::to_bytes(error_response(vendor, &misfit).into_body(), 1000).await.unwrap();
            String::from_utf8(body.to_vec()).unwrap()
        };
        assert_eq!(text(Vendor::Suger).await, r#""invalid limit: must be at most 1000""#);
        assert!(text(Vendor::Acronis).await.contains(r#""details":{"info":"limit: must be at most 1000."}"#));
        let genesys = error_response(Vendor::Genesys, &misfit).extensions().get::<ErrorBody>().cloned().unwrap();
        assert_eq!((genesys.code.as_deref(), genesys.status), (Some("invalid.value"), Some(400)));
    }
}
