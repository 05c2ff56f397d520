//! Suger: usage record groups, billable metrics, customers.

mod usage_life_cycle;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use usage_billing_sandbox::SUGER_ORG_ID;
use usage_billing_suger::types;

use crate::{Caller, builder, read, start_suger};

fn org(path: &str) -> String {
    format!("/org/{SUGER_ORG_ID}/{path}")
}

fn report(id: &str, records: Value) -> Value {
    json!({"id": id, "organizationID": SUGER_ORG_ID, "entitlementID": "ent-aws01", "records": records})
}

const REPORT: &str = "entitlement/ent-aws01/usageRecordGroup";

async fn groups(caller: &Caller, query: &str) -> types::ListUsageRecordGroupsResponse {
    let response = caller.request(Method::GET, &org(&format!("usageRecordGroup?{query}"))).send().await.unwrap();
    assert_eq!(response.status(), 200, "{query}");
    // Parsed from bytes, because a `Value` would convert decimals to floats.
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn usage_with_id_is_stored_once() {
    let (_sandbox, caller) = start_suger(builder()).await;
    let body = r#"{"id":"mine-1","organizationID":"sgr-demo1","entitlementID":"ent-aws01",
        "records":{"ingest_gb":12345678901.123456789,"API calls":0.1},"timestamp":"2026-11-21T09:00:00Z"}"#;
    let send = async || {
        let response = caller.request(Method::POST, &org(REPORT)).body(body).send().await.unwrap();
        assert!(response.headers().contains_key("x-correlation-id"));
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let (status, text) = send().await;
    assert_eq!(status, 200, "{text}");
    let group: types::MeteringUsageRecordGroup = serde_json::from_str(&text).unwrap();
    assert_eq!(group.status, Some(types::UsageRecordGroupStatus::Created));
    assert_eq!(group.buyer_id.as_deref(), Some("buy-aws01"));
    assert_eq!(group.records["ingest_gb"].to_string(), "12345678901.123456789");
    assert_eq!(group.records["api_calls"].to_string(), "0.1");
    assert_eq!(group.meta_info.unwrap().origin_records["API calls"].to_string(), "0.1");
    let (status, text) = send().await;
    assert_eq!(status, 409);
    assert!(serde_json::from_str::<String>(&text).unwrap().contains("mine-1"));
    // The id of a group in the dataset exists, too.
    let taken = groups(&caller, "limit=1").await.usage_record_groups[0].id.clone().unwrap();
    assert_eq!(caller.post(&org(REPORT), &report(&taken, json!({"ingest_gb": 1}))).await.0, 409);
    let today = groups(&caller, "startDate=2026-11-21").await.usage_record_groups;
    assert_eq!(today.iter().filter(|group| group.id.as_deref() == Some("mine-1")).count(), 1);
}

#[tokio::test]
async fn field_names_of_another_case_are_read_as_in_go() {
    let (sandbox, caller) = start_suger(builder()).await;
    let body = r#"{"ID":"lost","Id":"mine-2","organizationId":"sgr-demo1","ENTITLEMENTID":"ent-aws01","Records":{"ingest_gb":2}}"#;
    for strict in ["false", "true"] {
        let body = body.replace("mine-2", &format!("mine-{strict}"));
        let request = caller.request(Method::POST, &org(REPORT)).header("x-sandbox-strict", strict).body(body);
        let (status, group) = read(request.send().await.unwrap()).await;
        assert_eq!((status.as_u16(), &group["id"]), (200, &json!(format!("mine-{strict}"))), "{group}");
    }
    // Keys of maps are not fields.
    let body = json!({"organizationID": "sgr-demo1", "entitlementID": "ent-aws01", "records": {"Ingest_GB": 2}});
    assert_ne!(caller.post(&org(REPORT), &body).await.1["status"], "CREATED");
    let (_, error) = caller.post(&org(REPORT), &json!({"RECORDS": {"seats": "two"}})).await;
    assert!(error.is_string(), "{error}");
    assert!(sandbox.requests().last().unwrap().violations.iter().any(|place| place.starts_with("body#/records")));
}

#[tokio::test]
async fn invalid_usage_is_rejected_with_a_bare_string() {
    let (_sandbox, caller) = start_suger(builder()).await;
    let with = |change: Value| {
        let mut body = report("r", json!({"ingest_gb": 1}));
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    for (body, status) in [
        (with(json!({"records": {"ingest_gb": 0}})), 400),
        (with(json!({"records": {"ingest_gb": -1}})), 400),
        (with(json!({"records": {"ingest_gb": "many"}})), 400),
        (with(json!({"billableRecords": [{"key": "gpu_seconds", "quantity": 1}]})), 400),
        (with(json!({"id": "x".repeat(37)})), 400),
        (with(json!({"organizationID": "another-1"})), 400),
        (with(json!({"entitlementID": "ent-azu01"})), 400),
        (json!([]), 400),
        (json!(null), 400),
    ] {
        let (got, error) = caller.post(&org(REPORT), &body).await;
        assert_eq!(got, status, "{body}");
        assert!(error.is_string(), "{error}");
    }
    let unknown = with(json!({"entitlementID": "nothing"}));
    let (status, error) = caller.post(&org("entitlement/nothing/usageRecordGroup"), &unknown).await;
    assert_eq!((status.as_u16(), error), (404, json!("entitlement not found")));
    let large = with(json!({"id": "x".repeat(1 << 20)}));
    assert_eq!(caller.post(&org(REPORT), &large).await.0, 413);
    // Stored, but invalid: an unknown dimension.
    let (status, group) = caller.post(&org(REPORT), &with(json!({"records": {"ingest": 1}}))).await;
    assert_eq!((status.as_u16(), &group["status"]), (200, &json!("INVALID")));
}

#[tokio::test]
async fn batch_is_stored_completely_or_not_at_all() {
    let (_sandbox, caller) = start_suger(builder()).await;
    let good = json!([
        {"entitlementID": "ent-aws01", "records": {"ingest_gb": 1.5, "api_calls": 0}},
        {"entitlementID": "ent-gcp01", "records": {}, "billableRecords": [{"key": "gpu_seconds", "quantity": 912.75, "properties": {"region": "eu"}}]},
    ]);
    assert_eq!(caller.post(&org("batchValidateUsageRecordGroups"), &good).await, (StatusCode::OK, json!("")));
    let before = groups(&caller, "limit=1000&offset=1000").await.usage_record_groups.len();
    let (status, stored) = caller.post(&org("batchCreateUsageRecordGroups"), &good).await;
    assert_eq!(status, 200);
    assert_eq!(stored[1]["metaInfo"]["billableRecords"][0]["quantity"], 912.75);
    assert_ne!(stored[0]["id"], stored[1]["id"]);
    // A batch has no ids, so that it can be stored again.
    assert_eq!(caller.post(&org("batchCreateUsageRecordGroups"), &good).await.0, 200);
    assert_eq!(groups(&caller, "limit=1000&offset=1000").await.usage_record_groups.len(), before + 4);

    for (flaw, verdict) in [
        (json!({"entitlementID": "ent-aws01", "records": {"ingest": 1}}), "unknown dimension ingest"),
        (json!({"entitlementID": "ent-aws02", "records": {"ingest_gb": 1}}), "the entitlement is not active"),
        (json!({"entitlementID": "nothing", "records": {"ingest_gb": 1}}), "entitlement nothing not found"),
        (json!({"entitlementID": "ent-aws01", "records": {}}), "all the quantity of usage records are zero"),
    ] {
        let mut batch = good.clone();
        batch.as_array_mut().unwrap().push(flaw);
        let (status, said) = caller.post(&org("batchValidateUsageRecordGroups"), &batch).await;
        assert_eq!((status.as_u16(), said), (500, json!(format!("usage record group 2 is not valid: {verdict}"))));
    }
    for wrong in [json!([]), json!({}), json!([good[0], {"entitlementID": "ent-aws01", "records": {"ingest_gb": 0}}])] {
        assert_eq!(caller.post(&org("batchCreateUsageRecordGroups"), &wrong).await.0, 400, "{wrong}");
    }
    assert_eq!(groups(&caller, "limit=1000&offset=1000").await.usage_record_groups.len(), before + 4);
}

#[tokio::test]
async fn last_page_has_no_next_offset() {
    let (_sandbox, caller) = start_suger(builder()).await;
    let span = "startDate=2026-09-01&endDate=2026-11-21";
    let (mut offset, mut sizes, mut ids) = (0, Vec::new(), std::collections::HashSet::new());
    loop {
        let page = groups(&caller, &format!("{span}&offset={offset}")).await;
        sizes.push(page.usage_record_groups.len());
        ids.extend(page.usage_record_groups.into_iter().filter_map(|group| group.id));
        match page.next_offset {
            Some(next) => offset = next,
            None => break,
        }
    }
    assert!(sizes.len() == 3 && sizes[..2] == [1000, 1000] && sizes[2] > 400, "{sizes:?}");
    assert_eq!(ids.len(), sizes.iter().sum::<usize>());
    assert_eq!(groups(&caller, &format!("{span}&offset=5000")).await.usage_record_groups.len(), 0);
    // Without days, the list has the last thirty only.
    assert!(groups(&caller, "offset=1000").await.usage_record_groups.len() < 400);
    for query in
        ["limit=1001", "limit=0", "offset=x", "startDate=1.1.2026", "status=NEW", "partner=X", "partner=AWS&buyerId=b"]
    {
        let (status, error) = caller.get(&org(&format!("usageRecordGroup?{query}"))).await;
        assert!(status == 400 && error.is_string(), "{query}: {error}");
    }
}

#[tokio::test]
async fn lists_are_filtered_by_status_customer_and_day() {
    let (_sandbox, caller) = start_suger(builder()).await;
    for (query, test) in [
        (
            "status=INVALID",
            (|group| group.status == Some(types::UsageRecordGroupStatus::Invalid))
                as fn(&types::MeteringUsageRecordGroup) -> bool,
        ),
        ("partner=GCP", |group| group.partner == Some(types::Partner::Gcp)),
        ("buyerId=buy-azu01", |group| group.buyer_id.as_deref() == Some("buy-azu01")),
        ("entitlementId=ent-aws01&status=REPORTED", |group| {
            group.entitlement_id.as_deref() == Some("ent-aws01") && group.reported_time.is_some()
        }),
        ("startDate=2026-11-10&endDate=2026-11-10", |group| {
            group.creation_time.unwrap().date_naive().to_string() == "2026-11-10"
        }),
    ] {
        let rows = groups(&caller, query).await.usage_record_groups;
        assert!(!rows.is_empty() && rows.len() < 900 && rows.iter().all(test), "{query}: {}", rows.len());
    }
    let (_, reports) = caller.get(&org("usageRecordReport?partner=AWS&limit=5")).await;
    assert_eq!(reports["nextOffset"], 5);
    let report: types::MeteringUsageRecordReport =
        serde_json::from_value(reports["usageRecordReports"][0].clone()).unwrap();
    let id = &report.info.unwrap().usage_record_group_ids[0];
    let day = report.creation_time.unwrap().date_naive();
    let members = groups(&caller, &format!("startDate={}&endDate={day}", day.pred_opt().unwrap())).await;
    let member = members.usage_record_groups.iter().find(|group| group.id.as_ref() == Some(id)).unwrap();
    assert!(
        member.status != Some(types::UsageRecordGroupStatus::Reported) || member.usage_record_report_id == report.id
    );
}

#[tokio::test]
async fn only_some_statuses_can_be_deleted_or_retried() {
    let (_sandbox, caller) = start_suger(builder()).await;
    let act =
        async |method: Method, path: String| read(caller.request(method, &org(&path)).send().await.unwrap()).await;
    let first = async |status: &str| {
        groups(&caller, &format!("status={status}&limit=1")).await.usage_record_groups.remove(0).id.unwrap()
    };
    for (status, deleted, retried) in [
        ("REPORTED", 400, 400),
        ("REPORT_PENDING", 400, 400),
        ("DELETED", 400, 400),
        ("CREATED", 200, 400),
        ("INVALID", 200, 400),
        ("REPORT_FAILED", 400, 200),
    ] {
        let id = first(status).await;
        let (got, body) = act(Method::POST, format!("usageRecordGroup/{id}/retry")).await;
        assert_eq!(got, retried, "{status}: {body}");
        if got == 200 {
            assert_eq!(body["status"], "CREATED");
            assert_eq!(act(Method::POST, format!("usageRecordGroup/{id}/retry")).await.0, 400);
            continue;
        }
        assert_eq!(act(Method::DELETE, format!("usageRecordGroup/{id}?creationDate=2020-01-01")).await.0, 404);
        let (got, body) = act(Method::DELETE, format!("usageRecordGroup/{id}")).await;
        assert_eq!(got, deleted, "{status}: {body}");
        if got == 200 {
            assert_eq!(body["status"], "DELETED");
            assert_eq!(act(Method::DELETE, format!("usageRecordGroup/{id}")).await.0, 400);
        }
    }
    assert_eq!(act(Method::DELETE, "usageRecordGroup/nothing".to_owned()).await.0, 404);
}

#[tokio::test]
async fn billable_metric_is_created_changed_and_retired() {
    let (_sandbox, caller) = start_suger(builder()).await;
    let metric = json!({"id": "users", "name": "Active users", "aggregationType": "UNIQUE_COUNT", "info": {"propertyUniqueOn": "user_id"}});
    let (status, created) = caller.post(&org("billableMetric"), &metric).await;
    assert_eq!(
        (status.as_u16(), &created["status"], &created["organizationId"]),
        (200, &json!("ACTIVE"), &json!(SUGER_ORG_ID))
    );
    assert_eq!(caller.post(&org("billableMetric"), &metric).await.0, 400);
    let change = json!({"status": "DELETED"});
    let (_, changed) = caller.send(Method::PATCH, &org("billableMetric/users"), &change).await;
    assert_eq!((&changed["status"], &changed["name"]), (&json!("DELETED"), &json!("Active users")));
    assert_eq!(caller.get(&org("billableMetric/users")).await.1, changed);
    assert_eq!(caller.get(&org("billableMetric?status=ACTIVE")).await.1.as_array().unwrap().len(), 1);
    assert_eq!(caller.get(&org("billableMetric")).await.1.as_array().unwrap().len(), 2);
    for wrong in [
        json!({"name": "No id here", "aggregationType": "SUM"}),
        json!({"id": "x", "name": "abc", "aggregationType": "SUM"}),
        json!({"id": "x", "name": "Median", "aggregationType": "MEDIAN"}),
        json!({"id": "x", "name": "No type"}),
    ] {
        assert_eq!(caller.post(&org("billableMetric"), &wrong).await.0, 400, "{wrong}");
    }
    assert_eq!(caller.send(Method::PATCH, &org("billableMetric/users"), &json!({"status": "GONE"})).await.0, 400);
    assert_eq!(caller.send(Method::PATCH, &org("billableMetric/none"), &change).await.0, 404);
    assert_eq!(
        caller.get(&org("billableMetric/none")).await,
        (StatusCode::NOT_FOUND, json!("billable metric not found"))
    );
}

#[tokio::test]
async fn metering_config_is_replaced() {
    let (_sandbox, caller) = start_suger(builder()).await;
    let (_, config) = caller.get(&org("usageMeteringConfigInfo")).await;
    assert_eq!(config["partnerUsageMeteringConfigs"].as_array().unwrap().len(), 3);
    let new = json!({"partnerUsageMeteringConfigs": [{"partner": "AWS", "enableBillableDimension": false}]});
    assert_eq!(caller.send(Method::PATCH, &org("usageMeteringConfigInfo"), &new).await, (StatusCode::OK, new.clone()));
    assert_eq!(caller.get(&org("usageMeteringConfigInfo")).await.1, new);
    let wrong = json!({"partnerUsageMeteringConfigs": [{"partner": "ACME"}]});
    assert_eq!(caller.send(Method::PATCH, &org("usageMeteringConfigInfo"), &wrong).await.0, 400);
}

#[tokio::test]
async fn customers_are_listed_and_read() {
    let (_sandbox, caller) = start_suger(builder()).await;
    for (kind, count, filter, found) in [
        ("buyer", 3, "emailDomain=nordwind.example", 1),
        ("buyer", 3, "awsAccountId=100000000003", 1),
        ("product", 3, "partner=AZURE", 1),
        ("entitlement", 5, "buyerId=buy-aws01", 2),
        ("entitlement", 5, "awsAccountId=100000000003&productId=prd-aws01", 2),
        ("entitlement", 5, "limit=3&offset=3", 2),
        ("entitlement", 5, "offerId=off-gcp01", 1),
        ("entitlement", 5, "hubspotDealId=900000001", 1),
        ("entitlement", 5, "salesforceOpportunityId=none", 0),
        ("entitlement", 5, "unheardOf=1", 5),
    ] {
        let (_, all) = caller.get(&org(kind)).await;
        assert_eq!(all.as_array().unwrap().len(), count, "{kind}");
        assert_eq!(
            caller.get(&org(&format!("{kind}?{filter}"))).await.1.as_array().unwrap().len(),
            found,
            "{kind} {filter}"
        );
        let (status, one) = caller.get(&org(&format!("{kind}/{}", all[0]["id"].as_str().unwrap()))).await;
        assert_eq!((status.as_u16(), &one["name"]), (200, &all[0]["name"]));
        assert_eq!(caller.get(&org(&format!("{kind}/nothing"))).await.0, 404);
        assert_eq!(caller.get(&org(&format!("{kind}?partner=ACME"))).await.0, 400);
    }
    // Only the single read has the running totals.
    let usage_count = |body: &Value| body["info"]["dimensions"][0]["usageCount"].clone();
    assert_eq!(usage_count(&caller.get(&org("entitlement")).await.1[0]), Value::Null);
    assert!(usage_count(&caller.get(&org("entitlement/ent-aws01")).await.1)["reportedCount"].as_f64().unwrap() > 0.0);
}

#[tokio::test]
async fn key_and_organization_are_checked() {
    let sandbox = builder().start().await.unwrap();
    for authorization in ["", "Key", "Key wrong", "Bearer demo-suger-key", "demo-suger-key"] {
        let (status, error) = Caller::new(&sandbox, authorization.to_owned()).get(&org("buyer")).await;
        assert_eq!((status.as_u16(), error), (401, json!("unauthorized")), "{authorization}");
    }
    let caller = Caller::suger(&sandbox);
    assert_eq!(caller.get("/org/another-1/buyer").await, (StatusCode::NOT_FOUND, json!("organization not found")));
    assert!(caller.get(&org("teapot")).await.1.is_string());
    let (status, error) = caller.send(Method::PUT, &org("buyer"), &json!({})).await;
    assert!(status == 405 && error.is_string());
}
