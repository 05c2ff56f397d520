//! The facade's rows compared with the sandbox's ground truth: all vendors, several datasets.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use rust_decimal::Decimal;
use usage_billing::acronis::types::ReportLevel;
use usage_billing::{Period, UsageRow};
use usage_billing_sandbox::{Bill, ExpectedUsage, Sandbox, Size};
use usage_billing_tests::{check_property, dataset_seed, now};

use crate::end_to_end::{acronis, genesys, suger};

/// No limit: under tokio's paused clock a limit may expire during a wait for a real socket.
const NO_LIMIT: Duration = Duration::MAX;

/// Customer and its name, SKU, metric, unit.
type Key = (Option<String>, Option<String>, String, String, String);

fn fetched(rows: Vec<UsageRow>) -> BTreeMap<Key, Decimal> {
    let keys: BTreeSet<_> = rows.iter().map(|row| row.row_key).collect();
    assert_eq!(keys.len(), rows.len(), "no key twice");
    let mut sums: BTreeMap<Key, Decimal> = BTreeMap::new();
    for row in rows {
        let key = (row.customer_id, row.customer_name, row.sku, row.metric, row.unit);
        *sums.entry(key).or_default() += row.quantity;
    }
    sums
}

/// Returns the charged quantities. The ground truth of Acronis contains charges only, and a part of a month has none: months are billed as a whole.
fn charged(rows: Vec<UsageRow>, is_month: bool) -> BTreeMap<Key, Decimal> {
    assert!(is_month || rows.iter().all(|row| row.is_billable == Some(false)));
    fetched(rows.into_iter().filter(|row| row.is_billable == Some(true) && !row.quantity.is_zero()).collect())
}

/// Permits the difference between a sum of rounded numbers and a rounded sum.
fn assert_agree(found: &BTreeMap<Key, Decimal>, expected: &BTreeMap<Key, Decimal>, period: &str) {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{period}");
    for (key, quantity) in found {
        let rounding = if key.4 == "compute points" { Decimal::new(1, 2) } else { Decimal::new(2, 9) };
        assert!((quantity - expected[key]).abs() <= rounding, "{period}: {key:?} {quantity} {}", expected[key]);
    }
}

fn expected_quantities(rows: Vec<ExpectedUsage>) -> BTreeMap<Key, Decimal> {
    let key = |row: ExpectedUsage| ((row.customer_id, row.customer, row.sku, row.metric, row.unit), row.quantity);
    rows.into_iter().map(key).collect()
}

/// Returns the default size or a larger one.
fn size() -> impl Strategy<Value = Size> {
    let larger = (13..=120_u32, 3..=9_u32, 5..=40_u32, 2_745..=12_000_u32, 2..=3_u32);
    let larger = larger.prop_map(|(tenants, organizations, entitlements, record_groups, months)| {
        let size = Size::default().tenants(tenants).organizations(organizations);
        size.entitlements(entitlements).record_groups(record_groups).months(months)
    });
    prop_oneof![Just(Size::default()), larger]
}

#[test]
fn fetched_rows_match_the_ground_truth_of_every_dataset() {
    let large = Size::default().tenants(120).organizations(9).entitlements(40).record_groups(12_000).months(3);
    let known = [(0, Size::default()), (0, large)];
    check_property(file!(), 4, known, (dataset_seed(), size()), async |(seed, size)| {
        let sandbox = Sandbox::builder().today(now().date_naive()).seed(seed).size(size);
        let sandbox = sandbox.start().await.expect("a free port");
        for period in ["2026-10", "2026-10-03/2026-10-29"] {
            let is_month = period == "2026-10";
            let range: Period = period.parse().unwrap();
            let truth = |bill: Bill| sandbox.expected_usage(&bill, range.start()..range.end());
            let expected = |bill: Bill| expected_quantities(truth(bill));
            let of_acronis = acronis(&sandbox).usage(range, NO_LIMIT).await.unwrap();
            let of_genesys = genesys(&sandbox).usage(range, NO_LIMIT).await.unwrap();
            let of_suger = suger(&sandbox).usage(range, NO_LIMIT).await.unwrap();
            assert!(of_acronis.len() > 5 && of_genesys.len() > 5 && of_suger.len() > 5);
            let due = truth(Bill::Acronis(ReportLevel::DirectPartners)).into_iter();
            let due = due.filter(|row| is_month && row.is_billable == Some(true)).collect();
            assert_agree(&charged(of_acronis, is_month), &expected_quantities(due), period);
            assert_agree(&fetched(of_genesys), &expected(Bill::Genesys), period);
            assert_agree(&fetched(of_suger), &expected(Bill::Suger), period);
        }
    });
}
