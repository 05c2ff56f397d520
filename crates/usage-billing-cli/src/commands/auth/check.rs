//! `auth check`.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use futures_util::{StreamExt, stream};
use serde::Serialize;
use usage_billing::reqwest::Method;
use usage_billing::{CallOptions, Error, ErrorKind, RetryPolicy, printable};
use usage_billing_core::Operation;

use super::access::{Access, OperationAccess, judge, of_status};
use crate::accounts::{AccountArguments, AccountClient, Client, Vendor};
use crate::commands::output::{self, FormatArguments};
use crate::exit::{Failure, error_line};
use crate::formats::table::Content::{Prose, Text, Word};
use crate::formats::table::Display::{Always, IfDiffers};
use crate::suggestion::did_you_mean;
use crate::terminal;

/// Number of concurrent requests.
const CONCURRENCY: usize = 4;
/// Time limit of a request.
const DEADLINE: Duration = Duration::from_secs(30);

#[derive(Args)]
pub(crate) struct CheckArguments {
    /// Vendors [default: all that are configured].
    #[arg(value_name = "VENDOR", value_enum)]
    vendors: Vec<Vendor>,

    /// Fail unless an account may call this operation: with exit code 3 if it is denied, with 1 if that is unknown. Can be repeated.
    #[arg(long, value_name = "OPERATION")]
    require: Vec<String>,

    #[command(flatten)]
    format: FormatArguments,

    #[command(flatten)]
    accounts: AccountArguments,
}

/// The access of one account.
#[derive(Serialize)]
struct AccountAccess {
    account: String,
    vendor: &'static str,
    operations: Vec<OperationAccess>,
}

pub(super) async fn run(arguments: CheckArguments) -> Result<ExitCode, Failure> {
    arguments.accounts.reject_unused_day()?;
    let clients = arguments.accounts.clients(&arguments.vendors).await?;
    check_names(&arguments.require, &clients.clients)?;
    let (mut all, mut errors) = (Vec::new(), Vec::new());
    for account in &clients.clients {
        let vendor = account.client.vendor().name();
        terminal::print_progress(&format!("{}: asking {vendor} …", printable(&account.name)));
        match check(&account.client).await {
            Ok(operations) => all.push(AccountAccess { account: account.name.clone(), vendor, operations }),
            Err(error) => {
                terminal::eprint_line(&format!("{}: {}", account.name, error_line(&error, arguments.accounts.now())));
                errors.push(error);
            }
        }
    }
    arguments.format.print(&all, || table(&all))?;
    if !errors.is_empty() {
        return Ok(Failure::Vendors(errors).code());
    }
    let access = |name: &String| {
        let of_name = all.iter().flat_map(|account| &account.operations).filter(|one| one.operation == *name);
        of_name.map(|one| one.access).min()
    };
    let required_names_with = |found: Access| {
        let names = arguments.require.iter().filter(|name| access(name) == Some(found));
        Some(names.map(String::as_str).collect::<Vec<_>>().join(", ")).filter(|names| !names.is_empty())
    };
    match (required_names_with(Access::Denied), required_names_with(Access::Unknown)) {
        (Some(denied), _) => {
            Err(Error::new(ErrorKind::Permission, format!("no account is allowed to call {denied}")).into())
        }
        (None, Some(unknown)) => {
            Err(Failure::Local(format!("it is unknown whether an account is allowed to call {unknown}")))
        }
        (None, None) => Ok(ExitCode::SUCCESS),
    }
}

fn check_names(required: &[String], clients: &[AccountClient]) -> Result<(), Failure> {
    let names: Vec<_> = clients.iter().flat_map(|account| account.client.operations()).map(|one| &*one.name).collect();
    match required.iter().find(|name| !names.contains(&name.as_str())) {
        Some(unknown) => {
            let expected = did_you_mean(unknown, names.iter().copied());
            Err(Failure::Usage(format!("unknown operation `{}`: {expected}", printable(unknown))))
        }
        None => Ok(()),
    }
}

/// Returns the access of a client.
///
/// # Errors
/// The error of a rejected credential, or of a vendor that cannot be reached.
async fn check(client: &Client) -> Result<Vec<OperationAccess>, Error> {
    let client = client.with_call_options(CallOptions::new().retry(RetryPolicy::none()).deadline(DEADLINE));
    let parameters = parameters(&client).await?;
    let called = client.operations().iter().filter_map(|operation| Some((operation, path(operation, &parameters)?)));
    let calls = called.map(|(operation, parameter)| call(&client, operation, parameter));
    let responses: Vec<_> = stream::iter(calls).buffer_unordered(CONCURRENCY).collect().await;
    let responses: BTreeMap<_, _> = responses.into_iter().collect::<Result<_, Error>>()?;
    Ok(judge(client.operations(), &responses))
}

/// Returns the ids of the account itself, by the names of parameters.
async fn parameters(client: &Client) -> Result<BTreeMap<&'static str, String>, Error> {
    Ok(match client {
        Client::Acronis(client) => match client.own_tenant().await {
            Ok(tenant) => BTreeMap::from([("tenant_id", tenant.to_string())]),
            Err(error) if error.kind() == ErrorKind::Permission => BTreeMap::new(),
            Err(error) => return Err(error),
        },
        Client::Genesys(client) => {
            client.organization().await?;
            BTreeMap::new()
        }
        Client::Suger(client) => BTreeMap::from([("orgId", client.org_id().to_owned())]),
    })
}

/// Returns the parameters of the path if the operation is harmless and they are known.
fn path<'a>(operation: &Operation, parameters: &'a BTreeMap<&'static str, String>) -> Option<Vec<(&'a str, &'a str)>> {
    let names = operation.path.split('{').skip(1).map(|rest| rest.split('}').next().unwrap_or_default());
    let parameter = |name| parameters.get_key_value(name).map(|(name, value)| (*name, value.as_str()));
    if operation.method == "GET" { names.map(parameter).collect() } else { None }
}

type Response = (&'static str, (Access, String));

async fn call(
    client: &Client,
    operation: &'static Operation,
    parameters: Vec<(&str, &str)>,
) -> Result<Response, Error> {
    let request = client.request(Method::GET, &operation.path);
    let request = parameters.into_iter().fold(request, |request, (name, value)| request.path_parameter(name, value));
    // The body is not read.
    let (access, reason) = match request.send_stream().await {
        Ok(response) => (Access::Allowed, response.status().to_string()),
        Err(error) if error.kind() == ErrorKind::Auth => return Err(error),
        Err(error) => match error.status() {
            Some(status) => (of_status(status.as_u16()), error.message().to_owned()),
            None => return Err(error),
        },
    };
    Ok((operation.id, (access, reason)))
}

fn table(all: &[AccountAccess]) -> String {
    let row = |account: &AccountAccess, one: &OperationAccess| {
        let access = match one.access {
            Access::Allowed => "allowed",
            Access::Denied => "denied",
            Access::Unknown => "unknown",
        };
        // Acronis' names begin with the URN of a service.
        let permissions: Vec<_> = one.permissions.iter().map(|name| name.rsplit("::").next().unwrap_or(name)).collect();
        [
            account.account.clone(),
            one.operation.clone(),
            access.to_owned(),
            permissions.join(" or "),
            one.reason.clone(),
        ]
    };
    let rows = all.iter().flat_map(|account| account.operations.iter().map(|one| row(account, one)));
    let columns = [
        ("ACCOUNT", Text, IfDiffers),
        ("OPERATION", Text, Always),
        ("ACCESS", Word, Always),
        ("PERMISSION", Text, IfDiffers),
        ("REASON", Prose, IfDiffers),
    ];
    output::table(columns, rows)
}
