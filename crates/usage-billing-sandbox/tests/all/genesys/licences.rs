//! Genesys Cloud: licences and their holders, and OAuth clients.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use usage_billing_genesys::types;
use usage_billing_sandbox::GENESYS_CLIENT_ID;

use crate::{builder, start_genesys};

#[tokio::test]
async fn licence_holders_agree_with_billable_usage() {
    let (_sandbox, caller) = start_genesys(builder().polls_before_ready(0)).await;
    let (mut held, mut page) = (BTreeMap::<String, usize>::new(), 1);
    loop {
        let (_, users) = caller.get(&format!("/api/v2/license/users?pageSize=20&pageNumber={page}")).await;
        let users: types::UserLicensesEntityListing = serde_json::from_value(users).unwrap();
        assert_eq!((users.page_number, users.page_count, users.total), (Some(page), Some(3), Some(52)));
        assert_eq!(users.entities.as_ref().unwrap().len(), if page == 3 { 12 } else { 20 });
        for licence in users.entities.unwrap().into_iter().flat_map(|user| user.licenses) {
            *held.entry(licence).or_default() += 1;
        }
        if users.page_count == Some(page) {
            break;
        }
        page += 1;
    }
    let october = "startDate=2026-10-01T00:00:00Z&endDate=2026-10-31T23:59:59.999Z";
    let (_, report) = caller.get(&format!("/api/v2/billing/reports/billableusage?{october}")).await;
    let (_, definitions) = caller.get("/api/v2/license/definitions").await;
    let definitions: Vec<types::LicenseDefinition> = serde_json::from_value(definitions).unwrap();
    assert_eq!(definitions.len(), 4);
    for definition in definitions {
        let name = definition.description.unwrap();
        let billed = report["usages"].as_array().unwrap().iter().find(|usage| usage["name"] == *name).unwrap();
        assert_eq!(billed["totalUsage"], held[definition.id.as_ref().unwrap()].to_string(), "{name}");
    }
}

#[tokio::test]
async fn user_has_complete_definitions() {
    let (_sandbox, caller) = start_genesys(builder()).await;
    let (_, users) = caller.get("/api/v2/license/users?pageSize=100").await;
    let listed = users["entities"].as_array().unwrap().iter();
    let listed = listed.max_by_key(|user| user["licenses"].as_array().map_or(0, Vec::len)).unwrap();
    assert_eq!(listed["licenses"], json!(["cloudCX2", "gc2DigitalUpgrade"]));
    let (_, user) = caller.get(listed["selfUri"].as_str().unwrap()).await;
    assert_eq!(user["id"], listed["id"]);
    for definition in user["licenses"].as_array().unwrap() {
        assert_eq!(caller.get(definition["selfUri"].as_str().unwrap()).await.1, *definition);
    }
    assert_eq!(user["licenses"][1]["prerequisites"][0]["id"], "cloudCX2");
    assert_eq!(user["licenses"][0]["comprises"][0]["id"], "cloudCX1");
}

#[tokio::test]
async fn users_are_paged_and_unknown_ids_rejected() {
    let (_sandbox, caller) = start_genesys(builder()).await;
    let (_, first) = caller.get("/api/v2/license/users").await;
    assert_eq!((&first["pageSize"], first["entities"].as_array().unwrap().len()), (&json!(25), 25));
    let (status, beyond) = caller.get("/api/v2/license/users?pageNumber=2147483647").await;
    assert_eq!((status.as_u16(), &beyond["entities"], &beyond["total"]), (200, &json!([]), &json!(52)));
    for query in ["pageSize=0", "pageSize=-1", "pageNumber=0", "pageNumber=x", "pageNumber=2147483648"] {
        let (status, error) = caller.get(&format!("/api/v2/license/users?{query}")).await;
        assert_eq!((status.as_u16(), &error["code"]), (400, &json!("invalid.value")), "{query}");
    }
    for path in ["/api/v2/license/users/nobody", "/api/v2/license/definitions/nothing"] {
        let (status, error) = caller.get(path).await;
        assert_eq!((status.as_u16(), &error["code"]), (404, &json!("not.found")), "{path}");
    }
    let (_, toggle) = caller.get("/api/v2/license/toggles/useLicenses").await;
    assert_eq!(toggle, json!({"featureName": "useLicenses", "enabled": true}));
    assert_eq!(caller.send(reqwest::Method::PUT, "/api/v2/license/users", &json!({})).await.0, 405);
}

#[tokio::test]
async fn oauth_clients_come_without_their_secrets() {
    let (_sandbox, caller) = start_genesys(builder().polls_before_ready(0)).await;
    let (_, listing) = caller.get("/api/v2/oauth/clients").await;
    let clients = listing["entities"].as_array().unwrap();
    assert_eq!((clients.len(), &listing["total"], &clients[0]["id"]), (4, &json!(4), &json!(GENESYS_CLIENT_ID)));
    assert!(clients.iter().all(|client| client.get("secret").is_none()), "{clients:?}");
    assert!(!listing.to_string().contains("demo-genesys-secret"));
    let started = caller.post("/api/v2/usage/query", &json!({"interval": "2026-10/2026-10"})).await.1;
    let (_, usage) = caller.get(started["resultsUri"].as_str().unwrap()).await;
    for row in usage["results"].as_array().unwrap() {
        let client = clients.iter().find(|client| client["id"] == row["clientId"]).unwrap();
        assert_eq!((&client["name"], &client["state"]), (&row["clientName"], &Value::from("active")));
    }
}
