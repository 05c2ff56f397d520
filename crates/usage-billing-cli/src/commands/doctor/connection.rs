//! The way to a vendor: proxy, name, TLS, and the vendor's clock.

use std::time::Duration;

use chrono::{DateTime, Utc};
use hyper_util::client::proxy::matcher::Matcher;
use usage_billing::reqwest::{Response, Url, header};
use usage_billing::{Error, ErrorKind, Result, http_client, printable};

use super::check::{Check, State, clock};
use crate::accounts::AccountClient;

/// Time limit of a step.
const TIMEOUT: Duration = Duration::from_secs(15);

const NAME_ADVICE: &str = "check the host (region, data centre), and that this machine can resolve names";
const REACH_ADVICE: &str = "check whether a firewall blocks the host or a proxy setting is missing (HTTPS_PROXY)";
const PLAIN_ADVICE: &str = "the port does not serve TLS: check the port of the URL";
const CLOCK_ADVICE: &str = "synchronize the clock of this machine (NTP)";
const PROXY_ADVICE: &str = "add the host to NO_PROXY if it should be reached directly";

pub(super) async fn checks(account: &AccountClient) -> Vec<Check> {
    let Ok(url) = account.client.base_url().parse::<Url>() else { return Vec::new() };
    let is_proxied = is_proxied(&url);
    let proxy = match is_proxied {
        true => Check::new(account, "proxy", State::Ok, format!("a proxy connects to {}", host(&url)))
            .with_advice(PROXY_ADVICE),
        false => Check::new(account, "proxy", State::Ok, format!("none for {}", host(&url))),
    };
    let mut checks = vec![proxy, name(account, &url, is_proxied).await];
    if checks.iter().any(|check| check.state == State::Failed) {
        return checks;
    }
    let step = if url.scheme() == "https" { "tls" } else { "connection" };
    match response(&url).await {
        Ok(response) => {
            checks.push(Check::new(account, step, State::Ok, format!("{} responds", host(&url))));
            checks.push(clock_check(account, &response));
        }
        Err(error) => {
            // The words of rustls for a response that is not TLS.
            let is_plain = error.to_string().contains("InvalidContentType");
            let advice = if is_plain { PLAIN_ADVICE } else { REACH_ADVICE };
            checks.push(Check::new(account, step, State::Failed, error.to_string()).with_advice(advice));
        }
    }
    checks
}

fn host(url: &Url) -> String {
    printable(url.host_str().unwrap_or_default()).to_string()
}

/// Returns whether requests to a URL go through a proxy, by the rules that the HTTP client uses.
fn is_proxied(url: &Url) -> bool {
    !is_local(url) && url.as_str().parse().is_ok_and(|uri| Matcher::from_system().intercept(&uri).is_some())
}

fn is_local(url: &Url) -> bool {
    url.host_str().is_some_and(|host| host == "localhost" || host.starts_with("127.") || host == "[::1]")
}

/// Resolves the host, unless a proxy does.
async fn name(account: &AccountClient, url: &Url, is_proxied: bool) -> Check {
    if is_proxied {
        return Check::new(account, "dns", State::Skipped, "the proxy resolves names".to_owned());
    }
    let host = host(url);
    let port = url.port_or_known_default().unwrap_or(443);
    let name = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let failed = |reason: &dyn std::fmt::Display| {
        Check::new(account, "dns", State::Failed, format!("{host} {reason}")).with_advice(NAME_ADVICE)
    };
    match tokio::time::timeout(TIMEOUT, tokio::net::lookup_host((name, port))).await {
        Ok(Ok(mut addresses)) => match addresses.next() {
            Some(first) => Check::new(account, "dns", State::Ok, format!("{host} resolves to {}", first.ip())),
            None => failed(&"has no address"),
        },
        Ok(Err(error)) => failed(&format_args!("cannot be resolved: {error}")),
        Err(_) => failed(&"was not resolved within 15 s"),
    }
}

/// Requests the root without a credential: any status proves the connection.
async fn response(url: &Url) -> Result<Response> {
    let builder = http_client()?.timeout(TIMEOUT);
    let client = if is_local(url) { builder.no_proxy() } else { builder }.build();
    let failed = |error: usage_billing::reqwest::Error| {
        let mut innermost: &dyn std::error::Error = &error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        Error::new(ErrorKind::Connection, format!("{} cannot be reached: {innermost}", host(url)))
    };
    client.map_err(failed)?.head(url.clone()).send().await.map_err(failed)
}

fn clock_check(account: &AccountClient, response: &Response) -> Check {
    let date = response.headers().get(header::DATE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok());
    let Some(date) = date else {
        return Check::new(account, "clock", State::Skipped, "the response has no Date".to_owned());
    };
    let (state, message) = clock(Utc::now(), date.to_utc());
    let check = Check::new(account, "clock", state, message);
    if state == State::Ok { check } else { check.with_advice(CLOCK_ADVICE) }
}
