//! The client's own limit, shared by its clones.

use std::time::Duration;

use tokio::time::Instant;
use usage_billing_core::{ErrorKind, RateLimit, RetryPolicy};
use usage_billing_tests::{Reply, ScriptedServer, suger};

#[tokio::test(start_paused = true)]
async fn clones_share_one_limit_and_no_request_is_lost() {
    let server = ScriptedServer::in_turn(vec![Reply::json(200, "[]")]);
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
async fn resent_copies_count_too() {
    let server = ScriptedServer::in_turn(vec![Reply::new(429, &[("retry-after", "0")], "{}")]);
    let client = suger(server.url()).rate_limit(RateLimit::per_minute(60).burst(1)).build().unwrap();
    let start = Instant::now();
    client.list_billable_metrics().org_id("acme").send().await.unwrap_err();
    assert_eq!((server.requests().len(), start.elapsed().as_secs()), (4, 3));
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_turn_does_not_use_up_the_budget() {
    let server = ScriptedServer::in_turn(vec![Reply::json(200, "[]"), Reply::json(503, "{}"), Reply::json(200, "[]")]);
    let policy = RetryPolicy::default().budget(Duration::from_secs(50));
    let client = suger(server.url()).rate_limit(RateLimit::per_minute(1)).retry(policy).build().unwrap();
    client.list_billable_metrics().org_id("acme").send().await.unwrap();
    client.list_billable_metrics().org_id("acme").send().await.unwrap();
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_limit_of_nothing_is_refused_when_the_client_is_built() {
    let error = suger("http://127.0.0.1:1").rate_limit(RateLimit::per_minute(0)).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}
