//! The source of a client's tokens: an endpoint or a provider.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::Instant;

use crate::attempts::Attempts;
use crate::call_settings::CallSettings;
use crate::error::invalid_request;
use crate::failure_context::FailureContext;
use crate::operation::{Operation, Service};
use crate::pause::Pause;
use crate::response::ResponseValue;
use crate::token_provider::{TokenProvider, TokenRequest};
use crate::{AccessToken, DecimalNumber, Error, ErrorKind, Result, auth, credentials, retry};

/// Lifetime of a token whose response states none; the shortest that vendors configure is five minutes.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(300);
/// Longest lifetime that is accepted; the longest that vendors configure is two days.
const MAX_LIFETIME: Duration = Duration::from_secs(7 * 86_400);

static SERVICE: Service =
    Service { operations: &[], request_id_headers: &[], limit_reset_headers: &[], credential_hint: "" };
static ISSUE_TOKEN: Operation = Operation {
    id: "issue_token",
    name: Cow::Borrowed("issue token"),
    method: "POST",
    path: Cow::Borrowed(""),
    // A second token does not invalidate the first.
    idempotent: true,
    idempotent_with: None,
    anonymous: false,
    download: false,
    final_statuses: &[],
    permissions: &[],
};

/// The source of a client's tokens.
pub(crate) struct TokenSource {
    pub(crate) issuer: Issuer,
    /// The scheme before the token in the header `Authorization`.
    pub(crate) scheme: &'static str,
    pub(crate) context: Arc<FailureContext>,
}

pub(crate) enum Issuer {
    Endpoint(TokenEndpoint),
    Provider(TokenProvider),
}

pub(crate) struct TokenEndpoint {
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) url: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: SecretString,
    /// Separate from the client's pause: tokens may come from another host, with its own rate limit.
    pub(crate) pause: Pause,
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.issuer {
            Issuer::Endpoint(TokenEndpoint { url, client_id, .. }) => f
                .debug_struct("ClientCredentials")
                .field("token_url", &crate::base_url::redacted(url))
                .field("client_id", &credentials::redacted_client_id(client_id))
                .finish_non_exhaustive(),
            Issuer::Provider(provider) => provider.fmt(f),
        }
    }
}

/// An issued token.
pub(crate) struct Token {
    /// `Authorization: Bearer …`.
    pub(crate) header: (HeaderName, HeaderValue),
    pub(crate) expires_at: Instant,
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: SecretString,
    /// Seconds. Read as a decimal: some services send a string, or a fraction.
    expires_in: Option<DecimalNumber>,
    /// Unix time. Some vendors send it instead of `expires_in`.
    expires_on: Option<DecimalNumber>,
}

impl TokenResponse {
    fn lifetime(&self, headers: &HeaderMap) -> Duration {
        let seconds = |number: DecimalNumber| Duration::from_secs(u64::try_from(number.trunc()).unwrap_or_default());
        let until = |unix| {
            let now = retry::response_date(headers).unwrap_or_else(SystemTime::now);
            let end = SystemTime::UNIX_EPOCH.checked_add(seconds(unix));
            end.map_or(MAX_LIFETIME, |end| end.duration_since(now).unwrap_or_default())
        };
        // `expires_on` takes precedence: of a vendor that sends both, only that one is correct (see the vendors' documents).
        let lifetime = match (self.expires_on, self.expires_in) {
            (Some(unix), _) => until(unix),
            (None, Some(span)) => seconds(span),
            (None, None) => DEFAULT_LIFETIME,
        };
        lifetime.min(MAX_LIFETIME)
    }
}

/// Requests a token. Not an `async fn`: the box ends the type's recursion token -> attempts -> authorise -> token.
pub(crate) fn issue(
    source: Arc<TokenSource>,
    http: reqwest::Client,
    settings: CallSettings,
    request: TokenRequest,
) -> BoxFuture<'static, Result<Arc<Token>>> {
    Box::pin(async move {
        let TokenSource { issuer, scheme, context } = &*source;
        let (issued, requested_at) = match issuer {
            Issuer::Endpoint(endpoint) => request_token(&http, settings, endpoint, context).await?,
            Issuer::Provider(provider) => {
                let provided =
                    provider.token(request, settings.deadline).await.map_err(|error| context.masked(error))?;
                auth::check_token(&provided.secret)?;
                (provided, Instant::now())
            }
        };
        context.secrets.add_token(&issued.secret);
        let expires_at = requested_at + issued.lifetime.unwrap_or(DEFAULT_LIFETIME).min(MAX_LIFETIME);
        Ok(Arc::new(Token { header: auth::authorization(scheme, &issued.secret)?, expires_at }))
    })
}

/// Requests a token from the endpoint, and returns it with the time of the response.
async fn request_token(
    http: &reqwest::Client,
    settings: CallSettings,
    endpoint: &TokenEndpoint,
    context: &Arc<FailureContext>,
) -> Result<(AccessToken, Instant)> {
    let TokenEndpoint { url, client_id, client_secret, parameters, pause } = endpoint;
    let grant = [("grant_type", "client_credentials")];
    let parameters = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let form = grant.into_iter().chain(parameters).collect::<Vec<_>>();
    let mut request = http
        .request(Method::POST, url)
        .basic_auth(client_id, Some(client_secret.expose_secret()))
        .header(header::ACCEPT, "application/json")
        .form(&form)
        .build()
        .map_err(|error| invalid_request(error).with_kind(ErrorKind::Config))?;
    let (operation, settings) = (&ISSUE_TOKEN, &settings);
    let attempts = Attempts { http, operation, service: &SERVICE, settings, client: None, context, pause };
    let response = attempts.send(&mut request).await.map_err(|error| match (error.kind(), error.status()) {
        // No setting raises this limit, because tokens are smaller.
        (ErrorKind::Limit, _) => error.with_setting(None).with_hint("check that the token URL is the vendor's"),
        // Neither a rate limit nor a proxy's authentication depends on the credentials.
        (_, Some(status)) if status.is_client_error() && status != 429 && status != 407 => {
            error.with_kind(ErrorKind::Auth)
        }
        _ => error,
    })?;
    let received_at = Instant::now();
    match ResponseValue::<TokenResponse>::from_response(response).await {
        Ok(issued) if !issued.access_token.expose_secret().is_empty() => {
            let lifetime = issued.lifetime(issued.headers());
            Ok((AccessToken::new(issued.into_inner().access_token).expires_in(lifetime), received_at))
        }
        // Without the response and serde's quotes of it, which may contain the token.
        _ => {
            let message = "the token endpoint's response is not a token: check that its URL is the vendor's";
            Err(Error::new(ErrorKind::Decode, message).with_operation(ISSUE_TOKEN.name.clone()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetime_is_read_from_either_field() {
        let lifetime = |json: &str| serde_json::from_str::<TokenResponse>(json).unwrap().lifetime(&headers());
        assert_eq!(lifetime(r#"{"access_token":"t","expires_in":86399}"#).as_secs(), 86_399);
        assert_eq!(lifetime(r#"{"access_token":"t","expires_on":1000007200,"expires_in":600}"#).as_secs(), 7_200);
        assert_eq!(lifetime(r#"{"access_token":"t","expires_on":999}"#).as_secs(), 0);
        assert_eq!(lifetime(r#"{"access_token":"t","expires_in":"3600"}"#).as_secs(), 3_600);
        assert_eq!(lifetime(r#"{"access_token":"t","expires_in":3600.5}"#).as_secs(), 3_600);
        assert_eq!(lifetime(r#"{"access_token":"t","expires_in":-1}"#).as_secs(), 0);
        assert_eq!(lifetime(r#"{"access_token":"t"}"#), DEFAULT_LIFETIME);
        for huge in [u64::MAX, i64::MAX.unsigned_abs()] {
            assert_eq!(lifetime(&format!(r#"{{"access_token":"t","expires_in":{huge}}}"#)), MAX_LIFETIME);
            assert_eq!(lifetime(&format!(r#"{{"access_token":"t","expires_on":{huge}}}"#)), MAX_LIFETIME);
        }
    }

    fn headers() -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::DATE, "Sun, 09 Sep 2001 01:46:40 GMT".parse().unwrap());
        headers
    }
}
