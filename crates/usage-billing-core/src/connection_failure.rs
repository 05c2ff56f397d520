//! Why a connection was not made or was lost: in words, with what to do about it, and whether sending again can help.

use std::error::Error as StdError;
use std::io;

use reqwest::Url;

use crate::error::innermost;
use crate::proxy::{EnvironmentProxies, Proxy};
use crate::retry::Cause;
use crate::{Error, ErrorKind};

const HOST: &str = "check the host in the URL (region, data centre), and that this machine can resolve names";
const PORT: &str = "check host and port in the URL (region, data centre), and that a server runs there";
const REACH: &str = "check the host in the URL, and whether a firewall blocks it or a proxy setting is missing";
const HTTP_ON_TLS: &str = "check scheme and port in the URL: the server may expect https";
const PROXY: &str = "check the proxy's address, or add the host to NO_PROXY to connect directly";
const PROXY_CREDENTIALS: &str = "give the proxy's user name and password in its URL: http://user:password@host:port";

/// What a failure of reqwest means.
#[derive(Debug)]
pub(crate) struct ConnectionFailure {
    message: String,
    hint: Option<&'static str>,
    cause: Cause,
    timed_out: bool,
}

/// Why, apart from where.
#[derive(Debug)]
pub(crate) struct Reason {
    pub(crate) words: String,
    pub(crate) hint: Option<&'static str>,
    /// The same request would fail again until somebody changes something.
    pub(crate) lasts: bool,
}

impl Reason {
    pub(crate) fn passing(words: impl Into<String>) -> Self {
        Self { words: words.into(), hint: None, lasts: false }
    }

    pub(crate) fn lasting(words: impl Into<String>, hint: &'static str) -> Self {
        Self { words: words.into(), hint: Some(hint), lasts: true }
    }

    fn hinted(words: impl Into<String>, hint: &'static str) -> Self {
        Self { words: words.into(), hint: Some(hint), lasts: false }
    }
}

impl ConnectionFailure {
    /// `proxies` are those of the environment if the client uses them.
    pub(crate) fn of(error: &reqwest::Error, proxies: Option<&EnvironmentProxies>) -> Self {
        let peer = error.url().and_then(address).unwrap_or_else(|| "the vendor".to_owned());
        let causes: Vec<_> = causes(error).collect();
        // Errors of hyper-util's tunnel have no public type.
        let tunnel = causes.iter().map(ToString::to_string).find(|cause| cause.starts_with("tunnel error: "));
        let connects = error.is_connect();
        let proxy = proxies.and_then(|proxies| proxies.of(error.url()?));
        let plain_proxy = connects && proxy.is_some() && error.url().is_some_and(|url| url.scheme() == "http");
        let through = proxy.as_ref().map_or_else(String::new, |proxy| format!(" through the proxy {proxy}"));
        let timed_out = error.is_timeout();
        let (message, reason) = if let Some(tunnel) = tunnel {
            of_tunnel(&tunnel, &peer, proxy, || reason(error, &causes))
        } else if plain_proxy {
            to_proxy(proxy, reason(error, &causes))
        } else if connects && timed_out {
            let hint = if proxy.is_some() { PROXY } else { REACH };
            (format!("no connection to {peer}{through} in time"), Reason::hinted(innermost(error), hint))
        } else if connects {
            (format!("no connection to {peer}{through}"), reason(error, &causes))
        } else if timed_out {
            (format!("no response in time from {peer}{through}"), Reason::passing(innermost(error)))
        } else {
            (format!("connection lost to {peer}{through}"), reason(error, &causes))
        };
        let cause = match reason.lasts {
            true => Cause::Permanent,
            false if connects => Cause::NotConnected,
            false => Cause::Lost,
        };
        Self { message: format!("{message}: {}", reason.words), hint: reason.hint, cause, timed_out }
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

/// The reason of a failure to open a tunnel to `peer` through a proxy.
fn of_tunnel(tunnel: &str, peer: &str, proxy: Option<Proxy>, connecting: impl FnOnce() -> Reason) -> (String, Reason) {
    if tunnel.ends_with("proxy authorization required") {
        return (
            format!("no connection to {peer} through {}", the_proxy(proxy)),
            Reason::lasting("the proxy requires a user name and password (407)", PROXY_CREDENTIALS),
        );
    }
    if tunnel.ends_with("failed to create underlying connection") {
        return to_proxy(proxy, connecting());
    }
    let words = match tunnel.trim_start_matches("tunnel error: ") {
        "unsuccessful" => "the proxy did not connect to the host",
        "unexpected end of file" => "the proxy closed the connection",
        other => other,
    };
    (format!("no connection to {peer} through {}", the_proxy(proxy)), Reason::hinted(words, PROXY))
}

fn to_proxy(proxy: Option<Proxy>, reason: Reason) -> (String, Reason) {
    // A hint about the URL would be about the wrong one, but certificates are the same anywhere.
    let hint = if reason.lasts { reason.hint } else { Some(PROXY) };
    (format!("no connection to {}", the_proxy(proxy)), Reason { hint, ..reason })
}

fn the_proxy(proxy: Option<Proxy>) -> String {
    proxy.map_or_else(|| "the proxy".to_owned(), |proxy| format!("the proxy {proxy}"))
}

/// The reason that is found below reqwest's error.
fn reason(error: &reqwest::Error, causes: &[&(dyn StdError + 'static)]) -> Reason {
    #[cfg(any(feature = "rustls", feature = "aws-lc"))]
    if let Some(tls) = causes.iter().find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        return crate::tls_failure::reason(tls);
    }
    let innermost = causes.last().map_or_else(|| error.to_string(), ToString::to_string);
    if error.is_dns() || causes.iter().any(|cause| cause.to_string() == "dns error") {
        return Reason::hinted(format!("host not found ({innermost})"), HOST);
    }
    let io = causes.iter().rev().find_map(|cause| cause.downcast_ref::<io::Error>());
    match io.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => Reason::hinted(format!("connection refused ({innermost})"), PORT),
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::TimedOut) => {
            Reason::hinted(innermost, REACH)
        }
        Some(io::ErrorKind::UnexpectedEof) if error.is_connect() => {
            Reason::hinted("the server closed the connection during the TLS handshake", PORT)
        }
        // hyper's words for a response that does not begin as HTTP does, such as a TLS alert.
        None if innermost.starts_with("invalid HTTP version")
            && error.url().is_some_and(|url| url.scheme() == "http") =>
        {
            Reason::hinted("the response is not HTTP", HTTP_ON_TLS)
        }
        _ => Reason::passing(innermost),
    }
}

/// All below an error. What an `io::Error` wraps is not its source, and TLS' errors are wrapped twice.
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
