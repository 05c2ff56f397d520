//! An ISV's long-running metering service: it queues usage as it is counted, sends it in the background, and stops in time.
//!
//! `SUGER_ORG_ID=… SUGER_API_KEY=… cargo run -p usage-billing --example isv_metering_service`

use std::process::ExitCode;
use std::time::Duration;

use futures_util::{Stream, StreamExt, pin_mut};
use usage_billing::chrono::{DurationRound, TimeDelta, Utc};
use usage_billing::suger::{Client, Receipt, UsageEvent};
use usage_billing::{ErrorKind, Result};

/// Time for the last flush: an orchestrator kills the process soon after (Kubernetes after 30 s).
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(20);

/// Delay before an event is pushed again that a full queue has returned.
const FULL_QUEUE_DELAY: Duration = Duration::from_secs(1);

/// Queues the events of `metered` until it ends, and returns the unsent ones for the next start.
pub(crate) async fn serve(
    client: &Client,
    metered: impl Stream<Item = UsageEvent>,
    shutdown_limit: Duration,
) -> Result<Receipt> {
    // The process before this one may have ended while it sent the same usage.
    let queue = client.usage_queue().validate_first().after_restart();
    let (sender, mut receipts) = queue.into_sender().interval(Duration::from_secs(300)).capacity(50_000).spawn()?;
    let reader = tokio::spawn(async move {
        // Store the receipts: delivered usage need not be kept any longer, rejected usage is not billed.
        while let Some(receipt) = receipts.next().await {
            println!("{receipt}");
        }
    });
    pin_mut!(metered);
    while let Some(event) = metered.next().await {
        let mut event = event;
        while let Err(rejected) = sender.push(event) {
            if rejected.error.kind() != ErrorKind::Limit {
                eprintln!("invalid event: {}", rejected.error);
                break;
            }
            // The vendor has been unavailable for long. The queue has room again once a flush has sent a part of it.
            event = rejected.event;
            tokio::time::sleep(FULL_QUEUE_DELAY).await;
        }
    }
    let last = sender.shutdown(shutdown_limit).await;
    let _ = reader.await;
    Ok(last)
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    // Shows deliveries, retries and rejections: target `usage_billing::http` for calls, `usage_billing::suger` for usage.
    tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).init();
    let client = Client::builder_from_env()?.build()?;
    // Replace this by your meter: it yields the usage of three hours, and then stops.
    let hour = Utc::now().duration_trunc(TimeDelta::hours(1)).expect("hours are round");
    let usage = |back| UsageEvent::new("ent-aws01", hour - TimeDelta::hours(back)).quantity("ingest_gb", 1 + back);
    let last = serve(&client, futures_util::stream::iter((1..4).map(usage)), SHUTDOWN_LIMIT).await?;
    println!("{last}");
    Ok(if last.is_complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
