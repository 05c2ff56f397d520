//! Keeps web pages out: no page but the sandbox's own may read or change it, whatever name it gives the sandbox.
//!
//! A browser sends requests of any page to any address of this machine. Two headers, which no page can set, show where a request comes from:
//! `Origin` (with `Sec-Fetch-Site`) names the page, and `Host` the name under which the browser found the sandbox. A page whose own name
//! resolves to this machine (DNS rebinding) has the right `Origin`, but a `Host` that is registered in the public DNS.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::uri::Authority;
use http::{HeaderMap, Method, StatusCode, Uri, Version, header};
use serde_json::json;

use crate::http_util::response;

/// A host name that a sandbox accepts beside those that are always accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(String);

impl FromStr for HostName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_part = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        match text.strip_suffix('.').unwrap_or(text) {
            name if name.split('.').all(is_part) => Ok(Self(name.to_ascii_lowercase())),
            _ => Err(format!(
                "invalid host name {text:?}: expected a name without scheme and port (sandbox.example.com)"
            )),
        }
    }
}

/// Why a request is rejected.
#[derive(Debug, PartialEq, Eq)]
enum Rejection {
    /// No `Host`, several, or one that is not a host.
    InvalidHost,
    ForeignHost(String),
    ForeignPage(String),
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidHost => f.write_str("The request needs one Host header: a host, and a port if it is not 80."),
            Self::ForeignHost(host) => write!(
                f,
                "This server does not accept requests for the host {host:?}, which protects it from web pages: use an IP address or \
                 localhost, or start it with --allow-host {host}."
            ),
            Self::ForeignPage(page) => {
                write!(f, "This server does not accept requests of other web pages ({page}): send them from a program.")
            }
        }
    }
}

impl Rejection {
    fn status(&self) -> StatusCode {
        match self {
            Self::InvalidHost => StatusCode::BAD_REQUEST,
            Self::ForeignHost(_) | Self::ForeignPage(_) => StatusCode::FORBIDDEN,
        }
    }
}

/// Rejects requests of other web pages, as the outermost layer: they are not logged, not counted and meet no fault.
pub async fn check(State(allowed): State<Arc<[HostName]>>, request: Request, next: Next) -> Response {
    match rejection(&request, &allowed) {
        None => next.run(request).await,
        Some(rejection) => response::json(rejection.status(), &json!({"message": rejection.to_string()})),
    }
}

fn rejection<B>(request: &http::Request<B>, allowed: &[HostName]) -> Option<Rejection> {
    let headers = request.headers();
    let mut hosts: Vec<Authority> = Vec::new();
    for host in headers.get_all(header::HOST) {
        match host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()) {
            Some(host) if !host.as_str().contains('@') => hosts.push(host),
            _ => return Some(Rejection::InvalidHost),
        }
    }
    if hosts.len() > 1 {
        return Some(Rejection::InvalidHost);
    }
    // The target of a request to a proxy has a host of its own, which counts (RFC 9112, 3.2.2); the header must not be another one.
    hosts.extend(request.uri().authority().cloned());
    let Some(host) = hosts.last() else {
        // No browser sends it. Programs that speak HTTP/1.0 may, but for what changes the sandbox.
        let is_read = request.method().is_safe() && !is_admin(request.uri());
        return (request.version() != Version::HTTP_10 || !is_read).then_some(Rejection::InvalidHost);
    };
    if let Some(foreign) = hosts.iter().find(|host| !is_accepted(host.host(), allowed)) {
        return Some(Rejection::ForeignHost(foreign.host().to_owned()));
    }
    foreign_page(request.method(), request.uri(), headers, host).map(Rejection::ForeignPage)
}

fn is_admin(uri: &Uri) -> bool {
    uri.path().starts_with("/_sandbox")
}

/// Returns whether a host is an address, a name that cannot be registered in the public DNS, or one that was allowed. A page cannot rebind an
/// address, and a name without a dot, or below `localhost` and `internal` (RFC 6761, ICANN), is given only by this machine or its network:
/// containers use such names for each other and for their host.
fn is_accepted(host: &str, allowed: &[HostName]) -> bool {
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    if address.parse::<IpAddr>().is_ok() {
        return true;
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let is_local = match name.rsplit_once('.') {
        None => !name.is_empty() && !name.starts_with('['),
        Some((_, top)) => top == "localhost" || top == "internal",
    };
    is_local || allowed.iter().any(|allowed| allowed.0 == name)
}

/// Returns the web page that sent a request, if it is another one than the sandbox's own.
fn foreign_page(method: &Method, uri: &Uri, headers: &HeaderMap, host: &Authority) -> Option<String> {
    let shown = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).chars().take(100).collect();
    for origin in headers.get_all(header::ORIGIN) {
        if !origin.to_str().is_ok_and(|origin| is_same_origin(origin, host)) {
            return Some(shown(origin));
        }
    }
    let site = headers.get("sec-fetch-site")?;
    // `none` is what a person typed.
    if [&b"same-origin"[..], b"none"].contains(&site.as_bytes()) {
        return None;
    }
    // Links of other pages lead to the sandbox's pages, which change nothing.
    let is_navigation = headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate");
    let is_page = uri.path() == "/" || uri.path().starts_with("/openapi/");
    (!(is_navigation && is_page && method.is_safe())).then(|| format!("Sec-Fetch-Site: {}", shown(site)))
}

/// Returns whether `Origin` is `http` or `https` (a proxy may add TLS) with the host and the port of the request.
fn is_same_origin(origin: &str, host: &Authority) -> bool {
    let (default, origin) = match origin.split_once("://") {
        Some(("http", origin)) => (80, origin),
        Some(("https", origin)) => (443, origin),
        _ => return false,
    };
    let Ok(origin) = origin.parse::<Authority>() else { return false };
    !origin.as_str().contains('@')
        && origin.host().eq_ignore_ascii_case(host.host())
        && origin.port_u16().unwrap_or(default) == host.port_u16().unwrap_or(default)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(method: &str, target: &str, headers: &[(&str, &str)]) -> Option<u16> {
        let mut request = http::Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let allowed = ["Sandbox.example.com.".parse().unwrap()];
        rejection(&request.body(()).unwrap(), &allowed).map(|rejection| rejection.status().as_u16())
    }

    #[test]
    fn local_hosts_and_addresses_are_accepted() {
        for host in [
            "127.0.0.1:8080",
            "localhost",
            "LOCALHOST:8080",
            "app.localhost.:8080",
            "10.1.2.3:80",
            "[::1]:8080",
            "[::ffff:127.0.0.1]",
            "sandbox:8080",
            "usage_billing:1",
            "host.docker.internal:8080",
            "sandbox.example.com:8080",
            "SANDBOX.EXAMPLE.COM.",
        ] {
            assert_eq!(rejected("POST", "/_sandbox/clock", &[("host", host)]), None, "{host}");
            assert_eq!(rejected("GET", &format!("http://{host}/x"), &[]), None, "{host}");
        }
    }

    #[test]
    fn public_and_invalid_hosts_are_rejected() {
        for (host, status) in [
            ("attacker.example", 403),
            ("attacker.example:8080", 403),
            ("localhost.attacker.example", 403),
            ("127.0.0.1.nip.io:8080", 403),
            ("x.sandbox.example.com", 403),
            ("127.1:8080", 403),
            ("localhost:8080@attacker.example", 400),
            ("attacker.example@localhost", 400),
            ("", 400),
            ("localhost, attacker.example", 400),
            ("[::1", 400),
            ("http://localhost", 400),
        ] {
            for (method, target) in [("POST", "/oauth/token"), ("GET", "/_sandbox/log"), ("GET", "/")] {
                assert_eq!(rejected(method, target, &[("host", host)]), Some(status), "{host:?}");
            }
        }
        let two = [("host", "localhost"), ("host", "attacker.example")];
        assert_eq!(rejected("GET", "/", &two), Some(400));
        assert_eq!(rejected("GET", "http://attacker.example/", &[("host", "localhost")]), Some(403));
        assert_eq!(rejected("GET", "http://localhost/", &[("host", "attacker.example")]), Some(403));
    }

    #[test]
    fn missing_host_is_accepted_in_reads_of_http_1_0_only() {
        let version = |method: &str, target: &str, version| {
            let mut request = http::Request::builder().method(method).uri(target).body(()).unwrap();
            *request.version_mut() = version;
            rejection(&request, &[])
        };
        assert_eq!(version("GET", "/org/x/buyer", Version::HTTP_10), None);
        for (method, target, http) in [
            ("GET", "/org/x/buyer", Version::HTTP_11),
            ("POST", "/oauth/token", Version::HTTP_10),
            ("GET", "/_sandbox/log", Version::HTTP_10),
        ] {
            assert_eq!(version(method, target, http), Some(Rejection::InvalidHost), "{method} {target}");
        }
    }

    #[test]
    fn other_web_pages_are_rejected() {
        for origin in [
            "null",
            "",
            "http://attacker.example",
            "http://localhost:9090",
            "http://localhost",
            "https://localhost",
            "http://127.0.0.1:8080",
            "http://attacker@localhost:8080",
            "localhost:8080",
            "file://",
            "chrome-extension://abc",
        ] {
            for (method, target) in [
                ("POST", "/_sandbox/clock"),
                ("POST", "/org/sgr-demo1/batchCreateUsageRecordGroups"),
                ("DELETE", "/_sandbox/faults"),
                ("OPTIONS", "/_sandbox/faults"),
                ("GET", "/api/v2/billing/reports/billableusage"),
            ] {
                let headers = [("host", "localhost:8080"), ("origin", origin)];
                assert_eq!(rejected(method, target, &headers), Some(403), "{origin:?} {method} {target}");
            }
        }
        for site in ["cross-site", "same-site", "Cross-Site", ""] {
            for (target, mode) in [("/org/x/buyer", "no-cors"), ("/_sandbox/state", "navigate"), ("/", "no-cors")] {
                let headers = [("host", "localhost"), ("sec-fetch-site", site), ("sec-fetch-mode", mode)];
                assert_eq!(rejected("GET", target, &headers), Some(403), "{site} {target} {mode}");
            }
            let form = [("host", "localhost"), ("sec-fetch-site", site), ("sec-fetch-mode", "navigate")];
            assert_eq!(rejected("POST", "/", &form), Some(403), "{site}");
        }
    }

    #[test]
    fn programs_and_own_pages_are_accepted() {
        for (host, origin) in [
            ("localhost:8080", "http://localhost:8080"),
            ("LocalHost:8080", "http://localhost:8080"),
            ("localhost", "http://localhost"),
            ("localhost:80", "http://localhost"),
            ("sandbox.example.com", "https://sandbox.example.com"),
            ("[::1]:8080", "http://[::1]:8080"),
        ] {
            let headers = [("host", host), ("origin", origin), ("sec-fetch-site", "same-origin")];
            assert_eq!(rejected("POST", "/_sandbox/clock", &headers), None, "{origin}");
        }
        assert_eq!(rejected("POST", "/_sandbox/clock", &[("host", "localhost")]), None);
        assert_eq!(rejected("GET", "/_sandbox/log", &[("host", "localhost"), ("sec-fetch-site", "none")]), None);
        for target in ["/", "/openapi/suger"] {
            let link = [("host", "localhost"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
            assert_eq!(rejected("GET", target, &link), None, "{target}");
        }
    }

    #[test]
    fn allowed_host_must_be_a_name() {
        assert_eq!("Sandbox.Example.com.".parse(), Ok(HostName("sandbox.example.com".to_owned())));
        for bad in ["", ".", "a..b", "http://a.b", "a.b:80", "*", "a b", "[::1]"] {
            assert!(bad.parse::<HostName>().is_err(), "{bad}");
        }
    }
}
