//! Reading requests and writing answers, without a vendor's manners.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::Response;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An answer in JSON. Straight to text: a detour over `serde_json::Value` would turn decimals into floats.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => with_body(status, "application/json", bytes),
        Err(error) => with_body(
            StatusCode::INTERNAL_SERVER_ERROR,
            "text/plain; charset=utf-8",
            format!("the sandbox cannot write its answer: {error}").into_bytes(),
        ),
    }
}

pub(crate) fn with_body(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// An answer that takes seconds of work in a large world: made where it keeps no other one waiting.
pub(crate) async fn off_thread(work: impl FnOnce() -> Response + Send + 'static) -> Response {
    let failed = || json(StatusCode::INTERNAL_SERVER_ERROR, &"the sandbox cannot make its answer");
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| failed())
}

/// For `Date` and `Retry-After`.
pub(crate) fn http_date(instant: DateTime<Utc>) -> HeaderValue {
    // The form has no years of five digits.
    const LAST: DateTime<Utc> = DateTime::from_timestamp(253_370_764_800, 0).expect("the year 9999");
    let text = httpdate::fmt_http_date(instant.clamp(DateTime::UNIX_EPOCH, LAST).into());
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// Values of the query string or of a form. Of a name that stands there twice, the first one counts.
pub(crate) struct Values(Vec<(String, String)>);

impl Values {
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// An empty value is none.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, value)| given == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }
}

impl<S: Sync> FromRequestParts<S> for Values {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default().as_bytes()))
    }
}

/// The body of a request, still to be judged.
pub(crate) struct Sent {
    bytes: Result<Bytes, BytesRejection>,
    says_json: bool,
}

/// Why a body is no use.
#[derive(Debug)]
pub(crate) enum BadBody {
    TooLarge,
    /// Not declared as JSON.
    MediaType,
    /// With what is wrong, and where.
    Unreadable(String),
}

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Infallible> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let says_json = content_type
            .and_then(|value| value.split(';').next())
            .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"));
        Ok(Self { bytes: Bytes::from_request(request, state).await, says_json })
    }
}

impl Sent {
    pub(crate) fn bytes(self) -> Result<Bytes, BadBody> {
        self.bytes.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => BadBody::TooLarge,
            _ => BadBody::Unreadable("the body was cut off".to_owned()),
        })
    }

    /// JSON, whatever the content type.
    pub(crate) fn json<T: DeserializeOwned>(self) -> Result<T, BadBody> {
        serde_json::from_slice(&self.bytes()?).map_err(|error| BadBody::Unreadable(error.to_string()))
    }

    /// JSON that is declared as such.
    pub(crate) fn declared_json<T: DeserializeOwned>(self) -> Result<T, BadBody> {
        if self.says_json { self.json() } else { Err(BadBody::MediaType) }
    }

    pub(crate) fn form(self) -> Result<Values, BadBody> {
        Ok(Values::parse(&self.bytes()?))
    }
}

/// What the client may not say again: the first value of an open enum that the vendor does not list.
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
    fn values_are_decoded_and_the_first_one_counts() {
        let values = Values::parse("a=1%2B1&b=&a=2&c=%E6%A0%AA+x&%ff=%".as_bytes());
        assert_eq!((values.get("a"), values.get("b"), values.get("c")), (Some("1+1"), None, Some("株 x")));
    }
}
