//! Injected faults, and the errors that they cause.

use std::time::Duration;

use usage_billing::{ErrorKind, PollResult};
use usage_billing_sandbox::{self as demo, Sandbox};
use usage_billing_tests::{ClosedPort, ScriptedResponse, ScriptedServer, now};

use usage_billing::genesys::{BillingPeriod, Client, ClientOrganizations};

use super::{NO_LIMIT, calls, client_at, last_month, start};

#[tokio::test(start_paused = true)]
async fn transient_faults_change_no_row() {
    let rows = |sandbox: (Sandbox, Client)| async move {
        let (sandbox, client) = sandbox;
        let mut rows = client.api_usage(last_month(), NO_LIMIT).await.unwrap();
        rows.extend(client.usage(last_month(), NO_LIMIT).await.unwrap());
        let last = BillingPeriod::LastFinished { at: now() };
        let bills = client.client_bills(last, ClientOrganizations::All).await.unwrap();
        assert_eq!(bills.errors().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
        rows.extend(bills.rows());
        rows.extend(client.licences().await.unwrap());
        rows.iter_mut().for_each(|row| row.source_report_id = None);
        let injected: usize = sandbox.requests().iter().map(|request| request.faults.len()).sum();
        (rows, injected)
    };
    let (expected, _) = rows(start(Sandbox::builder()).await).await;
    for fault in [
        "429; retry_after=7; times=2",
        "429; retry_after=7; as_date=true; times=2",
        "503; retry_after=5; times=2",
        "503; after_effect=true; times=2",
        "504; times=2",
        "reset_before; times=2",
        "reset_after; times=2",
        "cut_body; times=2",
        "slow_body; bytes=4000; millis=50; times=8",
        "latency; millis=20000; times=4",
        "extra_fields",
        "clock_skew; seconds=-86400",
    ] {
        for operation in ["getUsageAggregatesQueryJob", "getBillingReportsBillableusage", "getLicenseUsers", "genesys"]
        {
            let fault = format!("{fault}; operation={operation}");
            let (sandbox, client) = start(Sandbox::builder()).await;
            sandbox.inject(fault.parse().unwrap()).unwrap();
            let (found, injected) = rows((sandbox, client)).await;
            assert!(injected > 0, "{fault} was not injected");
            assert!(found == expected, "{fault}: {} rows, expected {}", found.len(), expected.len());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn wait_survives_failures_that_outlast_a_calls_retries() {
    for fault in ["500; times=3", "503; times=9", "reset_after; times=9"] {
        for (operation, skip) in [("getUsageAggregatesQueryJob", 0), ("getBillingReportsBillableusage", 1)] {
            let (sandbox, client) = start(Sandbox::builder().polls_before_ready(3)).await;
            sandbox.inject(format!("{fault}; skip={skip}; operation={operation}").parse().unwrap()).unwrap();
            let rows = match skip {
                0 => client.api_usage(last_month(), NO_LIMIT).await,
                _ => client.usage(last_month(), NO_LIMIT).await,
            };
            assert!(!rows.unwrap_or_else(|error| panic!("{fault} {operation}: {error}")).is_empty());
        }
    }
    // A closed port is reported at once.
    let closed = ClosedPort::reserve();
    let error = client_at(closed.url(), "id", "hush-secret").usage(last_month(), NO_LIMIT).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
}

#[tokio::test(start_paused = true)]
async fn token_that_expires_between_polls_is_replaced() {
    let builder = Sandbox::builder().polls_before_ready(6).token_lifetime(Duration::from_secs(20));
    let (sandbox, client) = start(builder).await;
    assert!(!client.usage(last_month(), NO_LIMIT).await.unwrap().is_empty());
    assert!(calls(&sandbox, "issueToken") > 1, "a minute of polls with tokens of 20 s");
}

#[tokio::test]
async fn retry_after_of_a_pending_job_is_reported() {
    let server = ScriptedServer::start(|request| match request.target.as_str() {
        "/oauth/token" => ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":3600}"#),
        _ => ScriptedResponse::new(
            202,
            &[("content-type", "application/json"), ("retry-after", "45")],
            r#"{"queryStatus":"Queued"}"#,
        ),
    });
    let progress = client_at(server.url(), "id", "hush-secret").usage_job("j-1").poll().await.unwrap();
    let PollResult::Pending { status, retry_after } = progress else { panic!("{progress:?}") };
    assert_eq!((status.as_deref(), retry_after), (Some("Queued"), Some(Duration::from_secs(45))));
}

#[tokio::test(start_paused = true)]
async fn errors_name_the_missing_permission() {
    let (sandbox, _) = start(Sandbox::builder()).await;
    let limited = client_at(sandbox.url(), demo::GENESYS_LIMITED_CLIENT_ID, demo::GENESYS_LIMITED_CLIENT_SECRET);
    let error = limited.usage(last_month(), NO_LIMIT).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
    let hint = "the credential needs one of the permissions billing:subscription:read, billing:subscription:view";
    assert_eq!(error.hint(), Some(hint));
    assert!(error.to_string().ends_with(&format!(" -> {hint}")), "{error}");
    let error = limited.billing_overview(demo::GENESYS_TRUSTOR_ORG_ID, 1).await.unwrap_err();
    assert_eq!(error.hint(), Some("the credential needs the permission affiliateOrganization:clientBilling:view"));

    let wrong = client_at(sandbox.url(), demo::GENESYS_CLIENT_ID, "wrong");
    let error = wrong.usage(last_month(), NO_LIMIT).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.hint().is_some_and(|hint| hint.contains("belongs to this region")), "{error}");
}

/// Starts a server that issues tokens and sends `response` to every operation.
fn server_with_response(response: impl Fn() -> ScriptedResponse + Send + Sync + 'static) -> ScriptedServer {
    ScriptedServer::start(move |request| match request.target.as_str() {
        "/oauth/token" => ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":3600}"#),
        _ => response(),
    })
}

#[tokio::test]
async fn complete_report_without_a_list_is_an_error() {
    for (report, rows) in [
        (r#"{"status":"Complete"}"#, None),
        (r#"{"status":"Complete","usages":null}"#, None),
        (r#"{"status":"Complete","usage":[{"name":"CX 3","totalUsage":"2"}]}"#, None),
        (r#"{"status":"Complete","usages":[]}"#, Some(0)),
        // A byte order mark before JSON, as some gateways send it.
        ("\u{feff}{\"status\":\"Complete\",\"usages\":[{\"name\":\"CX 3\",\"totalUsage\":\"2\"}]}", Some(1)),
    ] {
        let server = server_with_response(move || ScriptedResponse::json(200, report));
        let outcome = client_at(server.url(), "id", "hush-secret").usage(last_month(), NO_LIMIT).await;
        match rows {
            Some(count) => assert_eq!(outcome.unwrap().len(), count, "{report}"),
            None => {
                let error = outcome.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Decode, "{report}");
                assert!(error.to_string().contains("has no list `usages`"), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn unrequested_gzip_is_named() {
    let body = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0xAB, 0xAE, 5, 0];
    let server =
        server_with_response(move || ScriptedResponse::new(200, &[("content-type", "application/json")], body));
    let error = client_at(server.url(), "id", "hush-secret").usage(last_month(), NO_LIMIT).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("compressed with gzip, which was not requested"), "{error}");
}

#[tokio::test]
async fn job_cursor_round_trips_and_an_empty_link_ends_the_list() {
    for link in ["/j?pageSize=1000&after=a%2Fb%2Bc%3D", "/j?after=a/b+c=&pageSize=1000"] {
        let server = ScriptedServer::start(move |request| match request.target.as_str() {
            "/oauth/token" => ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":3600}"#),
            target if target.contains("after=a%2Fb%2Bc%3D") => ScriptedResponse::json(
                200,
                r#"{"queryStatus":"Succeeded","entities":[{"requestCount":2}],"nextUri":""}"#,
            ),
            target if target.contains("after=") => ScriptedResponse::json(400, r#"{"message":"another cursor"}"#),
            _ => {
                let page =
                    serde_json::json!({"queryStatus": "Succeeded", "entities": [{"requestCount": 1}], "nextUri": link});
                ScriptedResponse::json(200, &page.to_string())
            }
        });
        let client = client_at(server.url(), "id", "hush-secret");
        let rows = client.usage_job("j-1").wait(NO_LIMIT).await.unwrap().try_collect().await.unwrap();
        assert_eq!(rows.iter().map(|row| row.request_count).collect::<Vec<_>>(), [Some(1), Some(2)], "{link}");
    }
}
