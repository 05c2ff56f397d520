//! Setting up a client, the same way for every vendor.

use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;

use crate::auth::Auth;
use crate::base_url::{self, redacted};
use crate::body_permits::BodyPermits;
use crate::call_options::CallSettings;
use crate::http_client::unencrypted_client;
use crate::operation::Service;
use crate::pause::Pause;
use crate::proxy::EnvironmentProxies;
use crate::rate_limit::Limiter;
use crate::transport::Parts;
use crate::{Error, ErrorKind, MinTransferRate, RateLimit, Result, RetryPolicy, Transport, http_client};

type Constructor<C> = Box<dyn FnOnce(&str, reqwest::Client, Transport) -> C + Send>;

/// Optional settings of a client; what a vendor requires was asked for before. `build` does no I/O.
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
    /// For vendor crates: `construct` is the generated constructor.
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

    /// Another address of the API: a proxy's, a sandbox's. Where tokens come from stays.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.settings.base_url = url.into();
        self
    }

    /// When failed requests are sent again, those for tokens included.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.settings.calls.retry = policy;
        self
    }

    /// Sets the longest time of a call, `None` for no limit: the wait for a token and for the rate limit, all attempts with the delays between
    /// them, and the response body. Of a download, everything up to the response headers; then [`min_transfer_rate`](Self::min_transfer_rate)
    /// applies. 5 minutes unless set. A call that is ended is an error of the kind [`Connection`](ErrorKind::Connection), because whether the
    /// vendor acted on the request is unknown. [`CallOptions::deadline`](crate::CallOptions::deadline) sets it for single calls.
    pub fn deadline(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.settings.calls.deadline = limit.into();
        self
    }

    /// Sets the largest response body that is buffered, in bytes; 64 MiB unless set. A larger one is an error of the kind
    /// [`Limit`](ErrorKind::Limit). So is one that would take more than three eighths of this limit once it is decoded (24 MiB), or
    /// more than the limit together with its body, and one with a text of more than a 64th of it (1 MiB): three bytes of JSON can be a struct of more than a thousand. A list of the largest items
    /// that the documents know may have 8,192 of them; the vendors' pages have 1,000 at most. Of all calls of a client, two bodies of more than
    /// 512 KiB, or one of more than 1 MiB, are read and decoded at a time. Downloads are streams and have no such limit.
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.settings.calls.max_response_bytes = bytes;
        self
    }

    /// Sets how much a download has to bring in a span of waiting for the vendor; `None` for no limit. 64 KiB a minute unless set. A slower
    /// one ends with an error of the kind [`Connection`](ErrorKind::Connection).
    pub fn min_transfer_rate(mut self, rate: impl Into<Option<MinTransferRate>>) -> Self {
        self.settings.calls.min_transfer_rate = rate.into();
        self
    }

    /// At most so many requests; `None` for no limit. The vendor's documented limit unless set.
    pub fn rate_limit(mut self, limit: impl Into<Option<RateLimit>>) -> Self {
        self.settings.rate_limit = limit.into();
        self
    }

    /// Longest wait for a connection; 10 s unless set. Not with [`http_client`](Self::http_client).
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect_timeout = Some(timeout);
        self
    }

    /// Longest silence while a response is awaited or read; 60 s unless set. [`deadline`](Self::deadline) limits the whole call. Not with [`http_client`](Self::http_client).
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.settings.read_timeout = Some(timeout);
        self
    }

    /// Adds a header to every request to the API, such as the key that a gateway asks for at the [`base_url`](Self::base_url). Requests for
    /// tokens, which go elsewhere, do not have it. The value counts as a secret: `Debug` does not show it, and errors have it masked.
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

    /// How the program names itself to the vendor, `my-billing/1.2`. Not with [`http_client`](Self::http_client).
    pub fn user_agent(mut self, program: impl Into<String>) -> Self {
        self.settings.user_agent = Some(program.into());
        self
    }

    /// An HTTP client of the caller's own: proxy, roots, pool, timeouts. [`http_client()`] is a good start for one.
    ///
    /// Its proxies are its own: `http://` URLs of this machine go through them unless they except it, which is never so without this setting.
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.settings.http = Some(client);
        self
    }

    /// Permits `http://` for hosts other than this machine, where credentials and data are sent unencrypted: for a network that nobody
    /// else can read. The environment permits it by `USAGE_BILLING_ALLOW_HTTP=1`. Rejected unless set.
    pub fn allow_http(mut self, allow: bool) -> Self {
        self.settings.allow_http = allow;
        self
    }

    /// Wraps the client that `build` will make.
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

    /// The client. Nothing is sent yet: a wrong secret shows at the first call.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: an invalid URL, `http://` for another machine, a secret with something copied along, no trusted roots for
    /// TLS (not read if all URLs are `http://` of this machine), an invalid proxy variable in the environment.
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
                // Set once: the same credentials may be given to several clients of one environment.
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

/// Unencrypted requests to this machine must not leave it through a proxy. One client connects to all its hosts through proxies or to none.
fn check_loopback(urls: &[Url], proxies: &EnvironmentProxies) -> Result<()> {
    let through_proxy = |url: &&Url| base_url::is_unencrypted_loopback(url) && proxies.configured_for(url).is_some();
    let Some(url) = urls.iter().find(through_proxy) else { return Ok(()) };
    let host = url.host_str().unwrap_or_default();
    let message = format!("the credential would be sent unencrypted to {host} through the proxy of the environment");
    Err(Error::new(ErrorKind::Config, message).with_hint(format!("add {host} to NO_PROXY")))
}

/// `is_direct`, to this machine without encryption, leaves out the proxies of the environment and the trusted roots.
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
    fn a_base_url_loses_its_last_slash() {
        assert_eq!(build("https://api.example.com/", Auth::header("Key", "k")).unwrap(), "https://api.example.com");
        assert_eq!(build("https://example.com/api/2/", Auth::header("Key", "k")).unwrap(), "https://example.com/api/2");
    }

    #[test]
    fn a_wrong_setting_is_told_in_one_line_without_the_secret() {
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
            (build("https://example.com", key().and_custom_header("authorization", &"hush".into())), "the client sets"),
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
