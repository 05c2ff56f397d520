//! Data centres of Acronis. Tokens and clients are valid in their data centre only.

use std::fmt;
use std::str::FromStr;

use progenitor_client::{Error, ErrorKind, printable};

/// An Acronis data centre, by the address that the console shows beside the API client's id and secret.
///
/// Parsed from a host (`eu2-cloud.acronis.com`) or a URL (`https://eu8.acronis.cloud`; `http://127.0.0.1:8080` for a sandbox).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DataCenter(String);

/// Hosts in the vendor's pages and samples (2026-11-21). Others are valid too: Acronis adds data centres without notice.
const SEEN: &[&str] = &[
    "us-cloud.acronis.com",
    "eu-cloud.acronis.com",
    "eu2-cloud.acronis.com",
    "au-cloud.acronis.com",
    "eu2.acronis.cloud",
    "eu8.acronis.cloud",
    "dev-cloud.acronis.com",
    "beta-cloud.acronis.com",
];

impl DataCenter {
    /// Returns the hosts that the vendor's pages and samples name.
    pub fn seen() -> impl Iterator<Item = &'static str> {
        SEEN.iter().copied()
    }

    /// Returns the base URL of all APIs: scheme and host.
    pub fn url(&self) -> &str {
        &self.0
    }

    /// Returns the URL of the token endpoint.
    pub fn token_url(&self) -> String {
        format!("{}/api/2/idp/token", self.0)
    }
}

impl FromStr for DataCenter {
    type Err = Error;

    /// # Errors
    /// [`ErrorKind::Config`] for a string that is neither a host nor a URL.
    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim().trim_end_matches('/').trim_end_matches("/api/2");
        if text.contains('@') {
            let message = "a data centre's address cannot contain a user name or password; pass credentials separately";
            return Err(Error::new(ErrorKind::Config, message));
        }
        if text.contains("://") {
            return Ok(Self(text.to_owned()));
        }
        if text.contains('.') && !text.contains(['/', ' ']) {
            return Ok(Self(format!("https://{text}")));
        }
        Err(Error::new(
            ErrorKind::Config,
            format!("invalid Acronis data centre `{}`: expected a host such as {}", printable(text), SEEN.join(", ")),
        ))
    }
}

impl fmt::Display for DataCenter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_url_give_the_same_data_centre() {
        for text in ["eu2-cloud.acronis.com", "https://eu2-cloud.acronis.com/", "https://eu2-cloud.acronis.com/api/2"] {
            let data_center: DataCenter = text.parse().unwrap();
            assert_eq!(data_center.url(), "https://eu2-cloud.acronis.com", "{text}");
            assert_eq!(data_center.token_url(), "https://eu2-cloud.acronis.com/api/2/idp/token", "{text}");
        }
        let error = "https://me:hush@eu2-cloud.acronis.com".parse::<DataCenter>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
        assert!("eu2".parse::<DataCenter>().unwrap_err().to_string().contains("eu2-cloud.acronis.com"));
    }
}
