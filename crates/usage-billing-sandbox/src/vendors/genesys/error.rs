//! The platform's error body.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use usage_billing_genesys::types::ErrorBody;

use crate::http_util::response::BadBody;

/// An error answer, still without its `contextId`.
pub(super) struct Failure {
    status: StatusCode,
    body: Box<ErrorBody>,
}

impl Failure {
    pub(super) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        let body = ErrorBody {
            message: Some(message.into()),
            code: Some(code.to_owned()),
            status: Some(status.as_u16().into()),
            ..ErrorBody::default()
        };
        Self { status, body: Box::new(body) }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad.request", message)
    }

    pub(super) fn invalid_date(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid.date", message)
    }

    pub(super) fn invalid_value(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid.value", message)
    }

    pub(super) fn no_such_value(value: &str) -> Self {
        Self::invalid_value(format!("There is no such value: {value}"))
    }

    /// Of a value that should be one of a list and is not.
    pub(super) fn if_any(unlisted: Option<&str>) -> Result<(), Self> {
        unlisted.map_or(Ok(()), |value| Err(Self::no_such_value(value)))
    }

    pub(super) fn not_found(entity: &str) -> Self {
        let mut failure = Self::new(StatusCode::NOT_FOUND, "not.found", "The requested resource was not found.");
        failure.body.entity_id = Some(entity.to_owned());
        failure
    }
}

impl From<BadBody> for Failure {
    fn from(bad: BadBody) -> Self {
        match bad {
            BadBody::TooLarge => {
                let message = "The request is larger than 512000 bytes.";
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "request.entity.too.large", message)
            }
            BadBody::MediaType => {
                let message = "The content type has to be application/json.";
                Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported.media.type", message)
            }
            BadBody::Unreadable(reason) => Self::bad_request(format!("The request body is not valid: {reason}")),
        }
    }
}

impl IntoResponse for Failure {
    /// The frame writes the body, once it knows the correlation id.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(*self.body);
        response
    }
}
