//! The builder of every vendor's client.

use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;

use crate::auth::Auth;
use crate::base_url::{self, redacted};
use crate::body_permits::BodyPermits;
use crate::call_settings::CallSettings;
use crate::http_client::unencrypted_client;
use crate::operation::Service;
use crate::pause::Pause;
use crate::proxy::EnvironmentProxies;
use crate::rate_limit::Limiter;
use crate::transport::Parts;
use crate::{Error, ErrorKind, MinTransferRate, RateLimit, Result, RetryPolicy, Transport, http_client};

type Constructor<C> = Box<dyn FnOnce(&str, reqwest::Client, Transport) -> C + Send>;

/// The optional settings of a client. The vendor's `Client::builder` takes the required ones and returns this builder.
///
/// ```
/// use std::time::Duration;
/// use usage_billing_core::{ClientBuilder, RateLimit, Result, RetryPolicy};
///
/// fn client<C>(builder: ClientBuilder<C>) -> Result<C> {
///     builder
///         .user_agent("my-billing/1.2")
///         .retry(RetryPolicy::default().max_attempts(6))
///         .deadline(Duration::from_secs(600))
///         .rate_limit(RateLimit::per_minute(150))
///         .build()
/// }
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct ClientBuilder<C> {
    settings: Settings,
    construct: Constructor<C>,
}

struct Settings {
    service: Service,
    base_url: String,
    auth: Auth,
    calls: CallSettings,
    rate_limit: Option<RateLimit>,
    connect_timeout: Option<Duration>,
    read_timeout: Option<Duration>,
    user_agent: Option<String>,
    http: Option<reqwest::Client>,
    allow_http: bool,
}

impl<C> ClientBuilder<C> {
    /// Creates a builder, for vendor crates. `construct` is the generated constructor.
    #[doc(hidden)]
    pub fn new(
        service: Service,
        base_url: impl Into<String>,
        auth: Auth,
        construct: impl FnOnce(&str, reqwest::Client, Transport) -> C + Send + 'static,
    ) -> Self {
        let settings = Settings {
            service,
            base_url: base_url.into(),
            auth,
            calls: CallSettings::default(),
            rate_limit: None,
            connect_timeout: None,
            read_timeout: None,
            user_agent: None,
            http: None,
            allow_http: false,
        };
        Self { settings, construct: Box::new(construct) }
    }

    /// Sets the URL of the API, such as that of a gateway or a sandbox. The token URL does not change.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.settings.base_url = url.into();
        self
    }

    /// Sets the retry policy, also for requests for tokens.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.settings.calls.retry = policy;
        self
    }

    /// Sets the time limit of a call; `None` for no limit. The default is 5 minutes.
    ///
    /// It includes the wait for a token and for the rate limit, all attempts with the delays between them, and the response body. For a
    /// download it includes everything up to the response headers; then [`min_transfer_rate`](Self::min_transfer_rate) applies. A call that
    /// exceeds it fails with the kind [`Connection`](ErrorKind::Connection), because it is unknown whether the vendor acted on the request.
    /// [`CallOptions::deadline`](crate::CallOptions::deadline) sets it for single calls.
    pub fn deadline(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.settings.calls.deadline = limit.into();
        self
    }

    /// Sets the limit of a buffered response body, in bytes. The default is 64 MiB.
    ///
    /// A larger body is an error of the kind [`Limit`](ErrorKind::Limit). So is a body that takes more than three eighths of this limit once
    /// decoded (24 MiB), or more than the limit together with its JSON: three bytes of JSON can become a struct of more than a thousand. The
    /// same holds for a string of more than a 64th of the limit (1 MiB). A list may have 8,192 of the largest items in the OpenAPI
    /// documents; the vendors' pages have at most 1,000.
    ///
    /// A client reads and decodes at most two bodies of more than 512 KiB, or one of more than 1 MiB, at once. Downloads are streams without
    /// this limit.
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.settings.calls.max_response_bytes = bytes;
        self
    }

    /// Sets the minimum transfer rate of downloads; `None` for no minimum. The default is 64 KiB a minute. A slower download fails with the
    /// kind [`Connection`](ErrorKind::Connection).
    pub fn min_transfer_rate(mut self, rate: impl Into<Option<MinTransferRate>>) -> Self {
        self.settings.calls.min_transfer_rate = rate.into();
        self
    }

    /// Sets the rate limit of requests; `None` for no limit. The default is the vendor's documented limit, if there is one.
    pub fn rate_limit(mut self, limit: impl Into<Option<RateLimit>>) -> Self {
        self.settings.rate_limit = limit.into();
        self
    }

    /// Sets the time limit for connecting. The default is 10 s. [`build`](Self::build) rejects it together with
    /// [`http_client`](Self::http_client).
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect_timeout = Some(timeout);
        self
    }

    /// Sets the time limit for each read of a response. The default is 60 s; [`deadline`](Self::deadline) limits the complete call.
    /// [`build`](Self::build) rejects it together with [`http_client`](Self::http_client).
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.settings.read_timeout = Some(timeout);
        self
    }

    /// Adds a header to every request to the API, such as the key that a gateway at the [`base_url`](Self::base_url) requires. Requests for
    /// tokens do not have it. The value is treated as a secret: `Debug` does not print it, and errors mask it.
    ///
    /// [`build`](Self::build) rejects an invalid name or value, and names of headers that the client sets itself (`Authorization`,
    /// `Content-Type` and others): other credentials are for [`Credentials::token_provider`](crate::Credentials::token_provider).
    ///
    /// ```
    /// # use usage_billing_core::{ClientBuilder, SecretString};
    /// fn behind_gateway<C>(builder: ClientBuilder<C>, key: SecretString) -> ClientBuilder<C> {
    ///     builder.base_url("https://gateway.example.com/billing").header("X-Gateway-Key", key)
    /// }
    /// ```
    pub fn header(mut self, name: impl AsRef<str>, value: impl Into<SecretString>) -> Self {
        self.settings.auth = self.settings.auth.and_custom_header(name.as_ref(), &value.into());
        self
    }

    /// Sets the program's part of the header `User-Agent`, such as `my-billing/1.2`. [`build`](Self::build) rejects it together with
    /// [`http_client`](Self::http_client).
    pub fn user_agent(mut self, program: impl Into<String>) -> Self {
        self.settings.user_agent = Some(program.into());
        self
    }

    /// Sets the HTTP client, with its own proxies, trusted roots, pool and timeouts. Start from [`http_client()`] to build one.
    ///
    /// With this setting, requests to `http://` URLs of this machine go through the client's proxies unless these exclude it.
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.settings.http = Some(client);
        self
    }

    /// Permits `http://` for hosts other than this machine, where credentials and data are sent unencrypted, on a trusted network. The
    /// environment variable `USAGE_BILLING_ALLOW_HTTP=1` permits it too. The default is `false`.
    pub fn allow_http(mut self, allow: bool) -> Self {
        self.settings.allow_http = allow;
        self
    }

    /// Wraps the client that `build` returns, for the facade.
    #[doc(hidden)]
    pub fn map<D>(self, wrap: impl FnOnce(C) -> D + Send + 'static) -> ClientBuilder<D>
    where
        C: 'static,
    {
        let Self { settings, construct } = self;
        ClientBuilder {
            settings,
            construct: Box::new(move |url, http, transport| wrap(construct(url, http, transport))),
        }
    }

    /// Builds the client. It sends nothing: the vendor rejects an invalid secret at the first call.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for an invalid URL, `http://` to another machine, an invalid format of a secret, an invalid proxy variable in the
    /// environment, or settings that exclude each other. So are missing trusted roots for TLS, unless all URLs are `http://` of this machine.
    pub fn build(self) -> Result<C> {
        let Self { settings, construct } = self;
        let allow_http = settings.allow_http || base_url::http_allowed_by_env()?;
        let base = base_url::parse(&settings.base_url, "base URL", allow_http)?;
        let token_url = settings.auth.check(allow_http)?;
        let limiter = settings.rate_limit.map(Limiter::new).transpose()?;
        let http = match settings.http {
            Some(_)
                if settings.connect_timeout.is_some()
                    || settings.read_timeout.is_some()
                    || settings.user_agent.is_some() =>
            {
                let message = "timeouts and user agent are settings of the HTTP client: set them on the one passed in";
                return Err(Error::new(ErrorKind::Config, message));
            }
            Some(http) => http,
            None if base.scheme() == "https" && !crate::http_client::HAS_TLS => {
                let message = "an https URL without TLS: enable the feature `rustls`, `aws-lc` or `native-tls`";
                return Err(Error::new(ErrorKind::Config, message));
            }
            None => {
                let proxies = EnvironmentProxies::from_env()?;
                let urls: Vec<_> = [Some(base.clone()), token_url].into_iter().flatten().collect();
                let is_direct = urls.iter().all(base_url::is_unencrypted_loopback);
                if !is_direct {
                    check_loopback(&urls, &proxies)?;
                }
                let context = settings.auth.context();
                proxies.secrets().iter().for_each(|secret| context.secrets.add(secret));
                // Already set if several clients share the credentials; their environment is the same.
                let _ = context.proxies.set(proxies);
                default_client(is_direct, settings.connect_timeout, settings.read_timeout, settings.user_agent)?
            }
        };
        let transport = Transport::new(Parts {
            service: settings.service,
            base: base.clone(),
            auth: settings.auth,
            settings: settings.calls,
            limiter,
            pause: Pause::default(),
            body_permits: BodyPermits::default(),
        });
        Ok(construct(base.as_str().trim_end_matches('/'), http, transport))
    }
}

/// Rejects proxies for unencrypted requests to this machine, which must not leave it. A client uses proxies for all its hosts or for none.
fn check_loopback(urls: &[Url], proxies: &EnvironmentProxies) -> Result<()> {
    let through_proxy = |url: &&Url| base_url::is_unencrypted_loopback(url) && proxies.configured_for(url).is_some();
    let Some(url) = urls.iter().find(through_proxy) else { return Ok(()) };
    let host = url.host_str().unwrap_or_default();
    let message = format!("the credential would be sent unencrypted to {host} through the proxy of the environment");
    Err(Error::new(ErrorKind::Config, message).with_hint(format!("add {host} to NO_PROXY")))
}

/// Builds the default HTTP client. For unencrypted requests to this machine (`is_direct`) it has no proxies and no trusted roots.
fn default_client(
    is_direct: bool,
    connect: Option<Duration>,
    read: Option<Duration>,
    user_agent: Option<String>,
) -> Result<reqwest::Client> {
    const CRATE_AGENT: &str = concat!("usage-billing/", env!("CARGO_PKG_VERSION"));
    let agent = user_agent.map_or_else(|| CRATE_AGENT.to_owned(), |program| format!("{program} {CRATE_AGENT}"));
    let mut builder = if is_direct { unencrypted_client()?.no_proxy() } else { http_client()? }.user_agent(agent);
    if let Some(timeout) = connect {
        builder = builder.connect_timeout(timeout);
    }
    if let Some(timeout) = read {
        builder = builder.read_timeout(timeout);
    }
    builder.build().map_err(|error| {
        let reason = crate::error::innermost(&error);
        Error::new(ErrorKind::Config, format!("the HTTP client cannot be set up: {reason}")).with_source(error)
    })
}

impl<C> std::fmt::Debug for ClientBuilder<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("base_url", &redacted(&self.settings.base_url))
            .field("auth", &self.settings.auth)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(base_url: &str, auth: Auth) -> Result<String> {
        let service =
            Service { operations: &[], request_id_headers: &[], limit_reset_headers: &[], credential_hint: "" };
        ClientBuilder::new(service, base_url, auth, |url, _, _| url.to_owned()).map(|url| url).build()
    }

    #[test]
    fn trailing_slash_of_base_url_is_removed() {
        assert_eq!(build("https://api.example.com/", Auth::header("Key", "k")).unwrap(), "https://api.example.com");
        assert_eq!(build("https://example.com/api/2/", Auth::header("Key", "k")).unwrap(), "https://example.com/api/2");
    }

    #[test]
    fn invalid_setting_is_reported_without_the_secret() {
        let key = || Auth::header("Key", "hush");
        let credentials = || crate::Credentials::new("id", "hush");
        let cases = [
            (build("api.example.com", key()), "expected https://host"),
            (build("ftp://example.com", key()), "expected a URL that begins with https://"),
            (build("https://me:hush@example.com", key()), "pass credentials separately"),
            (build("https://example.com?key=hush", key()), "without a query"),
            (build("me:hush@example.com", key()), "base URL `…`: expected a URL that begins with https://"),
            (build("https//me:hush@example.com", key()), "base URL `…`: "),
            (build("https://example.com", Auth::header("Key", "hush\n")), "ends with a space or line break"),
            (build("https://example.com", Auth::header("Key", " ")), "is empty"),
            (build("https://example.com", key().and_custom_header("authorization", &"hush".into())), "is reserved"),
            (build("https://example.com", key().and_custom_header("X Key", &"hush".into())), "invalid header name"),
            (build("https://example.com", key().and_custom_header("hush key", &"X-Key".into())), "invalid header name"),
            (build("https://example.com", key().and_custom_header("X-Key", &"hush\n".into())), "line break"),
            (build("https://example.com", Auth::client_credentials("login", credentials())), "token URL `login`"),
            (
                build(
                    "https://example.com",
                    Auth::client_credentials("https://x", crate::Credentials::new("", "hush")),
                ),
                "is empty",
            ),
        ];
        for (outcome, expected) in cases {
            let error = outcome.unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
            assert_eq!(error.kind(), ErrorKind::Config);
        }
    }
}
