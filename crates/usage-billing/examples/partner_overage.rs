//! A Genesys Cloud partner's month end: what client organizations used beyond what is prepaid, and at which price.
//!
//! `cargo run --example partner_overage -- ORGANIZATION_ID…`, with `GENESYS_REGION`, `GENESYS_CLIENT_ID` and `GENESYS_CLIENT_SECRET` set.

use usage_billing::{Result, UsageRow, genesys::Client};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<std::process::ExitCode> {
    let client = Client::builder_from_env()?.build()?;
    let (charges, failures) = overage(&client, std::env::args().skip(1)).await;
    charges.iter().for_each(|line| println!("{line}"));
    failures.iter().for_each(|line| eprintln!("{line}"));
    Ok(std::process::ExitCode::from(u8::from(!failures.is_empty())))
}

/// A line for each charge of the last finished billing period, and one for each organization without.
pub(crate) async fn overage(client: &Client, asked: impl Iterator<Item = String>) -> (Vec<String>, Vec<String>) {
    let (mut charges, mut failures) = (Vec::new(), Vec::new());
    for organization in asked {
        match client.client_usage(&organization, 1).await {
            Ok(rows) if rows.iter().any(|row| !row.is_final) => failures.push(format!("{organization}: not final yet")),
            Ok(rows) => charges.extend(rows.iter().map(line)),
            Err(error) => failures.push(format!("{organization}: {error}")),
        }
    }
    if charges.is_empty() && failures.is_empty() {
        failures.push("no charges: name the ids of client organizations".to_owned());
    }
    (charges, failures)
}

fn line(row: &UsageRow) -> String {
    let charge = row.overage_quantity.zip(row.unit_price).and_then(|(overage, price)| {
        Some(format!("{overage} x {price} = {} {}", overage.checked_mul(price)?, row.currency.as_ref()?))
    });
    let charge = charge.unwrap_or_else(|| format!("{} {}: see the invoice", row.quantity, row.unit));
    format!("{}: {} {charge}", row.customer_name.as_deref().unwrap_or("?"), row.sku)
}
