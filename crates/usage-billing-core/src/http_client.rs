//! The HTTP client that is used unless the caller brings one.

use std::time::Duration;

use reqwest::redirect;

use crate::Result;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const READ_TIMEOUT: Duration = Duration::from_secs(60);

pub(crate) const HAS_TLS: bool = cfg!(any(feature = "rustls", feature = "aws-lc", feature = "native-tls"));

/// A builder with this project's defaults, to add a proxy, roots or a pool to: TLS as the features say; 10 s to connect; 60 s between
/// two reads but no limit on the whole, which would cut long downloads; no redirects, which would carry credentials elsewhere; no
/// retries of reqwest's own, which would multiply with ours; no decompression, so that a download is what the vendor stored, whichever of
/// reqwest's features the program has on.
///
/// The environment's proxies are used. Unlike a client that [`ClientBuilder`](crate::ClientBuilder) makes itself, this one ignores a proxy
/// variable that is not valid, because callers may replace the proxies.
///
/// With the feature `rustls`, `reqwest::Client::new()` needs a TLS provider that the program has chosen; this does not.
///
/// # Errors
/// [`ErrorKind::Config`](crate::ErrorKind::Config) if the system's trusted roots, or those that `SSL_CERT_FILE` or `SSL_CERT_DIR` name,
/// cannot be loaded.
pub fn http_client() -> Result<reqwest::ClientBuilder> {
    // Where the platform's roots are files. Other platforms do not read these variables.
    #[cfg(all(any(feature = "rustls", feature = "aws-lc"), any(target_os = "linux", target_os = "freebsd")))]
    crate::trusted_roots::check_environment()?;
    tls(defaults(), Roots::OfPlatform)
}

/// The same for unencrypted connections only: reading and parsing the platform's roots is most of the work of making a client.
pub(crate) fn unencrypted_client() -> Result<reqwest::ClientBuilder> {
    tls(defaults(), Roots::None)
}

/// Whom TLS connections trust.
#[derive(Clone, Copy)]
enum Roots {
    OfPlatform,
    /// Nobody: there are no TLS connections.
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

/// With a provider of its own, because a library should not choose the process's default one.
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
            "install the system's CA certificates or pass an HTTP client",
        ),
    };
    crate::Error::new(crate::ErrorKind::Config, message).with_hint(hint).with_source(error)
}

#[cfg(any(not(feature = "rustls"), feature = "aws-lc", feature = "native-tls"))]
fn tls(builder: reqwest::ClientBuilder, _: Roots) -> Result<reqwest::ClientBuilder> {
    Ok(builder)
}
