//! The expected bills are those of reports.

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::{DateTime, Utc};
use serde_json::json;
use usage_billing_acronis::types::ReportLevel;
use usage_billing_core::Decimal;
use usage_billing_sandbox::{Bill, Vendor};

use crate::acronis::{file, order, rows};
use crate::{builder, start_acronis, start_genesys};

fn period(first: &str, end: &str) -> Range<DateTime<Utc>> {
    let midnight = |day: &str| format!("{day}T00:00:00Z").parse().unwrap();
    midnight(first)..midnight(end)
}

/// Returns the bill from a file with SKUs: production usage of sold items, by tenant, SKU and item.
fn bill(csv: &str) -> BTreeMap<(String, String, String), Decimal> {
    let mut sums: BTreeMap<_, (Decimal, String)> = BTreeMap::new();
    for row in rows(csv).into_iter().filter(|row| !row["sku"].is_empty()) {
        let billed: Decimal = row["usage.effective.production"].parse().unwrap();
        let metric = match row["infra.backend_type"].as_str() {
            "" | "acronis" => row["name"].clone(),
            backend => format!("{}_{backend}", row["name"]),
        };
        let key = (row["tenant.id"].clone(), row["sku"].clone(), metric);
        sums.entry(key).or_insert((Decimal::ZERO, row["measurement_unit"].clone())).0 += billed;
    }
    sums.retain(|_, (sum, _)| !sum.is_zero());
    let in_unit = |(raw, unit): (Decimal, String)| match unit.as_str() {
        "bytes" => raw / Decimal::from(1_i64 << 30),
        "seconds" => {
            let hundredths = raw * Decimal::from(100) / Decimal::from(3600);
            (hundredths + Decimal::new(5, 1)).floor() / Decimal::from(100)
        }
        _ => raw,
    };
    sums.into_iter().map(|(key, sum)| (key, in_unit(sum).normalize())).collect()
}

#[tokio::test]
async fn expected_bill_of_acronis_agrees_with_reports() {
    let (sandbox, caller) = start_acronis(builder().polls_before_ready(0)).await;
    for (first, last, end) in [("2026-10-01", "2026-10-31", "2026-11-01"), ("2026-11-01", "2026-11-21", "2026-12-01")] {
        for level in ReportLevel::KNOWN {
            let report = order(|order| {
                order["parameters"]["level"] = json!(level.as_str());
                order["parameters"]["period"] = json!({"start": first, "end": last});
                order["parameters"]["formats"] = json!(["csv_v2_0"]);
            });
            let billed = bill(&file(&caller, report).await);
            let expected = sandbox.expected_usage(&Bill::Acronis(level.clone()), period(first, end));
            assert!(!expected.is_empty() && expected.iter().all(|row| row.vendor == Vendor::Acronis));
            let expected: BTreeMap<_, _> = expected
                .into_iter()
                .map(|row| ((row.customer_id.unwrap(), row.sku, row.metric), row.quantity))
                .collect();
            assert_eq!(expected, billed, "{level} {first}");
        }
    }
}

#[tokio::test]
async fn expected_bill_has_the_difficult_rows() {
    let sandbox = builder().start().await.unwrap();
    let october = period("2026-10-01", "2026-11-01");
    let rows = sandbox.expected_usage(&Bill::Acronis(ReportLevel::DirectPartners), october.clone());
    let find = |customer: &str, metric: &str| {
        let mut found = rows
            .iter()
            .filter(|row| row.customer.as_deref() == Some(customer) && row.metric == metric)
            .collect::<Vec<_>>();
        assert_eq!(found.len(), 1, "{customer} {metric}");
        found.remove(0)
    };
    // Two clouds are two rows.
    assert_eq!(find("Alder Dental Group", "pw_base_storage").unit, "GiB");
    assert_eq!(find("Alder Dental Group", "pw_base_storage_google").sku, "DEMO-STO-ACR-PW");
    let points = find("Kestrel & Sons, \"Harbour\" Ltd.", "pw_compute_points");
    assert_eq!((points.unit.as_str(), points.quantity.scale() <= 2), ("compute points", true));
    // The bill has no trials, totals, parts or switches, and no storage that the partner hosts itself.
    assert!(!rows.iter().any(|row| row.customer.as_deref() == Some("株式会社さくら")));
    assert!(rows.iter().all(|row| row.sku.starts_with("DEMO-") && row.amount.is_some()), "{rows:?}");
    let json = serde_json::to_value(find("Cedar MSP", "notarizations")).unwrap();
    assert_eq!((&json["currency"], json["amount"].is_string()), (&json!("EUR"), true));
    assert_eq!((&json["vendor"], &json["sku"]), (&json!("acronis"), &json!("DEMO-NOT-100")));
    assert!(json["quantity"].is_string());
    // Future and empty periods have no rows.
    for nothing in [period("2027-01-01", "2027-02-01"), october.end..october.start] {
        assert_eq!(sandbox.expected_usage(&Bill::Acronis(ReportLevel::Accounts), nothing), []);
    }
    let ever = DateTime::<Utc>::MIN_UTC..DateTime::<Utc>::MAX_UTC;
    assert!(!sandbox.expected_usage(&Bill::Acronis(ReportLevel::Accounts), ever.clone()).is_empty());
    assert!(!sandbox.expected_usage(&Bill::Genesys, ever).is_empty());
}

#[tokio::test]
async fn expected_bill_per_gigabyte_has_storage_and_no_devices() {
    for seed in [0, 1, 4_711] {
        let sandbox = builder().seed(seed).start().await.unwrap();
        let bill = Bill::AcronisPerGigabyte(ReportLevel::DirectPartners);
        let rows = sandbox.expected_usage(&bill, period("2026-10-01", "2026-11-01"));
        let metrics: std::collections::BTreeSet<_> = rows.iter().map(|row| row.metric.as_str()).collect();
        assert_eq!(metrics, ["local_storage", "notarizations", "pg_base_storage"].into(), "{seed}");
        // Partners below see neither SKUs nor prices.
        assert!(
            rows.iter().all(|row| row.sku.ends_with(&format!("/{}", row.metric)) && row.amount.is_none()),
            "{seed}"
        );
    }
}

#[tokio::test]
async fn expected_bill_of_genesys_agrees_with_billable_usage() {
    let (sandbox, caller) = start_genesys(builder().polls_before_ready(0)).await;
    let query = "startDate=2026-10-01T00:00:00Z&endDate=2026-10-31T23:59:59.999Z";
    let (_, report) = caller.get(&format!("/api/v2/billing/reports/billableusage?{query}")).await;
    let reported: BTreeMap<_, _> = report["usages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|usage| {
            let quantity: Decimal = usage["totalUsage"].as_str().unwrap().parse().unwrap();
            (usage["name"].as_str().unwrap().to_owned(), quantity)
        })
        .collect();
    let expected = sandbox.expected_usage(&Bill::Genesys, period("2026-10-01", "2026-11-01"));
    assert_eq!(expected.into_iter().map(|row| (row.sku, row.quantity)).collect::<BTreeMap<_, _>>(), reported);
}
