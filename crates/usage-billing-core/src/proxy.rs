//! The proxies of the environment: invalid ones are rejected, and errors name the one that failed.
//!
//! reqwest reads the same variables with the same matcher, but ignores an invalid value and connects directly.

use std::env::{self, VarError};
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;

use crate::base_url::is_unencrypted_loopback;
use crate::{Error, ErrorKind, Result};

// Variables in the order in which they are read; the first one that is set is used.
const HTTPS: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
const HTTP: [&str; 2] = ["HTTP_PROXY", "http_proxy"];
const ALL: [&str; 2] = ["ALL_PROXY", "all_proxy"];

/// The proxies of the environment at the time at which the client was built.
pub(crate) struct EnvironmentProxies {
    matcher: Matcher,
    https: Option<&'static str>,
    http: Option<&'static str>,
}

/// A proxy without its user name and password.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Proxy {
    address: String,
    /// `None` for a proxy of the operating system's settings.
    variable: Option<&'static str>,
}

impl EnvironmentProxies {
    /// Reads the proxies of the environment.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a variable that is not a valid proxy URL.
    pub(crate) fn from_env() -> Result<Self> {
        let variable = |name: &str| match env::var(name) {
            Ok(value) => Some(Ok(value)),
            Err(VarError::NotUnicode(_)) => Some(Err(())),
            Err(VarError::NotPresent) => None,
        };
        // In a CGI program, `HTTP_PROXY` is the header `Proxy` of a request; the matcher ignores all variables there.
        let [https, http] = if env::var_os("REQUEST_METHOD").is_some() { [None; 2] } else { variables(variable)? };
        Ok(Self { matcher: Matcher::from_system(), https, http })
    }

    /// Returns the proxy that requests to `url` go through. Unencrypted requests to this machine go through none.
    pub(crate) fn for_url(&self, url: &Url) -> Option<Proxy> {
        if is_unencrypted_loopback(url) { None } else { self.configured_for(url) }
    }

    /// Returns the proxy that the environment sets for `url`.
    pub(crate) fn configured_for(&self, url: &Url) -> Option<Proxy> {
        let proxy = self.matcher.intercept(&url.as_str().parse().ok()?)?;
        let variable = if url.scheme() == "https" { self.https } else { self.http };
        Some(Proxy { address: address(proxy.uri()), variable })
    }

    /// Returns the user names and passwords of the proxies.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let mut secrets = Vec::new();
        for uri in [Uri::from_static("https://host.invalid"), Uri::from_static("http://host.invalid")] {
            let Some(proxy) = self.matcher.intercept(&uri) else { continue };
            let basic = proxy.basic_auth().and_then(|header| header.to_str().ok()?.strip_prefix("Basic "));
            let basic = basic.and_then(|encoded| String::from_utf8(STANDARD.decode(encoded).ok()?).ok());
            let pair = basic.or_else(|| proxy.raw_auth().map(|(user, password)| format!("{user}:{password}")));
            // Without a password, the user name may be a token.
            if let Some((user, password)) = pair.as_deref().and_then(|pair| pair.split_once(':')) {
                secrets.push(if password.is_empty() { user.to_owned() } else { password.to_owned() });
            }
            secrets.extend(pair);
        }
        secrets
    }
}

/// Returns the variables that set the proxies for https and http.
fn variables(lookup: impl Fn(&str) -> Option<Result<String, ()>>) -> Result<[Option<&'static str>; 2]> {
    let first = |names: [&'static str; 2]| -> Result<Option<&'static str>> {
        let Some((name, value)) = names.iter().find_map(|name| Some((*name, lookup(name)?))) else { return Ok(None) };
        let invalid = |reason: &str| {
            let message = format!("{name} in the environment {reason}; expected http://host:port");
            // The message omits the value, which may contain a password.
            Err(Error::new(ErrorKind::Config, message)
                .with_hint("correct the variable, or unset it to connect directly"))
        };
        match value {
            Err(()) => invalid("is not UTF-8"),
            Ok(value) if value.is_empty() => Ok(None),
            Ok(value) => match url_problem(&value) {
                Some(reason) => invalid(reason),
                None => Ok(Some(name)),
            },
        }
    };
    let [https, http, all] = [first(HTTPS)?, first(HTTP)?, first(ALL)?];
    Ok([https.or(all), http.or(all)])
}

/// Returns why a value is not a valid proxy URL.
fn url_problem(value: &str) -> Option<&'static str> {
    const INVALID: &str = "is not a valid proxy URL";
    let Some(proxy) = Matcher::builder().http(value).build().intercept(&Uri::from_static("http://host.invalid")) else {
        return Some(INVALID);
    };
    let uri = proxy.uri();
    let (host, authority) =
        (uri.host().unwrap_or_default(), uri.authority().map_or("", |authority| authority.as_str()));
    match uri.scheme_str() {
        // The matcher accepts an empty host, and ignores a port that is not a number.
        _ if host.is_empty() || authority.len() > host.len() && uri.port_u16().is_none() => Some(INVALID),
        Some("http" | "https") => None,
        _ if cfg!(feature = "socks") => None,
        _ => Some("is a SOCKS proxy, which this program does not support"),
    }
}

fn address(uri: &Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or("http");
    let host = uri.host().unwrap_or_default();
    match uri.port_u16() {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    }
}

/// Prints `http://proxy:3128 (HTTPS_PROXY)`.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.address, self.variable.unwrap_or("system settings"))
    }
}

impl fmt::Debug for EnvironmentProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnvironmentProxies")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables_set: &[(&str, &str)]) -> Result<[Option<&'static str>; 2]> {
        variables(|name| {
            let (_, value) = variables_set.iter().find(|(set, _)| *set == name)?;
            Some(Ok((*value).to_owned()))
        })
    }

    #[test]
    fn variable_of_the_scheme_precedes_all_proxy() {
        assert_eq!(read(&[]).unwrap(), [None, None]);
        assert_eq!(read(&[("https_proxy", "proxy:3128")]).unwrap(), [Some("https_proxy"), None]);
        let both = [("ALL_PROXY", "http://a:1"), ("HTTP_PROXY", "http://b:2"), ("http_proxy", "c:3")];
        assert_eq!(read(&both).unwrap(), [Some("ALL_PROXY"), Some("HTTP_PROXY")]);
        assert_eq!(read(&[("HTTPS_PROXY", ""), ("ALL_PROXY", "a:1")]).unwrap()[0], Some("ALL_PROXY"));
    }

    #[test]
    fn invalid_proxy_is_rejected_without_its_password() {
        for value in
            ["me:hush@proxy:port", "ftp://me:hush@proxy", "http://", "hush proxy", "http://me:hush@", "  ", ":3128"]
        {
            for name in HTTPS.into_iter().chain(HTTP).chain(ALL) {
                let error = read(&[(name, value)]).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Config);
                let line = format!("{error} {error:?}");
                assert!(line.contains(&format!("{name} in the environment is not a valid proxy URL")), "{line}");
                assert!(!line.contains("hush"), "{line}");
            }
        }
        if cfg!(not(feature = "socks")) {
            let error = read(&[("ALL_PROXY", "socks5://proxy:1080")]).unwrap_err().to_string();
            assert!(error.contains("ALL_PROXY in the environment is a SOCKS proxy"), "{error}");
        }
    }

    #[test]
    fn proxy_is_displayed_without_its_password() {
        let proxies = EnvironmentProxies {
            matcher: Matcher::builder().https("https://me:hush@proxy.corp:8443").no("localhost").build(),
            https: Some("HTTPS_PROXY"),
            http: None,
        };
        let proxy_for = |url: &str| proxies.for_url(&url.parse().unwrap()).map(|proxy| proxy.to_string());
        assert_eq!(proxy_for("https://api.example.com/x?y"), Some("https://proxy.corp:8443 (HTTPS_PROXY)".to_owned()));
        assert_eq!(proxy_for("http://api.example.com"), None);
        assert_eq!(proxy_for("https://localhost"), None);
    }
}
