//! Requests that the OpenAPI documents lack, and additions to those that they have, against a real socket.

use std::collections::BTreeMap;

use serde::Deserialize;
use usage_billing_core::{CallOptions, CustomRequest, ErrorKind, reqwest::Method};
use usage_billing_tests::{Request, ScriptedResponse, ScriptedServer, acronis, genesys, suger};

const TOKEN: &str = r#"{"access_token":"hush-token","token_type":"bearer","expires_in":3600}"#;

/// Responds to token requests, and to other requests by `script`.
fn server(script: impl Fn(&Request) -> ScriptedResponse + Send + Sync + 'static) -> ScriptedServer {
    ScriptedServer::start(move |request| {
        let is_token = request.target.contains("token");
        if is_token { ScriptedResponse::json(200, TOKEN) } else { script(request) }
    })
}

fn api_requests(server: &ScriptedServer) -> Vec<Request> {
    server.requests().into_iter().filter(|request| !request.target.contains("token")).collect()
}

#[derive(Debug, Deserialize, PartialEq)]
struct Quota {
    seats: u64,
}

fn quota(request: CustomRequest<'_>) -> CustomRequest<'_> {
    request.path_parameter("tenant", "a/b").query("unit", ["seats", "GB"]).header("X-Trace-Id", "7")
}

#[tokio::test(start_paused = true)]
async fn every_client_sends_requests_that_its_document_lacks() {
    const PATH: &str = "/tenants/{tenant}/quota";
    let server = server(|_| ScriptedResponse::json(200, r#"{"seats":3}"#));
    let (acronis, genesys) = (acronis(server.url()).build().unwrap(), genesys(server.url()).build().unwrap());
    let suger = suger(server.url()).build().unwrap();
    for request in [
        acronis.request(Method::GET, PATH),
        genesys.request(Method::GET, PATH),
        // The path may be composed at run time.
        suger.request(Method::GET, PATH.to_owned()),
    ] {
        assert_eq!(quota(request).send_json::<Quota>().await.unwrap().into_inner(), Quota { seats: 3 });
    }
    let requests = api_requests(&server);
    assert_eq!(requests.len(), 3);
    for request in requests {
        assert!(request.target.ends_with("/tenants/a%2Fb/quota?unit=seats&unit=GB"), "{}", request.target);
        assert_eq!(request.header("x-trace-id"), Some("7"));
        assert_eq!(request.header("accept"), Some("application/json"));
        let authorization = request.header("authorization").unwrap();
        assert!(["Bearer hush-token", "Key hush-key"].contains(&authorization), "{authorization}");
    }
}

#[tokio::test(start_paused = true)]
async fn retry_of_a_custom_request_depends_on_its_method() {
    for (method, is_idempotent, attempts) in [
        (Method::GET, false, 4),
        (Method::PUT, false, 4),
        (Method::POST, false, 1),
        (Method::POST, true, 4),
        (Method::PATCH, false, 1),
    ] {
        let server = server(|_| ScriptedResponse::json(503, r#"{"message":"hush-key is busy"}"#));
        let client = suger(server.url()).build().unwrap();
        let mut request = client.request(method.clone(), "/jobs").json(&BTreeMap::from([("name", "a")]));
        if is_idempotent {
            request = request.idempotent();
        }
        let error = request.send().await.unwrap_err();
        assert_eq!(api_requests(&server).len(), attempts, "{method} {is_idempotent}");
        assert_eq!((error.kind(), error.attempts() as usize), (ErrorKind::Api, attempts));
        let operation = format!("{method} /jobs");
        assert_eq!(error.operation(), Some(operation.as_str()));
        assert!(!error.to_string().contains("hush-key"), "{error}");
        let sent = &api_requests(&server)[0];
        assert_eq!((sent.body.as_str(), sent.header("content-type")), (r#"{"name":"a"}"#, Some("application/json")));
    }
}

#[tokio::test(start_paused = true)]
async fn raw_body_is_returned_unchanged_and_bounded() {
    let server = server(|request| ScriptedResponse::new(200, &[("content-type", "text/csv")], &request.body));
    let client = suger(server.url()).max_response_bytes(10).build().unwrap();
    let send = |body: &'static str| client.request(Method::POST, "/echo").body("text/csv", body).send();
    let response = send("a;b").await.unwrap();
    assert_eq!((&response[..], response.headers()["content-type"].as_bytes()), (&b"a;b"[..], &b"text/csv"[..]));
    assert_eq!(api_requests(&server)[0].header("content-type"), Some("text/csv"));
    assert_eq!(send("a body that is too long").await.unwrap_err().kind(), ErrorKind::Limit);
}

#[tokio::test(start_paused = true)]
async fn invalid_custom_request_is_an_error_before_sending() {
    let server = server(|_| ScriptedResponse::json(200, "{}"));
    let client = suger(server.url()).build().unwrap();
    for (request, expected) in [
        (client.request(Method::GET, "/a/{id}"), "GET /a/{id}: the path parameter id is required"),
        (client.request(Method::GET, "/a/{id}").path_parameter("id", ".."), "the request would leave /a/{id}"),
        (client.request(Method::GET, "//elsewhere.example"), ""),
        (client.request(Method::GET, "https://elsewhere.example/"), "invalid path"),
        (client.request(Method::GET, "/a").header("authorization", "hush"), "the header authorization is reserved"),
        (client.request(Method::GET, "/a").path_parameter("hush-key", 1), "has no parameter ***"),
    ] {
        match request.send().await {
            // Another host is never called.
            Ok(_) => assert_eq!(expected, ""),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Request);
                assert!(error.to_string().contains(expected) && !error.to_string().contains("hush"), "{error}");
            }
        }
    }
    assert_eq!(api_requests(&server).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn call_options_add_headers_and_query_parameters() {
    let server = server(|_| ScriptedResponse::json(200, "{}"));
    let client = suger(server.url()).build().unwrap();
    let traced = client.with_call_options(CallOptions::new().header("X-Trace-Id", "7").query("dry", true));
    let traced = traced.with_call_options(CallOptions::new().query("limit", None::<u8>).header("x-trace-id", "8"));
    let _ = traced.get_usage_metering_config_info().org_id("acme").send().await;
    let _ = client.get_usage_metering_config_info().org_id("acme").send().await;
    let _ = traced.request(Method::GET, "/a").query("b", 1).send().await;
    let [first, second, third] = &api_requests(&server)[..] else { panic!("three requests") };
    assert!(first.target.ends_with("?dry=true"), "{}", first.target);
    assert_eq!(first.header("x-trace-id"), Some("8"));
    assert_eq!((second.header("x-trace-id"), second.target.contains('?')), (None, false));
    assert!(third.target.ends_with("/a?b=1&dry=true"), "{}", third.target);

    let invalid = client.with_call_options(CallOptions::new().header("authorization", "hush"));
    let error = invalid.get_usage_metering_config_info().org_id("acme").send().await.unwrap_err();
    assert!(error.to_string().contains("getUsageMeteringConfigInfo: the header authorization is reserved"), "{error}");
    assert_eq!(api_requests(&server).len(), 3);
}
