//! Parameters and bodies of requests.

use std::convert::Infallible;

use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

/// Parameters of a query string or a form; the first of several with the same name counts.
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Returns a value; an empty one is missing.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, value)| given == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default().as_bytes()))
    }
}

/// The body of a request, not yet parsed.
pub(crate) struct RequestBody {
    bytes: Result<Bytes, BytesRejection>,
    is_json: bool,
}

/// Why a body is rejected.
#[derive(Debug)]
pub(crate) enum BodyError {
    TooLarge,
    /// The content type is not JSON.
    MediaType,
    /// The reason, with its position.
    Invalid(String),
}

impl<S: Send + Sync> FromRequest<S> for RequestBody {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Infallible> {
        let is_json = is_json(request.headers());
        Ok(Self { bytes: Bytes::from_request(request, state).await, is_json })
    }
}

/// Returns whether the content type is JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()?.split(';').next());
    media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("application/json"))
}

impl RequestBody {
    pub(crate) fn bytes(self) -> Result<Bytes, BodyError> {
        self.bytes.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => BodyError::TooLarge,
            _ => BodyError::Invalid("the body was truncated".to_owned()),
        })
    }

    /// Parses JSON of any content type.
    pub(crate) fn json<T: DeserializeOwned>(self) -> Result<T, BodyError> {
        serde_json::from_slice(&self.bytes()?).map_err(|error| BodyError::Invalid(error.to_string()))
    }

    /// Parses JSON with the content type of JSON.
    pub(crate) fn declared_json<T: DeserializeOwned>(self) -> Result<T, BodyError> {
        if self.is_json { self.json() } else { Err(BodyError::MediaType) }
    }

    pub(crate) fn form(self) -> Result<Params, BodyError> {
        Ok(Params::parse(&self.bytes()?))
    }
}

/// Returns the first value of an open enum that the vendor does not list.
macro_rules! first_unlisted {
    ($kind:ident, $values:expr) => {
        $values.into_iter().find(|value| matches!(value, $kind::Unknown(_))).map(|value| value.as_str())
    };
}
pub(crate) use first_unlisted;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_value_of_a_parameter_is_decoded() {
        let params = Params::parse("a=1%2B1&b=&a=2&c=%E6%A0%AA+x&%ff=%".as_bytes());
        assert_eq!((params.get("a"), params.get("b"), params.get("c")), (Some("1+1"), None, Some("株 x")));
    }
}
