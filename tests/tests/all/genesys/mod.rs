//! Wrappers of Genesys Cloud against the sandbox, and against scripted responses that the sandbox does not send.

mod client_bills;
mod failed_flows;
mod faults;
mod jobs;
mod operations;
mod pages;
mod rows;

use std::collections::BTreeSet;
use std::time::Duration;

use usage_billing::genesys::Client;
use usage_billing::{Credentials, Period, UsageRow};
use usage_billing_sandbox::{self as demo, Sandbox, SandboxBuilder};
use usage_billing_tests::{now, untimed};

/// No limit: under tokio's paused clock a limit may expire during a wait for a real socket.
const NO_LIMIT: Duration = Duration::MAX;

fn client_at(url: &str, id: &str, secret: &str) -> Client {
    let builder = Client::builder(&url.parse().expect("a URL"), Credentials::new(id, secret));
    untimed(builder).rate_limit(None).build().expect("a client").with_account("org-1").with_now(now())
}

async fn start(builder: SandboxBuilder) -> (Sandbox, Client) {
    let sandbox = builder.today(now().date_naive()).start().await.expect("a free port");
    let client = client_at(sandbox.url(), demo::GENESYS_CLIENT_ID, demo::GENESYS_CLIENT_SECRET);
    (sandbox, client)
}

fn last_month() -> Period {
    Period::last_month(now())
}

fn calls(sandbox: &Sandbox, operation: &str) -> usize {
    sandbox.requests().iter().filter(|request| request.operation == Some(operation)).count()
}

fn keys(rows: &[UsageRow]) -> BTreeSet<String> {
    rows.iter().map(|row| row.row_key.to_string()).collect()
}
