//! `doctor`: checks of the settings and of the way to each vendor, with advice.

mod check;
mod connection;

use std::process::ExitCode;

use clap::Args;
use usage_billing::{ErrorKind, printable};

use self::check::{Check, State};
use super::output::FormatArguments;
use crate::accounts::{AccountArguments, AccountClient, Client, Vendor};
use crate::exit::Failure;

#[derive(Args)]
pub(crate) struct DoctorArguments {
    /// Vendors [default: all that are configured].
    #[arg(value_name = "VENDOR", value_enum)]
    vendors: Vec<Vendor>,

    #[command(flatten)]
    format: FormatArguments,

    #[command(flatten)]
    accounts: AccountArguments,
}

pub(crate) async fn run(arguments: DoctorArguments) -> Result<ExitCode, Failure> {
    arguments.accounts.reject_unused_day()?;
    let clients = arguments.accounts.clients(&arguments.vendors).await?;
    let (mut checks, mut errors) = (Vec::new(), Vec::new());
    for account in &clients.clients {
        checks.push(Check::new(
            account,
            "settings",
            State::Ok,
            format!("the account is complete; requests go to {}", account.client.base_url()),
        ));
        checks.extend(connection::checks(account).await);
        match call(account).await {
            Ok(check) => checks.extend(check),
            Err(error) => {
                let name = if error.operation() == Some("issue token") { "token" } else { "call" };
                let advice = error.hint().map(str::to_owned);
                let check = Check::new(account, name, State::Failed, error.clone().to_string());
                checks.push(Check { advice, ..check });
                errors.push(error);
            }
        }
    }
    arguments.format.print(&checks, || check::table(&checks))?;
    let failed = checks.iter().filter(|check| check.state == State::Failed).count();
    match (errors.is_empty(), failed) {
        (false, _) => Ok(Failure::Vendors(errors).code()),
        (true, 0) => Ok(ExitCode::SUCCESS),
        (true, 1) => Err(Failure::Check("1 check failed".to_owned())),
        (true, failed) => Err(Failure::Check(format!("{failed} checks failed"))),
    }
}

/// Requests a token and something that every account may read.
async fn call(account: &AccountClient) -> usage_billing::Result<Vec<Check>> {
    let (message, needs_token) = match &account.client {
        Client::Acronis(client) => match client.own_tenant().await {
            Ok(tenant) => (format!("the account belongs to tenant {tenant}"), true),
            // The token was accepted.
            Err(error) if error.kind() == ErrorKind::Permission => {
                ("the account may not read its own tenant".to_owned(), true)
            }
            Err(error) => return Err(error),
        },
        Client::Genesys(client) => {
            let organization = client.organization().await?;
            (
                format!(
                    "the account belongs to organization {}",
                    printable(organization.name.as_deref().unwrap_or(&organization.id))
                ),
                true,
            )
        }
        Client::Suger(client) => {
            client.api().list_products().org_id(client.org_id()).limit(1).send().await?;
            (format!("the key reads organization {}", printable(client.org_id())), false)
        }
    };
    let token = needs_token.then(|| Check::new(account, "token", State::Ok, "the credential is accepted".to_owned()));
    Ok(token.into_iter().chain([Check::new(account, "call", State::Ok, message)]).collect())
}
