//! Datasets of other seeds and sizes: equal byte by byte for the same seed and size, and consistent.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use usage_billing_core::{Decimal, DecimalNumber};
use usage_billing_sandbox::{Bill, LoggedRequest, SUGER_ORG_ID, Sandbox, Size};

use crate::{Caller, builder};

async fn start(seed: u64, size: Size) -> Sandbox {
    let sandbox = builder().seed(seed).size(size).polls_before_ready(0).start().await.unwrap();
    // After the hourly run of 12:01:33: no status changes within the next hour, even if a slow machine reads for minutes.
    sandbox.advance(Duration::from_secs(120));
    sandbox
}

/// The fields of a group that tests read; all fields would take twice the time.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    id: String,
    #[serde(rename = "entitlementID")]
    entitlement_id: String,
    status: String,
    #[serde(default)]
    records: BTreeMap<String, DecimalNumber>,
    meta_info: MetaInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MetaInfo {
    #[serde(default)]
    billable_records: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    key: String,
    quantity: DecimalNumber,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    next_offset: Option<usize>,
    #[serde(default)]
    usage_record_groups: Vec<Group>,
}

async fn bytes(caller: &Caller, path: &str) -> Vec<u8> {
    let response = caller.request(Method::GET, path).send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    response.bytes().await.unwrap().into()
}

async fn page(caller: &Caller, query: &str) -> Page {
    let path = format!("/org/{SUGER_ORG_ID}/usageRecordGroup?startDate=2020-01-01&{query}");
    serde_json::from_slice(&bytes(caller, &path).await).unwrap()
}

type Sums = BTreeMap<String, Decimal>;

fn expected(sandbox: &Sandbox) -> Sums {
    let ever = DateTime::<Utc>::MIN_UTC..DateTime::<Utc>::MAX_UTC;
    sandbox.expected_usage(&Bill::Suger, ever).into_iter().map(|row| (row.sku, row.quantity)).collect()
}

/// Reads all groups, and returns their number by status and their totals.
async fn all(caller: &Caller, filter: &str) -> (BTreeMap<String, usize>, Sums) {
    let (mut ids, mut counts, mut sums, mut offset) = (HashSet::new(), BTreeMap::new(), Sums::new(), Some(0));
    while let Some(at) = offset {
        let page = page(caller, &format!("limit=1000&offset={at}{filter}")).await;
        for group in page.usage_record_groups {
            *counts.entry(group.status.clone()).or_default() += 1;
            assert!(ids.insert(group.id));
            if ["DELETED", "INVALID"].contains(&group.status.as_str()) {
                continue;
            }
            let events = group.meta_info.billable_records.into_iter().map(|event| (event.key, event.quantity));
            for (key, quantity) in group.records.into_iter().chain(events) {
                *sums.entry(format!("{}/{key}", group.entitlement_id)).or_default() += quantity.0;
            }
        }
        offset = page.next_offset;
    }
    (counts, sums)
}

#[tokio::test]
async fn fifty_thousand_groups_are_listed_once_and_add_up() {
    let sandbox = start(11, Size::default().record_groups(50_000).entitlements(40)).await;
    let (counts, sums) = all(&Caller::suger(&sandbox), "").await;
    assert_eq!(counts.values().sum::<usize>(), 50_000, "{counts:?}");
    assert_eq!(counts.len(), 4, "{counts:?}");
    assert_eq!(sums, expected(&sandbox));
}

/// Runs on one thread.
#[tokio::test]
async fn small_request_does_not_wait_for_a_large_search() {
    let sandbox = start(1, Size::default().record_groups(30_000)).await;
    let caller = Caller::suger(&sandbox);
    let organization = format!("/org/{SUGER_ORG_ID}");
    let search = format!("{organization}/usageRecordGroup?startDate=2020-01-01&metaInfo=in+none+of+them");
    let totals = "partner=AWS&granularity=day&startDate=2020-01-01&endDate=2026-11-21";
    let totals = format!("{organization}/usageRecordGroup/aggregate?{totals}");
    for slow in [search, totals] {
        let little = async {
            // The slow request has started.
            let is_slow = |it: &LoggedRequest| slow.split('?').next() == Some(&it.path) && it.status.is_none();
            while !sandbox.requests().iter().any(is_slow) {
                tokio::task::yield_now().await;
            }
            bytes(&caller, &format!("{organization}/billableMetric/gpu_seconds")).await
        };
        tokio::select! {
            _ = bytes(&caller, &slow) => panic!("{slow} came first"),
            _ = little => {}
        }
    }
}

#[tokio::test]
async fn filtered_lists_agree_with_the_complete_list() {
    let sandbox = start(2, Size::default().record_groups(3_000).entitlements(12).months(1)).await;
    let caller = Caller::suger(&sandbox);
    let (counts, sums) = all(&caller, "").await;
    for (status, count) in &counts {
        assert_eq!(all(&caller, &format!("&status={status}")).await.0, BTreeMap::from([(status.clone(), *count)]));
    }
    let of_entitlement = all(&caller, "&entitlementId=ent-00007").await.1;
    let same: Sums = sums.into_iter().filter(|(sku, _)| sku.starts_with("ent-00007/")).collect();
    assert_eq!(of_entitlement, same);
    let partners = ["AWS", "AZURE", "GCP"];
    let mut by_partner = 0;
    for partner in partners {
        by_partner += all(&caller, &format!("&partner={partner}")).await.0.values().sum::<usize>();
    }
    assert_eq!(by_partner, 3_000);
    assert_eq!(
        all(&caller, "&metaInfo=gpu_seconds&limit=1000")
            .await
            .1
            .keys()
            .filter(|sku| !sku.ends_with("gpu_seconds"))
            .count(),
        0
    );
    // The days together have all groups.
    let mut by_day = 0;
    for day in 1..=21 {
        let day = format!("2026-11-{day:02}");
        let path = format!("/org/{SUGER_ORG_ID}/usageRecordGroup?startDate={day}&endDate={day}&limit=1000");
        let page: Page = serde_json::from_slice(&bytes(&caller, &path).await).unwrap();
        by_day += page.usage_record_groups.len();
    }
    let november = page_count(&caller, "startDate=2026-11-01").await;
    assert_eq!(by_day, november);
}

async fn page_count(caller: &Caller, query: &str) -> usize {
    let (mut count, mut offset) = (0, Some(0));
    while let Some(at) = offset {
        let path = format!("/org/{SUGER_ORG_ID}/usageRecordGroup?{query}&limit=1000&offset={at}");
        let page: Page = serde_json::from_slice(&bytes(caller, &path).await).unwrap();
        count += page.usage_record_groups.len();
        offset = page.next_offset;
    }
    count
}

#[tokio::test]
async fn changed_historical_group_keeps_its_position() {
    let sandbox = start(4, Size::default().record_groups(5_000)).await;
    let caller = Caller::suger(&sandbox);
    let first =
        async |status: &str| page(&caller, &format!("status={status}&limit=1")).await.usage_record_groups.remove(0).id;
    let place = async |id: &str| {
        let mut groups = page(&caller, "limit=1000").await.usage_record_groups.into_iter();
        groups.position(|group| group.id == id)
    };
    let (invalid, failed) = (first("INVALID").await, first("REPORT_FAILED").await);
    let places = (place(&invalid).await, place(&failed).await);
    assert!(places.0.is_some() && places.1.is_some());
    let path = |id: &str| format!("/org/{SUGER_ORG_ID}/usageRecordGroup/{id}");
    assert_eq!(caller.send(Method::DELETE, &path(&invalid), &Value::Null).await.1["status"], "DELETED");
    assert_eq!(caller.post(&format!("{}/retry", path(&failed)), &Value::Null).await.1["status"], "CREATED");
    assert_eq!((place(&invalid).await, place(&failed).await), places);
    assert_eq!(page(&caller, "status=CREATED&limit=1").await.usage_record_groups[0].id, failed);
    // It is reported again, and fails again.
    sandbox.advance(std::time::Duration::from_secs(4 * 3600));
    assert_eq!(first("REPORT_FAILED").await, failed);
    let reports: Value = serde_json::from_slice(
        &bytes(&caller, &format!("/org/{SUGER_ORG_ID}/usageRecordReport?startDate=2026-11-21")).await,
    )
    .unwrap();
    let with_it = reports["usageRecordReports"].as_array().unwrap().iter().filter(|report| {
        report["info"]["usageRecordGroupIds"].as_array().is_some_and(|ids| ids.contains(&json!(failed)))
    });
    assert_eq!(with_it.count(), 1);
    // The id of a computed group also exists.
    let body = json!({"id": invalid, "organizationID": SUGER_ORG_ID, "entitlementID": "ent-aws01", "records": {"ingest_gb": 1}});
    assert_eq!(caller.post(&format!("/org/{SUGER_ORG_ID}/entitlement/ent-aws01/usageRecordGroup"), &body).await.0, 409);
}

/// Reads a sample of all responses.
async fn responses(sandbox: &Sandbox) -> Vec<Vec<u8>> {
    let org = format!("/org/{SUGER_ORG_ID}");
    let mut all = Vec::new();
    for path in [
        "buyer",
        "entitlement",
        "product",
        "usageRecordGroup",
        "usageRecordReport",
        "partner/AWS/usageMeteringDailyRecord",
    ] {
        all.push(bytes(&Caller::suger(sandbox), &format!("{org}/{path}")).await);
    }
    let genesys = Caller::genesys(sandbox).await;
    for path in [
        "billing/reports/billableusage?startDate=2026-10-01T00:00:00Z&endDate=2026-10-31T23:59:59.999Z",
        "billing/contracts/invoices",
        "billing/trusteebillingoverview/b7a0c2d4-19e6-4f3b-8d51-6c2e9f0a7713",
    ] {
        all.push(bytes(&genesys, &format!("/api/v2/{path}")).await);
    }
    let acronis = Caller::acronis(sandbox).await;
    let root = usage_billing_sandbox::ACRONIS_TENANT_ID;
    for path in ["tenants?subtree_root_id=", "tenants/usages?tenants="] {
        let tenants: Value = serde_json::from_slice(&bytes(&acronis, &format!("/api/2/{path}{root}")).await).unwrap();
        all.push(serde_json::to_vec(&tenants["items"]).unwrap());
    }
    all
}

#[tokio::test]
async fn same_seed_repeats_all_responses() {
    let size = || Size::default().record_groups(3_000).tenants(30).organizations(6).entitlements(9);
    let one = responses(&start(5, size()).await).await;
    assert_eq!(one, responses(&start(5, size()).await).await);
    let other = responses(&start(6, size()).await).await;
    for (place, (one, other)) in one.iter().zip(&other).enumerate() {
        // Products are the same everywhere.
        assert_eq!(one == other, place == 2, "{place}: {}", String::from_utf8_lossy(one));
    }
}

#[tokio::test]
async fn sizes_are_applied_and_validated() {
    let sandbox = start(1, Size::default().tenants(150).organizations(20).entitlements(30)).await;
    let count = |body: &[u8], pointer: &str| {
        let value: Value = serde_json::from_slice(body).unwrap();
        value.pointer(pointer).unwrap().as_array().unwrap().len()
    };
    let suger = Caller::suger(&sandbox);
    assert_eq!(count(&bytes(&suger, &format!("/org/{SUGER_ORG_ID}/entitlement")).await, ""), 30);
    let contracts = "/api/v2/billing/contracts?pageSize=100";
    // Beside the contracts of the size: those of the customers with allowances, a ramp, an annual term, an end, a renewal (two) and a moved day.
    assert_eq!(count(&bytes(&Caller::genesys(&sandbox).await, contracts).await, "/entities"), 20 + 7);
    let state: Value = serde_json::from_slice(&bytes(&suger, "/_sandbox/state").await).unwrap();
    let groups: i64 =
        state["suger"]["groups"].as_array().unwrap().iter().map(|it| it["groups"].as_i64().unwrap()).sum();
    assert_eq!((groups, state["acronis"]["tenants"].as_array().unwrap().len()), (2_745, 150));
    let error = builder().size(Size::default().record_groups(1_000_001)).start().await.unwrap_err();
    assert_eq!(error.to_string(), "the number of record groups is 1000001, but must be from 0 to 1000000");
}

#[tokio::test]
async fn expected_bills_are_returned_over_http() {
    let sandbox = start(0, Size::default()).await;
    let caller = Caller::suger(&sandbox);
    let (status, bills) = caller.get("/_sandbox/expected?period=2026-10").await;
    assert_eq!(
        (status.as_u16(), &bills["start"], &bills["end"]),
        (200, &json!("2026-10-01T00:00:00Z"), &json!("2026-11-01T00:00:00Z"))
    );
    let october = "2026-10-01T00:00:00Z".parse().unwrap().."2026-11-01T00:00:00Z".parse().unwrap();
    let suger = sandbox.expected_usage(&Bill::Suger, october);
    assert_eq!(bills["suger"], serde_json::to_value(&suger).unwrap());
    assert!(
        suger.iter().any(|row| row.sku == "ent-gcp01/gpu_seconds" && row.customer.as_deref() == Some("株式会社さくら"))
    );
    for vendor in ["acronis", "genesys", "suger"] {
        assert!(bills[vendor].as_array().unwrap().len() > 4, "{vendor}");
    }
    // The default is the last month.
    assert_eq!(caller.get("/_sandbox/expected").await.1, bills);
    let accounts = caller.get("/_sandbox/expected?level=accounts").await.1;
    assert!(accounts["acronis"].as_array().unwrap().len() > bills["acronis"].as_array().unwrap().len());
    for wrong in ["period=october", "period=2026-10-02/2026-10-01", "level=all", "month=2026-10"] {
        let (status, error) = caller.get(&format!("/_sandbox/expected?{wrong}")).await;
        assert_eq!(status, 400, "{wrong}");
        let name = wrong.split('=').next().unwrap();
        assert!(error["message"].as_str().unwrap().starts_with(name), "{error}");
    }
}
