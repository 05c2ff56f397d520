//! Errors of the platform, except those of the token endpoint.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use usage_billing_genesys::types::ErrorBody;

use crate::http_util::request::BodyError;

/// An error without its `contextId`, which [`Vendor::complete`](crate::vendors::Vendor::complete) adds.
pub(crate) struct Failure {
    status: StatusCode,
    body: Box<ErrorBody>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        let body = ErrorBody {
            message: Some(message.into()),
            code: Some(code.to_owned()),
            status: Some(status.as_u16().into()),
            ..ErrorBody::default()
        };
        Self { status, body: Box::new(body) }
    }

    /// Returns an error of a status, with the code of `x-inin-error-codes` in the vendor's public definition.
    pub(crate) fn of_status(status: StatusCode, message: &str) -> Self {
        let code = match status.as_u16() {
            401 => "bad.credentials",
            403 => "missing.any.permissions",
            404 => "not.found",
            405 => "method.not.allowed",
            408 => "client.timeout",
            409 => "general.conflict",
            413 => "request.entity.too.large",
            415 => "unsupported.media.type",
            429 => "too.many.requests.retry.after",
            400..500 => "bad.request",
            503 => "service.unavailable",
            504 => "request.timeout",
            _ => "internal.server.error",
        };
        Self::new(status, code, message)
    }

    /// Creates the error in the vendor's words (error codes of its public definition).
    pub(crate) fn missing_permissions(permissions: &[&str]) -> Self {
        let permissions = format!("[{}]", permissions.join(", "));
        let message = format!(
            "Unable to perform the requested action. You must have at least one of the following permissions assigned: \
             {permissions}"
        );
        let mut failure = Self::of_status(StatusCode::FORBIDDEN, &message);
        failure.body.message_params = [("permissions".to_owned(), permissions)].into_iter().collect();
        failure
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad.request", message)
    }

    pub(crate) fn invalid_date(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid.date", message)
    }

    pub(crate) fn invalid_value(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid.value", message)
    }

    pub(crate) fn no_such_value(value: &str) -> Self {
        Self::invalid_value(format!("There is no such value: {value}"))
    }

    /// Rejects a value that is not listed.
    pub(crate) fn if_unlisted(unlisted: Option<&str>) -> Result<(), Self> {
        unlisted.map_or(Ok(()), |value| Err(Self::no_such_value(value)))
    }

    pub(crate) fn not_found(entity: &str) -> Self {
        let mut failure = Self::of_status(StatusCode::NOT_FOUND, "The requested resource was not found.");
        failure.body.entity_id = Some(entity.to_owned());
        failure
    }
}

impl From<BodyError> for Failure {
    fn from(bad: BodyError) -> Self {
        match bad {
            BodyError::TooLarge => {
                Self::of_status(StatusCode::PAYLOAD_TOO_LARGE, "The request is larger than 512000 bytes.")
            }
            BodyError::MediaType => {
                Self::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, "The content type has to be application/json.")
            }
            BodyError::Invalid(reason) => Self::bad_request(format!("The request body is not valid: {reason}")),
        }
    }
}

impl IntoResponse for Failure {
    /// Creates a response whose body is an extension until the correlation id is added.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(*self.body);
        response
    }
}
