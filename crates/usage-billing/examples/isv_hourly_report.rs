//! An ISV's hourly job that sends usage to Suger. It survives a crash: nothing is lost, and nothing is billed twice.
//!
//! `SUGER_ORG_ID=… SUGER_API_KEY=… cargo run -p usage-billing --example isv_hourly_report`

use std::process::ExitCode;
use std::time::Duration;

use usage_billing::chrono::{DateTime, DurationRound, TimeDelta, Utc};
use usage_billing::suger::{Client, Receipt, UsageEvent};
use usage_billing::{Decimal, Result};

/// Returns the usage of an hour according to your meter. Every call must return the same, which makes a second run harmless.
fn metered(hour: DateTime<Utc>) -> Vec<UsageEvent> {
    let usage =
        [("ent-aws01", "ingest_gb", 120_625), ("ent-azu01", "seats", 170_000), ("ent-gcp01", "node_hours", 15_000)];
    usage.map(|(id, dimension, it)| UsageEvent::new(id, hour).quantity(dimension, Decimal::new(it, 4))).into()
}

/// Sends the usage of an hour. It may run any number of times for the same hour.
pub(crate) async fn send_hour(client: &Client, hour: DateTime<Utc>) -> Result<Receipt> {
    let mut queue = client.usage_queue().validate_first();
    for event in metered(hour) {
        queue.push(event)?;
    }
    Ok(queue.flush().await)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode> {
    let client = Client::builder_from_env()?.build()?;
    let hour = (Utc::now() - TimeDelta::hours(1)).duration_trunc(TimeDelta::hours(1)).expect("hours are round");
    // The first run is aborted, the second one sends the rest.
    let _crash = tokio::time::timeout(Duration::from_millis(50), send_hour(&client, hour)).await;
    let receipt = send_hour(&client, hour).await?;
    println!("{receipt}");
    receipt.rejected.iter().chain(&receipt.unsent).for_each(|it| eprintln!("{}", it.error));
    Ok(if receipt.is_complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
