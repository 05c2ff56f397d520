//! Reports are changed and deleted; partners with SKUs see them; files have the day of the run.

use reqwest::Method;
use serde_json::{Value, json};
use usage_billing_sandbox::ACRONIS_TENANT_ID;

use crate::acronis::{file, order, rows};
use crate::{Caller, builder, read, start_acronis};

#[tokio::test]
async fn each_change_of_scheduled_report_is_a_version() {
    let (_sandbox, caller) = start_acronis(builder()).await;
    let (_, report) = caller.post("/api/2/reports", &order(|order| order["schedule"]["type"] = json!("monthly"))).await;
    let path = format!("/api/2/reports/{}", report["id"].as_str().unwrap());
    let user = "f03a9d67-1c58-4e2b-8a4d-92b7c6e0d135";
    let change = json!({
        "recipients": [user],
        "parameters": {"level": "all_customers", "kind": "usage_current", "hide_zero_usage": false, "show_skus": false},
        "schedule": {"enabled": false},
    });
    let (status, changed) = caller.send(Method::PUT, &path, &change).await;
    assert_eq!(status, 200, "{changed}");
    let mut expected = report.clone();
    expected["version"] = json!(2);
    expected["recipients"] = json!([user]);
    expected["schedule"]["enabled"] = json!(false);
    for (name, value) in [
        ("level", json!("all_customers")),
        ("kind", json!("usage_current")),
        ("hide_zero_usage", json!(false)),
        ("show_skus", json!(false)),
    ] {
        expected["parameters"][name] = value;
    }
    assert_eq!(changed, expected);
    assert_eq!(caller.get(&path).await.1, expected);
    assert_eq!(caller.send(Method::PUT, &path, &json!({"schedule": {"enabled": true}})).await.1["version"], 3);

    for (body, status, code) in [
        (json!({"version": 3}), 400, 400),
        (json!({"parameters": {"formats": ["html"]}}), 400, 400),
        (json!({"parameters": {"level": "neighbours"}}), 400, 400),
        (json!({"schedule": {}}), 400, 400),
        (json!([]), 400, 400),
        (json!({"parameters": {"tenant_id": "00000000-0000-4000-8000-000000000000"}}), 403, 1002),
    ] {
        let (got, error) = caller.send(Method::PUT, &path, &body).await;
        assert_eq!((got.as_u16(), &error["error"]["code"]), (status, &json!(code)), "{body}: {error}");
    }
    let untyped = caller.request(Method::PUT, &path).body("{}").send().await.unwrap();
    assert_eq!(read(untyped).await.0, 415);
    assert_eq!(caller.get(&path).await.1["version"], 3);
    let unknown = "/api/2/reports/00000000-0000-4000-8000-000000000000";
    assert_eq!(caller.send(Method::PUT, unknown, &json!({})).await.0, 404);

    let (_, once) = caller.post("/api/2/reports", &order(|_| ())).await;
    let path = format!("/api/2/reports/{}", once["id"].as_str().unwrap());
    let (status, error) = caller.send(Method::PUT, &path, &json!({"schedule": {"enabled": false}})).await;
    assert_eq!((status.as_u16(), &error["error"]["code"]), (400, &json!(1027)));
}

#[tokio::test]
async fn deleting_a_report_removes_its_files() {
    let (_sandbox, caller) = start_acronis(builder().polls_before_ready(0)).await;
    let (_, report) = caller.post("/api/2/reports", &order(|_| ())).await;
    let path = format!("/api/2/reports/{}", report["id"].as_str().unwrap());
    let (_, stored) = caller.get(&format!("{path}/stored")).await;
    let file = format!("{path}/stored/{}", stored["items"][0]["id"].as_str().unwrap());
    let delete = async |query: &str| caller.request(Method::DELETE, &format!("{path}{query}")).send().await.unwrap();
    for (query, status, code) in [("", 400, 400), ("?version=x", 400, 400), ("?version=2", 409, 1001)] {
        let (got, error) = read(delete(query).await).await;
        assert_eq!((got.as_u16(), &error["error"]["code"]), (status, &json!(code)), "{query}");
    }
    assert_eq!(caller.request(Method::GET, &file).send().await.unwrap().status(), 200);
    let response = delete("?version=1").await;
    assert_eq!(response.status(), 204);
    assert!(response.bytes().await.unwrap().is_empty());
    for gone in [&path, &format!("{path}/stored"), &file] {
        assert_eq!(caller.get(gone).await.0, 404, "{gone}");
    }
    assert_eq!(read(delete("?version=1").await).await.0, 404);
    assert_eq!(caller.get(&format!("/api/2/tenants/{ACRONIS_TENANT_ID}/reports")).await.1, json!({"items": []}));
}

#[tokio::test]
async fn only_the_entitled_partner_gets_skus() {
    let (_sandbox, caller) = start_acronis(builder().polls_before_ready(0)).await;
    let list = caller.get(&format!("/api/2/tenants?parent_id={ACRONIS_TENANT_ID}")).await.1;
    let cedar = list["items"].as_array().unwrap().iter().find(|tenant| tenant["kind"] == "partner").unwrap();
    let columns = async |tenant: &Value| {
        let report = order(|order| {
            order["parameters"]["tenant_id"] = tenant.clone();
            order["parameters"]["formats"] = json!(["csv_v2_0"]);
        });
        let file = file(&caller, report).await;
        assert!(!rows(&file).is_empty());
        file.lines().next().unwrap().split(',').next_back().unwrap().to_owned()
    };
    assert_eq!(columns(&json!(ACRONIS_TENANT_ID)).await, "sku");
    assert_eq!(columns(&cedar["id"]).await, "edition");
}

#[tokio::test]
async fn current_day_is_in_no_report() {
    let (_sandbox, caller) = start_acronis(builder().polls_before_ready(0)).await;
    let ask = async |kind: &str, start: &str, end: &str| {
        let report = order(|order| {
            order["parameters"]["kind"] = json!(kind);
            order["parameters"]["period"] = json!({"start": start, "end": end});
            order["parameters"]["formats"] = json!(["csv_v2_0"]);
        });
        file(&caller, report).await
    };
    let to_today = ask("usage_summary", "2026-11-01", "2026-11-21").await;
    let to_yesterday = ask("usage_summary", "2026-11-01", "2026-11-20").await;
    assert_eq!(to_today.replace("2026-11-21", "2026-11-20"), to_yesterday);
    assert_eq!(
        ask("usage_daily", "2026-11-20", "2026-11-21").await,
        ask("usage_daily", "2026-11-20", "2026-11-20").await
    );
    assert_eq!(ask("usage_daily", "2026-11-21", "2026-11-21").await.lines().count(), 1);
    assert_eq!(ask("usage_breakdown", "2026-11-21", "2026-11-21").await.lines().count(), 1);
    let current = order(|order| {
        let parameters = order["parameters"].as_object_mut().unwrap();
        parameters.remove("period");
        parameters.insert("kind".to_owned(), json!("usage_current"));
        parameters.insert("formats".to_owned(), json!(["csv_v2_0"]));
    });
    assert_eq!(file(&caller, current).await, to_yesterday);
}

#[tokio::test]
async fn report_for_later_day_is_built_on_that_day() {
    let (sandbox, caller) = start_acronis(builder()).await;
    let ask = order(|order| {
        order["generation_date"] = json!("2026-11-23");
        order["parameters"]["period"] = json!({"start": "2026-11-01", "end": "2026-11-21"});
        order["parameters"]["formats"] = json!(["csv_v2_0", "html"]);
    });
    let (_, report) = caller.post("/api/2/reports", &ask).await;
    let stored = format!("/api/2/reports/{}/stored", report["id"].as_str().unwrap());
    let states = async |caller: &Caller| -> Vec<String> {
        let (_, list) = caller.get(&stored).await;
        let items = list["items"].as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item["status"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(states(&caller).await, [""; 0]);
    sandbox.advance(std::time::Duration::from_secs(36 * 3600));
    let caller = Caller::acronis(&sandbox).await;
    assert_eq!(states(&caller).await, ["in_progress", "in_progress"]);
    // The report ends even if it is not polled.
    sandbox.advance(std::time::Duration::from_secs(600));
    assert_eq!(states(&caller).await, ["saved", "failed"]);
}

#[tokio::test]
async fn monthly_schedule_builds_a_file_per_month_while_enabled() {
    let (sandbox, caller) = start_acronis(builder().polls_before_ready(0)).await;
    let body = order(|order| {
        order["schedule"]["type"] = json!("monthly");
        order["parameters"]["formats"] = json!(["csv_v2_0"]);
    });
    let (_, report) = caller.post("/api/2/reports", &body).await;
    let path = format!("/api/2/reports/{}", report["id"].as_str().unwrap());
    let built = async || -> Vec<(String, String)> {
        // Tokens expire long before the month ends.
        let caller = Caller::acronis(&sandbox).await;
        let (_, files) = caller.get(&format!("{path}/stored")).await;
        let text = |file: &serde_json::Value, name: &str| file[name].as_str().unwrap().to_owned();
        files["items"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|file| (text(file, "created_at"), text(file, "id")))
            .collect()
    };
    let days_pass = |days: u64| sandbox.advance(std::time::Duration::from_secs(days * 86_400));
    assert_eq!(built().await, []);
    days_pass(11);
    let first = built().await;
    assert!(first.len() == 1 && first[0].0.starts_with("2026-12-01T23:59:59"), "{first:?}");
    let caller = Caller::acronis(&sandbox).await;
    assert_eq!(caller.send(Method::PUT, &path, &json!({"schedule": {"enabled": false}})).await.0, 200);
    // The schedule is disabled on the first of January.
    days_pass(40);
    let caller = Caller::acronis(&sandbox).await;
    assert_eq!(caller.send(Method::PUT, &path, &json!({"schedule": {"enabled": true}})).await.0, 200);
    days_pass(25);
    let all = built().await;
    assert!(all.len() == 2 && all[0] == first[0] && all[1].0.starts_with("2027-02-01T23:59:59"), "{all:?}");
    // The file is about the month before.
    let caller = Caller::acronis(&sandbox).await;
    let file = caller.request(Method::GET, &format!("{path}/stored/{}", all[1].1)).send().await.unwrap();
    let mut csv = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&file.bytes().await.unwrap()[..]), &mut csv)
        .unwrap();
    assert!(csv.contains("2027-01-31"), "{csv}");
}

#[tokio::test]
async fn string_booleans_are_accepted_unless_strict() {
    let (_sandbox, caller) = start_acronis(builder()).await;
    let body = order(|order| {
        order["parameters"]["show_skus"] = json!("true");
        order["parameters"]["hide_zero_usage"] = json!("false");
    });
    let (status, report) = caller.post("/api/2/reports", &body).await;
    assert_eq!(status, 200, "{report}");
    assert_eq!(
        (&report["parameters"]["show_skus"], &report["parameters"]["hide_zero_usage"]),
        (&json!(true), &json!(false))
    );
    let wrong = order(|order| order["parameters"]["show_skus"] = json!("yes"));
    assert_eq!(caller.post("/api/2/reports", &wrong).await.0, 400);
    let strict = caller.request(Method::POST, "/api/2/reports").header("x-sandbox-strict", "true").json(&body);
    assert_eq!(strict.send().await.unwrap().status(), 400);
}
