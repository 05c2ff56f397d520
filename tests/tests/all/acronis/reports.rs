//! All kinds of reports, from the request to rows and files.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rust_decimal::Decimal;
use usage_billing::acronis::types::{self, ReportFormat, ReportLevel};
use usage_billing::acronis::{Client, ReportRequest, ReportRow, StoredFile};
use usage_billing::{BillingReason, ErrorKind, PollResult, UsageRow};
use usage_billing_sandbox::{Bill, Sandbox};
use uuid::Uuid;

use super::{UNLIMITED, client, files, reports, sandbox, september, summary, tenant};

#[allow(dead_code, reason = "its main is for those who run it alone")]
#[path = "../../../../crates/usage-billing/examples/msp_month_end.rs"]
mod msp_month_end;

#[tokio::test(start_paused = true)]
async fn offering_items_are_those_of_the_whole_tree() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let below = client.offering_items(tenant()).try_collect().await.unwrap();
    let child = below.last().unwrap().tenant_id;
    let own = client.api().get_tenant_offering_items().tenant_id(child).edition("*").send().await.unwrap();
    let names = |items: &[types::OfferingItem]| {
        let of_child = items.iter().filter(|item| item.tenant_id == child);
        of_child.map(|item| (item.application_id, item.name.clone(), item.infra_id)).collect::<BTreeSet<_>>()
    };
    assert!(child != tenant() && below.len() > own.items.len(), "{}", below.len());
    assert_eq!(names(&below), names(&own.items));
}

async fn all_rows(client: &Client, file: &StoredFile) -> Vec<ReportRow> {
    let mut rows = client.rows(file).await.unwrap();
    let mut all = Vec::new();
    while let Some(row) = rows.next().await {
        all.push(row.unwrap());
    }
    all
}

/// Sums by customer and SKU over all clouds. Sums of gibibytes, each rounded to nine places, agree to fewer.
fn by_sku<'a>(
    rows: impl Iterator<Item = (&'a Option<String>, &'a str, Decimal)>,
) -> BTreeMap<(String, String), Decimal> {
    let mut sums: BTreeMap<_, Decimal> = BTreeMap::new();
    for (customer, sku, quantity) in rows {
        let sku = sku.strip_suffix("_google").unwrap_or(sku);
        *sums.entry((customer.clone().expect("a customer"), sku.to_owned())).or_default() += quantity;
    }
    sums.into_iter().map(|(key, sum)| (key, sum.round_dp(6).normalize())).collect()
}

/// Returns billable quantities.
fn quantities(rows: &[UsageRow]) -> BTreeMap<(String, String), Decimal> {
    let billable = rows.iter().filter(|row| row.is_billable == Some(true));
    by_sku(billable.map(|row| (&row.customer_id, row.sku.as_str(), row.quantity)))
}

fn expected(sandbox: &Sandbox, level: ReportLevel) -> BTreeMap<(String, String), Decimal> {
    let rows = sandbox.expected_usage(&Bill::Acronis(level), september().start()..september().end());
    let billable = rows.iter().filter(|row| row.is_billable == Some(true));
    by_sku(billable.map(|row| (&row.customer_id, row.sku.as_str(), row.quantity)))
}

#[tokio::test(start_paused = true)]
async fn usage_is_the_true_bill_and_names_its_report() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let rows = client.usage(september(), UNLIMITED).await.unwrap();
    assert_eq!(quantities(&rows), expected(&sandbox, ReportLevel::DirectPartners));
    assert!(rows.iter().all(|row| row.is_final && row.source_operation == "download_stored_report"));
    assert!(rows.iter().any(|row| row.metric == "pw_base_storage_google"), "another cloud is a separate item");
    assert!(
        rows.iter().any(|row| row.is_billable == Some(false)) && rows.iter().any(|row| row.is_billable == Some(true)),
        "some is on trial"
    );
    assert!(rows.iter().any(|row| row.cost.is_some() && row.currency.as_deref() == Some("EUR")), "{rows:?}");
    let report: Uuid = rows[0].source_report_id.as_deref().unwrap().parse().unwrap();
    client.delete_report(report).await.unwrap();
    client.delete_report(report).await.unwrap();
    let error = client.report(report).await.unwrap_err().to_string();
    assert!(
        error.contains("404")
            && error.ends_with("it may have been deleted, or belong to a tenant that the API client cannot see")
    );
}

#[tokio::test(start_paused = true)]
async fn a_period_of_two_months_has_the_rows_of_each_month() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let rows = client.usage("2026-08-01/2026-10-01".parse().unwrap(), UNLIMITED).await.unwrap();
    let mut each = client.usage("2026-08".parse().unwrap(), UNLIMITED).await.unwrap();
    each.extend(client.usage(september(), UNLIMITED).await.unwrap());
    let quantities_by_key =
        |rows: &[UsageRow]| rows.iter().map(|row| (row.row_key, row.quantity, row.is_billable)).collect::<Vec<_>>();
    assert_eq!(quantities_by_key(&rows), quantities_by_key(&each));
    assert_eq!(reports(&sandbox).await, 2, "the second time they exist already");
}

#[tokio::test(start_paused = true)]
async fn both_formats_have_the_same_rows() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let files = files(&client, &summary().formats([ReportFormat::CsvV20, ReportFormat::JsonV20])).await;
    let [csv, json] = &files[..] else { panic!("two files: {files:?}") };
    let rows = all_rows(&client, csv).await;
    assert_eq!(rows, all_rows(&client, json).await);
    assert!(rows.len() > 5 && rows.iter().all(|row| row.other.is_empty()), "{rows:?}");
    assert_eq!(client.usage_from_file(csv).await.unwrap(), client.usage_from_file(json).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn no_level_bills_usage_twice() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let customers = expected(&sandbox, ReportLevel::AllCustomers);
    for level in [ReportLevel::AllCustomers, ReportLevel::Accounts] {
        let rows = client.usage_from_file(&files(&client, &summary().level(level)).await[0]).await.unwrap();
        assert!(!rows.is_empty() && rows.iter().all(|row| row.customer_kind.as_deref() == Some("customer")));
        assert!(quantities(&rows).iter().all(|(key, quantity)| customers.get(key) == Some(quantity)));
    }
    let rows = client.usage_from_file(&files(&client, &summary().level(ReportLevel::Itself)).await[0]).await.unwrap();
    assert_eq!(quantities(&rows), expected(&sandbox, ReportLevel::Itself));
    let partners = &files(&client, &summary().level(ReportLevel::AllPartners)).await[0];
    assert_eq!(client.usage_from_file(partners).await.unwrap_err().kind(), ErrorKind::Request);
    assert!(!all_rows(&client, partners).await.is_empty(), "its rows can be read nevertheless");
}

#[tokio::test(start_paused = true)]
async fn daily_reports_have_daily_levels_and_matching_sums() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let whole = client.usage(september(), UNLIMITED).await.unwrap();
    for request in
        [ReportRequest::usage_daily(tenant(), september()), ReportRequest::usage_breakdown(tenant(), september())]
    {
        let days = client.usage_from_file(&files(&client, &request).await[0]).await.unwrap();
        assert!(days.iter().all(|row| row.is_billable == Some(false)
            && row.is_final
            && row.period_end - row.period_start == chrono::TimeDelta::days(1)));
        for row in &whole {
            let thing = |row: &UsageRow| {
                (row.customer_id.clone(), row.sku.clone(), row.metric.clone(), row.usage_mode, row.storage_host)
            };
            let same: Vec<_> = days.iter().filter(|day| thing(day) == thing(row)).collect();
            match row.metric.as_str() {
                // The points of each day are rounded separately.
                "notarizations" | "pw_compute_points" => {
                    let off = (same.iter().map(|day| day.quantity).sum::<Decimal>() - row.quantity).abs();
                    assert!(off < Decimal::new(16, 2), "{off} {row:?}");
                }
                _ => {
                    let last: Vec<_> =
                        same.iter().filter(|day| day.period_end == row.period_end).map(|day| day.quantity).collect();
                    assert_eq!(last, [row.quantity], "{row:?}");
                }
            }
        }
        let keys: std::collections::BTreeSet<_> = days.iter().chain(&whole).map(|row| row.row_key).collect();
        assert_eq!(keys.len(), days.len() + whole.len(), "no key is there twice");
    }
}

#[tokio::test(start_paused = true)]
async fn current_usage_is_open_by_report_and_by_query() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let report =
        client.usage_from_file(&files(&client, &ReportRequest::usage_current(tenant())).await[0]).await.unwrap();
    let direct = client.current_usage().await.unwrap();
    assert!(report.iter().chain(&direct).all(|row| !row.is_final && row.is_billable == Some(false)));
    assert!(direct.iter().any(|row| row.unit == "compute points") && direct.iter().any(|row| row.unit == "GiB"));
    // The query has no SKUs, and does not distinguish the production use of partners. A switch is not a quantity.
    let of_customers = |rows: &[UsageRow]| {
        let customers = rows.iter().filter(|row| row.customer_kind.as_deref() == Some("customer"));
        let used =
            customers.filter(|row| row.billing_reason != BillingReason::FeatureSwitch && !row.quantity.is_zero());
        by_sku(used.map(|row| (&row.customer_name, row.metric.as_str(), row.quantity)))
    };
    assert_eq!(of_customers(&report), of_customers(&direct));
}

#[tokio::test(start_paused = true)]
async fn report_states_status_of_formats_and_fails_with_one() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let both = summary().formats([ReportFormat::CsvV20, ReportFormat::JsonV20]);
    let mut report = client.create_report(&both).await.unwrap();
    let mut statuses = Vec::new();
    while let PollResult::Pending { status, .. } = report.poll().await.unwrap() {
        statuses.extend(status);
    }
    assert_eq!(statuses, ["csv_v2_0 in_progress, json_v2_0 in_progress", "json_v2_0 in_progress"]);
    let failing = summary().formats([ReportFormat::CsvV20, ReportFormat::Html]);
    let mut report = client.create_report(&failing).await.unwrap();
    let files = report.wait(UNLIMITED).await.unwrap();
    assert_eq!((files.saved.len(), files.failed), (1, vec![ReportFormat::Html]), "what was saved is not lost");
    assert!(!client.usage_from_report(&mut report, UNLIMITED).await.unwrap().is_empty());
    let failing = summary().formats([ReportFormat::Html, ReportFormat::Csv]);
    let error = client.create_report(&failing).await.unwrap().wait(UNLIMITED).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.message().starts_with("Acronis could not build the html file of report "), "{error}");
}

#[tokio::test]
async fn a_file_is_saved_unpacked_or_packed() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let folder = tempfile::tempdir().unwrap();
    let both = summary().formats([ReportFormat::CsvV20, ReportFormat::JsonV20]);
    let files = client.create_report(&both).await.unwrap().poll_every(Duration::ZERO).wait(UNLIMITED).await.unwrap();
    for file in files.saved {
        let (plain, packed) = (folder.path().join(file.format.as_str()), folder.path().join("report.GZ"));
        let written = client.save_to(&file, &plain).await.unwrap();
        assert_eq!(written, std::fs::metadata(&plain).unwrap().len());
        assert_eq!(Some(client.save_to(&file, &packed).await.unwrap()), file.size);
        assert_eq!(&std::fs::read(&packed).unwrap()[..2], [0x1f, 0x8b]);
        let text = std::fs::read_to_string(&plain).unwrap();
        assert!(text.starts_with("application.id,") || text.starts_with("{\"params\":"), "{text}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
    let mut other = files_of_any(&client).await;
    other.format = ReportFormat::Csv;
    let error = client.rows(&other).await.unwrap_err().to_string();
    assert_eq!(error, "rows are read from csv_v2_0 and json_v2_0 files; csv is a human-readable format");
}

async fn files_of_any(client: &Client) -> StoredFile {
    let mut report = client.create_report(&summary()).await.unwrap().poll_every(Duration::ZERO);
    report.wait(UNLIMITED).await.unwrap().saved.remove(0)
}

#[tokio::test(start_paused = true)]
async fn the_month_end_of_an_msp_is_a_bill_by_customer_and_sku() {
    let sandbox = sandbox().await;
    let mut csv = Vec::new();
    msp_month_end::bill(&client(&sandbox), september(), &mut csv).await.unwrap();
    let mut reader = csv::Reader::from_reader(&*csv);
    let lines = reader.records().map(|record| record.unwrap()).collect::<Vec<_>>();
    let cells = lines.iter().map(|line| (Some(line[0].to_owned()), &line[2], line[4].parse::<Decimal>().unwrap()));
    let cells = cells.collect::<Vec<_>>();
    let billed = by_sku(cells.iter().map(|(customer, sku, quantity)| (customer, *sku, *quantity)));
    assert_eq!(billed, expected(&sandbox, ReportLevel::DirectPartners));
    assert!(String::from_utf8(csv).unwrap().contains("\"Kestrel & Sons, \"\"Harbour\"\" Ltd.\""));
}

#[tokio::test(start_paused = true)]
async fn open_month_has_rows_that_are_not_billable() {
    let sandbox = sandbox().await;
    let mut csv = Vec::new();
    let running = "2026-11-01/2026-11-22".parse().unwrap();
    let error = msp_month_end::bill(&client(&sandbox), running, &mut csv).await.unwrap_err().to_string();
    assert!(error.ends_with("may still change: make the bill later") && csv.is_empty(), "{error}");
}
