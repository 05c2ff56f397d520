//! Tokens and keys that the caller's code supplies, such as from a vault or a workload identity.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use secrecy::SecretString;

use crate::{Error, ErrorKind, Result, printable_message};

/// A token or key that a token provider returns. `Debug` hides it.
///
/// See [`Credentials::token_provider`](crate::Credentials::token_provider) and [`ApiKey::provider`].
///
/// ```
/// use std::time::Duration;
/// use usage_billing_core::AccessToken;
///
/// let token = AccessToken::new("from your vault").expires_in(Duration::from_secs(3600));
/// assert!(!format!("{token:?}").contains("vault"));
/// ```
#[derive(Clone)]
pub struct AccessToken {
    pub(crate) secret: SecretString,
    pub(crate) lifetime: Option<Duration>,
}

impl AccessToken {
    /// Creates a token from its value without the scheme (`Bearer`, `Key`), which the client adds. It is valid for 5 minutes unless
    /// [`expires_in`](Self::expires_in) sets its lifetime.
    pub fn new(secret: impl Into<SecretString>) -> Self {
        Self { secret: secret.into(), lifetime: None }
    }

    /// Sets the lifetime of the token from now, at most 7 days. The provider is called again when a tenth of it remains (at least a minute, if
    /// the lifetime is longer than two).
    pub fn expires_in(self, lifetime: Duration) -> Self {
        Self { lifetime: Some(lifetime), ..self }
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

/// The request for a token that a token provider receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenRequest {
    pub(crate) is_after_rejection: bool,
}

impl TokenRequest {
    /// Returns whether the vendor rejected the previous token (401): a provider with a cache has to return another one.
    pub fn is_after_rejection(&self) -> bool {
        self.is_after_rejection
    }
}

/// An API key: a fixed one, or one that the caller's code supplies when it is needed.
///
/// Strings and [`SecretString`] convert into a fixed key.
///
/// ```
/// use usage_billing_core::{AccessToken, ApiKey};
///
/// let fixed: ApiKey = "from the environment".into();
/// // The file is read again every 5 minutes, and immediately if the vendor rejects the key.
/// let from_file = ApiKey::provider(|_| async {
///     std::fs::read_to_string("/run/secrets/api-key").map(|key| AccessToken::new(key.trim_end()))
/// });
/// # let _ = (fixed, from_file);
/// ```
#[derive(Clone)]
pub struct ApiKey(pub(crate) KeySource);

#[derive(Clone)]
pub(crate) enum KeySource {
    Fixed(SecretString),
    Provider(TokenProvider),
}

impl ApiKey {
    /// Creates a key that `provide` returns, such as from a vault. It is called before the first request, when the key is
    /// [about to expire](AccessToken::expires_in), and once if the vendor rejects the key (401). Calls that need the key at the same time
    /// share one call of `provide`.
    ///
    /// An error of `provide` fails all calls that wait for it, with the kind [`Auth`](ErrorKind::Auth); it is not retried. The status and body
    /// of an [`Error`] of this crate are dropped. The text of the error is escaped, but must not contain secrets that the client does not know.
    pub fn provider<F, E>(provide: impl Fn(TokenRequest) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<AccessToken, E>> + Send + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        Self(KeySource::Provider(TokenProvider::new(provide)))
    }
}

impl<S: Into<SecretString>> From<S> for ApiKey {
    fn from(secret: S) -> Self {
        Self(KeySource::Fixed(secret.into()))
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").finish_non_exhaustive()
    }
}

type ProviderFn = dyn Fn(TokenRequest) -> BoxFuture<'static, Result<AccessToken>> + Send + Sync;

/// The caller's function that returns tokens.
#[derive(Clone)]
pub(crate) struct TokenProvider(Arc<ProviderFn>);

impl TokenProvider {
    pub(crate) fn new<F, E>(provide: impl Fn(TokenRequest) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<AccessToken, E>> + Send + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        Self(Arc::new(move |request| {
            provide(request).map(|outcome| outcome.map_err(|error| provider_error(error.into()))).boxed()
        }))
    }

    /// Calls the function, with a time limit.
    pub(crate) async fn token(&self, request: TokenRequest, limit: Option<Duration>) -> Result<AccessToken> {
        let provided = (self.0)(request);
        let Some(limit) = limit else { return provided.await };
        tokio::time::timeout(limit, provided).await.unwrap_or_else(|_| {
            let message = format!("the token provider returned nothing within the deadline of {limit:?}");
            Err(Error::new(ErrorKind::Auth, message).with_timeout(true).with_setting("deadline"))
        })
    }
}

impl fmt::Debug for TokenProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenProvider")
    }
}

/// Returns the error of a call whose provider failed. Its kind is [`Auth`](ErrorKind::Auth): the status and body of an [`Error`] in the provider
/// are not a response to the call that needs the token.
fn provider_error(error: Box<dyn StdError + Send + Sync>) -> Error {
    let is_timeout = error.downcast_ref::<Error>().is_some_and(Error::is_timeout);
    let message = format!("the token provider failed: {}", printable_message(&error.to_string()));
    Error::new(ErrorKind::Auth, message)
        .with_timeout(is_timeout)
        .with_hint("check the token provider that the client was built with")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_secrets() {
        let token = AccessToken::new("hush").expires_in(Duration::from_secs(60));
        let debug = format!("{token:?} {:?}", ApiKey::from("hush"));
        assert!(!debug.contains("hush"), "{debug}");
    }

    #[tokio::test(start_paused = true)]
    async fn provider_that_never_returns_exceeds_the_deadline() {
        let request = TokenRequest { is_after_rejection: false };
        let provider = TokenProvider::new(|_| std::future::pending::<Result<AccessToken>>());
        let error = provider.token(request, Some(Duration::from_secs(7))).await.unwrap_err();
        assert_eq!((error.kind(), error.setting(), error.is_timeout()), (ErrorKind::Auth, Some("deadline"), true));
    }

    #[tokio::test]
    async fn provider_error_has_kind_auth_and_escaped_text() {
        let request = TokenRequest { is_after_rejection: false };
        let other = TokenProvider::new(|_| async { Err::<AccessToken, _>("sealed\nforged") });
        let error = other.token(request, None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert_eq!(error.message(), r"the token provider failed: sealed\nforged");
        for (kind, status) in [(ErrorKind::Connection, None), (ErrorKind::Request, None), (ErrorKind::Api, Some(404))] {
            let own = TokenProvider::new(move |_| async move {
                let error = Error::new(kind, "sealed").with_attempts(3).with_retry_after(Some(Duration::from_secs(7)));
                Err::<AccessToken, _>(match status {
                    Some(status) => error.with_response(
                        http::StatusCode::from_u16(status).unwrap(),
                        Some("c-1".to_owned()),
                        "\"no such secret\"".into(),
                    ),
                    None => error,
                })
            });
            let error = own.token(request, None).await.unwrap_err();
            assert_eq!((error.kind(), error.status(), error.attempts()), (ErrorKind::Auth, None, 0));
            assert!(error.body().is_empty() && error.request_id().is_none() && error.retry_after().is_none());
            assert!(error.message().starts_with("the token provider failed: ") && error.message().contains("sealed"));
        }
    }
}
