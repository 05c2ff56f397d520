//! Checks the URLs that a client sends secrets to.

use std::env;
use std::net::IpAddr;

use reqwest::Url;

use crate::foreign_text::printable;
use crate::{Error, ErrorKind, Result};

/// Environment variable that permits `http://` for all hosts.
const ALLOW_HTTP: &str = "USAGE_BILLING_ALLOW_HTTP";

/// Returns whether the environment permits `http://` for all hosts.
///
/// # Errors
/// [`ErrorKind::Config`] for a value that is not a boolean.
pub(crate) fn http_allowed_by_env() -> Result<bool> {
    match env::var_os(ALLOW_HTTP).unwrap_or_default().to_str() {
        Some("1" | "true") => Ok(true),
        Some("" | "0" | "false") => Ok(false),
        _ => Err(Error::new(
            ErrorKind::Config,
            format!("invalid {ALLOW_HTTP} in the environment: expected 1 (permit http) or 0"),
        )),
    }
}

/// Parses a URL, and checks that secrets may be sent there. `name` is its name in errors.
///
/// # Errors
/// [`ErrorKind::Config`] for an invalid URL, and for `http://` to another machine unless `allow_http` is set.
pub(crate) fn parse(text: &str, name: &str, allow_http: bool) -> Result<Url> {
    let invalid = |reason: String| {
        Error::new(ErrorKind::Config, format!("invalid {name} `{}`: {reason}", printable(redacted(text))))
    };
    let url = Url::parse(text).map_err(|error| invalid(format!("{error}; expected https://host")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid("expected a URL that begins with https://".to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("it contains a user name or password; pass credentials separately".to_owned()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("expected a URL without a query (?) and fragment (#)".to_owned()));
    }
    if url.scheme() == "http" && !allow_http && !is_unencrypted_loopback(&url) {
        let reason = format!(
            "the credential would be sent unencrypted; use https://, or set {ALLOW_HTTP}=1 on a trusted network"
        );
        return Err(invalid(reason));
    }
    Ok(url)
}

/// Returns a URL, valid or not, or `…` if it may contain a secret.
pub(crate) fn redacted(text: &str) -> &str {
    if text.contains(['@', '?', '#']) { "…" } else { text }
}

/// Returns whether requests to the URL are unencrypted but stay on this machine. Of names, only `localhost` does: others, such as
/// `x.localhost`, may resolve to any address.
pub(crate) fn is_unencrypted_loopback(url: &Url) -> bool {
    url.scheme() == "http" && is_loopback(url)
}

fn is_loopback(url: &Url) -> bool {
    // The URL parser has normalized all forms of IPv4 addresses.
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    match host.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => matches!(host, "localhost" | "localhost."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_accepted_for_this_machine_only() {
        for text in [
            "http://127.0.0.1",
            "http://127.9.8.7:8080/api",
            "http://localhost:1",
            "http://LOCALHOST/",
            "http://localhost./",
            "http://[::1]:80",
            "http://[::ffff:127.0.0.1]",
            "http://2130706433",
            "http://0x7f.1",
            "https://api.example.com",
            "https://10.0.0.1",
        ] {
            assert!(parse(text, "base URL", false).is_ok(), "{text}");
        }
        for text in [
            "http://api.example.com",
            "HTTP://api.example.com",
            "http://localhost.evil.com",
            "http://evil.localhost",
            "http://localhost..",
            "http://127.0.0.1.evil.com",
            "http://128.0.0.1",
            "http://2130706432.evil.com",
            "http://3232235521",
            "http://0.0.0.0",
            "http://10.0.0.1",
            "http://[::]",
            "http://[::ffff:10.0.0.1]",
            "http://[::2]",
            "http://ⅼocalhost.example",
        ] {
            let error = parse(text, "base URL", false).unwrap_err();
            assert!(error.to_string().contains("unencrypted; use https://"), "{error}");
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(parse(text, "base URL", true).is_ok(), "{text}");
        }
    }

    #[test]
    fn user_name_is_not_taken_for_the_host() {
        for text in ["http://127.0.0.1@evil.com", "http://localhost:80@evil.com/"] {
            for allowed in [false, true] {
                let error = parse(text, "base URL", allowed).unwrap_err().to_string();
                assert!(error.contains("user name or password") && !error.contains("evil"), "{error}");
            }
        }
    }

    #[test]
    fn invalid_url_error_is_one_bounded_line() {
        let error = parse(&format!("ht!tp\n\u{202e}{}", "x".repeat(5000)), "base URL", false).unwrap_err().to_string();
        assert!(error.starts_with(r"invalid base URL `ht!tp\n\u{202e}xxx") && error.chars().count() < 350, "{error}");
    }
}
