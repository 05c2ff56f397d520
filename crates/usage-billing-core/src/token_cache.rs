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
use crate::failure_context::FailureContext;
use crate::operation::{Operation, Service};
use crate::pause::Pause;
use crate::response::ResponseValue;
use crate::token_provider::{TokenProvider, TokenRequest};
use crate::{AccessToken, DecimalNumber, Error, ErrorKind, Result, RetryPolicy, auth, retry};

/// A token without a stated life is used for so long; the shortest that the vendors configure is five minutes.
const ASSUMED_LIFE: Duration = Duration::from_secs(300);
/// No token is used longer, whatever the vendor says; the longest that one can be configured for is two days.
const LONGEST_LIFE: Duration = Duration::from_secs(7 * 86_400);
/// How long a call waits for an early renewal before it goes on with the token that is still good.
const RENEWAL_PATIENCE: Duration = Duration::from_secs(5);
/// After an early renewal has failed, the token that is still good is used for so long before the next try.
const RENEWAL_PAUSE: Duration = Duration::from_secs(10);

/// Largest response of a token endpoint; tokens have a few KiB.
const MAX_TOKEN_RESPONSE: usize = 1024 * 1024;

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
                .field("token_url", &crate::base_url::shown(url))
                .field("client_id", &auth::shown_client_id(client_id))
                .finish_non_exhaustive(),
            Issuer::Provider(provider) => provider.fmt(f),
        }
    }
}

pub(crate) struct Token {
    /// `Authorization: Bearer …`
    pub(crate) header: (HeaderName, HeaderValue),
    ends: Instant,
}

type Flight = Shared<BoxFuture<'static, Result<Arc<Token>>>>;

pub(crate) struct TokenCache {
    source: Arc<TokenSource>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Arc<Token>>,
    renew_at: Option<Instant>,
    /// Whether the vendor rejected the last token.
    is_rejected: bool,
    /// The token request under way, shared by all who wait: its failure is the failure of all.
    flight: Option<Flight>,
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
        let (flight, usable) = {
            let mut state = self.state();
            // All who waited for it were dropped: it stands still, and its connection may be long gone.
            if state.flight.as_ref().is_some_and(|flight| flight.strong_count() == Some(1)) {
                state.flight = None;
            }
            let usable = state.token.clone().filter(|token| now < token.ends);
            if let Some(token) = &usable {
                let early = state.renew_at.is_none_or(|at| now < at);
                if early || state.flight.is_some() {
                    return Ok(token.clone());
                }
            }
            // An early renewal is tried once: there is time for another.
            let retry = if usable.is_some() { RetryPolicy::none() } else { settings.retry };
            // Its own deadline: the calls that wait for it end, each at its own, but always new ones may wait.
            let settings = CallSettings { retry, max_response_bytes: MAX_TOKEN_RESPONSE, ..*settings };
            let request = TokenRequest { is_after_rejection: state.is_rejected };
            let flight = state
                .flight
                .get_or_insert_with(|| issue(self.source.clone(), http.clone(), settings, request).shared());
            (flight.clone(), usable)
        };
        let issued = match &usable {
            Some(_) => tokio::time::timeout(RENEWAL_PATIENCE, flight.clone())
                .await
                .unwrap_or_else(|_| Err(Error::new(ErrorKind::Connection, "the token endpoint has not responded yet"))),
            None => flight.clone().await,
        };
        let mut state = self.state();
        if state.flight.as_ref().is_some_and(|current| current.ptr_eq(&flight)) {
            state.flight = None;
            match &issued {
                Ok(token) => {
                    let landed = Instant::now();
                    state.renew_at = Some(landed + renewal(token.ends.saturating_duration_since(landed)));
                    state.token = Some(token.clone());
                    state.is_rejected = false;
                }
                Err(_) => state.renew_at = Some(Instant::now() + RENEWAL_PAUSE),
            }
        }
        match (issued, usable) {
            (Err(error), Some(token)) if Instant::now() < token.ends => {
                tracing::warn!(target: "usage_billing::http", %error, "early renewal of the token failed; the current token is still valid");
                Ok(token)
            }
            (issued, _) => issued,
        }
    }

    /// Drops the token, unless another has taken its place since: of many refused callers, one asks for a new one.
    pub(crate) fn forget(&self, refused: &Arc<Token>) {
        let mut state = self.state();
        if state.token.as_ref().is_some_and(|current| Arc::ptr_eq(current, refused)) {
            state.token = None;
            state.is_rejected = true;
            // It began before the rejection: it is tried once only, and a provider may return the same token again.
            state.flight = None;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a new token is used before the next one is asked for.
fn renewal(life: Duration) -> Duration {
    let margin = (life / 10).max(Duration::from_secs(60)).min(life / 2);
    life - margin
}

#[derive(Deserialize)]
struct Issued {
    access_token: SecretString,
    /// Seconds. Read as a decimal: some services send it as text, or with a point.
    expires_in: Option<DecimalNumber>,
    /// Unix time; some vendors send it in place of `expires_in`.
    expires_on: Option<DecimalNumber>,
}

impl Issued {
    fn life(&self, headers: &HeaderMap) -> Duration {
        let seconds = |number: DecimalNumber| Duration::from_secs(u64::try_from(number.trunc()).unwrap_or_default());
        let on_clock = |unix| {
            let now = retry::date(headers).unwrap_or_else(SystemTime::now);
            let end = SystemTime::UNIX_EPOCH.checked_add(seconds(unix));
            end.map_or(LONGEST_LIFE, |end| end.duration_since(now).unwrap_or_default())
        };
        // `expires_on` first: a vendor that sends both states the truth there (see the vendors' documents).
        let life = match (self.expires_on, self.expires_in) {
            (Some(unix), _) => on_clock(unix),
            (None, Some(span)) => seconds(span),
            (None, None) => ASSUMED_LIFE,
        };
        life.min(LONGEST_LIFE)
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
        let (issued, asked) = match issuer {
            Issuer::Endpoint(endpoint) => fetch(&http, settings, endpoint, context).await?,
            Issuer::Provider(provider) => {
                let provided =
                    provider.token(request, settings.deadline).await.map_err(|error| context.masked(error))?;
                auth::check_token(&provided.secret)?;
                (provided, Instant::now())
            }
        };
        context.secrets.add_token(&issued.secret);
        let ends = asked + issued.life.unwrap_or(ASSUMED_LIFE).min(LONGEST_LIFE);
        Ok(Arc::new(Token { header: auth::authorization(scheme, &issued.secret)?, ends }))
    })
}

/// A token of the endpoint, and when it answered.
async fn fetch(
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
        .map_err(|error| Error::from(error).with_kind(ErrorKind::Config))?;
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
    let answered = Instant::now();
    match ResponseValue::<Issued>::from_response(response).await {
        Ok(issued) if !issued.access_token.expose_secret().is_empty() => {
            let life = issued.life(issued.headers());
            Ok((AccessToken::new(issued.into_inner().access_token).expires_in(life), answered))
        }
        // Without the answer, or what serde quotes of it: the token may stand in it.
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
        let seconds = |life| renewal(Duration::from_secs(life)).as_secs();
        assert_eq!(seconds(86_399), 77_759);
        assert_eq!(seconds(7_200), 6_480);
        assert_eq!(seconds(300), 240);
        assert_eq!(seconds(60), 30);
        assert_eq!(seconds(0), 0);
    }

    #[test]
    fn the_life_of_a_token_is_read_from_either_field() {
        let life = |json: &str| serde_json::from_str::<Issued>(json).unwrap().life(&headers());
        assert_eq!(life(r#"{"access_token":"t","expires_in":86399}"#).as_secs(), 86_399);
        assert_eq!(life(r#"{"access_token":"t","expires_on":1000007200,"expires_in":600}"#).as_secs(), 7_200);
        assert_eq!(life(r#"{"access_token":"t","expires_on":999}"#).as_secs(), 0);
        assert_eq!(life(r#"{"access_token":"t","expires_in":"3600"}"#).as_secs(), 3_600);
        assert_eq!(life(r#"{"access_token":"t","expires_in":3600.5}"#).as_secs(), 3_600);
        assert_eq!(life(r#"{"access_token":"t","expires_in":-1}"#).as_secs(), 0);
        assert_eq!(life(r#"{"access_token":"t"}"#), ASSUMED_LIFE);
        for absurd in [u64::MAX, i64::MAX.unsigned_abs()] {
            assert_eq!(life(&format!(r#"{{"access_token":"t","expires_in":{absurd}}}"#)), LONGEST_LIFE);
            assert_eq!(life(&format!(r#"{{"access_token":"t","expires_on":{absurd}}}"#)), LONGEST_LIFE);
        }
    }

    fn headers() -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::DATE, "Sun, 09 Sep 2001 01:46:40 GMT".parse().unwrap());
        headers
    }
}
