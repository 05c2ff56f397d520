//! Tests of Acronis' wrappers with the sandbox, and with responses that the sandbox does not send.

mod account_facts;
mod cases;
mod faults;
mod files;
mod find_report;
mod operations;
mod reports;
mod resume;
mod reuse;
mod truth;
mod usage;
mod whmcs;

use std::time::Duration;

use usage_billing::acronis::{Client, ReportRequest, StoredFile};
use usage_billing::{Credentials, Period, UsageRow};
use usage_billing_sandbox::{self as demo, Sandbox};
use usage_billing_tests::{now, untimed};
use uuid::Uuid;

/// No limit: under tokio's paused clock a limit may end while a real socket is waited for.
const UNLIMITED: Duration = Duration::MAX;

fn september() -> Period {
    "2026-09".parse().expect("a month")
}

async fn sandbox() -> Sandbox {
    Sandbox::builder().today(now().date_naive()).polls_before_ready(1).start().await.expect("a free port")
}

fn client_at(url: &str, id: &str, secret: &str) -> Client {
    let builder = Client::builder(&url.parse().expect("a URL"), Credentials::new(id, secret));
    untimed(builder).build().expect("a client").with_now(now())
}

fn client(sandbox: &Sandbox) -> Client {
    client_at(sandbox.url(), demo::ACRONIS_CLIENT_ID, demo::ACRONIS_CLIENT_SECRET)
}

fn tenant() -> Uuid {
    demo::ACRONIS_TENANT_ID.parse().expect("a UUID")
}

fn summary() -> ReportRequest {
    ReportRequest::usage_summary(tenant(), september())
}

async fn files(client: &Client, request: &ReportRequest) -> Vec<StoredFile> {
    client.create_report(request).await.unwrap().wait(UNLIMITED).await.unwrap().saved
}

fn inject(sandbox: &Sandbox, fault: &str) {
    sandbox.inject(fault.parse().expect("a fault")).expect("a good fault");
}

fn quantities_by_key(rows: &[UsageRow]) -> Vec<(uuid::Uuid, String)> {
    rows.iter().map(|row| (row.row_key, row.quantity.to_string())).collect()
}

async fn reports(sandbox: &Sandbox) -> usize {
    client(sandbox).api().list_tenant_reports().tenant_id(tenant()).send().await.unwrap().items.len()
}
