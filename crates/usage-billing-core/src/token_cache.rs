//! The token cache of a client: all calls share one token.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use reqwest::Url;
use tokio::time::Instant;

use crate::call_settings::CallSettings;
use crate::token_provider::TokenRequest;
use crate::token_source::{Issuer, Token, TokenEndpoint, TokenSource, issue};
use crate::{Error, ErrorKind, Result, RetryPolicy, credentials};

/// Longest time that a call waits for an early renewal before it uses the token that is still valid.
const REFRESH_WAIT: Duration = Duration::from_secs(5);
/// Time from a failed early renewal to the next attempt.
const REFRESH_RETRY_DELAY: Duration = Duration::from_secs(10);

/// Limit of a token endpoint's response; tokens have a few KiB.
const MAX_TOKEN_RESPONSE_BYTES: usize = 1024 * 1024;

/// A token request that several calls wait for.
type InFlightRefresh = Shared<BoxFuture<'static, Result<Arc<Token>>>>;

pub(crate) struct TokenCache {
    source: Arc<TokenSource>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Arc<Token>>,
    refresh_at: Option<Instant>,
    /// Whether the vendor rejected the previous token.
    is_rejected: bool,
    /// The token request that is under way. Its error is the error of all calls that wait for it.
    refresh: Option<InFlightRefresh>,
}

impl TokenCache {
    pub(crate) fn new(source: TokenSource) -> Self {
        Self { source: Arc::new(source), state: Mutex::default() }
    }

    pub(crate) fn source(&self) -> &TokenSource {
        &self.source
    }

    /// Checks the credentials, and returns the URL of the endpoint, if tokens come from one.
    pub(crate) fn check(&self, allow_http: bool) -> Result<Option<Url>> {
        let Issuer::Endpoint(TokenEndpoint { url, client_id, client_secret, .. }) = &self.source.issuer else {
            return Ok(None);
        };
        credentials::check_client(client_id, client_secret)?;
        crate::base_url::parse(url, "token URL", allow_http).map(Some)
    }

    /// Returns the cached token, or a new one. One call renews a token that is about to expire, while the others still use it.
    pub(crate) async fn token(&self, http: &reqwest::Client, settings: &CallSettings) -> Result<Arc<Token>> {
        let now = Instant::now();
        let (refresh, usable) = {
            let mut state = self.state();
            // All calls that waited for the request were dropped: nothing polls it, and its connection may be lost.
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
            // An early renewal has one attempt: there is time for another renewal.
            let retry = if usable.is_some() { RetryPolicy::none() } else { settings.retry };
            // The request has its own deadline: each waiting call ends at its own, but new calls may always join.
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

    /// Removes the rejected token from the cache, unless another has replaced it: of many rejected calls, one requests a new token.
    pub(crate) fn invalidate(&self, rejected: &Arc<Token>) {
        let mut state = self.state();
        if state.token.as_ref().is_some_and(|current| Arc::ptr_eq(current, rejected)) {
            state.token = None;
            state.is_rejected = true;
            // The refresh started before the rejection: it has one attempt, and a provider may return the same token again.
            state.refresh = None;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the time after which a new token is renewed.
fn refresh_after(lifetime: Duration) -> Duration {
    let margin = (lifetime / 10).max(Duration::from_secs(60)).min(lifetime / 2);
    lifetime - margin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_is_renewed_when_a_tenth_of_its_lifetime_remains() {
        let seconds = |lifetime| refresh_after(Duration::from_secs(lifetime)).as_secs();
        assert_eq!(seconds(86_399), 77_759);
        assert_eq!(seconds(7_200), 6_480);
        assert_eq!(seconds(300), 240);
        assert_eq!(seconds(60), 30);
        assert_eq!(seconds(0), 0);
    }
}
