//! The life cycle of usage reported to Suger: mapping, hourly runs, reports, totals.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use usage_billing_core::Decimal;
use usage_billing_sandbox::{SUGER_ORG_ID, Sandbox};
use usage_billing_suger::types;

use crate::{Caller, builder, start_suger};

async fn read<T: DeserializeOwned>(caller: &Caller, path: &str) -> T {
    let response = caller.request(Method::GET, &format!("/org/{SUGER_ORG_ID}/{path}")).send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    // Parsed from bytes, because a `Value` would convert decimals to floats.
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

async fn report(caller: &Caller, id: &str, entitlement: &str, usage: Value) -> Value {
    let mut body = json!({"id": id, "organizationID": SUGER_ORG_ID, "entitlementID": entitlement});
    body.as_object_mut().unwrap().extend(usage.as_object().unwrap().clone());
    let path = format!("/org/{SUGER_ORG_ID}/entitlement/{entitlement}/usageRecordGroup");
    let (status, group) = caller.post(&path, &body).await;
    assert_eq!(status, 200, "{group}");
    group
}

async fn group(caller: &Caller, id: &str) -> types::MeteringUsageRecordGroup {
    let page: types::ListUsageRecordGroupsResponse = read(caller, "usageRecordGroup?startDate=2026-11-21").await;
    page.usage_record_groups.into_iter().find(|group| group.id.as_deref() == Some(id)).unwrap()
}

async fn all_reports(caller: &Caller, query: &str) -> Vec<types::MeteringUsageRecordReport> {
    let mut all = Vec::new();
    loop {
        let path = format!("usageRecordReport?{query}&limit=300&offset={}", all.len());
        let page: types::ListUsageRecordReportsResponse = read(caller, &path).await;
        all.extend(page.usage_record_reports);
        if page.next_offset.is_none() {
            return all;
        }
    }
}

async fn hours_pass(hours: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(hours * 3600)).await;
    tokio::time::resume();
}

/// Starts at noon, after the last group of the dataset was reported.
async fn started() -> (Sandbox, Caller) {
    let (sandbox, caller) = start_suger(builder()).await;
    hours_pass(1).await;
    (sandbox, caller)
}

#[tokio::test]
async fn usage_is_reported_after_its_hour() {
    let (_sandbox, caller) = started().await;
    let counted = async || {
        let entitlement: types::WorkloadEntitlement = read(&caller, "entitlement/ent-azu01").await;
        entitlement.info.unwrap().dimensions[0].usage_count.clone().unwrap().reported_count.unwrap().0
    };
    let before = counted().await;
    report(&caller, "one", "ent-azu01", json!({"records": {"Seats": 0.1}})).await;
    report(&caller, "two", "ent-azu01", json!({"records": {"seats": 0.2}})).await;
    assert_eq!(group(&caller, "one").await.status, Some(types::UsageRecordGroupStatus::Created));
    hours_pass(2).await;
    let (one, two) = (group(&caller, "one").await, group(&caller, "two").await);
    assert_eq!(one.status, Some(types::UsageRecordGroupStatus::Reported));
    assert!(one.reported_time.is_some() && one.usage_record_report_id == two.usage_record_report_id);
    let reports = all_reports(&caller, "entitlementId=ent-azu01").await;
    let last = reports.last().unwrap();
    let info = last.info.as_ref().unwrap();
    assert_eq!((&last.id, last.creation_time), (&one.usage_record_report_id, one.reported_time));
    assert_eq!(info.usage_record_group_ids, ["one", "two"]);
    assert_eq!(info.reported_records["seats"].to_string(), "0.3");
    assert_eq!(counted().await - before, "0.3".parse().unwrap());
    // Reported groups cannot be deleted.
    let path = format!("/org/{SUGER_ORG_ID}/usageRecordGroup/one");
    assert_eq!(caller.send(Method::DELETE, &path, &Value::Null).await.0, 400);
}

#[tokio::test]
async fn rejected_entitlement_fails_and_can_be_retried() {
    let (_sandbox, caller) = started().await;
    report(&caller, "no", "ent-azu02", json!({"records": {"seats": 3}})).await;
    let retry = format!("/org/{SUGER_ORG_ID}/usageRecordGroup/no/retry");
    for (hours, status, retried) in [
        (0, "CREATED", 400),
        (2, "REPORT_PENDING", 400),
        (1, "REPORT_FAILED", 200),
        (0, "CREATED", 400),
        (2, "REPORT_PENDING", 400),
        (1, "REPORT_FAILED", 200),
    ] {
        hours_pass(hours).await;
        let group = group(&caller, "no").await;
        assert_eq!((group.status.unwrap().as_str(), group.reported_time), (status, None));
        assert_eq!(caller.post(&retry, &Value::Null).await.0, retried, "{status}");
    }
    let failed = all_reports(&caller, "entitlementId=ent-azu02&startDate=2026-11-21").await;
    let with_it = failed.iter().filter_map(|report| report.info.as_ref()).filter(|info| {
        info.status == Some(types::UsageRecordReportStatus::Failed) && info.usage_record_group_ids == ["no"]
    });
    assert_eq!(with_it.count(), 2);
}

#[tokio::test]
async fn mapping_is_applied_and_input_is_kept() {
    let (_sandbox, caller) = started().await;
    let config = json!({"partnerUsageMeteringConfigs": [{"partner": "AWS", "enableDimensionMapping": true, "dimensionMappingV2": {
        "api_calls": [{"dimensionKey": "api_calls_1k", "mappingMode": "QUANTITY", "convertionMultiplier": 0.001}]}}]});
    let path = format!("/org/{SUGER_ORG_ID}/usageMeteringConfigInfo");
    assert_eq!(caller.send(Method::PATCH, &path, &config).await.0, 200);
    report(&caller, "mapped", "ent-aws01", json!({"records": {"api_calls": 0.1, "ingest_gb": 1843.0625}})).await;
    let text = |records: &BTreeMap<String, _>| {
        serde_json::to_string::<BTreeMap<String, usage_billing_core::DecimalNumber>>(records).unwrap()
    };
    let group = group(&caller, "mapped").await;
    assert_eq!(text(&group.records), r#"{"api_calls_1k":0.0001,"ingest_gb":1843.0625}"#);
    assert_eq!(text(&group.meta_info.unwrap().origin_records), r#"{"api_calls":0.1,"ingest_gb":1843.0625}"#);
    let wrong = json!({"partnerUsageMeteringConfigs": [{"partner": "AWS", "dimensionMapping": {"a": {"mappingMode": "HALF"}}}]});
    assert_eq!(caller.send(Method::PATCH, &path, &wrong).await.0, 400);
}

#[tokio::test]
async fn events_are_counted_by_their_metric() {
    let (_sandbox, caller) = started().await;
    let metric = json!({"id": "users", "name": "Active users", "aggregationType": "UNIQUE_COUNT", "info": {
        "propertyUniqueOn": "user", "groupBys": ["region"],
        "filterGroups": [{"filters": [{"name": "tier", "operation": "IS", "value": "paid", "valueType": "STRING"}]}]}});
    assert_eq!(caller.post(&format!("/org/{SUGER_ORG_ID}/billableMetric"), &metric).await.0, 200);
    let event =
        |user: &str, tier: &str| json!({"key": "users", "properties": {"user": user, "tier": tier, "region": "eu"}});
    for (id, events) in [
        ("first", json!([event("a", "paid"), event("b", "paid"), event("c", "free"), event("a", "paid")])),
        ("later", json!([event("b", "paid"), event("d", "paid")])),
    ] {
        report(&caller, id, "ent-gcp01", json!({"records": {}, "billableRecords": events})).await;
        hours_pass(1).await;
    }
    hours_pass(1).await;
    let mut reported = Vec::new();
    for report in all_reports(&caller, "entitlementId=ent-gcp01&startDate=2026-11-21").await {
        for total in report.info.unwrap().aggregated_billable_records {
            if total.key.as_deref() == Some("users") {
                let new: Vec<_> = total.unique_count_aggregation_result.unwrap().new_items.into_iter().collect();
                let new: Vec<_> = new.iter().map(|(user, _)| user.as_str()).collect();
                reported.push(format!(
                    "{} {} {}",
                    total.group_bys_expression.unwrap(),
                    total.quantity.unwrap(),
                    new.join("+")
                ));
            }
        }
    }
    assert_eq!(reported, ["region=eu 2 a+b", "region=eu 1 d"]);
    let path = "partner/GCP/usageMeteringDailyRecord?entitlementId=ent-gcp01&startDate=2026-11-21";
    let daily: types::ListUsageMeteringDailyRecordsResponse = read(&caller, path).await;
    let of_day = daily.usage_metering_daily_records.iter().find(|record| record.key.as_deref() == Some("users"));
    assert_eq!(of_day.unwrap().quantity.unwrap().to_string(), "3");
    // Invalid metrics are rejected.
    for info in [
        json!({}),
        json!({"propertyUniqueOn": "u", "filterGroups": [{"filters": [{"name": "x", "operation": "LIKE"}]}]}),
    ] {
        let wrong = json!({"id": "other", "name": "Other", "aggregationType": "UNIQUE_COUNT", "info": info});
        assert_eq!(caller.post(&format!("/org/{SUGER_ORG_ID}/billableMetric"), &wrong).await.0, 400, "{wrong}");
    }
}

/// Period and dimension.
type Totals = BTreeMap<(String, String), Decimal>;

async fn aggregated(caller: &Caller, of: &str, query: &str) -> Totals {
    let rows: Vec<types::UsageRecordAggregated> = read(caller, &format!("{of}/aggregate?{query}")).await;
    rows.into_iter().map(|row| ((row.date.unwrap(), row.dimension_key.unwrap()), row.quantity.unwrap().0)).collect()
}

#[tokio::test]
async fn totals_agree_with_lists() {
    let (_sandbox, caller) = started().await;
    let days = "startDate=2026-10-20&endDate=2026-11-20";
    for partner in ["AWS", "AZURE", "GCP"] {
        let (mut of_groups, mut of_reports, mut offset) = (Totals::new(), Totals::new(), Some(0));
        while let Some(at) = offset {
            let path = format!("usageRecordGroup?partner={partner}&{days}&limit=250&offset={at}");
            let page: types::ListUsageRecordGroupsResponse = read(&caller, &path).await;
            offset = page.next_offset;
            for group in page.usage_record_groups {
                if ["DELETED", "INVALID"].contains(&group.status.unwrap().as_str()) {
                    continue;
                }
                for (key, quantity) in group.records {
                    let day = group.creation_time.unwrap().format("%Y-%m-%d").to_string();
                    *of_groups.entry((day, key)).or_default() += quantity.0;
                }
            }
        }
        for report in all_reports(&caller, &format!("partner={partner}&{days}")).await {
            for (key, quantity) in report.info.unwrap().reported_records {
                let day = report.creation_time.unwrap().format("%Y-%m-%d").to_string();
                *of_reports.entry((day, key)).or_default() += quantity.0;
            }
        }
        let query = format!("partner={partner}&granularity=day&{days}");
        assert_eq!(aggregated(&caller, "usageRecordGroup", &query).await, of_groups);
        assert_eq!(aggregated(&caller, "usageRecordReport", &query).await, of_reports);
        assert!(of_groups.len() > 30 && of_reports.len() > 30);
        let by_month =
            aggregated(&caller, "usageRecordGroup", &format!("partner={partner}&granularity=MONTH&{days}")).await;
        assert!(by_month.keys().all(|(month, _)| ["2026-10", "2026-11"].contains(&month.as_str())));
        assert_eq!(by_month.values().sum::<Decimal>(), of_groups.values().sum::<Decimal>());
    }
    for query in [
        "",
        "partner=AWS",
        "partner=AWS&granularity=day&startDate=2026-11-01",
        "partner=ACME&granularity=day&startDate=2026-11-01&endDate=2026-11-02",
        "partner=AWS&granularity=week&startDate=2026-11-01&endDate=2026-11-02",
        "partner=AWS&granularity=day&startDate=2026-11-03&endDate=2026-11-02",
    ] {
        for of in ["usageRecordGroup", "usageRecordReport"] {
            let (status, error) = caller.get(&format!("/org/{SUGER_ORG_ID}/{of}/aggregate?{query}")).await;
            assert!(status == 400 && error.is_string(), "{query}: {error}");
        }
    }
}

#[tokio::test]
async fn daily_records_agree_with_reports() {
    let (_sandbox, caller) = started().await;
    let path =
        |query: &str| format!("partner/AWS/usageMeteringDailyRecord?startDate=2026-11-01&endDate=2026-11-10{query}");
    let all: types::ListUsageMeteringDailyRecordsResponse = read(&caller, &path("")).await;
    let all = all.usage_metering_daily_records;
    let mut sent: BTreeMap<(String, String), Decimal> = BTreeMap::new();
    for report in all_reports(&caller, "partner=AWS").await {
        let info = report.info.unwrap();
        for (key, quantity) in info.reported_records {
            *sent.entry((info.start_time.unwrap().date_naive().to_string(), key)).or_default() += quantity.0;
        }
    }
    // Two dimensions, ten days.
    assert_eq!(all.len(), 20);
    for record in &all {
        let place = (record.date.unwrap().date_naive().to_string(), record.key.clone().unwrap());
        let quantity = record.quantity.unwrap().0;
        assert_eq!(sent[&place], quantity, "{place:?}");
        let price = if place.1 == "ingest_gb" { "0.0315" } else { "0.00018" };
        assert_eq!(record.amount.unwrap().0, quantity * price.parse::<Decimal>().unwrap(), "{place:?}");
    }
    let mut paged = Vec::new();
    loop {
        let page: types::ListUsageMeteringDailyRecordsResponse =
            read(&caller, &path(&format!("&limit=7&offset={}", paged.len()))).await;
        paged.extend(page.usage_metering_daily_records);
        if page.next_offset.is_none() {
            break;
        }
    }
    assert_eq!(serde_json::to_string(&paged).unwrap(), serde_json::to_string(&all).unwrap());
    for (query, count) in [("&buyerId=buy-aws01", 20), ("&buyerId=buy-azu01", 0), ("&entitlementId=ent-aws02", 0)] {
        let some: types::ListUsageMeteringDailyRecordsResponse = read(&caller, &path(query)).await;
        assert_eq!(some.usage_metering_daily_records.len(), count, "{query}");
    }
    // Events are grouped by the metric.
    let gcp: types::ListUsageMeteringDailyRecordsResponse = read(&caller, "partner/GCP/usageMeteringDailyRecord").await;
    let groups = gcp.usage_metering_daily_records.iter().filter_map(|record| record.group_bys_expression.as_deref());
    let groups: std::collections::BTreeSet<_> = groups.collect();
    assert_eq!(groups.into_iter().collect::<Vec<_>>(), ["region=ap-tokyo, 1", "region=eu-north-1"]);
    let (status, error) = caller.get(&format!("/org/{SUGER_ORG_ID}/partner/ACME/usageMeteringDailyRecord")).await;
    assert!(status == 400 && error.is_string());
}

#[tokio::test]
async fn groups_are_filtered_by_meta_info() {
    let (_sandbox, caller) = started().await;
    report(
        &caller,
        "tagged",
        "ent-aws01",
        json!({"records": {"ingest_gb": 2}, "usageAllocations": {
        "ingest_gb": [{"quantity": 2, "tags": [{"key": "team", "value": "分析, core"}]}]}}),
    )
    .await;
    for (query, found) in [
        ("metaInfo=%E5%88%86%E6%9E%90", 1),
        ("metaInfo=nothing-has-this", 0),
        ("source=API&metaInfo=team&partner=AWS", 1),
        ("source=LAGO", 0),
    ] {
        let page: types::ListUsageRecordGroupsResponse = read(&caller, &format!("usageRecordGroup?{query}")).await;
        assert_eq!(page.usage_record_groups.len(), found, "{query}");
    }
}
