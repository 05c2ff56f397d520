//! Usage of a Genesys Cloud organization and the bills of its client organizations.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use usage_billing::genesys::{
    BillingPeriod, ChargeDifference, Client, ClientBill, ClientBills, ClientOrganizations, ClientOutcome,
    ContractCharges, ContractRows, NoBill, Organization,
};
use usage_billing::{ErrorKind, Period, Result, printable};

use super::FetchArguments;
use super::client_selection::ClientSelection;
use super::vendor_usage::Fetched;
use crate::terminal;

/// Fetches the usage of the organization itself, the bills of its client organizations if it may list them, and the vendor's own charges if
/// `--genesys-contracts` is set.
pub(crate) async fn fetch(
    client: &Client,
    period: Period,
    bills: &[BillingPeriod],
    arguments: &FetchArguments,
    now: DateTime<Utc>,
) -> Result<Fetched> {
    let timeout = arguments.timeout;
    let selection = match &arguments.clients {
        ClientSelection::All => Some(ClientOrganizations::All),
        ClientSelection::Ids(ids) => Some(ClientOrganizations::Ids(ids.clone())),
        ClientSelection::None => None,
    };
    // All months concurrently: one month's wait does not delay others.
    let clients = bills
        .iter()
        .flat_map(|period| selection.clone().map(|selection| client.client_bills_within(*period, selection, timeout)));
    let (own, clients) = tokio::join!(client.usage(period, timeout), join_all(clients));
    let mut fetched = Fetched::from(Vec::new());
    match own {
        Ok(own) => fetched.rows.extend(own),
        // A partner's credential need not read the own bill.
        Err(error) if clients.iter().any(Result::is_ok) => fetched.errors.push(error),
        Err(error) => return Err(error),
    }
    let (mut found, mut is_forbidden) = (Vec::new(), false);
    for bills in clients {
        match bills {
            Ok(bills) => found.push(bills),
            // Most organizations have no clients and no permission to list them.
            Err(error) if error.kind() == ErrorKind::Permission && arguments.clients == ClientSelection::All => {
                if !std::mem::replace(&mut is_forbidden, true) {
                    terminal::eprint_line(&format!("genesys: client organizations are not included: {error}"));
                }
            }
            Err(error) => fetched.errors.push(error),
        }
    }
    for bills in &found {
        fetched.rows.extend(bills.rows());
        fetched.errors.extend(bills.errors().cloned());
        bills.outcomes.iter().for_each(print_missing_bill);
    }
    if arguments.genesys_contracts {
        let found: Vec<_> = found.iter().flat_map(ClientBills::bills).collect();
        let charges = bills.iter().map(|period| contract_charges(client, *period, &found, timeout));
        for charges in join_all(charges).await {
            match charges {
                Ok((charges, account)) => {
                    let ContractRows { rows, errors, .. } = charges.rows(&account, &mut fetched.rows, now);
                    fetched.rows.extend(rows);
                    fetched.errors.extend(charges.errors.into_iter().chain(errors));
                }
                Err(error) => fetched.errors.push(error),
            }
        }
    }
    Ok(fetched)
}

/// The vendor's own charges of a billing period, and the own organization. Differences from our own results are printed.
async fn contract_charges(
    client: &Client,
    period: BillingPeriod,
    bills: &[&ClientBill],
    timeout: Duration,
) -> Result<(ContractCharges, Organization)> {
    let charges = client.contract_charges_within(period, timeout).await?;
    charges.compare(bills).iter().for_each(print_difference);
    Ok((charges, client.organization().await?))
}

/// Prints why an organization has no bill: none is omitted silently.
fn print_missing_bill(outcome: &ClientOutcome) {
    let why = match outcome.no_bill {
        None => return,
        Some(NoBill::OutsideContract) => "its contract started later or ended before",
        Some(NoBill::NotBegun) => "its billing period starts later in the month",
        Some(_) => "the billing period has started, and the vendor does not show it yet",
    };
    let customer = outcome.organization_name.as_deref().unwrap_or("a client organization");
    let error = outcome.bill.as_ref().err().map(|error| format!(": {error}")).unwrap_or_default();
    terminal::eprint_line(&format!("genesys: {}: no bill, as {why}{error}", printable(customer)));
}

fn print_difference(difference: &ChargeDifference) {
    let customer = difference.organization.name.as_ref().unwrap_or(&difference.organization.id);
    let ours = difference.ours.as_deref().unwrap_or("unknown");
    let compared = match &difference.vendors {
        Some(vendors) => {
            format!("{} by the vendor's contract and {ours} by its overview; the contract is right", printable(vendors))
        }
        None => format!("{ours} by the vendor's overview, and no contract that could be read charges for it"),
    };
    let (customer, part_number) = (printable(customer), printable(&difference.part_number));
    terminal::eprint_line(&format!("genesys: {customer}, {part_number}: {} is {compared}", difference.number));
}
