//! Usage of a Genesys Cloud organization and the bills of its client organizations.

use chrono::{DateTime, Utc};
use usage_billing::genesys::{ChargeDifference, Client, ClientBills, ClientOutcome, ContractRows, NoBill};
use usage_billing::{ErrorKind, Period, Result, printable};

use super::FetchArguments;
use super::account_bills::AccountBills;
use super::client_selection::ClientSelection;
use super::target::FetchTarget;
use super::vendor_usage::Fetched;
use crate::terminal;

/// Fetches the usage of the organization itself, the bills of its client organizations if it may list them, and the vendor's own charges if
/// `--genesys-contracts` is set.
pub(crate) async fn fetch(
    client: &Client,
    label: &str,
    target: FetchTarget,
    period: Period,
    bills: &AccountBills,
    arguments: &FetchArguments,
    now: DateTime<Utc>,
) -> Result<Fetched> {
    let own = client.usage(period, arguments.timeout);
    let (own, clients, charges) = tokio::join!(own, bills.clients(client, arguments), bills.charges(client, arguments));
    let mut fetched = Fetched::from(Vec::new());
    match own {
        Ok(own) => fetched.rows.extend(own),
        // A partner's credential need not read the own bill.
        Err(error) if clients.as_ref().is_some_and(Result::is_ok) => fetched.errors.push(error),
        Err(error) => return Err(error),
    }
    let client_bills = match clients {
        None => Vec::new(),
        Some(Ok(all)) => bills.of_target(target, now, all),
        // Most organizations have no clients and no permission to list them.
        Some(Err(error)) if error.kind() == ErrorKind::Permission && arguments.clients == ClientSelection::All => {
            terminal::eprint_line(&format!("{label}: client organizations are not included: {error}"));
            Vec::new()
        }
        Some(Err(error)) => {
            fetched.errors.push(error);
            Vec::new()
        }
    };
    for bills in &client_bills {
        fetched.rows.extend(bills.rows());
        fetched.errors.extend(bills.errors().cloned());
        bills.outcomes.iter().for_each(|outcome| print_missing_bill(label, outcome));
    }
    let client_bills: Vec<_> = client_bills.into_iter().flat_map(ClientBills::bills).collect();
    match charges {
        None => {}
        Some(Ok((all, account))) => {
            for charges in bills.of_target(target, now, all) {
                charges.compare(&client_bills).iter().for_each(|difference| print_difference(label, difference));
                let ContractRows { rows, errors, .. } = charges.rows(account, &mut fetched.rows, now);
                fetched.rows.extend(rows);
                fetched.errors.extend(charges.errors.iter().cloned().chain(errors));
            }
        }
        Some(Err(error)) => fetched.errors.push(error),
    }
    Ok(fetched)
}

/// Prints why an organization has no bill: none is omitted silently.
fn print_missing_bill(label: &str, outcome: &ClientOutcome) {
    let why = match outcome.no_bill {
        None => return,
        Some(NoBill::OutsideContract) => "its contract started later or ended before",
        Some(NoBill::NotBegun) => "its billing period starts later in the month",
        Some(_) => "the billing period has started, and the vendor does not show it yet",
    };
    let customer = outcome.organization_name.as_deref().unwrap_or("a client organization");
    let error = outcome.bill.as_ref().err().map(|error| format!(": {error}")).unwrap_or_default();
    terminal::eprint_line(&format!("{label}: {}: no bill, as {why}{error}", printable(customer)));
}

fn print_difference(label: &str, difference: &ChargeDifference) {
    let customer = difference.organization.name.as_ref().unwrap_or(&difference.organization.id);
    let ours = difference.ours.as_deref().unwrap_or("unknown");
    let compared = match &difference.vendors {
        Some(vendors) => {
            format!("{} by the vendor's contract and {ours} by its overview; the contract is right", printable(vendors))
        }
        None => format!("{ours} by the vendor's overview, and no contract that could be read charges for it"),
    };
    let (customer, part_number) = (printable(customer), printable(&difference.part_number));
    terminal::eprint_line(&format!("{label}: {customer}, {part_number}: {} is {compared}", difference.number));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser as _;
    use usage_billing::Credentials;
    use usage_billing_sandbox::{self as demo, Sandbox};

    use super::*;

    #[derive(clap::Parser)]
    struct CommandLine {
        #[command(flatten)]
        arguments: FetchArguments,
    }

    #[tokio::test(start_paused = true)]
    async fn bills_and_contract_charges_share_the_time_limit() {
        let now: DateTime<Utc> = "2026-11-21T12:00:00Z".parse().unwrap();
        let sandbox = Sandbox::builder().today(now.date_naive()).start().await.unwrap();
        for operation in ["getBillingTrusteebillingoverviewTrustorOrgId", "getBillingContracts"] {
            sandbox.inject(format!("latency; millis=3600000; operation={operation}").parse().unwrap()).unwrap();
        }
        let credentials = Credentials::new(demo::GENESYS_CLIENT_ID, demo::GENESYS_CLIENT_SECRET);
        let client = Client::builder(&sandbox.url().parse().unwrap(), credentials).build().unwrap().with_now(now);
        let arguments =
            CommandLine::parse_from(["fetch", "genesys", "--genesys-contracts", "--timeout", "90s"]).arguments;
        let october: Period = "2026-10".parse().unwrap();
        let start = tokio::time::Instant::now();
        let target = FetchTarget::Period(october);
        let bills = AccountBills::new([target].into_iter(), now);
        let fetched = fetch(&client, "genesys", target, october, &bills, &arguments, now).await.unwrap();
        assert!(fetched.errors.iter().any(|error| error.message().contains("the contracts were not listed")));
        assert!(start.elapsed() < Duration::from_secs(120), "{:?}", start.elapsed());
    }
}
