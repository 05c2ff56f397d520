//! How programs connect to the sandbox.

use serde_json::{Value, json};

use crate::demo_credentials::*;
use crate::shell_settings::{Shell, settings};
use crate::vendors::Vendor;
use crate::vendors::document::Document;

/// The address in the samples, which the sandbox's own replaces.
const SAMPLE_URL: &str = "http://127.0.0.1:8080";

/// Returns the environment variables for programs of this workspace, by shell.
pub(super) fn environment(url: &str) -> Value {
    json!([("sh", settings(url, Shell::Posix)), ("PowerShell", settings(url, Shell::PowerShell))])
}

/// Returns the card of a vendor; `url` is that of the sandbox.
pub(super) fn vendor(vendor: Vendor, url: &str) -> Value {
    let (base_url, credentials) = match vendor {
        Vendor::Genesys => (
            url.to_owned(),
            vec![
                ("Client id", GENESYS_CLIENT_ID),
                ("Client secret", GENESYS_CLIENT_SECRET),
                ("Customer organization", GENESYS_TRUSTOR_ORG_ID),
                ("Another one, in USD", GENESYS_YOUNG_TRUSTOR_ORG_ID),
            ],
        ),
        Vendor::Suger => (url.to_owned(), vec![("API key", SUGER_API_KEY), ("Organization", SUGER_ORG_ID)]),
        Vendor::Acronis => (
            format!("{url}/api/2"),
            vec![
                ("Client id", ACRONIS_CLIENT_ID),
                ("Client secret", ACRONIS_CLIENT_SECRET),
                ("Tenant", ACRONIS_TENANT_ID),
            ],
        ),
    };
    json!({
        "id": vendor.name(),
        "name": vendor.full_name(),
        "base_url": base_url,
        "credentials": credentials,
        "samples": samples(vendor).map(|(language, text)| (language, text.replace(SAMPLE_URL, url))),
        "operations": Document::of(vendor).count(),
    })
}

/// Returns the samples with their languages. Those in Rust are examples of this crate, so that they are compiled with its tests.
fn samples(vendor: Vendor) -> [(&'static str, &'static str); 4] {
    macro_rules! of {
        ($vendor:literal) => {
            [
                ("Rust", include_str!(concat!("../../../assets/samples/", $vendor, ".rs"))),
                ("Python", include_str!(concat!("../../../assets/samples/", $vendor, ".py"))),
                ("sh", include_str!(concat!("../../../assets/samples/", $vendor, ".sh"))),
                ("PowerShell", include_str!(concat!("../../../assets/samples/", $vendor, ".ps1"))),
            ]
        };
    }
    match vendor {
        Vendor::Genesys => of!("genesys"),
        Vendor::Suger => of!("suger"),
        Vendor::Acronis => of!("acronis"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_have_the_address_and_the_credentials_of_the_sandbox() {
        for vendor in Vendor::ALL {
            let secrets: &[&str] = match vendor {
                Vendor::Genesys => &[GENESYS_CLIENT_ID, GENESYS_CLIENT_SECRET],
                Vendor::Suger => &[SUGER_API_KEY, SUGER_ORG_ID],
                Vendor::Acronis => &[ACRONIS_CLIENT_ID, ACRONIS_CLIENT_SECRET],
            };
            for (language, sample) in samples(vendor) {
                for part in [&[SAMPLE_URL], secrets].concat() {
                    assert!(sample.contains(part), "{vendor:?} {language}: {part}");
                }
            }
            let shown = super::vendor(vendor, "http://127.0.0.1:1").to_string();
            assert!(shown.contains("http://127.0.0.1:1") && !shown.contains(SAMPLE_URL), "{shown}");
        }
    }
}
