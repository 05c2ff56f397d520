//! `usage`: usage data of the vendors.

mod fetch;

use std::process::ExitCode;

use clap::Subcommand;

use crate::exit::Failure;

#[derive(Subcommand)]
pub(crate) enum UsageCommand {
    /// Fetch a period's usage of every vendor: one row per customer and SKU.
    #[command(after_help = fetch::HELP)]
    Fetch(fetch::FetchArguments),
}

pub(crate) async fn run(command: UsageCommand) -> Result<ExitCode, Failure> {
    match command {
        UsageCommand::Fetch(arguments) => fetch::run(arguments).await,
    }
}
