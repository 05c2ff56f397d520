//! Usage as rows: added up from groups, and as sent to the marketplaces.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use usage_billing::suger::types;
use usage_billing::{Period, UsageRow};
use usage_billing_sandbox::Sandbox;
use usage_billing_tests::{ScriptedResponse, ScriptedServer, now};

use super::{ORG, client, sandbox, scripted};

#[tokio::test(start_paused = true)]
async fn reported_usage_has_rows_with_unique_keys() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let october = "2026-10".parse().unwrap();
    let rows = client.reported_usage(october).await.unwrap();
    let keys: BTreeSet<_> = rows.iter().map(|row| row.row_key).collect();
    assert!(rows.len() > 1000 && keys.len() == rows.len(), "{} rows, {} keys", rows.len(), keys.len());
    assert!(rows.iter().all(|row| row.is_final && october.contains(row.period_start) && row.customer_name.is_some()));
    // AWS gets whole units; over a month less than one is carried.
    let sum = |rows: &[UsageRow], sku: &str| -> Decimal {
        rows.iter().filter(|row| row.sku == sku).map(|row| row.quantity).sum()
    };
    let usage = client.usage(october, Duration::MAX).await.unwrap();
    for sku in ["ent-aws01/ingest_gb", "ent-azu01/seats", "ent-gcp01/node_hours"] {
        let (reported, used) = (sum(&rows, sku), sum(&usage, sku));
        assert!(
            used > Decimal::ZERO && (reported - used).abs() <= used / Decimal::from(100),
            "{sku}: {reported} reported, {used} used"
        );
    }
    assert!(rows.iter().filter(|row| row.sku.starts_with("ent-aws01/")).all(|row| row.quantity.fract().is_zero()));
}

#[tokio::test(start_paused = true)]
async fn events_that_do_not_add_up_are_read_from_the_reports() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let metric = types::BillableMetric::builder()
        .id("peak_users".to_owned())
        .name("Peak of users".to_owned())
        .aggregation_type(types::BillableMetricAggregationType::Max);
    client.api().create_billable_metric().org_id(ORG).body(metric).send().await.unwrap();
    for quantity in [3i64, 8, 5] {
        let event = types::MeteringUsageRecord {
            key: Some("peak_users".to_owned()),
            quantity: Some(quantity.into()),
            ..Default::default()
        };
        let body = types::CreateUsageRecordGroupParams::builder()
            .organization_id(ORG)
            .entitlement_id("ent-gcp01")
            .billable_records(vec![event]);
        client
            .api()
            .report_usage_record_group()
            .org_id(ORG)
            .entitlement_id("ent-gcp01")
            .body(body)
            .send()
            .await
            .unwrap();
    }
    let today = "2026-11-21/2026-11-22".parse().unwrap();
    let peaks = async || {
        let rows = client.usage(today, Duration::MAX).await.unwrap();
        rows.into_iter()
            .filter(|row| row.metric == "peak_users")
            .map(|row| (row.quantity, row.is_final))
            .collect::<Vec<_>>()
    };
    assert_eq!(peaks().await, [(Decimal::ZERO, false)], "open until the hourly run");
    sandbox.advance(Duration::from_secs(2 * 3600));
    assert_eq!(peaks().await, [(Decimal::from(8), true)]);
}

#[tokio::test(start_paused = true)]
async fn faults_change_no_row() {
    let today = "2026-11-02".parse().unwrap();
    let sandbox = Sandbox::builder().today(today).start().await.expect("a free port");
    let client = client(&sandbox);
    let days = "2026-10-28/2026-11-01".parse().unwrap();
    let all = async || {
        let mut rows = client.usage(days, Duration::MAX).await?;
        rows.extend(client.reported_usage(days).await?);
        Ok::<_, usage_billing::Error>(rows)
    };
    let expected = all().await.unwrap();
    for fault in [
        "429; retry_after=7; times=2",
        "429; retry_after=7; as_date; times=2",
        "503; times=3",
        "503; after_effect; times=2",
        "reset_before; times=2",
        "reset_after; times=2",
        "cut_body; times=2",
        "slow_body; bytes=20000; millis=50; times=3",
        "latency; millis=20000; times=4",
        "extra_fields",
        "clock_skew; seconds=-86400",
    ] {
        for operation in ["listUsageRecordGroups", "listUsageRecordReports", "suger"] {
            sandbox.clear_faults();
            sandbox.inject(format!("{fault}; operation={operation}").parse().unwrap()).unwrap();
            let before = sandbox.requests().len();
            let found = all().await.unwrap_or_else(|error| panic!("{fault} {operation}: {error}"));
            assert!(
                sandbox.requests()[before..].iter().any(|request| !request.faults.is_empty()),
                "{fault} was not applied"
            );
            assert!(found == expected, "{fault} {operation}: {} rows, expected {}", found.len(), expected.len());
        }
    }
    for fault in ["500", "malformed_json", "cut_body"] {
        sandbox.clear_faults();
        sandbox.inject(format!("{fault}; operation=listUsageRecordGroups").parse().unwrap()).unwrap();
        assert!(all().await.is_err(), "{fault}");
    }
}

/// Starts a server that lists these groups and reports by the day of their creation; `peak` is a maximum.
fn vendor_with(groups: Vec<Value>, reports: Vec<Value>) -> ScriptedServer {
    ScriptedServer::start(move |request| {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let day = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)).unwrap_or_default().to_owned();
        let (first, last) = (day("startDate="), day("endDate="));
        let listed = |all: &[Value]| -> Vec<Value> {
            let created = |one: &Value| one["creationTime"].as_str().expect("a time")[..10].to_owned();
            all.iter().filter(|one| (&first..=&last).contains(&&created(one))).cloned().collect()
        };
        let body = match path.rsplit('/').next() {
            Some("usageRecordGroup") => json!({"usageRecordGroups": listed(&groups)}),
            Some("usageRecordReport") => json!({"usageRecordReports": listed(&reports)}),
            Some("billableMetric") => json!([{"id": "peak", "aggregationType": "MAX"}]),
            _ => json!([]),
        };
        ScriptedResponse::json(200, &body.to_string())
    })
}

#[tokio::test(start_paused = true)]
async fn usage_is_final_if_the_marketplace_accepted_it() {
    let month = Period::last_month(now());
    let group = json!({
        "id": "g-1", "entitlementID": "e-1", "status": "REPORTED", "records": {"gb": 5}, "usageRecordReportID": "r-1",
        "creationTime": month.start() + TimeDelta::hours(1),
    });
    let aws = |status: &str| json!({"results": [{"status": status, "usageRecord": {"dimension": "gb"}}]});
    for (response, is_final) in [
        (aws("Success"), true),
        (aws("CustomerNotSubscribed"), false),
        (json!({"results": []}), false),
        (json!({"unprocessedRecords": [{"dimension": "gb"}]}), false),
    ] {
        let end = month.start() + TimeDelta::hours(2);
        let mut report = json!({"id": "r-1", "entitlementID": "e-1", "creationTime": end, "info": hour_before(end)});
        report["info"]["awsMeteringResponse"] = response.clone();
        report["info"]["usageRecordGroupIds"] = json!(["g-1"]);
        let client = scripted(&vendor_with(vec![group.clone()], vec![report]));
        let rows = client.usage(month, Duration::MAX).await.unwrap();
        assert_eq!((rows.len(), rows[0].is_final), (1, is_final), "{response}");
    }
    let rows = scripted(&vendor_with(vec![group], vec![])).usage(month, Duration::MAX).await.unwrap();
    assert!(!rows[0].is_final, "its report is not listed");
}

fn hour_before(end: DateTime<Utc>) -> Value {
    json!({"status": "SUCCESS", "startTime": end - TimeDelta::hours(1), "endTime": end})
}

#[tokio::test(start_paused = true)]
async fn usage_that_arrives_long_after_the_period_is_included() {
    let now = now();
    let month = Period::last_month(now);
    let late_group = json!({
        "id": "g-1", "entitlementID": "e-1", "status": "REPORTED", "records": {"gb": 5}, "creationTime": now,
        "metaInfo": {"timestamp": month.end() - TimeDelta::hours(1)},
    });
    let mut requeued =
        json!({"id": "r-1", "entitlementID": "e-1", "creationTime": now, "info": hour_before(month.end())});
    requeued["info"]["reportedRecords"] = json!({"gb": 5});
    let server = vendor_with(vec![late_group], vec![requeued]);
    let client = scripted(&server);
    for rows in [client.usage(month, Duration::MAX).await.unwrap(), client.reported_usage(month).await.unwrap()] {
        let found: Vec<_> = rows.iter().map(|row| (row.sku.as_str(), row.quantity)).collect();
        assert_eq!(found, [("e-1/gb", Decimal::from(5))], "{rows:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn last_hour_of_a_metric_counts_in_the_period_of_its_report() {
    let month = Period::last_month(now());
    // Used in the last minutes of the month before, and reported with the first hour of this one; nothing was used since.
    let before = Period::last_month(month.start());
    let reported = month.start() + TimeDelta::hours(1);
    let group = json!({
        "id": "g-1", "entitlementID": "e-1", "status": "REPORTED", "usageRecordReportID": "r-1", "creationTime": month.start(),
        "metaInfo": {"timestamp": month.start() - TimeDelta::minutes(5), "billableRecords": [{"key": "peak", "quantity": 7}]},
    });
    let mut report =
        json!({"id": "r-1", "entitlementID": "e-1", "creationTime": reported, "info": hour_before(reported)});
    report["info"]["aggregatedBillableRecords"] = json!([{"key": "peak", "quantity": 7}]);
    let server = vendor_with(vec![group], vec![report]);
    let client = scripted(&server);
    let quantities = async |period| {
        let rows = client.usage(period, Duration::MAX).await.unwrap();
        rows.iter().map(|row| row.quantity).collect::<Vec<_>>()
    };
    assert_eq!((quantities(before).await, quantities(month).await), (vec![], vec![Decimal::from(7)]));
}
