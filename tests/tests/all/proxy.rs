//! Proxies from the environment: errors name them without their password, and invalid ones are rejected.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use usage_billing_core::{Credentials, ErrorKind, Result, RetryPolicy};
use usage_billing_suger::Client;
use usage_billing_tests::{ClosedPort, ScriptedResponse, ScriptedServer, with_environment};

use super::redaction::{displayed_text, is_secret};

/// Starts a proxy that sends `response` to every request; returns its address and the count of connections.
fn proxy(response: &'static str) -> (String, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let connections = Arc::new(AtomicU32::new(0));
    let count = connections.clone();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            count.fetch_add(1, SeqCst);
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(response.as_bytes());
        }
    });
    (address, connections)
}

/// Returns the error of one call to a host that only a proxy could reach, and the number of attempts.
fn failure(base_url: &str, retry: RetryPolicy) -> (String, u32) {
    let call = async {
        let client =
            Client::builder("key-of-the-test".to_owned()).base_url(base_url).allow_http(true).retry(retry).build()?;
        client.list_billable_metrics().org_id("acme").send().await.map(drop)
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = runtime.block_on(call).unwrap_err();
    let line = format!("{error}");
    assert!(!format!("{line} {error:?}").contains("hush"), "{line} {error:?}");
    (line, error.attempts())
}

#[test]
fn proxy_that_rejects_connections_is_named() {
    let variables = || {
        let closed = ClosedPort::reserve();
        (vec![("HTTPS_PROXY", closed.url().replace("//", "//me:hush@"))], closed)
    };
    with_environment("proxy::proxy_that_rejects_connections_is_named", variables, || {
        let (line, _) = failure("https://api.example.test", RetryPolicy::none());
        assert!(line.contains("no connection to the proxy http://127.0.0.1:"), "{line}");
        assert!(line.contains(" (HTTPS_PROXY): connection refused") && line.contains("NO_PROXY"), "{line}");
    });
}

#[test]
fn proxy_that_requires_a_password_is_named_without_a_retry() {
    let variables = || {
        let (address, connections) = proxy("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
        (vec![("ALL_PROXY", address)], connections)
    };
    with_environment("proxy::proxy_that_requires_a_password_is_named_without_a_retry", variables, || {
        let (line, attempts) = failure("https://api.example.test", RetryPolicy::default());
        assert!(line.contains("no connection to api.example.test:443 through the proxy http://127.0.0.1:"), "{line}");
        assert!(line.contains(" (ALL_PROXY): the proxy requires a user name and password (407)"), "{line}");
        assert_eq!(attempts, 1);
        let (line, attempts) = failure("http://api.example.test", RetryPolicy::default());
        assert!(line.contains("407") && line.contains(" (ALL_PROXY) requires a user name and password"), "{line}");
        assert_eq!(attempts, 1);
    });
}

#[test]
fn proxy_that_cannot_reach_the_host_is_named() {
    let variables = || {
        let (address, connections) = proxy("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
        (vec![("https_proxy", address), ("HTTP_PROXY", "http://me:hush@proxy.invalid:3128".to_owned())], connections)
    };
    with_environment("proxy::proxy_that_cannot_reach_the_host_is_named", variables, || {
        let (line, _) = failure("https://api.example.test", RetryPolicy::none());
        assert!(line.contains(" (https_proxy): the proxy did not connect to the host"), "{line}");
        let (line, _) = failure("http://api.example.test", RetryPolicy::none());
        assert!(
            line.contains("no connection to the proxy http://proxy.invalid:3128 (HTTP_PROXY): host not found"),
            "{line}"
        );
    });
}

#[test]
fn proxy_that_closes_the_connection_is_named() {
    let variables = || {
        let (address, connections) = proxy("");
        (vec![("HTTP_PROXY", address)], connections)
    };
    with_environment("proxy::proxy_that_closes_the_connection_is_named", variables, || {
        let (line, _) = failure("http://api.example.test", RetryPolicy::none());
        assert!(line.contains("connection lost to api.example.test:80 through the proxy http://127.0.0.1:"), "{line}");
    });
}

#[test]
fn silent_proxy_is_named() {
    let variables = || {
        let server = ScriptedServer::start(|_| ScriptedResponse::trickled("", "", Duration::from_millis(5)));
        let proxies = ["HTTP_PROXY", "HTTPS_PROXY"].map(|name| (name, server.url().to_owned()));
        (proxies.to_vec(), server)
    };
    with_environment("proxy::silent_proxy_is_named", variables, || {
        for base_url in ["http://api.example.test", "https://api.example.test"] {
            let call = async {
                let client = Client::builder("key-of-the-test".to_owned()).base_url(base_url).allow_http(true);
                let client = client.deadline(Duration::from_millis(100)).retry(RetryPolicy::none()).build()?;
                client.list_billable_metrics().org_id("acme").send().await.map(drop)
            };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let line = runtime.block_on(call).unwrap_err().to_string();
            assert!(line.contains("no complete response through the proxy http://127.0.0.1:"), "{line}");
        }
    });
}

#[test]
fn unencrypted_requests_to_this_machine_use_no_proxy() {
    let mut proxied = None;
    let variables = || {
        let (address, connections) = proxy("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
        proxied = Some(connections);
        let server = ScriptedServer::start(|request| match request.target.contains("token") {
            true => ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":600}"#),
            false => ScriptedResponse::json(400, r#"{"message":"direct"}"#),
        });
        let url = server.url().to_owned();
        (vec![("HTTP_PROXY", address.clone()), ("ALL_PROXY", address), (SERVER, url)], server)
    };
    with_environment("proxy::unencrypted_requests_to_this_machine_use_no_proxy", variables, || {
        let url = std::env::var(SERVER).unwrap();
        let call = async |url: &str| {
            let credentials = || Credentials::new("id", "hush-secret");
            let suger = Client::builder("key-of-the-test".to_owned()).base_url(url).allow_http(true).build().unwrap();
            let genesys = usage_billing_genesys::Client::builder(&url.parse().unwrap(), credentials()).build().unwrap();
            let acronis = usage_billing_acronis::Client::builder(&url.parse().unwrap(), credentials()).build().unwrap();
            [
                suger.list_billable_metrics().org_id("acme").send().await.map(drop).unwrap_err(),
                genesys.get_license_definitions().send().await.map(drop).unwrap_err(),
                acronis.list_applications().send().await.map(drop).unwrap_err(),
            ]
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for url in [url.clone(), url.replace("127.0.0.1", "localhost"), url.replace("127.0.0.1", "[::ffff:127.0.0.1]")]
        {
            for error in runtime.block_on(call(&url)) {
                assert_eq!(error.message(), "direct", "{error}");
            }
        }
        // One client cannot do both.
        let remote = "https://eu2-cloud.example.test".parse().unwrap();
        let mixed = usage_billing_acronis::Client::builder(&remote, Credentials::new("id", "hush-secret"));
        let error = mixed.base_url(&url).build().map(drop).unwrap_err();
        assert_eq!((error.kind(), error.hint()), (ErrorKind::Config, Some("add 127.0.0.1 to NO_PROXY")), "{error}");
    });
    assert_eq!(proxied.map_or(0, |connections| connections.load(SeqCst)), 0);
}

/// Variable with the URL of the server, for the client half of a test.
const SERVER: &str = "USAGE_BILLING_TEST_SERVER";

#[test]
fn errors_hide_a_proxy_password_that_is_echoed() {
    // A password that is escaped in the proxy's URL, and a token in place of a user name.
    for (user, sent) in
        [("me:hush%40password%2F0123", "me:hush@password/0123"), ("hush-token-0123", "hush-token-0123:")]
    {
        let test = "proxy::errors_hide_a_proxy_password_that_is_echoed";
        let variables = || {
            let sent = sent.to_owned();
            let server = ScriptedServer::start(move |request| {
                let header = request.header("proxy-authorization").unwrap_or_default();
                assert!(header.starts_with("Basic "), "{header}");
                ScriptedResponse::json(
                    400,
                    &serde_json::json!({ "message": format!("{header} {sent}"), "code": header }).to_string(),
                )
            });
            (vec![("HTTP_PROXY", server.url().replace("//", &format!("//{user}@")))], server)
        };
        with_environment(test, variables, || {
            let client = Client::builder("key-of-the-test".to_owned()).base_url("http://api.example.test");
            let client = client.allow_http(true).build().unwrap();
            let call = async { client.list_billable_metrics().org_id("acme").send().await.map(drop).unwrap_err() };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let error = runtime.block_on(call);
            assert!(
                !is_secret(&displayed_text(&error)) && error.message().starts_with("Basic *** ***"),
                "{}",
                displayed_text(&error)
            );
        });
    }
}

#[test]
fn invalid_proxy_is_rejected_at_build() {
    let variables = || (vec![("HTTPS_PROXY", "http://me:hush@proxy:port".to_owned())], ());
    with_environment("proxy::invalid_proxy_is_rejected_at_build", variables, || {
        let built: Result<Client> = Client::builder("key-of-the-test".to_owned()).build();
        let error = built.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().starts_with("HTTPS_PROXY in the environment is not a valid proxy URL"), "{error}");
        assert!(!format!("{error} {error:?}").contains("hush"));
        // A client of the caller's own may ignore it.
        let own = usage_billing_core::http_client().unwrap().no_proxy().build().unwrap();
        Client::builder("key-of-the-test".to_owned()).http_client(own).build().unwrap();
    });
}

#[test]
fn environment_variable_permits_http() {
    let variables = || (vec![("USAGE_BILLING_ALLOW_HTTP", "1".to_owned())], ());
    with_environment("proxy::environment_variable_permits_http", variables, || {
        Client::builder("key-of-the-test".to_owned()).base_url("http://api.example.test").build().unwrap();
    });
}

#[tokio::test]
async fn connection_failure_has_the_same_hint_for_every_vendor() {
    let closed = ClosedPort::reserve();
    // `.invalid` is never resolved (RFC 6761).
    for (url, words, hint) in [
        (closed.url().to_owned(), "connection refused", "check host and port"),
        ("https://api.host.invalid".to_owned(), "host not found", "check the host"),
    ] {
        let retry = RetryPolicy::none();
        let genesys = usage_billing_tests::genesys(&url).retry(retry).build().unwrap();
        let suger = usage_billing_tests::suger(&url).retry(retry).build().unwrap();
        let acronis = usage_billing_tests::acronis(&url).retry(retry).build().unwrap();
        for error in [
            genesys.get_license_definitions().send().await.unwrap_err(),
            suger.list_billable_metrics().org_id("acme").send().await.unwrap_err(),
            acronis.list_applications().send().await.unwrap_err(),
        ] {
            let line = error.to_string();
            assert!(line.contains(words) && error.hint().unwrap_or_default().contains(hint), "{line}");
        }
    }
}

#[tokio::test]
async fn another_organization_has_a_hint_for_every_vendor() {
    for (status, hint) in [(403, "may"), (403, "needs"), (404, "belong to another organization")] {
        let server = ScriptedServer::start(move |request| match request.target.contains("token") {
            true => ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":600}"#),
            false => ScriptedResponse::json(status, r#"{"message":"not yours"}"#),
        });
        let genesys = usage_billing_tests::genesys(server.url()).build().unwrap();
        let suger = usage_billing_tests::suger(server.url()).build().unwrap();
        let acronis = usage_billing_tests::acronis(server.url()).build().unwrap();
        for error in [
            genesys.get_license_definitions().send().await.unwrap_err(),
            suger.list_billable_metrics().org_id("acme").send().await.unwrap_err(),
            acronis.list_applications().send().await.unwrap_err(),
        ] {
            let found = error.hint().unwrap_or_default();
            assert!(found.contains(hint) || status == 403 && !found.is_empty(), "{error}");
        }
    }
}
