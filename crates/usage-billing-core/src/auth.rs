//! Who is calling.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use reqwest::Request;
use secrecy::{ExposeSecret, SecretString};

use crate::call_options::CallSettings;
use crate::token::{Token, TokenCache, TokenEndpoint};
use crate::{Error, ErrorKind, Result};

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
    /// Made once, marked as sensitive; what cannot be sent is told by `check`.
    headers: Vec<Result<(HeaderName, HeaderValue)>>,
    token: Option<Arc<TokenCache>>,
}

impl Auth {
    /// `Authorization: <scheme> <secret>` as it stands: an API key, or a token that somebody else renews.
    pub fn header(scheme: &'static str, secret: impl Into<SecretString>) -> Self {
        Self { headers: vec![authorization(scheme, &secret.into())], token: None }
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
        Self::header("Basic", STANDARD.encode(pair))
    }

    /// A key as it stands, in a header of its own, such as `X-API-Key`.
    pub fn key(header: &'static str, key: impl Into<SecretString>) -> Self {
        Self { headers: vec![], token: None }.and_key(header, key)
    }

    /// One more key in another header.
    #[must_use]
    pub fn and_key(mut self, header: &'static str, key: impl Into<SecretString>) -> Self {
        let key = key.into();
        self.headers.push(sensitive(header, key.expose_secret().to_owned(), &key));
        self
    }

    /// OAuth 2 client credentials (RFC 6749, 4.4) with HTTP Basic at the token endpoint.
    ///
    /// One token for all clones of the client; renewed a tenth of its life before it ends (a minute at least, if it lives longer
    /// than two), by one request however many calls wait for it.
    pub fn client_credentials(token_url: impl Into<String>, credentials: Credentials) -> Self {
        Self {
            headers: vec![],
            token: Some(Arc::new(TokenCache::new(TokenEndpoint { url: token_url.into(), credentials }))),
        }
    }

    /// # Errors
    /// [`ErrorKind::Config`] for what can never be sent.
    pub(crate) fn check(&self) -> Result<()> {
        for header in &self.headers {
            header.clone()?;
        }
        self.token.as_ref().map_or(Ok(()), |cache| cache.check())
    }

    pub(crate) async fn authorise(
        &self,
        http: &reqwest::Client,
        settings: &CallSettings,
        request: &mut Request,
    ) -> Result<Lease<'_>> {
        for header in &self.headers {
            let (name, value) = header.clone()?;
            request.headers_mut().insert(name, value);
        }
        let Some(cache) = &self.token else { return Ok(Lease(None)) };
        let token = cache.token(http, settings).await?;
        request.headers_mut().insert(AUTHORIZATION, token.header.clone());
        Ok(Lease(Some((cache, token))))
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

/// The header `Authorization`.
///
/// # Errors
/// [`ErrorKind::Config`] for what can never be sent.
pub(crate) fn authorization(scheme: &str, secret: &SecretString) -> Result<(HeaderName, HeaderValue)> {
    sensitive(AUTHORIZATION.as_str(), format!("{scheme} {}", secret.expose_secret()), secret)
}

/// A header that Debug does not show.
fn sensitive(name: &str, text: String, secret: &SecretString) -> Result<(HeaderName, HeaderValue)> {
    let name = HeaderName::try_from(name)
        .map_err(|_| Error::new(ErrorKind::Config, format!("{name:?} is no header's name")))?;
    let mut value = HeaderValue::try_from(text).map_err(|_| {
        Error::new(ErrorKind::Config, "the API key or token holds a character that no header can carry (a line break?)")
    })?;
    if secret.expose_secret().trim().is_empty() {
        return Err(Error::new(ErrorKind::Config, "the API key or token is empty"));
    }
    value.set_sensitive(true);
    Ok((name, value))
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().flatten().map(|(name, _)| name).collect();
        let token = self.token.as_ref().map(|cache| cache.endpoint());
        f.debug_struct("Auth").field("headers", &names).field("token", &token).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sent(auth: &Auth) -> Result<http::HeaderMap> {
        let client = crate::http_client()?.build().expect("a client without settings");
        let mut request = Request::new(reqwest::Method::GET, "http://x".parse().expect("a URL"));
        auth.authorise(&client, &CallSettings::default(), &mut request).await?;
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
