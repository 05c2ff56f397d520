//! Acronis: reports and their files, tenants, tokens.

mod billing;
mod expected_usage;
mod reports;
mod tenants;
mod tokens;

use std::collections::HashMap;
use std::io::Read;

use chrono::DateTime;
use flate2::read::GzDecoder;
use reqwest::{Method, header};
use serde_json::{Value, json};
use usage_billing_acronis::types;
use usage_billing_sandbox::{ACRONIS_CLIENT_ID, ACRONIS_CLIENT_SECRET, ACRONIS_TENANT_ID};

use crate::{Caller, ask_token, builder, http, read, start_acronis};

pub(crate) fn order(change: impl FnOnce(&mut Value)) -> Value {
    let mut order = json!({
        "parameters": {
            "kind": "usage_summary",
            "tenant_id": ACRONIS_TENANT_ID,
            "level": "direct_partners",
            "period": {"start": "2026-10-01", "end": "2026-10-31"},
            "formats": ["csv_v2_0", "json_v2_0"],
            "hide_zero_usage": true,
            "show_skus": true,
        },
        "schedule": {"type": "once"},
        "result_action": "save",
    });
    change(&mut order);
    order
}

/// Creates a report and downloads its only file, decompressed.
pub(crate) async fn file(caller: &Caller, order: Value) -> String {
    let (status, report) = caller.post("/api/2/reports", &order).await;
    assert_eq!(status, 200, "{report}");
    let stored = format!("/api/2/reports/{}/stored", report["id"].as_str().unwrap());
    let (_, list) = caller.get(&stored).await;
    let item = &list["items"][0];
    let response =
        caller.request(Method::GET, &format!("{stored}/{}", item["id"].as_str().unwrap())).send().await.unwrap();
    let bytes = response.bytes().await.unwrap();
    assert_eq!(item["size"], bytes.len());
    decoded(&bytes)
}

fn decoded(gzip: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(gzip).read_to_string(&mut text).unwrap();
    text
}

pub(crate) fn rows(csv: &str) -> Vec<HashMap<String, String>> {
    csv::Reader::from_reader(csv.as_bytes()).deserialize().collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn report_is_created_polled_and_downloaded() {
    let (_sandbox, caller) = start_acronis(builder()).await;
    let (status, report) = caller.post("/api/2/reports", &order(|_| ())).await;
    assert_eq!(status, 200);
    let id = report["id"].as_str().unwrap();
    assert_eq!((&report["version"], &report["generation_date"]), (&json!(1), &json!("2026-11-21")));
    assert_eq!(caller.get(&format!("/api/2/reports/{id}")).await.1, report);
    let of_tenant = caller.get(&format!("/api/2/tenants/{ACRONIS_TENANT_ID}/reports")).await.1;
    assert_eq!(of_tenant, json!({"items": [id]}));

    let stored = format!("/api/2/reports/{id}/stored");
    let mut states = Vec::new();
    let done = loop {
        let (_, body) = caller.get(&stored).await;
        let list: types::StoredReportList = serde_json::from_value(body).unwrap();
        for item in &list.items {
            let saved = item.status == types::StoredReportStatus::Saved;
            assert_eq!((item.id.is_some(), item.size.is_some()), (saved, saved));
        }
        let saved = list.items.iter().filter(|item| item.id.is_some()).count();
        states.push(saved);
        if saved == 2 {
            break list;
        }
    };
    assert_eq!(states, [0, 0, 1, 2]);

    let mut contents = Vec::new();
    for item in done.items {
        let response = caller.request(Method::GET, &format!("{stored}/{}", item.id.unwrap())).send().await.unwrap();
        assert_eq!(response.headers()[header::CONTENT_ENCODING], "gzip");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/octet-stream");
        let bytes = response.bytes().await.unwrap();
        assert_eq!(item.size, i64::try_from(bytes.len()).ok());
        contents.push(decoded(&bytes));
    }
    let rows = rows(&contents[0]);
    let json: Value = serde_json::from_str(&contents[1]).unwrap();
    assert_eq!(json["tenants"].as_array().unwrap().len(), rows.len());
    for (row, same) in rows.iter().zip(json["tenants"].as_array().unwrap()) {
        assert_eq!(same["usage"]["effective"]["total"].to_string(), row["usage.effective.total"]);
        assert_eq!(same["tenant"]["name"], row["tenant.name"].as_str());
        assert_eq!(same["is_range"].as_bool().unwrap(), row["is_range"] == "True");
    }
    let params = &json["params"];
    assert_eq!((&params["report_type"], &params["report_level"]), (&json!(5), &json!(1)));
    assert_eq!((&params["begin_date"], &params["end_date"]), (&json!(1_790_812_800), &json!(1_793_404_800)));
    assert_eq!(caller.get(&format!("{stored}/{ACRONIS_TENANT_ID}")).await.0, 404);
}

#[tokio::test]
async fn report_file_has_the_difficult_rows() {
    let (_sandbox, caller) = start_acronis(builder().polls_before_ready(0)).await;
    let only_csv = |order: &mut Value| order["parameters"]["formats"] = json!(["csv_v2_0"]);
    let csv = file(&caller, order(only_csv)).await;
    assert_eq!(csv.lines().next().unwrap().split(',').count(), 30);
    assert!(csv.contains("\"Kestrel & Sons, \"\"Harbour\"\" Ltd.\"") && csv.contains("株式会社さくら"));
    let rows = rows(&csv);
    let find = |test: &dyn Fn(&str) -> bool, column: &str| rows.iter().filter(|row| test(&row[column])).count();
    assert!(find(&|value| value.starts_with('-'), "usage.delta.production") > 0);
    assert_eq!(find(&|value| value == "pw_base_mobiles", "name"), 0);
    let is_unsold = |row: &HashMap<String, String>| {
        row["tenant.name"].contains("さくら")
            || ["euc_count", "total_storage", "immutable_storage", "total_protected_workloads"].contains(&&*row["name"])
            || ["pw_base_local_storage", "local_storage", "pw_dr_internet_access"].contains(&&*row["name"])
            || row["name"] == "pg_base_workstations"
            || row["infra.name"] == "cellar"
    };
    assert!(rows.iter().all(|row| row["sku"].is_empty() == is_unsold(row)), "{rows:?}");
    let alder: Vec<_> = rows
        .iter()
        .filter(|row| row["tenant.name"] == "Alder Dental Group" && row["name"] == "pw_base_storage")
        .collect();
    assert_eq!(alder.len(), 3);
    assert_ne!(alder[0]["infra.id"], alder[1]["infra.id"]);
    // The partner's own component has the backend of the vendor's.
    let own: Vec<_> = alder.iter().filter(|row| row["infra.owner_id"] == ACRONIS_TENANT_ID).collect();
    assert_eq!((own.len(), &*own[0]["infra.backend_type"], &*own[0]["sku"]), (1, "acronis", ""));
    // Reports state only the id of another component, and that a switch is on.
    assert!(rows.iter().any(|row| row["infra.name"].is_empty() && !row["infra.id"].is_empty()));
    assert!(rows.iter().any(|row| row["measurement_unit"] == "feature"));
    // A customer leaves its trial in the middle of the month.
    let leaving = rows.iter().find(|row| row["tenant.name"] == "Heron Vets" && row["is_range"] == "True").unwrap();
    assert!(leaving["usage.effective.production"] != "0" && leaving["usage.effective.trial"] != "0", "{leaving:?}");
    let points = rows.iter().find(|row| row["name"] == "pw_compute_points").unwrap();
    assert_eq!((&*points["is_range"], &*points["measurement_unit"]), ("True", "seconds"));
    assert_eq!(points["usage.effective.total"], points["usage.delta.total"]);

    // A second report with the same parameters has the same rows.
    assert_eq!(file(&caller, order(only_csv)).await, csv);
    let everything = file(
        &caller,
        order(|order| {
            only_csv(order);
            order["parameters"]["hide_zero_usage"] = json!(false);
            order["parameters"]["show_skus"] = json!(false);
        }),
    )
    .await;
    assert!(everything.contains("pw_base_mobiles"));
    assert_eq!(everything.lines().next().unwrap().split(',').count(), 29);
    let daily = file(
        &caller,
        order(|order| {
            only_csv(order);
            order["parameters"]["kind"] = json!("usage_daily");
            order["parameters"]["hide_zero_usage"] = json!(false);
        }),
    )
    .await;
    assert_eq!(daily.lines().count() - 1, 31 * (everything.lines().count() - 1));
}

#[tokio::test]
async fn gzip_header_can_be_omitted() {
    let (_sandbox, caller) = start_acronis(builder().polls_before_ready(0).gzip_header(false)).await;
    let (_, report) = caller.post("/api/2/reports", &order(|_| ())).await;
    let stored = format!("/api/2/reports/{}/stored", report["id"].as_str().unwrap());
    let id = caller.get(&stored).await.1["items"][0]["id"].as_str().unwrap().to_owned();
    let response = caller.request(Method::GET, &format!("{stored}/{id}")).send().await.unwrap();
    assert!(!response.headers().contains_key(header::CONTENT_ENCODING));
    assert!(decoded(&response.bytes().await.unwrap()).starts_with("application.id,"));
}

#[tokio::test]
async fn undocumented_format_fails() {
    let (_sandbox, caller) = start_acronis(builder().polls_before_ready(0)).await;
    let (_, report) = caller
        .post("/api/2/reports", &order(|order| order["parameters"]["formats"] = json!(["html", "csv_v2_0", "html"])))
        .await;
    let (_, list) = caller.get(&format!("/api/2/reports/{}/stored", report["id"].as_str().unwrap())).await;
    let states: Vec<_> =
        list["items"].as_array().unwrap().iter().map(|item| item["status"].as_str().unwrap()).collect();
    assert_eq!(states, ["failed", "saved"]);
    // A report for a later day has no files yet, and neither has a schedule.
    for change in [json!({"generation_date": "2026-12-01"}), json!({"schedule": {"type": "monthly"}})] {
        let (_, report) = caller
            .post(
                "/api/2/reports",
                &order(|order| order.as_object_mut().unwrap().extend(change.as_object().unwrap().clone())),
            )
            .await;
        let (_, list) = caller.get(&format!("/api/2/reports/{}/stored", report["id"].as_str().unwrap())).await;
        assert!(list["items"].as_array().is_none_or(Vec::is_empty), "{change}");
    }
}

#[tokio::test]
async fn invalid_reports_are_rejected() {
    let (_sandbox, caller) = start_acronis(builder()).await;
    for (path, value, status, code) in [
        ("/parameters/period/end", json!("2026-11-22"), 400, json!(400)),
        ("/parameters/period/end", json!("2026-09-30"), 400, json!(400)),
        ("/parameters/period/end", json!("31.10.2026"), 400, json!(400)),
        ("/parameters/kind", json!("usage_hourly"), 400, json!(400)),
        ("/parameters/level", json!("neighbours"), 400, json!(400)),
        ("/parameters/formats/0", json!("pdf"), 400, json!(400)),
        ("/parameters/show_skus", json!({}), 400, json!(400)),
        ("/schedule", json!({"type": "once", "day": 1}), 400, json!(400)),
        ("/result_action", json!("send"), 400, json!(400)),
        ("/parameters/tenant_id", json!("00000000-0000-4000-8000-000000000000"), 403, json!(1002)),
    ] {
        let order = order(|order| *order.pointer_mut(path).unwrap() = value.clone());
        let (got, error) = caller.post("/api/2/reports", &order).await;
        assert_eq!((got.as_u16(), &error["error"]["code"]), (status, &code), "{path}: {value}: {error}");
        assert_eq!(error["error"]["domain"], "PlatformAccountServer");
    }
    for body in ["", "{", "[]", "null", "{\"parameters\":[]}"] {
        let request = caller.request(Method::POST, "/api/2/reports").header("content-type", "application/json");
        assert_eq!(read(request.body(body).send().await.unwrap()).await.0, 400, "{body}");
    }
    let untyped = caller.request(Method::POST, "/api/2/reports").body("{}").send().await.unwrap();
    assert_eq!(read(untyped).await.0, 415);
    for path in [
        "/api/2/reports/x",
        "/api/2/reports/%FF/stored",
        "/api/2/reports/x/stored/y",
        "/api/2/clients/x",
        "/api/2/tenants/x",
        "/api/2/x",
    ] {
        let (status, error) = caller.get(path).await;
        assert_eq!(status, 404, "{path}");
        assert!(error["error"]["message"].is_string());
    }
    assert_eq!(read(caller.request(Method::GET, "/api/2/reports").send().await.unwrap()).await.0, 405);
}

#[tokio::test]
async fn tenants_are_reached_from_the_client() {
    let (_sandbox, caller) = start_acronis(builder()).await;
    let (_, client) = caller.get(&format!("/api/2/clients/{ACRONIS_CLIENT_ID}")).await;
    assert_eq!(client["tenant_id"], ACRONIS_TENANT_ID);
    let (_, root) = caller.get(&format!("/api/2/tenants/{ACRONIS_TENANT_ID}")).await;
    assert_eq!((&root["name"], &root["kind"]), (&json!("Northwind Cloud Services"), &json!("partner")));
    let (_, children) = caller.get(&format!("/api/2/tenants/{ACRONIS_TENANT_ID}/children")).await;
    let ids: Vec<&str> = children["items"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(ids.len(), 6);
    let mut names = Vec::new();
    for id in &ids {
        let (_, body) = caller.get(&format!("/api/2/tenants/{id}?embed_path=true")).await;
        let tenant: types::Tenant = serde_json::from_value(body).unwrap();
        assert_eq!((tenant.parent_id.as_str(), tenant.path.len()), (ACRONIS_TENANT_ID, 1));
        if tenant.kind == Some(types::TenantKind::Partner) {
            let (_, below) = caller.get(&format!("/api/2/tenants/{id}/children")).await;
            assert_eq!(below["items"].as_array().unwrap().len(), 2);
        }
        names.extend(tenant.name);
    }
    assert!(names.is_sorted());
    assert!(names.contains(&"株式会社さくら".to_owned()));
    let above = root["parent_id"].as_str().unwrap();
    let (status, error) = caller.get(&format!("/api/2/tenants/{above}")).await;
    assert_eq!((status.as_u16(), &error["error"]["code"]), (403, &json!(1002)));
    let (status, error) = caller.get("/api/2/tenants/00000000-0000-4000-8000-000000000000/children").await;
    assert_eq!((status.as_u16(), &error["error"]["code"]), (404, &json!(1005)));
    assert_eq!(caller.get(&format!("/api/2/tenants/{ACRONIS_TENANT_ID}?embed_path=maybe")).await.0, 400);
    assert_eq!(caller.get(&format!("/api/2/tenants/{ACRONIS_TENANT_ID}/children?after=x")).await.0, 400);
}

#[tokio::test]
async fn token_states_its_expiry_and_needs_valid_client() {
    let sandbox = builder().start().await.unwrap();
    let ask = async |id, secret, grant| {
        let (status, body) = ask_token(&sandbox, "/api/2/idp/token", id, secret, grant).await;
        (status.as_u16(), body)
    };
    let (status, token) = ask(ACRONIS_CLIENT_ID, ACRONIS_CLIENT_SECRET, "client_credentials").await;
    assert!(status == 200 && token["access_token"].is_string(), "{token}");
    // Both are by the real clock, although the sandbox's day is another one.
    let form = [("grant_type", "client_credentials")];
    let request = http().post(format!("{}/api/2/idp/token", sandbox.url())).form(&form);
    let response = request.basic_auth(ACRONIS_CLIENT_ID, Some(ACRONIS_CLIENT_SECRET)).send().await.unwrap();
    let date = DateTime::parse_from_rfc2822(response.headers()["date"].to_str().unwrap()).unwrap();
    let (_, token) = read(response).await;
    assert_eq!(token["expires_on"].as_i64().unwrap() - date.timestamp(), 7_200);
    for (id, secret) in [(ACRONIS_CLIENT_ID, "x"), ("x", ACRONIS_CLIENT_SECRET)] {
        let (status, error) = ask(id, secret, "client_credentials").await;
        assert_eq!((status, &error["error"]), (401, &json!("invalid_client")));
    }
    assert_eq!(ask(ACRONIS_CLIENT_ID, ACRONIS_CLIENT_SECRET, "password").await.0, 400);
    let (status, error) = Caller::new(&sandbox, "Bearer x".to_owned()).get("/api/2/reports/x").await;
    assert_eq!((status.as_u16(), &error["error"]["code"]), (401, &json!("401")));
}
