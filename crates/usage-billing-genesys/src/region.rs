//! Regions of Genesys Cloud. An OAuth client is valid in its region only.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use progenitor_client::{Error, ErrorKind, printable};

/// A Genesys Cloud region: its API host and its login host.
///
/// Parsed from the name of the AWS region (`eu-central-1`), from the domain (`mypurecloud.de`, listed here or not), or from a URL whose host
/// serves both API and login (a sandbox, a proxy).
///
/// Source: region tables of the vendor's Python SDK 257.1.0 and JavaScript SDK 259 (seen 2026-11-21).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Region(Hosts);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Hosts {
    Domain(Cow<'static, str>),
    Url(String),
}

/// AWS regions and their domains.
const NAMES: &[(&str, &str)] = &[
    ("us-east-1", "mypurecloud.com"),
    ("us-east-2", "use2.us-gov-pure.cloud"),
    ("us-west-2", "usw2.pure.cloud"),
    ("ca-central-1", "cac1.pure.cloud"),
    ("sa-east-1", "sae1.pure.cloud"),
    ("mx-central-1", "mxc1.pure.cloud"),
    ("eu-west-1", "mypurecloud.ie"),
    ("eu-west-2", "euw2.pure.cloud"),
    ("eu-central-1", "mypurecloud.de"),
    ("eu-central-2", "euc2.pure.cloud"),
    ("me-central-1", "mec1.pure.cloud"),
    ("ap-south-1", "aps1.pure.cloud"),
    ("ap-northeast-1", "mypurecloud.jp"),
    ("ap-northeast-2", "apne2.pure.cloud"),
    ("ap-northeast-3", "apne3.pure.cloud"),
    ("ap-southeast-1", "apse1.pure.cloud"),
    ("ap-southeast-2", "mypurecloud.com.au"),
    ("eusc-de-east-1", "edee1.eusc-pure.cloud"),
];

impl Region {
    /// Returns AWS region and domain of all listed regions.
    pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
        NAMES.iter().copied()
    }

    /// Returns the base URL of the API, `https://api.<domain>`.
    pub fn api_url(&self) -> String {
        self.url("api")
    }

    /// Returns the base URL of the login service, `https://login.<domain>`, which issues tokens.
    pub fn login_url(&self) -> String {
        self.url("login")
    }

    fn url(&self, service: &str) -> String {
        match &self.0 {
            Hosts::Domain(domain) => format!("https://{service}.{domain}"),
            Hosts::Url(url) => url.clone(),
        }
    }
}

impl FromStr for Region {
    type Err = Error;

    /// # Errors
    /// [`ErrorKind::Config`] for a string that is not a listed region, a domain or a URL.
    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim().trim_end_matches('/');
        if let Some((_, domain)) = NAMES.iter().find(|(name, domain)| text == *name || text == *domain) {
            return Ok(Self(Hosts::Domain(Cow::Borrowed(domain))));
        }
        // A host of a region, as copied from the console or an SDK's configuration.
        let host = text.strip_prefix("https://").unwrap_or(text);
        let host = host.split_once('/').map_or(host, |(host, _)| host);
        let domain = ["api.", "login.", "apps."].iter().find_map(|service| host.strip_prefix(service));
        let is_domain = |text: &str| text.contains('.') && !text.contains(['/', ' ', ':', '@', '?', '#']);
        if let Some(domain) = domain.filter(|domain| is_domain(domain)) {
            return domain.parse();
        }
        if text.contains("://") && !text.contains('@') {
            return Ok(Self(Hosts::Url(text.to_owned())));
        }
        if is_domain(text) {
            return Ok(Self(Hosts::Domain(Cow::Owned(text.to_owned()))));
        }
        if text.contains('@') {
            return Err(Error::new(
                ErrorKind::Config,
                "a region cannot contain a user name or password; pass credentials separately",
            ));
        }
        let names = NAMES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        Err(Error::new(
            ErrorKind::Config,
            format!("invalid Genesys Cloud region `{}`: expected a domain, a URL, or one of {names}", printable(text)),
        ))
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Hosts::Domain(domain) => f.write_str(domain),
            Hosts::Url(url) => f.write_str(url),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(text: &str) -> (String, String) {
        let region: Region = text.parse().unwrap();
        (region.api_url(), region.login_url())
    }

    #[test]
    fn name_domain_and_copied_host_give_the_same_region() {
        let frankfurt = ("https://api.mypurecloud.de".to_owned(), "https://login.mypurecloud.de".to_owned());
        for text in [
            "eu-central-1",
            "mypurecloud.de",
            "https://api.mypurecloud.de/",
            "https://login.mypurecloud.de",
            "api.mypurecloud.de",
            "https://apps.mypurecloud.de/directory",
        ] {
            assert_eq!(hosts(text), frankfurt, "{text}");
        }
    }

    #[test]
    fn every_listed_region_is_found_by_name_domain_and_host() {
        assert!(Region::all().count() >= 18);
        for (name, domain) in Region::all() {
            let expected = (format!("https://api.{domain}"), format!("https://login.{domain}"));
            for text in [name, domain, &format!("api.{domain}"), &format!("https://login.{domain}/oauth/token")] {
                assert_eq!(hosts(text), expected, "{text}");
            }
        }
    }

    #[test]
    fn custom_host_serves_api_and_login() {
        let own = "http://127.0.0.1:8080".to_owned();
        assert_eq!(hosts("http://127.0.0.1:8080/"), (own.clone(), own));
        assert_eq!(hosts("new1.pure.cloud").0, "https://api.new1.pure.cloud");
        assert_eq!(hosts("https://api.proxy.internal:8443").0, "https://api.proxy.internal:8443");
    }

    #[test]
    fn secret_in_url_is_rejected_without_being_printed() {
        let error = "https://me:hush@proxy.internal".parse::<Region>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
    }

    #[test]
    fn unknown_region_error_lists_the_known_ones() {
        let error = "eu-central-9".parse::<Region>().unwrap_err().to_string();
        assert!(
            error.contains("invalid Genesys Cloud region `eu-central-9`") && error.contains("eu-central-1"),
            "{error}"
        );
    }
}
