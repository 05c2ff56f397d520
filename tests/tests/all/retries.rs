//! Retries by method, status and extension, against a real socket.

use std::time::Duration;

use tokio::time::Instant;
use usage_billing_core::{Error, ErrorKind, RetryPolicy};
use usage_billing_suger::{Client, types};
use usage_billing_tests::{ClosedPort, ScriptedResponse, ScriptedServer, suger};

/// Calls that differ in their idempotency; a JSON response fits all of them.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Call {
    /// GET.
    Read,
    /// DELETE.
    Delete,
    /// PATCH, without an extension.
    Patch,
    /// POST, `x-idempotent`.
    Validate,
    /// POST, `x-idempotent-with: id`, without the id.
    Report,
    /// POST, `x-idempotent-with: id`, with the id.
    ReportWithId,
    /// POST, without an extension.
    Batch,
}

const ALL: [Call; 7] =
    [Call::Read, Call::Delete, Call::Patch, Call::Validate, Call::Report, Call::ReportWithId, Call::Batch];

async fn call(client: &Client, call: Call) -> Result<(), Error> {
    let report = |id: Option<&str>| {
        types::CreateUsageRecordGroupParams::builder()
            .organization_id("acme")
            .entitlement_id("e-1")
            .id(id.map(str::to_owned))
    };
    match call {
        Call::Read => client.get_usage_metering_config_info().org_id("acme").send().await.map(|_| ()),
        Call::Delete => {
            client.delete_usage_record_group().org_id("acme").usage_record_group_id("g-1").send().await.map(|_| ())
        }
        Call::Patch => {
            let body = types::UsageMeteringConfigInfo::builder();
            client.update_usage_metering_config_info().org_id("acme").body(body).send().await.map(|_| ())
        }
        Call::Validate => {
            client.batch_validate_usage_record_groups().org_id("acme").body(vec![]).send().await.map(|_| ())
        }
        Call::Report | Call::ReportWithId => {
            let body = report((call == Call::ReportWithId).then_some("7b0e6b6e-0000-4000-8000-000000000001"));
            let request = client.report_usage_record_group().org_id("acme").entitlement_id("e-1").body(body);
            request.send().await.map(|_| ())
        }
        Call::Batch => client.batch_report_usage_record_groups().org_id("acme").body(vec![]).send().await.map(|_| ()),
    }
}

async fn attempts(kind: Call, response: ScriptedResponse) -> usize {
    let server = ScriptedServer::in_turn(vec![response]);
    let client = suger(server.url()).build().unwrap();
    let outcome = call(&client, kind).await;
    let sent = server.requests().len();
    if let Err(error) = outcome {
        assert_eq!(error.attempts() as usize, sent, "{kind:?}: {error}");
    }
    sent
}

#[tokio::test(start_paused = true)]
async fn retry_depends_on_method_status_and_extension() {
    let safe = |kind| matches!(kind, Call::Read | Call::Delete | Call::Validate | Call::ReportWithId);
    for kind in ALL {
        let repeatable = if safe(kind) { 4 } else { 1 };
        for status in [408, 502, 503, 504] {
            assert_eq!(attempts(kind, ScriptedResponse::json(status, "{}")).await, repeatable, "{kind:?} {status}");
        }
        // A 500 is a final response of this operation.
        let after_500 = if kind == Call::Validate { 1 } else { repeatable };
        assert_eq!(attempts(kind, ScriptedResponse::json(500, "{}")).await, after_500, "{kind:?} 500");
        assert_eq!(attempts(kind, ScriptedResponse::dropped()).await, repeatable, "{kind:?} dropped");
        assert_eq!(attempts(kind, ScriptedResponse::json(429, "{}")).await, 4, "{kind:?} 429");
        for status in [301, 400, 403, 404, 407, 409, 501] {
            assert_eq!(attempts(kind, ScriptedResponse::json(status, "{}")).await, 1, "{kind:?} {status}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn post_is_not_resent_after_503_but_is_after_429() {
    let server = ScriptedServer::in_turn(vec![
        ScriptedResponse::json(429, "{}"),
        ScriptedResponse::json(503, "{}"),
        ScriptedResponse::json(200, "[]"),
    ]);
    let client = suger(server.url()).build().unwrap();
    let error = call(&client, Call::Batch).await.unwrap_err();
    assert_eq!((error.status().map(|status| status.as_u16()), error.attempts()), (Some(503), 2));
}

#[tokio::test(start_paused = true)]
async fn truncated_body_is_a_lost_connection() {
    for (kind, sent) in [(Call::Read, 4), (Call::Batch, 1)] {
        let server = ScriptedServer::in_turn(vec![ScriptedResponse::truncated(200, r#"{"partnerUsage"#)]);
        let client = suger(server.url()).build().unwrap();
        let error = call(&client, kind).await.unwrap_err();
        assert_eq!((error.kind(), server.requests().len()), (ErrorKind::Connection, sent), "{error}");
    }
    let server =
        ScriptedServer::in_turn(vec![ScriptedResponse::truncated(200, "{"), ScriptedResponse::json(200, "{}")]);
    call(&suger(server.url()).build().unwrap(), Call::Read).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn error_states_whether_an_attempt_may_have_arrived() {
    let response = |status| ScriptedResponse::new(status, &[("retry-after", "0")], "\"no\"");
    for (responses, expected) in [
        (vec![response(404)], false),
        (vec![response(429), response(404)], false),
        (vec![response(503), response(404)], true),
        (vec![ScriptedResponse::dropped(), response(429), response(401)], true),
        (vec![response(503)], true),
        (vec![ScriptedResponse::json(200, "<html>")], true),
        (vec![ScriptedResponse::json(200, "{\"id\": 7")], true),
    ] {
        let server = ScriptedServer::in_turn(responses.clone());
        let error = call(&suger(server.url()).build().unwrap(), Call::ReportWithId).await.unwrap_err();
        assert_eq!(error.may_have_arrived(), expected, "{responses:?}: {error}");
    }
    let closed = ClosedPort::reserve();
    let error = call(&suger(closed.url()).build().unwrap(), Call::ReportWithId).await.unwrap_err();
    assert!(!error.may_have_arrived(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn unreachable_server_is_retried_for_any_method() {
    let closed = ClosedPort::reserve();
    let client = suger(closed.url()).build().unwrap();
    let error = call(&client, Call::Batch).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connection, 4));
    let expected =
        format!("batchReportUsageRecordGroups: no connection to {}: ", closed.url().trim_start_matches("http://"));
    assert!(error.to_string().starts_with(&expected), "{error}");
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_honored_in_both_forms() {
    for header in ["37", "Sun, 09 Sep 2001 01:47:17 GMT"] {
        let headers = [("retry-after", header), ("date", "Sun, 09 Sep 2001 01:46:40 GMT")];
        let server = ScriptedServer::in_turn(vec![
            ScriptedResponse::new(429, &headers, "{}"),
            ScriptedResponse::json(200, "[]"),
        ]);
        let start = Instant::now();
        call(&suger(server.url()).build().unwrap(), Call::Batch).await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 37, "{header}");
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_beyond_the_budget_fails_at_once() {
    let server = ScriptedServer::in_turn(vec![ScriptedResponse::new(429, &[("retry-after", "600")], "{}")]);
    let start = Instant::now();
    let error = call(&suger(server.url()).build().unwrap(), Call::Read).await.unwrap_err();
    assert_eq!((error.attempts(), error.retry_after()), (1, Some(Duration::from_secs(600))));
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn delays_without_retry_after_grow_within_the_budget() {
    let server = ScriptedServer::in_turn(vec![ScriptedResponse::json(503, "{}")]);
    let policy = RetryPolicy::default().max_attempts(50).time_limit(Duration::from_secs(60));
    let start = Instant::now();
    let error = call(&suger(server.url()).retry(policy).build().unwrap(), Call::Read).await.unwrap_err();
    assert!(error.attempts() > 4, "{error}");
    assert!(start.elapsed() <= Duration::from_secs(60));
}

#[tokio::test]
async fn html_page_of_a_proxy_is_reported_with_its_status() {
    let page = "<html><head><title>502 Bad Gateway</title></head></html>";
    let server = ScriptedServer::in_turn(vec![ScriptedResponse::new(502, &[("content-type", "text/html")], page)]);
    let client = suger(server.url()).retry(RetryPolicy::none()).build().unwrap();
    let error = call(&client, Call::Read).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "getUsageMeteringConfigInfo: 502 Bad Gateway: an HTML page, not an API response (from a proxy?): 502 Bad Gateway"
    );
    assert_eq!(error.body(), page.as_bytes());
}

#[tokio::test]
async fn path_value_that_changes_the_path_is_rejected() {
    let server = ScriptedServer::in_turn(vec![ScriptedResponse::json(200, "{}")]);
    let client = suger(server.url()).build().unwrap();
    for value in ["", ".", ".."] {
        let error = client.get_billable_metric().org_id("acme").billable_metric_id(value).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Request, "{value}: {error}");
    }
    client.get_billable_metric().org_id("a/b?c#d").billable_metric_id("x y%2F").send().await.unwrap();
    let targets: Vec<_> = server.requests().into_iter().map(|request| request.target).collect();
    assert_eq!(targets, ["/org/a%2Fb%3Fc%23d/billableMetric/x%20y%252F"]);
}
