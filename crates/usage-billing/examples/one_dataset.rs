//! Writes last month's usage of all vendors as one dataset: a JSON object on each line, to be loaded with merge on `key`.
//!
//! `cargo run --example one_dataset > usage.jsonl`, with the environment that `usage-billing usage fetch --help` lists.

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use usage_billing::{Period, Result, UsageRow, acronis, chrono::Utc, genesys, suger};

pub(crate) const TIMEOUT: Duration = Duration::from_secs(600);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let acronis = acronis::Client::builder_from_env()?.build()?;
    let genesys = genesys::Client::builder_from_env()?.build()?;
    let suger = suger::Client::builder_from_env()?.build()?;
    let rows = dataset(&acronis, &genesys, &suger, Period::last_month(Utc::now())).await?;
    write(&rows, std::io::stdout().lock())
}

pub(crate) async fn dataset(
    acronis: &acronis::Client,
    genesys: &genesys::Client,
    suger: &suger::Client,
    period: Period,
) -> Result<Vec<UsageRow>> {
    let usage =
        tokio::try_join!(acronis.usage(period, TIMEOUT), genesys.usage(period, TIMEOUT), suger.usage(period, TIMEOUT));
    usage.map(|(acronis, genesys, suger)| [acronis, genesys, suger].concat())
}

pub(crate) fn write(rows: &[UsageRow], mut out: impl Write) -> Result<(), Box<dyn Error>> {
    for row in rows {
        writeln!(out, "{}", serde_json::to_string(row)?)?;
    }
    Ok(())
}
