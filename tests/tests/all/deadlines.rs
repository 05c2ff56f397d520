//! Every call, wait and flush ends in time, with any server. Servers send slowly in real time, so limits are some hundredths of a second. A
//! slow machine makes less progress within such a limit: a case that expects progress is repeated with twice the limit. A test fails if
//! something takes 20 s.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use usage_billing::suger::UsageEvent;
use usage_billing::{CallOptions, Error, ErrorKind, MinTransferRate, Period, Result, RetryPolicy, acronis, suger};
use usage_billing_core::Credentials;
use usage_billing_sandbox as demo;
use usage_billing_tests::{ScriptedResponse, ScriptedServer, untimed};
use uuid::Uuid;

const SHORT: Duration = Duration::from_millis(100);
const TICK: Duration = Duration::from_millis(5);

async fn ends<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), work).await.expect("the work ends in time")
}

/// Repeats the case with doubled limits until it returns the expected value.
async fn assert_reached<T: PartialEq + std::fmt::Debug>(what: &str, expected: T, case: impl AsyncFn(Duration) -> T) {
    let mut limit = SHORT;
    loop {
        let observed = case(limit).await;
        if observed == expected {
            return;
        }
        assert!(limit < Duration::from_secs(5), "{what}, with a limit of {limit:?}: {observed:?} is not {expected:?}");
        limit *= 2;
    }
}

fn trickled(head: &str) -> ScriptedResponse {
    ScriptedResponse::trickled(head, " ", TICK)
}

/// Returns responses that never end, each with the name of its endless part.
fn endless() -> [(&'static str, ScriptedResponse); 6] {
    [
        ("a JSON body", trickled("HTTP/1.1 200 X\r\ncontent-length: 1000000\r\n\r\n[")),
        ("a body to the end of the connection", trickled("HTTP/1.1 200 X\r\n\r\n[")),
        (
            "a body without a byte",
            ScriptedResponse::trickled("HTTP/1.1 200 X\r\ncontent-length: 1000\r\n\r\n", "", TICK),
        ),
        ("the head", ScriptedResponse::trickled("HTTP/1.1 200 X\r\n", "x-more: 1\r\n", TICK)),
        ("no response", ScriptedResponse::trickled("", "", TICK)),
        (
            "100 Continue",
            ScriptedResponse::trickled("", "HTTP/1.1 100 Continue\r\n\r\n".repeat(50), Duration::from_millis(1)),
        ),
    ]
}

async fn list(client: &usage_billing_suger::Client) -> Result<()> {
    ends(client.list_billable_metrics().org_id("acme").send()).await.map(drop)
}

fn assert_deadline(error: &Error, limit: Duration, what: &str) {
    assert_eq!((error.kind(), error.setting()), (ErrorKind::Connection, Some("deadline")), "{what}: {error}");
    assert!(error.is_timeout(), "{what}: {error}");
    let text = error.to_string();
    assert!(text.contains(&format!(" within the deadline of {limit:?}")), "{what}: {text}");
    assert!(text.ends_with(" -> to allow more, set the client's `deadline`"), "{what}: {text}");
}

#[tokio::test]
async fn http_client_timeout_is_distinguished_from_lost_connection() {
    for (response, is_timeout) in
        [(ScriptedResponse::trickled("", "", TICK), true), (ScriptedResponse::dropped(), false)]
    {
        assert_reached("is_timeout", (ErrorKind::Connection, is_timeout, false), async |limit| {
            let server = ScriptedServer::in_turn(vec![response.clone()]);
            let http = usage_billing_core::http_client().unwrap().no_proxy().read_timeout(limit).build().unwrap();
            let client = usage_billing_tests::suger(server.url()).http_client(http).retry(RetryPolicy::none());
            let error = list(&client.build().unwrap()).await.unwrap_err();
            (error.kind(), error.is_timeout(), error.is_permanent())
        })
        .await;
    }
}

#[tokio::test]
async fn call_with_an_endless_response_ends_at_its_deadline() {
    for (what, response) in endless() {
        let server = ScriptedServer::in_turn(vec![response]);
        // The HTTP client has no timeouts.
        let client = usage_billing_tests::suger(server.url()).deadline(SHORT).build().unwrap();
        let error = list(&client).await.unwrap_err();
        assert_deadline(&error, SHORT, what);
        assert!(error.message().starts_with("no complete response within"), "{what}: {error}");
        assert_eq!((error.attempts(), error.operation()), (1, Some("listBillableMetrics")), "{what}");
    }
}

#[tokio::test]
async fn trickled_error_response_keeps_its_status() {
    for status in [400, 503] {
        assert_reached("the status", (ErrorKind::Api, Some(status), true), async |limit| {
            let server = ScriptedServer::in_turn(vec![trickled(&format!("HTTP/1.1 {status} X\r\n\r\n\"out of order"))]);
            let client = usage_billing_tests::suger(server.url()).deadline(limit).build().unwrap();
            let error = list(&client).await.unwrap_err();
            let has_text = error.message().contains("out of order");
            (error.kind(), error.status().map(|status| status.as_u16()), has_text)
        })
        .await;
    }
}

#[tokio::test]
async fn trickled_token_ends_the_waiting_calls() {
    for (what, response) in endless() {
        assert_reached(what, 1, async |limit| {
            let server = ScriptedServer::in_turn(vec![response.clone()]);
            let client = usage_billing_tests::genesys(server.url()).deadline(limit).build().unwrap();
            let calls = (0..3).map(|_| async { client.get_license_definitions().send().await.unwrap_err() });
            for error in ends(futures_util::future::join_all(calls)).await {
                assert_deadline(&error, limit, what);
            }
            server.requests().len()
        })
        .await;
    }
}

#[tokio::test]
async fn deadline_of_a_handle_shares_the_token_of_the_client() {
    assert_reached("one token for three requests", (1, 3), async |limit| {
        let slow = Arc::new(AtomicBool::new(true));
        let is_slow = slow.clone();
        let server = ScriptedServer::start(move |request| match request.target.as_str() {
            "/oauth/token" => ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":3600}"#),
            _ if is_slow.load(Ordering::SeqCst) => trickled("HTTP/1.1 200 X\r\n\r\n["),
            _ => ScriptedResponse::json(200, "[]"),
        });
        let client = usage_billing_tests::genesys(server.url()).build().unwrap();
        let hurried = client.with_call_options(CallOptions::new().deadline(limit).retry(RetryPolicy::none()));
        let error = ends(hurried.get_license_definitions().send()).await.unwrap_err();
        assert_deadline(&error, limit, "a handle with a deadline");
        slow.store(false, Ordering::SeqCst);
        ends(client.get_license_definitions().send()).await.unwrap();
        let tokens = server.requests().iter().filter(|request| request.target == "/oauth/token").count();
        (tokens, server.requests().len())
    })
    .await;
}

#[tokio::test]
async fn deadline_error_contains_the_last_failure() {
    assert_reached("previous attempt", (2, true), async |limit| {
        let server =
            ScriptedServer::in_turn(vec![ScriptedResponse::json(503, "\"busy\""), trickled("HTTP/1.1 200 X\r\n\r\n[")]);
        let policy = RetryPolicy::default().backoff(Duration::ZERO, Duration::ZERO);
        let client = usage_billing_tests::suger(server.url()).deadline(limit).retry(policy).build().unwrap();
        let error = list(&client).await.unwrap_err();
        (error.attempts(), error.message().contains("; previous attempt: listBillableMetrics: 503"))
    })
    .await;
}

#[tokio::test]
async fn slow_download_ends_by_rate_and_by_deadline() {
    let token = ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":3600}"#);
    let head = "HTTP/1.1 200 X\r\ncontent-length: 10000000000\r\n\r\n";
    let rate = MinTransferRate::new(1_000_000, SHORT);
    for (what, response) in [("trickled", trickled(head)), ("silent", ScriptedResponse::trickled(head, "", TICK))] {
        let server = ScriptedServer::in_turn(vec![token.clone(), response]);
        let client = usage_billing_tests::acronis(server.url()).min_transfer_rate(rate).build().unwrap();
        let call = client.download_stored_report().report_id(Uuid::nil()).stored_report_id(Uuid::nil());
        let mut chunks = ends(call.send()).await.unwrap().into_inner();
        let error = loop {
            match ends(chunks.next()).await.expect("an error before the end") {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!((error.kind(), error.setting()), (ErrorKind::Connection, Some("min_transfer_rate")), "{error}");
        assert!(error.message().starts_with("the download is too slow: "), "{what}: {error}");
        assert!(ends(chunks.next()).await.is_none(), "{what}");
    }
    let server = ScriptedServer::in_turn(vec![token, ScriptedResponse::trickled("", "", TICK)]);
    let client = usage_billing_tests::acronis(server.url()).deadline(SHORT).build().unwrap();
    let call = client.download_stored_report().report_id(Uuid::nil()).stored_report_id(Uuid::nil());
    assert_deadline(&ends(call.send()).await.unwrap_err(), SHORT, "headers of a download");
}

fn suger_at(server: &ScriptedServer) -> suger::Client {
    untimed(suger::Client::builder("acme", "hush").base_url(server.url())).build().unwrap()
}

/// Returns a limit in seconds, as messages state it.
fn seconds_rounded_up(limit: Duration) -> u128 {
    limit.as_millis().div_ceil(1000)
}

#[tokio::test]
async fn flush_ends_in_time_and_the_next_one_confirms_the_queue() {
    let report = UsageEvent::new("ent-1", "2026-10-01T07:00:00Z".parse().unwrap()).quantity("gb", 5);
    let group = format!(
        r#"{{"usageRecordGroups":[{{"id":"{}","entitlementID":"ent-1","status":"CREATED","records":{{"gb":5}}}}]}}"#,
        report.id("acme")
    );
    assert_reached("requests and the outcome of the first flush", (2, true), async |limit| {
        let slow = Arc::new(AtomicBool::new(true));
        let (is_slow, group) = (slow.clone(), group.clone());
        let server = ScriptedServer::start(move |request| match request.method.as_str() {
            "POST" => ScriptedResponse::json(409, "\"it is there\""),
            _ if is_slow.load(Ordering::SeqCst) => trickled("HTTP/1.1 200 X\r\n\r\n{"),
            _ => ScriptedResponse::json(200, &group),
        });
        let mut queue = suger_at(&server).usage_queue().flush_timeout(limit);
        let id = queue.push(report.clone()).unwrap();
        let receipt = ends(queue.flush()).await;
        assert_eq!(receipt.to_string(), "0 delivered, 0 already delivered, 0 rejected, 1 unsent");
        let error = &receipt.unsent[0].error;
        let expected =
            format!("not confirmed within {} s -> it is still queued: flush again later", seconds_rounded_up(limit));
        let is_confirmation = (error.kind(), error.to_string()) == (ErrorKind::WaitTimeout, expected);
        assert_eq!(queue.pending(), 1);

        slow.store(false, Ordering::SeqCst);
        let mut queue = queue.flush_timeout(None);
        let receipt = ends(queue.flush()).await;
        assert_eq!((receipt.already_delivered.as_slice(), receipt.total()), (&[id][..], 1), "{receipt:?}");
        let bodies: Vec<_> =
            server.requests().into_iter().filter(|sent| sent.method == "POST").map(|sent| sent.body).collect();
        assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "the same bytes with the same id");
        (bodies.len(), is_confirmation)
    })
    .await;
}

#[tokio::test]
async fn suger_usage_ends_in_time_with_a_trickled_list() {
    let server = ScriptedServer::in_turn(vec![trickled("HTTP/1.1 200 X\r\n\r\n[")]);
    let error = ends(suger_at(&server).usage("2026-10".parse().unwrap(), SHORT)).await.unwrap_err();
    let expected = (ErrorKind::WaitTimeout, "the lists of usage were not read to their end within 1 s");
    assert_eq!((error.kind(), error.message()), expected);
}

const REPORT: &str = "41b9e2d0-7c36-4f58-9a0b-5d8e1f6c2a73";

/// Starts a server of Acronis that responds up to one step, which is trickled.
fn acronis_with_trickled(trickled_step: &'static str) -> ScriptedServer {
    ScriptedServer::start(move |request| {
        let path = request.target.as_str();
        let step = match (request.method.as_str(), path) {
            (_, path) if path.ends_with("/idp/token") => "token",
            (_, path) if path.contains("/clients/") => "tenant",
            ("POST", _) => "creation",
            (_, path) if path.ends_with("/reports") => "list",
            (_, path) if path.ends_with("/stored") => "poll",
            _ => "file",
        };
        let (tenant, file) = (Uuid::nil(), "51b9e2d0-7c36-4f58-9a0b-5d8e1f6c2a73");
        match step {
            _ if step == trickled_step => trickled("HTTP/1.1 200 X\r\ncontent-length: 1000000\r\n\r\n"),
            "token" => ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":3600}"#),
            "tenant" => ScriptedResponse::json(200, &format!(r#"{{"client_id":"{REPORT}","tenant_id":"{tenant}"}}"#)),
            "list" => ScriptedResponse::json(200, r#"{"items":[]}"#),
            "creation" => ScriptedResponse::json(
                200,
                &format!(
                    r#"{{"id":"{REPORT}","version":1,"generation_date":"2026-11-01","result_action":"save","parameters":{{
                        "kind":"usage_summary","tenant_id":"{tenant}","level":"direct_partners",
                        "period":{{"start":"2026-10-01","end":"2026-10-31"}},"formats":["csv_v2_0"]}}}}"#
                ),
            ),
            _ => ScriptedResponse::json(
                200,
                &format!(
                    r#"{{"items":[{{"id":"{file}","report_format":"csv_v2_0","status":"saved",
                        "created_at":"2026-11-01T00:00:00Z"}}]}}"#
                ),
            ),
        }
    })
}

#[tokio::test]
async fn acronis_usage_ends_in_time_at_any_trickled_step() {
    let october: Period = "2026-10".parse().unwrap();
    for (step, expected) in [
        ("token", "the tenant of the API client was not looked up within LIMIT"),
        ("tenant", "the tenant of the API client was not looked up within LIMIT"),
        ("list", "the tenant's reports were not searched within LIMIT"),
        ("creation", "the creation of the report was not confirmed within LIMIT -> the report may exist nevertheless"),
        ("poll", "Acronis report 41b9e2d0-7c36-4f58-9a0b-5d8e1f6c2a73 is not done after LIMIT"),
        (
            "file",
            "the file of the report was not read to its end within LIMIT -> report 41b9e2d0-7c36-4f58-9a0b-5d8e1f6c2a73",
        ),
    ] {
        assert_reached(step, expected.to_owned(), async |limit| {
            let server = acronis_with_trickled(step);
            let credentials = Credentials::new(demo::ACRONIS_CLIENT_ID, "x");
            let client =
                untimed(acronis::Client::builder(&server.url().parse().unwrap(), credentials)).build().unwrap();
            let error = ends(client.usage(october, limit)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WaitTimeout, "{step}: {error}");
            let creations = server.requests().iter().filter(|sent| sent.target.ends_with("/api/2/reports")).count();
            assert!(creations <= 1, "{step}: {creations}");
            let text = error.to_string().replace(&format!("{} s", seconds_rounded_up(limit)), "LIMIT");
            text.chars().take(expected.len()).collect()
        })
        .await;
    }
}
