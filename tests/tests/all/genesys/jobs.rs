//! API requests, counted by jobs and by the older query.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use usage_billing::genesys::{ApiUsage, types};
use usage_billing::{ErrorKind, Period, PollResult};
use usage_billing_sandbox::Sandbox;
use usage_billing_tests::{ScriptedResponse, ScriptedServer, now};

use super::{NO_LIMIT, calls, client_at, keys, last_month, start};

#[tokio::test(start_paused = true)]
async fn job_counts_each_request_once_and_none_is_billable() {
    let (sandbox, client) = start(Sandbox::builder().polls_before_ready(3)).await;
    let rows = client.api_usage(last_month(), NO_LIMIT).await.unwrap();
    assert_eq!(calls(&sandbox, "getUsageAggregatesQueryJob"), 4 + 1, "four polls of the state, and the page");
    assert!(
        rows.iter().all(|row| row.is_billable == Some(false) && row.cost.is_none() && row.source_report_id.is_some())
    );
    assert_eq!(keys(&rows).len(), rows.len());

    // The total is the sum of the days, and of the clients.
    let mut whole = client.start_usage_job(last_month(), |query| query.group_by(vec![])).await.unwrap();
    let whole = whole.wait(NO_LIMIT).await.unwrap().try_collect().await.unwrap();
    let whole: i64 = whole.iter().filter_map(|row| row.request_count).sum();
    assert_eq!(rows.iter().map(|row| row.quantity).sum::<Decimal>(), Decimal::from(whole));
    let mut by_client: BTreeMap<&str, Decimal> = BTreeMap::new();
    for row in &rows {
        *by_client.entry(row.customer_id.as_deref().unwrap()).or_default() += row.quantity;
    }
    let (id, expected) = by_client.iter().max_by_key(|(_, requests)| **requests).unwrap();
    let mut job = client.start_client_usage_job(id, last_month(), |query| query).await.unwrap();
    let counted = job.wait(NO_LIMIT).await.unwrap().try_collect().await.unwrap();
    let account = client.organization().await.unwrap();
    let usage = ApiUsage::new(job.id(), &account, last_month(), None);
    let rows = usage.client_job_rows(id, &counted, now()).unwrap();
    assert_eq!(rows.iter().map(|row| row.quantity).sum::<Decimal>(), *expected);
    assert_eq!(keys(&rows).len(), rows.len());
}

#[tokio::test(start_paused = true)]
async fn failed_job_with_status_202_is_an_error_at_once() {
    let (sandbox, client) = start(Sandbox::builder().polls_before_ready(0)).await;
    let mut job = client.start_client_usage_job("no-such-client", last_month(), |query| query).await.unwrap();
    let error = job.wait(NO_LIMIT).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
    assert!(error.to_string().contains("the job is Failed: There is no such OAuth client"), "{error}");
    assert_eq!(calls(&sandbox, "getUsageClientClientIdAggregatesQueryJob"), 1);

    let naming = |query: usage_billing::genesys::JobQuery| query.oauth_client_ids(vec!["no-such-client".to_owned()]);
    let error = client.start_usage_job(last_month(), naming).await.unwrap().wait(NO_LIMIT).await.unwrap_err();
    assert!(error.to_string().contains("is Cancelled"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn invalid_job_period_is_rejected_without_a_request() {
    let (sandbox, client) = start(Sandbox::builder()).await;
    for period in ["2019-01", "2026-01-01/2026-06-01"] {
        let period: Period = period.parse().unwrap();
        let error = client.api_usage(period, NO_LIMIT).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Request, 0), "{error}");
    }
    assert!(sandbox.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn older_query_starts_with_either_success() {
    for polls in [0, 3] {
        let (sandbox, client) = start(Sandbox::builder().polls_before_ready(polls)).await;
        let by =
            vec![types::ApiUsageOrganizationGroupBy::OAuthClientId, types::ApiUsageOrganizationGroupBy::HttpMethod];
        let day = types::UsageGranularity::Day;
        let mut query =
            client.start_usage_query(last_month(), |query| query.granularity(day.clone()).group_by(by)).await.unwrap();
        let started =
            sandbox.requests().into_iter().find(|request| request.operation == Some("postUsageQuery")).unwrap();
        assert_eq!(started.status, Some(if polls == 0 { 200 } else { 202 }));
        let counted = query.wait(NO_LIMIT).await.unwrap();
        let again = client.usage_query(query.id()).wait(NO_LIMIT).await.unwrap();
        assert_eq!(again.len(), counted.len(), "resumed by its id");
        let account = client.organization().await.unwrap();
        let usage = ApiUsage::new(query.id(), &account, last_month(), day);
        let rows = usage.query_rows(&counted, now()).unwrap();
        assert!(!rows.is_empty() && rows.iter().all(|row| row.is_billable == Some(false) && row.unit == "requests"));
        assert_eq!(keys(&rows).len(), rows.len());
    }
}

/// Starts a server that issues tokens and sends `body` with 202 to every operation.
fn server_with_body(body: impl AsRef<[u8]> + Send + Sync + 'static) -> ScriptedServer {
    ScriptedServer::start(move |request| match request.target.as_str() {
        "/oauth/token" => ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":3600}"#),
        _ => ScriptedResponse::new(202, &[("content-type", "application/json")], &body),
    })
}

#[tokio::test]
async fn failed_query_and_query_without_id_are_errors() {
    let server = server_with_body(r#"{"queryStatus":"Failed"}"#);
    let client = client_at(server.url(), "id", "hush-secret");
    let error = client.usage_query("q-1").wait(NO_LIMIT).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Failed && error.to_string().contains("the job is Failed"), "{error}");
    let error = client.start_usage_query(last_month(), |query| query).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Decode && error.to_string().contains("executionId"), "{error}");
}

#[tokio::test]
async fn unknown_state_is_pending() {
    for word in ["Paused", "complete"] {
        let body = format!(r#"{{"queryStatus":"{word}","status":"{word}"}}"#);
        let server = server_with_body(body);
        let client = client_at(server.url(), "id", "hush-secret");
        let states = [
            state(client.billable_usage(last_month()).poll().await),
            state(client.usage_job("j-1").poll().await),
            state(client.client_usage_job("c-1", "j-1").poll().await),
            state(client.usage_query("q-1").poll().await),
        ];
        assert_eq!(states, [(); 4].map(|()| Some(word.to_owned())));
    }
    let server = server_with_body("{}");
    let client = client_at(server.url(), "id", "hush-secret");
    assert_eq!(state(client.billable_usage(last_month()).poll().await), None);
    assert_eq!(state(client.usage_query("q-1").poll().await), None);
}

/// Returns the vendor's status of a pending report, if it states one.
fn state<T>(seen: usage_billing::Result<PollResult<T>>) -> Option<String> {
    match seen {
        Ok(PollResult::Pending { status, .. }) => status,
        Ok(_) => panic!("the report is pending"),
        Err(error) => panic!("{error}"),
    }
}
