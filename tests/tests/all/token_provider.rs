//! Tokens and keys that the caller supplies, and headers for a gateway.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use usage_billing_core::{AccessToken, ApiKey, Credentials, Error, ErrorKind, Result, SecretString, TokenRequest};
use usage_billing_genesys::{Client, Region};
use usage_billing_tests::{Request, ScriptedResponse, ScriptedServer, genesys, suger, untimed};

/// For each request to a provider, whether it followed a rejection.
type Log = Arc<Mutex<Vec<bool>>>;

/// Returns a provider of `hush-token-1`, `hush-token-2`, …, each for `life` seconds.
fn numbered(life: u64) -> (impl Fn(TokenRequest) -> std::future::Ready<Result<AccessToken>>, Log) {
    let log = Log::default();
    let requests = log.clone();
    let provide = move |request: TokenRequest| {
        let mut requests = requests.lock().unwrap();
        requests.push(request.is_after_rejection());
        let token = AccessToken::new(format!("hush-token-{}", requests.len()));
        std::future::ready(Ok(token.expires_in(Duration::from_secs(life))))
    };
    (provide, log)
}

fn client(server: &ScriptedServer, credentials: Credentials) -> Client {
    let region: Region = server.url().parse().unwrap();
    untimed(Client::builder(&region, credentials)).rate_limit(None).build().unwrap()
}

async fn fetch(client: &Client) -> Result<()> {
    client.get_license_definitions().send().await.map(drop)
}

fn rejecting(rejected: &'static [&'static str]) -> impl Fn(&Request) -> ScriptedResponse {
    move |request| match request.header("authorization") {
        Some(header) if rejected.contains(&header) => {
            ScriptedResponse::json(401, r#"{"message":"no","code":"bad.credentials"}"#)
        }
        _ => ScriptedResponse::json(200, "[]"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_token_is_replaced_once_for_all_callers() {
    let server = ScriptedServer::start(rejecting(&["Bearer hush-token-1"]));
    let (provide, requests) = numbered(3600);
    let client = client(&server, Credentials::token_provider("id", provide));
    let calls = (0..20).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { fetch(&client).await })
    });
    for call in futures_util::future::join_all(calls).await {
        call.unwrap().unwrap();
    }
    assert_eq!(*requests.lock().unwrap(), [false, true]);
    assert!(server.requests().iter().all(|request| !request.target.contains("token")), "the endpoint is not used");
}

#[tokio::test]
async fn token_rejected_twice_fails_the_call() {
    let server = ScriptedServer::start(|_| ScriptedResponse::json(401, r#"{"message":"no","code":"bad.credentials"}"#));
    let (provide, requests) = numbered(3600);
    let error = fetch(&client(&server, Credentials::token_provider("id", provide))).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Auth, 2));
    assert_eq!(*requests.lock().unwrap(), [false, true]);
}

#[tokio::test(start_paused = true)]
async fn expired_token_is_replaced_without_a_rejection() {
    let server = ScriptedServer::start(rejecting(&["Bearer hush-token-1"]));
    let (provide, requests) = numbered(60);
    let client = client(&server, Credentials::token_provider("id", provide));
    fetch(&client).await.unwrap();
    tokio::time::advance(Duration::from_secs(61)).await;
    fetch(&client).await.unwrap();
    assert_eq!(*requests.lock().unwrap(), [false, true, false]);
}

#[tokio::test(start_paused = true)]
async fn token_rejected_during_early_renewal_is_replaced() {
    let is_rejected = Arc::new(AtomicBool::new(false));
    let rejects = is_rejected.clone();
    let server = ScriptedServer::start(move |request| match request.header("authorization") {
        Some("Bearer hush-token-1") if rejects.load(SeqCst) => {
            ScriptedResponse::json(401, r#"{"message":"no","code":"bad.credentials"}"#)
        }
        _ => ScriptedResponse::json(200, "[]"),
    });
    let requests = Log::default();
    let (requested, released) = (requests.clone(), Arc::new(Notify::new()));
    let release = released.clone();
    let credentials = Credentials::token_provider("id", move |request: TokenRequest| {
        let mut requests = requested.lock().unwrap();
        requests.push(request.is_after_rejection());
        let (number, released) = (requests.len(), released.clone());
        async move {
            if number == 2 {
                released.notified().await;
            }
            Ok::<_, Error>(AccessToken::new(format!("hush-token-{number}")).expires_in(Duration::from_secs(1000)))
        }
    });
    // The runtime is never idle, so that the paused clock does not advance during a wait for a socket.
    tokio::spawn(async {
        loop {
            std::thread::yield_now();
            tokio::task::yield_now().await;
        }
    });
    let client = client(&server, credentials);
    fetch(&client).await.unwrap();
    tokio::time::advance(Duration::from_secs(950)).await;
    let early = client.clone();
    let renewal = tokio::spawn(async move { fetch(&early).await });
    while requests.lock().unwrap().len() < 2 {
        tokio::task::yield_now().await;
    }
    fetch(&client).await.unwrap();
    is_rejected.store(true, SeqCst);
    let sent = server.requests().len();
    let late_release = async {
        while server.requests().len() == sent {
            tokio::task::yield_now().await;
        }
        // Far longer than the rejection takes.
        for _ in 0..500_000 {
            if requests.lock().unwrap().len() > 2 {
                break;
            }
            tokio::task::yield_now().await;
        }
        release.notify_one();
    };
    tokio::join!(fetch(&client), late_release).0.unwrap();
    assert_eq!(*requests.lock().unwrap(), [false, false, true]);
    renewal.await.unwrap().unwrap();
}

#[tokio::test]
async fn supplied_api_key_uses_the_vendors_scheme() {
    let server = ScriptedServer::start(|request| match request.header("authorization") {
        Some("Key hush-token-2") => ScriptedResponse::json(200, "[]"),
        _ => ScriptedResponse::json(401, r#""unauthorized""#),
    });
    let (provide, requests) = numbered(3600);
    let builder = usage_billing_suger::Client::builder(ApiKey::provider(provide)).base_url(server.url());
    untimed(builder).build().unwrap().list_billable_metrics().org_id("acme").send().await.unwrap();
    assert_eq!(*requests.lock().unwrap(), [false, true]);
}

#[tokio::test]
async fn supplied_token_is_masked_where_the_vendor_echoes_it() {
    let server = ScriptedServer::start(|request| {
        let header = request.header("authorization").unwrap_or_default();
        ScriptedResponse::json(400, &serde_json::json!({"message": header, "code": header}).to_string())
    });
    let (provide, _) = numbered(3600);
    let credentials = Credentials::token_provider("id", provide);
    let mut shown = format!("{credentials:?}");
    let client = client(&server, credentials);
    let error = fetch(&client).await.unwrap_err();
    shown += &format!("{client:?} {error} {error:?} {}", String::from_utf8_lossy(error.body()));
    assert!(shown.contains("***") && !shown.contains("hush"), "{shown}");
}

#[tokio::test]
async fn provider_failure_fails_the_call_without_a_request() {
    let server = ScriptedServer::start(|_| ScriptedResponse::json(200, "[]"));
    let calls = Arc::new(AtomicU32::new(0));
    let count = calls.clone();
    let credentials = Credentials::token_provider("id", move |_| {
        count.fetch_add(1, SeqCst);
        async { Err::<AccessToken, _>("vault is sealed\nERROR forged") }
    });
    let error = fetch(&client(&server, credentials)).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), calls.load(SeqCst)), (ErrorKind::Auth, 0, 1));
    assert!(error.to_string().starts_with(r"the token provider failed: vault is sealed\nERROR forged -> "), "{error}");

    let own = Credentials::token_provider("id", |_| async {
        Err::<AccessToken, _>(Error::new(ErrorKind::Connection, "no vault"))
    });
    let error = fetch(&client(&server, own)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.message().ends_with("no vault"), "{error}");
    assert!(server.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn provider_failure_does_not_reject_usage() {
    use usage_billing::suger::{Client, UsageEvent};

    let server = ScriptedServer::start(|_| ScriptedResponse::json(200, r#"{"usageRecordGroups":[]}"#));
    let vault = ScriptedServer::start(|request| match request.target.contains("gone") {
        true => ScriptedResponse::json(409, r#""no such secret""#),
        false => ScriptedResponse::json(404, r#""no such secret""#),
    });
    for path in ["gone", "missing", ""] {
        let url = vault.url().to_owned();
        // The provider makes a call with a client of this crate, or rejects its own request.
        let key = ApiKey::provider(move |_| {
            let url = url.clone();
            async move {
                let broker = suger(&url).build()?;
                let call = broker.get_billable_metric().org_id("acme").billable_metric_id(path);
                call.send().await.map(|_| AccessToken::new("hush"))
            }
        });
        let builder = Client::builder("acme", key).base_url(server.url());
        let client = untimed(builder).build().unwrap().with_now(usage_billing_tests::now());
        let mut queue = client.usage_queue().flush_timeout(None);
        queue.push(UsageEvent::new("e-1", usage_billing_tests::now()).quantity("gb", 1)).unwrap();
        let receipt = queue.flush().await;
        assert_eq!(receipt.to_string(), "0 delivered, 0 already delivered, 0 rejected, 1 unsent", "{path}");
        assert_eq!((receipt.unsent[0].error.kind(), receipt.unsent[0].error.status()), (ErrorKind::Auth, None));
    }
}

#[tokio::test]
async fn token_invalid_in_a_header_is_not_quoted() {
    let server = ScriptedServer::start(|_| ScriptedResponse::json(200, "[]"));
    for token in ["", "Bearer hush", "hush\n", "\"hush\""] {
        let credentials =
            Credentials::token_provider("id", move |_| async move { Ok::<_, Error>(AccessToken::new(token)) });
        let error = fetch(&client(&server, credentials)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
        assert!(error.message().starts_with("the token that the token provider returned "), "{error}");
        assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn gateway_header_is_sent_to_the_api_only_and_masked() {
    let server = ScriptedServer::start(|request| match request.target.as_str() {
        "/oauth/token" => ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":600}"#),
        _ => ScriptedResponse::json(400, &serde_json::json!({"message": request.header("x-gateway-key")}).to_string()),
    });
    let builder = genesys(server.url()).header("X-Gateway-Key", SecretString::from("Bearer hush-gateway"));
    let mut shown = format!("{builder:?}");
    let client = builder.build().unwrap();
    let error = fetch(&client).await.unwrap_err();
    shown += &format!("{client:?} {error} {error:?}");
    assert!(shown.contains("***") && !shown.contains("hush"), "{shown}");
    let headers: Vec<_> = server.requests().iter().map(|it| it.header("x-gateway-key").map(str::to_owned)).collect();
    assert_eq!(headers, [None, Some("Bearer hush-gateway".to_owned())]);
}

#[test]
fn invalid_gateway_header_is_a_configuration_error() {
    for (name, value) in
        [("X Key", "hush"), ("x-key", "hush\n"), ("x-key", ""), ("Authorization", "hush"), ("HOST", "hush")]
    {
        let error = suger("http://127.0.0.1:1").header(name, value).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{name}: {error}");
        assert!(!error.to_string().contains("hush"), "{error}");
    }
}
