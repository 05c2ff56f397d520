//! Realistic report files with their correct values. They are modelled on public bug reports and samples; names and numbers are invented.

use std::collections::BTreeSet;
use std::path::Path;

use rust_decimal::Decimal;
use usage_billing::acronis::{Client, StoredFile};
use usage_billing::{BillingReason, Result, StorageHost, UsageMode, UsageRow};
use usage_billing_tests::{Request, ScriptedResponse, ScriptedServer};

use super::{UNLIMITED, client_at};

/// The requesting tenant.
pub(super) const ACCOUNT: &str = "5b1d9f0e-7a43-4c1c-9c53-1f2a6c0d8e11";
const REPORT: &str = "41b9e2d0-7c36-4f58-9a0b-5d8e1f6c2a73";

/// Starts a server of one finished report with one file; `other` may override responses.
pub(super) fn server(
    format: &str,
    period: [&str; 2],
    file: Vec<u8>,
    other: impl Fn(&Request) -> Option<ScriptedResponse> + Send + Sync + 'static,
) -> ScriptedServer {
    let [start, end] = period;
    let report = format!(
        r#"{{"id": "{REPORT}", "version": 1, "generation_date": "{end}", "result_action": "save", "parameters": {{
            "kind": "usage_summary", "tenant_id": "{ACCOUNT}", "level": "direct_partners",
            "period": {{"start": "{start}", "end": "{end}"}}, "formats": ["{format}"]}}}}"#
    );
    let stored = format!(
        r#"{{"items": [{{"id": "{REPORT}", "report_format": "{format}", "status": "saved", "created_at": "2026-11-02T00:00:00"}}]}}"#
    );
    ScriptedServer::start(move |request| match request.target.rsplit('/').next() {
        Some("token") => {
            ScriptedResponse::json(200, r#"{"access_token": "t", "token_type": "bearer", "expires_on": 4102444800}"#)
        }
        Some("stored") => ScriptedResponse::json(200, &stored),
        _ if request.target.contains("/stored/") => ScriptedResponse::new(200, &[], &file),
        _ => other(request).unwrap_or_else(|| ScriptedResponse::json(200, &report)),
    })
}

pub(super) async fn file(url: &str) -> (Client, StoredFile) {
    let client = client_at(url, "id", "hush-secret");
    let mut report = client.report(REPORT.parse().unwrap()).await.unwrap();
    let file = report.wait(UNLIMITED).await.unwrap().saved.remove(0);
    (client, file)
}

pub(super) fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/acronis").join(name)).unwrap()
}

async fn usage_from_file(name: &str, period: [&str; 2]) -> Result<Vec<UsageRow>> {
    usage_with(name, period, |_| None).await
}

async fn usage_with(
    name: &str,
    period: [&str; 2],
    other: impl Fn(&Request) -> Option<ScriptedResponse> + Send + Sync + 'static,
) -> Result<Vec<UsageRow>> {
    let format = if name.ends_with(".json") { "json_v2_0" } else { "csv_v2_0" };
    let server = server(format, period, fixture(name), other);
    let (client, file) = file(server.url()).await;
    client.usage_from_file(&file).await
}

/// Returns the rows of a case; their keys differ, and billable rows are production.
async fn rows(name: &str) -> Vec<UsageRow> {
    let rows = usage_from_file(name, ["2026-10-01", "2026-10-31"]).await.unwrap();
    let keys: BTreeSet<_> = rows.iter().map(|row| row.row_key).collect();
    assert_eq!(keys.len(), rows.len(), "{name}");
    for row in &rows {
        assert_eq!(row.is_billable, row.billing_reason.is_billable());
        assert!(row.is_billable != Some(true) || row.usage_mode == Some(UsageMode::Production), "{name}: {row:?}");
        assert!(row.quantity.scale() <= 9 && row.is_final, "{name}: {row:?}");
    }
    rows
}

fn billable(rows: &[UsageRow], unit: &str) -> Decimal {
    rows.iter().filter(|row| row.is_billable == Some(true) && row.unit == unit).map(|row| row.quantity).sum()
}

pub(super) fn found(rows: &[UsageRow]) -> Vec<(&str, String, Option<bool>)> {
    rows.iter().map(|row| (row.metric.as_str(), row.quantity.normalize().to_string(), row.is_billable)).collect()
}

#[tokio::test]
async fn counters_subsets_and_totals_of_an_old_file_are_not_billable() {
    let rows = usage_from_file("c01.csv", ["2020-03-01", "2020-03-31"]).await.unwrap();
    assert_eq!(rows.len(), 26);
    assert!(rows.iter().all(|row| row.customer_name.as_deref() == Some("Some Partner")));
    for name in ["euc_count", "euc_with_local_backup_count", "child_storages", "fc_child_storages", "orphaned_storage"]
    {
        let row = rows.iter().find(|row| row.metric == name).unwrap();
        assert_eq!(row.is_billable, Some(false), "{name}");
    }
}

#[tokio::test]
async fn storage_is_apart_by_its_host_and_its_cloud() {
    let expected = |own| {
        [
            ("pw_storage", "100".to_owned(), Some(true)),
            ("pw_storage", "40".to_owned(), own),
            ("pw_storage_google", "7".to_owned(), Some(true)),
        ]
    };
    let hosts = |rows: &[UsageRow]| rows.iter().filter_map(|row| row.storage_host).collect::<Vec<_>>();
    use StorageHost::{Partner, Unknown, Vendor};
    // The owner of the 40 GiB is neither in the file nor of a component with a backend: a tenant below, or Acronis. Only `GET /infra` states that
    // they are the partner's own.
    let rows = rows("c03.csv").await;
    assert_eq!((found(&rows), hosts(&rows)), (expected(None).into(), vec![Vendor, Unknown, Vendor]));
    let infra = |request: &Request| {
        let body = r#"{"items": [{"id": "b0000000-0000-4000-8000-00000000000a", "platform_owned": false}]}"#;
        request.target.starts_with("/api/2/infra?").then(|| ScriptedResponse::json(200, body))
    };
    let rows = usage_with("c03.csv", ["2026-10-01", "2026-10-31"], infra).await.unwrap();
    assert_eq!((found(&rows), hosts(&rows)), (expected(Some(false)).into(), vec![Vendor, Partner, Vendor]));
}

#[tokio::test]
async fn the_partners_own_storage_is_not_charged_by_workload() {
    for (name, reason, host) in [
        ("c26.csv", BillingReason::PartnerHosted, Some(StorageHost::Partner)),
        ("c28.csv", BillingReason::NotSold, Some(StorageHost::Partner)),
    ] {
        let rows = rows(name).await;
        assert_eq!(rows.len(), 2, "{name}");
        let own = rows.iter().find(|row| row.storage_host == host).unwrap();
        assert_eq!((own.quantity, own.is_billable, own.billing_reason), (90.into(), Some(false), reason), "{name}");
        assert_eq!(billable(&rows, "GiB"), 10.into(), "{name}");
    }
}

#[tokio::test]
async fn storage_of_an_unidentified_owner_is_not_billed() {
    let csv = String::from_utf8(fixture("c26.csv")).unwrap();
    let (header, rows) = csv.split_once('\n').unwrap();
    let below = "77777777-0000-4000-8000-000000000007";
    let csv = format!("{header}\n{}", rows.replace(ACCOUNT, below)).into_bytes();
    let server = server("csv_v2_0", ["2026-10-01", "2026-10-31"], csv, |_| None);
    let (client, file) = file(server.url()).await;
    let rows = client.usage_from_file(&file).await.unwrap();
    assert_eq!(billable(&rows, "GiB"), 10.into());
    let other = rows.iter().find(|row| row.quantity == 90.into()).unwrap();
    assert_eq!((other.storage_host, other.billing_reason), (Some(StorageHost::Unknown), BillingReason::UnknownHosting));
}

#[tokio::test]
async fn totals_and_subsets_are_not_billable() {
    let rows = rows("c04.csv").await;
    assert_eq!((billable(&rows, "GiB"), billable(&rows, "units")), (100.into(), 5.into()));
    assert_eq!(rows.len(), 12);
    assert!(rows.iter().all(|row| row.is_billable.is_some()), "{:?}", found(&rows));
    let rows = self::rows("c24.csv").await;
    assert_eq!((billable(&rows, "units"), billable(&rows, "GiB")), (4.into(), 5.into()));
    assert_eq!(rows.iter().filter(|row| row.is_billable == Some(false)).count(), 2);
}

#[tokio::test]
async fn trial_is_apart_and_not_billable() {
    let rows = rows("c05.csv").await;
    assert_eq!(
        found(&rows),
        [("pw_compute_points", "2".to_owned(), Some(true)), ("pw_compute_points", "1".to_owned(), Some(false))]
    );
    assert_eq!((rows[0].raw_quantity, rows[0].raw_unit.as_deref()), (7200.into(), Some("seconds")));
    let rows = self::rows("c11.csv").await;
    let priced: Vec<_> = rows
        .iter()
        .map(|row| (row.quantity, row.unit_price, row.cost, row.currency.as_deref(), row.is_billable))
        .collect();
    assert_eq!(
        priced,
        [
            (3.into(), Some(2.into()), Some(6.into()), Some("EUR"), Some(true)),
            (2.into(), Some(0.into()), Some(0.into()), Some("EUR"), Some(false)),
        ]
    );
}

#[tokio::test]
async fn files_are_read_in_all_spellings() {
    let quantities = async |name: &str| {
        let rows = rows(name).await;
        rows.iter().map(|row| row.quantity.normalize().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(quantities("c07.csv").await, ["1024", "3"].map(str::to_owned));
    assert_eq!(quantities("c08.csv").await, ["10", "3"].map(str::to_owned));
    assert_eq!(
        quantities("c12.csv").await.into_iter().collect::<BTreeSet<_>>(),
        ["25", "1.01", "12"].map(str::to_owned).into()
    );
    assert_eq!(quantities("c15.csv").await.len(), 0);
    assert_eq!(quantities("c16.csv").await, ["1", "1"].map(str::to_owned));
    let rows = rows("c13.csv").await;
    assert_eq!(rows[0].customer_name.as_deref(), Some("Müller; \"Söhne\"\nGmbH"));
    let rows = self::rows("c21.csv").await;
    assert_eq!(rows[0].service.as_deref(), Some("6e6d758d-8e74-3ae3-ac84-50eb0dff12eb"));
}

#[tokio::test]
async fn json_reads_in_all_spellings() {
    for name in ["j1.json", "j2.json", "j4.json", "j5.json", "j6.json"] {
        let rows = rows(name).await;
        let expected =
            [("pw_base_storage", "10".to_owned(), Some(true)), ("pw_compute_points", "2".to_owned(), Some(true))];
        assert_eq!(found(&rows), expected, "{name}");
    }
    assert!(rows("j7.json").await.is_empty());
}

#[tokio::test]
async fn one_sku_under_two_items_is_two_rows() {
    let rows = rows("c09.csv").await;
    let metrics: BTreeSet<_> = rows.iter().map(|row| (row.sku.as_str(), row.metric.as_str())).collect();
    assert_eq!(metrics.len(), 4);
    let rows = self::rows("c10.csv").await;
    let sold: Vec<_> = rows.iter().filter(|row| row.is_billable == Some(true)).map(|row| row.sku.as_str()).collect();
    assert_eq!((sold, rows.len()), (vec!["SCVAMSENS"], 3));
}

#[tokio::test]
async fn switches_and_unknown_items_are_not_billable() {
    let rows = rows("c17.csv").await;
    assert_eq!(
        found(&rows),
        [
            ("a_seats", "1".to_owned(), None),
            ("b_feature", "1".to_owned(), Some(false)),
            ("c_na", "1".to_owned(), Some(false)),
            ("dr_internet_access", "1".to_owned(), Some(false)),
        ]
    );
}

#[tokio::test]
async fn duplicate_item_error_names_the_rows() {
    let error = usage_from_file("c23.csv", ["2026-10-01", "2026-10-31"]).await.unwrap_err();
    assert!(error.message().starts_with("rows 1 and 2 of the report are both about pw_base_storage"), "{error}");
}
