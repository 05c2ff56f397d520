//! Describes connection failures: a message, a hint, and whether a retry can help.

use std::error::Error as StdError;
use std::io;

use reqwest::Url;

use crate::error::innermost;
use crate::proxy::{EnvironmentProxies, Proxy};
use crate::retry::Cause;
use crate::{Error, ErrorKind};

const HOST_HINT: &str = "check the host in the URL (region, data centre), and that this machine can resolve names";
const PORT_HINT: &str = "check host and port in the URL (region, data centre), and that a server runs there";
const REACH_HINT: &str = "check the host in the URL, and whether a firewall blocks it or a proxy setting is missing";
const HTTP_ON_TLS_HINT: &str = "check scheme and port in the URL: the server may expect https";
const PROXY_HINT: &str = "check the proxy's address, or add the host to NO_PROXY to connect directly";
const PROXY_CREDENTIALS_HINT: &str =
    "set the proxy's user name and password in its URL: http://user:password@host:port";

/// The description of an error of reqwest.
#[derive(Debug)]
pub(crate) struct ConnectionFailure {
    message: String,
    hint: Option<&'static str>,
    cause: Cause,
    timed_out: bool,
}

/// The reason of a failure, without the address.
#[derive(Debug)]
pub(crate) struct Reason {
    pub(crate) message: String,
    pub(crate) hint: Option<&'static str>,
    /// Whether the request would fail again until the configuration changes.
    pub(crate) is_permanent: bool,
}

impl Reason {
    pub(crate) fn transient(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, is_permanent: false }
    }

    pub(crate) fn permanent(message: impl Into<String>, hint: &'static str) -> Self {
        Self { message: message.into(), hint: Some(hint), is_permanent: true }
    }

    fn with_hint(message: impl Into<String>, hint: &'static str) -> Self {
        Self { message: message.into(), hint: Some(hint), is_permanent: false }
    }
}

impl ConnectionFailure {
    /// Describes an error. `proxies` are those of the environment, if the client uses them.
    pub(crate) fn new(error: &reqwest::Error, proxies: Option<&EnvironmentProxies>) -> Self {
        let peer = error.url().and_then(address).unwrap_or_else(|| "the vendor".to_owned());
        let causes: Vec<_> = causes(error).collect();
        // Errors of hyper-util's tunnel have no public type.
        let tunnel = causes.iter().map(ToString::to_string).find(|cause| cause.starts_with("tunnel error: "));
        let is_connect = error.is_connect();
        let proxy = proxies.and_then(|proxies| proxies.for_url(error.url()?));
        let plain_proxy = is_connect && proxy.is_some() && error.url().is_some_and(|url| url.scheme() == "http");
        let via_proxy = proxy.as_ref().map_or_else(String::new, |proxy| format!(" through the proxy {proxy}"));
        let timed_out = error.is_timeout();
        let (message, reason) = if let Some(tunnel) = tunnel {
            tunnel_failure(&tunnel, &peer, proxy, || reason(error, &causes))
        } else if plain_proxy {
            proxy_failure(proxy, reason(error, &causes))
        } else if is_connect && timed_out {
            let hint = if proxy.is_some() { PROXY_HINT } else { REACH_HINT };
            (format!("no connection to {peer}{via_proxy} in time"), Reason::with_hint(innermost(error), hint))
        } else if is_connect {
            (format!("no connection to {peer}{via_proxy}"), reason(error, &causes))
        } else if timed_out {
            (format!("no response in time from {peer}{via_proxy}"), Reason::transient(innermost(error)))
        } else {
            (format!("connection lost to {peer}{via_proxy}"), reason(error, &causes))
        };
        let cause = match reason.is_permanent {
            true => Cause::Permanent,
            false if is_connect => Cause::NotConnected,
            false => Cause::ConnectionLost,
        };
        Self { message: format!("{message}: {}", reason.message), hint: reason.hint, cause, timed_out }
    }

    pub(crate) fn cause(&self) -> Cause {
        self.cause
    }

    pub(crate) fn into_error(self, source: reqwest::Error) -> Error {
        let error = Error::new(ErrorKind::Connection, self.message)
            .with_source(source.without_url())
            .with_timeout(self.timed_out)
            .with_permanent(self.cause == Cause::Permanent);
        match self.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

/// Describes the failure to open a tunnel to `peer` through a proxy.
fn tunnel_failure(
    tunnel: &str,
    peer: &str,
    proxy: Option<Proxy>,
    connect_reason: impl FnOnce() -> Reason,
) -> (String, Reason) {
    if tunnel.ends_with("proxy authorization required") {
        return (
            format!("no connection to {peer} through {}", display_proxy(proxy)),
            Reason::permanent("the proxy requires a user name and password (407)", PROXY_CREDENTIALS_HINT),
        );
    }
    if tunnel.ends_with("failed to create underlying connection") {
        return proxy_failure(proxy, connect_reason());
    }
    let message = match tunnel.trim_start_matches("tunnel error: ") {
        "unsuccessful" => "the proxy did not connect to the host",
        "unexpected end of file" => "the proxy closed the connection",
        other => other,
    };
    (format!("no connection to {peer} through {}", display_proxy(proxy)), Reason::with_hint(message, PROXY_HINT))
}

/// Describes the failure to connect to a proxy.
fn proxy_failure(proxy: Option<Proxy>, reason: Reason) -> (String, Reason) {
    // Other hints are about the URL of the request; those about certificates apply to proxies as well.
    let hint = if reason.is_permanent { reason.hint } else { Some(PROXY_HINT) };
    (format!("no connection to {}", display_proxy(proxy)), Reason { hint, ..reason })
}

fn display_proxy(proxy: Option<Proxy>) -> String {
    proxy.map_or_else(|| "the proxy".to_owned(), |proxy| format!("the proxy {proxy}"))
}

/// Returns the reason that is found in the sources of reqwest's error.
fn reason(error: &reqwest::Error, causes: &[&(dyn StdError + 'static)]) -> Reason {
    #[cfg(any(feature = "rustls", feature = "aws-lc"))]
    if let Some(tls) = causes.iter().find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        return crate::tls_failure::reason(tls);
    }
    let innermost = causes.last().map_or_else(|| error.to_string(), ToString::to_string);
    if error.is_dns() || causes.iter().any(|cause| cause.to_string() == "dns error") {
        return Reason::with_hint(format!("host not found ({innermost})"), HOST_HINT);
    }
    let io = causes.iter().rev().find_map(|cause| cause.downcast_ref::<io::Error>());
    match io.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => {
            Reason::with_hint(format!("connection refused ({innermost})"), PORT_HINT)
        }
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::TimedOut) => {
            Reason::with_hint(innermost, REACH_HINT)
        }
        Some(io::ErrorKind::UnexpectedEof) if error.is_connect() => {
            Reason::with_hint("the server closed the connection during the TLS handshake", PORT_HINT)
        }
        // hyper's message for a response that does not start with an HTTP version, such as a TLS alert.
        None if innermost.starts_with("invalid HTTP version")
            && error.url().is_some_and(|url| url.scheme() == "http") =>
        {
            Reason::with_hint("the response is not HTTP", HTTP_ON_TLS_HINT)
        }
        _ => Reason::transient(innermost),
    }
}

/// Returns all causes of an error. The error inside an `io::Error` is not its source, and TLS errors are wrapped twice.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let below = |error: &'a (dyn StdError + 'static)| {
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped.map(|wrapped| wrapped as &(dyn StdError + 'static)).or_else(|| error.source())
    };
    std::iter::successors(below(error), move |error| below(*error))
}

fn address(url: &Url) -> Option<String> {
    Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
}
