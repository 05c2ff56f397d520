//! Rows of all vendors as one dataset, and the facade's examples.

use std::collections::{BTreeMap, BTreeSet};

use usage_billing::{Credentials, Period, UsageRow, acronis, genesys, suger};
use usage_billing_sandbox::{self as demo, Sandbox};
use usage_billing_tests::{now, untimed};

#[allow(dead_code, reason = "a program of its own: main is not called here")]
#[path = "../../../crates/usage-billing/examples/one_dataset.rs"]
mod one_dataset;
#[allow(dead_code, reason = "a program of its own: main is not called here")]
#[path = "../../../crates/usage-billing/examples/partner_overage.rs"]
mod partner_overage;

fn genesys(sandbox: &Sandbox) -> genesys::Client {
    let credentials = Credentials::new(demo::GENESYS_CLIENT_ID, demo::GENESYS_CLIENT_SECRET);
    let builder = genesys::Client::builder(&sandbox.url().parse().expect("a URL"), credentials);
    untimed(builder).build().expect("a client").with_now(now())
}

/// Starts a sandbox and returns all of its rows.
async fn fetched(polls: u32) -> Vec<UsageRow> {
    let sandbox =
        Sandbox::builder().today(now().date_naive()).polls_before_ready(polls).start().await.expect("a free port");
    let credentials = Credentials::new(demo::ACRONIS_CLIENT_ID, demo::ACRONIS_CLIENT_SECRET);
    let acronis = acronis::Client::builder(&sandbox.url().parse().expect("a URL"), credentials);
    let acronis = untimed(acronis).build().expect("a client").with_now(now());
    let suger = suger::Client::builder(demo::SUGER_ORG_ID, demo::SUGER_API_KEY.to_owned()).base_url(sandbox.url());
    let suger = untimed(suger).build().expect("a client").with_now(now());
    let genesys = genesys(&sandbox);
    let period = Period::last_month(now());
    let mut rows = one_dataset::dataset(&acronis, &genesys, &suger, period).await.unwrap();
    rows.extend(genesys.api_usage(period, one_dataset::TIMEOUT).await.unwrap());
    rows.extend(genesys.licences().await.unwrap());
    let last = genesys::BillingPeriod::LastFinished { at: now() };
    let bills = genesys.client_bills(last, genesys::ClientOrganizations::All).await.unwrap();
    assert_eq!(bills.errors().count(), 0);
    rows.extend(bills.rows());
    rows
}

#[tokio::test(start_paused = true)]
async fn keys_are_unique_and_stable_across_runs() {
    let first = fetched(2).await;
    let keys: BTreeSet<_> = first.iter().map(|row| row.row_key).collect();
    assert_eq!(keys.len(), first.len(), "{} rows", first.len());
    let operations: BTreeSet<_> = first.iter().map(|row| row.source_operation.as_str()).collect();
    assert!(operations.len() >= 6, "{operations:?}");
    let known = |rows: &[UsageRow]| rows.iter().map(|row| (row.row_key, row.quantity)).collect::<BTreeMap<_, _>>();
    assert!(known(&first) == known(&fetched(0).await));
}

#[tokio::test(start_paused = true)]
async fn dataset_example_writes_one_readable_row_per_line() {
    let rows = fetched(0).await;
    let mut out = Vec::new();
    one_dataset::write(&rows, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let read: Vec<UsageRow> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(read == rows);
}

#[tokio::test(start_paused = true)]
async fn partner_example_prints_each_bill_and_each_failure() {
    let sandbox = Sandbox::builder().today(now().date_naive()).start().await.expect("a free port");
    let ids = vec![demo::GENESYS_TRUSTOR_ORG_ID.to_owned(), "no-such-organization".to_owned()];
    let (charges, failed) = partner_overage::bills(&genesys(&sandbox), ids, now()).await.unwrap();
    let [failed] = &failed[..] else { panic!("one failure: {failed:?}") };
    assert!(failed.contains("no-such-organization") && failed.contains("404 Not Found"), "{failed}");
    assert!(charges.iter().any(|line| line.ends_with(" EUR")), "{charges:#?}");
    assert!(charges.iter().any(|line| line.contains("sold in bundles of 1000")), "{charges:#?}");
    let (charges, failed) = partner_overage::bills(&genesys(&sandbox), Vec::new(), now()).await.unwrap();
    assert!(failed.is_empty(), "{failed:?}");
    let count = |text: &str| charges.iter().filter(|line| line.contains(text)).count();
    assert_eq!((count(": total "), count("no bill of the period")), (13, 1), "all that trust the partner");
}
