//! Tokens: one for all callers, renewed when rejected or old, and applied to each attempt of a request.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use usage_billing_core::{ErrorKind, RetryPolicy};
use usage_billing_genesys::Client;
use usage_billing_tests::{Request, ScriptedResponse, ScriptedServer, acronis, genesys, suger};

const REPORT: &str = r#"{"status":"Complete","usages":[]}"#;

/// Starts a server that issues `token-1`, `token-2`, …, each for `life` seconds; `api` responds to other requests.
fn issuing(
    life: u64,
    api: impl Fn(&Request) -> ScriptedResponse + Send + Sync + 'static,
) -> (ScriptedServer, Arc<AtomicU32>) {
    let issued = Arc::new(AtomicU32::new(0));
    let count = issued.clone();
    let server = ScriptedServer::start(move |request| match request.target.as_str() {
        "/oauth/token" => {
            let number = count.fetch_add(1, SeqCst) + 1;
            ScriptedResponse::json(
                200,
                &format!(r#"{{"access_token":"token-{number}","token_type":"bearer","expires_in":{life}}}"#),
            )
        }
        _ => api(request),
    });
    (server, issued)
}

/// Starts a server that issues one token, for `life` seconds, and then responds with `later`.
fn issuing_once(life: u64, later: ScriptedResponse) -> (ScriptedServer, Arc<AtomicU32>) {
    let logins = Arc::new(AtomicU32::new(0));
    let count = logins.clone();
    let server = ScriptedServer::start(move |request| match request.target.as_str() {
        "/oauth/token" if count.fetch_add(1, SeqCst) == 0 => {
            ScriptedResponse::json(200, &format!(r#"{{"access_token":"first","expires_in":{life}}}"#))
        }
        "/oauth/token" => later.clone(),
        _ => ScriptedResponse::json(200, REPORT),
    });
    (server, logins)
}

/// Advances the clock. It runs again afterwards: a paused clock jumps to the next timer while a response is in transit.
async fn advance(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

async fn fetch(client: &Client) -> Result<(), usage_billing_core::Error> {
    let day: DateTime<Utc> = "2026-10-01T00:00:00Z".parse().expect("a date-time");
    client.get_billing_reports_billableusage().start_date(day).end_date(day).send().await.map(|_| ())
}

async fn assert_parallel_calls_succeed(client: &Client) {
    let calls = (0..20).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { fetch(&client).await })
    });
    for call in futures_util::future::join_all(calls).await {
        call.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_callers_share_one_token() {
    let (server, issued) = issuing(300, |_| ScriptedResponse::json(200, REPORT));
    let client = genesys(server.url()).rate_limit(None).build().unwrap();
    assert_parallel_calls_succeed(&client).await;
    assert_eq!(issued.load(SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_rejections_cause_one_renewal() {
    let (server, issued) = issuing(300, |request| match request.header("authorization") {
        Some("Bearer token-1") => ScriptedResponse::json(401, r#"{"message":"expired","code":"bad.credentials"}"#),
        _ => ScriptedResponse::json(200, REPORT),
    });
    let client = genesys(server.url()).rate_limit(None).build().unwrap();
    assert_parallel_calls_succeed(&client).await;
    assert_eq!(issued.load(SeqCst), 2);
}

#[tokio::test]
async fn rejected_new_token_fails_the_call() {
    let (server, issued) =
        issuing(300, |_| ScriptedResponse::json(401, r#"{"message":"no","code":"bad.credentials"}"#));
    let error = fetch(&genesys(server.url()).build().unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), issued.load(SeqCst)), (ErrorKind::Auth, 2, 2));
    let expected = "getBillingReportsBillableusage: 401 Unauthorized: bad.credentials: no (2 attempts) -> check the OAuth client's id";
    assert!(error.to_string().starts_with(expected), "{error}");
}

#[tokio::test(start_paused = true)]
async fn token_that_expires_in_a_retry_delay_is_replaced() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let (server, issued) = issuing(60, move |request| {
        let mut log = log.lock().unwrap();
        log.push(request.header("authorization").unwrap().to_owned());
        match log.len() {
            1 => ScriptedResponse::new(429, &[("retry-after", "90")], "{}"),
            _ => ScriptedResponse::json(200, REPORT),
        }
    });
    fetch(&genesys(server.url()).build().unwrap()).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), ["Bearer token-1", "Bearer token-2"]);
    assert_eq!(issued.load(SeqCst), 2);
}

#[tokio::test]
async fn failed_early_renewal_keeps_the_valid_token() {
    let rejection = ScriptedResponse::json(401, r#"{"error":"invalid_client","description":"gone"}"#);
    let (server, logins) = issuing_once(600, rejection);
    let client = genesys(server.url()).build().unwrap();
    fetch(&client).await.unwrap();
    advance(530).await;
    fetch(&client).await.unwrap();
    assert_eq!(logins.load(SeqCst), 1, "530 s of 600 s: not yet due");
    advance(20).await;
    fetch(&client).await.unwrap();
    fetch(&client).await.unwrap();
    assert_eq!(logins.load(SeqCst), 2, "one early attempt, then a delay");
    advance(60).await;
    let error = fetch(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    let expected = "issue token: 401 Unauthorized: invalid_client: gone -> check the OAuth client's id";
    assert!(error.to_string().starts_with(expected), "{error}");
}

#[tokio::test]
async fn cancelled_caller_does_not_block_other_callers() {
    let (arrive, arrived) = tokio::sync::oneshot::channel();
    let (release, held) = std::sync::mpsc::channel::<()>();
    let first = Mutex::new(Some((arrive, held)));
    let server = ScriptedServer::start(move |request| {
        if request.target != "/oauth/token" {
            return ScriptedResponse::json(200, REPORT);
        }
        let first = first.lock().unwrap().take();
        if let Some((arrive, held)) = first {
            let _ = arrive.send(());
            let _ = held.recv();
        }
        ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":600}"#)
    });
    let client = genesys(server.url()).build().unwrap();
    tokio::select! {
        _ = fetch(&client) => panic!("its token never arrives"),
        _ = arrived => {}
    }
    fetch(&client).await.unwrap();
    drop(release);
}

#[tokio::test]
async fn rejected_credential_fails_all_callers_with_one_request() {
    let server = ScriptedServer::in_turn(vec![ScriptedResponse::json(
        400,
        r#"{"error":"invalid_client","description":"client not found","error_description":"client not found"}"#,
    )]);
    let client = genesys(server.url()).build().unwrap();
    let outcomes = futures_util::future::join_all((0..5).map(|_| fetch(&client))).await;
    assert!(outcomes.iter().all(|outcome| outcome.as_ref().is_err_and(|error| error.kind() == ErrorKind::Auth)));
    let requests = server.requests();
    assert_eq!(requests.iter().map(|request| request.target.as_str()).collect::<Vec<_>>(), ["/oauth/token"]);
    let [request] = &requests[..] else { panic!("one request") };
    assert_eq!(request.header("authorization"), Some("Basic aWQ6aHVzaC1zZWNyZXQ="));
    assert_eq!(request.body, "grant_type=client_credentials");
    assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
}

#[tokio::test]
async fn slow_renewal_delays_no_call_with_a_valid_token() {
    let (server, logins) = issuing_once(600, ScriptedResponse::new(503, &[("retry-after", "30")], ""));
    let client = genesys(server.url()).build().unwrap();
    fetch(&client).await.unwrap();
    advance(545).await;
    let start = tokio::time::Instant::now();
    fetch(&client).await.unwrap();
    // Real time: well below the 30 seconds that the server requests, even on a slow machine.
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    assert_eq!(logins.load(SeqCst), 2, "tried once");
}

#[tokio::test]
async fn unreadable_token_response_is_not_quoted() {
    for body in
        [r#""hush-token""#, r#"{"access_token":"hush-token","expires_in":"soon"}"#, r#"{"token":"hush-token"}"#, "[]"]
    {
        let server = ScriptedServer::in_turn(vec![ScriptedResponse::json(200, body)]);
        let error = fetch(&genesys(server.url()).build().unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
        let shown = format!("{error} {error:?} {:?} {:?}", error.body(), std::error::Error::source(&error));
        assert!(!shown.contains("hush") && error.body().is_empty(), "{shown}");
    }
}

#[tokio::test]
async fn policy_without_retries_applies_to_token_requests() {
    let server = ScriptedServer::in_turn(vec![ScriptedResponse::json(503, "{}")]);
    fetch(&genesys(server.url()).retry(RetryPolicy::none()).build().unwrap()).await.unwrap_err();
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn token_renewal_does_not_count_as_an_attempt() {
    let server = ScriptedServer::start({
        let calls = AtomicU32::new(0);
        move |request| match request.target.as_str() {
            "/oauth/token" => ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":600}"#),
            _ => match calls.fetch_add(1, SeqCst) {
                0 => ScriptedResponse::json(401, "{}"),
                1 => ScriptedResponse::json(503, "{}"),
                _ => ScriptedResponse::json(200, REPORT),
            },
        }
    });
    fetch(&genesys(server.url()).retry(RetryPolicy::default().max_attempts(2)).build().unwrap()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn busy_token_endpoint_is_retried() {
    let server = ScriptedServer::in_turn(vec![
        ScriptedResponse::new(503, &[], "<html><title>busy</title>"),
        ScriptedResponse::new(429, &[("retry-after", "5")], ""),
        ScriptedResponse::dropped(),
        ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":60}"#),
        ScriptedResponse::json(200, REPORT),
    ]);
    fetch(&genesys(server.url()).build().unwrap()).await.unwrap();
    assert_eq!(server.requests().len(), 5);
}

#[tokio::test]
async fn status_429_of_the_token_endpoint_delays_token_requests() {
    let server = ScriptedServer::start(|request| match request.target.as_str() {
        "/oauth/token" => ScriptedResponse::new(429, &[("retry-after", "600")], "{}"),
        _ => ScriptedResponse::json(200, REPORT),
    });
    let client = genesys(server.url()).build().unwrap();
    for attempts in [1, 0, 0, 0, 0] {
        let error = fetch(&client).await.unwrap_err();
        assert_eq!((error.status().map(|status| status.as_u16()), error.attempts()), (Some(429), attempts), "{error}");
        assert!(error.retry_after().is_some_and(|delay| delay <= Duration::from_secs(600)), "{error}");
    }
    assert_eq!(server.requests().len(), 1);
    advance(600).await;
    fetch(&client).await.unwrap_err();
    assert_eq!(server.requests().len(), 2, "the delay has ended");
}

#[tokio::test]
async fn status_407_of_the_token_endpoint_does_not_blame_credentials() {
    let server = ScriptedServer::in_turn(vec![ScriptedResponse::new(407, &[], "")]);
    let error = fetch(&genesys(server.url()).build().unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::Api, 1), "{error}");
    assert!(!error.hint().unwrap_or_default().contains("secret"), "{error}");
}

#[tokio::test]
async fn acronis_token_lifetime_is_read_from_expires_on() {
    let server = ScriptedServer::start(|request| match request.target.as_str() {
        "/api/2/idp/token" => ScriptedResponse::new(
            200,
            &[("content-type", "application/json"), ("date", "Sun, 09 Sep 2001 01:46:40 GMT")],
            r#"{"access_token":"t","token_type":"bearer","expires_on":1000007200}"#,
        ),
        _ => ScriptedResponse::json(200, r#"{"items":[]}"#),
    });
    let client = acronis(server.url()).build().unwrap();
    let report = uuid::Uuid::nil();
    for _ in 0..2 {
        client.list_stored_reports().report_id(report).send().await.unwrap();
    }
    let targets: Vec<_> = server.requests().into_iter().map(|request| request.target).collect();
    let stored = format!("/api/2/reports/{report}/stored");
    assert_eq!(targets, ["/api/2/idp/token", &stored, &stored], "a clock that is wrong by decades has no effect");
}

#[tokio::test]
async fn suger_key_is_sent_unchanged_and_not_renewed() {
    let server = ScriptedServer::in_turn(vec![ScriptedResponse::json(401, r#""key revoked""#)]);
    let client = suger(server.url()).retry(RetryPolicy::default()).build().unwrap();
    let error = client.list_billable_metrics().org_id("acme").send().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Auth, 1));
    assert_eq!(error.message(), "key revoked");
    let requests = server.requests();
    assert_eq!(requests[0].header("authorization"), Some("Key hush-key"));
    assert_eq!(requests[0].header("api-version"), None);
}
