use reqwest::StatusCode;
use serde_json::{Value, json};
use usage_billing_sandbox::{GENESYS_CLIENT_ID, Sandbox};

use crate::{Caller, builder, http, read};

async fn text(sandbox: &Sandbox, path: &str) -> (StatusCode, String, String) {
    let response = http().get(format!("{}{path}", sandbox.url())).send().await.unwrap();
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    (response.status(), kind, response.text().await.unwrap())
}

async fn state(sandbox: &Sandbox) -> Value {
    read(http().get(format!("{}/_sandbox/state", sandbox.url())).send().await.unwrap()).await.1
}

#[tokio::test]
async fn pages_load_nothing_from_elsewhere() {
    let sandbox = builder().start().await.unwrap();
    for path in ["/", "/openapi/genesys", "/openapi/suger", "/openapi/acronis"] {
        let response = http().get(format!("{}{path}", sandbox.url())).send().await.unwrap();
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        let page = response.text().await.unwrap();
        assert!(page.starts_with("<!doctype html>"));
        assert!(!page.contains("http://") && !page.contains("https://"), "{path} names another place");
        assert!(!page.contains("innerHTML"), "{path} could show markup of others");
    }
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
