//! A Genesys Cloud partner's month end: what client organizations used beyond what is prepaid, and at which price.
//!
//! `cargo run --example partner_overage -- ORGANIZATION_ID…`, with `GENESYS_REGION`, `GENESYS_CLIENT_ID` and `GENESYS_CLIENT_SECRET` set.

use usage_billing::genesys::{Client, overview_rows};
use usage_billing::{Result, UsageRow};

/// The last finished billing period.
const LAST: u16 = 1;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let client = Client::builder_from_env()?.build()?;
    lines(&client, std::env::args().skip(1)).await.iter().for_each(|line| println!("{line}"));
    Ok(())
}

pub(crate) async fn lines(client: &Client, organizations: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines = Vec::new();
    for (organization, overview) in client.billing_overviews(organizations, LAST).await {
        match overview.and_then(|overview| overview_rows(&overview, client.account(), LAST)) {
            Ok(rows) => lines.extend(rows.iter().map(line)),
            Err(error) => lines.push(format!("{organization}: {error}")),
        }
    }
    lines
}

fn line(row: &UsageRow) -> String {
    let (name, sku) = (row.customer_name.as_deref().unwrap_or("?"), &row.sku);
    match (row.overage_quantity, row.unit_price, &row.currency) {
        (Some(overage), Some(price), Some(currency)) => {
            format!("{name}: {sku} {overage} x {price} = {} {currency}", overage * price)
        }
        _ => format!("{name}: {sku} {} {}: see the invoice", row.quantity, row.unit),
    }
}
