//! The billable rows of random worlds come to what the sandbox says is charged, with nothing counted twice.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use usage_billing::acronis::types::ReportLevel;
use usage_billing::{Period, UsageRow};
use usage_billing_sandbox::{Bill, Sandbox, Size};
use usage_billing_tests::now;

use super::{PATIENCE, client, files, summary};

/// Worlds that are looked at; each has its own seed and size.
const WORLDS: usize = 12;

/// Customer, metric, unit, and the SKU if there are SKUs.
type Key = (Option<String>, String, String, Option<String>);

fn sums(rows: impl Iterator<Item = (Key, Decimal, Option<Decimal>)>) -> BTreeMap<Key, (Decimal, Decimal)> {
    let mut sums: BTreeMap<Key, (Decimal, Decimal)> = BTreeMap::new();
    for (key, quantity, amount) in rows.filter(|(_, quantity, _)| !quantity.is_zero()) {
        let sum = sums.entry(key).or_default();
        *sum = (sum.0 + quantity, sum.1 + amount.unwrap_or_default());
    }
    sums
}

/// Each row is rounded to nine places, and its amount once more.
fn assert_agree(rows: &[UsageRow], sandbox: &Sandbox, level: ReportLevel, month: Period, has_skus: bool, world: &str) {
    let keys: BTreeSet<_> = rows.iter().map(|row| row.row_key).collect();
    assert_eq!(keys.len(), rows.len(), "{world}: no key twice");
    assert!(rows.iter().all(|row| row.is_billable.is_some()), "{world}: all is known");
    let sku = |sku: &str| has_skus.then(|| sku.to_owned());
    let billable = sums(rows.iter().filter(|row| row.is_billable == Some(true)).map(|row| {
        let key = (row.customer_id.clone(), row.metric.clone(), row.unit.clone(), sku(&row.sku));
        // In the sandbox, prices are for one unit; the vendor does not state that.
        assert_eq!(row.amount, None, "{world}");
        let is_list = row.price_source.as_deref() == Some("list_effective_price_lists");
        (key, row.quantity, row.unit_price.filter(|_| is_list).map(|price| price * row.quantity))
    }));
    let truth =
        sums(sandbox.expected_usage(&Bill::Acronis(level), month.start()..month.end()).into_iter().map(|row| {
            let key = (row.customer_id, row.metric, row.unit, sku(&row.sku));
            (key, row.quantity, row.amount.filter(|_| has_skus))
        }));
    assert_eq!(billable.keys().collect::<Vec<_>>(), truth.keys().collect::<Vec<_>>(), "{world}");
    for (key, (quantity, amount)) in &billable {
        let (charged, due) = truth[key];
        let rounding = Decimal::new(1, 6);
        assert!((quantity - charged).abs() < rounding, "{world}: {key:?}: {quantity}, not {charged}");
        assert!(
            (amount - due).abs() < rounding && (amount.is_zero() != has_skus),
            "{world}: {key:?}: {amount}, not {due}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn billable_rows_add_up_to_the_truth_in_every_world() {
    let mut random = fastrand::Rng::with_seed(20_261_129);
    for at in 0..WORLDS {
        let (seed, tenants) = (random.u64(..), random.u32(13..70));
        let size = Size::default().tenants(tenants);
        let builder = Sandbox::builder().today(now().date_naive()).seed(seed).size(size).polls_before_ready(0);
        let sandbox = builder.start().await.unwrap();
        let client = client(&sandbox);
        let month: Period = ["2026-10", "2026-09", "2026-02"][at % 3].parse().unwrap();
        let world = format!("seed {seed}, {tenants} tenants, {month}");
        let rows = client.usage(month, PATIENCE).await.unwrap();
        assert_agree(&rows, &sandbox, ReportLevel::DirectPartners, month, true, &world);
        if month == super::september() {
            let plain = client.usage_of(&files(&client, &summary().show_skus(false)).await[0]).await.unwrap();
            assert_agree(&plain, &sandbox, ReportLevel::DirectPartners, month, false, &world);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_world_has_what_trips_people_up() {
    for seed in [0, 1, 7, 4_711] {
        let builder = Sandbox::builder().today(now().date_naive()).seed(seed).polls_before_ready(0);
        let sandbox = builder.start().await.unwrap();
        let rows = client(&sandbox).usage("2026-10".parse().unwrap(), PATIENCE).await.unwrap();
        let reasons: BTreeSet<_> = rows.iter().map(|row| row.billing_reason.to_string()).collect();
        let wanted = ["usage", "trial", "total_of_rows", "part_of_row", "feature_switch", "not_sold"];
        assert!(wanted.iter().all(|reason| reasons.contains(*reason)), "{seed}: {reasons:?}");
        let hosts: BTreeSet<_> = rows.iter().filter_map(|row| row.storage_host).collect();
        assert_eq!(hosts.len(), 2, "{seed}");
        // Both modes of one thing of one customer.
        let is_both = |row: &UsageRow| {
            let same = |other: &&UsageRow| {
                (&other.customer_id, &other.metric, &other.sku) == (&row.customer_id, &row.metric, &row.sku)
            };
            row.customer_kind.as_deref() == Some("customer") && rows.iter().filter(same).count() == 2
        };
        assert!(rows.iter().any(is_both), "{seed}");
    }
}
