//! Error responses in the form of each vendor, and the headers that all of its responses have.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode};
use serde_json::json;
use usage_billing_genesys::types::ErrorBody;

use super::{RequestContext, Vendor, acronis, genesys, suger};
use crate::http_util::response;

impl Vendor {
    /// Returns an error response with a message, complete with the vendor's headers.
    pub(crate) fn error_response(self, context: &RequestContext, status: StatusCode, message: &str) -> Response {
        let is = |id| context.operation.is_some_and(|operation| operation.id == id);
        let response = match self {
            Self::Genesys | Self::Acronis if is("issue_token") => token_error(status, message),
            Self::Genesys => genesys::Failure::of_status(status, message).into_response(),
            Self::Suger => suger::Failure(status, message.to_owned()).into_response(),
            Self::Acronis if is("list_effective_price_lists") => {
                acronis::PriceListFailure::new(status, message).into_response()
            }
            Self::Acronis => acronis::Failure::of_status(status, message).into_response(),
        };
        self.complete(context, response)
    }

    /// Returns the error response for a path that none of the vendor's operations has.
    pub(crate) fn unknown_path(self) -> Response {
        let status = StatusCode::NOT_FOUND;
        match self {
            Self::Genesys => genesys::Failure::of_status(status, "There is no such path under /api/v2 of the sandbox.")
                .into_response(),
            Self::Suger => suger::Failure::not_found("there is no such path under /org of the sandbox").into_response(),
            Self::Acronis => acronis::Failure::of_status(
                status,
                "There is no such endpoint under /api/2 and /api/price_sync of the sandbox.",
            )
            .into_response(),
        }
    }

    /// Returns the error response for a path without the request's method.
    pub(crate) fn unknown_method(self) -> Response {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        match self {
            Self::Genesys => genesys::Failure::of_status(status, "The path has no such method.").into_response(),
            Self::Suger => suger::Failure(status, "the path has no such method".to_owned()).into_response(),
            Self::Acronis => acronis::Failure::of_status(status, "The endpoint has no such method.").into_response(),
        }
    }

    /// Adds the correlation id, by which the vendor's support finds a request: to the headers and, for Genesys Cloud, to the body of an error.
    pub(crate) fn complete(self, context: &RequestContext, mut response: Response) -> Response {
        let id = context.correlation_id.to_string();
        if let Some(mut body) = response.extensions_mut().remove::<ErrorBody>() {
            body.context_id = Some(id.clone());
            response = response::json(response.status(), &body);
        }
        let header = match self {
            Self::Genesys => "inin-correlation-id",
            Self::Suger => "x-correlation-id",
            Self::Acronis => return response,
        };
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(header, id);
        }
        response
    }
}

/// Returns an error of a token endpoint, as in RFC 6749; `description` is Genesys Cloud's own field.
fn token_error(status: StatusCode, message: &str) -> Response {
    let error = if status.is_server_error() { "server_error" } else { "invalid_request" };
    response::json(status, &json!({"error": error, "description": message, "error_description": message}))
}
