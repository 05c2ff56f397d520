//! Usage of a Genesys Cloud organization and the bills of its client organizations.

use chrono::{DateTime, Utc};
use usage_billing::genesys::{
    BillingPeriod, ChargeDifference, Client, ClientBills, ClientOrganizations, ClientOutcome, NoBill,
};
use usage_billing::{ErrorKind, Period, Result, printable};

use crate::arguments::FetchArguments;
use crate::output;
use crate::vendors::{Fetched, in_time};

/// Fetches the usage of the organization itself, the bills of its client organizations if it may list them, and the vendor's own charges if
/// they are asked for.
pub(crate) async fn fetch(
    client: &Client,
    period: Period,
    bills: &[BillingPeriod],
    arguments: &FetchArguments,
    now: DateTime<Utc>,
) -> Result<Fetched> {
    let timeout = arguments.timeout;
    let clients = in_time(timeout, "the bills of client organizations were not read to their end", async {
        let mut all = Vec::new();
        for billing_period in bills {
            all.push(client.client_bills(*billing_period, ClientOrganizations::All).await?);
        }
        Ok(all)
    });
    let (own, clients) = tokio::join!(client.usage(period, timeout), clients);
    let mut fetched = Fetched::from(Vec::new());
    match (own, &clients) {
        (Ok(own), _) => fetched.rows.extend(own),
        // A partner's credential need not read the own bill.
        (Err(error), Ok(_)) => fetched.errors.push(error),
        (Err(error), Err(_)) => return Err(error),
    }
    let clients = match clients {
        Ok(clients) => clients,
        // Most organizations have no clients, and no permission to list any.
        Err(error) if error.kind() == ErrorKind::Permission => {
            output::tell(&format!("genesys: without client organizations: {error}"));
            Vec::new()
        }
        Err(error) => {
            fetched.errors.push(error);
            Vec::new()
        }
    };
    for bills in &clients {
        fetched.rows.extend(bills.rows());
        fetched.errors.extend(bills.errors().cloned());
        bills.outcomes.iter().for_each(tell_of_no_bill);
    }
    if arguments.genesys_contracts {
        let charges = contract_charges(client, bills, &clients, now);
        let charges = in_time(timeout, "the charges of contracts were not read to their end", charges);
        match charges.await {
            Ok(charges) => {
                fetched.rows.extend(charges.rows);
                fetched.errors.extend(charges.errors);
            }
            Err(error) => fetched.errors.push(error),
        }
    }
    Ok(fetched)
}

/// The vendor's own charges of the billing periods as rows. Where ours differ from them is printed.
async fn contract_charges(
    client: &Client,
    periods: &[BillingPeriod],
    bills: &[ClientBills],
    now: DateTime<Utc>,
) -> Result<Fetched> {
    let account = client.organization().await?;
    let bills: Vec<_> = bills.iter().flat_map(ClientBills::bills).collect();
    let mut fetched = Fetched::from(Vec::new());
    for period in periods {
        let charges = client.contract_charges(*period).await?;
        for bill in &bills {
            let customer = bill.organization.name.as_ref().unwrap_or(&bill.organization.id);
            bill.compare(&charges.charges).iter().for_each(|difference| tell(customer, difference));
        }
        let rows = charges.rows(&account, &bills, now);
        fetched.rows.extend(rows.rows);
        fetched.errors.extend(charges.errors);
        fetched.errors.extend(rows.errors);
    }
    Ok(fetched)
}

/// Nothing is missing then, but nobody is left out silently.
fn tell_of_no_bill(outcome: &ClientOutcome) {
    let why = match outcome.no_bill {
        None => return,
        Some(NoBill::OutsideContract) => "its contract began later or ended before",
        Some(NoBill::NotBegun) => "its billing period begins later in the month",
        Some(_) => "the billing period has begun, and the vendor does not show it yet",
    };
    let customer = outcome.organization_name.as_deref().unwrap_or("a client organization");
    let error = outcome.bill.as_ref().err().map(|error| format!(": {error}")).unwrap_or_default();
    output::tell(&format!("genesys: {}: no bill, as {why}{error}", printable(customer)));
}

fn tell(customer: &str, difference: &ChargeDifference) {
    let ours = difference.ours.as_deref().unwrap_or("unknown");
    let compared = match &difference.vendors {
        Some(vendors) => {
            format!("{} by the vendor's contract and {ours} by its overview; the contract is right", printable(vendors))
        }
        None => format!("{ours} by the vendor's overview, and no contract that could be read charges for it"),
    };
    let (customer, part_number) = (printable(customer), printable(&difference.part_number));
    output::tell(&format!("genesys: {customer}, {part_number}: {} is {compared}", difference.number));
}
