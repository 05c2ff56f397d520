//! `meter status`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Args;
use usage_billing::suger::types::UsageRecordGroupStatus as Status;

use super::groups::{self, GroupArguments};
use super::outbox::{self, InsteadArguments};
use crate::accounts::AccountArguments;
use crate::commands::output::FormatArguments;
use crate::exit::Failure;
use crate::terminal;

#[derive(Args)]
pub(crate) struct StatusArguments {
    #[command(flatten)]
    groups: GroupArguments,

    /// Status (CREATED, REPORTED, REPORT_PENDING, REPORT_FAILED, INVALID, DELETED) [default: all].
    #[arg(long, value_parser = status)]
    status: Option<Status>,

    #[command(flatten)]
    outbox: InsteadArguments,

    /// With --outbox: exit with 6 if usage is not delivered.
    #[arg(long, requires = "outbox")]
    exit_code: bool,

    #[command(flatten)]
    format: FormatArguments,

    #[command(flatten)]
    accounts: AccountArguments,
}

fn status(text: &str) -> Result<Status, String> {
    match Status::from(text.to_ascii_uppercase()) {
        Status::Unknown(_) => {
            Err("expected CREATED, REPORTED, REPORT_PENDING, REPORT_FAILED, INVALID or DELETED".to_owned())
        }
        status => Ok(status),
    }
}

pub(super) async fn run(arguments: StatusArguments) -> Result<ExitCode, Failure> {
    if let Some(outbox) = arguments.outbox.wanted() {
        if arguments.status.is_some() || arguments.groups.is_given() {
            let message =
                "--outbox has the state of all events: `usage-billing meter show` lists those of a period or state";
            return Err(Failure::Usage(message.to_owned()));
        }
        return outbox::status(&outbox, arguments.format, arguments.exit_code, &arguments.accounts).await;
    }
    let (client, _clients) = groups::client(&arguments.accounts).await?;
    let groups = groups::list(&client, &arguments.groups, arguments.status, arguments.accounts.now()).await?;
    let mut numbers = BTreeMap::<&str, usize>::new();
    for group in &groups {
        *numbers.entry(group.status.as_ref().map_or("without status", Status::as_str)).or_default() += 1;
    }
    let numbers: Vec<_> = numbers.iter().map(|(status, number)| format!("{number} {status}")).collect();
    let summary = format!("{}: {}", terminal::count(groups.len(), "group"), numbers.join(", "));
    let with_reasons = || groups.iter().map(|group| (group, String::new()));
    arguments.format.print(&groups, || groups::table(with_reasons()))?;
    terminal::print_progress(&format!("suger: {}", summary.trim_end_matches(": ")));
    Ok(ExitCode::SUCCESS)
}
