//! `usage-billing`: usage and billing data of Genesys Cloud, Suger and Acronis on the command line.

mod arguments;
mod exit;
mod fetch;
mod output;
mod sandbox;
mod vendors;

use std::process::ExitCode;

use arguments::{Arguments, Command, UsageCommand};
use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Usage(UsageCommand::Fetch(fetch)) => fetch::run(fetch).await,
        Command::Sandbox(sandbox) => sandbox::run(sandbox).await,
    };
    outcome.unwrap_or_else(|failure| {
        output::tell(&format!("error: {failure}"));
        failure.code()
    })
}
