//! The envelope of all errors but those of the token endpoint.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Map, Value};
use usage_billing_acronis::types::{ApiError, ApiErrorBody, ApiErrorDetails};

use super::PriceListFailure;
use crate::http_util::response::{BadBody, json};

const STALE_VERSION: u16 = 1001;
const ACCESS_DENIED: u16 = 1002;
const NO_SUCH_TENANT: u16 = 1005;
const BROKEN_RULE: u16 = 1027;

pub(super) struct Failure {
    status: StatusCode,
    body: Box<ApiErrorBody>,
}

impl Failure {
    /// The code is one of the platform's own, or the HTTP status.
    pub(super) fn new(status: StatusCode, code: u16, message: impl Into<String>) -> Self {
        let body = ApiErrorBody {
            code: Some(code.into()),
            domain: Some("PlatformAccountServer".to_owned()),
            message: Some(message.into()),
            details: Some(ApiErrorDetails::default()),
            ..ApiErrorBody::default()
        };
        Self { status, body: Box::new(body) }
    }

    pub(super) fn unauthorized(message: &str) -> Self {
        let mut failure = Self::new(StatusCode::UNAUTHORIZED, 401, message);
        // Text here, a number elsewhere: the vendor has both.
        failure.body.code = Some(Value::String("401".to_owned()));
        failure
    }

    pub(super) fn bad_request(info: impl Into<String>) -> Self {
        let mut failure = Self::new(StatusCode::BAD_REQUEST, 400, "The request is not valid.");
        failure.body.details = Some(ApiErrorDetails { info: Some(info.into()), ..Default::default() });
        failure
    }

    pub(super) fn access_denied(id: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, ACCESS_DENIED, "Access denied.").about(id)
    }

    pub(super) fn no_such_tenant(id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, NO_SUCH_TENANT, "No such tenant.").about(id)
    }

    /// The vendor does not say with which status.
    pub(super) fn stale_version() -> Self {
        Self::new(StatusCode::CONFLICT, STALE_VERSION, "Version mismatch.")
    }

    pub(super) fn broken_rule(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, BROKEN_RULE, message)
    }

    pub(super) fn no_such_thing(message: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, 404, message)
    }

    /// The same in the form of Pricelist API v1.
    pub(super) fn of_price_lists(self) -> PriceListFailure {
        PriceListFailure::new(self.status, self.body.message.unwrap_or_default())
    }

    pub(super) fn about(mut self, id: &str) -> Self {
        self.body.context = Map::from_iter([("id".to_owned(), Value::String(id.to_owned()))]);
        self
    }
}

impl From<BadBody> for Failure {
    fn from(bad: BadBody) -> Self {
        match bad {
            BadBody::TooLarge => Self::new(StatusCode::PAYLOAD_TOO_LARGE, 413, "The request is too large."),
            BadBody::MediaType => {
                Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, 415, "The content type has to be application/json.")
            }
            BadBody::Unreadable(reason) => Self::bad_request(reason),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        json(self.status, &ApiError { error: *self.body })
    }
}
