//! An ISV's hourly report to Suger, with a crash in between: nothing is lost, and nothing is billed twice.
//!
//! `SUGER_ORG_ID=… SUGER_API_KEY=… cargo run -p usage-billing --example isv_hourly_report`

use std::process::ExitCode;
use std::time::Duration;

use usage_billing::chrono::{DateTime, DurationRound, TimeDelta, Utc};
use usage_billing::suger::{Client, Receipt, UsageEvent};
use usage_billing::{Decimal, Result};

/// What your meter counted in an hour. Asked again, it says the same: that is what makes a second run harmless.
fn metered(hour: DateTime<Utc>) -> Vec<UsageEvent> {
    let usage =
        [("ent-aws01", "ingest_gb", 120_625), ("ent-azu01", "seats", 170_000), ("ent-gcp01", "node_hours", 15_000)];
    usage.map(|(id, dimension, it)| UsageEvent::new(id, hour).quantity(dimension, Decimal::new(it, 4))).into()
}

/// The whole job. Schedule it as often as you like for the same hour.
pub(crate) async fn report(client: &Client, hour: DateTime<Utc>) -> Result<Receipt> {
    let mut queue = client.usage_queue().validate_first();
    for report in metered(hour) {
        queue.push(report)?;
    }
    Ok(queue.flush().await)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode> {
    let client = Client::builder_from_env()?.build()?;
    let hour = (Utc::now() - TimeDelta::hours(1)).duration_trunc(TimeDelta::hours(1)).expect("hours are round");
    // The first run ends in the middle, the second one does what is left.
    let _crash = tokio::time::timeout(Duration::from_millis(50), report(&client, hour)).await;
    let receipt = report(&client, hour).await?;
    println!("{receipt}");
    receipt.rejected.iter().chain(&receipt.unsent).for_each(|it| eprintln!("{}", it.error));
    Ok(if receipt.is_complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
