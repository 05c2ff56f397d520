//! The billable rows of random datasets add up to the charges that the sandbox states, without duplicates.

use std::collections::{BTreeMap, BTreeSet};

use proptest::sample::select;
use rust_decimal::Decimal;
use usage_billing::acronis::types::{ReportLevel, TenantKind};
use usage_billing::acronis::{Client, ReportRequest};
use usage_billing::{BillingReason, Period, StorageHost, UsageMode, UsageRow};
use usage_billing_sandbox::{Bill, ExpectedUsage, Sandbox, Size};
use usage_billing_tests::{check_property, dataset_seed, now};
use uuid::Uuid;

use super::{UNLIMITED, client, files, summary};

/// Customer, metric, unit, and the SKU if any.
type Key = (Option<String>, String, String, Option<String>);

fn sums(rows: impl Iterator<Item = (Key, Decimal, Option<Decimal>)>) -> BTreeMap<Key, (Decimal, Decimal)> {
    let mut sums: BTreeMap<Key, (Decimal, Decimal)> = BTreeMap::new();
    for (key, quantity, amount) in rows.filter(|(_, quantity, _)| !quantity.is_zero()) {
        let sum = sums.entry(key).or_default();
        *sum = (sum.0 + quantity, sum.1 + amount.unwrap_or_default());
    }
    sums
}

/// Compares rows with charges. Each row is rounded to nine places. Prices are compared where the account sees SKUs.
fn assert_agree(rows: &[UsageRow], truth: Vec<ExpectedUsage>, has_skus: bool) {
    let keys: BTreeSet<_> = rows.iter().map(|row| row.row_key).collect();
    assert_eq!(keys.len(), rows.len(), "no key twice");
    // Beside items of both licensings, no source states the licensing of these.
    let is_open = |row: &UsageRow| {
        ["local_storage", "servers"].contains(&row.metric.as_str())
            && row.billing_reason == BillingReason::UnknownLicensing
    };
    let open: BTreeSet<_> = rows.iter().filter(|row| is_open(row)).map(|row| (&row.customer_id, &row.metric)).collect();
    assert!(rows.iter().all(|row| row.is_billable.is_some() || is_open(row)), "all is known");
    let sku = |sku: &str| has_skus.then(|| sku.to_owned());
    let billable = sums(rows.iter().filter(|row| row.is_billable == Some(true)).map(|row| {
        let key = (row.customer_id.clone(), row.metric.clone(), row.unit.clone(), sku(&row.sku));
        // In the sandbox, a price is for one unit. No source states the unit at the vendor.
        assert_eq!(row.amount, None);
        let is_list = row.price_source.as_deref() == Some("list_effective_price_lists");
        (key, row.quantity, row.unit_price.filter(|_| is_list).map(|price| price * row.quantity))
    }));
    let known = truth
        .into_iter()
        .filter(|row| row.is_billable == Some(true) && !open.contains(&(&row.customer_id, &row.metric)));
    let truth = sums(known.map(|row| {
        let key = (row.customer_id, row.metric, row.unit, sku(&row.sku));
        (key, row.quantity, row.amount.filter(|_| has_skus))
    }));
    assert_eq!(billable.keys().collect::<Vec<_>>(), truth.keys().collect::<Vec<_>>());
    for (key, (quantity, amount)) in &billable {
        let (charged, due) = truth[key];
        let rounding = Decimal::new(1, 6);
        assert!((quantity - charged).abs() < rounding, "{key:?}: {quantity}, not {charged}");
        assert!((amount - due).abs() < rounding && (amount.is_zero() != has_skus), "{key:?}: {amount}, not {due}");
    }
}

/// Returns the partner below that Acronis charges per gigabyte.
async fn per_gigabyte_account(client: &Client) -> Uuid {
    let platform: Uuid = "7459244f-68f3-3bf4-9f53-5f63ecc1d91f".parse().unwrap();
    let children = client.children(super::tenant()).try_collect().await.unwrap();
    for child in children.iter().filter(|child| child.kind == Some(TenantKind::Partner)) {
        let request = client.api().get_tenant_application_setting().application_id(platform).tenant_id(child.id);
        let setting = request.setting_name("licensing_mode").send().await.unwrap().into_inner();
        if setting.own.and_then(|own| own.value).is_some_and(|mode| mode == "per_gb") {
            return child.id;
        }
    }
    panic!("no partner below is charged per gigabyte: {children:?}");
}

async fn rows_of(client: &Client, request: &ReportRequest) -> Vec<UsageRow> {
    client.usage_from_file(&files(client, request).await[0]).await.unwrap()
}

#[test]
fn billable_rows_add_up_to_the_truth_in_every_dataset() {
    let datasets = (dataset_seed(), 13..70_u32, select(vec!["2026-10", "2026-09", "2026-02"]));
    check_property(file!(), 12, [], datasets, async |(seed, tenants, month)| {
        let size = Size::default().tenants(tenants);
        let builder = Sandbox::builder().today(now().date_naive()).seed(seed).size(size).polls_before_ready(0);
        let sandbox = builder.start().await.unwrap();
        let client = client(&sandbox);
        let month: Period = month.parse().unwrap();
        let truth = |bill: Bill| sandbox.expected_usage(&bill, month.start()..month.end());
        let rows = client.usage(month, UNLIMITED).await.unwrap();
        assert_agree(&rows, truth(Bill::Acronis(ReportLevel::DirectPartners)), true);
        let request = ReportRequest::usage_summary(per_gigabyte_account(&client).await, month);
        let rows = rows_of(&client, &request).await;
        assert_agree(&rows, truth(Bill::AcronisPerGigabyte(ReportLevel::DirectPartners)), false);
        if month == super::september() {
            let plain = rows_of(&client, &summary().show_skus(false)).await;
            assert_agree(&plain, truth(Bill::Acronis(ReportLevel::DirectPartners)), false);
        }
    });
}

#[test]
fn every_dataset_has_the_known_pitfalls() {
    use StorageHost::{Partner, Vendor};
    check_property(file!(), 3, [0], dataset_seed(), async |seed| {
        let builder = Sandbox::builder().today(now().date_naive()).seed(seed).polls_before_ready(0);
        let sandbox = builder.start().await.unwrap();
        let client = client(&sandbox);
        let october: Period = "2026-10".parse().unwrap();
        let reasons =
            |rows: &[UsageRow]| rows.iter().map(|row| row.billing_reason.to_string()).collect::<BTreeSet<_>>();
        let rows = client.usage(october, UNLIMITED).await.unwrap();
        // Totals, parts, switches, rows without SKU.
        let expected = ["usage", "trial", "total_of_rows", "part_of_row", "feature_switch", "not_sold"];
        assert!(expected.iter().all(|reason| reasons(&rows).contains(*reason)), "{:?}", reasons(&rows));
        let hosts = |rows: &[UsageRow]| rows.iter().filter_map(|row| row.storage_host).collect::<BTreeSet<_>>();
        assert_eq!(hosts(&rows), [Vendor, Partner].into());
        // Price lists.
        let is_priced = |row: &&UsageRow| row.price_list_code.is_some() && row.unit_price != row.list_price;
        assert!(rows.iter().filter(is_priced).count() > 5);
        // Both modes of one thing of one customer: it leaves its trial in this month.
        let is_both = |row: &UsageRow| {
            let same = |other: &&UsageRow| {
                (&other.customer_id, &other.metric, &other.sku) == (&row.customer_id, &row.metric, &row.sku)
            };
            row.customer_kind.as_deref() == Some("customer") && rows.iter().filter(same).count() == 2
        };
        assert!(rows.iter().any(is_both));
        let own = ReportRequest::usage_summary(super::tenant(), october);
        // Not sold: storage that the partner hosts, and local storage.
        let plain = rows_of(&client, &own.clone().show_skus(false)).await;
        let expected = ["partner_hosted", "included"];
        assert!(expected.iter().all(|reason| reasons(&plain).contains(*reason)), "{:?}", reasons(&plain));
        // An account that is charged per gigabyte: storage of its own and local storage are billed, devices are not.
        let account = per_gigabyte_account(&client).await;
        let rows = rows_of(&client, &ReportRequest::usage_summary(account, october)).await;
        let billed = |is: &dyn Fn(&UsageRow) -> bool, billable| {
            let mut found =
                rows.iter().filter(|row| is(row) && row.usage_mode == Some(UsageMode::Production)).peekable();
            found.peek().is_some() && found.all(|row| row.is_billable == Some(billable))
        };
        assert!(billed(&|row| row.storage_host == Some(Partner), true), "{rows:?}");
        assert!(billed(&|row| row.metric == "local_storage", true));
        assert!(billed(&|row| row.metric == "servers" || row.metric == "pg_base_workstations", false));
        assert!(rows.iter().all(|row| row.price_source.as_deref() != Some("list_effective_price_lists")));
        // The requesting tenant's own row is among those of its customers.
        let file = files(&client, &own.level(ReportLevel::Accounts)).await.remove(0);
        let mut read = client.rows(&file).await.unwrap();
        let mut has_own = false;
        while let Some(row) = read.next().await {
            has_own |= row.unwrap().tenant_id == super::tenant().to_string();
        }
        assert!(has_own);
        let rows = client.usage_from_file(&file).await.unwrap();
        assert!(rows.iter().all(|row| row.customer_id != Some(super::tenant().to_string())));
    });
}
