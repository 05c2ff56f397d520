//! Clients of a server on loopback.

use usage_billing_acronis::DataCenter;
use usage_billing_core::{ClientBuilder, Credentials};
use usage_billing_genesys::Region;

/// Builds an HTTP client without timeouts: under tokio's paused clock they would fire during a wait for a real socket.
pub fn http() -> reqwest::Client {
    // A client that is built without core's `http_client` needs a provider; the first one that is installed stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // No trusted roots: reading them takes longer than most tests, and the servers of tests have no TLS.
    let builder = reqwest::Client::builder().no_proxy().retry(reqwest::retry::never()).tls_certs_only([]);
    builder.build().expect("a client without settings")
}

/// Removes every time limit, for tests that pause tokio's clock during a wait for a real socket.
pub fn untimed<C>(builder: ClientBuilder<C>) -> ClientBuilder<C> {
    builder.http_client(http()).deadline(None).min_transfer_rate(None)
}

/// Returns a builder of a client of Genesys Cloud at `url`, token endpoint included.
pub fn genesys(url: &str) -> ClientBuilder<usage_billing_genesys::Client> {
    let region: Region = url.parse().expect("a URL");
    untimed(usage_billing_genesys::Client::builder(&region, Credentials::new("id", "hush-secret")))
}

/// Returns a builder of a client of Suger at `url`.
pub fn suger(url: &str) -> ClientBuilder<usage_billing_suger::Client> {
    untimed(usage_billing_suger::Client::builder("hush-key".to_owned()).base_url(url))
}

/// Returns a builder of a client of Acronis at `url`, token endpoint included.
pub fn acronis(url: &str) -> ClientBuilder<usage_billing_acronis::Client> {
    let data_center: DataCenter = url.parse().expect("a URL");
    untimed(usage_billing_acronis::Client::builder(&data_center, Credentials::new("id", "hush-secret")))
}
