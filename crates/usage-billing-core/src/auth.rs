//! Who is calling.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use reqwest::{Request, Url};
use secrecy::{ExposeSecret, SecretString};

use crate::call_options::CallSettings;
use crate::failure_context::FailureContext;
use crate::pause::Pause;
use crate::secret_format::SecretUse;
use crate::token_cache::{Issuer, Token, TokenCache, TokenEndpoint, TokenSource};
use crate::token_provider::{KeySource, TokenProvider};
use crate::{AccessToken, ApiKey, Error, ErrorKind, Result, TokenRequest, secret_format};

/// An OAuth client's id, with its secret or with a provider of its tokens.
///
/// ```
/// use usage_billing_core::{Credentials, SecretString};
///
/// let secret = SecretString::from("from your secret store");
/// let credentials = Credentials::new("6be1f0c9-2d47-4c83-b5a9-7e3f10d8c264", secret);
/// assert!(!format!("{credentials:?}").contains("secret store"));
/// ```
#[derive(Clone)]
pub struct Credentials {
    client_id: String,
    grant: KeySource,
}

impl Credentials {
    /// Id and secret of an OAuth client that the vendor's console made: the client requests tokens with them.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<SecretString>) -> Self {
        Self { client_id: client_id.into(), grant: KeySource::Fixed(client_secret.into()) }
    }

    /// Takes tokens from `provide` in place of the vendor's token endpoint: for programs whose tokens are issued elsewhere, such as in a
    /// vault. `client_id` is the OAuth client that the tokens are issued to.
    ///
    /// `provide` is called before the first request, when the token is [about to expire](AccessToken::expires_in), and once if the vendor
    /// rejects the token (401). Calls that need a token at the same time share one call of `provide`. Its failure is the failure of all
    /// calls that wait for it, with the kind [`Auth`](ErrorKind::Auth) unless it is an [`Error`] of this crate; it is not retried. Its text
    /// is escaped, but may not contain secrets that the client does not know.
    ///
    /// ```
    /// use std::time::Duration;
    /// use usage_billing_core::{AccessToken, Credentials, TokenRequest};
    ///
    /// # #[derive(Clone)] struct Vault;
    /// # impl Vault { async fn read(&self, _: &str, _: bool) -> std::io::Result<String> { Ok(String::new()) } }
    /// fn credentials(vault: Vault) -> Credentials {
    ///     Credentials::token_provider("6be1f0c9-2d47-4c83-b5a9-7e3f10d8c264", move |request: TokenRequest| {
    ///         let vault = vault.clone();
    ///         async move {
    ///             // The vendor rejected the token before: the vault's cache is not to be used.
    ///             let token = vault.read("billing/token", request.is_after_rejection()).await?;
    ///             Ok::<_, std::io::Error>(AccessToken::new(token).expires_in(Duration::from_secs(3600)))
    ///         }
    ///     })
    /// }
    /// ```
    pub fn token_provider<F, E>(
        client_id: impl Into<String>,
        provide: impl Fn(TokenRequest) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<AccessToken, E>> + Send + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        Self { client_id: client_id.into(), grant: KeySource::Provider(TokenProvider::new(provide)) }
    }

    /// The id; not a secret.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = redacted_client_id(&self.client_id);
        f.debug_struct("Credentials").field("client_id", &id).finish_non_exhaustive()
    }
}

/// A client's id for `Debug`: with id and secret swapped, the id is the secret.
pub(crate) fn redacted_client_id(id: &str) -> &str {
    if is_uuid(id) { id } else { "*** (not a UUID)" }
}

/// # Errors
/// [`ErrorKind::Config`] with what is wrong with an OAuth client's id and secret, without the secret.
pub(crate) fn check_client(client_id: &str, client_secret: &SecretString) -> Result<()> {
    let invalid = |message: String| Err(Error::new(ErrorKind::Config, message));
    if let Some(problem) = secret_format::problem(SecretUse::Password, client_id) {
        return invalid(format!("the client id {problem}"));
    }
    if let Some(problem) = secret_format::problem(SecretUse::Password, client_secret.expose_secret()) {
        return invalid(format!("the client secret {problem}"));
    }
    Ok(())
}

/// # Errors
/// [`ErrorKind::Auth`] with what is wrong with a token that a provider returned, without the token.
pub(crate) fn check_token(token: &SecretString) -> Result<()> {
    match secret_format::problem(SecretUse::Header, token.expose_secret()) {
        Some(problem) => {
            Err(Error::new(ErrorKind::Auth, format!("the token that the token provider returned {problem}")))
        }
        None => Ok(()),
    }
}

/// Whether an id is of the form that OAuth clients' ids usually have and secrets do not.
fn is_uuid(id: &str) -> bool {
    id.len() == 36
        && id.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Headers of the credentials, of the body and of the connection.
const RESERVED_HEADERS: [&str; 9] = [
    "accept",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "proxy-authorization",
    "transfer-encoding",
    "user-agent",
];

/// How a client's requests are authorised, each copy anew: a pause between two copies may outlive a token.
#[derive(Clone)]
pub struct Auth {
    /// Made once, marked as sensitive; what cannot be sent is told by `check`.
    headers: Vec<Result<(HeaderName, HeaderValue)>>,
    token: Option<Arc<TokenCache>>,
    context: Arc<FailureContext>,
}

impl Auth {
    /// `Authorization: <scheme> <key>`: an API key or a token, fixed or of a provider.
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

    /// `Authorization: Basic …` (RFC 7617).
    pub fn basic(user: &str, password: impl Into<SecretString>) -> Self {
        let password = password.into();
        let pair = format!("{user}:{}", password.expose_secret());
        let encoded = SecretString::from(STANDARD.encode(&pair));
        // The password is checked and not the pair: the encoding would hide that it is empty or in quotes.
        let header = checked_header(SecretUse::Password, &password, || authorization("Basic", &encoded));
        let auth = Self { headers: vec![header], ..Self::none() };
        for secret in [&pair, encoded.expose_secret(), password.expose_secret()] {
            auth.context.secrets.add(secret);
        }
        auth
    }

    /// A key as it stands, in a header of its own, such as `X-API-Key`.
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

    /// One more key in another header.
    #[must_use]
    pub fn and_key(self, header: &'static str, key: impl Into<SecretString>) -> Self {
        self.and_header(SecretUse::Header, header, &key.into())
    }

    /// A header that the caller adds; what cannot be sent, or is not the caller's to set, is an error of `check`.
    pub(crate) fn and_custom_header(mut self, name: &str, value: &SecretString) -> Self {
        if RESERVED_HEADERS.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            let message = format!("{name:?} is a header that the client sets itself");
            self.headers.push(Err(Error::new(ErrorKind::Config, message)));
            return self;
        }
        // It may begin with a scheme of its own.
        self.and_header(SecretUse::Password, name, value)
    }

    fn and_header(mut self, usage: SecretUse, name: &str, value: &SecretString) -> Self {
        self.headers.push(checked_header(usage, value, || sensitive_header(name, value.expose_secret().to_owned())));
        self.context.secrets.add(value.expose_secret());
        self
    }

    /// OAuth 2 client credentials (RFC 6749, 4.4) with HTTP Basic at the token endpoint.
    ///
    /// One token for all clones of the client; renewed a tenth of its life before it ends (a minute at least, if it lives longer
    /// than two), by one request however many calls wait for it.
    ///
    /// Credentials with a [token provider](Credentials::token_provider) take tokens from there, and `token_url` is not used.
    pub fn client_credentials(token_url: impl Into<String>, credentials: Credentials) -> Self {
        let auth = Self::none();
        let Credentials { client_id, grant } = credentials;
        let client_secret = match grant {
            KeySource::Fixed(client_secret) => client_secret,
            KeySource::Provider(provider) => return auth.with_tokens("Bearer", Issuer::Provider(provider)),
        };
        let secrets = &auth.context.secrets;
        secrets.add(client_secret.expose_secret());
        secrets.add(&format!("{client_id}:{}", client_secret.expose_secret()));
        if !is_uuid(&client_id) {
            // It may be the secret, if the two are swapped.
            secrets.add(&client_id);
        }
        let endpoint = TokenEndpoint { url: token_url.into(), client_id, client_secret, pause: Pause::default() };
        auth.with_tokens("Bearer", Issuer::Endpoint(endpoint))
    }

    /// Returns where tokens come from, if there are any.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for what can never be sent, or not there.
    pub(crate) fn check(&self, allow_http: bool) -> Result<Option<Url>> {
        for header in &self.headers {
            header.clone()?;
        }
        match &self.token {
            Some(cache) => cache.check(allow_http),
            None => Ok(None),
        }
    }

    /// What failures of the client are described with.
    pub(crate) fn context(&self) -> &Arc<FailureContext> {
        &self.context
    }

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

/// What one copy of a request was authorised with.
pub(crate) struct AppliedToken<'a>(Option<(&'a TokenCache, Arc<Token>)>);

impl AppliedToken<'_> {
    /// The vendor refused it. Whether another one is to be had.
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

/// The header that `make` makes of a secret that a vendor may have issued.
fn checked_header(usage: SecretUse, secret: &SecretString, make: impl FnOnce() -> Result<Header>) -> Result<Header> {
    match secret_format::problem(usage, secret.expose_secret()) {
        Some(problem) => Err(Error::new(ErrorKind::Config, format!("the API key, token or password {problem}"))),
        None => make(),
    }
}

/// The header `Authorization`.
///
/// # Errors
/// [`ErrorKind::Config`] for what can never be sent.
pub(crate) fn authorization(scheme: &str, secret: &SecretString) -> Result<Header> {
    sensitive_header(AUTHORIZATION.as_str(), format!("{scheme} {}", secret.expose_secret()))
}

/// A header that Debug does not show.
fn sensitive_header(name: &str, text: String) -> Result<Header> {
    // Without the name: with name and value swapped, it is the secret.
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
    async fn keys_and_passwords_are_sent_as_their_schemes_say() {
        let auth = Auth::basic("Aladdin", "open sesame").and_key("X-Key", "hush").and_key("x-secret", "hush-too");
        let headers = sent_headers(&auth).await.unwrap();
        // The example of RFC 7617.
        assert_eq!(headers[AUTHORIZATION], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!((&headers["x-key"], &headers["x-secret"]), (&"hush".parse().unwrap(), &"hush-too".parse().unwrap()));
        assert!(headers.values().all(HeaderValue::is_sensitive));
        assert_eq!(sent_headers(&Auth::key("X-Key", "hush")).await.unwrap().get(AUTHORIZATION), None);
    }

    #[test]
    fn a_key_that_cannot_be_sent_is_told_without_it() {
        for auth in
            [Auth::key("X-Key", " "), Auth::key("X Key", "hush"), Auth::basic("me", ""), Auth::key("X-Key", "hush\n")]
        {
            let error = auth.check(false).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(!format!("{error} {auth:?}").contains("hush"), "{error}");
        }
    }
}
