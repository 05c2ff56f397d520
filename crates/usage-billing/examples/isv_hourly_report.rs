//! An ISV's hourly report to Suger, with a crash in between: nothing is lost, and nothing is billed twice.
//!
//! `SUGER_ORG_ID=… SUGER_API_KEY=… cargo run -p usage-billing --example isv_hourly_report`

use std::time::Duration;

use usage_billing::chrono::{DateTime, DurationRound, TimeDelta, Utc};
use usage_billing::suger::{Client, Receipt, UsageReport};
use usage_billing::{Decimal, Result};

/// What your meter counted in an hour. Asked again, it says the same: that, and not luck, is what makes a second run harmless.
fn metered(hour: DateTime<Utc>) -> [UsageReport; 3] {
    let aws = UsageReport::new("ent-aws01", hour)
        .quantity("ingest_gb", Decimal::new(120_625, 4))
        .quantity("api_calls", 40_000);
    let azure = UsageReport::new("ent-azu01", hour).quantity("seats", 17);
    [aws, azure, UsageReport::new("ent-gcp01", hour).quantity("node_hours", Decimal::new(15, 1))]
}

/// The whole job. Schedule it as often as you like for the same hour.
pub(crate) async fn report(client: &Client, hour: DateTime<Utc>) -> Result<Receipt> {
    let mut reporter = client.reporter().validate_first().confirm_duplicates();
    for report in metered(hour) {
        reporter.push(report)?;
    }
    Ok(reporter.flush().await)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let client = Client::builder_from_env()?.build()?;
    let hour = (Utc::now() - TimeDelta::hours(1))
        .duration_trunc(TimeDelta::hours(1))
        .expect("an hour is a whole number of seconds");
    // The first run ends in the middle.
    let _crash = tokio::time::timeout(Duration::from_millis(50), report(&client, hour)).await;
    let receipt = report(&client, hour).await?;
    println!("{receipt}");
    receipt
        .rejected
        .iter()
        .chain(&receipt.unsent)
        .for_each(|it| eprintln!("{}: {}", it.report.entitlement_id(), it.error));
    Ok(())
}
