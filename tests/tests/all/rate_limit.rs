//! The client's own rate limit, shared by its clones.

use std::time::Duration;

use tokio::time::Instant;
use usage_billing_core::{CallOptions, ErrorKind, RateLimit, RetryPolicy};
use usage_billing_tests::{ScriptedResponse, ScriptedServer, genesys, suger};

#[tokio::test(start_paused = true)]
async fn clones_share_one_limit() {
    let server = ScriptedServer::in_turn(vec![ScriptedResponse::json(200, "[]")]);
    let client = suger(server.url()).rate_limit(RateLimit::per_minute(60).burst(2)).build().unwrap();
    let start = Instant::now();
    let calls = (0..6).map(|_| {
        let client = client.clone();
        async move { client.list_billable_metrics().org_id("acme").send().await }
    });
    for outcome in futures_util::future::join_all(calls).await {
        outcome.unwrap();
    }
    assert_eq!(server.requests().len(), 6);
    assert_eq!(start.elapsed().as_secs(), 4, "two at once, then one a second");
}

#[tokio::test(start_paused = true)]
async fn retries_count_toward_the_limit() {
    let server = ScriptedServer::in_turn(vec![ScriptedResponse::new(429, &[("retry-after", "0")], "{}")]);
    let client = suger(server.url()).rate_limit(RateLimit::per_minute(60).burst(1)).build().unwrap();
    let start = Instant::now();
    client.list_billable_metrics().org_id("acme").send().await.unwrap_err();
    assert_eq!((server.requests().len(), start.elapsed().as_secs()), (4, 3));
}

#[tokio::test(start_paused = true)]
async fn wait_for_the_limit_does_not_use_the_retry_budget() {
    let server = ScriptedServer::in_turn(vec![
        ScriptedResponse::json(200, "[]"),
        ScriptedResponse::json(503, "{}"),
        ScriptedResponse::json(200, "[]"),
    ]);
    let policy = RetryPolicy::default().time_limit(Duration::from_secs(50));
    let client = suger(server.url()).rate_limit(RateLimit::per_minute(1)).retry(policy).build().unwrap();
    client.list_billable_metrics().org_id("acme").send().await.unwrap();
    client.list_billable_metrics().org_id("acme").send().await.unwrap();
    assert_eq!(server.requests().len(), 3);
}

/// Starts a server that sends one 429 with 30 s, then successes.
fn limited() -> ScriptedServer {
    ScriptedServer::in_turn(vec![
        ScriptedResponse::new(429, &[("retry-after", "30")], "{}"),
        ScriptedResponse::json(200, "[]"),
    ])
}

#[tokio::test(start_paused = true)]
async fn status_429_delays_all_clones_until_the_stated_time() {
    let server = limited();
    let client = suger(server.url()).retry(RetryPolicy::none()).build().unwrap();
    let start = Instant::now();
    let error = client.list_billable_metrics().org_id("acme").send().await.unwrap_err();
    assert_eq!((error.attempts(), error.retry_after()), (1, Some(Duration::from_secs(30))));
    assert_eq!(start.elapsed().as_secs(), 0);
    let waiting = (0..5).map(|_| {
        let client = client.clone();
        async move { client.list_billable_metrics().org_id("acme").send().await }
    });
    for outcome in futures_util::future::join_all(waiting).await {
        outcome.unwrap();
    }
    assert_eq!((server.requests().len(), start.elapsed().as_secs()), (6, 30));
    client.list_billable_metrics().org_id("acme").send().await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 30, "the delay has ended");
}

#[tokio::test(start_paused = true)]
async fn call_fails_at_once_if_its_deadline_precedes_the_delays_end() {
    let server = limited();
    let client = suger(server.url()).retry(RetryPolicy::none()).build().unwrap();
    client.list_billable_metrics().org_id("acme").send().await.unwrap_err();
    let start = Instant::now();
    let hurried = client.with_call_options(CallOptions::new().deadline(Duration::from_secs(29)));
    let error = hurried.list_billable_metrics().org_id("acme").send().await.unwrap_err();
    assert_eq!((start.elapsed(), server.requests().len()), (Duration::ZERO, 1));
    assert_eq!((error.attempts(), error.retry_after()), (0, Some(Duration::from_secs(30))));
    assert_eq!(error.status().map(|status| status.as_u16()), Some(429));
    let expected = "listBillableMetrics: 429 Too Many Requests: not sent: an earlier call was rejected with 429, and the delay \
                    that the vendor requested has not passed (retry after 30 s)";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test(start_paused = true)]
async fn status_429_without_retry_after_waits_for_the_vendors_reset() {
    let limit = ScriptedResponse::new(429, &[("inin-ratelimit-reset", "13")], "{}");
    let token = ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":3600}"#);
    let server = ScriptedServer::in_turn(vec![token, limit.clone(), ScriptedResponse::json(200, "[]")]);
    let client = genesys(server.url()).build().unwrap();
    let start = Instant::now();
    client.get_license_definitions().send().await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((server.requests().len(), start.elapsed().as_secs()), (3, 13));

    // The header of another vendor is ignored: the usual backoff.
    let server = ScriptedServer::in_turn(vec![limit, ScriptedResponse::json(200, "[]")]);
    let start = Instant::now();
    suger(server.url()).build().unwrap().list_billable_metrics().org_id("acme").send().await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[test]
fn limit_of_zero_is_rejected_at_build() {
    let error = suger("http://127.0.0.1:1").rate_limit(RateLimit::per_minute(0)).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}
