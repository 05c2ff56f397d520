//! Month end of a Genesys Cloud partner: prints the bills of client organizations for their last finished billing periods, charge by charge.
//!
//! `cargo run --example partner_overage [-- ORGANIZATION_ID…]`, with `GENESYS_REGION`, `GENESYS_CLIENT_ID` and `GENESYS_CLIENT_SECRET` set.
//! Without ids, it prints the bills of all organizations that trust the own one.

use usage_billing::Result;
use usage_billing::chrono::{DateTime, Utc};
use usage_billing::genesys::{BillLine, BillingPeriod, Client, ClientBill, ClientOrganizations};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<std::process::ExitCode> {
    let client = Client::builder_from_env()?.build()?;
    let (charges, failures) = bills(&client, std::env::args().skip(1).collect(), Utc::now()).await?;
    charges.iter().for_each(|line| println!("{line}"));
    failures.iter().for_each(|line| eprintln!("{line}"));
    Ok(std::process::ExitCode::from(u8::from(!failures.is_empty())))
}

/// Returns a line for each charge and each total, and a line for each failure.
pub(crate) async fn bills(client: &Client, ids: Vec<String>, now: DateTime<Utc>) -> Result<(Vec<String>, Vec<String>)> {
    let organizations = if ids.is_empty() { ClientOrganizations::All } else { ClientOrganizations::Ids(ids) };
    let bills = client.client_bills(BillingPeriod::LastFinished { at: now }, organizations).await?;
    let found = bills.outcomes.iter().filter_map(|outcome| outcome.bill.as_ref().ok());
    let lines = found.flat_map(|bill| bill.lines.iter().map(|charge| line(bill, charge)).chain([total(bill)]));
    let without = bills.outcomes.iter().filter(|outcome| outcome.no_bill.is_some());
    let without = without.map(|outcome| format!("{:?}: no bill of the period", outcome.organization_name));
    Ok((lines.chain(without).collect(), bills.errors().map(ToString::to_string).collect()))
}

fn customer(bill: &ClientBill) -> &str {
    bill.organization.name.as_deref().unwrap_or(&bill.organization.id)
}

fn line(bill: &ClientBill, line: &BillLine) -> String {
    let currency = bill.currency.as_deref().unwrap_or_default();
    let (item, quantity) = (&line.charge.item, line.charge.usage_quantity);
    let amount = match (line.is_billable(), line.amount) {
        (Some(false), _) => "not charged".to_owned(),
        (_, Some(amount)) => format!("{amount} {currency}"),
        (_, None) => line.see_invoice.first().map(ToString::to_string).unwrap_or_default(),
    };
    format!("{}: {} {quantity} {}: {amount}", customer(bill), item.part_number, item.unit)
}

fn total(bill: &ClientBill) -> String {
    let (total, currency) = (bill.total(), bill.currency.as_deref().unwrap_or_default());
    match total.amount {
        Some(amount) => format!("{}: total {amount} {currency}", customer(bill)),
        None => format!("{}: total unknown, of which {} {currency} is known", customer(bill), total.known_amount),
    }
}
