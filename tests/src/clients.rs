//! Clients of a server on loopback.

use usage_billing_acronis::DataCenter;
use usage_billing_core::{ClientBuilder, Credentials};
use usage_billing_genesys::Region;

/// An HTTP client without timeouts: under tokio's paused clock they would fire while a real socket is waited for.
pub fn http() -> reqwest::Client {
    // Whoever builds a client without core's `http_client` has to choose a provider; the first choice stands.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Without trusted roots: to read them takes longer than most tests, and the servers of tests have no TLS.
    let builder = reqwest::Client::builder().no_proxy().retry(reqwest::retry::never()).tls_certs_only([]);
    builder.build().expect("a client without settings")
}

/// A client without any time limit, for tests that pause tokio's clock while a real socket is waited for.
pub fn untimed<C>(builder: ClientBuilder<C>) -> ClientBuilder<C> {
    builder.http_client(http()).deadline(None).min_transfer_rate(None)
}

/// Genesys Cloud at `url`, login included.
pub fn genesys(url: &str) -> ClientBuilder<usage_billing_genesys::Client> {
    let region: Region = url.parse().expect("a URL");
    untimed(usage_billing_genesys::Client::builder(&region, Credentials::new("id", "hush-secret")))
}

/// Suger at `url`.
pub fn suger(url: &str) -> ClientBuilder<usage_billing_suger::Client> {
    untimed(usage_billing_suger::Client::builder("hush-key".to_owned()).base_url(url))
}

/// Acronis at `url`, token endpoint included.
pub fn acronis(url: &str) -> ClientBuilder<usage_billing_acronis::Client> {
    let data_center: DataCenter = url.parse().expect("a URL");
    untimed(usage_billing_acronis::Client::builder(&data_center, Credentials::new("id", "hush-secret")))
}
