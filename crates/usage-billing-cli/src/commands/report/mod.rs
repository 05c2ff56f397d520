//! `report`: the usage reports that are stored at Acronis.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use futures_util::{StreamExt, stream};
use usage_billing::uuid::Uuid;
use usage_billing::{Error, ErrorKind, acronis};
use usage_billing_core::ClientInfo as _;

use super::output::{self, FormatArguments};
use super::request_line::RequestLine;
use crate::accounts::{AccountArguments, Client, Clients, Vendor};
use crate::arguments::{Arguments, Command};
use crate::commands::usage;
use crate::consent::WriteArguments;
use crate::exit::Failure;
use crate::formats::table::Content::{Text, Word};
use crate::formats::table::Display::{Always, IfDiffers, IfSpace};
use crate::terminal;

/// Number of concurrent requests.
const CONCURRENCY: usize = 4;

#[derive(Subcommand)]
pub(crate) enum ReportCommand {
    /// List the reports of the account's tenant.
    List(ListArguments),
    /// Resume an interrupted report: `usage fetch acronis --report ID`.
    Resume(ResumeArguments),
    /// Delete reports.
    Delete(DeleteArguments),
}

#[derive(Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    format: FormatArguments,

    #[command(flatten)]
    accounts: AccountArguments,
}

#[derive(Args)]
pub(crate) struct ResumeArguments {
    /// Id of the report.
    #[arg(value_parser = usage::report_id)]
    id: Uuid,

    /// Options of `usage fetch`.
    #[arg(value_name = "OPTIONS", trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
}

#[derive(Args)]
pub(crate) struct DeleteArguments {
    /// Ids of the reports.
    #[arg(value_name = "ID", required = true, value_parser = usage::report_id)]
    ids: Vec<Uuid>,

    #[command(flatten)]
    write: WriteArguments,

    #[command(flatten)]
    accounts: AccountArguments,
}

pub(crate) async fn run(command: ReportCommand) -> Result<ExitCode, Failure> {
    match command {
        ReportCommand::List(arguments) => list(arguments).await,
        ReportCommand::Resume(arguments) => resume(arguments).await,
        ReportCommand::Delete(arguments) => delete(arguments).await,
    }
}

async fn client(accounts: &AccountArguments) -> Result<(acronis::Client, Clients), Failure> {
    accounts.reject_unused_day()?;
    let (account, clients) = accounts.client(Vendor::Acronis).await?;
    match account.client {
        Client::Acronis(client) => Ok((client, clients)),
        Client::Genesys(_) | Client::Suger(_) => {
            Err(Error::new(ErrorKind::Config, "the account is not one of Acronis").into())
        }
    }
}

async fn list(arguments: ListArguments) -> Result<ExitCode, Failure> {
    let (client, _clients) = client(&arguments.accounts).await?;
    let tenant = client.own_tenant().await?;
    let ids = client.api().list_tenant_reports().tenant_id(tenant).send().await?.into_inner().items;
    // In the order of the list; a report that was deleted meanwhile is left out.
    let reports = stream::iter(ids).map(|id| client.api().get_report().report_id(id).send()).buffered(CONCURRENCY);
    let mut all = Vec::new();
    for report in reports.collect::<Vec<_>>().await {
        match report {
            Ok(report) => all.push(report.into_inner()),
            Err(error) if error.status().is_some_and(|status| status == 404) => {}
            Err(error) => return Err(error.into()),
        }
    }
    arguments.format.print(&all, || {
        let row = |report: &acronis::types::Report| {
            let parameters = &report.parameters;
            let text = |value: serde_json::Result<serde_json::Value>| match value {
                Ok(serde_json::Value::String(text)) => text,
                Ok(serde_json::Value::Object(object)) => {
                    let values = object.values().filter_map(|value| value.as_str());
                    values.collect::<Vec<_>>().join(" ")
                }
                _ => String::new(),
            };
            [
                report.id.to_string(),
                report.generation_date.to_string(),
                text(serde_json::to_value(&parameters.kind)),
                text(serde_json::to_value(&parameters.level)),
                text(serde_json::to_value(&parameters.period)),
                text(serde_json::to_value(&report.result_action)),
            ]
        };
        let columns = [
            ("ID", Word, Always),
            ("CREATED", Text, Always),
            ("KIND", Text, IfSpace),
            ("LEVEL", Text, IfSpace),
            ("PERIOD", Text, IfDiffers),
            ("RESULT", Text, IfSpace),
        ];
        output::table(columns, all.iter().map(row))
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Runs `usage fetch` with the options that follow the id.
async fn resume(arguments: ResumeArguments) -> Result<ExitCode, Failure> {
    let id = arguments.id.to_string();
    let command = ["usage-billing", "usage", "fetch", "acronis", "--report", &id].map(str::to_owned);
    match Arguments::from_command_line(command.into_iter().chain(arguments.options))?.command {
        Command::Usage(command) => usage::run(command).await,
        _ => Err(Failure::Usage("only options of `usage fetch` can follow the id".to_owned())),
    }
}

async fn delete(arguments: DeleteArguments) -> Result<ExitCode, Failure> {
    let (client, _clients) = client(&arguments.accounts).await?;
    if arguments.write.dry_run {
        let base_url = client.api().baseurl();
        let line = |id: &Uuid| RequestLine::new("DELETE", base_url, &format!("/api/2/reports/{id}")).text();
        let lines = arguments.ids.iter().map(line).collect::<Result<String, _>>()?;
        terminal::print(&lines).map_err(Failure::of_output)?;
        return Ok(ExitCode::SUCCESS);
    }
    let reports = if arguments.ids.len() == 1 { "report" } else { "reports" };
    arguments.write.require(&format!("delete {} {reports} at Acronis", arguments.ids.len()))?;
    for id in &arguments.ids {
        let outcome = match client.api().get_report().report_id(*id).send().await {
            Err(error) if error.status().is_some_and(|status| status == 404) => "does not exist",
            _ => {
                client.delete_report(*id).await?;
                "is deleted"
            }
        };
        terminal::print_progress(&format!("acronis: report {id} {outcome}"));
    }
    Ok(ExitCode::SUCCESS)
}
