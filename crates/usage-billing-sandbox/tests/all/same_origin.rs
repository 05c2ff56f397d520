//! Requests of web pages, which `same_origin` rejects.

use reqwest::{Method, RequestBuilder};
use serde_json::json;
use usage_billing_sandbox::Sandbox;

use crate::{Caller, builder, http, read};

fn send(sandbox: &Sandbox, method: Method, path: &str) -> RequestBuilder {
    http().request(method, format!("{}{path}", sandbox.url())).header("authorization", "Key demo-suger-key")
}

/// Requests that change the sandbox, by all means that a page has.
fn changes(sandbox: &Sandbox) -> Vec<RequestBuilder> {
    let post = |path: &str| send(sandbox, Method::POST, path);
    let report = "/org/sgr-demo1/entitlement/ent-azu01/usageRecordGroup";
    let group = r#"{"id":"evil","organizationID":"sgr-demo1","entitlementID":"ent-azu01","records":{"seats":2}}"#;
    vec![
        post("/_sandbox/clock").json(&json!({"advance_seconds": 86_400})),
        post("/_sandbox/clock").header("content-type", "text/plain").body(r#"{"advance_seconds":86400}"#),
        post("/_sandbox/faults").header("content-type", "application/x-www-form-urlencoded").body(r#""500""#),
        send(sandbox, Method::DELETE, "/_sandbox/faults"),
        send(sandbox, Method::DELETE, "/_sandbox/faults/1"),
        post("/_sandbox/reset"),
        post(report).header("content-type", "text/plain").body(group),
        post("/oauth/token").basic_auth("x", Some("y")).form(&[("grant_type", "client_credentials")]),
        send(sandbox, Method::GET, "/org/sgr-demo1/buyer"),
        send(sandbox, Method::GET, "/_sandbox/log"),
        send(sandbox, Method::GET, "/_sandbox/bill"),
    ]
}

#[tokio::test]
async fn other_web_pages_cannot_change_or_read_the_sandbox() {
    let sandbox = builder().fault("503; operation=listBuyers; times=1".parse().unwrap()).start().await.unwrap();
    let port = sandbox.url().rsplit(':').next().unwrap();
    let before = sandbox.now();
    let rebound = format!("attacker.example:{port}");
    let as_page: [&[(&str, &str)]; 5] = [
        &[("origin", "https://attacker.example")],
        &[("origin", "null")],
        &[("origin", "http://localhost:1")],
        &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")],
        // DNS rebinding: the page and the sandbox have the same name.
        &[("host", &rebound), ("origin", &format!("http://{rebound}")), ("sec-fetch-site", "same-origin")],
    ];
    for headers in as_page {
        for request in changes(&sandbox) {
            let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            let (status, body) = read(request.send().await.unwrap()).await;
            assert_eq!(status, 403, "{headers:?} {body}");
            assert!(body["message"].as_str().unwrap().starts_with("This server does not accept requests"), "{body}");
        }
    }
    // Nothing was logged, and no fault was injected.
    assert!(sandbox.requests().is_empty());
    assert!((sandbox.now() - before).num_seconds() < 86_400);
    assert_eq!(Caller::suger(&sandbox).get("/org/sgr-demo1/buyer").await.0, 503);
    assert_eq!(Caller::suger(&sandbox).get("/org/sgr-demo1/usageRecordGroup?metaInfo=evil").await.0, 200);
}

#[tokio::test]
async fn own_page_and_programs_are_allowed() {
    let sandbox = builder().start().await.unwrap();
    let state = send(&sandbox, Method::GET, "/_sandbox/state").header("sec-fetch-site", "same-origin");
    assert_eq!(state.send().await.unwrap().status(), 200);
    for request in changes(&sandbox).into_iter().take(2) {
        assert_eq!(request.header("origin", sandbox.url()).send().await.unwrap().status(), 200);
    }
    // As a browser sends the requests of the page's buttons.
    let as_button = |method, path| {
        let request =
            send(&sandbox, method, path).header("origin", sandbox.url()).header("sec-fetch-site", "same-origin");
        request.header("sec-fetch-mode", "cors").header("sec-fetch-dest", "empty")
    };
    let fault = as_button(Method::POST, "/_sandbox/faults").body(r#""503; times=1""#).send().await.unwrap();
    assert_eq!(read(fault).await.1["faults"].as_array().unwrap().len(), 1);
    for (method, path) in [
        (Method::DELETE, "/_sandbox/faults/1"),
        (Method::DELETE, "/_sandbox/faults"),
        (Method::POST, "/_sandbox/reset"),
    ] {
        assert_eq!(as_button(method, path).send().await.unwrap().status(), 200, "{path}");
    }
    let link = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
    let page =
        link.iter().fold(send(&sandbox, Method::GET, "/"), |request, (name, value)| request.header(*name, *value));
    assert_eq!(page.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn allowed_host_names_are_accepted() {
    let get = async |sandbox: &Sandbox, host: &str| {
        send(sandbox, Method::GET, "/org/sgr-demo1/buyer").header("host", host).send().await.unwrap().status()
    };
    let sandbox = builder().listen(([0, 0, 0, 0], 0)).allow_host("Sandbox.example.com").start().await.unwrap();
    for host in ["sandbox.example.com:8080", "sandbox", "192.168.1.7:8080", "host.docker.internal"] {
        assert_eq!(get(&sandbox, host).await, 200, "{host}");
    }
    assert_eq!(get(&sandbox, "example.com").await, 403);
    let sandbox = builder().start().await.unwrap();
    assert_eq!(get(&sandbox, "sandbox.example.com").await, 403);
    assert!(builder().allow_host("http://sandbox").start().await.is_err());
}
