//! The client's memory is bounded for any response. Each input is read in a child process with limited memory.

use std::future::Future;

use usage_billing_core::{Error, ErrorKind, Result};
use usage_billing_tests::{ScriptedResponse, ScriptedServer, limited_process};

/// Largest memory of a client, program and runtime included.
const PEAK_MIB: u64 = 95;
const MIB: usize = 1024 * 1024;

/// Makes a call in a limited process, and checks its error there.
fn call<F: Future<Output = Result<usize>>>(
    test: &str,
    server: impl FnOnce() -> ScriptedServer,
    call: impl FnOnce(String) -> F,
    check: impl FnOnce(Result<usize>),
) {
    let input = || {
        let server = server();
        (server.url().to_owned(), server)
    };
    limited_process(test, PEAK_MIB, input, |url| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        check(runtime.block_on(call(url)));
    });
}

/// Requests a list that is the complete body: a bare array.
async fn metrics(url: String) -> Result<usize> {
    let client = usage_billing_tests::suger(&url).build()?;
    Ok(client.list_billable_metrics().org_id("acme").send().await?.len())
}

/// Requests a list in an object.
async fn groups(url: String) -> Result<usize> {
    let client = usage_billing_tests::suger(&url).build()?;
    Ok(client.list_usage_record_groups().org_id("acme").send().await?.usage_record_groups.len())
}

async fn token(url: String) -> Result<usize> {
    let client = usage_billing_tests::genesys(&url).build()?;
    client.get_license_definitions().send().await.map(|all| all.len())
}

const CHUNKED: &str = "HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n";

/// Starts a server whose body repeats `content` indefinitely.
fn endless(start: &str, content: &[u8]) -> ScriptedServer {
    let chunk = |content: &[u8]| [format!("{:x}\r\n", content.len()).as_bytes(), content, b"\r\n"].concat();
    let head = [CHUNKED.as_bytes(), &chunk(start.as_bytes())].concat();
    ScriptedServer::in_turn(vec![ScriptedResponse::endless(head, chunk(content))])
}

fn assert_limit(outcome: Result<usize>, message: &str) {
    let error: Error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.setting(), error.attempts()), (ErrorKind::Limit, Some("max_response_bytes"), 1));
    assert_eq!(error.message(), message);
    assert!(error.to_string().ends_with(" -> to allow more, set the client's `max_response_bytes`"), "{error}");
}

const TOO_LARGE_DECODED: &str = "the response takes more than 24 MiB of memory once decoded";
const TOO_LARGE: &str = "the response body is larger than the limit of 64 MiB";

#[test]
fn endless_chunked_body_is_an_error_at_the_limit() {
    let record = br#"{"id":"0123456789","entitlementID":"ent-1","records":{"gb":12.5}},"#.repeat(1000);
    let server = || endless(r#"{"usageRecordGroups":["#, &record);
    call("memory::endless_chunked_body_is_an_error_at_the_limit", server, groups, |outcome| {
        assert_limit(outcome, TOO_LARGE);
    });
}

#[test]
fn endless_body_without_a_length_is_an_error_at_the_limit() {
    let server =
        || ScriptedServer::in_turn(vec![ScriptedResponse::endless("HTTP/1.1 200 X\r\n\r\n[\"", "x".repeat(MIB))]);
    call("memory::endless_body_without_a_length_is_an_error_at_the_limit", server, metrics, |outcome| {
        assert_limit(outcome, TOO_LARGE);
    });
}

#[test]
fn stated_length_over_the_limit_is_an_error_before_the_body() {
    // No byte of the body is sent.
    let head = "HTTP/1.1 200 X\r\ncontent-length: 10000000000\r\n\r\n";
    let server =
        || ScriptedServer::in_turn(vec![ScriptedResponse::new(200, &[], ""), ScriptedResponse::endless(head, "[")]);
    let two = async |url: String| {
        let client = usage_billing_tests::suger(&url).build()?;
        let _ = client.list_billable_metrics().org_id("acme").send().await;
        metrics(url).await
    };
    call("memory::stated_length_over_the_limit_is_an_error_before_the_body", server, two, |outcome| {
        assert_limit(outcome, TOO_LARGE);
    });
}

/// Returns a list with one group, of `bytes` bytes.
fn padded(bytes: usize) -> String {
    let (start, end) = (r#"{"usageRecordGroups":[{"id":"g-1"}],"new field":["#, r#""]}"#);
    let padding = format!(r#""{}","#, "x".repeat(MIB / 2 - 3)).repeat(bytes / (MIB / 2) - 1);
    format!("{start}{padding}\"{}{end}", "x".repeat(bytes - start.len() - padding.len() - 1 - end.len()))
}

#[test]
fn body_just_under_the_limit_is_read() {
    let server = || ScriptedServer::in_turn(vec![ScriptedResponse::json(200, &padded(64 * MIB))]);
    call("memory::body_just_under_the_limit_is_read", server, groups, |outcome| assert_eq!(outcome.unwrap(), 1));
}

#[test]
fn chunked_body_just_under_the_limit_is_read() {
    let server = || {
        let body = padded(64 * MIB);
        let body = format!("{CHUNKED}{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
        ScriptedServer::in_turn(vec![ScriptedResponse::raw(body)])
    };
    call("memory::chunked_body_just_under_the_limit_is_read", server, groups, |outcome| {
        assert_eq!(outcome.unwrap(), 1)
    });
}

#[test]
fn chunked_body_just_over_the_limit_is_an_error() {
    let server = || {
        let body = padded(64 * MIB + 1);
        let body = format!("{CHUNKED}{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
        ScriptedServer::in_turn(vec![ScriptedResponse::raw(body)])
    };
    call("memory::chunked_body_just_over_the_limit_is_an_error", server, groups, |outcome| {
        assert_limit(outcome, TOO_LARGE);
    });
}

#[test]
fn body_of_empty_objects_is_an_error_before_it_is_decoded() {
    let server =
        || ScriptedServer::in_turn(vec![ScriptedResponse::json(200, &format!("[{}{{}}]", "{},".repeat(20 * MIB)))]);
    call("memory::body_of_empty_objects_is_an_error_before_it_is_decoded", server, metrics, |outcome| {
        // Less than the usual 24 MiB, because the body itself is near the limit.
        assert_limit(outcome, "the response takes more than 4194300 bytes of memory once decoded");
    });
}

#[test]
fn body_of_small_map_entries_is_an_error_before_it_is_decoded() {
    let server = || {
        let entries: String = (0..6_000_000).map(|number| format!("\"{number:x}\":1,")).collect();
        let body = format!(r#"{{"usageRecordGroups":[{{"records":{{{entries}"z":1}}}}]}}"#);
        ScriptedServer::in_turn(vec![ScriptedResponse::json(200, &body)])
    };
    call("memory::body_of_small_map_entries_is_an_error_before_it_is_decoded", server, groups, |outcome| {
        assert_limit(outcome, "the response takes more than 2227301 bytes of memory once decoded");
    });
}

/// Starts a server with a small body of `count` empty items.
fn empty_items(start: &str, count: usize, end: &str) -> ScriptedServer {
    ScriptedServer::in_turn(vec![ScriptedResponse::json(200, &format!("{start}{}{{}}{end}", "{},".repeat(count - 1)))])
}

/// One test for each list: name, beginning and end of the body, and the call.
macro_rules! lists_of_empty_items_end {
    ($($name:ident: $start:expr, $end:expr, $list:ident;)*) => {$(
        #[test]
        fn $name() {
            let list = async |url: String| {
                let client = usage_billing_tests::suger(&url).build()?;
                client.$list().org_id("acme").send().await.map(|_| 0)
            };
            let server = || empty_items($start, 262_141, $end);
            call(concat!("memory::", stringify!($name)), server, list, |outcome| assert_limit(outcome, TOO_LARGE_DECODED));
        }
    )*};
}

lists_of_empty_items_end! {
    empty_groups_are_an_error: r#"{"usageRecordGroups":["#, "]}", list_usage_record_groups;
    empty_reports_are_an_error: r#"{"usageRecordReports":["#, "]}", list_usage_record_reports;
    empty_buyers_are_an_error: "[", "]", list_buyers;
    empty_entitlements_are_an_error: "[", "]", list_entitlements;
    empty_products_are_an_error: "[", "]", list_products;
}

#[test]
fn page_of_eight_thousand_items_is_read() {
    let item = r#"{"id":"8sYLnPRjk","name":"Birch, Inc.","organizationID":"acme","partner":"AWS","status":"ACTIVE","creationTime":"2026-10-01T00:00:00Z","info":{"emailAddress":"someone@example.com","companyName":"Birch, Inc."}}"#;
    let server =
        || ScriptedServer::in_turn(vec![ScriptedResponse::json(200, &format!("[{}]", vec![item; 8_000].join(",")))]);
    let entitlements = async |url: String| {
        let client = usage_billing_tests::suger(&url).build()?;
        Ok(client.list_entitlements().org_id("acme").send().await?.len())
    };
    call("memory::page_of_eight_thousand_items_is_read", server, entitlements, |outcome| {
        assert_eq!(outcome.unwrap(), 8_000);
    });
}

#[test]
fn string_near_the_limit_is_an_error_before_it_is_copied() {
    let server = || {
        ScriptedServer::in_turn(vec![ScriptedResponse::json(200, &format!(r#"[{{"id":"{}"}}]"#, "x".repeat(60 * MIB)))])
    };
    let buyers = async |url: String| {
        let client = usage_billing_tests::suger(&url).build()?;
        Ok(client.list_buyers().org_id("acme").send().await?.len())
    };
    call("memory::string_near_the_limit_is_an_error_before_it_is_copied", server, buyers, |outcome| {
        assert_limit(outcome, "the response has a string of more than 1 MiB");
    });
}

#[test]
fn string_in_place_of_a_list_is_not_copied_into_the_error() {
    let server = || {
        let body = format!(r#"{{"usageRecordGroups":"{}"}}"#, "x".repeat(60 * MIB));
        ScriptedServer::in_turn(vec![ScriptedResponse::json(200, &body)])
    };
    call("memory::string_in_place_of_a_list_is_not_copied_into_the_error", server, groups, |outcome| {
        assert_limit(outcome, "the response has a string of more than 1 MiB");
    });
}

#[test]
fn long_string_in_place_of_a_list_is_a_bounded_error() {
    let server = || {
        let text = "x".repeat(MIB - 1);
        let body = format!(r#"{{"new":[{}1],"usageRecordGroups":"{text}"}}"#, format!(r#""{text}","#).repeat(60));
        ScriptedServer::in_turn(vec![ScriptedResponse::json(200, &body)])
    };
    call("memory::long_string_in_place_of_a_list_is_a_bounded_error", server, groups, |outcome| {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Decode);
    });
}

#[test]
fn deeply_nested_body_is_an_error() {
    let server = || ScriptedServer::in_turn(vec![ScriptedResponse::json(200, &"[".repeat(200_000))]);
    call("memory::deeply_nested_body_is_an_error", server, metrics, |outcome| {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Decode);
    });
}

#[test]
fn endless_error_body_is_truncated() {
    let server =
        || ScriptedServer::in_turn(vec![ScriptedResponse::endless("HTTP/1.1 400 X\r\n\r\n\"", "x".repeat(MIB))]);
    call("memory::endless_error_body_is_truncated", server, metrics, |outcome| {
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.body().len()), (ErrorKind::Api, 64 * 1024));
    });
}

fn assert_token_limit(outcome: Result<usize>) {
    let error = outcome.unwrap_err();
    let expected =
        "issue token: the response body is larger than the limit of 1 MiB -> check that the token URL is the vendor's";
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Limit, expected));
}

#[test]
fn token_of_400_mib_with_a_length_is_an_error() {
    let head = format!("HTTP/1.1 200 X\r\ncontent-length: {}\r\n\r\n{{\"access_token\":\"", 400 * MIB);
    let server = || ScriptedServer::in_turn(vec![ScriptedResponse::endless(head, "x".repeat(MIB))]);
    call("memory::token_of_400_mib_with_a_length_is_an_error", server, token, assert_token_limit);
}

#[test]
fn endless_chunked_token_is_an_error() {
    let server = || endless(r#"{"access_token":""#, &b"x".repeat(64 * 1024));
    call("memory::endless_chunked_token_is_an_error", server, token, assert_token_limit);
}
