//! Tenants, their offering items and usages agree with the reports.

use std::collections::HashMap;

use reqwest::Method;
use serde_json::{Value, json};
use usage_billing_acronis::types;
use usage_billing_sandbox::{ACRONIS_CLIENT_ID, ACRONIS_LIMITED_CLIENT_ID, ACRONIS_TENANT_ID};

use crate::acronis::{file, order, rows};
use crate::{Caller, builder, start_acronis};

/// Returns the items of all pages of a list.
async fn all(caller: &Caller, path: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut page = caller.get(path).await;
    loop {
        assert_eq!(page.0, 200, "{}", page.1);
        items.extend(page.1["items"].as_array().unwrap().iter().cloned());
        let Some(after) = page.1.pointer("/paging/cursors/after").and_then(Value::as_str) else { break items };
        page = caller.get(&format!("{}?after={after}", path.split('?').next().unwrap())).await;
    }
}

/// Returns the ids of tenants by name.
async fn tenants(caller: &Caller) -> HashMap<String, String> {
    let list = all(caller, &format!("/api/2/tenants?subtree_root_id={ACRONIS_TENANT_ID}")).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    list.iter().map(|tenant| (text(&tenant["name"]), text(&tenant["id"]))).collect()
}

#[tokio::test]
async fn report_rows_agree_with_offering_items_and_usages() {
    let (_sandbox, caller) = start_acronis(builder().polls_before_ready(0)).await;
    for (level, tenants) in
        [("itself", 1), ("direct_partners", 6), ("all_partners", 1), ("all_customers", 9), ("accounts", 11)]
    {
        let report = order(|order| {
            order["parameters"]["level"] = json!(level);
            order["parameters"]["period"] = json!({"start": "2026-11-01", "end": "2026-11-20"});
            order["parameters"]["formats"] = json!(["csv_v2_0"]);
            order["parameters"]["hide_zero_usage"] = json!(false);
        });
        let rows = rows(&file(&caller, report).await);
        let mut seen: Vec<&str> = Vec::new();
        for row in &rows {
            let tenant = row["tenant.id"].as_str();
            if !seen.contains(&tenant) {
                seen.push(tenant);
            }
            let is_counted =
                ["total_storage", "immutable_storage", "total_protected_workloads"].contains(&&*row["name"]);
            if row["application.name"] == "platform" || is_counted {
                continue;
            }
            let is_same = |item: &&Value| {
                item["name"] == *row["name"]
                    && item["application_id"] == *row["application.id"]
                    && item["edition"].as_str().unwrap_or_default() == row["edition"]
                    && item["infra_id"].as_str().unwrap_or_default() == row["infra.id"]
            };
            let items = all(&caller, &format!("/api/2/tenants/{tenant}/offering_items?edition=*")).await;
            let item = items.iter().find(is_same).unwrap_or_else(|| panic!("no item: {row:?}"));
            let usages = all(&caller, &format!("/api/2/tenants/{tenant}/usages")).await;
            let usage = usages.iter().find(is_same).unwrap_or_else(|| panic!("no usage: {row:?}"));
            assert_eq!(usage["value"].to_string(), row["usage.effective.total"]);
            assert_eq!(usage["absolute_value"].to_string(), row["usage.absolute.total"]);
            assert_eq!(usage["range_start"], "2026-11-01T00:00:00Z");
            assert_eq!(usage["offering_item"]["quota"], item["quota"]);
            assert_eq!(
                item["quota"]["value"].as_i64().map(|quota| quota.to_string()).unwrap_or_default(),
                row["quota.value"]
            );
        }
        assert_eq!(seen.len(), tenants, "{level}");
    }
}

#[tokio::test]
async fn usages_of_many_tenants_agree_with_single_reads() {
    let (_sandbox, caller) = start_acronis(builder()).await;
    let tenants = tenants(&caller).await;
    let (alder, kestrel) = (&tenants["Alder Dental Group"], &tenants["Kestrel & Sons, \"Harbour\" Ltd."]);
    let unknown = "00000000-0000-4000-8000-000000000000";
    let many =
        all(&caller, &format!("/api/2/tenants/usages?tenants={alder},{unknown},{kestrel}&usage_names=storage")).await;
    assert_eq!(many.len(), 2);
    for one in many {
        let tenant = one["tenant"].as_str().unwrap();
        let alone =
            all(&caller, &format!("/api/2/tenants/{tenant}/usages?usage_names=storage&editions=pck_per_workload"))
                .await;
        assert_eq!(one["usages"].as_array().unwrap(), &alone);
        assert!(alone.iter().all(|usage| usage["usage_name"] == "storage" && usage["tenant_uuid"] == tenant));
    }
    let points = all(&caller, &format!("/api/2/tenants/{kestrel}/usages?usage_names=compute_points")).await;
    assert!(points[0]["value"].as_i64() < points[0]["absolute_value"].as_i64());
    for (path, status) in [
        ("/api/2/tenants/usages".to_owned(), 400),
        ("/api/2/tenants/usages?tenants=x".to_owned(), 400),
        ("/api/2/tenants/usages?tenants=c95f2a08-47be-4d61-8230-1e6b9d7fa4c3".to_owned(), 403),
        (format!("/api/2/tenants/{unknown}/usages"), 404),
    ] {
        assert_eq!(caller.get(&path).await.0, status, "{path}");
    }
}

#[tokio::test]
async fn tenants_are_listed_by_ids_parent_and_subtree() {
    let (_sandbox, caller) = start_acronis(builder()).await;
    let tree = format!("/api/2/tenants?subtree_root_id={ACRONIS_TENANT_ID}");
    let whole = all(&caller, &tree).await;
    assert_eq!((whole.len(), &whole[0]["id"]), (12, &json!(ACRONIS_TENANT_ID)));
    for tenant in &whole {
        assert!(serde_json::from_value::<types::Tenant>(tenant.clone()).is_ok());
        assert_eq!(caller.get(&format!("/api/2/tenants/{}", tenant["id"].as_str().unwrap())).await.1, *tenant);
    }
    for limit in [1, 4, 12, 13] {
        assert_eq!(all(&caller, &format!("{tree}&limit={limit}")).await, whole, "{limit}");
    }
    assert_eq!(all(&caller, &format!("{tree}&allow_deleted=true")).await.len(), 13);

    let children = all(&caller, &format!("/api/2/tenants?parent_id={ACRONIS_TENANT_ID}&lod=basic")).await;
    assert_eq!(children.len(), 6);
    assert!(children.iter().all(|tenant| tenant["name"].is_string() && tenant.get("pricing_mode").is_none()));
    let stamps = all(&caller, &format!("{tree}&lod=stamps&with_contacts=true&expand_offering_items=true")).await;
    assert!(stamps.iter().all(|tenant| tenant.get("name").is_none() && tenant["contacts"][0]["email"].is_string()));
    assert!(stamps.iter().any(|tenant| tenant["offering_items"][0]["quota"].is_object()));

    let tenants = tenants(&caller).await;
    let dune = &tenants["Dune Bakery"];
    let unknown = "00000000-0000-4000-8000-000000000000";
    assert_eq!(all(&caller, &format!("/api/2/tenants?uuids={dune},{unknown},{dune}")).await.len(), 1);
    let with_path = all(&caller, &format!("/api/2/tenants?uuids={dune}&include_relative_path=true")).await;
    assert_eq!(with_path.last().unwrap()["id"], ACRONIS_TENANT_ID);
    assert_eq!(with_path.len(), 4);
    let (_, embedded) = caller.get(&format!("/api/2/tenants/{dune}?embed_path=true")).await;
    let path: Vec<_> = with_path[1..].iter().map(|tenant| tenant["id"].clone()).collect();
    assert_eq!(embedded["path"], json!(path), "nearest first");

    // Some tenants changed on the first of the month, none since.
    let (_, page) = caller.get(&format!("{tree}&updated_since=2026-11-01T00:00:00Z")).await;
    let changed = page["items"].as_array().unwrap().len();
    assert!((1..11).contains(&changed), "{changed}");
    let since = page["timestamp"].as_str().unwrap();
    assert_eq!(all(&caller, &format!("{tree}&updated_since={since}")).await.len(), 0);
    let with_infra = all(&caller, &format!("{tree}&with_infra_offering_items=true")).await;
    assert!(!with_infra.iter().any(|tenant| tenant["name"] == "株式会社さくら"));
    let countable = all(&caller, &format!("{tree}&with_offering_items=true")).await;
    assert!(!countable.iter().any(|tenant| tenant["name"] == "Fjord Kiosk"));

    let many = [unknown; 2].join(",");
    let different: Vec<String> = (0..101).map(|n| format!("00000000-0000-4000-8000-{n:012}")).collect();
    for (query, status) in [
        (String::new(), 400),
        (format!("?uuids={many}&parent_id={ACRONIS_TENANT_ID}"), 400),
        (format!("?parent_id={ACRONIS_TENANT_ID}&subtree_root_id={ACRONIS_TENANT_ID}"), 400),
        (format!("?parent_id={ACRONIS_TENANT_ID}&include_relative_path=true"), 400),
        (format!("?uuids={}", different.join(",")), 400),
        ("?uuids=x".to_owned(), 400),
        (format!("?subtree_root_id={unknown}"), 404),
        ("?parent_id=c95f2a08-47be-4d61-8230-1e6b9d7fa4c3".to_owned(), 403),
        (format!("?subtree_root_id={ACRONIS_TENANT_ID}&limit=0"), 400),
        (format!("?subtree_root_id={ACRONIS_TENANT_ID}&lod=half"), 400),
        (format!("?subtree_root_id={ACRONIS_TENANT_ID}&updated_since=yesterday"), 400),
        ("?after=x".to_owned(), 400),
    ] {
        let (got, error) = caller.get(&format!("/api/2/tenants{query}")).await;
        assert_eq!(got, status, "{query}");
        assert_eq!(error["error"]["domain"], "PlatformAccountServer");
    }
}

#[tokio::test]
async fn children_are_sorted_by_requested_order() {
    let (_sandbox, caller) = start_acronis(builder()).await;
    let path = format!("/api/2/tenants/{ACRONIS_TENANT_ID}/children");
    let by_name = all(&caller, &path).await;
    assert_eq!(by_name.len(), 6);
    let mut reversed = all(&caller, &format!("{path}?order=-name")).await;
    reversed.reverse();
    assert_eq!(reversed, by_name);
    let tenants = tenants(&caller).await;
    let most = all(&caller, &format!("{path}?order=-usage.storage")).await;
    assert_eq!(most[0], json!(tenants["Birch Logistics, Inc."]));
    let cold = all(&caller, &format!("{path}?order=-usage.storage.4a7b2d69-3e8c-4fa1-82b4-d5e6f708192a")).await;
    assert_eq!(cold[0], json!(tenants["Alder Dental Group"]));
    assert_eq!(all(&caller, &format!("{path}?allow_deleted=1&order=status")).await.len(), 7);
    assert_eq!(caller.get(&format!("{path}?order=age")).await.0, 400);
}

#[tokio::test]
async fn deleted_tenant_is_returned_on_request() {
    let (_sandbox, caller) = start_acronis(builder()).await;
    let list = all(&caller, &format!("/api/2/tenants?parent_id={ACRONIS_TENANT_ID}&allow_deleted=true")).await;
    let gone = list.iter().find(|tenant| !tenant["deleted_at"].is_null()).unwrap();
    let path = format!("/api/2/tenants/{}", gone["id"].as_str().unwrap());
    assert_eq!(caller.get(&path).await.0, 404);
    assert_eq!(caller.get(&format!("{path}?allow_deleted=true")).await.1["deleted_at"], gone["deleted_at"]);
    let items = format!("/api/2/tenants/offering_items?subtree_root_tenant_id={ACRONIS_TENANT_ID}");
    let (live, with_deleted) = (all(&caller, &items).await, all(&caller, &format!("{items}&allow_deleted=true")).await);
    assert_eq!(with_deleted.len(), live.len() + 1);
    assert_eq!(with_deleted.iter().filter(|item| !item["deleted_at"].is_null()).count(), 1);
}

#[tokio::test]
async fn offering_items_are_filtered_by_edition() {
    let (_sandbox, caller) = start_acronis(builder()).await;
    let tenants = tenants(&caller).await;
    let names = async |tenant: &str, query: &str| -> Vec<String> {
        let path = format!("/api/2/tenants/{}/offering_items{query}", tenants[tenant]);
        let items = all(&caller, &path).await;
        items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    };
    let kestrel = "Kestrel & Sons, \"Harbour\" Ltd.";
    for (tenant, query, expected) in [
        ("Elm & Ødegård AS", "", vec!["servers"]),
        ("Elm & Ødegård AS", "?edition=*", vec!["pg_base_storage", "servers", "pg_base_storage"]),
        ("Dune Bakery", "", vec!["notarizations", "local_storage"]),
        (
            "Dune Bakery",
            "?edition=pck_per_gigabyte",
            vec!["pg_base_storage", "notarizations", "local_storage", "pg_base_workstations"],
        ),
        (kestrel, "?edition=*&type=feature", vec!["pw_dr_internet_access"]),
        (kestrel, "?edition=*&type=count", vec!["pw_base_mobiles"]),
        (kestrel, "?edition=*&status=0", vec!["pw_base_mobiles"]),
        (kestrel, "?edition=*&usage_names=storage,mobiles&available_only=1", vec!["pw_base_storage"; 2]),
        (kestrel, "?edition=*&infra_uuid=7d2e4f60-8a1b-4c3d-9e5f-60718293a4b5", vec!["pw_compute_points"]),
    ] {
        assert_eq!(names(tenant, query).await, expected, "{tenant}{query}");
    }
    let alder =
        all(&caller, &format!("/api/2/tenants/{}/offering_items?edition=*", tenants["Alder Dental Group"])).await;
    let stations = alder.iter().find(|item| item["usage_name"] == "workstations").unwrap();
    assert_eq!((&stations["quota"]["value"], &stations["quota"]["overage"]), (&json!(50), &json!(5)));
    assert!(stations["quota"]["version"].as_i64().unwrap() > 0);
    let servers = alder.iter().find(|item| item["usage_name"] == "servers").unwrap();
    assert_eq!((&servers["quota"]["value"], &servers["quota"]["version"]), (&Value::Null, &json!(0)));
    for query in ["?type=thing", "?status=2", "?infra_uuid=x", "?available_only=yes", "?for_ui=2"] {
        let path = format!("/api/2/tenants/{ACRONIS_TENANT_ID}/offering_items{query}");
        assert_eq!(caller.get(&path).await.0, 400, "{query}");
    }
}

#[tokio::test]
async fn offering_items_of_a_tree_are_paged_and_passed_on() {
    let (_sandbox, caller) = start_acronis(builder()).await;
    let tenants = tenants(&caller).await;
    let tree = format!("/api/2/tenants/offering_items?subtree_root_tenant_id={ACRONIS_TENANT_ID}");
    let whole = all(&caller, &tree).await;
    let mut singly = Vec::new();
    for tenant in all(&caller, &format!("/api/2/tenants?subtree_root_id={ACRONIS_TENANT_ID}")).await {
        singly.extend(
            all(&caller, &format!("/api/2/tenants/{}/offering_items?edition=*", tenant["id"].as_str().unwrap())).await,
        );
    }
    assert_eq!(whole, singly);
    assert_eq!(all(&caller, &format!("{tree}&limit=3")).await, whole);
    let storage = all(&caller, &format!("{tree}&usage_names=storage&editions=pck_per_gigabyte&limit=2")).await;
    assert!(storage.len() > 2 && storage.iter().all(|item| item["name"] == "pg_base_storage"));
    assert_eq!(all(&caller, &format!("{tree}&offering_items=notarizations,x")).await.len(), 4);
    assert_eq!(caller.get("/api/2/tenants/offering_items").await.0, 400);
    let unknown = "00000000-0000-4000-8000-000000000000";
    let of_unknown = format!("/api/2/tenants/offering_items?subtree_root_tenant_id={unknown}");
    assert_eq!(caller.get(&of_unknown).await.0, 404);

    let child = |tenant: &str, query: &str| {
        format!("/api/2/tenants/{}/offering_items/available_for_child{query}", tenants[tenant])
    };
    let passed = all(&caller, &child("Cedar MSP", "?kind=customer&edition=*")).await;
    assert_eq!(passed.len(), 6);
    assert!(passed.iter().all(|item| item["quota"]["value"].is_null() && item["status"] == 1));
    assert_eq!(all(&caller, &child("Birch Logistics, Inc.", "?kind=unit&edition=fss_per_user")).await.len(), 1);
    for (tenant, kind) in [("Birch Logistics, Inc.", "customer"), ("Cedar MSP", "unit"), ("Cedar MSP", "root")] {
        assert_eq!(caller.get(&child(tenant, &format!("?kind={kind}"))).await.0, 400, "{tenant} {kind}");
    }
}

#[tokio::test]
async fn prices_agree_with_the_report() {
    let (_sandbox, caller) = start_acronis(builder().polls_before_ready(0)).await;
    let report = order(|order| order["parameters"]["level"] = json!("all_customers"));
    let rows = rows(&file(&caller, report).await);
    let (mut with, mut without) = (0, 0);
    for row in rows.iter().filter(|row| row["application.name"] != "platform") {
        let tenant = &row["tenant.id"];
        let (_, pricing) = caller.get(&format!("/api/2/tenants/{tenant}/pricing")).await;
        assert_eq!(pricing["production_start_date"].is_null(), pricing["mode"] == "trial");
        let prices = all(&caller, &format!("/api/2/tenants/{tenant}/offering_items/pricing")).await;
        let price = prices.iter().find(|price| {
            price["name"] == *row["name"] && price["infra_id"].as_str().unwrap_or_default() == row["infra.id"]
        });
        match price {
            Some(price) => {
                let of_row = ["price", "mode", "currency"].map(|name| json!(row[&format!("pricing.{name}")]));
                assert_eq!([&price["price"], &pricing["mode"], &pricing["currency"]], of_row.each_ref());
                assert!(!row["pricing.total_cost"].is_empty());
                with += 1;
            }
            None => {
                let prices = ["price", "total_cost", "currency"].map(|name| row[&format!("pricing.{name}")].is_empty());
                assert_eq!(prices, [true; 3]);
                without += 1;
            }
        }
    }
    assert!(with > 2 && without > 2, "{with} {without}");
    // 42 workstations, one more or less, at 3.75.
    let stations = rows.iter().find(|row| row["name"] == "pw_base_workstations").unwrap();
    let count: f64 = stations["usage.effective.production"].parse().unwrap();
    assert_eq!(stations["pricing.total_cost"].parse::<f64>().unwrap(), count * 3.75);
}

#[tokio::test]
async fn services_of_a_tenant_agree_with_its_items() {
    let (_sandbox, caller) = start_acronis(builder()).await;
    let services = all(&caller, "/api/2/applications").await;
    assert_eq!(services.len(), 6);
    for service in &services {
        let id = service["id"].as_str().unwrap();
        assert_eq!(caller.get(&format!("/api/2/applications/{id}")).await.1, *service);
    }
    assert_eq!(caller.get("/api/2/applications/00000000-0000-4000-8000-000000000000").await.0, 404);
    assert_eq!(caller.get("/api/2/applications/x").await.0, 404);
    let tenants = tenants(&caller).await;
    let ids: Vec<&str> = tenants.values().map(String::as_str).collect();
    let batch = all(&caller, &format!("/api/2/tenants/applications?tenants={}", ids.join(","))).await;
    assert_eq!(batch.len(), tenants.len());
    for one in batch {
        let tenant = one["tenant"].as_str().unwrap();
        let alone = all(&caller, &format!("/api/2/tenants/{tenant}/applications")).await;
        assert_eq!(one["applications"].as_array().unwrap(), &alone);
        let items = all(&caller, &format!("/api/2/tenants/{tenant}/offering_items?edition=*")).await;
        assert!(items.iter().all(|item| alone.contains(&item["application_id"])));
        assert_eq!(alone.is_empty(), items.is_empty());
    }
    assert_eq!(caller.get("/api/2/tenants/applications").await.0, 400);
}

#[tokio::test]
async fn client_and_user_are_returned() {
    let (_sandbox, caller) = start_acronis(builder()).await;
    let (_, me) = caller.get("/api/2/users/me").await;
    assert_eq!(me["tenant_id"], ACRONIS_TENANT_ID);
    for id in [ACRONIS_CLIENT_ID, ACRONIS_LIMITED_CLIENT_ID] {
        let (_, client) = caller.get(&format!("/api/2/clients/{id}")).await;
        assert_eq!((&client["client_id"], &client["created_by"]), (&json!(id), &me["id"]));
    }
    assert_eq!(caller.send(Method::PUT, "/api/2/users/me", &json!({})).await.0, 405);
}
