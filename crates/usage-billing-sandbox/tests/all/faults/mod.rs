//! Faults, as clients observe them.

mod vendor_clients;

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use usage_billing_sandbox::{ACRONIS_TENANT_ID, Fault, Sandbox, Vendor};

use crate::{Caller, ask_token, builder, http, read, start_suger};

const BUYERS: &str = "/org/sgr-demo1/buyer";
const GROUPS: &str = "/org/sgr-demo1/usageRecordGroup";
const REPORTS: &str = "/org/sgr-demo1/entitlement/ent-azu01/usageRecordGroup";

fn fault(text: &str) -> Fault {
    text.parse().unwrap()
}

fn group(id: &str) -> Value {
    json!({"id": id, "organizationID": "sgr-demo1", "entitlementID": "ent-azu01", "records": {"seats": 2}})
}

async fn admin(sandbox: &Sandbox, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
    let request = http().request(method, format!("{}/_sandbox{path}", sandbox.url()));
    read(body.iter().fold(request, |request, body| request.json(body)).send().await.unwrap()).await
}

#[tokio::test]
async fn status_fault_has_the_vendor_s_body() {
    let sandbox = builder().start().await.unwrap();
    let genesys = Caller::genesys(&sandbox).await;
    let acronis = Caller::acronis(&sandbox).await;
    let suger = Caller::suger(&sandbox);
    let tenant = format!("/api/2/tenants/{ACRONIS_TENANT_ID}");
    for text in ["503", "429; retry_after=42", "500", "418"] {
        sandbox.inject(fault(text)).unwrap();
        let status: u16 = text[..3].parse().unwrap();
        let response = genesys.request(Method::GET, "/api/v2/license/definitions").send().await.unwrap();
        let correlation_id = response.headers()["inin-correlation-id"].to_str().unwrap().to_owned();
        let hint = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(hint.as_deref(), text.contains("42").then_some("42"));
        let (_, body) = read(response).await;
        let code = match status {
            503 => "service.unavailable",
            429 => "too.many.requests.retry.after",
            500 => "internal.server.error",
            _ => "bad.request",
        };
        assert_eq!((&body["status"], &body["code"]), (&json!(status), &json!(code)));
        assert_eq!(body["contextId"], json!(correlation_id));
        if status == 429 {
            assert_eq!(body["message"], "Rate limit exceeded the maximum. Retry the request in [42] seconds");
        }
        let (given, body) = suger.get(BUYERS).await;
        assert!(given == status && body.is_string(), "{given} {body}");
        let (given, body) = acronis.get(&tenant).await;
        assert!(given == status && body["error"]["code"] == status && body["error"]["message"].is_string(), "{body}");
        let (given, body) = ask_token(&sandbox, "/oauth/token", "x", "y", "client_credentials").await;
        assert!(given == status && body["error"].is_string() && body["description"].is_string(), "{body}");
        sandbox.clear_faults();
    }
    assert_eq!(suger.get(BUYERS).await.0, 200);
}

#[tokio::test]
async fn fault_is_injected_by_operation_and_count() {
    let builder = builder()
        .fault(fault("503; operation=listBuyers; skip=1; times=1"))
        .fault(fault("502; operation=GET /api/2/tenants/{tenant_id}"));
    let sandbox = builder.start().await.unwrap();
    let suger = Caller::suger(&sandbox);
    let statuses = [
        suger.get(BUYERS).await.0.as_u16(),
        suger.get("/org/sgr-demo1/product").await.0.as_u16(),
        suger.get(BUYERS).await.0.as_u16(),
        suger.get(BUYERS).await.0.as_u16(),
    ];
    assert_eq!(statuses, [200, 200, 503, 200]);
    let acronis = Caller::acronis(&sandbox).await;
    assert_eq!(acronis.get(&format!("/api/2/tenants/{ACRONIS_TENANT_ID}")).await.0, 502);
    assert_eq!(acronis.get(&format!("/api/2/tenants/{ACRONIS_TENANT_ID}/children")).await.0, 200);
}

#[tokio::test]
async fn invalid_faults_are_rejected() {
    for text in ["200", "503; operation=doIt", "503; percent=101"] {
        let error = Sandbox::builder().fault(fault(text)).start().await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{text}");
    }
    let sandbox = builder().start().await.unwrap();
    assert!(sandbox.inject(fault("200")).is_err());
    for body in
        [json!("nonsense"), json!(7), json!({"kind": "latency"}), json!(["503", {"kind": "status"}]), json!([[]])]
    {
        let (status, error) = admin(&sandbox, Method::POST, "/faults", Some(body.clone())).await;
        assert!(status == 400 && error["message"].is_string(), "{body}: {error}");
    }
    assert_eq!(admin(&sandbox, Method::GET, "/faults", None).await.1["faults"], json!([]));
    let caller = Caller::suger(&sandbox);
    let response = caller.request(Method::GET, BUYERS).header("x-sandbox-fault", "nonsense").send().await.unwrap();
    assert_eq!(response.status(), 400);
}

#[tokio::test]
async fn faults_are_added_listed_and_removed_over_http() {
    let sandbox = builder().fault_seed(7).start().await.unwrap();
    let asked = json!(["503; times=1; operation=listBuyers", {"kind": "latency", "millis": 1}]);
    let (status, all) = admin(&sandbox, Method::POST, "/faults", Some(asked)).await;
    assert_eq!(status, 200, "{all}");
    assert_eq!(Caller::suger(&sandbox).get(BUYERS).await.0, 503);
    let (_, all) = admin(&sandbox, Method::GET, "/faults", None).await;
    let status = json!({"kind": "status", "status": 503, "times": 1, "operation": "listBuyers"});
    let latency = json!({"kind": "latency", "millis": 1});
    assert_eq!(
        all,
        json!({"seed": 7, "faults": [
            {"id": 1, "fault": status, "matched": 1, "injected": 1},
            {"id": 2, "fault": latency, "matched": 1, "injected": 1},
        ]})
    );
    assert_eq!(admin(&sandbox, Method::DELETE, "/faults/1", None).await.1["faults"][0]["id"], 2);
    for id in ["1", "x", "-1"] {
        assert_eq!(admin(&sandbox, Method::DELETE, &format!("/faults/{id}"), None).await.0, 404);
    }
    assert_eq!(admin(&sandbox, Method::DELETE, "/faults", None).await.1["faults"], json!([]));
}

#[tokio::test]
async fn header_accepts_both_forms_of_faults() {
    let (_sandbox, caller) = start_suger(builder().strict(true)).await;
    for text in ["503; times=2", r#"{"kind": "status", "status": 503, "times": 2}"#] {
        let mut statuses = Vec::new();
        for _ in 0..3 {
            let request = caller.request(Method::GET, BUYERS).header("X-Sandbox-Fault", text);
            statuses.push(request.send().await.unwrap().status().as_u16());
        }
        assert_eq!(statuses, [503, 503, 200], "{text}");
    }
}

#[tokio::test]
async fn reset_before_or_after_effect_determines_the_state() {
    let (sandbox, caller) = start_suger(builder()).await;
    for (kind, then) in [("reset_before", 200), ("reset_after", 409), ("503", 200), ("503; after_effect", 409)] {
        sandbox.inject(fault(kind).on("reportUsageRecordGroup").times(1)).unwrap();
        let sent = caller.request(Method::POST, REPORTS).json(&group(kind)).send().await;
        match kind.starts_with("reset") {
            true => assert!(sent.is_err(), "{kind}"),
            false => assert_eq!(sent.unwrap().status(), 503, "{kind}"),
        }
        assert_eq!(caller.post(REPORTS, &group(kind)).await.0, then, "{kind}");
    }
    let log = sandbox.requests();
    let statuses: Vec<_> = log.iter().map(|request| request.status).collect();
    assert_eq!(statuses, [None, Some(200), None, Some(409), Some(503), Some(200), Some(503), Some(409)],);
    assert_eq!(log[2].faults[0].effect, "reset the connection in place of 200, after the effect");
    assert_eq!(log[6].faults[0].effect, "responded with 503 in place of 200, after the effect");
}

#[tokio::test]
async fn reset_fault_resets_the_connection() {
    let sandbox = builder().fault(fault("reset_before; times=1")).start().await.unwrap();
    let mut stream = TcpStream::connect(sandbox.url().trim_start_matches("http://")).await.unwrap();
    stream.write_all(b"GET /org/x/buyer HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let error = stream.read(&mut [0; 1]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn cut_body_truncates_after_given_bytes() {
    let sandbox = builder().start().await.unwrap();
    let whole = Caller::suger(&sandbox).request(Method::GET, BUYERS).send().await.unwrap().bytes().await.unwrap();
    for (text, length) in [("cut_body", whole.len() / 2), ("cut_body; bytes=10", 10), ("cut_body; bytes=0", 0)] {
        sandbox.inject(fault(text).times(1)).unwrap();
        let mut stream = TcpStream::connect(sandbox.url().trim_start_matches("http://")).await.unwrap();
        let request = format!("GET {BUYERS} HTTP/1.1\r\nhost: x\r\nauthorization: Key demo-suger-key\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut got = Vec::new();
        let _ = stream.read_to_end(&mut got).await;
        let body = got.windows(4).position(|it| it == b"\r\n\r\n").map(|at| &got[at + 4..]).unwrap();
        assert_eq!(body, &whole[..length], "{text}");
        let head = String::from_utf8_lossy(&got[..got.len() - length]).to_lowercase();
        assert!(head.contains(&format!("content-length: {}\r\n", whole.len())), "{head}");
    }
    sandbox.inject(fault("cut_body")).unwrap();
    let sent = Caller::suger(&sandbox).request(Method::GET, BUYERS).send().await.unwrap();
    assert!(sent.status() == 200 && sent.bytes().await.is_err());
}

#[tokio::test]
async fn latency_and_slow_bodies_wait_by_the_paused_clock() {
    let (sandbox, caller) = start_suger(builder()).await;
    let (_, whole) = caller.get(BUYERS).await;
    tokio::time::pause();
    let since = tokio::time::Instant::now();
    sandbox.inject(fault("latency; millis=9000; times=1")).unwrap();
    assert_eq!(caller.get(BUYERS).await.0, 200);
    assert!(since.elapsed() >= Duration::from_secs(9));
    sandbox.inject(fault("slow_body; bytes=100; millis=1000; times=1")).unwrap();
    let since = tokio::time::Instant::now();
    assert_eq!(caller.get(BUYERS).await.1, whole);
    assert!(since.elapsed() >= Duration::from_secs(whole.to_string().len() as u64 / 100));
}

#[tokio::test]
async fn faults_change_bodies() {
    let (sandbox, caller) = start_suger(builder()).await;
    let once = |text: &str| sandbox.inject(fault(text).times(1)).unwrap();
    once("malformed_json");
    let response = caller.request(Method::GET, GROUPS).send().await.unwrap();
    assert!(serde_json::from_slice::<Value>(&response.bytes().await.unwrap()).is_err());
    once("unknown_enum; value=NOT_YET");
    let (_, page) = caller.get(&format!("{GROUPS}?limit=1")).await;
    assert!(page.to_string().contains("NOT_YET"), "{page}");
    once("unknown_enum; pointer=/usageRecordGroups/0/status");
    let (_, page) = caller.get(&format!("{GROUPS}?limit=1")).await;
    assert_eq!(page["usageRecordGroups"][0]["status"], "SANDBOX_UNKNOWN");
    once("extra_fields");
    let (_, page) = caller.get(&format!("{GROUPS}?limit=1")).await;
    assert!(page["sandboxExtra"].is_object() && page["usageRecordGroups"][0]["sandboxExtra"].is_object());
    assert!(page["usageRecordGroups"][0]["records"]["sandboxExtra"].is_null());
    once("null_lists");
    assert_eq!(caller.get(&format!("{GROUPS}?limit=1")).await.1["usageRecordGroups"], Value::Null);
}

#[tokio::test]
async fn duplicated_page_has_its_own_cursor() {
    let (sandbox, caller) = start_suger(builder()).await;
    sandbox.inject(fault("duplicated_page; times=1")).unwrap();
    let mut next = Vec::new();
    let mut offset = 0;
    for _ in 0..4 {
        let (_, page) = caller.get(&format!("{GROUPS}?limit=5&offset={offset}")).await;
        offset = page["nextOffset"].as_u64().unwrap();
        next.push(offset);
    }
    // The first page has no cursor of its own, so that the fault is injected into the second one.
    assert_eq!(next, [5, 5, 10, 15]);
    assert_eq!(sandbox.requests()[1].faults[0].effect, "put this page's own cursor at /nextOffset");
    assert!(sandbox.requests()[0].faults.is_empty());
}

#[tokio::test]
async fn clock_skew_changes_date_and_token_expiry() {
    use usage_billing_sandbox::{ACRONIS_CLIENT_ID, ACRONIS_CLIENT_SECRET};
    let sandbox = builder().start().await.unwrap();
    let token =
        || ask_token(&sandbox, "/api/2/idp/token", ACRONIS_CLIENT_ID, ACRONIS_CLIENT_SECRET, "client_credentials");
    let straight = token().await.1["expires_on"].as_i64().unwrap();
    sandbox.inject(fault("clock_skew; seconds=100000")).unwrap();
    let skewed = token().await.1["expires_on"].as_i64().unwrap();
    assert!((99_990..=100_010).contains(&(skewed - straight)));
    let response = Caller::suger(&sandbox).request(Method::GET, BUYERS).send().await.unwrap();
    assert!(response.headers()["date"].to_str().unwrap().starts_with("Sun, 22 Nov 2026 15:46"));
    sandbox.clear_faults();
    let response = Caller::suger(&sandbox).request(Method::GET, BUYERS).send().await.unwrap();
    assert!(response.headers()["date"].to_str().unwrap().starts_with("Sat, 21 Nov 2026 12:00"));
}

#[tokio::test]
async fn same_fault_seed_repeats_the_run() {
    let run = async |seed| {
        let sandbox = builder().fault(fault("503; percent=40")).fault_seed(seed).start().await.unwrap();
        let caller = Caller::suger(&sandbox);
        for _ in 0..20 {
            caller.get(BUYERS).await;
        }
        let (_, log) = admin(&sandbox, Method::GET, "/log", None).await;
        assert_eq!((&log["seed"], &log["now"].as_str().unwrap()[..10]), (&json!(seed), "2026-11-21"));
        let requests = log["requests"].as_array().unwrap().clone();
        assert_eq!(requests.len(), 20);
        let met: Vec<_> = requests.iter().filter(|request| request["status"] == 503).cloned().collect();
        assert!(met.iter().all(|request| request["faults"]
            == json!([{"fault": {"kind": "status", "status": 503, "percent": 40}, "effect": "responded with 503 before the effect"}])));
        met.iter().map(|request| request["number"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let first = run(7).await;
    assert!(!first.is_empty() && first == run(7).await && first != run(8).await, "{first:?}");
}

#[tokio::test]
async fn fault_is_injected_into_unknown_paths() {
    let sandbox = builder().fault(fault("503; times=1")).start().await.unwrap();
    let caller = Caller::suger(&sandbox);
    assert_eq!(caller.get("/nothing").await.0, 503);
    assert_eq!(caller.get("/nothing").await.0, 404);
    assert_eq!(sandbox.requests()[0].vendor, None::<Vendor>);
}
