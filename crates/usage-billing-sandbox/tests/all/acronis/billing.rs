//! Acronis: owners of components, licensing of the partner, prices.

use serde_json::{Value, json};
use usage_billing_acronis::types;
use usage_billing_sandbox::{ACRONIS_LIMITED_CLIENT_ID, ACRONIS_LIMITED_CLIENT_SECRET, ACRONIS_TENANT_ID};

use crate::acronis::{file, order, rows};
use crate::{Caller, builder, start_acronis};

const PLATFORM: &str = "7459244f-68f3-3bf4-9f53-5f63ecc1d91f";
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

#[tokio::test]
async fn components_of_a_report_have_owners_of_both_kinds() {
    let (_sandbox, caller) = start_acronis(builder().polls_before_ready(0)).await;
    let report = order(|order| order["parameters"]["formats"] = json!(["csv_v2_0"]));
    let mut ids: Vec<_> =
        rows(&file(&caller, report).await).into_iter().map(|mut row| row.remove("infra.id").unwrap()).collect();
    ids.sort();
    ids.dedup();
    ids.retain(|id| !id.is_empty());
    let (status, batch) = caller.get(&format!("/api/2/infra?uuids={},{UNKNOWN}", ids.join(","))).await;
    assert_eq!(status, 200);
    let batch: types::InfraBatch = serde_json::from_value(batch).unwrap();
    assert_eq!(batch.items.len(), ids.len(), "unknown ids are left out");
    let owned = |platform: bool| batch.items.iter().filter(|infra| infra.platform_owned == Some(platform)).count();
    assert!(owned(true) >= 3 && owned(false) == 2);
    let own =
        batch.items.iter().find(|infra| infra.owner_tenant_id.is_some_and(|id| id.to_string() == ACRONIS_TENANT_ID));
    assert_eq!(own.unwrap().backend_type.as_deref(), Some("acronis"), "the backend does not distinguish them");
    for infra in &batch.items {
        let (_, alone) = caller.get(&format!("/api/2/infra/{}", infra.id)).await;
        assert_eq!(alone, serde_json::to_value(infra).unwrap());
    }
    for (path, status) in [
        ("/api/2/infra".to_owned(), 400),
        ("/api/2/infra?uuids=x".to_owned(), 400),
        (format!("/api/2/infra/{UNKNOWN}"), 404),
    ] {
        assert_eq!(caller.get(&path).await.0, status, "{path}");
    }
}

#[tokio::test]
async fn only_partners_have_billing_settings() {
    let (_sandbox, caller) = start_acronis(builder()).await;
    let path = |application: &str, tenant: &str, name: &str| {
        format!("/api/2/applications/{application}/settings/tenants/{tenant}/{name}")
    };
    let value = async |name: &str| caller.get(&path(PLATFORM, ACRONIS_TENANT_ID, name)).await.1["own"]["value"].clone();
    assert_eq!(value("licensing_mode").await, "per_device");
    assert_eq!(value("tier_level_value").await, 2);
    let prices = value("pricing_info").await;
    assert!(prices["pricing"].as_array().unwrap().iter().all(|price| price["price"].is_number()), "{prices}");
    let (_, children) = caller.get(&format!("/api/2/tenants/{ACRONIS_TENANT_ID}/children")).await;
    let child = children["items"][0].as_str().unwrap();
    let (status, setting) = caller.get(&path(PLATFORM, child, "licensing_mode")).await;
    assert!(status == 200 && setting["own"].is_null(), "{setting}");
    let (_, tenants) = caller.get(&format!("/api/2/tenants?parent_id={ACRONIS_TENANT_ID}")).await;
    let below = tenants["items"].as_array().unwrap().iter().find(|tenant| tenant["name"] == "Cedar MSP").unwrap();
    let of_below = async |name: &str| {
        let (_, setting) = caller.get(&path(PLATFORM, below["id"].as_str().unwrap(), name)).await;
        setting["own"]["value"].clone()
    };
    assert_eq!(of_below("licensing_mode").await, "per_gb");
    assert_eq!(of_below("pricing_info").await["licensing_mode"], "per_gb");
    for (application, tenant, name) in [
        (UNKNOWN, ACRONIS_TENANT_ID, "licensing_mode"),
        (PLATFORM, UNKNOWN, "licensing_mode"),
        (PLATFORM, ACRONIS_TENANT_ID, "mood"),
    ] {
        assert_eq!(caller.get(&path(application, tenant, name)).await.0, 404, "{application} {tenant} {name}");
    }
}

#[tokio::test]
async fn price_lists_are_by_month_with_their_own_errors() {
    let (sandbox, caller) = start_acronis(builder()).await;
    let path = |tenant: &str, months: &str| {
        format!("/api/price_sync/v1/effective_price_lists?tenant_id={tenant}&months={months}")
    };
    let (status, lists) = caller.get(&path(ACRONIS_TENANT_ID, "2026-10,2026-09,2027-01")).await;
    assert_eq!(status, 200);
    let lists: types::EffectivePriceLists = serde_json::from_value(lists).unwrap();
    let months: Vec<_> = lists.price_lists.iter().map(|list| list.month.as_str()).collect();
    assert_eq!(months, ["2026-09", "2026-10"], "what is to come has no price");
    let price = |at: usize| {
        let price = lists.price_lists[at].prices.iter().find(|price| price.sku == "DEMO-SRV-PW").unwrap();
        price.effective_price.as_ref().unwrap().to_string()
    };
    assert_ne!(price(0), price(1));
    let (_, children) = caller.get(&format!("/api/2/tenants/{ACRONIS_TENANT_ID}/children")).await;
    let (_, none) = caller.get(&path(children["items"][0].as_str().unwrap(), "2026-10")).await;
    assert_eq!(none, json!({"price_lists": []}));
    for (path, status, code) in [
        (path(ACRONIS_TENANT_ID, "October"), 400, "BAD_REQUEST_ERROR"),
        (path(UNKNOWN, "2026-10"), 403, "ACCESS_DENIED_ERROR"),
        (path("x", "2026-10"), 400, ""),
    ] {
        let (got, error) = caller.get(&path).await;
        assert_eq!(got, status, "{path}");
        assert!(code.is_empty() || error["code"] == code, "{error}");
    }
    let limited =
        Caller::with_token(&sandbox, "/api/2/idp/token", ACRONIS_LIMITED_CLIENT_ID, ACRONIS_LIMITED_CLIENT_SECRET)
            .await;
    let (status, error): (_, Value) = limited.get(&path(ACRONIS_TENANT_ID, "2026-10")).await;
    assert_eq!((status.as_u16(), &error["code"]), (403, &json!("ACCESS_DENIED_ERROR")));
    let (status, error) = Caller::new(&sandbox, "Bearer x".to_owned()).get(&path(ACRONIS_TENANT_ID, "2026-10")).await;
    assert_eq!((status.as_u16(), &error["code"]), (401, &json!("UNAUTHORIZED_REQUEST")));
}
