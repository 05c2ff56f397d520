//! One OAuth token for all callers of a client.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::Instant;

use crate::attempts::Attempts;
use crate::call_options::CallSettings;
use crate::error::invalid_request;
use crate::failure_context::FailureContext;
use crate::operation::{Operation, Service};
use crate::pause::Pause;
use crate::response::ResponseValue;
use crate::token_provider::{TokenProvider, TokenRequest};
use crate::{AccessToken, DecimalNumber, Error, ErrorKind, Result, RetryPolicy, auth, retry};

/// A token without a stated life is used for so long; the shortest that the vendors configure is five minutes.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(300);
/// No token is used longer, whatever the vendor says; the longest that one can be configured for is two days.
const MAX_LIFETIME: Duration = Duration::from_secs(7 * 86_400);
/// How long a call waits for an early renewal before it goes on with the token that is still good.
const REFRESH_WAIT: Duration = Duration::from_secs(5);
/// After an early renewal has failed, the token that is still good is used for so long before the next try.
const REFRESH_RETRY_DELAY: Duration = Duration::from_secs(10);

/// Largest response of a token endpoint; tokens have a few KiB.
const MAX_TOKEN_RESPONSE_BYTES: usize = 1024 * 1024;

static SERVICE: Service =
    Service { operations: &[], request_id_headers: &[], limit_reset_headers: &[], credential_hint: "" };
static ISSUE_TOKEN: Operation = Operation {
    id: "issue_token",
    name: "issue token",
    method: "POST",
    path: "",
    // A second token takes nothing from the first.
    idempotent: true,
    idempotent_with: None,
    download: false,
    final_statuses: &[],
    permissions: &[],
};

/// Where the tokens of a client come from.
pub(crate) struct TokenSource {
    pub(crate) issuer: Issuer,
    /// What stands before the token in the header `Authorization`.
    pub(crate) scheme: &'static str,
    pub(crate) context: Arc<FailureContext>,
}

pub(crate) enum Issuer {
    Endpoint(TokenEndpoint),
    Provider(TokenProvider),
}

pub(crate) struct TokenEndpoint {
    pub(crate) url: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: SecretString,
    /// Not the client's: tokens may come from another host, with limits of its own.
    pub(crate) pause: Pause,
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.issuer {
            Issuer::Endpoint(TokenEndpoint { url, client_id, .. }) => f
                .debug_struct("ClientCredentials")
                .field("token_url", &crate::base_url::redacted(url))
                .field("client_id", &auth::redacted_client_id(client_id))
                .finish_non_exhaustive(),
            Issuer::Provider(provider) => provider.fmt(f),
        }
    }
}

pub(crate) struct Token {
    /// `Authorization: Bearer …`
    pub(crate) header: (HeaderName, HeaderValue),
    expires_at: Instant,
}

type InFlightRefresh = Shared<BoxFuture<'static, Result<Arc<Token>>>>;

pub(crate) struct TokenCache {
    source: Arc<TokenSource>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Arc<Token>>,
    refresh_at: Option<Instant>,
    /// Whether the vendor rejected the last token.
    is_rejected: bool,
    /// The token request under way, shared by all who wait: its failure is the failure of all.
    refresh: Option<InFlightRefresh>,
}

impl TokenCache {
    pub(crate) fn new(source: TokenSource) -> Self {
        Self { source: Arc::new(source), state: Mutex::default() }
    }

    pub(crate) fn source(&self) -> &TokenSource {
        &self.source
    }

    /// Returns the URL of the endpoint, if tokens come from one.
    pub(crate) fn check(&self, allow_http: bool) -> Result<Option<Url>> {
        let Issuer::Endpoint(TokenEndpoint { url, client_id, client_secret, .. }) = &self.source.issuer else {
            return Ok(None);
        };
        auth::check_client(client_id, client_secret)?;
        crate::base_url::parse(url, "token URL", allow_http).map(Some)
    }

    /// The cached token, or a new one. A token that is about to end is renewed by one caller while the others still use it.
    pub(crate) async fn token(&self, http: &reqwest::Client, settings: &CallSettings) -> Result<Arc<Token>> {
        let now = Instant::now();
        let (refresh, usable) = {
            let mut state = self.state();
            // All who waited for it were dropped: it stands still, and its connection may be long gone.
            if state.refresh.as_ref().is_some_and(|refresh| refresh.strong_count() == Some(1)) {
                state.refresh = None;
            }
            let usable = state.token.clone().filter(|token| now < token.expires_at);
            if let Some(token) = &usable {
                let is_fresh = state.refresh_at.is_none_or(|at| now < at);
                if is_fresh || state.refresh.is_some() {
                    return Ok(token.clone());
                }
            }
            // An early renewal is tried once: there is time for another.
            let retry = if usable.is_some() { RetryPolicy::none() } else { settings.retry };
            // Its own deadline: the calls that wait for it end, each at its own, but always new ones may wait.
            let settings = CallSettings { retry, max_response_bytes: MAX_TOKEN_RESPONSE_BYTES, ..*settings };
            let request = TokenRequest { is_after_rejection: state.is_rejected };
            let refresh = state
                .refresh
                .get_or_insert_with(|| issue(self.source.clone(), http.clone(), settings, request).shared());
            (refresh.clone(), usable)
        };
        let issued = match &usable {
            Some(_) => tokio::time::timeout(REFRESH_WAIT, refresh.clone())
                .await
                .unwrap_or_else(|_| Err(Error::new(ErrorKind::Connection, "the token endpoint has not responded yet"))),
            None => refresh.clone().await,
        };
        let mut state = self.state();
        if state.refresh.as_ref().is_some_and(|current| current.ptr_eq(&refresh)) {
            state.refresh = None;
            match &issued {
                Ok(token) => {
                    let issued_at = Instant::now();
                    state.refresh_at =
                        Some(issued_at + refresh_after(token.expires_at.saturating_duration_since(issued_at)));
                    state.token = Some(token.clone());
                    state.is_rejected = false;
                }
                Err(_) => state.refresh_at = Some(Instant::now() + REFRESH_RETRY_DELAY),
            }
        }
        match (issued, usable) {
            (Err(error), Some(token)) if Instant::now() < token.expires_at => {
                tracing::warn!(target: "usage_billing::http", %error, "early renewal of the token failed; the current token is still valid");
                Ok(token)
            }
            (issued, _) => issued,
        }
    }

    /// Drops the token, unless another has taken its place since: of many refused callers, one asks for a new one.
    pub(crate) fn invalidate(&self, rejected: &Arc<Token>) {
        let mut state = self.state();
        if state.token.as_ref().is_some_and(|current| Arc::ptr_eq(current, rejected)) {
            state.token = None;
            state.is_rejected = true;
            // It began before the rejection: it is tried once only, and a provider may return the same token again.
            state.refresh = None;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a new token is used before the next one is requested_at for.
fn refresh_after(lifetime: Duration) -> Duration {
    let margin = (lifetime / 10).max(Duration::from_secs(60)).min(lifetime / 2);
    lifetime - margin
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: SecretString,
    /// Seconds. Read as a decimal: some services send it as text, or with a point.
    expires_in: Option<DecimalNumber>,
    /// Unix time; some vendors send it in place of `expires_in`.
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
        // `expires_on` first: a vendor that sends both states the truth there (see the vendors' documents).
        let lifetime = match (self.expires_on, self.expires_in) {
            (Some(unix), _) => until(unix),
            (None, Some(span)) => seconds(span),
            (None, None) => DEFAULT_LIFETIME,
        };
        lifetime.min(MAX_LIFETIME)
    }
}

/// Not an `async fn`: the boxed type ends the circle token -> attempts -> authorise -> token.
fn issue(
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

/// A token of the endpoint, and when it received_at.
async fn request_token(
    http: &reqwest::Client,
    settings: CallSettings,
    endpoint: &TokenEndpoint,
    context: &Arc<FailureContext>,
) -> Result<(AccessToken, Instant)> {
    let TokenEndpoint { url, client_id, client_secret, pause } = endpoint;
    let mut request = http
        .request(Method::POST, url)
        .basic_auth(client_id, Some(client_secret.expose_secret()))
        .header(header::ACCEPT, "application/json")
        .form(&[("grant_type", "client_credentials")])
        .build()
        .map_err(|error| invalid_request(error).with_kind(ErrorKind::Config))?;
    let (operation, settings) = (&ISSUE_TOKEN, &settings);
    let attempts = Attempts { http, operation, service: &SERVICE, settings, client: None, context, pause };
    let response = attempts.send(&mut request).await.map_err(|error| match (error.kind(), error.status()) {
        // No setting raises this limit: no token is so large.
        (ErrorKind::Limit, _) => error.with_setting(None).with_hint("check that the token URL is the vendor's"),
        // Neither too many requests nor what a proxy requires says anything about the credentials.
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
        // Without the response, or what serde quotes of it: the token may stand in it.
        _ => {
            let message = "the token endpoint's response is not a token: check that its URL is the vendor's";
            Err(Error::new(ErrorKind::Decode, message).with_operation(ISSUE_TOKEN.name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_a_tenth_of_its_life_before_it_ends() {
        let seconds = |lifetime| refresh_after(Duration::from_secs(lifetime)).as_secs();
        assert_eq!(seconds(86_399), 77_759);
        assert_eq!(seconds(7_200), 6_480);
        assert_eq!(seconds(300), 240);
        assert_eq!(seconds(60), 30);
        assert_eq!(seconds(0), 0);
    }

    #[test]
    fn the_life_of_a_token_is_read_from_either_field() {
        let lifetime = |json: &str| serde_json::from_str::<TokenResponse>(json).unwrap().lifetime(&headers());
        assert_eq!(lifetime(r#"{"access_token":"t","expires_in":86399}"#).as_secs(), 86_399);
        assert_eq!(lifetime(r#"{"access_token":"t","expires_on":1000007200,"expires_in":600}"#).as_secs(), 7_200);
        assert_eq!(lifetime(r#"{"access_token":"t","expires_on":999}"#).as_secs(), 0);
        assert_eq!(lifetime(r#"{"access_token":"t","expires_in":"3600"}"#).as_secs(), 3_600);
        assert_eq!(lifetime(r#"{"access_token":"t","expires_in":3600.5}"#).as_secs(), 3_600);
        assert_eq!(lifetime(r#"{"access_token":"t","expires_in":-1}"#).as_secs(), 0);
        assert_eq!(lifetime(r#"{"access_token":"t"}"#), DEFAULT_LIFETIME);
        for absurd in [u64::MAX, i64::MAX.unsigned_abs()] {
            assert_eq!(lifetime(&format!(r#"{{"access_token":"t","expires_in":{absurd}}}"#)), MAX_LIFETIME);
            assert_eq!(lifetime(&format!(r#"{{"access_token":"t","expires_on":{absurd}}}"#)), MAX_LIFETIME);
        }
    }

    fn headers() -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::DATE, "Sun, 09 Sep 2001 01:46:40 GMT".parse().unwrap());
        headers
    }
}
