use reqwest::StatusCode;
use serde_json::{Value, json};
use usage_billing_sandbox::{GENESYS_CLIENT_ID, Sandbox, Size};

use crate::{Caller, builder, http, read};

/// The files of the pages, with their content types.
const ASSETS: [(&str, &str); 7] = [
    ("/_sandbox/assets/style.css", "text/css; charset=utf-8"),
    ("/_sandbox/assets/bill.js", "text/javascript; charset=utf-8"),
    ("/_sandbox/assets/elements.js", "text/javascript; charset=utf-8"),
    ("/_sandbox/assets/page.js", "text/javascript; charset=utf-8"),
    ("/_sandbox/assets/reference.js", "text/javascript; charset=utf-8"),
    ("/_sandbox/assets/sandbox.js", "text/javascript; charset=utf-8"),
    ("/_sandbox/assets/vendors.js", "text/javascript; charset=utf-8"),
];

async fn text(sandbox: &Sandbox, path: &str) -> (StatusCode, String, String) {
    let response = http().get(format!("{}{path}", sandbox.url())).send().await.unwrap();
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    (response.status(), kind, response.text().await.unwrap())
}

async fn state(sandbox: &Sandbox) -> Value {
    read(http().get(format!("{}/_sandbox/state", sandbox.url())).send().await.unwrap()).await.1
}

#[tokio::test]
async fn pages_and_their_files_load_nothing_from_elsewhere() {
    let sandbox = builder().start().await.unwrap();
    let mut files = vec!["/", "/openapi/genesys", "/openapi/suger", "/openapi/acronis"];
    files.extend(ASSETS.map(|(path, _)| path));
    for path in files {
        let response = http().get(format!("{}{path}", sandbox.url())).send().await.unwrap();
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let file = response.text().await.unwrap().replace("http://www.w3.org/2000/svg", "");
        assert!(!file.contains("http://") && !file.contains("https://"), "{path} names another place");
        assert!(!file.contains("innerHTML") && !file.contains("insertAdjacent"), "{path} could show markup of others");
    }
}

#[tokio::test]
async fn pages_have_only_files_of_the_sandbox() {
    let sandbox = builder().start().await.unwrap();
    for (path, content_type) in ASSETS {
        let (status, kind, _) = text(&sandbox, path).await;
        assert_eq!((status.as_u16(), kind.as_str()), (200, content_type), "{path}");
    }
    for path in ["/", "/openapi/suger"] {
        let page = text(&sandbox, path).await.2;
        let loaded: Vec<_> = page.split('"').filter(|part| part.starts_with("/_sandbox/assets/")).collect();
        assert_eq!(loaded.len(), 2, "{path}");
        assert!(loaded.iter().all(|file| ASSETS.iter().any(|(path, _)| path == file)), "{loaded:?}");
        // The policy prevents inline scripts and styles.
        assert!(!page.contains("<style") && !page.contains("style=") && !page.contains(" onclick"), "{path}");
    }
    assert_eq!(text(&sandbox, "/_sandbox/assets/page.html").await.0, 404);
}

async fn bill(sandbox: &Sandbox, query: &str) -> (StatusCode, Value) {
    read(http().get(format!("{}/_sandbox/bill{query}", sandbox.url())).send().await.unwrap()).await
}

#[tokio::test]
async fn bill_has_the_lines_of_the_true_bill() {
    let sandbox = builder().start().await.unwrap();
    let (_, expected) = read(http().get(format!("{}/_sandbox/expected", sandbox.url())).send().await.unwrap()).await;
    let (status, bill) = bill(&sandbox, "").await;
    assert_eq!((status, &bill["start"], &bill["end"]), (StatusCode::OK, &expected["start"], &expected["end"]));
    let bills = bill["bills"].as_array().unwrap();
    let ids: Vec<_> = bills.iter().map(|bill| bill["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["genesys_clients", "acronis", "suger", "genesys", "acronis_per_gigabyte"]);
    for bill in bills {
        let customers = bill["customers"].as_array().unwrap().iter();
        let mut lines: Vec<Value> =
            customers.clone().flat_map(|customer| customer["lines"].as_array().unwrap().clone()).collect();
        let mut rows = expected[bill["id"].as_str().unwrap()].as_array().unwrap().clone();
        assert_eq!((&bill["line_count"], &bill["customer_count"]), (&json!(rows.len()), &json!(customers.len())));
        lines.sort_by_key(Value::to_string);
        rows.sort_by_key(Value::to_string);
        assert_eq!(lines, rows, "{}", bill["id"]);
    }
    assert_eq!(bills[0]["totals"], json!([["EUR", "35863.74"], ["USD", "2805.10"]]));
    assert_eq!(bills[1]["customers"][0]["totals"], json!([["EUR", "811.86"]]));
    assert_eq!(bills[2]["totals"], json!([]));
}

#[tokio::test]
async fn chart_has_a_scale_for_each_currency() {
    let sandbox = builder().start().await.unwrap();
    let (_, bill) = bill(&sandbox, "?period=2026-10").await;
    let charts = bill["charts"].as_array().unwrap();
    assert_eq!(charts.iter().map(|chart| &chart["currency"]).collect::<Vec<_>>(), ["EUR", "USD"]);
    for chart in charts {
        let bars = chart["bars"].as_array().unwrap();
        assert_eq!((&bars[0]["length"], &chart["others"]), (&json!("100"), &json!(0)));
    }
    assert_eq!(charts[0]["total"], "37148.17");
    let shares = json!([{"vendor": "genesys", "length": "96.54"}, {"vendor": "acronis", "length": "3.46"}]);
    assert_eq!(
        (&charts[0]["vendors"], &charts[1]["vendors"]),
        (&shares, &json!([{"vendor": "genesys", "length": "100"}]))
    );
    let second = &charts[0]["bars"][1];
    // 7095.54 of 15282.81.
    assert_eq!((&second["amount"], &second["length"]), (&json!("7095.54"), &json!("46.43")));
}

#[tokio::test]
async fn bill_of_many_customers_is_shortened() {
    let size = Size::default().tenants(400).organizations(200);
    let sandbox = builder().size(size).start().await.unwrap();
    let (_, bill) = bill(&sandbox, "").await;
    let clients = &bill["bills"][0];
    assert_eq!(clients["customers"].as_array().unwrap().len(), 50);
    assert!(clients["customer_count"].as_u64().unwrap() > 100, "{}", clients["customer_count"]);
    let chart = &bill["charts"][0];
    assert_eq!(chart["bars"].as_array().unwrap().len(), 15);
    // Charts are of all customers, not only of those that are shown.
    assert!(chart["others"].as_u64().unwrap() > 50, "{}", chart["others"]);
}

#[tokio::test]
async fn bill_of_an_invalid_period_is_rejected() {
    let sandbox = builder().start().await.unwrap();
    for query in ["?period=2026", "?period=x", "?period=2026-10-02/2026-10-01"] {
        let (status, body) = bill(&sandbox, query).await;
        assert_eq!(status, 400);
        assert!(body["message"].as_str().unwrap().starts_with("period: expected a month"), "{body}");
    }
    let (status, body) = bill(&sandbox, "?period=1999-01").await;
    assert_eq!((status, &body["charts"]), (StatusCode::OK, &json!([])));
}

#[tokio::test]
async fn documents_are_served_unchanged() {
    let sandbox = builder().start().await.unwrap();
    for vendor in ["genesys", "suger", "acronis"] {
        let (status, kind, yaml) = text(&sandbox, &format!("/openapi/{vendor}.yaml")).await;
        assert_eq!((status.as_u16(), kind.as_str()), (200, "application/yaml"));
        assert!(yaml.contains("openapi: 3.0.3"));
        let (_, kind, json) = text(&sandbox, &format!("/openapi/{vendor}.json")).await;
        assert_eq!(kind, "application/json");
        let json: Value = serde_json::from_str(&json).unwrap();
        assert!(json["paths"].as_object().unwrap().len() > 10);
    }
    for path in ["/openapi/acme", "/openapi/acme.yaml", "/openapi/suger.xml", "/openapi/suger."] {
        let (status, _, body) = text(&sandbox, path).await;
        assert_eq!(
            (status.as_u16(), body.contains("/openapi/suger")),
            if path == "/openapi/suger." { (200, false) } else { (404, true) },
            "{path}"
        );
    }
}

#[tokio::test]
async fn state_has_the_data_of_all_vendors() {
    let sandbox = builder().polls_before_ready(0).start().await.unwrap();
    let before = state(&sandbox).await;
    assert_eq!(before["url"], sandbox.url());
    assert!(before["now"].as_str().unwrap().starts_with("2026-11-21T12:"));
    let vendors = before["vendors"].as_array().unwrap();
    assert_eq!(
        vendors.iter().map(|one| one["id"].as_str().unwrap()).collect::<Vec<_>>(),
        ["genesys", "suger", "acronis"]
    );
    let samples = vendors.iter().flat_map(|one| one["samples"].as_array().unwrap());
    assert!(
        samples.clone().count() == 12
            && samples.into_iter().all(|one| one[1].as_str().unwrap().contains(sandbox.url()))
    );
    let environment = before["environment"].as_array().unwrap();
    assert!(environment[0][1].as_str().unwrap().starts_with("export ") && environment[1][0] == "PowerShell");
    assert_eq!(vendors[0]["credentials"][0], json!(["Client id", GENESYS_CLIENT_ID]));
    assert!(vendors.iter().all(|one| one["base_url"].as_str().unwrap().starts_with(sandbox.url())));
    for (vendor, table) in
        [("genesys", "customers"), ("suger", "groups"), ("suger", "entitlements"), ("acronis", "tenants")]
    {
        assert!(before[vendor][table].as_array().unwrap().len() > 1, "{vendor} {table}");
    }
    assert_eq!((&before["genesys"]["jobs"], &before["acronis"]["reports"]), (&json!([]), &json!([])));

    let genesys = Caller::genesys(&sandbox).await;
    let (_, query) = genesys.post("/api/v2/usage/query", &json!({"interval": "2026-09/2026-10"})).await;
    let order = json!({
        "parameters": {
            "kind": "usage_summary", "level": "direct_partners", "tenant_id": usage_billing_sandbox::ACRONIS_TENANT_ID,
            "period": {"start": "2026-10-01", "end": "2026-10-31"}, "formats": ["csv_v2_0"],
        },
        "schedule": {"type": "once"}, "result_action": "save",
    });
    let acronis = Caller::acronis(&sandbox).await;
    let (_, report) = acronis.post("/api/2/reports", &order).await;
    acronis.get(&format!("/api/2/reports/{}/stored", report["id"].as_str().unwrap())).await;
    let after = state(&sandbox).await;
    assert_eq!(after["genesys"]["jobs"][0]["id"], query["executionId"]);
    assert_eq!(after["acronis"]["reports"][0]["id"], report["id"]);
    assert_eq!(after["acronis"]["reports"][0]["files"], json!([["csv_v2_0", "saved"]]));
}

#[tokio::test]
async fn state_has_the_last_requests_of_vendors() {
    let sandbox = builder().start().await.unwrap();
    let suger = Caller::suger(&sandbox);
    suger.get("/org/sgr-demo1/buyer?limit=0").await;
    suger.get("/org/sgr-demo1/product").await;
    text(&sandbox, "/").await;
    state(&sandbox).await;
    let requests = state(&sandbox).await["requests"].clone();
    let shown: Vec<_> =
        requests.as_array().unwrap().iter().map(|one| (one["path"].as_str().unwrap(), &one["status"])).collect();
    assert_eq!(shown, [("/org/sgr-demo1/product", &json!(200)), ("/org/sgr-demo1/buyer", &json!(400))]);
    assert_eq!(requests[1]["violations"], json!(["query#/limit: must be at least 1"]));
    assert_eq!(sandbox.requests().len(), 2);
    assert_eq!(sandbox.requests()[0].violations, ["query#/limit: must be at least 1"]);
}
