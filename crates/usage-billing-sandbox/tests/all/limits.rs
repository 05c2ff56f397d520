//! The clock, permissions, rates and sizes.

use std::time::Duration;

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use usage_billing_sandbox as demo;
use usage_billing_sandbox::{Sandbox, Vendor};

use crate::{Caller, builder, http, read};

const BUYERS: &str = "/org/sgr-demo1/buyer";

async fn limited(sandbox: &Sandbox, vendor: Vendor) -> Caller {
    use demo::{ACRONIS_LIMITED_CLIENT_ID, ACRONIS_LIMITED_CLIENT_SECRET};
    use demo::{GENESYS_LIMITED_CLIENT_ID, GENESYS_LIMITED_CLIENT_SECRET};
    match vendor {
        Vendor::Genesys => {
            Caller::with_token(sandbox, "/oauth/token", GENESYS_LIMITED_CLIENT_ID, GENESYS_LIMITED_CLIENT_SECRET).await
        }
        Vendor::Suger => Caller::new(sandbox, format!("Key {}", demo::SUGER_LIMITED_API_KEY)),
        Vendor::Acronis => {
            let (id, secret) = (ACRONIS_LIMITED_CLIENT_ID, ACRONIS_LIMITED_CLIENT_SECRET);
            Caller::with_token(sandbox, "/api/2/idp/token", id, secret).await
        }
    }
}

#[tokio::test]
async fn missing_permission_error_has_the_vendor_s_form() {
    let sandbox = builder().start().await.unwrap();
    let genesys = limited(&sandbox, Vendor::Genesys).await;
    let usage = "/api/v2/billing/reports/billableusage?startDate=2026-10-01T00:00:00Z&endDate=2026-10-31T23:59:59Z";
    let response = genesys.request(Method::GET, usage).send().await.unwrap();
    let correlation_id = response.headers()["inin-correlation-id"].to_str().unwrap().to_owned();
    let (status, body) = read(response).await;
    let needed = "[billing:subscription:read, billing:subscription:view]";
    assert_eq!((status.as_u16(), &body["code"]), (403, &json!("missing.any.permissions")));
    assert_eq!(body["messageParams"], json!({ "permissions": needed }));
    assert!(body["message"].as_str().unwrap().ends_with(needed) && body["contextId"] == json!(correlation_id));
    let overview = format!("/api/v2/billing/trusteebillingoverview/{}", demo::GENESYS_TRUSTOR_ORG_ID);
    let (_, body) = genesys.get(&overview).await;
    assert_eq!(body["messageParams"]["permissions"], "[affiliateOrganization:clientBilling:view]");
    assert_ne!(genesys.get("/api/v2/usage/query/x/results").await.0, 403);

    let suger = limited(&sandbox, Vendor::Suger).await;
    assert_eq!(suger.get(BUYERS).await.0, 200);
    let (status, body) = suger.post("/org/sgr-demo1/batchCreateUsageRecordGroups", &json!({})).await;
    assert_eq!((status.as_u16(), body), (403, json!("forbidden")));

    let acronis = limited(&sandbox, Vendor::Acronis).await;
    let (status, body) = acronis.post("/api/2/reports", &json!({})).await;
    assert_eq!((status.as_u16(), &body["error"]["code"]), (403, &json!(1002)));
    assert!(body["error"]["domain"].is_string() && body["error"]["message"].is_string());
    assert_eq!(acronis.get(&format!("/api/2/tenants/{}", demo::ACRONIS_TENANT_ID)).await.0, 200);
    // Credentials are checked first: an expired token is rejected with 401.
    sandbox.advance(Duration::from_secs(90_000));
    assert_eq!(genesys.get(&overview).await.0, 401);
    assert_eq!(acronis.post("/api/2/reports", &json!({})).await.0, 401);
}

#[tokio::test]
async fn genesys_responses_state_the_rate_and_exceeding_it_is_429() {
    let sandbox = builder().requests_per_minute(Vendor::Genesys, Some(3)).start().await.unwrap();
    let genesys = Caller::genesys(&sandbox).await;
    for (count, status) in [(1, 200), (2, 404), (3, 200), (4, 429), (5, 429)] {
        let path = if status == 404 { "/api/v2/nothing" } else { "/api/v2/usage/query" };
        let request = match status {
            404 => genesys.request(Method::GET, path),
            _ => genesys.request(Method::POST, path).json(&json!({"interval": "2026-10/2026-10"})),
        };
        let response = request.send().await.unwrap();
        let value = |name: &str| response.headers().get(name).map(|it| it.to_str().unwrap().to_owned());
        assert_eq!(value("inin-ratelimit-count"), Some(count.to_string()));
        assert_eq!(value("inin-ratelimit-allowed").as_deref(), Some("3"));
        let reset: u64 = value("inin-ratelimit-reset").unwrap().parse().unwrap();
        assert!((1..=60).contains(&reset));
        let hint = value("retry-after");
        assert_eq!(hint.is_some(), status == 429);
        let (given, body) = read(response).await;
        assert_eq!(given.is_success(), status == 200, "{body}");
        if status == 429 {
            assert_eq!((given.as_u16(), &body["code"]), (429, &json!("too.many.requests.retry.after")));
            assert_eq!(hint, Some(reset.to_string()));
            assert!(body["message"].as_str().unwrap().contains(&format!("[{reset}]")));
        }
    }
    // Another token has its own limit, and this one has a new one after a minute.
    assert_ne!(Caller::genesys(&sandbox).await.get("/api/v2/nothing").await.0, 429);
    sandbox.advance(Duration::from_secs(60));
    assert_eq!(genesys.get("/api/v2/nothing").await.0, 404);
}

#[tokio::test]
async fn suger_and_acronis_enforce_a_given_limit() {
    let sandbox = builder().requests_per_minute(Vendor::Suger, Some(1)).requests_per_minute(Vendor::Acronis, Some(2));
    let sandbox = sandbox.start().await.unwrap();
    let (suger, acronis) = (Caller::suger(&sandbox), Caller::acronis(&sandbox).await);
    let first = suger.request(Method::GET, BUYERS).send().await.unwrap();
    assert!(first.status() == 200 && !first.headers().contains_key("inin-ratelimit-count"));
    let second = suger.request(Method::GET, BUYERS).send().await.unwrap();
    assert!(second.headers().contains_key(header::RETRY_AFTER));
    assert_eq!(read(second).await, (StatusCode::TOO_MANY_REQUESTS, json!("too many requests")));
    let mut last = Value::Null;
    for _ in 0..3 {
        last = acronis.get("/api/2/clients/x").await.1;
    }
    assert_eq!(last["error"]["code"], 429);
}

#[tokio::test]
async fn clock_is_advanced_over_http() {
    let sandbox = builder().start().await.unwrap();
    let clock = format!("{}/_sandbox/clock", sandbox.url());
    let (_, before) = read(http().get(&clock).send().await.unwrap()).await;
    assert!(before["now"].as_str().unwrap().starts_with("2026-11-21T12:"));
    let advance = |body: Value| http().post(&clock).json(&body).send();
    let (status, after) = read(advance(json!({"advance_seconds": 10 * 86_400})).await.unwrap()).await;
    assert_eq!(status, 200);
    assert!(after["now"].as_str().unwrap().starts_with("2026-12-01T12:"), "{after}");
    assert!(sandbox.now().to_rfc3339().starts_with("2026-12-01T12:"));
    for bad in [json!({}), json!({"advance_seconds": -1}), json!({"advance_seconds": 1, "x": 2}), json!([]), json!(7)] {
        assert_eq!(advance(bad).await.unwrap().status(), 400);
    }
    for _ in 0..2 {
        assert_eq!(advance(json!({"advance_seconds": u64::MAX})).await.unwrap().status(), 200);
    }
    // At the end of the clock all vendors still respond.
    let response = Caller::suger(&sandbox).request(Method::GET, BUYERS).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.headers()["date"].to_str().unwrap().ends_with("9998 00:00:00 GMT"));
    assert!(sandbox.requests().iter().all(|request| !request.path.starts_with("/_sandbox")));
}

#[tokio::test]
async fn month_closes_when_clock_advances() {
    let sandbox = builder().start().await.unwrap();
    let overview =
        format!("/api/v2/billing/trusteebillingoverview/{}?billingPeriodIndex=1", demo::GENESYS_TRUSTOR_ORG_ID);
    let (_, before) = Caller::genesys(&sandbox).await.get(&overview).await;
    sandbox.advance(Duration::from_secs(10 * 86_400));
    let (_, after) = Caller::genesys(&sandbox).await.get(&overview).await;
    let start = |overview: &Value| overview["billingPeriodStartDate"].as_str().unwrap()[..7].to_owned();
    assert_eq!((&*start(&before), &*start(&after)), ("2026-10", "2026-11"));
}

#[tokio::test]
async fn tokens_expire_when_clock_advances() {
    let sandbox = builder().start().await.unwrap();
    let acronis = Caller::acronis(&sandbox).await;
    sandbox.advance(Duration::from_secs(7_199));
    assert_eq!(acronis.get("/api/2/clients/x").await.0, 404);
    sandbox.advance(Duration::from_secs(1));
    assert_eq!(acronis.get("/api/2/clients/x").await.0, 401);
}

#[tokio::test]
async fn oversized_bodies_and_heads_are_rejected() {
    let sandbox = builder().start().await.unwrap();
    let large = json!("x".repeat(3 << 20));
    let genesys = Caller::genesys(&sandbox).await;
    let acronis = Caller::acronis(&sandbox).await;
    for (caller, path) in [
        (&genesys, "/api/v2/usage/query"),
        (&Caller::suger(&sandbox), "/org/sgr-demo1/batchCreateUsageRecordGroups"),
        (&acronis, "/api/2/reports"),
    ] {
        // The server may stop reading before the end.
        if let Ok(response) = caller.request(Method::POST, path).json(&large).send().await {
            assert_eq!(response.status(), 413, "{path}");
        }
    }
    let head = |text: String| {
        let address = sandbox.url().trim_start_matches("http://").to_owned();
        async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let _ = stream.write_all(text.as_bytes()).await;
            let mut response = Vec::new();
            let _ = stream.read_to_end(&mut response).await;
            String::from_utf8_lossy(&response).lines().next().unwrap_or_default().to_owned()
        }
    };
    let many: String = (0..200).map(|n| format!("x-{n}: y\r\n")).collect();
    let close = "connection: close\r\n\r\n";
    assert!(head(format!("GET /x HTTP/1.1\r\nhost: x\r\n{many}{close}")).await.contains("431"));
    let long = format!("GET /x HTTP/1.1\r\nhost: x\r\nx: {}\r\n{close}", "y".repeat(400_000));
    // The connection is reset with unread bytes, which may discard the response.
    let line = head(long).await;
    assert!(line.is_empty() || line.contains("431"), "{line}");
    let path = format!("GET /{} HTTP/1.1\r\nhost: x\r\n{close}", "z".repeat(30_000));
    assert!(head(path).await.contains("404"));
    assert_eq!(sandbox.requests().last().unwrap().path.len(), 4096);
}

#[tokio::test]
async fn sandbox_listens_on_the_given_address() {
    let sandbox = builder().listen(([127, 0, 0, 2], 0)).start().await.unwrap();
    assert!(sandbox.url().starts_with("http://127.0.0.2:"));
    assert_eq!(Caller::suger(&sandbox).get(BUYERS).await.0, 200);
    let sandbox = builder().start().await.unwrap();
    assert!(sandbox.url().starts_with("http://127.0.0.1:"));
    // The URL of a sandbox that listens on all addresses has the loopback address.
    let sandbox = builder().listen(([0, 0, 0, 0], 0)).start().await.unwrap();
    assert!(sandbox.url().starts_with("http://127.0.0.1:"), "{}", sandbox.url());
    assert_eq!(Caller::suger(&sandbox).get(BUYERS).await.0, 200);
    // A machine without IPv6 cannot bind the other address.
    if let Ok(sandbox) = builder().listen((std::net::Ipv6Addr::UNSPECIFIED, 0)).start().await {
        assert!(sandbox.url().starts_with("http://[::1]:"), "{}", sandbox.url());
        assert_eq!(Caller::suger(&sandbox).get(BUYERS).await.0, 200);
    }
}
