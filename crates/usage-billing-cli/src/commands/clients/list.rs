//! `clients list`.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use usage_billing::uuid::Uuid;
use usage_billing::{Error, ErrorKind, Pager, acronis, genesys, printable};

use crate::accounts::{AccountArguments, Client, Vendor};
use crate::commands::output::{self, FormatArguments};
use crate::exit::{Failure, PARTIAL, error_line};
use crate::formats::table::Content::{Prose, Text, Word};
use crate::formats::table::Display::{Always, IfDiffers, IfSpace};
use crate::terminal;

/// A longer list is not kept in memory.
const MAX_CUSTOMERS: usize = 100_000;

#[derive(Args)]
pub(crate) struct ListArguments {
    /// Vendors [default: acronis and genesys, if they are configured].
    #[arg(value_name = "VENDOR", value_enum)]
    vendors: Vec<Vendor>,

    #[command(flatten)]
    format: FormatArguments,

    #[command(flatten)]
    accounts: AccountArguments,
}

/// A customer of a partner.
#[derive(Serialize)]
struct Customer {
    account: String,
    vendor: &'static str,
    id: String,
    name: Option<String>,
    kind: Option<String>,
    parent_id: Option<String>,
    is_enabled: Option<bool>,
}

pub(super) async fn run(arguments: ListArguments) -> Result<ExitCode, Failure> {
    if arguments.vendors.contains(&Vendor::Suger) {
        return Err(Failure::Usage("Suger has no clients of partners: list acronis or genesys".to_owned()));
    }
    let wanted =
        if arguments.vendors.is_empty() { &[Vendor::Acronis, Vendor::Genesys][..] } else { &arguments.vendors };
    arguments.accounts.reject_unused_day()?;
    let clients = arguments.accounts.clients(wanted).await?;
    let (mut all, mut errors) = (Vec::new(), Vec::new());
    for account in &clients.clients {
        match customers(&account.name, &account.client).await {
            Ok(customers) => {
                let number = terminal::count(customers.len(), "customer");
                terminal::print_progress(&format!("{}: {number}", printable(&account.name)));
                all.extend(customers);
            }
            Err(error) => {
                terminal::eprint_line(&format!("{}: {}", account.name, error_line(&error, arguments.accounts.now())));
                errors.push(error);
            }
        }
    }
    if errors.len() == clients.clients.len() {
        return Ok(Failure::Vendors(errors).code());
    }
    arguments.format.print(&all, || table(&all))?;
    Ok(if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(PARTIAL) })
}

fn table(all: &[Customer]) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let row = |one: &Customer| {
        let enabled = one.is_enabled.map_or("", |enabled| if enabled { "yes" } else { "no" });
        [
            one.account.clone(),
            text(&one.name),
            text(&one.kind),
            one.id.clone(),
            enabled.to_owned(),
            text(&one.parent_id),
        ]
    };
    let columns = [
        ("ACCOUNT", Text, IfDiffers),
        ("NAME", Prose, Always),
        ("KIND", Text, IfDiffers),
        ("ID", Word, Always),
        ("ENABLED", Word, IfDiffers),
        ("PARENT", Word, IfSpace),
    ];
    output::table(columns, all.iter().map(row))
}

async fn customers(account: &str, client: &Client) -> Result<Vec<Customer>, Error> {
    match client {
        Client::Acronis(client) => tenants(account, client).await,
        Client::Genesys(client) => {
            let trustors = client.client_organizations().await?;
            Ok(trustors.into_iter().map(|trustor| organization(account, trustor)).collect())
        }
        Client::Suger(_) => Ok(Vec::new()),
    }
}

fn organization(account: &str, trustor: genesys::types::Trustor) -> Customer {
    let organization = trustor.organization;
    let nested = organization.as_ref().and_then(|organization| organization.id.clone());
    Customer {
        account: account.to_owned(),
        vendor: Vendor::Genesys.name(),
        id: trustor.id.or(nested).unwrap_or_default(),
        name: organization.and_then(|organization| organization.name),
        kind: Some("organization".to_owned()),
        parent_id: None,
        is_enabled: trustor.enabled,
    }
}

/// Lists all tenants below the one of the account.
async fn tenants(account: &str, client: &acronis::Client) -> Result<Vec<Customer>, Error> {
    let own = client.own_tenant().await?;
    let mut tenants = subtree(client, own);
    let mut customers = Vec::new();
    while let Some(tenant) = tenants.next().await.transpose()? {
        if tenant.id == own {
            continue;
        }
        if customers.len() == MAX_CUSTOMERS {
            return Err(Error::new(ErrorKind::Limit, format!("more than {MAX_CUSTOMERS} tenants")));
        }
        customers.push(Customer {
            account: account.to_owned(),
            vendor: Vendor::Acronis.name(),
            id: tenant.id.to_string(),
            name: tenant.name,
            kind: tenant.kind.map(|kind| kind.as_str().to_owned()),
            parent_id: Some(tenant.parent_id),
            is_enabled: tenant.enabled,
        });
    }
    Ok(customers)
}

fn subtree(client: &acronis::Client, root: Uuid) -> Pager<acronis::types::Tenant> {
    let client = client.clone();
    Pager::new(String::new(), move |after: String| {
        let client = client.clone();
        async move {
            // The cursor carries the filter.
            let request = match after.as_str() {
                "" => client.api().list_tenants().subtree_root_id(root),
                after => client.api().list_tenants().after(after),
            };
            let page = request.send().await?.into_inner();
            let next = page.paging.and_then(|paging| paging.cursors?.after).filter(|after| !after.is_empty());
            Ok((page.items, next))
        }
    })
}
