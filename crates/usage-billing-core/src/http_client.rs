//! The default HTTP client.

use std::time::Duration;

use reqwest::redirect;

use crate::Result;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const READ_TIMEOUT: Duration = Duration::from_secs(60);

pub(crate) const HAS_TLS: bool = cfg!(any(feature = "rustls", feature = "aws-lc", feature = "native-tls"));

/// Returns a builder of an HTTP client with this crate's defaults, to which a proxy, trusted roots or a pool can be added.
///
/// - TLS by the enabled features.
/// - 10 s to connect and 60 s between two reads, but no total timeout, which would end long downloads.
/// - No redirects, which could send credentials to another host.
/// - No retries of reqwest, which would multiply with those of [`RetryPolicy`](crate::RetryPolicy).
/// - No decompression, so that a download is unchanged, whichever features of reqwest the program enables.
///
/// The environment's proxies are used. Unlike [`ClientBuilder`](crate::ClientBuilder), this function ignores an invalid proxy variable,
/// because callers may replace the proxies.
///
/// With the feature `rustls`, `reqwest::Client::new()` needs a TLS provider that the program has chosen; this function does not.
///
/// ```no_run
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use usage_billing_core::{http_client, reqwest};
///
/// let client = http_client()?.proxy(reqwest::Proxy::all("http://proxy.example.com:3128")?).build()?;
/// # let _ = client;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`ErrorKind::Config`](crate::ErrorKind::Config) if the system's trusted roots, or those that `SSL_CERT_FILE` or `SSL_CERT_DIR` name,
/// cannot be loaded.
pub fn http_client() -> Result<reqwest::ClientBuilder> {
    // On platforms whose trusted roots are files. Others do not read these variables.
    #[cfg(all(any(feature = "rustls", feature = "aws-lc"), any(target_os = "linux", target_os = "freebsd")))]
    crate::trusted_roots::check_environment()?;
    tls(defaults(), Roots::OfPlatform)
}

/// Returns the same builder for unencrypted connections: reading the platform's roots is most of the work of building a client.
pub(crate) fn unencrypted_client() -> Result<reqwest::ClientBuilder> {
    tls(defaults(), Roots::None)
}

/// The trusted roots of TLS connections.
#[derive(Clone, Copy)]
enum Roots {
    OfPlatform,
    /// For clients without TLS connections.
    None,
}

fn defaults() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
}

/// Sets TLS with its own provider, because a library should not choose the process's default.
#[cfg(all(feature = "rustls", not(any(feature = "aws-lc", feature = "native-tls"))))]
fn tls(builder: reqwest::ClientBuilder, roots: Roots) -> Result<reqwest::ClientBuilder> {
    use rustls_platform_verifier::BuilderVerifierExt;
    use std::sync::Arc;

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|config| match roots {
            Roots::OfPlatform => config.with_platform_verifier(),
            Roots::None => Ok(config.with_root_certificates(rustls::RootCertStore::empty())),
        })
        .map_err(no_roots)?
        .with_no_client_auth();
    Ok(builder.tls_backend_preconfigured(config))
}

#[cfg(all(feature = "rustls", not(any(feature = "aws-lc", feature = "native-tls"))))]
fn no_roots(error: rustls::Error) -> crate::Error {
    // Other platforms do not read these variables.
    #[cfg(any(target_os = "linux", target_os = "freebsd"))]
    let variable = crate::trusted_roots::variable();
    #[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
    let variable = None::<&str>;
    let (message, hint) = match variable {
        Some(variable) => (
            format!("no trusted roots for TLS in the path that {variable} names ({error})"),
            "correct the variable, or unset it to use the system's trusted roots",
        ),
        None => (
            format!("no trusted roots for TLS ({error})"),
            "install the system's CA certificates, or pass an HTTP client",
        ),
    };
    crate::Error::new(crate::ErrorKind::Config, message).with_hint(hint).with_source(error)
}

#[cfg(any(not(feature = "rustls"), feature = "aws-lc", feature = "native-tls"))]
fn tls(builder: reqwest::ClientBuilder, _: Roots) -> Result<reqwest::ClientBuilder> {
    Ok(builder)
}
