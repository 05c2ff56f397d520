//! Who is calling.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
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
pub struct Auth {
    method: Option<Method>,
    keys: Vec<(&'static str, SecretString)>,
}

/// What makes the header `Authorization`.
#[derive(Clone)]
enum Method {
    Header { scheme: &'static str, secret: SecretString },
    Token(Arc<TokenCache>),
}

impl Auth {
    /// `Authorization: <scheme> <secret>` as it stands: an API key, or a token that somebody else renews.
    pub fn header(scheme: &'static str, secret: impl Into<SecretString>) -> Self {
        Self::by(Method::Header { scheme, secret: secret.into() })
    }

    /// `Authorization: Basic …` (RFC 7617).
    pub fn basic(user: &str, password: impl Into<SecretString>) -> Self {
        let password = password.into();
        // An empty one is not hidden by the encoding: it is refused as an empty secret is.
        let pair = if password.expose_secret().is_empty() {
            String::new()
        } else {
            format!("{user}:{}", password.expose_secret())
        };
        Self::by(Method::Header { scheme: "Basic", secret: STANDARD.encode(pair).into() })
    }

    /// A key as it stands, in a header of its own, such as `X-API-Key`.
    pub fn key(header: &'static str, key: impl Into<SecretString>) -> Self {
        Self { method: None, keys: vec![(header, key.into())] }
    }

    /// One more key in another header.
    #[must_use]
    pub fn and_key(mut self, header: &'static str, key: impl Into<SecretString>) -> Self {
        self.keys.push((header, key.into()));
        self
    }

    fn by(method: Method) -> Self {
        Self { method: Some(method), keys: vec![] }
    }

    /// OAuth 2 client credentials (RFC 6749, 4.4) with HTTP Basic at the token endpoint.
    ///
    /// One token for all clones of the client; renewed a tenth of its life before it ends (a minute at least, if it lives longer
    /// than two), by one request however many calls wait for it.
    pub fn client_credentials(token_url: impl Into<String>, credentials: Credentials) -> Self {
        Self::by(Method::Token(Arc::new(TokenCache::new(TokenEndpoint { url: token_url.into(), credentials }))))
    }

    /// # Errors
    /// [`ErrorKind::Config`] for what can never be sent.
    pub(crate) fn check(&self) -> Result<()> {
        for (name, key) in &self.keys {
            key_header(name, key)?;
        }
        match &self.method {
            Some(Method::Header { scheme, secret }) => header(scheme, secret).map(|_| ()),
            Some(Method::Token(cache)) => cache.check(),
            None => Ok(()),
        }
    }

    pub(crate) async fn authorise(
        &self,
        http: &reqwest::Client,
        retry: &RetryPolicy,
        request: &mut Request,
    ) -> Result<Lease<'_>> {
        for (name, key) in &self.keys {
            let (name, value) = key_header(name, key)?;
            request.headers_mut().insert(name, value);
        }
        let (value, token) = match &self.method {
            Some(Method::Header { scheme, secret }) => (header(scheme, secret)?, None),
            Some(Method::Token(cache)) => {
                let token = cache.token(http, retry).await?;
                (header("Bearer", &token.secret)?, Some((&**cache, token)))
            }
            None => return Ok(Lease(None)),
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

fn header(scheme: &str, secret: &SecretString) -> Result<HeaderValue> {
    carried(format!("{scheme} {}", secret.expose_secret()), secret)
}

fn key_header(name: &str, key: &SecretString) -> Result<(HeaderName, HeaderValue)> {
    let wrong = |_| Error::new(ErrorKind::Config, format!("{name:?} is no header's name"));
    Ok((HeaderName::try_from(name).map_err(wrong)?, carried(key.expose_secret().to_owned(), key)?))
}

fn carried(text: String, secret: &SecretString) -> Result<HeaderValue> {
    let mut value = HeaderValue::try_from(text).map_err(|_| {
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
        let mut shown = f.debug_struct("Auth");
        match &self.method {
            Some(Method::Header { scheme, .. }) => drop(shown.field("scheme", scheme)),
            Some(Method::Token(cache)) => drop(shown.field("token", cache.endpoint())),
            None => {}
        }
        let names = self.keys.iter().map(|(name, _)| name).collect::<Vec<_>>();
        if !names.is_empty() {
            shown.field("keys", &names);
        }
        shown.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sent(auth: &Auth) -> Result<http::HeaderMap> {
        let client = crate::http_client()?.build().expect("a client without settings");
        let mut request = Request::new(reqwest::Method::GET, "http://x".parse().expect("a URL"));
        auth.authorise(&client, &RetryPolicy::none(), &mut request).await?;
        Ok(request.headers().clone())
    }

    #[tokio::test]
    async fn keys_and_passwords_are_sent_as_their_schemes_say() {
        let auth = Auth::basic("Aladdin", "open sesame").and_key("X-Key", "hush").and_key("x-secret", "hush-too");
        let headers = sent(&auth).await.unwrap();
        // The example of RFC 7617.
        assert_eq!(headers[AUTHORIZATION], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!((&headers["x-key"], &headers["x-secret"]), (&"hush".parse().unwrap(), &"hush-too".parse().unwrap()));
        assert!(headers.values().all(HeaderValue::is_sensitive));
        assert_eq!(sent(&Auth::key("X-Key", "hush")).await.unwrap().get(AUTHORIZATION), None);
    }

    #[test]
    fn a_key_that_cannot_be_sent_is_told_without_it() {
        for auth in
            [Auth::key("X-Key", " "), Auth::key("X Key", "hush"), Auth::basic("me", ""), Auth::key("X-Key", "hush\n")]
        {
            let error = auth.check().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(!format!("{error} {auth:?}").contains("hush"), "{error}");
        }
    }
}
