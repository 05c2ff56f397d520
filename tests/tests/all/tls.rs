//! TLS failures are explained and not retried: servers on loopback with generated certificates.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, date_time_ymd,
};
use reqwest::tls::Version;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion};
use usage_billing_core::{Error, ErrorKind, RetryPolicy};
use usage_billing_tests::{acronis, genesys, suger, with_environment};

/// A certificate authority.
struct Authority(Issuer<'static, KeyPair>, CertificateDer<'static>);

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Self(Issuer::new(params, key), certificate)
    }

    /// Issues a certificate for `host`, modified by `change`, and its key.
    fn issue(&self, host: &str, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        change(&mut params);
        Identity(params.signed_by(&key, &self.0).unwrap().der().clone(), key)
    }
}

struct Identity(CertificateDer<'static>, KeyPair);

fn self_signed(is_ca: IsCa) -> Identity {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.is_ca = is_ca;
    Identity(params.self_signed(&key).unwrap().der().clone(), key)
}

fn config(
    identity: &Identity,
    versions: &[&'static SupportedProtocolVersion],
    clients: Option<&Authority>,
) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(versions).unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(Authority(_, certificate)) => {
            let mut roots = RootCertStore::empty();
            roots.add(certificate.clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
    };
    let key = PrivateKeyDer::try_from(identity.1.serialize_der()).unwrap();
    builder.with_single_cert(vec![identity.0.clone()], key).unwrap()
}

/// Starts a server that sends `{}` to every request; returns its port and the count of connections.
fn serve(config: ServerConfig) -> (u16, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Arc::new(AtomicU32::new(0));
    let (count, config) = (connections.clone(), Arc::new(config));
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            count.fetch_add(1, SeqCst);
            let mut connection = ServerConnection::new(config.clone()).unwrap();
            if connection.complete_io(&mut stream).is_err() {
                // The alert with the reason.
                let _ = connection.write_tls(&mut stream);
                continue;
            }
            let mut tls = rustls::Stream::new(&mut connection, &mut stream);
            let _ = tls.read(&mut [0; 8192]);
            let _ = tls.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}");
        }
    });
    (port, connections)
}

/// Returns a builder of an HTTP client that trusts only `authority`.
fn trusting(authority: &Authority) -> reqwest::ClientBuilder {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let root = reqwest::Certificate::from_der(&authority.1).unwrap();
    reqwest::Client::builder().no_proxy().retry(reqwest::retry::never()).tls_certs_only([root])
}

/// Makes one call with each vendor's client.
async fn calls(url: &str, http: &reqwest::Client, retry: RetryPolicy) -> [Result<(), Error>; 3] {
    let genesys = genesys(url).http_client(http.clone()).retry(retry).build().unwrap();
    let suger = suger(url).http_client(http.clone()).retry(retry).build().unwrap();
    let acronis = acronis(url).http_client(http.clone()).retry(retry).build().unwrap();
    [
        genesys.get_license_definitions().send().await.map(drop),
        suger.list_billable_metrics().org_id("acme").send().await.map(drop),
        acronis.list_applications().send().await.map(drop),
    ]
}

async fn fails_once(config: ServerConfig, http: &reqwest::Client, words: &str, hint: &str) {
    let (port, connections) = serve(config);
    for outcome in calls(&format!("https://localhost:{port}"), http, RetryPolicy::default()).await {
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connection, 1), "{error}");
        assert!(error.is_permanent(), "{error}");
        let line = error.to_string();
        assert!(line.contains(&format!("localhost:{port}: ")) && line.contains(words), "{words}: {line}");
        assert!(error.hint().unwrap_or_default().contains(hint), "{line}");
        // No debug output of rustls.
        assert!(!line.contains(['\n', '{']), "{line}");
    }
    assert_eq!(connections.load(SeqCst), 3, "{words}: one connection of each vendor's client");
}

#[tokio::test]
async fn certificate_errors_are_explained_and_not_retried() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let http = trusting(&ours).build().unwrap();
    let no_change = |_: &mut CertificateParams| {};
    let expired = ours.issue("localhost", |params| params.not_after = date_time_ymd(2020, 1, 31));
    let future = ours.issue("localhost", |params| params.not_before = date_time_ymd(2999, 1, 31));
    let other_purpose = ours.issue("localhost", |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    });
    for (identity, words, hint) in [
        (expired, "the server's certificate expired at 2020-01-31T00:00:00Z", "check this machine's clock"),
        (future, "the server's certificate is not valid before 2999-01-31T00:00:00Z", "check this machine's clock"),
        (theirs.issue("localhost", no_change), "its issuer is not trusted on this machine", "SSL_CERT_FILE"),
        (self_signed(IsCa::NoCa), "self-signed", "SSL_CERT_FILE"),
        (self_signed(IsCa::Ca(BasicConstraints::Unconstrained)), "self-signed", "SSL_CERT_FILE"),
        (ours.issue("evil.example", no_change), "for another host (it names evil.example)", "check the host"),
        (other_purpose, "not valid for servers", "check the host"),
    ] {
        fails_once(config(&identity, rustls::ALL_VERSIONS, None), &http, words, hint).await;
    }
}

#[tokio::test]
async fn incompatible_servers_are_explained_and_not_retried() {
    let ours = Authority::new("ours");
    let identity = ours.issue("localhost", |_| {});
    for versions in [rustls::ALL_VERSIONS, &[&rustls::version::TLS12]] {
        let mutual = config(&identity, versions, Some(&ours));
        let http = trusting(&ours).build().unwrap();
        fails_once(mutual, &http, "requires a client certificate", "client certificate").await;
    }
    let http = trusting(&ours).tls_version_min(Version::TLS_1_3).build().unwrap();
    let old = config(&identity, &[&rustls::version::TLS12], None);
    fails_once(old, &http, "the server", "too old").await;
}

#[tokio::test]
async fn wrong_scheme_is_explained() {
    let ours = Authority::new("ours");
    let http = trusting(&ours).build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 8192]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
        }
    });
    for outcome in calls(&format!("https://localhost:{port}"), &http, RetryPolicy::default()).await {
        let error = outcome.unwrap_err();
        let line = error.to_string();
        assert!(line.contains("does not serve TLS on this port -> check the port") && error.attempts() == 1, "{line}");
    }
    let (port, _) = serve(config(&ours.issue("localhost", |_| {}), rustls::ALL_VERSIONS, None));
    for outcome in calls(&format!("http://localhost:{port}"), &http, RetryPolicy::none()).await {
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains("the response is not HTTP -> check scheme and port"), "{error}");
    }
}

#[tokio::test]
async fn trusted_certificate_is_accepted() {
    let ours = Authority::new("ours");
    let http = trusting(&ours).build().unwrap();
    let (port, _) = serve(config(&ours.issue("localhost", |_| {}), rustls::ALL_VERSIONS, None));
    let url = format!("https://localhost:{port}");
    suger(&url)
        .http_client(http)
        .build()
        .unwrap()
        .get_billable_metric()
        .org_id("a")
        .billable_metric_id("m")
        .send()
        .await
        .unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn unreadable_trusted_roots_are_a_configuration_error() {
    const PATH: &str = "/absent/roots.pem";
    let variables = || (vec![("SSL_CERT_FILE", PATH.to_owned())], ());
    with_environment("tls::unreadable_trusted_roots_are_a_configuration_error", variables, || {
        let error = usage_billing_suger::Client::builder("hush-key".to_owned()).build().unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Config, 0));
        let line = error.to_string();
        assert!(line.contains(&format!("SSL_CERT_FILE names (`{PATH}`) cannot be read: No such file")), "{line}");
        // They are also required if only some of the URLs are of this machine. Without TLS they are not read.
        let credentials = usage_billing_core::Credentials::new("id", "hush");
        let build = |token_url: &str| {
            let auth = usage_billing_core::Auth::client_credentials(token_url, credentials.clone());
            let service = usage_billing_core::Service {
                operations: &[],
                request_id_headers: &[],
                limit_reset_headers: &[],
                credential_hint: "",
            };
            usage_billing_core::ClientBuilder::new(service, "http://127.0.0.1:1", auth, |_, _, _| ()).build()
        };
        assert_eq!(build("https://localhost/token").unwrap_err().to_string(), line);
        assert!(build("http://localhost/token").is_ok());
    });
}

#[test]
fn variable_without_trusted_roots_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "nothing").unwrap();
    let variables = || (vec![("SSL_CERT_FILE", empty.display().to_string())], ());
    with_environment("tls::variable_without_trusted_roots_is_named", variables, || {
        let line = usage_billing_core::http_client().unwrap_err().to_string();
        assert!(line.starts_with("no trusted roots for TLS in the path that SSL_CERT_FILE names"), "{line}");
        assert!(line.ends_with("-> correct the variable, or unset it to use the system's trusted roots"), "{line}");
    });
}

#[cfg(unix)]
#[test]
fn trusted_roots_are_not_read_from_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let variables = || (vec![("SSL_CERT_FILE", pipe.display().to_string())], ());
    with_environment("tls::trusted_roots_are_not_read_from_a_pipe", variables, || {
        let line = usage_billing_core::http_client().unwrap_err().to_string();
        assert!(line.contains("cannot be read: it is not a file"), "{line}");
    });
}
