//! `clients`: the customers of partners.

mod list;

use std::process::ExitCode;

use clap::Subcommand;

use crate::exit::Failure;

#[derive(Subcommand)]
pub(crate) enum ClientsCommand {
    /// List the client organizations that trust a Genesys Cloud partner, and the tenants below an Acronis partner.
    List(list::ListArguments),
}

pub(crate) async fn run(command: ClientsCommand) -> Result<ExitCode, Failure> {
    match command {
        ClientsCommand::List(arguments) => list::run(arguments).await,
    }
}
