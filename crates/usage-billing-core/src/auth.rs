//! How the requests of a client are authorised.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use reqwest::{Request, Url};
use secrecy::{ExposeSecret, SecretString};

use crate::call_settings::CallSettings;
use crate::credentials::{Credentials, is_uuid};
use crate::failure_context::FailureContext;
use crate::pause::Pause;
use crate::secret_format::SecretUse;
use crate::token_cache::TokenCache;
use crate::token_provider::KeySource;
use crate::token_source::{Issuer, Token, TokenEndpoint, TokenSource};
use crate::{ApiKey, Error, ErrorKind, Result, secret_format};

/// Checks a token that a provider returned.
///
/// # Errors
/// [`ErrorKind::Auth`] with the problem, without the token.
pub(crate) fn check_token(token: &SecretString) -> Result<()> {
    match secret_format::problem(SecretUse::Header, token.expose_secret()) {
        Some(problem) => {
            Err(Error::new(ErrorKind::Auth, format!("the token that the token provider returned {problem}")))
        }
        None => Ok(()),
    }
}

/// Headers that the client sets for the credentials and the connection.
const RESERVED_HEADERS: [&str; 6] =
    ["authorization", "connection", "content-length", "host", "proxy-authorization", "transfer-encoding"];
/// Headers that the client sets for the body and the program. Single calls may set them.
const CALL_HEADERS: [&str; 3] = ["accept", "content-type", "user-agent"];

/// The authorisation of a client's requests. Each attempt is authorised separately: a token may expire between two attempts.
#[derive(Clone)]
pub struct Auth {
    /// Created once, marked as sensitive. `check` returns the error of a header that cannot be sent.
    headers: Vec<Result<(HeaderName, HeaderValue)>>,
    token: Option<Arc<TokenCache>>,
    context: Arc<FailureContext>,
}

impl Auth {
    /// Sends `Authorization: <scheme> <key>`, with a fixed key or one of a provider.
    pub fn header(scheme: &'static str, key: impl Into<ApiKey>) -> Self {
        let secret = match key.into().0 {
            KeySource::Fixed(secret) => secret,
            KeySource::Provider(provider) => return Self::none().with_tokens(scheme, Issuer::Provider(provider)),
        };
        let header = checked_header(SecretUse::Header, &secret, || authorization(scheme, &secret));
        let auth = Self { headers: vec![header], ..Self::none() };
        auth.context.secrets.add(secret.expose_secret());
        auth
    }

    /// Sends `Authorization: Basic …` (RFC 7617).
    pub fn basic(user: &str, password: impl Into<SecretString>) -> Self {
        let password = password.into();
        let pair = format!("{user}:{}", password.expose_secret());
        let encoded = SecretString::from(STANDARD.encode(&pair));
        // The password is checked and not the encoded pair, which would hide that it is empty or in quotes.
        let header = checked_header(SecretUse::Password, &password, || authorization("Basic", &encoded));
        let auth = Self { headers: vec![header], ..Self::none() };
        for secret in [&pair, encoded.expose_secret(), password.expose_secret()] {
            auth.context.secrets.add(secret);
        }
        auth
    }

    /// Sends a key in a header of its own, such as `X-API-Key`.
    pub fn key(header: &'static str, key: impl Into<SecretString>) -> Self {
        Self::none().and_key(header, key)
    }

    fn none() -> Self {
        Self { headers: vec![], token: None, context: Arc::default() }
    }

    fn with_tokens(self, scheme: &'static str, issuer: Issuer) -> Self {
        let source = TokenSource { issuer, scheme, context: self.context.clone() };
        Self { token: Some(Arc::new(TokenCache::new(source))), ..self }
    }

    /// Sends another key in another header as well.
    #[must_use]
    pub fn and_key(self, header: &'static str, key: impl Into<SecretString>) -> Self {
        self.and_header(SecretUse::Header, header, &key.into())
    }

    /// Adds a header of the caller. `check` returns an error if it cannot be sent or is reserved.
    pub(crate) fn and_custom_header(mut self, name: &str, value: &SecretString) -> Self {
        if RESERVED_HEADERS.iter().chain(&CALL_HEADERS).any(|own| name.eq_ignore_ascii_case(own)) {
            let message = format!("the header {name:?} is reserved: the client sets it");
            self.headers.push(Err(Error::new(ErrorKind::Config, message)));
            return self;
        }
        // The value may begin with a scheme.
        self.and_header(SecretUse::Password, name, value)
    }

    fn and_header(mut self, usage: SecretUse, name: &str, value: &SecretString) -> Self {
        self.headers.push(checked_header(usage, value, || sensitive_header(name, value.expose_secret().to_owned())));
        self.context.secrets.add(value.expose_secret());
        self
    }

    /// Sends tokens of OAuth 2 client credentials (RFC 6749, 4.4), which are requested with HTTP Basic at the token endpoint.
    ///
    /// All clones of the client share one token. One request renews it when a tenth of its lifetime remains (at least a minute, if the
    /// lifetime is longer than two).
    ///
    /// With a [token provider](Credentials::token_provider), `token_url` is not used.
    pub fn client_credentials(token_url: impl Into<String>, credentials: Credentials) -> Self {
        let auth = Self::none();
        let Credentials { client_id, grant, parameters } = credentials;
        let client_secret = match grant {
            KeySource::Fixed(client_secret) => client_secret,
            KeySource::Provider(provider) => return auth.with_tokens("Bearer", Issuer::Provider(provider)),
        };
        let secrets = &auth.context.secrets;
        secrets.add(client_secret.expose_secret());
        secrets.add(&format!("{client_id}:{}", client_secret.expose_secret()));
        if !is_uuid(&client_id) {
            // If id and secret were swapped, the id is the secret.
            secrets.add(&client_id);
        }
        let endpoint =
            TokenEndpoint { url: token_url.into(), client_id, client_secret, parameters, pause: Pause::default() };
        auth.with_tokens("Bearer", Issuer::Endpoint(endpoint))
    }

    /// Checks the credentials, and returns the URL of the token endpoint, if there is one.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for headers or secrets that cannot be sent, and for an invalid token URL.
    pub(crate) fn check(&self, allow_http: bool) -> Result<Option<Url>> {
        for header in &self.headers {
            header.clone()?;
        }
        match &self.token {
            Some(cache) => cache.check(allow_http),
            None => Ok(None),
        }
    }

    /// Returns whether the client sets a header for the credentials or the connection.
    pub(crate) fn sets(&self, header: &HeaderName) -> bool {
        RESERVED_HEADERS.contains(&header.as_str()) || self.headers.iter().flatten().any(|(name, _)| name == header)
    }

    /// Returns the secrets and proxies for descriptions of failures.
    pub(crate) fn context(&self) -> &Arc<FailureContext> {
        &self.context
    }

    /// Adds the headers of the credentials to an attempt.
    pub(crate) async fn authorise(
        &self,
        http: &reqwest::Client,
        settings: &CallSettings,
        request: &mut Request,
    ) -> Result<AppliedToken<'_>> {
        for header in &self.headers {
            let (name, value) = header.clone()?;
            request.headers_mut().insert(name, value);
        }
        let Some(cache) = &self.token else { return Ok(AppliedToken(None)) };
        let token = cache.token(http, settings).await?;
        let (name, value) = token.header.clone();
        request.headers_mut().insert(name, value);
        Ok(AppliedToken(Some((cache, token))))
    }
}

/// The token that one attempt was authorised with, if there is one.
pub(crate) struct AppliedToken<'a>(Option<(&'a TokenCache, Arc<Token>)>);

impl AppliedToken<'_> {
    /// Invalidates the token after the vendor rejected it. Returns whether another one can be requested.
    pub(crate) fn invalidate(&self) -> bool {
        match &self.0 {
            Some((cache, token)) => {
                cache.invalidate(token);
                true
            }
            None => false,
        }
    }
}

type Header = (HeaderName, HeaderValue);

/// Returns the header that `make` creates, if the secret has a valid format.
fn checked_header(usage: SecretUse, secret: &SecretString, make: impl FnOnce() -> Result<Header>) -> Result<Header> {
    match secret_format::problem(usage, secret.expose_secret()) {
        Some(problem) => Err(Error::new(ErrorKind::Config, format!("the API key, token or password {problem}"))),
        None => make(),
    }
}

/// Returns the header `Authorization`.
///
/// # Errors
/// [`ErrorKind::Config`] for characters that headers cannot contain.
pub(crate) fn authorization(scheme: &str, secret: &SecretString) -> Result<Header> {
    sensitive_header(AUTHORIZATION.as_str(), format!("{scheme} {}", secret.expose_secret()))
}

/// Returns a header that `Debug` does not print.
fn sensitive_header(name: &str, text: String) -> Result<Header> {
    // The message omits the name: if name and value were swapped, it is the secret.
    let name = HeaderName::try_from(name)
        .map_err(|_| Error::new(ErrorKind::Config, "invalid header name: expected letters, digits and hyphens"))?;
    let mut value = HeaderValue::try_from(text).map_err(|_| {
        Error::new(
            ErrorKind::Config,
            "the API key or token contains a character that headers cannot contain (a line break?)",
        )
    })?;
    value.set_sensitive(true);
    Ok((name, value))
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().flatten().map(|(name, _)| name).collect();
        let token = self.token.as_ref().map(|cache| cache.source());
        f.debug_struct("Auth").field("headers", &names).field("token", &token).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sent_headers(auth: &Auth) -> Result<http::HeaderMap> {
        let client = crate::http_client()?.build().expect("a client without settings");
        let mut request = Request::new(reqwest::Method::GET, "http://x".parse().expect("a URL"));
        auth.authorise(&client, &CallSettings::default(), &mut request).await?;
        Ok(request.headers().clone())
    }

    #[tokio::test]
    async fn keys_and_passwords_are_sent_by_their_schemes() {
        let auth = Auth::basic("Aladdin", "open sesame").and_key("X-Key", "hush").and_key("x-secret", "hush-too");
        let headers = sent_headers(&auth).await.unwrap();
        // Example of RFC 7617.
        assert_eq!(headers[AUTHORIZATION], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!((&headers["x-key"], &headers["x-secret"]), (&"hush".parse().unwrap(), &"hush-too".parse().unwrap()));
        assert!(headers.values().all(HeaderValue::is_sensitive));
        assert_eq!(sent_headers(&Auth::key("X-Key", "hush")).await.unwrap().get(AUTHORIZATION), None);
    }

    #[test]
    fn invalid_key_is_rejected_without_being_printed() {
        for auth in
            [Auth::key("X-Key", " "), Auth::key("X Key", "hush"), Auth::basic("me", ""), Auth::key("X-Key", "hush\n")]
        {
            let error = auth.check(false).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(!format!("{error} {auth:?}").contains("hush"), "{error}");
        }
    }
}
