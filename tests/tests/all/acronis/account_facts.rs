//! Reports together with account data of the vendor: owners of storage, licensing mode and prices.

use std::time::Duration;

use usage_billing::acronis::ReportRequest;
use usage_billing::{BillingReason, StorageHost, UsageRow};
use usage_billing_sandbox::{self as demo, Sandbox};
use usage_billing_tests::{Request, ScriptedResponse};

use super::cases::{ACCOUNT, file, fixture, found, server};
use super::{UNLIMITED, client, client_at, files, inject, sandbox, september, summary};

const OCTOBER: [&str; 2] = ["2026-10-01", "2026-10-31"];
const VENDOR: &str = "8beef6be-c136-4ef6-a900-0e74c703ddcc";
const BELOW: &str = "11111111-0000-4000-8000-000000000001";
const LIMITED: [&str; 3] = ["list_infra", "get_tenant_application_setting", "list_effective_price_lists"];

async fn rows(
    csv: Vec<u8>,
    other: impl Fn(&Request) -> Option<ScriptedResponse> + Send + Sync + 'static,
) -> Vec<UsageRow> {
    let server = server("csv_v2_0", OCTOBER, csv, other);
    let (client, file) = file(server.url()).await;
    client.usage_from_file(&file).await.unwrap()
}

/// Responses for components, as `(id, platform_owned, owner)` in JSON.
fn infra(items: &[(&str, &str, &str)]) -> impl Fn(&Request) -> Option<ScriptedResponse> + Send + Sync + 'static {
    let item = |(id, platform_owned, owner): &(&str, &str, &str)| {
        format!(r#"{{"id": "{id}", "platform_owned": {platform_owned}, "owner_tenant_id": {owner}}}"#)
    };
    let body = format!(r#"{{"items": [{}]}}"#, items.iter().map(item).collect::<Vec<_>>().join(","));
    move |request| request.target.starts_with("/api/2/infra?").then(|| ScriptedResponse::json(200, &body))
}

fn setting(value: &str) -> impl Fn(&Request) -> Option<ScriptedResponse> + Send + Sync + 'static {
    let body = format!(r#"{{"name": "licensing_mode", "own": {{"value": {value}}}, "effective": null}}"#);
    let path = format!("/settings/tenants/{ACCOUNT}/licensing_mode");
    move |request| request.target.ends_with(&path).then(|| ScriptedResponse::json(200, &body))
}

/// Components of `c03.csv`: hosted by Acronis, of an owner that is not in the report, hosted at Google.
const C03: [&str; 3] = [
    "019097a6-114f-4418-bd54-e01ef049f209",
    "b0000000-0000-4000-8000-00000000000a",
    "b0000000-0000-4000-8000-00000000000d",
];

#[tokio::test]
async fn components_decide_hosts_that_the_report_does_not_state() {
    let owner = format!("\"{BELOW}\"");
    for (platform_owned, reason, host) in [
        ("false", BillingReason::PartnerHosted, StorageHost::Partner),
        ("true", BillingReason::Usage, StorageHost::Vendor),
    ] {
        let rows = rows(fixture("c03.csv"), infra(&[(C03[1], platform_owned, &owner)])).await;
        let row = rows.iter().find(|row| row.quantity == 40.into()).unwrap_or(&rows[0]);
        if platform_owned == "true" {
            // Two components of one host and one item are one row.
            assert_eq!(found(&rows)[0], ("pw_storage", "140".to_owned(), Some(true)));
        }
        assert_eq!((row.billing_reason, row.storage_host), (reason, Some(host)), "{platform_owned}");
        assert_eq!(rows.last().unwrap().metric, "pw_storage_google");
    }
}

#[tokio::test]
async fn a_file_without_owners_is_decided_by_its_components() {
    let component = "019097a6-114f-4418-bd54-e01ef049f209";
    let storage = async |platform_owned: &str| {
        let rows = rows(fixture("c12.csv"), infra(&[(component, platform_owned, "null")])).await;
        let row = rows.iter().find(|row| row.metric == "storage").unwrap();
        (row.quantity, row.is_billable, row.storage_host)
    };
    assert_eq!(storage("true").await, (12.into(), Some(true), Some(StorageHost::Vendor)));
    // No source states how an edition without prefix charges a partner's own storage.
    assert_eq!(storage("false").await, (12.into(), None, Some(StorageHost::Partner)));
    assert_eq!(storage("null").await, (12.into(), None, Some(StorageHost::Unknown)));
}

#[tokio::test]
async fn an_owner_that_the_client_sees_is_the_partner() {
    let tenants = |visible: bool| {
        let tenant = format!(r#"{{"id": "{BELOW}", "version": 1, "parent_id": "{ACCOUNT}"}}"#);
        let items = if visible { tenant } else { String::new() };
        let body = format!(r#"{{"timestamp": "2026-11-01T00:00:00", "items": [{items}]}}"#);
        move |request: &Request| {
            (request.target.starts_with("/api/2/tenants?") && request.target.contains(BELOW))
                .then(|| ScriptedResponse::json(200, &body))
        }
    };
    for (visible, host) in [(true, StorageHost::Partner), (false, StorageHost::Unknown)] {
        let rows = rows(fixture("c03.csv"), tenants(visible)).await;
        let row = rows.iter().find(|row| row.quantity == 40.into()).unwrap();
        assert_eq!((row.storage_host, row.is_billable), (Some(host), visible.then_some(false)), "{visible}");
        assert!(rows.iter().any(|row| row.quantity == 100.into() && row.is_billable == Some(true)));
    }
}

#[tokio::test]
async fn deleted_components_do_not_hide_others() {
    let respond = |request: &Request| {
        let one = |id: &str| format!(r#"{{"id": "{id}", "platform_owned": false, "owner_tenant_id": "{VENDOR}"}}"#);
        match request.target.strip_prefix("/api/2/infra") {
            Some(batch) if batch.starts_with('?') => Some(ScriptedResponse::json(404, r#"{"error": {"code": 404}}"#)),
            Some(single) if single.ends_with(C03[1]) => Some(ScriptedResponse::json(200, &one(C03[1]))),
            Some(_) => Some(ScriptedResponse::json(404, r#"{"error": {"code": 404}}"#)),
            None => None,
        }
    };
    let rows = rows(fixture("c03.csv"), respond).await;
    let row = rows.iter().find(|row| row.quantity == 40.into()).unwrap();
    assert_eq!((row.storage_host, row.is_billable), (Some(StorageHost::Partner), Some(false)));
}

/// Returns a line of a file without SKUs, for an item in a component of the partner if it has one.
fn line(name: &str, unit: &str, owner: &str) -> String {
    let backend = if owner.is_empty() { "" } else { "acronis" };
    let quantity = if unit == "bytes" { 90 * (1i64 << 30) } else { 7 };
    format!("backup,{backend},,{owner},False,{unit},{name},{BELOW},customer,Birch,{quantity},0,{quantity},0,0,0\n")
}

const HEADER: &str = "application.name,infra.backend_type,infra.id,infra.owner_id,is_range,measurement_unit,name,tenant.id,tenant.kind,\
    tenant.name,usage.absolute.production,usage.absolute.trial,usage.absolute.total,usage.delta.production,usage.delta.trial,\
    usage.delta.total\n";

#[tokio::test]
async fn current_licensing_mode_decides_only_confirmed_rows() {
    let devices = [line("pw_base_storage", "bytes", ACCOUNT), line("pw_base_vms", "", "")];
    let gigabytes = [line("pg_base_storage", "bytes", ACCOUNT), line("pg_base_vms", "", "")];
    let older = [line("p_storage", "bytes", ACCOUNT), line("p_servers", "", ""), line("local_storage", "bytes", "")];
    let (per_device, per_gb) = ("\"per_device\"", "\"per_gb\"");
    for (items, value, expected) in [
        // Storage of the partner, devices, and local storage.
        (&devices, per_device, [Some(false), Some(true), Some(false)]),
        (&gigabytes, per_gb, [Some(true), Some(false), Some(true)]),
        // The mode was another one in that month, or may have been.
        (&devices, per_gb, [None, None, None]),
        (&gigabytes, per_device, [None, None, None]),
        (&devices, "\"per_moon\"", [None, Some(true), Some(false)]),
        (&gigabytes, "null", [None, None, None]),
        (&devices, "7", [None, Some(true), Some(false)]),
    ] {
        let csv = [HEADER, &items.concat(), &older.concat()].concat();
        let rows = rows(csv.into_bytes(), setting(value)).await;
        let billable = |metric: &str| rows.iter().find(|row| row.metric == metric).unwrap().is_billable;
        assert_eq!(["p_storage", "p_servers", "local_storage"].map(billable), expected, "{value}: {rows:?}");
        // Their prefix is of the month of the report.
        let is_by_device = items == &devices;
        let storage = rows.iter().find(|row| row.metric.ends_with("_base_storage")).unwrap();
        let machines = rows.iter().find(|row| row.metric.ends_with("_base_vms")).unwrap();
        let expected = (Some(!is_by_device), Some(is_by_device));
        assert_eq!((storage.is_billable, machines.is_billable), expected, "{value}: {rows:?}");
    }
}

/// `c28.csv` with SKUs, and a price list for it.
#[tokio::test]
async fn prices_are_joined_by_sku_and_month() {
    let csv = String::from_utf8(fixture("c11.csv")).unwrap();
    let prices = |month: &'static str| {
        move |request: &Request| {
            let path = format!("/api/price_sync/v1/effective_price_lists?months=2026-10&tenant_id={ACCOUNT}");
            let body = format!(
                r#"{{"price_lists": [{{"month": "{month}", "currency": "USD", "commitment": "0", "pricelist_code": "P-1",
                    "prices": [{{"sku": "S-1", "effective_price": "1.2345678", "list_price": "1.5", "sku_discount": "0",
                    "pricelist_discount": "17.69548"}}]}}]}}"#
            );
            (request.target == path).then(|| ScriptedResponse::json(200, &body))
        }
    };
    // The third column from the end of the header is followed by a column of SKUs.
    let with_sku: String =
        csv.lines().zip(0..).map(|(line, at)| format!("{line},{}\n", if at == 0 { "sku" } else { "S-1" })).collect();
    let priced = rows(with_sku.clone().into_bytes(), prices("2026-10")).await;
    let row = priced.iter().find(|row| row.is_billable == Some(true)).unwrap();
    // The vendor does not state the unit of the price: nothing is multiplied.
    assert_eq!((row.unit_price.unwrap().to_string().as_str(), row.amount), ("1.2345678", None));
    assert_eq!((row.currency.as_deref(), row.cost, row.price_list_code.as_deref()), (Some("USD"), None, Some("P-1")));
    assert_eq!(row.price_source.as_deref(), Some("list_effective_price_lists"));
    let trial = priced.iter().find(|row| row.is_billable == Some(false)).unwrap();
    assert_eq!((trial.amount, trial.unit_price, trial.currency.as_deref()), (None, row.unit_price, Some("USD")));
    // Of another month: the report's own prices stay.
    let own = rows(with_sku.into_bytes(), prices("2026-09")).await;
    let row = own.iter().find(|row| row.is_billable == Some(true)).unwrap();
    assert_eq!((row.unit_price, row.cost, row.amount), (Some(2.into()), Some(6.into()), None));
    assert_eq!(row.price_source.as_deref(), Some("download_stored_report"));
}

async fn without_skus(sandbox: &Sandbox) -> Vec<UsageRow> {
    let client = client(sandbox);
    client.usage_from_file(&files(&client, &summary().show_skus(false)).await[0]).await.unwrap()
}

/// Returns whether all but the host is decided.
///
/// A SKU states the item, and neither who hosts the storage nor, for devices beside items by gigabyte, the licensing.
fn is_decided_but_host(row: &UsageRow) -> bool {
    row.is_billable.is_some() || row.billing_reason == BillingReason::UnknownHosting || has_open_licensing(row)
}

fn has_open_licensing(row: &UsageRow) -> bool {
    row.metric == "servers" && row.billing_reason == BillingReason::UnknownLicensing
}

#[tokio::test(start_paused = true)]
async fn bill_without_account_data_leaves_rows_unknown() {
    for fault in ["403", "404", "500", "502", "reset_before", "malformed_json", "cut_body"] {
        let sandbox = sandbox().await;
        for operation in LIMITED.into_iter().chain(["get_infra", "get_tenant", "list_tenants"]) {
            inject(&sandbox, &format!("{fault}; operation={operation}"));
        }
        let rows = without_skus(&sandbox).await;
        let open: Vec<_> = rows.iter().filter(|row| row.is_billable.is_none()).collect();
        assert!(!open.is_empty(), "{fault}");
        let reasons = [BillingReason::UnknownHosting, BillingReason::UnknownLicensing];
        assert!(open.iter().all(|row| reasons.contains(&row.billing_reason)), "{fault}: {open:?}");
        assert!(rows.iter().all(|row| row.account_name.is_none() && row.price_list_code.is_none()), "{fault}");
        let with_skus = client(&sandbox).usage(september(), UNLIMITED).await.unwrap();
        assert!(with_skus.iter().all(|row| is_decided_but_host(row) && row.price_list_code.is_none()), "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn missing_responses_do_not_delay_the_bill() {
    for timeout in [Duration::from_secs(30), UNLIMITED] {
        let sandbox = sandbox().await;
        inject(&sandbox, "latency; millis=3600000; operation=list_infra");
        inject(&sandbox, "latency; millis=3600000; operation=list_effective_price_lists");
        let rows = client(&sandbox).usage(september(), timeout).await.unwrap();
        assert!(rows.iter().all(|row| row.price_list_code.is_none() && is_decided_but_host(row)), "{timeout:?}");
        assert!(rows.iter().any(|row| row.is_billable == Some(true)), "{timeout:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn unknown_rows_are_decided_once_data_is_readable() {
    let sandbox = sandbox().await;
    let rows = without_skus(&sandbox).await;
    // The report has items of both licensings, and so confirms neither for an item without a prefix beside its tenant's items by gigabyte.
    let is_open = |row: &UsageRow| ["local_storage", "servers"].contains(&row.metric.as_str());
    assert!(rows.iter().all(|row| row.is_billable.is_some() || is_open(row)), "{rows:?}");
    assert!(rows.iter().any(|row| row.billing_reason == BillingReason::PartnerHosted));
}

#[tokio::test(start_paused = true)]
async fn without_the_scope_for_prices_rows_have_none() {
    let sandbox = sandbox().await;
    let id = client(&sandbox).create_report(&ReportRequest::usage_summary(super::tenant(), september())).await.unwrap();
    let id = id.id().parse().unwrap();
    let limited = client_at(sandbox.url(), demo::ACRONIS_LIMITED_CLIENT_ID, demo::ACRONIS_LIMITED_CLIENT_SECRET);
    let rows = limited.usage_from_report(&mut limited.report(id).await.unwrap(), UNLIMITED).await.unwrap();
    assert!(
        rows.iter().all(|row| row.price_list_code.is_none() && (row.is_billable.is_some() || has_open_licensing(row)))
    );
    let priced =
        client(&sandbox).usage_from_report(&mut client(&sandbox).report(id).await.unwrap(), UNLIMITED).await.unwrap();
    assert!(priced.iter().any(|row| row.price_list_code.is_some()) && priced.iter().all(|row| row.amount.is_none()));
    let quantities_by_key =
        |rows: &[UsageRow]| rows.iter().map(|row| (row.row_key, row.quantity, row.is_billable)).collect::<Vec<_>>();
    assert_eq!(quantities_by_key(&rows), quantities_by_key(&priced));
}

#[tokio::test(start_paused = true)]
async fn rows_have_the_present_name_of_the_account() {
    let sandbox = sandbox().await;
    let rows = client(&sandbox).usage(september(), UNLIMITED).await.unwrap();
    assert!(rows.iter().all(|row| row.account_name.as_deref() == Some("Northwind Cloud Services")));
}

#[tokio::test]
async fn tenants_without_a_kind_are_looked_up() {
    const OTHER: &str = "aaaaaaaa-0000-4000-8000-000000000004";
    // The file states no kind for two tenants.
    let csv = String::from_utf8(fixture("c03.csv")).unwrap().replace(",partner,", ",,");
    let other: String =
        csv.lines().skip(1).map(|line| line.replace("aaaaaaaa-0000-4000-8000-000000000003", OTHER) + "\n").collect();
    let csv = csv + &other;
    for (kind, tenants, reasons) in [
        ("customer", 2, &[BillingReason::Usage][..]),
        ("partner", 1, &[BillingReason::Usage]),
        ("", 2, &[BillingReason::Usage, BillingReason::UnknownTenantKind]),
    ] {
        let tenant = |id: &str, kind: &str| match kind {
            "" => String::new(),
            kind => format!(r#"{{"id": "{id}", "version": 1, "parent_id": "{ACCOUNT}", "kind": "{kind}"}}"#),
        };
        let items = [tenant("aaaaaaaa-0000-4000-8000-000000000003", "customer"), tenant(OTHER, kind)];
        let items: Vec<_> = items.into_iter().filter(|item| !item.is_empty()).collect();
        let body = format!(r#"{{"items": [{}]}}"#, items.join(","));
        let server = server("csv_v2_0", OCTOBER, csv.clone().into_bytes(), move |request| {
            request.target.starts_with("/api/2/tenants?").then(|| ScriptedResponse::json(200, &body))
        });
        let (client, mut file) = file(server.url()).await;
        file.report.level = "accounts".into();
        let rows = client.usage_from_file(&file).await.unwrap();
        let of_vendor = || rows.iter().filter(|row| row.quantity == 100.into());
        let ids: std::collections::BTreeSet<_> = of_vendor().map(|row| row.customer_id.clone()).collect();
        let found: Vec<_> = of_vendor().map(|row| row.billing_reason).collect();
        assert_eq!((ids.len(), found.len()), (tenants, tenants), "{kind}");
        assert!(reasons.iter().all(|reason| found.contains(reason)), "{kind}: {found:?}");
    }
}

#[tokio::test]
async fn price_information_replaces_the_licensing_mode() {
    let respond = |request: &Request| match request.target.rsplit('/').next() {
        Some("licensing_mode") => Some(ScriptedResponse::json(404, r#"{"error": {"code": 404}}"#)),
        Some("pricing_info") => Some(ScriptedResponse::json(
            200,
            r#"{"name": "pricing_info", "own": {"value": {"currency": "USD", "licensing_mode": "per_gb", "pricing": []}}}"#,
        )),
        _ => None,
    };
    let lines = [line("pg_base_storage", "bytes", ""), line("local_storage", "bytes", "")].concat();
    let rows = rows([HEADER, &lines].concat().into_bytes(), respond).await;
    assert!(rows.iter().all(|row| row.is_billable == Some(true)), "per gigabyte, wherever it is: {rows:?}");
}

#[tokio::test]
async fn invalid_price_affects_only_its_own_rows() {
    let csv = String::from_utf8(fixture("c28.csv")).unwrap();
    let skus: Vec<_> = rows(csv.clone().into_bytes(), |_| None).await.into_iter().map(|row| row.sku).collect();
    let sku = skus.iter().find(|sku| !sku.contains('/')).unwrap().clone();
    for bad in ["\"on request\"", "null", "{}"] {
        let body = format!(
            r#"{{"price_lists": [{{"month": "2026-10", "currency": "EUR", "commitment": "0", "pricelist_code": "P-1",
                "prices": [{{"sku": "{sku}", "effective_price": {bad}}}]}}]}}"#
        );
        let rows = rows(csv.clone().into_bytes(), move |request| {
            request.target.starts_with("/api/price_sync/").then(|| ScriptedResponse::json(200, &body))
        });
        let rows = rows.await;
        assert_eq!(rows.iter().map(|row| &row.sku).collect::<Vec<_>>(), skus.iter().collect::<Vec<_>>(), "{bad}");
        assert!(rows.iter().all(|row| row.unit_price.is_none() && row.price_source.is_none()), "{bad}");
    }
}
