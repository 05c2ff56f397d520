//! Who is calling.

use std::fmt;
use std::sync::Arc;

use http::HeaderValue;
use http::header::AUTHORIZATION;
use reqwest::Request;
use secrecy::{ExposeSecret, SecretString};

use crate::token::{Token, TokenCache, TokenEndpoint};
use crate::{Error, ErrorKind, Result, RetryPolicy};

/// An OAuth client's id and secret.
#[derive(Clone)]
pub struct Credentials {
    pub(crate) client_id: String,
    pub(crate) client_secret: SecretString,
}

impl Credentials {
    /// Of an OAuth client that the vendor's console made.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<SecretString>) -> Self {
        Self { client_id: client_id.into(), client_secret: client_secret.into() }
    }

    /// The id; not a secret.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// How a client's requests are authorised, each copy anew: a pause between two copies may outlive a token.
#[derive(Clone)]
pub struct Auth(Method);

#[derive(Clone)]
enum Method {
    /// Made once; what cannot be sent is told by `check`.
    Header {
        scheme: &'static str,
        value: Result<HeaderValue>,
    },
    Token(Arc<TokenCache>),
}

impl Auth {
    /// `Authorization: <scheme> <secret>` as it stands: an API key, or a token that somebody else renews.
    pub fn header(scheme: &'static str, secret: impl Into<SecretString>) -> Self {
        Self(Method::Header { scheme, value: header(scheme, &secret.into()) })
    }

    /// OAuth 2 client credentials (RFC 6749, 4.4) with HTTP Basic at the token endpoint.
    ///
    /// One token for all clones of the client; renewed a tenth of its life before it ends (a minute at least, if it lives longer
    /// than two), by one request however many calls wait for it.
    pub fn client_credentials(token_url: impl Into<String>, credentials: Credentials) -> Self {
        Self(Method::Token(Arc::new(TokenCache::new(TokenEndpoint { url: token_url.into(), credentials }))))
    }

    /// # Errors
    /// [`ErrorKind::Config`] for what can never be sent.
    pub(crate) fn check(&self) -> Result<()> {
        match &self.0 {
            Method::Header { value, .. } => value.clone().map(|_| ()),
            Method::Token(cache) => cache.check(),
        }
    }

    pub(crate) async fn authorise(
        &self,
        http: &reqwest::Client,
        retry: &RetryPolicy,
        request: &mut Request,
    ) -> Result<Lease<'_>> {
        let (value, token) = match &self.0 {
            Method::Header { value, .. } => (value.clone()?, None),
            Method::Token(cache) => {
                let token = cache.token(http, retry).await?;
                (token.header.clone(), Some((&**cache, token)))
            }
        };
        request.headers_mut().insert(AUTHORIZATION, value);
        Ok(Lease(token))
    }
}

/// What one copy of a request was authorised with.
pub(crate) struct Lease<'a>(Option<(&'a TokenCache, Arc<Token>)>);

impl Lease<'_> {
    /// The vendor refused it. Whether another one is to be had.
    pub(crate) fn refused(&self) -> bool {
        match &self.0 {
            Some((cache, token)) => {
                cache.forget(token);
                true
            }
            None => false,
        }
    }
}

/// The value of `Authorization`, which Debug does not show.
///
/// # Errors
/// [`ErrorKind::Config`] for what can never be sent.
pub(crate) fn header(scheme: &str, secret: &SecretString) -> Result<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("{scheme} {}", secret.expose_secret())).map_err(|_| {
        Error::new(ErrorKind::Config, "the API key or token holds a character that no header can carry (a line break?)")
    })?;
    if secret.expose_secret().trim().is_empty() {
        return Err(Error::new(ErrorKind::Config, "the API key or token is empty"));
    }
    value.set_sensitive(true);
    Ok(value)
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Method::Header { scheme, .. } => f.debug_struct("Auth").field("scheme", scheme).finish_non_exhaustive(),
            Method::Token(cache) => f.debug_tuple("Auth").field(cache.endpoint()).finish(),
        }
    }
}
