//! Month end of an MSP: writes the usage of each customer of an Acronis partner by SKU, for the last month, as CSV.
//!
//! `cargo run --example msp_month_end > bill.csv`, with `ACRONIS_DATA_CENTER`, `ACRONIS_CLIENT_ID` and `ACRONIS_CLIENT_SECRET` set.

use std::error::Error;
use std::io::{Write, stdout};
use std::time::Duration;

use usage_billing::Period;
use usage_billing::acronis::Client;
use usage_billing::chrono::Utc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let client = Client::builder_from_env()?.build()?;
    bill(&client, Period::last_month(Utc::now()), stdout().lock()).await
}

pub(crate) async fn bill(client: &Client, month: Period, to: impl Write) -> Result<(), Box<dyn Error>> {
    let rows = client.usage(month, Duration::from_secs(600)).await?;
    if let Some(row) = rows.iter().find(|row| !row.is_final) {
        return Err(format!("{} of {:?} may still change: make the bill later", row.sku, row.customer_name).into());
    }
    let mut csv = csv::Writer::from_writer(to);
    csv.write_record(["customer_id", "customer", "sku", "metric", "quantity", "unit"])?;
    // Trials, totals and similar rows are not for an invoice. Rows that no source decides need a review.
    for row in rows.iter().filter(|row| row.is_billable.is_none()) {
        eprintln!("{} of {:?} is not on the bill: {}", row.metric, row.customer_name, row.billing_reason);
    }
    for row in rows.into_iter().filter(|row| row.is_billable == Some(true)) {
        let (id, name) = (row.customer_id.unwrap_or_default(), row.customer_name.unwrap_or_default());
        csv.write_record([id, name, row.sku, row.metric, row.quantity.to_string(), row.unit])?;
    }
    Ok(csv.flush()?)
}
