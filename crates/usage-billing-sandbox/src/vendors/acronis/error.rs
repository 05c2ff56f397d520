//! Errors of the platform, except those of the token endpoint and of price lists.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Map, Value};
use usage_billing_acronis::types::{ApiError, ApiErrorBody, ApiErrorDetails};

use super::PriceListFailure;
use crate::http_util::request::BodyError;
use crate::http_util::response::json;

const STALE_VERSION: u16 = 1001;
const ACCESS_DENIED: u16 = 1002;
const NO_SUCH_TENANT: u16 = 1005;
const BROKEN_RULE: u16 = 1027;

pub(crate) struct Failure {
    status: StatusCode,
    body: Box<ApiErrorBody>,
}

impl Failure {
    /// Creates an error; `code` is one of the platform's codes, or the HTTP status.
    pub(crate) fn new(status: StatusCode, code: u16, message: impl Into<String>) -> Self {
        let body = ApiErrorBody {
            code: Some(code.into()),
            domain: Some("PlatformAccountServer".to_owned()),
            message: Some(message.into()),
            details: Some(ApiErrorDetails::default()),
            ..ApiErrorBody::default()
        };
        Self { status, body: Box::new(body) }
    }

    /// Returns an error of a status without a code of its own.
    pub(crate) fn of_status(status: StatusCode, message: &str) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::unauthorized(message),
            StatusCode::FORBIDDEN => Self::new(status, ACCESS_DENIED, message),
            status => Self::new(status, status.as_u16(), message),
        }
    }

    pub(crate) fn unauthorized(message: &str) -> Self {
        let mut failure = Self::new(StatusCode::UNAUTHORIZED, 401, message);
        // The vendor sends a string here, and a number elsewhere.
        failure.body.code = Some(Value::String("401".to_owned()));
        failure
    }

    pub(crate) fn bad_request(info: impl Into<String>) -> Self {
        let mut failure = Self::new(StatusCode::BAD_REQUEST, 400, "The request is not valid.");
        failure.body.details = Some(ApiErrorDetails { info: Some(info.into()), ..Default::default() });
        failure
    }

    pub(crate) fn access_denied(id: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, ACCESS_DENIED, "Access denied.").about(id)
    }

    pub(crate) fn no_such_tenant(id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, NO_SUCH_TENANT, "No such tenant.").about(id)
    }

    /// Creates the error for an outdated version. Its status is not documented.
    pub(crate) fn stale_version() -> Self {
        Self::new(StatusCode::CONFLICT, STALE_VERSION, "Version mismatch.")
    }

    pub(crate) fn broken_rule(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, BROKEN_RULE, message)
    }

    pub(crate) fn no_such_thing(message: &str) -> Self {
        Self::of_status(StatusCode::NOT_FOUND, message)
    }

    /// Converts the error to the form of Pricelist API v1.
    pub(crate) fn into_price_list_failure(self) -> PriceListFailure {
        PriceListFailure::new(self.status, self.body.message.unwrap_or_default())
    }

    pub(crate) fn about(mut self, id: &str) -> Self {
        self.body.context = Map::from_iter([("id".to_owned(), Value::String(id.to_owned()))]);
        self
    }
}

impl From<BodyError> for Failure {
    fn from(bad: BodyError) -> Self {
        match bad {
            BodyError::TooLarge => Self::new(StatusCode::PAYLOAD_TOO_LARGE, 413, "The request is too large."),
            BodyError::MediaType => {
                Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, 415, "The content type has to be application/json.")
            }
            BodyError::Invalid(reason) => Self::bad_request(reason),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        json(self.status, &ApiError { error: *self.body })
    }
}
